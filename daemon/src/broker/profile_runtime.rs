//! A profile while the agent runs, and what is under way for it.

use super::inputs::{Caller, RequestToProfile};
use crate::callback_listener::CallbackListener;
use crate::configuration::ConfiguredProfile;
use crate::configured_client::ConfiguredClient;
use crate::http::Parked;
use crate::provider::Descriptor;
use crate::store::ProfileStore;
use anyhow::Result;
use everkey_proto::{Failure, Reply};
use everkey_reminder::{ProfileInput, ProfileMachines, ReminderJob};
use everkey_session::{ListenError, NetError, Op, StoreJob};
use std::collections::VecDeque;
use std::path::PathBuf;
use tokio::sync::oneshot;

pub struct ProfileRuntime {
    pub name: String,
    pub provider: &'static Descriptor,
    pub session_file: PathBuf,
    /// Where the provider keeps reminders: the file that holds one.
    pub reminder_file: Option<PathBuf>,
    pub machines: ProfileMachines,
    /// The OAuth client that config.toml named when it was read last.
    pub client: Option<ConfiguredClient>,
    /// None while a job runs.
    pub store: Option<ProfileStore>,
    pub jobs: VecDeque<FileJob>,
}

/// Work on a profile's files.
pub enum FileJob {
    Session(Op, Box<StoreJob>),
    Reminder(Op, Box<ReminderJob>),
}

/// Work that has ended, and whose it was.
pub struct Completion {
    pub index: usize,
    pub op: Op,
    pub job: CompletedJob,
}

pub enum CompletedJob {
    Stored(Box<ProfileStore>, ProfileInput),
    Done(ProfileInput),
    Parked(Result<Parked, NetError>),
    Listening(Result<CallbackListener, ListenError>),
    /// A profile that nobody has asked for before, and who asks.
    Found(Box<RequestToProfile>, Box<Result<ConfiguredProfile, Failure>>),
    Logged(std::io::Result<()>),
    /// A helper has, or nobody could be given, what is to be told to the person.
    HandedOver(Result<()>),
}

/// A client, or a browser, that waits for its reply.
pub struct PendingReply {
    pub reply: oneshot::Sender<Reply>,
    pub caller: Caller,
}
