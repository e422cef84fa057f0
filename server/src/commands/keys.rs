//! `everkey-server keys`.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::{KeysCommand, KeysFile};
use crate::command_error::CommandError;
use crate::commands::files;
use crate::commands::list::{Row, print};
use crate::keys::file;
use crate::keys::history::KeyHistory;
use crate::time::{SystemClock, TimeSource as _};

/// Rotates or lists the keys.
pub(super) fn run(command: KeysCommand) -> Result<(), CommandError> {
    match command {
        KeysCommand::Rotate { file, refresh_ttl } => {
            let (path, _) = open(file)?;
            let now = SystemClock.now();
            let (keys, dropped) = file::rotate(&path, now, now.minus(refresh_ttl))?;
            print(false, &[Rotated { id: keys.current().id.clone(), dropped }])
        }
        KeysCommand::List { file, json } => {
            let (_, keys) = open(file)?;
            let rows: Vec<KeyRow> = keys
                .replaced()
                .map(|(key, replaced)| KeyRow {
                    id: key.id.clone(),
                    current: replaced.is_none(),
                    created_at: key.created_at.rfc3339(),
                    replaced_at: replaced.map(|at| at.rfc3339()),
                    signs_id_tokens: key.es256.is_some(),
                })
                .collect();
            print(json, &rows)
        }
    }
}

fn open(named: KeysFile) -> Result<(PathBuf, KeyHistory), CommandError> {
    let path = match named.keys {
        Some(path) => path,
        None => files::keys(None, &files::place(named.database.as_ref())?)?,
    };
    let keys = file::load(&path)?.ok_or_else(|| absent(&path))?;
    Ok((path, keys))
}

fn absent(path: &Path) -> CommandError {
    CommandError::new(
        format!("there is no keys file at {}", path.display()),
        "Name the server's keys file with --keys FILE, or its database with --database.",
    )
}

#[derive(Serialize)]
struct Rotated {
    id: String,
    dropped: usize,
}

impl Row for Rotated {
    fn text(&self) -> String {
        format!("new keys {}; dropped {} old; back the file up again", self.id, self.dropped)
    }
}

#[derive(Serialize)]
struct KeyRow {
    id: String,
    current: bool,
    created_at: String,
    replaced_at: Option<String>,
    signs_id_tokens: bool,
}

impl Row for KeyRow {
    fn text(&self) -> String {
        let state = match &self.replaced_at {
            None => "current".to_owned(),
            Some(at) => format!("replaced {at}"),
        };
        format!("{}  created {}  {state}", self.id, self.created_at)
    }
}
