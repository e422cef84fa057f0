//! What a browser brings back to the sign-in that waits for it: the query of an address that anybody on this machine,
//! and any page in any browser, can call.

use super::answers::harmless;
use crate::{measure, reach};
use everkey_config::ProviderKind;
use everkey_daemon::messages;
use everkey_daemon::provider::descriptor;
use everkey_proto::request::SessionRequest;
use everkey_proto::{Expect, Secret};
use everkey_session::policy::{Discovery, OauthClient};
use everkey_session::{
    Boot, Effect, Endpoints, Error, FileContent, Input, JobResult, Journal, Loaded, LoginCall, Moment,
    NetJob, Op, Profile, ProfileReply, Rejected, Settings, Waiter,
};
use url::{Url, form_urlencoded};

const ISSUER: &str = "https://id.example";

const NOW: Moment = Moment { boot: Boot(1_000_000), wall: 1_800_000_000, dice: [7; 32] };

/// Whoever asked for the sign-in, and the browser that came back.
const PERSON: Waiter = Waiter(1);
const BROWSER: Waiter = Waiter(2);

/// The input as the query; `STATE` in it is the sign-in's own state, which nobody can guess. Only with that does it
/// count, and with anything else nothing changes.
pub fn queries(input: &[u8]) {
    let Some((mut profile, listener, state)) = at_the_page() else { unreachable!("the page is open") };
    let query = String::from_utf8_lossy(input).replace("STATE", &state);
    let said: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let once = |name: &str| {
        let mut values = said.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        values.next().filter(|_| values.next().is_none())
    };
    let effects = measure::within(16 * query.len() + 8192, || came_back(&mut profile, listener, &query));
    if is_stray(&effects) {
        let whole = once("state") == Some(&*state) && once("code").is_some() != once("error").is_some();
        let twice = ["state", "code", "error", "iss"]
            .iter()
            .any(|name| said.iter().filter(|(key, _)| key == name).count() > 1);
        assert!(!whole || twice, "the sign-in's own answer was turned away");
        // It goes on as if nobody had been there.
        let right = came_back(&mut profile, listener, &format!("code=right&state={state}"));
        assert_eq!(exchanged(&right).as_deref(), Some("right"), "a stray answer changed something");
        return;
    }
    reach::deep();
    assert_eq!(once("state"), Some(&*state), "somebody else's answer counted");
    if let Some(code) = exchanged(&effects) {
        assert_eq!(Some(&*code), once("code"), "another code than the server's");
        assert!(once("error").is_none() && once("iss").is_none_or(|iss| iss == ISSUER), "mixed up servers");
        return;
    }
    let mut told = effects.iter().filter_map(|effect| match effect {
        Effect::Reply(waiter, answer) => Some((*waiter, answer)),
        Effect::Store(..) | Effect::Net(..) | Effect::Cancel(_) | Effect::Notify(_) | Effect::Farewell(_) => {
            None
        }
    });
    let Some((BROWSER, answer)) = told.next_back() else { unreachable!("the browser is told: {effects:?}") };
    let ProfileReply::Failed(Error::Rejected(why)) = &**answer else { unreachable!("{answer:?}") };
    match why {
        Rejected::Issuer(named) => assert!(once("iss") == Some(named) && named != ISSUER, "{named:?}"),
        Rejected::Denied => assert_eq!(once("error"), Some("access_denied")),
        Rejected::Other(error) => assert_eq!(once("error"), Some(&**error)),
        other => unreachable!("{other:?}"),
    }
    harmless(&messages::failure(&Error::Rejected(why.clone())).message);
    assert!(effects.contains(&Effect::Cancel(listener)), "the port stays open once it is over");
}

fn came_back(profile: &mut Profile, listener: Op, query: &str) -> Vec<Effect> {
    let query = Secret::new(query);
    profile.handle(&NOW, Input::Callback { waiter: BROWSER, listener, query })
}

/// The browser is told that this is not it, and that is all.
fn is_stray(effects: &[Effect]) -> bool {
    let stray = Box::new(ProfileReply::Failed(Error::Rejected(Rejected::Stray)));
    let is = effects.contains(&Effect::Reply(BROWSER, stray));
    assert!(!is || effects.len() == 1, "a stray answer does something: {effects:?}");
    is
}

/// The code that is exchanged for tokens now.
fn exchanged(effects: &[Effect]) -> Option<String> {
    effects.iter().find_map(|effect| match effect {
        Effect::Net(_, NetJob::Login { call: LoginCall::Exchange { code, .. }, .. }) => {
            Some(code.expose().to_owned())
        }
        _ => None,
    })
}

/// A sign-in that waits for the browser, its listener, and its state.
fn at_the_page() -> Option<(Profile, Op, String)> {
    let endpoints = Endpoints {
        issuer: ISSUER.to_owned(),
        token: format!("{ISSUER}/token"),
        authorization: Some(format!("{ISSUER}/authorize")),
        ..Endpoints::default()
    };
    let mut policy = descriptor(ProviderKind::Oauth).policy(30_000);
    policy.oauth = Some(OauthClient {
        issuer: ISSUER.to_owned(),
        discovery: Discovery::Given(endpoints),
        client_id: Some("me".to_owned()),
        ..OauthClient::default()
    });
    let settings = Settings {
        policy,
        server: ISSUER.to_owned(),
        server_is_named: true,
        session_file: "/session.json".to_owned(),
        machine: "m".to_owned(),
        boot_id: "b".to_owned(),
        announces_revocations: false,
    };
    let (mut profile, effects) = Profile::start(settings, &NOW);
    let nothing = Loaded {
        owner: Ok(()),
        file: FileContent::Missing,
        journal: Ok(Journal::Empty),
        sidecar: None,
        revocations: Vec::new(),
        clients: Vec::new(),
        sign_in: None,
    };
    let Some(Effect::Store(load, _)) = effects.first() else { return None };
    profile.handle(&NOW, Input::Done(*load, JobResult::Loaded(Box::new(nothing))));
    let request = SessionRequest::Login { scheme: None, under_way: None };
    let effects = profile.handle(&NOW, Input::Request { waiter: PERSON, expect: Expect::default(), request });
    let listener = effects.iter().find_map(|effect| match effect {
        Effect::Net(op, NetJob::Listen(_)) => Some(*op),
        _ => None,
    })?;
    let effects = profile.handle(&NOW, Input::Done(listener, JobResult::Listening(Ok(4711))));
    let page = effects.iter().find_map(|effect| match effect {
        Effect::Reply(PERSON, answer) => match &**answer {
            ProfileReply::Opened { page, .. } => Some(page.url.clone()),
            _ => None,
        },
        _ => None,
    })?;
    let page = Url::parse(&page).ok()?;
    let (_, state) = page.query_pairs().find(|(name, _)| name == "state")?;
    Some((profile, listener, state.into_owned()))
}
