//! A profile while the agent runs, and what is under way for it.

use super::inputs::{Caller, RequestToProfile};
use crate::callback_listener::CallbackListener;
use crate::configuration::{ConfiguredProfile, Unusable};
use crate::configured_client::ConfiguredClient;
use crate::http::Parked;
use crate::provider::Descriptor;
use crate::store::ProfileStore;
use anyhow::Result;
use everkey_config::network::NetworkSettings;
use everkey_proto::Reply;
use everkey_reminder::{ProfileInput, ProfileMachines, ReminderJob};
use everkey_session::{ListenError, NetError, Op, Settings, StoreJob};
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
    /// As the configuration was when it was read last.
    pub settings: Settings,
    /// The OAuth client that config.toml named when it was read last.
    pub client: Option<ConfiguredClient>,
    /// What config.toml put between here and its server when it was read last.
    pub network: NetworkSettings,
    /// None while a job runs.
    pub store: Option<ProfileStore>,
    pub jobs: VecDeque<FileJob>,
}

impl ProfileRuntime {
    /// Whether it is this one, however that is set up.
    pub fn is(&self, found: &ConfiguredProfile) -> bool {
        let (ours, theirs) = (self.provider.kind, found.provider.kind);
        self.name == found.name && self.session_file == found.session_file && ours == theirs
    }
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
    /// How a profile is set up now, and who asks it something.
    Found(Box<RequestToProfile>, Box<Result<ConfiguredProfile, Unusable>>),
    /// How a profile in use is set up now.
    Configured(Box<Result<ConfiguredProfile, Unusable>>),
    Logged(std::io::Result<()>),
    /// A helper has, or nobody could be given, what is to be told to the person.
    HandedOver(Result<()>),
}

/// A client, or a browser, that waits for its reply.
pub struct PendingReply {
    pub reply: oneshot::Sender<Reply>,
    pub caller: Caller,
}
