//! Why a transaction was not carried out.

/// Why the database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// Nothing was changed: the transaction never began, or was rolled back.
    #[error("the database is not available: {0}")]
    Unavailable(sqlx::Error),
    /// Another transaction came first and this one was rolled back: run again it may succeed.
    #[error("the database asks to run the transaction again: {0}")]
    Contended(sqlx::Error),
    /// The commit failed, so whether anything was changed is unknown.
    #[error("the database did not confirm a commit: {0}")]
    Unconfirmed(sqlx::Error),
    /// A stored value is not what the schema promises; nothing was changed.
    #[error("the database holds an impossible value in {0}")]
    Corrupt(&'static str),
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        if is_contention(&error) { Self::Contended(error) } else { Self::Unavailable(error) }
    }
}

/// PostgreSQL's serialization_failure and deadlock_detected, and unique_violation, which is how it may report the
/// first of them: each leaves nothing of the transaction behind. SQLite's codes are other ones, and its
/// transactions never meet.
pub(super) fn is_contention(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| matches!(code.as_ref(), "40001" | "40P01" | "23505"))
}
