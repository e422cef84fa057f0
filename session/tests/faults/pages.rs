//! Sign-ins by browser: the listener, the browsers that come back to it, and tokens of sign-ins that are given up.

use crate::script::*;
use everkey_proto::reply::Revocation as Word;
use everkey_proto::request::{SessionRequest, UnderWay};
use everkey_proto::{Entry, FlowId, Secret, SignInMethod};
use everkey_session::policy::{CallbackAddress, OauthClient, Policy};
use everkey_session::{
    Effect, Endpoints, Error, Identity, JobResult, ListenError, LoginAnswer, LoginCall, NetErrorKind, NetJob,
    Notice, Op, ProfileReply, Registration, Rejected, Replaced, StoreJob, TokenResponse,
};

const PORT: u16 = 40_123;

fn endpoints() -> Endpoints {
    let at = |path: &str| format!("{SERVER}{path}");
    Endpoints {
        issuer: SERVER.to_owned(),
        token: at("/token"),
        authorization: Some(at("/authorize")),
        device_authorization: Some(at("/device")),
        revocation: Some(at("/revoke")),
        userinfo: Some(at("/userinfo")),
        ..Endpoints::default()
    }
}

fn registration() -> Registration {
    Registration::configured("everkey-1", &endpoints())
}

/// Signed out of an OAuth server that gave this client an id.
fn signed_out() -> Agent {
    let client_id = Some("everkey-1".to_owned());
    let oauth = Some(OauthClient { client_id, ..OauthClient::default() });
    let schemes = vec![SignInMethod::Browser, SignInMethod::Device];
    Agent::start_with(Policy { schemes, oauth, ..policy() }, no_files()).0
}

/// A page that client 1 was told to open.
struct AtPage {
    flow: FlowId,
    listener: Op,
    /// What it was told.
    opened: ProfileReply,
    state: String,
}

impl AtPage {
    fn good(&self) -> String {
        format!("code=c&state={}", self.state)
    }
}

/// From the question to the port that is being opened.
fn binding(agent: &mut Agent) -> Op {
    let (op, job) = only_net(agent.ask(1, SessionRequest::Login { scheme: None, under_way: None }));
    let NetJob::Login { server, call: LoginCall::Discover { issuer, .. } } = job else {
        panic!("{job:?} instead of the metadata")
    };
    assert_eq!((server.as_str(), issuer.as_str()), (SERVER, SERVER));
    let (listener, job) = only_net(agent.login_answered(op, LoginAnswer::Discovered(endpoints())));
    assert_eq!(job, NetJob::Listen(CallbackAddress::default()));
    listener
}

fn at_page(agent: &mut Agent) -> AtPage {
    let listener = binding(agent);
    let effects = agent.done(listener, JobResult::Listening(Ok(PORT)));
    let [Effect::Reply(_, opened)] = &effects[..] else { panic!("{effects:?} instead of a page") };
    let ProfileReply::Opened { flow, page, expires_at } = &**opened else { panic!("{opened:?}") };
    assert_eq!((page.port, *expires_at), (PORT, 1_800_000_300), "five minutes");
    let state = page.url.split("&state=").nth(1).and_then(|rest| rest.split('&').next());
    AtPage { flow: *flow, listener, opened: (**opened).clone(), state: state.unwrap_or_default().to_owned() }
}

/// Browser 8 has brought the code, which is being exchanged.
fn exchanging(agent: &mut Agent, page: &AtPage) -> Op {
    let (op, job) = only_net(agent.came_back(8, page.listener, &page.good()));
    let NetJob::Login { call: LoginCall::Exchange { registration: known, code, .. }, .. } = job else {
        panic!("{job:?} instead of an exchange")
    };
    assert_eq!((known, code), (registration(), Secret::new("c")));
    op
}

#[test]
fn the_browser_is_answered_after_the_file_is_written() {
    let mut agent = signed_out();
    let page = at_page(&mut agent);
    assert_eq!(agent.ask(2, SessionRequest::Wait { flow: page.flow }), []);
    let op = exchanging(&mut agent, &page);
    let (op, job) = only_store(agent.login_answered(op, LoginAnswer::Granted(grant(1))));
    assert!(matches!(job, StoreJob::WriteSidecar(_)), "{job:?}");
    let (op, job) = only_store(agent.done(op, JobResult::Stored(Ok(()))));
    let StoreJob::Replace { session, .. } = job else { panic!("{job:?}") };
    assert_eq!(session.holder.registration, Some(registration()));
    let effects = agent.done(op, JobResult::Replaced(Ok(Replaced::Done)));
    let done = |waiter| reply(waiter, ProfileReply::SignedIn { user: Some(user()), already: false });
    let closed = Effect::Cancel(page.listener);
    assert_eq!(agent.keep_books(effects), [Effect::Notify(Notice::SignedIn), closed, done(2), done(8)]);
}

#[test]
fn a_failed_store_reaches_the_browser() {
    let mut agent = signed_out();
    let page = at_page(&mut agent);
    let op = exchanging(&mut agent, &page);
    let (op, _) = only_store(agent.login_answered(op, LoginAnswer::Granted(grant(1))));
    let effects = agent.done(op, JobResult::Stored(Err(io_error())));
    assert!(effects.contains(&reply(8, ProfileReply::Failed(Error::Store(io_error())))), "{effects:?}");
    assert!(effects.contains(&Effect::Cancel(page.listener)), "{effects:?}");
}

#[test]
fn a_stray_browser_does_not_end_the_flow() {
    let mut agent = signed_out();
    let page = at_page(&mut agent);
    agent.ask(2, SessionRequest::Wait { flow: page.flow });
    let stray = ProfileReply::Failed(Error::Rejected(Rejected::Stray));
    for query in ["", "code=c", "code=c&state=forged", "error=access_denied&state=forged"] {
        assert_eq!(agent.came_back(7, page.listener, query), [reply(7, stray.clone())], "{query}");
    }
    let under_way = Some(UnderWay::Join(page.flow));
    let joined = agent.ask(3, SessionRequest::Login { scheme: None, under_way });
    assert_eq!(joined, [reply(2, page.opened.clone()), reply(3, page.opened.clone())]);
    let op = exchanging(&mut agent, &page);
    assert_eq!(agent.came_back(9, page.listener, "code=c&state=forged"), [reply(9, stray)]);
    let effects = agent.login_answered(op, LoginAnswer::Granted(grant(1)));
    agent.store_sign_in(effects);
    assert!(agent.is_signed_in());
}

#[test]
fn a_page_loaded_again_waits_for_the_end() {
    let mut agent = signed_out();
    let page = at_page(&mut agent);
    let op = exchanging(&mut agent, &page);
    assert_eq!(agent.came_back(9, page.listener, &page.good()), [], "nobody knows yet how it ends");
    let effects = agent.login_answered(op, LoginAnswer::Granted(grant(1)));
    assert_eq!(agent.came_back(10, page.listener, &page.good()), [], "while it is being stored");
    let effects = agent.store_sign_in(effects);
    let done = |waiter| reply(waiter, ProfileReply::SignedIn { user: Some(user()), already: false });
    for waiter in [8, 9, 10] {
        assert!(effects.contains(&done(waiter)), "{waiter} of {effects:?}");
    }
    assert_eq!(agent.came_back(11, page.listener, &page.good()), [done(11)], "a moment late");
}

#[test]
fn a_callback_of_another_flow_changes_nothing() {
    let mut agent = signed_out();
    let old = at_page(&mut agent);
    agent.ask(2, SessionRequest::Cancel { flow: old.flow });
    let page = at_page(&mut agent);
    assert_ne!(old.state, page.state);
    let gone = ProfileReply::Failed(Error::FlowCancelled);
    assert_eq!(agent.came_back(7, old.listener, &page.good()), [reply(7, gone)]);
    let stray = ProfileReply::Failed(Error::Rejected(Rejected::Stray));
    assert_eq!(agent.came_back(7, page.listener, &old.good()), [reply(7, stray)]);
    exchanging(&mut agent, &page);
}

#[test]
fn a_refused_code_reaches_the_browser_and_closes_the_listener() {
    let mut agent = signed_out();
    let page = at_page(&mut agent);
    let op = exchanging(&mut agent, &page);
    let effects = agent.login_answered(op, LoginAnswer::Rejected(Rejected::Code));
    let refused = ProfileReply::Failed(Error::Rejected(Rejected::Code));
    assert_eq!(effects, [Effect::Cancel(page.listener), reply(8, refused)]);
}

#[test]
fn a_refusal_at_the_page_is_told_to_everybody() {
    let mut agent = signed_out();
    let page = at_page(&mut agent);
    agent.ask(2, SessionRequest::Wait { flow: page.flow });
    let denied = |waiter| reply(waiter, ProfileReply::Failed(Error::Rejected(Rejected::Denied)));
    let effects = agent.came_back(8, page.listener, &format!("error=access_denied&state={}", page.state));
    assert_eq!(effects, [Effect::Cancel(page.listener), denied(2), denied(8)]);
}

#[test]
fn the_listener_is_closed_after_five_minutes() {
    let mut agent = signed_out();
    let page = at_page(&mut agent);
    let effects = agent.sleep(5 * MINUTE - 1_000);
    agent.look_at_missing_file(effects);
    assert_eq!(agent.ask(2, SessionRequest::Wait { flow: page.flow }), []);
    let late = ProfileReply::Failed(Error::Rejected(Rejected::Unfinished { secs: 300 }));
    assert_eq!(agent.idle_ms(), 1_000);
    assert_eq!(agent.sleep(1_000), [Effect::Cancel(page.listener), reply(2, late.clone())]);
    assert_eq!(agent.came_back(8, page.listener, &page.good()), [reply(8, late)]);
}

#[test]
fn the_listener_is_closed_when_the_flow_is_given_up() {
    let mut agent = signed_out();
    let page = at_page(&mut agent);
    let effects = agent.ask(2, SessionRequest::Cancel { flow: page.flow });
    let answered = reply(2, ProfileReply::LoggedOut(Word::NothingToDo));
    assert_eq!(effects, [Effect::Cancel(page.listener), answered]);
}

#[test]
fn without_a_port_there_is_no_flow() {
    let mut agent = signed_out();
    let listener = binding(&mut agent);
    let why = ListenError { port: None, why: "Address family not supported".to_owned() };
    let effects = agent.done(listener, JobResult::Listening(Err(why.clone())));
    assert!(effects.contains(&reply(1, ProfileReply::Failed(Error::CantListen(why)))), "{effects:?}");
}

#[test]
fn a_port_that_opens_too_late_opens_no_page() {
    let mut agent = signed_out();
    let listener = binding(&mut agent);
    let device = |under_way| SessionRequest::Login { scheme: Some(SignInMethod::Device), under_way };
    let flow = under_way(&agent.ask(2, device(None))).flow;
    let effects = agent.ask(2, device(Some(UnderWay::Replace(flow))));
    assert_eq!(effects[0], Effect::Cancel(listener));
    assert_eq!(agent.done(listener, JobResult::Listening(Ok(PORT))), []);
}

#[test]
fn the_address_may_be_pasted_in_another_client() {
    let mut agent = signed_out();
    let page = at_page(&mut agent);
    let text = |query: &str| Secret::new(format!("http://127.0.0.1:{PORT}/callback?{query}"));
    let rubbish =
        agent.ask(2, SessionRequest::Answer { flow: page.flow, entry: Entry::Text(text("code=c")) });
    assert_eq!(rubbish, [reply(2, ProfileReply::Failed(Error::Rejected(Rejected::Stray)))]);
    let (op, _) = only_net(
        agent.ask(3, SessionRequest::Answer { flow: page.flow, entry: Entry::Text(text(&page.good())) }),
    );
    let effects = agent.login_answered(op, LoginAnswer::Granted(grant(1)));
    let effects = agent.store_sign_in(effects);
    let done = reply(3, ProfileReply::SignedIn { user: Some(user()), already: false });
    assert_eq!(effects, [Effect::Notify(Notice::SignedIn), Effect::Cancel(page.listener), done]);
}

/// Where the tokens of a sign-in that was given up are revoked.
fn revocation_in(effects: &[Effect]) -> Option<(&Option<Secret>, &Option<Registration>)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Net(_, NetJob::Revoke(revocation)) => {
            Some((&revocation.refresh, &revocation.at.registration))
        }
        Effect::Net(..)
        | Effect::Reply(..)
        | Effect::Store(..)
        | Effect::Cancel(_)
        | Effect::Notify(_)
        | Effect::Farewell(_) => None,
    })
}

#[test]
fn late_tokens_of_a_cancelled_flow_are_revoked() {
    let mut agent = signed_out();
    let page = at_page(&mut agent);
    let op = exchanging(&mut agent, &page);
    agent.ask(2, SessionRequest::Cancel { flow: page.flow });
    let late = agent.login_answered(op, LoginAnswer::Granted(grant(1)));
    assert_eq!(revocation_in(&late), Some((&grant(1).refresh, &Some(registration()))));
}

#[test]
fn late_tokens_of_a_cancelled_code_are_revoked() {
    let mut agent = signed_out();
    let (op, _) =
        only_net(agent.ask(1, SessionRequest::Login { scheme: Some(SignInMethod::Device), under_way: None }));
    let (op, _) = only_net(agent.login_answered(op, LoginAnswer::Discovered(endpoints())));
    let started = LoginAnswer::DeviceStarted {
        device_code: Secret::new("device code"),
        user_code: "WDJB-MJHT".to_owned(),
        url: "https://api.example/activate".to_owned(),
        complete_url: None,
        expires_in: 600,
        interval: 5,
    };
    let effects = agent.login_answered(op, started);
    let [Effect::Reply(_, shown)] = &effects[..] else { panic!("{effects:?}") };
    let ProfileReply::Shown { flow, .. } = **shown else { panic!("{shown:?}") };
    let (op, _) = only_net(agent.sleep(5_000));
    agent.ask(2, SessionRequest::Cancel { flow });
    let late = agent.login_answered(op, LoginAnswer::Granted(grant(1)));
    assert_eq!(revocation_in(&late), Some((&grant(1).refresh, &Some(registration()))));
}

/// The tokens are there, and the server is being asked whose they are.
fn identifying(agent: &mut Agent) -> (AtPage, Op) {
    let page = at_page(agent);
    let op = exchanging(agent, &page);
    let claims = everkey_session::Claims::default();
    let mut nameless = user();
    nameless.email.clear();
    let granted = TokenResponse { user: Some(nameless), claims, ..grant(1) };
    let (op, job) = only_net(agent.login_answered(op, LoginAnswer::Granted(granted)));
    let NetJob::Login { call: LoginCall::Identify { .. }, .. } = job else { panic!("{job:?}") };
    (page, op)
}

#[test]
fn tokens_at_hand_when_a_flow_is_cancelled_are_revoked() {
    let mut agent = signed_out();
    let (page, op) = identifying(&mut agent);
    let effects = agent.ask(2, SessionRequest::Cancel { flow: page.flow });
    assert_eq!(revocation_in(&effects), Some((&grant(1).refresh, &Some(registration()))));
    assert_eq!(agent.login_answered(op, LoginAnswer::Identified(Identity::Untold)), []);
}

#[test]
fn tokens_of_an_unexpected_user_are_revoked() {
    let mut agent = signed_out();
    let (_, op) = identifying(&mut agent);
    let mut other = user();
    other.id = "u2".to_owned();
    let identity = Identity::Accepted { user: Some(other), about: Default::default() };
    let effects = agent.login_answered(op, LoginAnswer::Identified(identity));
    assert_eq!(revocation_in(&effects), Some((&grant(1).refresh, &Some(registration()))));
    let mixed_up = Error::Net(trouble(NetErrorKind::OtherSession));
    assert!(effects.contains(&reply(8, ProfileReply::Failed(mixed_up))), "{effects:?}");
    assert!(!agent.is_signed_in());
}
