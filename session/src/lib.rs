//! The core: what to do about one profile's session, as a pure function: one event in, effects out.
//! Deliberately absent: I/O, clocks, randomness, async. They come in with the events.
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_types, clippy::disallowed_methods)]
// Few of them exist at a time, so boxes would only be noise.
#![allow(clippy::large_enum_variant)]

mod answer_flaw;
mod context;
mod credentials_grant;
mod effect;
mod endings;
mod error;
mod identity;
mod input;
mod inspections;
mod jobs;
mod journal;
mod kept_clients;
mod kept_sign_in;
mod login;
mod login_call;
mod logout;
mod notice;
pub mod policy;
mod profile;
mod registration;
pub mod replay;
mod reply;
mod revocation;
mod rotation;
mod session;
mod session_file;
mod sidecar;
mod sidecar_keeper;
mod time;
mod token_response;
mod waiters;

pub use answer_flaw::{AnswerFlaw, SeenAnswer, UnusableAnswer};
pub use effect::{Effect, Farewell};
pub use endings::{AnnouncedEnding, EndingReason, LearntLifetime, SignInSpan};
pub use error::{
    DoubtOutlook, EndReason, Error, FileKind, ListenError, NetError, NetErrorKind, NotOwner, Rejected,
    SignedOutReason, StoreError, StoreErrorKind,
};
pub use identity::Identity;
pub use input::{Input, Op, Waiter};
pub use jobs::{
    FileContent, JobResult, Loaded, NetJob, ProbeAnswer, RefreshAnswer, Replaced, RevokeAnswer, SendTerms,
    StoreJob,
};
pub use journal::{Begun, Capability, Intent, Journal};
pub use kept_clients::KeptClient;
pub use kept_sign_in::KeptSignIn;
pub use login_call::{LoginAnswer, LoginCall, WellKnown};
pub use notice::Notice;
pub use policy::{Discovery, OauthClient, Policy, Settings};
pub use profile::Profile;
pub use registration::{AuthMethod, CallTarget, ClientCredential, Endpoints, Registration};
pub use replay::{KnownIssuer, LearntRule, ReplayKnowledge};
pub use reply::{BrowserPage, DeviceInstructions, ProfileReply, ProfileStatus};
pub use revocation::PendingRevocation;
pub use session::{Claims, Fingerprint, Holder, Session, hex};
pub use sidecar::{Pin, Sidecar, Spent};
pub use time::{Boot, Moment, Wake, WakeReason};
pub use token_response::TokenResponse;
