//! The few things SQLite and PostgreSQL say differently.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::migrate::{Migrate as _, MigrateError, Migrator};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _, SqlSafeStr as _, SqlStr};

use crate::db::DatabaseLocation;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// Which database is spoken to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

/// How long a process waits for another one's transaction.
const BUSY: Duration = Duration::from_secs(5);

/// The pause before SQLite is asked again for what it refuses at once.
const AGAIN: Duration = Duration::from_millis(20);

/// How long a process waits for another one that migrates.
const MIGRATING: Duration = Duration::from_secs(60);

impl Dialect {
    pub(super) fn of(place: &DatabaseLocation) -> Self {
        match place {
            DatabaseLocation::Sqlite(_) => Self::Sqlite,
            DatabaseLocation::Postgres(_) => Self::Postgres,
        }
    }

    /// SQLite has one writer: queueing for one connection is fair, waiting on its lock is not.
    pub(super) fn connections(self) -> u32 {
        match self {
            Self::Sqlite => 1,
            Self::Postgres => 10,
        }
    }

    /// Readies a new connection: a commit is on the disk before it returns.
    pub(super) async fn prepare(self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite => {
                let busy = format!("PRAGMA busy_timeout = {}", BUSY.as_millis());
                connection.execute(AssertSqlSafe(busy)).await?;
                write_ahead(connection).await?;
                connection.execute("PRAGMA synchronous = FULL").await?;
                connection.execute("PRAGMA foreign_keys = ON").await?;
            }
            Self::Postgres => {
                let patience =
                    format!("SET lock_timeout = {0}; SET statement_timeout = {0}", BUSY.as_millis());
                connection.execute(AssertSqlSafe(patience)).await?;
                connection.execute("SET synchronous_commit = on").await?;
            }
        }
        Ok(())
    }

    /// Brings the schema up to date, alone among all processes that do so, and returns what was missing.
    pub(super) async fn migrate(self, connection: &mut AnyConnection) -> Result<Vec<i64>, MigrateError> {
        match self {
            Self::Sqlite => {
                let busy = format!("PRAGMA busy_timeout = {}", MIGRATING.as_millis());
                connection.execute(AssertSqlSafe(busy)).await?;
                // The migrator has no lock of its own for SQLite; within this transaction it nests.
                let mut alone = connection.begin_with("BEGIN IMMEDIATE").await?;
                let pending = self.pending(&mut alone).await?;
                SQLITE.run_direct(None, &mut *alone, false).await?;
                alone.commit().await?;
                Ok(pending)
            }
            Self::Postgres => {
                let patience = format!("SET lock_timeout = {}", MIGRATING.as_millis());
                connection.execute(AssertSqlSafe(patience)).await?;
                let pending = self.pending(connection).await?;
                POSTGRES.run_direct(None, connection, false).await?;
                Ok(pending)
            }
        }
    }

    /// The migrations that the database lacks. Errors if it has others than this program, or other versions of them.
    pub(super) async fn pending(self, connection: &mut AnyConnection) -> Result<Vec<i64>, MigrateError> {
        let migrator = match self {
            Self::Sqlite => &SQLITE,
            Self::Postgres => &POSTGRES,
        };
        let table = match self {
            Self::Sqlite => "SELECT 1 FROM sqlite_master WHERE name = $1",
            Self::Postgres => "SELECT 1 WHERE to_regclass($1) IS NOT NULL",
        };
        let table = sqlx::query(table).bind(migrator.table_name.as_ref());
        let applied = match table.fetch_optional(&mut *connection).await? {
            Some(_) => connection.list_applied_migrations(&migrator.table_name).await?,
            None => Vec::new(),
        };
        let mut known: BTreeMap<i64, _> = migrator.iter().map(|one| (one.version, &one.checksum)).collect();
        for one in applied {
            match known.remove(&one.version) {
                None => return Err(MigrateError::VersionMissing(one.version)),
                Some(checksum) if *checksum != one.checksum => {
                    return Err(MigrateError::VersionMismatch(one.version));
                }
                Some(_) => {}
            }
        }
        Ok(known.into_keys().collect())
    }

    /// Begins a transaction that behaves as if it ran alone. SQLite takes the one write lock at once;
    /// PostgreSQL fails one of two that could not have run one after the other, and that one runs again.
    pub(super) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN ISOLATION LEVEL SERIALIZABLE",
        }
    }

    /// Ends a query whose rows of `table` must stay locked until the commit. SQLite's write lock covers all rows.
    pub(super) fn locking(self, query: &'static str, table: &'static str) -> SqlStr {
        match self {
            Self::Sqlite => query.into_sql_str(),
            Self::Postgres => AssertSqlSafe(format!("{query} FOR UPDATE OF {table}")).into_sql_str(),
        }
    }
}

/// Turns SQLite's write-ahead log on. While another process does the same, SQLite answers "locked" without waiting.
async fn write_ahead(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let start = tokio::time::Instant::now();
    loop {
        match connection.execute("PRAGMA journal_mode = WAL").await {
            Err(error) if is_locked(&error) && start.elapsed() < BUSY => tokio::time::sleep(AGAIN).await,
            done => return done.map(drop),
        }
    }
}

/// SQLITE_BUSY, and those of its extended codes that end in it.
fn is_locked(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xff == 5)
}
