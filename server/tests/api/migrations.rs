//! The schema: brought up to date by any number of processes at once, and refused when it is not this program's.

use sqlx::Executor as _;

use crate::kit::program::{expect_trouble, serve, serve_in_vain};
use crate::kit::room::{connect, empty_database, room};
use crate::kit::wire::request;

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_start_at_once_migrate_once() {
    for _ in 0..3 {
        let room = room();
        empty_database(room.path());
        let path = room.path();
        let servers = tokio::join!(serve(path, &[]), serve(path, &[]), serve(path, &[]), serve(path, &[]));
        for server in [&servers.0, &servers.1, &servers.2, &servers.3] {
            request("GET", "/healthz").send(server.address).await.expect(200);
        }
    }
}

#[tokio::test]
async fn a_schema_of_another_version_is_refused_and_left_alone() {
    for (change, what) in [
        (
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             SELECT 9999, 'later', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
            "migration 9999 was previously applied but is missing",
        ),
        (
            "UPDATE _sqlx_migrations SET checksum = (SELECT checksum FROM _sqlx_migrations WHERE version = 2)
             WHERE version = 1",
            "migration 1 was previously applied but has been modified",
        ),
    ] {
        let room = room();
        drop(serve(room.path(), &[]).await);
        let mut database = connect(room.path()).await;
        database.execute(change).await.unwrap();
        let output = serve_in_vain(room.path()).await;
        expect_trouble(&output, what);
    }
}
