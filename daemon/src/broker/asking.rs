//! What clients and browsers ask, turned into the core's words for the profile that they mean.

use super::Broker;
use super::inputs::{BrowserCallback, ClientRequest};
use super::profile_runtime::{CompletedJob, Completion, PendingReply};
use crate::access_log;
use crate::configuration::ConfiguredProfile;
use crate::conn::closing;
use crate::http::base_url;
use crate::logging;
use anyhow::Result;
use everkey_proto::{Code, Failure, Reply, Request, Verb};
use everkey_reminder::{ProfileInput, ReminderRequest};
use everkey_session::Fingerprint;
use everkey_session::{Ask, Input, Op, Waiter};
use tokio::sync::oneshot;

impl Broker {
    pub(super) fn asked(&mut self, asked: ClientRequest) -> Result<()> {
        if self.stopping.is_some() {
            let _ = asked.reply.send(closing());
            return Ok(());
        }
        match asked.request.verb {
            Verb::Agent => {
                let _ = asked.reply.send(Reply::Agent(self.info.clone()));
                return Ok(());
            }
            Verb::Stop => {
                let _ = asked.reply.send(Reply::Stopping);
                self.stop();
                return Ok(());
            }
            Verb::Accesses { limit } => {
                self.show_accesses(limit, asked.reply);
                return Ok(());
            }
            _ => {}
        }
        let name = asked.request.profile.as_deref();
        match self.profiles.iter().position(|profile| Some(profile.name.as_str()) == name) {
            Some(index) => self.asked_of(index, asked),
            None => {
                self.find(asked);
                Ok(())
            }
        }
    }

    fn show_accesses(&self, limit: u32, reply: oneshot::Sender<Reply>) {
        let log = self.access.clone();
        // Nothing comes of it but the reply, so nobody has to wait for its end.
        tokio::task::spawn_blocking(move || {
            let _ =
                reply.send(log.last(limit).map_or_else(|e| Reply::Failed(unreadable(&e)), Reply::Accesses));
        });
    }

    /// The configuration says which profile is meant if none is named, and may have a name that is not known yet.
    pub(super) fn find(&mut self, asked: ClientRequest) {
        let configuration = self.configuration.clone();
        self.work.spawn_blocking(move || {
            let found = configuration.find(asked.request.profile.as_deref());
            Completion { index: 0, op: Op(0), job: CompletedJob::Found(asked, Box::new(found)) }
        });
    }

    pub(super) fn found(
        &mut self,
        asked: ClientRequest,
        found: Result<ConfiguredProfile, Failure>,
    ) -> Result<()> {
        match found {
            Ok(account) => {
                let known = self.profiles.iter().position(|profile| profile.name == account.name);
                let index = known.map_or_else(|| self.open(account), Ok)?;
                self.asked_of(index, asked)
            }
            Err(failure) => {
                let _ = asked.reply.send(Reply::Failed(failure));
                Ok(())
            }
        }
    }

    pub(super) fn came_back(&mut self, back: BrowserCallback) -> Result<()> {
        let BrowserCallback { index, listener, query, reply } = back;
        let waiter = self.wait(PendingReply { reply, pid: 0, program: None });
        self.apply(index, Input::Callback { waiter, listener, query })
    }

    pub(super) fn asked_of(&mut self, index: usize, asked: ClientRequest) -> Result<()> {
        if let Some(request) = reminder_request(&asked.request.verb) {
            return self.asked_of_reminder(index, asked, request);
        }
        let ClientRequest { mut request, pid, reply } = asked;
        let ask = match request.verb {
            // Answered before: for all profiles, or by the reminder.
            Verb::Agent | Verb::Stop | Verb::Events { .. } | Verb::Accesses { .. } => return Ok(()),
            Verb::Reminder | Verb::SetReminder { .. } | Verb::ClearReminder => return Ok(()),
            Verb::Whoami => Ask::Whoami,
            Verb::Status => Ask::Status,
            Verb::Token { min_validity_secs } => Ask::Token { min_validity_secs: min_validity_secs.into() },
            Verb::Better { than } => match Fingerprint::try_from(than) {
                Ok(than) => Ask::Better { than },
                Err(why) => {
                    let _ = reply.send(Reply::Failed(no_fingerprint(why)));
                    return Ok(());
                }
            },
            Verb::Refresh { force } => Ask::Refresh { force },
            Verb::Login { scheme } => Ask::Login { scheme },
            Verb::Wait { flow } => Ask::Wait { flow },
            Verb::Inspect { token } => Ask::Inspect { token },
            Verb::Answer { flow, text } => Ask::Answer { flow, text },
            Verb::Cancel { flow } => Ask::Cancel { flow },
            Verb::Logout => Ask::Logout,
        };
        match request.expect.server.as_deref().map(base_url) {
            Some(Ok(server)) => request.expect.server = Some(server),
            Some(Err(why)) if matches!(ask, Ask::Login { .. } | Ask::Inspect { .. }) => {
                let _ = reply.send(Reply::Failed(not_a_server(why)));
                return Ok(());
            }
            // No session is bound to what is no server: the core says whose it is.
            Some(Err(_)) | None => {}
        }
        let profile = self.profiles[index].name.as_str();
        tracing::debug!(pid, profile, ask = logging::verb(&ask), "asked");
        let program =
            matches!(ask, Ask::Token { .. } | Ask::Better { .. }).then(|| access_log::program(pid)).flatten();
        let waiter = self.wait(PendingReply { reply, pid, program });
        self.apply(index, Input::Ask { waiter, expect: request.expect, ask })
    }

    fn asked_of_reminder(
        &mut self,
        index: usize,
        asked: ClientRequest,
        request: ReminderRequest,
    ) -> Result<()> {
        let ClientRequest { request: Request { mut expect, .. }, pid, reply } = asked;
        // No session is bound to what is no server: the core says whose it is.
        if let Some(Ok(server)) = expect.server.as_deref().map(base_url) {
            expect.server = Some(server);
        }
        let profile = self.profiles[index].name.as_str();
        tracing::debug!(pid, profile, ask = logging::reminder_verb(&request), "asked");
        let waiter = self.wait(PendingReply { reply, pid, program: None });
        self.apply(index, ProfileInput::Request { waiter, expect, request })
    }

    fn wait(&mut self, pending: PendingReply) -> Waiter {
        self.last_waiter += 1;
        let waiter = Waiter(self.last_waiter);
        self.pending.insert(waiter, pending);
        waiter
    }
}

/// What is asked about the reminder, if it is.
fn reminder_request(verb: &Verb) -> Option<ReminderRequest> {
    match verb {
        Verb::Reminder => Some(ReminderRequest::Show),
        Verb::SetReminder { when } => Some(ReminderRequest::Set(*when)),
        Verb::ClearReminder => Some(ReminderRequest::Clear),
        _ => None,
    }
}

fn unreadable(e: &std::io::Error) -> Failure {
    Failure::new(
        Code::Storage,
        format!("The access log can't be read: {e}."),
        "Mend its permissions; it is access.jsonl in the folder that `everkey agent status` names.",
    )
}

fn no_fingerprint(why: &str) -> Failure {
    Failure {
        code: Code::BadRequest,
        message: format!("\"than\" names no token: {why}."),
        hint: "Send the SHA-256 of the refused token in hexadecimal.".to_owned(),
        retry_after_secs: None,
        answer: None,
    }
}

fn not_a_server(why: String) -> Failure {
    Failure {
        code: Code::BadRequest,
        message: format!("Can't sign in there: {why}."),
        hint: "Name the api-server's base URL, like https://api.befailproof.ai.".to_owned(),
        retry_after_secs: None,
        answer: None,
    }
}
