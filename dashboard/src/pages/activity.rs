//! Activity: what has happened since the agent started, and a line of refreshes for each session.

use super::access::Program;
use super::clock::{Clock, ShownTime};
use super::sessions::slug;
use super::standing::Tone;
use askama::Template;
use everkey_proto::reply::{Event, EventKind};

/// How many rows the feed has.
const MOST: usize = 120;

/// Hand-outs to one program so close together, in seconds, are one row.
const TOGETHER: u64 = 60;

/// The page's live region.
#[derive(Debug, Template)]
#[template(path = "activity.html")]
pub struct Activity {
    lines: Vec<Timeline>,
    scale: Scale,
    days: Vec<Day>,
    cut: bool,
}

#[derive(Debug)]
struct Day {
    name: String,
    rows: Vec<Row>,
}

/// One thing that happened, or some hand-outs close together.
#[derive(Debug)]
struct Row {
    id: u64,
    at: ShownTime,
    profile: String,
    tone: Tone,
    title: String,
    detail: String,
}

/// What the lines are drawn on.
#[derive(Debug, Clone, Copy)]
struct Scale {
    from: u64,
    secs: u64,
    name: &'static str,
}

/// A session's refreshes along the scale.
#[derive(Debug)]
struct Timeline {
    id: String,
    profile: String,
    marks: Vec<Mark>,
    words: String,
}

/// A mark at so many percent of the scale.
#[derive(Debug, PartialEq, Eq)]
struct Mark {
    x: String,
    kind: Kind,
    title: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Refreshed,
    Failed,
    Began,
    Ended,
}

impl Activity {
    /// Events, the oldest first.
    pub fn new(events: &[Event], clock: &Clock) -> Self {
        let oldest = events.iter().map(|event| event.at).min().unwrap_or(clock.now());
        let scale = Scale::reaching(oldest, clock.now());
        let mut profiles: Vec<&str> = events
            .iter()
            .filter(|event| kind(&event.what).is_some())
            .map(|event| event.profile.as_str())
            .collect();
        profiles.sort_unstable();
        profiles.dedup();
        let lines =
            profiles.into_iter().map(|profile| Timeline::new(profile, events, scale, clock)).collect();
        let rows = rows(events, clock);
        let cut = rows.len() > MOST;
        let mut days: Vec<Day> = Vec::new();
        for row in rows.into_iter().take(MOST) {
            let name = clock.day(row.at.unix);
            match days.last_mut().filter(|day| day.name == name) {
                Some(day) => day.rows.push(row),
                None => days.push(Day { name, rows: vec![row] }),
            }
        }
        Self { lines, scale, days, cut }
    }
}

impl Scale {
    fn reaching(oldest: u64, now: u64) -> Self {
        const STRETCHES: [(u64, &str); 5] = [
            (3600, "the last hour"),
            (6 * 3600, "the last 6 hours"),
            (86_400, "the last day"),
            (3 * 86_400, "the last 3 days"),
            (7 * 86_400, "the last week"),
        ];
        let age = now.saturating_sub(oldest);
        let fits = STRETCHES.into_iter().find(|(secs, _)| age <= *secs);
        let (secs, name) = fits.unwrap_or((7 * 86_400, "the last week"));
        Self { from: now.saturating_sub(secs), secs, name }
    }

    /// Percent of the scale; none for what is older.
    fn place(self, at: u64) -> Option<String> {
        let thousandths = (at.checked_sub(self.from)?.saturating_mul(1000) / self.secs).min(1000);
        Some(format!("{}.{}", thousandths / 10, thousandths % 10))
    }
}

impl Timeline {
    fn new(profile: &str, events: &[Event], scale: Scale, clock: &Clock) -> Self {
        let own = events.iter().filter(|event| event.profile == profile);
        let marked: Vec<(&Event, Kind)> =
            own.filter_map(|event| kind(&event.what).map(|kind| (event, kind))).collect();
        let marks = marked.iter().filter_map(|(event, kind)| {
            let title = format!("{} {}", clock.when(event.at).second, title(&event.what).1);
            Some(Mark { x: scale.place(event.at)?, kind: *kind, title })
        });
        let count = |wanted| marked.iter().filter(|(_, kind)| *kind == wanted).count();
        let last = marked.iter().rev().find(|(_, kind)| *kind == Kind::Refreshed);
        let refreshes = match (count(Kind::Refreshed), last) {
            (1, Some((event, _))) => format!("One refresh, {}", clock.when(event.at).near),
            (n, Some((event, _))) => format!("{n} refreshes, the last {}", clock.when(event.at).near),
            (_, None) => "No refresh yet".to_owned(),
        };
        let failures = match count(Kind::Failed) {
            0 => String::new(),
            1 => "; one failed try".to_owned(),
            n => format!("; {n} failed tries"),
        };
        Self {
            id: format!("line-{}", slug(profile)),
            profile: profile.to_owned(),
            marks: marks.collect(),
            words: format!("{refreshes}{failures}"),
        }
    }
}

impl Kind {
    fn class(self) -> &'static str {
        match self {
            Self::Refreshed => "refreshed",
            Self::Failed => "failed",
            Self::Began => "began",
            Self::Ended => "ended",
        }
    }

    /// The path of its shape around its place; shapes differ, not only colours.
    fn path(self) -> &'static str {
        match self {
            Self::Refreshed => "M0-4a4 4 0 1 1 0 8a4 4 0 1 1 0-8Z",
            Self::Failed => "M0-5.5L5.5 4.5H-5.5Z",
            Self::Began => "M0-5.5L5.5 0L0 5.5L-5.5 0Z",
            Self::Ended => "M-4-4L4 4M4-4L-4 4",
        }
    }
}

/// What kind of mark an event makes, if any.
fn kind(what: &EventKind) -> Option<Kind> {
    match what {
        EventKind::Refreshed { .. } => Some(Kind::Refreshed),
        EventKind::Offline { .. } => Some(Kind::Failed),
        EventKind::SignedIn { .. } | EventKind::Adopted { .. } => Some(Kind::Began),
        EventKind::SignedOut { .. } | EventKind::NeedsLogin { .. } => Some(Kind::Ended),
        EventKind::FileTrouble { .. }
        | EventKind::Handed { .. }
        | EventKind::ReminderSet { .. }
        | EventKind::ReminderCleared
        | EventKind::ReminderDue { .. }
        | EventKind::SignInAhead { .. } => None,
    }
}

/// An event in a few words.
fn title(what: &EventKind) -> (Tone, &'static str) {
    match what {
        EventKind::SignedIn { .. } => (Tone::Good, "Signed in"),
        EventKind::SignedOut { .. } => (Tone::Quiet, "Signed out"),
        EventKind::Refreshed { .. } => (Tone::Good, "Refreshed"),
        EventKind::Offline { .. } => (Tone::Warn, "Refresh failed"),
        EventKind::NeedsLogin { .. } => (Tone::Bad, "Needs a new sign-in"),
        EventKind::Adopted { .. } => (Tone::Good, "Session taken over"),
        EventKind::FileTrouble { .. } => (Tone::Bad, "Trouble with a file"),
        EventKind::Handed { .. } => (Tone::Quiet, "Token handed out"),
        EventKind::ReminderSet { .. } => (Tone::Good, "Reminder set"),
        EventKind::ReminderCleared => (Tone::Quiet, "Reminder cleared"),
        EventKind::ReminderDue { .. } => (Tone::Warn, "Reminder due"),
        EventKind::SignInAhead { .. } => (Tone::Warn, "Sign-in may be needed"),
    }
}

/// The rest of what there is to say of it.
fn detail(what: &EventKind, clock: &Clock) -> String {
    match what {
        EventKind::SignedIn { user } | EventKind::Adopted { user } => {
            user.as_ref().map_or_else(String::new, |user| user.email.clone())
        }
        EventKind::Refreshed { access_expires_at } => access_expires_at
            .map_or_else(String::new, |at| format!("the new token expires {}", clock.when(at).near)),
        EventKind::SignedOut { why }
        | EventKind::Offline { why }
        | EventKind::NeedsLogin { why }
        | EventKind::FileTrouble { why } => bare(why),
        EventKind::Handed { pid, program, .. } => {
            let Program { name, folder } = Program::new(program.as_deref());
            let place = if folder.is_empty() { String::new() } else { format!(", {folder}") };
            format!("{name} (process {pid}{place})")
        }
        EventKind::ReminderSet { reminder } | EventKind::ReminderDue { reminder } => {
            format!("for {}, {}", reminder.email, clock.when(reminder.at).near)
        }
        EventKind::ReminderCleared => String::new(),
        EventKind::SignInAhead { why, by: None } => why.clone(),
        EventKind::SignInAhead { why, by: Some(by) } => format!("{}: {why}", clock.when(*by).near),
    }
}

/// The agent's reason without what the title says already.
fn bare(why: &str) -> String {
    let inner = why.strip_prefix("not signed in (").and_then(|rest| rest.strip_suffix(')'));
    inner.unwrap_or(why).to_owned()
}

/// The newest first; hand-outs to one program within a minute are one row.
fn rows(events: &[Event], clock: &Clock) -> Vec<Row> {
    let mut groups: Vec<(&Event, usize)> = Vec::new();
    for event in events.iter().rev() {
        match groups.last_mut().filter(|(newest, _)| is_like(newest, event)) {
            Some((_, count)) => *count += 1,
            None => groups.push((event, 1)),
        }
    }
    let row = |(event, count): (&Event, usize)| {
        let (tone, title) = title(&event.what);
        let title = if count > 1 { format!("{count} tokens handed out") } else { title.to_owned() };
        let detail = detail(&event.what, clock);
        Row { id: event.id, at: clock.when(event.at), profile: event.profile.clone(), tone, title, detail }
    };
    groups.into_iter().map(row).collect()
}

fn is_like(newest: &Event, older: &Event) -> bool {
    match (&newest.what, &older.what) {
        (EventKind::Handed { program: Some(a), .. }, EventKind::Handed { program: Some(b), .. }) => {
            a == b && newest.profile == older.profile && newest.at.saturating_sub(older.at) <= TOGETHER
        }
        (_, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{NOON, clock, events};
    use super::*;

    #[test]
    fn the_newest_comes_first_and_hand_outs_are_folded() {
        let page = Activity::new(&events(), &clock());
        let rows = &page.days[0].rows;
        assert_eq!(rows[0].title, "Token handed out");
        assert_eq!(rows[3].title, "3 tokens handed out");
        assert_eq!(rows[3].detail, "curl (process 8123, /usr/bin)");
        assert_eq!(rows.last().unwrap().title, "Signed in");
        assert!(!page.cut);
    }

    #[test]
    fn a_line_marks_each_refresh_and_counts_them_in_words() {
        let page = Activity::new(&events(), &clock());
        let line = page.lines.iter().find(|line| line.profile == "failproofai").unwrap();
        assert_eq!(line.words, "5 refreshes, the last at 11:41; one failed try");
        assert_eq!(line.marks.iter().filter(|mark| mark.kind == Kind::Refreshed).count(), 5);
        assert!(page.lines.iter().all(|line| line.profile != "binboi"), "nothing to draw");
        assert_eq!(page.scale.name, "the last 6 hours");
    }

    #[test]
    fn file_trouble_is_titled_in_plain_words() {
        let what = EventKind::FileTrouble { why: "damaged".to_owned() };
        assert_eq!(title(&what).1, "Trouble with a file");
    }

    #[test]
    fn marks_stand_where_they_happened() {
        let scale = Scale::reaching(NOON - 1800, NOON);
        assert_eq!(scale.place(NOON - 1800).as_deref(), Some("50.0"));
        assert_eq!(scale.place(NOON + 9).as_deref(), Some("100.0"));
        assert_eq!(scale.place(NOON - 3601), None);
        assert_eq!(Scale::reaching(0, NOON).name, "the last week");
    }

    #[test]
    fn a_quiet_agent_says_so() {
        let html = Activity::new(&[], &clock()).render().unwrap();
        assert!(html.contains("Nothing has happened since the agent started"), "{html}");
        let evil = EventKind::SignedOut { why: "<img src=x onerror=alert(1)>".to_owned() };
        let event = Event { id: 1, at: NOON, profile: "<p>".to_owned(), what: evil };
        let html = Activity::new(&[event], &clock()).render().unwrap();
        assert!(!html.contains("<img") && !html.contains("<p>\n"), "{html}");
    }
}
