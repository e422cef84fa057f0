//! Sessions: every profile, who is signed in to it and how that stands.

use super::clock::{Clock, ShownTime};
use super::standing::{Phrase, Tone, phrases, tone, way};
use crate::agent::Look;
use askama::Template;
use everkey_client::{Failure, ResolvedProfile, Status, hint_text};
use everkey_proto::reply::State;
use everkey_proto::{DEFAULT_PROFILE, SignInMethod};

/// The page's live region.
#[derive(Debug, Template)]
#[template(path = "sessions.html")]
pub struct Sessions {
    summary: String,
    cards: Vec<Card>,
    unused: Vec<Card>,
}

/// One profile.
#[derive(Debug)]
struct Card {
    id: String,
    name: String,
    is_default: bool,
    who: Option<String>,
    more: Vec<String>,
    server: String,
    way: &'static str,
    tone: Tone,
    state: Vec<Phrase>,
    expires: Option<ShownTime>,
    lifeline: Option<Lifeline>,
    refreshes: Option<ShownTime>,
    until: Option<ShownTime>,
    token: Option<String>,
    static_token: Option<String>,
    last_error: Option<String>,
    pending: Option<String>,
    reminder: Option<Reminds>,
    ways: String,
    signs_in: bool,
    signs_out: bool,
    refreshable: bool,
}

/// The re-audit reminder of whoever is signed in.
#[derive(Debug)]
struct Reminds {
    at: ShownTime,
    due: bool,
    /// Whether the re-audit page is about this profile.
    has_page: bool,
}

/// What is left of an access token, drawn on a stretch of time from now on. All in hundredths of the stretch.
#[derive(Debug, PartialEq)]
struct Lifeline {
    stretch_secs: u64,
    left: String,
    refresh: Option<String>,
}

impl Sessions {
    /// The profiles as the agent sees them: the default one first, then those in use, then those that are not.
    pub fn new(look: &Look, clock: &Clock) -> Self {
        let mut cards = Vec::new();
        let mut unused = Vec::new();
        for (at, (profile, status)) in look.profiles.iter().enumerate() {
            let card = Card::new(at, profile, status, clock);
            let is_used = match status {
                Ok(status) => status.state != State::SignedOut || status.pending_revocations > 0,
                Err(_) => true,
            };
            if is_used || card.is_default { &mut cards } else { &mut unused }.push(card);
        }
        Self { summary: summary(&cards), cards, unused }
    }
}

impl Card {
    fn new(at: usize, profile: &ResolvedProfile, status: &Result<Status, Failure>, clock: &Clock) -> Self {
        match status {
            Ok(status) => Self::of(at, profile, status, clock),
            Err(failure) => Self {
                tone: Tone::Bad,
                state: vec![Phrase {
                    before: format!("The agent can't say how this one stands: {}", failure.message),
                    away: None,
                    after: format!(" {}", hint_text(&failure.hint)),
                }],
                ..Self::bare(at, profile)
            },
        }
    }

    fn of(at: usize, profile: &ResolvedProfile, status: &Status, clock: &Clock) -> Self {
        let signed_in = match status.state {
            State::SignedOut => false,
            State::NeedsLogin => status.token_served,
            State::Valid | State::Refreshing | State::Offline | State::Uncertain | State::ReadOnly => true,
        };
        let is_ours = status.state != State::ReadOnly;
        let over = status.state == State::NeedsLogin;
        let when = |at: Option<u64>| at.map(|at| clock.when(at));
        let about =
            ["name", "org", "role", "plan"].into_iter().filter_map(|key| status.about.get(key).cloned());
        let who = status.user.as_ref().map(|user| {
            let named = [&user.email, &user.id].into_iter().find(|text| !text.is_empty());
            named.cloned().unwrap_or_default()
        });
        Self {
            who: who.or_else(|| signed_in.then(|| "This server does not say who".to_owned())),
            more: about.filter(|text| !text.is_empty()).collect(),
            server: status.server.clone(),
            way: way(status.scheme),
            tone: tone(status),
            state: phrases(status, clock),
            expires: when(status.access_expires_at.filter(|_| signed_in)),
            lifeline: status
                .access_expires_at
                .filter(|expires| signed_in && *expires > clock.now())
                .map(|expires| Lifeline::new(clock.now(), expires, status.next_refresh_at)),
            refreshes: when(status.next_refresh_at),
            until: when(status.sign_in_by.or(status.refresh_expires_at).filter(|_| signed_in && !over)),
            token: status.masked_token.clone().filter(|_| signed_in),
            static_token: status.masked_static_token.clone().filter(|_| signed_in),
            last_error: status.last_error.clone(),
            pending: pending(status.pending_revocations),
            reminder: status.reminder.as_ref().map(|it| Reminds {
                at: clock.when(it.at),
                due: it.due,
                has_page: profile.name == DEFAULT_PROFILE,
            }),
            signs_in: !signed_in || over,
            signs_out: is_ours && (signed_in || over),
            refreshable: is_ours && signed_in && !over && status.scheme != SignInMethod::Token,
            ..Self::bare(at, profile)
        }
    }

    fn bare(at: usize, profile: &ResolvedProfile) -> Self {
        // The one that runs where nothing is said comes first.
        let first = profile.scheme.or(profile.provider.schemes().first().copied());
        let others = profile.provider.schemes().iter().copied().filter(|scheme| Some(*scheme) != first);
        let ways: Vec<&str> = first.into_iter().chain(others).map(SignInMethod::as_str).collect();
        Self {
            // Unlike its name, its place is fit for an id.
            id: format!("profile-{}", slug(&profile.name)),
            name: profile.name.clone(),
            is_default: at == 0,
            who: None,
            more: Vec::new(),
            server: profile.server().unwrap_or_default().to_owned(),
            way: first.map_or("", way),
            tone: Tone::Quiet,
            state: Vec::new(),
            expires: None,
            lifeline: None,
            refreshes: None,
            until: None,
            token: None,
            static_token: None,
            last_error: None,
            pending: None,
            reminder: None,
            ways: ways.join(" "),
            signs_in: false,
            signs_out: false,
            refreshable: false,
        }
    }
}

/// Stretches to draw on, in seconds, the first that is long enough: from five minutes to sixty days.
const STRETCHES: [u64; 7] = [300, 900, 3600, 6 * 3600, 86_400, 7 * 86_400, 60 * 86_400];

impl Lifeline {
    fn new(now: u64, expires: u64, refresh: Option<u64>) -> Self {
        let left = expires.saturating_sub(now);
        let long_enough = STRETCHES.into_iter().find(|secs| left <= *secs);
        let secs = long_enough.unwrap_or(60 * 86_400);
        let place = |span: u64| format!("{:.1}", (span as f64 / secs as f64 * 100.0).min(100.0));
        let refresh = refresh.filter(|at| *at >= now && *at <= expires);
        Self { stretch_secs: secs, left: place(left), refresh: refresh.map(|at| place(at - now)) }
    }
}

fn pending(count: u32) -> Option<String> {
    match count {
        0 => None,
        1 => Some("One sign-out is not confirmed by the server yet; it is told again by itself.".to_owned()),
        n => Some(format!("{n} sign-outs are not confirmed by the server yet; it is told again by itself.")),
    }
}

/// What a page of sessions comes to.
fn summary(cards: &[Card]) -> String {
    let signed_in = cards.iter().filter(|card| card.signs_out && !card.signs_in).count();
    let needs = cards.iter().filter(|card| card.tone == Tone::Bad).count();
    let mut said = match signed_in {
        0 => "Nobody is signed in.".to_owned(),
        1 => "One session is signed in.".to_owned(),
        n => format!("{n} sessions are signed in."),
    };
    match needs {
        0 => {}
        1 => said.push_str(" One needs you."),
        n => said.push_str(&format!(" {n} need you.")),
    }
    said
}

/// A name as part of an id: other characters by their number.
pub fn slug(name: &str) -> String {
    let escape = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' => c.to_string(),
        c => format!("_{:x}_", u32::from(c)),
    };
    name.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::super::samples::{NOON, ada, clock, fresh, full, look, profile, reminder, status};
    use super::*;
    use everkey_config::ProviderKind;
    use everkey_proto::reply::Reminder;

    fn names(cards: &[Card]) -> Vec<&str> {
        cards.iter().map(|card| card.name.as_str()).collect()
    }

    #[test]
    fn those_in_use_come_first_and_the_default_before_all() {
        let page = Sessions::new(&full(), &clock());
        assert_eq!(names(&page.cards), ["failproofai", "binboi", "refreshing", "slow", "staging", "work"]);
        assert_eq!(names(&page.unused), ["achilles/default", "dot-ai"]);
        assert_eq!(page.summary, "4 sessions are signed in. 2 need you.");
        let page = Sessions::new(&fresh(), &clock());
        assert_eq!(names(&page.cards), ["failproofai"]);
        assert_eq!(page.summary, "Nobody is signed in.");
    }

    #[test]
    fn only_what_can_be_done_has_a_button() {
        let buttons = |status: Status| {
            let card = Card::of(1, &profile("p", ProviderKind::Oauth), &status, &clock());
            (card.signs_in, card.signs_out, card.refreshable)
        };
        assert_eq!(buttons(ada()), (false, true, true));
        assert_eq!(buttons(Status { scheme: SignInMethod::Token, ..ada() }), (false, true, false));
        assert_eq!(buttons(Status { state: State::NeedsLogin, ..ada() }), (true, true, false));
        let served = Status { state: State::NeedsLogin, token_served: true, ..ada() };
        assert_eq!(buttons(served), (true, true, false));
        assert_eq!(buttons(Status { state: State::ReadOnly, ..ada() }), (false, false, false));
        assert_eq!(buttons(status("p", State::SignedOut)), (true, false, false));
    }

    #[test]
    fn the_way_that_runs_comes_before_those_offered_beside_it() {
        let mut it = profile("p", ProviderKind::Oauth);
        assert_eq!(Card::bare(1, &it).ways, "browser device");
        it.scheme = Some(SignInMethod::Device);
        assert_eq!(Card::bare(1, &it).ways, "device browser");
    }

    #[test]
    fn a_reminder_links_to_its_page_or_names_the_command() {
        let page = |name: &str, due| {
            let reminder = Reminder { due, at: if due { NOON - 3600 } else { NOON + 86_400 }, ..reminder() };
            let status = Status { reminder: Some(reminder), ..ada() };
            let all = look(vec![(profile(name, ProviderKind::Failproofai), Ok(status))]);
            Sessions::new(&all, &clock()).render().unwrap()
        };
        let of_the_page = page("failproofai", true);
        assert!(
            of_the_page.contains("due <time") && of_the_page.contains("href=\"/audit\""),
            "{of_the_page}"
        );
        let another = page("staging", true);
        assert!(another.contains("at 11:00") && !another.contains("href="), "{another}");
        assert!(another.contains("everkey reminder set --profile staging"), "{another}");
        let ahead = page("staging", false);
        assert!(ahead.contains("Next re-audit") && ahead.contains("tomorrow at 12:00"), "{ahead}");
    }

    #[test]
    fn a_lifeline_fits_its_stretch() {
        let line = Lifeline::new(NOON, NOON + 1800, Some(NOON + 900));
        assert_eq!((line.stretch_secs, line.left.as_str()), (3600, "50.0"));
        assert_eq!(line.refresh.as_deref(), Some("25.0"));
        let short = Lifeline::new(NOON, NOON + 240, None);
        assert_eq!((short.stretch_secs, short.left.as_str()), (300, "80.0"));
        assert_eq!(Lifeline::new(NOON, u64::MAX, None).left, "100.0");
    }

    #[test]
    fn a_token_that_is_over_has_no_line() {
        let page = |expires| {
            let status = Status { access_expires_at: Some(expires), ..ada() };
            let all = look(vec![(profile("failproofai", ProviderKind::Failproofai), Ok(status))]);
            Sessions::new(&all, &clock()).render().unwrap()
        };
        let over = page(NOON);
        assert!(over.contains("<dt>Access token</dt>") && over.contains(">expired</time></dd>"), "{over}");
        let lasting = page(NOON + 1);
        assert!(
            lasting.contains("<dt>Access token expires in</dt>") && lasting.contains("<svg class=\"life\"")
        );
    }

    #[test]
    fn names_that_differ_have_ids_that_differ() {
        assert_eq!(slug("achilles/default"), "achilles_2f_default");
        assert_ne!(slug("a b"), slug("a_b"));
        assert!(!slug("\"<é>").contains(['"', '<', ' ']));
    }

    #[test]
    fn the_sessions_page_is_complete_and_escapes_foreign_text() {
        let html = Sessions::new(&full(), &clock()).render().unwrap();
        for words in [
            "ada@example.com",
            "refreshes by itself in",
            "Needs a new sign-in: the api-server has ended the session.",
            "trying again at 12:03",
            "eyJhbGci...x9fQ",
            "One sign-out is not confirmed",
        ] {
            assert!(html.contains(words), "no {words:?} in {html}");
        }
        assert!(html.contains("Ada &#60;b&#62;L.") && !html.contains("<b>L."), "{html}");
        let none = look(Vec::new());
        assert!(Sessions::new(&none, &clock()).render().unwrap().contains("Nobody is signed in."));
    }
}
