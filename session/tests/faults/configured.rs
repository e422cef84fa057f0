//! A profile is set up in another way while it is in use.

use crate::script::*;
use everkey_proto::request::SessionRequest;
use everkey_proto::{Entry, Expect, Secret, SignInMethod};
use everkey_session::policy::Policy;
use everkey_session::{
    Capability, Effect, Error, FileContent, Loaded, LoginCall, NetJob, ProfileReply, Settings, Sidecar,
};

const ELSEWHERE: &str = "https://other.example";

fn at(server: &str) -> Settings {
    Settings { server: server.to_owned(), server_is_named: true, ..settings(policy()) }
}

/// The server that a sign-in of this agent asks for a code.
fn asked_for_a_code(agent: &mut Agent) -> String {
    let login = SessionRequest::Login { scheme: None, under_way: None };
    let effects = agent.ask(1, login);
    let [Effect::Reply(_, answer)] = &effects[..] else { panic!("{effects:?}") };
    let ProfileReply::Asked { flow, .. } = **answer else { panic!("{answer:?}") };
    let entry = Entry::Text(Secret::new("ann@example.com"));
    let effects = agent.ask(2, SessionRequest::Answer { flow, entry });
    match &effects[..] {
        [Effect::Net(_, NetJob::Login { server, call: LoginCall::RequestCode { .. } })] => server.clone(),
        other => panic!("{other:?}"),
    }
}

/// When the agent means to refresh, in unix seconds.
fn refresh_at(agent: &mut Agent) -> u64 {
    let effects = agent.ask(9, SessionRequest::Status);
    let [Effect::Reply(_, answer)] = &effects[..] else { panic!("{effects:?}") };
    let ProfileReply::Status(view) = &**answer else { panic!("{answer:?}") };
    view.next_refresh_at.unwrap_or_default()
}

#[test]
fn another_server_counts_for_the_next_sign_in() {
    let (mut agent, _) = Agent::start_with(policy(), no_files());
    assert_eq!(agent.configured(at(ELSEWHERE)), []);
    assert_eq!(asked_for_a_code(&mut agent), ELSEWHERE);
}

/// The server that the status of somebody names who counts on this one.
fn shown(agent: &mut Agent, named: Option<&str>) -> String {
    let expect = Expect { server: named.map(str::to_owned), session_file: None };
    let effects = agent.ask_expecting(8, expect, SessionRequest::Status);
    let [Effect::Reply(_, answer)] = &effects[..] else { panic!("{effects:?}") };
    let ProfileReply::Status(view) = &**answer else { panic!("{answer:?}") };
    view.server.clone()
}

#[test]
fn a_status_names_the_server_of_the_next_sign_in() {
    let pinned = Loaded { file: FileContent::Missing, ..files(Capability::None) };
    let (mut agent, _) = Agent::start_with(policy(), pinned);
    assert_eq!(shown(&mut agent, None), SERVER, "where the last one went");
    assert_eq!(shown(&mut agent, Some("https://named.example/")), "https://named.example");
    agent.configured(at(ELSEWHERE));
    assert_eq!(shown(&mut agent, None), ELSEWHERE);
    assert_eq!(asked_for_a_code(&mut agent), ELSEWHERE);
}

#[test]
fn a_sign_in_goes_where_the_profile_now_says() {
    let mut agent = Agent::signed_in(Capability::None);
    agent.configured(at(ELSEWHERE));
    assert_eq!(shown(&mut agent, None), SERVER, "requests go there");
    assert_eq!(asked_for_a_code(&mut agent), ELSEWHERE);
}

#[test]
fn a_session_stays_with_its_server_when_another_is_configured() {
    let unpinned = Loaded { sidecar: Some(Sidecar::default()), ..files(Capability::None) };
    for files in [files(Capability::None), unpinned] {
        let (mut agent, _) = Agent::start_with(policy(), files);
        agent.configured(at(ELSEWHERE));
        agent.configured(at("https://third.example"));
        let effects = agent.ask_at(1, ELSEWHERE, SessionRequest::Whoami);
        let (ours, theirs) = (SERVER.to_owned(), ELSEWHERE.to_owned());
        assert_eq!(
            effects,
            [reply(1, ProfileReply::Failed(Error::OtherServer { agent: ours, client: theirs }))]
        );
        assert_eq!(
            agent.ask_at(2, SERVER, SessionRequest::Whoami),
            [reply(2, ProfileReply::Whoami(Some(user())))]
        );
    }
}

#[test]
fn another_margin_counts_for_the_session_in_use() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let before = refresh_at(&mut agent);
    let policy = Policy { margin_secs: 1_500, ..policy() };
    agent.configured(settings(policy));
    let sooner = before - refresh_at(&mut agent);
    assert!((700..=900).contains(&sooner), "{sooner} s");
}

#[test]
fn another_scheme_counts_for_the_next_sign_in() {
    let (mut agent, _) = Agent::start_with(policy(), no_files());
    let schemes = vec![SignInMethod::Token];
    agent.configured(settings(Policy { schemes: schemes.clone(), ..policy() }));
    let otp = SessionRequest::Login { scheme: Some(SignInMethod::Otp), under_way: None };
    assert_eq!(agent.ask(1, otp), [reply(1, ProfileReply::Failed(Error::NoSuchScheme(schemes)))]);
}
