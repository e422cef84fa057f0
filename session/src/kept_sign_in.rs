//! A sign-in by device code as the disk keeps it, so that it goes on in the agent's next life.

use crate::registration::Registration;
use crate::reply::DeviceInstructions;
use everkey_proto::{FlowId, Secret};
use serde::{Deserialize, Serialize};

/// A sign-in by device code that waits for its approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptSignIn {
    /// The flow.
    pub flow: FlowId,
    /// Where the person signs in.
    pub server: String,
    /// Unix seconds at which it began.
    pub started_at: u64,
    /// What an OAuth server knows this client as.
    pub registration: Option<Registration>,
    /// To poll with.
    pub device_code: Secret,
    /// What the person is shown.
    pub shown: DeviceInstructions,
    /// Seconds between two polls.
    pub interval: u64,
}
