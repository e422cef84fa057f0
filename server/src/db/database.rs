//! An open database: how it is opened, brought up to date, and asked for transactions.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{AnyConnection, AnyPool, Connection as _};

use crate::db::DbError;
use crate::db::dialect::Dialect;
use crate::db::location::DatabaseLocation;
use crate::db::tx::Tx;
use crate::rules::audit_thinning::AuditThinning;
use crate::secret::SecretText;

#[derive(Clone, Debug)]
pub struct Database {
    pool: AnyPool,
    dialect: Dialect,
    url: SecretText,
    thinning: Arc<Mutex<AuditThinning>>,
}

/// How long a database may take to let the first connection in.
const SLOWEST_CONNECT: Duration = Duration::from_secs(10);

impl Database {
    /// Opens the database at `place`, which must be there, and changes nothing in it.
    pub async fn open(place: &DatabaseLocation) -> Result<Self, OpenError> {
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
        Ok(Self { pool, dialect, url: SecretText::new(url), thinning: Arc::default() })
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
        Ok(Tx::new(inner, self.dialect, Arc::clone(&self.thinning)))
    }

    /// Begins a transaction that only reads, and so holds nobody up.
    pub async fn begin_reading(&self) -> Result<Tx, DbError> {
        let inner = self.pool.begin().await?;
        Ok(Tx::new(inner, self.dialect, Arc::clone(&self.thinning)))
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
