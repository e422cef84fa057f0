//! The files of reports: where their content is kept, and how it goes in and out in constant memory, compared with its
//! seal on both ways. Who may do so, and every name, is decided and kept elsewhere.

pub mod location;
pub mod pace;
pub mod receive;
pub mod send;
pub mod store;
pub mod transfers;

use std::sync::Arc;

use tokio::sync::Notify;

use self::store::ArtifactStore;
use self::transfers::Transfers;

/// What the routes need of it.
pub struct Artifacts {
    pub store: ArtifactStore,
    /// Transfers under way in this process.
    pub transfers: Transfers,
    /// Wakes the job that deletes what nobody needs.
    pub sweep: Arc<Notify>,
}
