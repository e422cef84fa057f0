//! Where a service's files go.

use everkey_client::{Failure, environment};
use everkey_proto::Code;
use std::path::PathBuf;

/// The home that the service manager gives to what it runs.
pub fn home() -> Result<PathBuf, Failure> {
    if let Some(name) =
        ["EVERKEY_HOME", "EVERKEY_SOCKET"].into_iter().find(|name| environment::path(name).is_some())
    {
        return Err(Failure::new(
            Code::BadRequest,
            format!("{name} is set, and a service would not have it."),
            format!("Unset {name}; a service keeps everything where README says."),
        ));
    }
    environment::path("HOME").ok_or_else(|| {
        Failure::new(Code::Storage, "HOME is not set, so there is no place for a service.", "Set HOME.")
    })
}
