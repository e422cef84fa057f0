//! Copies a SQLite database while it is in use.

use std::path::Path;

use sqlx::{AnyConnection, Connection as _, Row as _};

use crate::db::location::encode;
use crate::db::{DatabaseLocation, OpenError};

/// Copies the database at `from` to `to`, an empty file, as it is at one moment, and reads the copy to its end.
pub async fn sqlite(from: &DatabaseLocation, to: &Path) -> Result<(), OpenError> {
    sqlx::any::install_default_drivers();
    let name = to.to_str().ok_or_else(|| sqlx::Error::Configuration("its path is not text".into()))?;
    let mut connection = AnyConnection::connect(&from.url()).await?;
    sqlx::query("PRAGMA busy_timeout = 5000").execute(&mut connection).await?;
    sqlx::query("VACUUM INTO $1").bind(name).execute(&mut connection).await?;
    connection.close().await?;
    let mut copy = AnyConnection::connect(&format!("sqlite:{}?mode=ro&immutable=true", encode(to))).await?;
    let found: String = sqlx::query("PRAGMA integrity_check").fetch_one(&mut copy).await?.try_get(0)?;
    copy.close().await?;
    if found == "ok" { Ok(()) } else { Err(OpenError::Damaged(found)) }
}
