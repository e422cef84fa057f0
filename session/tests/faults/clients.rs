//! OAuth clients that servers have registered: kept on disk as soon as they are there, and forgotten when they are gone.

use crate::script::*;
use everkey_proto::request::SessionRequest;
use everkey_proto::{FlowId, Secret, SignInMethod};
use everkey_session::policy::{OauthClient, Policy};
use everkey_session::{
    Capability, Effect, Endpoints, Error, JobResult, KeptClient, Loaded, LoginAnswer, LoginCall, NetError,
    NetErrorKind, NetJob, Op, ProfileReply, Registration, StoreJob,
};

const PORT: u16 = 40_123;

fn endpoints() -> Endpoints {
    let at = |path: &str| Some(format!("{SERVER}{path}"));
    Endpoints {
        issuer: SERVER.to_owned(),
        token: format!("{SERVER}/token"),
        authorization: at("/authorize"),
        registration: at("/register"),
        ..Endpoints::default()
    }
}

fn client(id: &str) -> KeptClient {
    let registration =
        Registration { client_id: id.to_owned(), endpoints: endpoints(), ..Registration::default() };
    let redirect = Some(format!("http://127.0.0.1:{PORT}/callback"));
    KeptClient { registration, redirect, scope: None }
}

/// Signed out of a server that registers clients; these were kept.
fn signed_out(clients: Vec<KeptClient>) -> Agent {
    let oauth = Some(OauthClient::default());
    let policy = Policy { schemes: vec![SignInMethod::Browser], oauth, ..policy() };
    Agent::start_with(policy, Loaded { clients, ..no_files() }).0
}

/// From the question to the port that is open.
fn listening(agent: &mut Agent) -> (Op, Vec<Effect>) {
    let (op, _) = only_net(agent.ask(1, SessionRequest::Login { scheme: None, under_way: None }));
    let (listener, job) = only_net(agent.login_answered(op, LoginAnswer::Discovered(endpoints())));
    assert!(matches!(job, NetJob::Listen(_)), "{job:?}");
    let effects = agent.done(listener, JobResult::Listening(Ok(PORT)));
    (listener, effects)
}

fn kept(effects: &[Effect]) -> Option<&Vec<KeptClient>> {
    effects.iter().find_map(|effect| match effect {
        Effect::Store(_, job) => match &**job {
            StoreJob::KeepClients(clients) => Some(clients),
            _ => None,
        },
        _ => None,
    })
}

/// The flow and the address of the page that is to be opened.
fn page(effects: &[Effect]) -> (FlowId, String) {
    let page = effects.iter().find_map(|effect| match effect {
        Effect::Reply(_, answer) => match &**answer {
            ProfileReply::Opened { flow, page, .. } => Some((*flow, page.url.clone())),
            _ => None,
        },
        _ => None,
    });
    page.unwrap_or_else(|| panic!("{effects:?} instead of a page"))
}

#[test]
fn a_registered_client_is_kept_before_anybody_signs_in() {
    let mut agent = signed_out(Vec::new());
    let (_, effects) = listening(&mut agent);
    let (op, job) = only_net(effects);
    assert!(matches!(job, NetJob::Login { call: LoginCall::Register { .. }, .. }), "{job:?}");
    let effects = agent.login_answered(op, LoginAnswer::Registered(client("new").registration));
    assert_eq!(kept(&effects), Some(&vec![client("new")]));
    let (flow, _) = page(&effects);
    // Given up at once: the server has just registered it, so it is good.
    let effects = agent.ask(1, SessionRequest::Cancel { flow });
    assert_eq!(kept(&effects), None);
    assert!(page(&listening(&mut agent).1).1.contains("client_id=new&"), "the next one uses it");
}

#[test]
fn a_client_on_disk_is_used_and_forgotten_once_unknown() {
    let mut agent = signed_out(vec![client("old")]);
    let (listener, effects) = listening(&mut agent);
    let (_, url) = page(&effects);
    assert!(url.contains("client_id=old&"), "{url}");
    let state = url.split("&state=").nth(1).and_then(|rest| rest.split('&').next()).unwrap_or_default();
    let (op, _) = only_net(agent.came_back(8, listener, &format!("code=c&state={state}")));
    let unknown = everkey_session::Rejected::Other("invalid_client".to_owned());
    let effects = agent.login_answered(op, LoginAnswer::Rejected(unknown));
    assert_eq!(kept(&effects), Some(&Vec::new()));
    let (_, job) = only_net(listening(&mut agent).1);
    assert!(matches!(job, NetJob::Login { call: LoginCall::Register { .. }, .. }), "{job:?}");
}

#[test]
fn giving_up_at_the_page_forgets_the_earlier_client() {
    let mut agent = signed_out(vec![client("old")]);
    let (flow, _) = page(&listening(&mut agent).1);
    let effects = agent.ask(1, SessionRequest::Cancel { flow });
    assert_eq!(kept(&effects), Some(&Vec::new()), "its page may say that the client is unknown");
}

#[test]
fn a_client_whose_secret_lapses_is_not_used() {
    let mut lapsing = client("old");
    lapsing.registration.client_secret = Some(Secret::new("shh"));
    lapsing.registration.secret_expires_at = Some(START_WALL + 60);
    let mut agent = signed_out(vec![lapsing]);
    let (_, job) = only_net(listening(&mut agent).1);
    assert!(matches!(job, NetJob::Login { call: LoginCall::Register { .. }, .. }), "{job:?}");
}

#[test]
fn a_client_that_cant_be_used_is_told_at_once() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let effects = agent.ask(1, SessionRequest::Refresh { force: true });
    let (op, job) = only_net(agent.look_at_unchanged_file(effects));
    assert!(matches!(job, NetJob::Connect { .. }), "{job:?}");
    let kind = NetErrorKind::ClientUnusable("can't read /secret".to_owned());
    let why = NetError { server: SERVER.to_owned(), kind };
    let effects = agent.done(op, JobResult::Connected(Err(why.clone())));
    assert!(effects.contains(&reply(1, ProfileReply::Failed(Error::Net(why)))), "{effects:?}");
    assert!(agent.is_signed_in());
    let sent = agent.send_when_due();
    assert_eq!(sent.token, agent.file.refresh, "it is tried again by itself");
}
