//! What clients and browsers ask, handed to the machines of the profile that they mean.

use super::Broker;
use super::inputs::{BrowserCallback, Caller, ClientRequest, RequestToProfile};
use super::profile_runtime::{CompletedJob, Completion, PendingReply};
use crate::access_log::AccessPart;
use crate::agent_failures;
use crate::configuration::ConfiguredProfile;
use crate::http::base_url;
use anyhow::Result;
use everkey_config::ProviderKind;
use everkey_proto::reply::AccessPage;
use everkey_proto::request::{AgentRequest, ProfileRequest, Request, SessionRequest};
use everkey_proto::{Failure, Reply};
use everkey_reminder::ProfileInput;
use everkey_session::{Input, Op, Waiter};
use tokio::sync::oneshot;

impl Broker {
    pub(super) fn handle_request(&mut self, asked: ClientRequest) -> Result<()> {
        if self.stopping.is_some() {
            let _ = asked.reply.send(agent_failures::stopping());
            return Ok(());
        }
        let asked = match asked.request {
            Request::Agent(request) => {
                self.answer_about_agent(request, asked.reply);
                return Ok(());
            }
            Request::Profile { profile, expect, request } => {
                RequestToProfile { profile, expect, request, caller: asked.caller, reply: asked.reply }
            }
        };
        let name = asked.profile.as_deref();
        match self.profiles.iter().position(|profile| Some(profile.name.as_str()) == name) {
            Some(index) if !self.needs_configuration(index, &asked.request) => self.ask_profile(index, asked),
            Some(_) | None => {
                self.find_profile(asked);
                Ok(())
            }
        }
    }

    /// A sign-in is by the OAuth client that config.toml has now.
    fn needs_configuration(&self, index: usize, request: &ProfileRequest) -> bool {
        self.profiles[index].provider.kind == ProviderKind::Oauth && begins_sign_in(request)
    }

    fn answer_about_agent(&mut self, request: AgentRequest, reply: oneshot::Sender<Reply>) {
        let answer = match request {
            AgentRequest::DescribeAgent => Reply::Agent(self.info.borrow().clone()),
            AgentRequest::Stop => {
                self.stop();
                Reply::Stopping
            }
            AgentRequest::Accesses { limit } => {
                let part = AccessPart { limit, ..AccessPart::default() };
                return self.show_accesses(part, |page| Reply::Accesses(page.accesses), reply);
            }
            AgentRequest::ReadAccessLog { since, until, skip, limit } => {
                let part = AccessPart { since, until, skip, limit };
                return self.show_accesses(part, Reply::AccessLog, reply);
            }
            // Connections follow without the broker.
            AgentRequest::Events { .. } => return,
        };
        let _ = reply.send(answer);
    }

    fn show_accesses(
        &self,
        part: AccessPart,
        shown: impl FnOnce(AccessPage) -> Reply + Send + 'static,
        reply: oneshot::Sender<Reply>,
    ) {
        let log = self.access.clone();
        // Nothing comes of it but the reply, so nobody has to wait for its end.
        tokio::task::spawn_blocking(move || {
            let _ = reply.send(log.read(&part).map_or_else(|e| agent_failures::no_access_log(&e), shown));
        });
    }

    /// The configuration says which profile is meant if none is named, and may have a name that is not known yet.
    fn find_profile(&mut self, asked: RequestToProfile) {
        let configuration = self.configuration.clone();
        self.work.spawn_blocking(move || {
            let found = configuration.find(asked.profile.as_deref()).and_then(|found| {
                if begins_sign_in(&asked.request) {
                    found.check_client()?;
                }
                Ok(found)
            });
            let job = CompletedJob::Found(Box::new(asked), Box::new(found));
            Completion { index: 0, op: Op(0), job }
        });
    }

    pub(super) fn profile_found(
        &mut self,
        asked: RequestToProfile,
        found: Result<ConfiguredProfile, Failure>,
    ) -> Result<()> {
        match found {
            Ok(found) => {
                let index = match self.profiles.iter().position(|profile| profile.name == found.name) {
                    Some(known) => {
                        self.configured_anew(known, found)?;
                        known
                    }
                    None => self.open(found)?,
                };
                self.ask_profile(index, asked)
            }
            Err(failure) => {
                let _ = asked.reply.send(Reply::Failed(failure));
                Ok(())
            }
        }
    }

    /// What counts of a configuration that was read again: the OAuth client.
    fn configured_anew(&mut self, index: usize, found: ConfiguredProfile) -> Result<()> {
        self.watch_client(found.client.as_ref());
        self.profiles[index].client = found.client;
        match found.settings.policy.oauth {
            Some(oauth) => self.apply(index, Input::Configured(Box::new(oauth))),
            None => Ok(()),
        }
    }

    pub(super) fn browser_returned(&mut self, callback: BrowserCallback) -> Result<()> {
        let BrowserCallback { index, listener, query, reply } = callback;
        let waiter = self.wait(PendingReply { reply, caller: Caller::default() });
        self.apply(index, Input::Callback { waiter, listener, query })
    }

    fn ask_profile(&mut self, index: usize, asked: RequestToProfile) -> Result<()> {
        let RequestToProfile { mut expect, request, caller, reply, .. } = asked;
        match expect.server.as_deref().map(base_url) {
            Some(Ok(server)) => expect.server = Some(server),
            Some(Err(why)) if goes_to_named_server(&request) => {
                let _ = reply.send(agent_failures::not_a_server(&why));
                return Ok(());
            }
            // No session is bound to what is no server: the core says whose it is.
            Some(Err(_)) | None => {}
        }
        let profile = self.profiles[index].name.as_str();
        tracing::debug!(pid = caller.pid, profile, request = request.as_str(), "asked");
        let waiter = self.wait(PendingReply { reply, caller });
        match request {
            ProfileRequest::Session(request) => self.apply(index, Input::Request { waiter, expect, request }),
            ProfileRequest::Reminder(request) => {
                self.apply(index, ProfileInput::Request { waiter, expect, request })
            }
        }
    }

    fn wait(&mut self, pending: PendingReply) -> Waiter {
        self.last_waiter += 1;
        let waiter = Waiter(self.last_waiter);
        self.pending.insert(waiter, pending);
        waiter
    }
}

fn begins_sign_in(request: &ProfileRequest) -> bool {
    matches!(request, ProfileRequest::Session(SessionRequest::Login { .. }))
}

/// Whether it goes to the server that the caller names, so that the name has to be one.
fn goes_to_named_server(request: &ProfileRequest) -> bool {
    match request {
        ProfileRequest::Session(SessionRequest::Login { .. } | SessionRequest::Inspect { .. }) => true,
        ProfileRequest::Session(
            SessionRequest::Whoami
            | SessionRequest::Status
            | SessionRequest::Token { .. }
            | SessionRequest::Refresh { .. }
            | SessionRequest::Answer { .. }
            | SessionRequest::Cancel { .. }
            | SessionRequest::Logout
            | SessionRequest::Better { .. }
            | SessionRequest::Wait { .. },
        )
        | ProfileRequest::Reminder(_) => false,
    }
}

/// Whether its answer is an access token, so that the access log names the program.
pub fn hands_out_token(request: &ProfileRequest) -> bool {
    match request {
        ProfileRequest::Session(SessionRequest::Token { .. } | SessionRequest::Better { .. }) => true,
        ProfileRequest::Session(
            SessionRequest::Whoami
            | SessionRequest::Status
            | SessionRequest::Refresh { .. }
            | SessionRequest::Login { .. }
            | SessionRequest::Answer { .. }
            | SessionRequest::Cancel { .. }
            | SessionRequest::Logout
            | SessionRequest::Wait { .. }
            | SessionRequest::Inspect { .. },
        )
        | ProfileRequest::Reminder(_) => false,
    }
}
