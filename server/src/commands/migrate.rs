//! `everkey-server migrate`.

use serde::Serialize;

use crate::cli::ListOptions;
use crate::command_error::CommandError;
use crate::commands::files;
use crate::commands::list::{Row, print};

#[derive(Serialize)]
struct Done {
    migrations: Vec<i64>,
}

impl Row for Done {
    fn text(&self) -> String {
        let numbers: Vec<String> = self.migrations.iter().map(ToString::to_string).collect();
        match numbers.as_slice() {
            [] => "the schema was up to date".to_owned(),
            [one] => format!("took migration {one}"),
            several => format!("took migrations {}", several.join(", ")),
        }
    }
}

/// Brings the schema up to date and says which migrations that took.
pub(super) async fn run(listing: &ListOptions) -> Result<(), CommandError> {
    let place = files::place(listing.database.as_ref())?;
    let (store, migrations) = files::open_or_make(&place).await?;
    store.close().await;
    print(listing.json, &[Done { migrations }])
}
