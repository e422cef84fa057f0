//! A folder for one test's files and a database of its own: a SQLite file in it, or, with EVERKEY_TEST_DATABASE, one
//! that is made in that PostgreSQL from a migrated template and dropped afterwards.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use everkey_server::db::Database;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _};
use tempfile::TempDir;

/// One test's folder; its database goes with it.
pub struct Room(TempDir);

pub fn room() -> Room {
    Room(tempfile::tempdir().unwrap())
}

impl Room {
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let name = MADE.lock().unwrap().remove(self.path());
        if let Some(name) = name {
            administer(move |mut admin| async move {
                let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                admin.execute(AssertSqlSafe(drop)).await.unwrap();
            });
        }
    }
}

/// Whether this run tests PostgreSQL.
pub fn on_postgres() -> bool {
    SERVER.is_some()
}

/// The PostgreSQL to test with.
static SERVER: LazyLock<Option<String>> =
    LazyLock::new(|| std::env::var("EVERKEY_TEST_DATABASE").ok().filter(|url| !url.is_empty()));

/// The databases made so far, by the folder of their test.
static MADE: LazyLock<Mutex<HashMap<PathBuf, String>>> = LazyLock::new(Mutex::default);

/// What `--database` is for the test in `folder`. In PostgreSQL it is made, migrated, at the first call.
pub fn database(folder: &Path) -> String {
    if on_postgres() {
        let name = MADE.lock().unwrap().get(folder).cloned();
        let name = name.unwrap_or_else(|| {
            let name = unique("everkey_test");
            copy(&TEMPLATE, &name);
            MADE.lock().unwrap().insert(folder.to_owned(), name.clone());
            name
        });
        address(&name)
    } else {
        format!("sqlite:{}", folder.join("test.db").display())
    }
}

/// The same, but without any tables yet.
pub fn empty_database(folder: &Path) -> String {
    if on_postgres() {
        let name = unique("everkey_test");
        copy("template0", &name);
        MADE.lock().unwrap().insert(folder.to_owned(), name.clone());
        address(&name)
    } else {
        database(folder)
    }
}

/// The address of one of the databases.
fn address(name: &str) -> String {
    let mut url = url::Url::parse(SERVER.as_deref().unwrap()).expect("EVERKEY_TEST_DATABASE is no address");
    url.set_path(name);
    url.into()
}

fn unique(prefix: &str) -> String {
    format!("{prefix}_{}", uuid::Uuid::new_v4().simple())
}

fn copy(template: &str, name: &str) {
    let make = format!("CREATE DATABASE {name} TEMPLATE {template}");
    administer(move |mut admin| async move {
        admin.execute(AssertSqlSafe(make)).await.unwrap();
    });
}

/// A database with the present schema and nothing in it, made once for every run with the same migrations.
static TEMPLATE: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = DefaultHasher::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/postgres");
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        std::fs::read(file).unwrap().hash(&mut hasher);
    }
    let (template, fresh) = (format!("everkey_template_{:016x}", hasher.finish()), unique("everkey_fresh"));
    copy("template0", &fresh);
    let place = address(&fresh).parse().unwrap();
    let made = template.clone();
    administer(move |mut admin| async move {
        let store = Database::open(&place).await.unwrap();
        store.migrate().await.unwrap();
        store.close().await;
        let rename = format!("ALTER DATABASE {fresh} RENAME TO {made}");
        if admin.execute(AssertSqlSafe(rename)).await.is_err() {
            // Another run was first.
            admin.execute(AssertSqlSafe(format!("DROP DATABASE {fresh} WITH (FORCE)"))).await.unwrap();
        }
    });
    template
});

/// Runs `work` on a connection to the server, on a thread of its own so that a test's `Drop` may wait for it.
fn administer<F, Fut>(work: F)
where
    F: FnOnce(AnyConnection) -> Fut + Send + 'static,
    Fut: Future<Output = ()>,
{
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            sqlx::any::install_default_drivers();
            work(AnyConnection::connect(SERVER.as_deref().unwrap()).await.unwrap()).await;
        });
    });
    let ended = thread.join();
    assert!(ended.is_ok() || std::thread::panicking(), "the test's PostgreSQL did not do as it was told");
}

/// A connection to the test's database, past the server.
pub async fn connect(folder: &Path) -> AnyConnection {
    sqlx::any::install_default_drivers();
    AnyConnection::connect(&database(folder)).await.unwrap()
}

/// All that the database holds: SQLite's files, or the rows of each PostgreSQL table as JSON.
pub async fn everything_in(folder: &Path) -> Vec<(String, Vec<u8>)> {
    use sqlx::Row as _;
    if !on_postgres() {
        let read = |name: &str| (name.to_owned(), std::fs::read(folder.join(name)).unwrap());
        return ["test.db", "test.db-wal"].map(read).into();
    }
    let mut database = connect(folder).await;
    let tables =
        "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = 'public'";
    let mut all = Vec::new();
    for table in database.fetch_all(tables).await.unwrap() {
        let name: String = table.get("name");
        let rows =
            format!("SELECT coalesce(string_agg(to_json(t)::text, ' '), '') AS rows FROM \"{name}\" t");
        let rows: String = database.fetch_one(AssertSqlSafe(rows)).await.unwrap().get("rows");
        all.push((name, rows.into_bytes()));
    }
    assert!(all.len() > 5);
    all
}
