//! The database: every query lives in this folder, in SQL that SQLite and PostgreSQL both understand.

pub mod audit;
pub mod authorizations;
pub mod clients;
pub mod codes;
pub mod copy;
pub mod devices;
mod dialect;
pub mod invitations;
mod operator;
pub mod personal_tokens;
pub mod place;
pub mod reminders;
pub mod reports;
pub mod second_factor;
pub mod sessions;
pub mod shares;
pub mod throttle;
pub mod tokens;
pub mod users;
pub mod web_sessions;
pub mod workspaces;

use std::time::Duration;

use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::{Any, AnyConnection, AnyPool, Connection as _};

use crate::metrics::METRICS;
use crate::secret::SecretText;
use crate::time::Moment;
use dialect::Dialect;
pub use place::Place;

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
fn is_contention(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| matches!(code.as_ref(), "40001" | "40P01" | "23505"))
}

/// An open database.
#[derive(Clone, Debug)]
pub struct Store {
    pool: AnyPool,
    dialect: Dialect,
    url: SecretText,
}

/// How long a database may take to let the first connection in.
const SLOWEST_CONNECT: Duration = Duration::from_secs(10);

impl Store {
    /// Opens the database at `place`, which must be there, and changes nothing in it.
    pub async fn open(place: &Place) -> Result<Self, OpenError> {
        sqlx::any::install_default_drivers();
        let (dialect, url) = (Dialect::of(place), place.url());
        // A first connection outside the pool, because the pool would try again and hide why it failed.
        let first = async {
            let mut first = AnyConnection::connect(&url).await?;
            dialect.prepare(&mut first).await?;
            first.close().await
        };
        tokio::time::timeout(SLOWEST_CONNECT, first).await.map_err(|_| OpenError::Silent)??;
        let pool = AnyPoolOptions::new()
            .max_connections(dialect.connections())
            .acquire_timeout(Duration::from_secs(5))
            .after_connect(move |connection, _| Box::pin(dialect.prepare(connection)))
            .connect_lazy(&url)?;
        Ok(Self { pool, dialect, url: SecretText::new(url) })
    }

    /// Brings the schema up to date, and returns the numbers of the migrations that it took. Any number of processes
    /// may do so at once.
    pub async fn migrate(&self) -> Result<Vec<i64>, OpenError> {
        // A connection of its own: a long migration must not meet the patience of requests.
        let mut connection = AnyConnection::connect(self.url.expose()).await?;
        let done = self.dialect.migrate(&mut connection).await;
        connection.close().await?;
        Ok(done?)
    }

    /// Errors unless the schema is the one that this program was made for.
    pub async fn check_schema(&self) -> Result<(), OpenError> {
        match self.dialect.pending(&mut *self.pool.acquire().await?).await?.len() {
            0 => Ok(()),
            missing => Err(OpenError::Behind(missing)),
        }
    }

    /// Begins a transaction that no other writer of the same rows can run beside.
    pub async fn begin(&self) -> Result<Tx, DbError> {
        let inner = self.pool.begin_with(self.dialect.begin()).await?;
        Ok(Tx { inner, dialect: self.dialect, recorded: Vec::new() })
    }

    /// Begins a transaction that only reads, and so holds nobody up.
    pub async fn begin_reading(&self) -> Result<Tx, DbError> {
        let inner = self.pool.begin().await?;
        Ok(Tx { inner, dialect: self.dialect, recorded: Vec::new() })
    }

    /// Errors if the database does not answer.
    pub async fn check(&self) -> Result<(), DbError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// How many connections are in use, and how many wait for use.
    pub fn connections(&self) -> (u32, u32) {
        let idle = u32::try_from(self.pool.num_idle()).unwrap_or(u32::MAX);
        (self.pool.size().saturating_sub(idle), idle)
    }

    /// Waits for running transactions, then closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Why a database can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It can't be reached or read.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// It does not answer.
    #[error("it did not answer within {} seconds", SLOWEST_CONNECT.as_secs())]
    Silent,
    /// A copy of it can't be read to its end.
    #[error("the copy is damaged: {0}")]
    Damaged(String),
    /// Its schema is older than this program.
    #[error("its schema lacks {0} of this version's migrations")]
    Behind(usize),
    /// Its schema is newer than this program, or was changed by hand.
    #[error(transparent)]
    Schema(#[from] sqlx::migrate::MigrateError),
}

/// One transaction. Dropped without a commit it changes nothing.
pub struct Tx {
    inner: sqlx::Transaction<'static, Any>,
    dialect: Dialect,
    recorded: Vec<audit::Event>,
}

impl Tx {
    /// Makes the changes durable before it returns.
    pub async fn commit(self) -> Result<(), DbError> {
        self.inner.commit().await.map_err(|error| {
            if is_contention(&error) { DbError::Contended(error) } else { DbError::Unconfirmed(error) }
        })?;
        self.recorded.into_iter().for_each(|event| METRICS.happened(event));
        Ok(())
    }
}

fn moment(row: &AnyRow, column: &'static str) -> Result<Moment, DbError> {
    use sqlx::Row as _;
    Ok(Moment::from_millis(row.try_get(column)?))
}

fn optional_moment(row: &AnyRow, column: &'static str) -> Result<Option<Moment>, DbError> {
    use sqlx::Row as _;
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Moment::from_millis))
}
