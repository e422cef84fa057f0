//! What clients and browsers ask, handed to the machines of the profile that they mean.

use super::Broker;
use super::inputs::{BrowserCallback, Caller, ClientRequest, RequestToProfile};
use super::profile_runtime::{CompletedJob, Completion, PendingReply};
use crate::access_log::AccessPart;
use crate::agent_failures;
use crate::configuration::{ConfiguredProfile, KnownServer, Unusable};
use crate::examine::{self, OpenProfile};
use crate::http::typed_base_url;
use crate::program_file;
use anyhow::Result;
use everkey_proto::Reply;
use everkey_proto::reply::{AccessPage, AgentInfo};
use everkey_proto::request::{AgentRequest, ProfileRequest, Request, SessionRequest};
use everkey_reminder::ProfileInput;
use everkey_session::{Input, Op, Waiter};
use std::path::PathBuf;
use tokio::sync::oneshot;

impl Broker {
    pub(super) fn handle_request(&mut self, asked: ClientRequest) {
        if self.stopping.is_some() {
            let _ = asked.reply.send(agent_failures::stopping());
            return;
        }
        match asked.request {
            Request::Agent(request) => self.answer_about_agent(request, asked.reply),
            Request::Profile { profile, expect, request } => {
                let ClientRequest { caller, reply, .. } = asked;
                self.find_profile(RequestToProfile { profile, expect, request, caller, reply });
            }
        }
    }

    fn answer_about_agent(&mut self, request: AgentRequest, reply: oneshot::Sender<Reply>) {
        let answer = match request {
            AgentRequest::DescribeAgent => Reply::Agent(AgentInfo {
                replaced: program_file::was_replaced(),
                ..self.info.borrow().clone()
            }),
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
            AgentRequest::Examine => return self.examine(reply),
            // Connections follow without the broker.
            AgentRequest::Events { .. } => return,
        };
        let _ = reply.send(answer);
    }

    fn examine(&self, reply: oneshot::Sender<Reply>) {
        let open = self.profiles.iter().map(|of| OpenProfile {
            at: KnownServer {
                profile: of.name.clone(),
                session_file: of.session_file.clone(),
                server: of.machines.session().server().to_owned(),
                network: of.network.clone(),
            },
            last_refresh_at: self.events.last_refresh(&of.name),
        });
        let (open, configuration) = (open.collect(), self.configuration.clone());
        tokio::spawn(async move {
            let _ = reply.send(Reply::Examined(examine::examine(configuration, open).await));
        });
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

    /// The configuration says which profile is meant if none is named, and how each is set up by now.
    fn find_profile(&mut self, asked: RequestToProfile) {
        let configuration = self.configuration.clone();
        self.work.spawn_blocking(move || {
            let found = configuration.find(asked.profile.as_deref(), asked.expect.session_file.as_deref());
            let found = found.and_then(|found| {
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
        found: Result<ConfiguredProfile, Unusable>,
    ) -> Result<()> {
        if self.stopping.is_some() {
            let _ = asked.reply.send(agent_failures::stopping());
            return Ok(());
        }
        let index = match found {
            Ok(found) => match self.profiles.iter().position(|profile| profile.is(&found)) {
                Some(known) => {
                    self.configured_anew(known, found)?;
                    known
                }
                None => self.open(found)?,
            },
            Err(unusable) => {
                let file = asked.expect.session_file.as_ref().map(PathBuf::from);
                let known = self.profiles.iter().position(|profile| {
                    Some(&profile.name) == asked.profile.as_ref()
                        && file.as_ref().is_none_or(|file| *file == profile.session_file)
                });
                match known.filter(|_| unusable.file_is_unreadable) {
                    Some(in_use) => in_use,
                    None => {
                        let _ = asked.reply.send(Reply::Failed(unusable.failure));
                        return Ok(());
                    }
                }
            }
        };
        self.ask_profile(index, asked)
    }

    /// The configuration was written: how is each profile in use set up now?
    pub(super) fn configure_all(&mut self) {
        for index in 0..self.profiles.len() {
            let (configuration, of) = (self.configuration.clone(), &self.profiles[index]);
            let (name, file) = (of.name.clone(), of.session_file.clone());
            self.work.spawn_blocking(move || {
                let found = configuration.find(Some(&name), file.to_str());
                Completion { index, op: Op(0), job: CompletedJob::Configured(Box::new(found)) }
            });
        }
    }

    /// From here on a profile is what the configuration says of it now. One that it says nothing of goes on.
    pub(super) fn configured_anew(&mut self, index: usize, found: ConfiguredProfile) -> Result<()> {
        let of = &mut self.profiles[index];
        if of.settings == found.settings && of.client == found.client && of.network == found.network {
            return Ok(());
        }
        tracing::info!(profile = of.name, "it is set up in another way now");
        of.settings = found.settings.clone();
        of.client.clone_from(&found.client);
        of.network = found.network;
        self.watch_client(found.client.as_ref());
        self.apply(index, Input::Configured(Box::new(found.settings)))
    }

    pub(super) fn browser_returned(&mut self, callback: BrowserCallback) -> Result<()> {
        let BrowserCallback { index, listener, query, reply } = callback;
        let waiter = self.wait(PendingReply { reply, caller: Caller::default() });
        self.apply(index, Input::Callback { waiter, listener, query })
    }

    fn ask_profile(&mut self, index: usize, asked: RequestToProfile) -> Result<()> {
        let RequestToProfile { mut expect, request, caller, reply, .. } = asked;
        match expect.server.as_deref().map(typed_base_url) {
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
            | SessionRequest::Leave { .. }
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
            | SessionRequest::Leave { .. }
            | SessionRequest::Logout
            | SessionRequest::Wait { .. }
            | SessionRequest::Inspect { .. },
        )
        | ProfileRequest::Reminder(_) => false,
    }
}
