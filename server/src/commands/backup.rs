//! `everkey-server backup`.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Command, Output};

use serde::Serialize;
use tempfile::NamedTempFile;
use url::Url;

use crate::cli::BackupCommand;
use crate::command_error::CommandError;
use crate::commands::files;
use crate::commands::list::{Row, print};
use crate::db::{DatabaseLocation, copy};
use crate::secret::SecretText;

/// Copies the database to a new file, which is looked at before it gets its name.
pub(super) async fn run(options: &BackupCommand) -> Result<(), CommandError> {
    let (to, place) = (options.to.as_path(), files::place(options.database.as_ref())?);
    let store = files::open_existing(&place).await?;
    store.close().await;
    if to.exists() {
        return Err(taken(to));
    }
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let unwritten = |error: io::Error| {
        CommandError::new(
            format!("can't write {}: {error}", to.display()),
            "Name a new file in a folder that is there and that this user can write.",
        )
    };
    // It is made 0600, and is gone again if anything below fails.
    let temp = tempfile::Builder::new().prefix(".everkey-backup-").tempfile_in(folder).map_err(unwritten)?;
    match &place {
        DatabaseLocation::Sqlite(from) => {
            copy::sqlite(&place, temp.path()).await.map_err(|error| {
                CommandError::new(
                    format!("can't copy the database {}: {error}", from.display()),
                    "Check that it can be read and that the disk has room. No backup was made.",
                )
            })?;
        }
        DatabaseLocation::Postgres(address) => dump(address, &temp)?,
    }
    temp.as_file().sync_all().map_err(unwritten)?;
    let size = temp.path().metadata().map_err(unwritten)?.len();
    temp.persist_noclobber(to).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => taken(to),
        _ => unwritten(error.error),
    })?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(unwritten)?;
    print(false, &[Made { to: to.display().to_string(), size }])
}

/// Has pg_dump write to `temp`, and pg_restore read it. Neither sees the password in its arguments.
fn dump(address: &SecretText, temp: &NamedTempFile) -> Result<(), CommandError> {
    let (address, password) = split(address).ok_or_else(|| {
        CommandError::new("the PostgreSQL address can't be read", "Write postgres://USER@HOST/DATABASE.")
    })?;
    let mut command = Command::new("pg_dump");
    command.args(["--format=custom", "--no-password", "--dbname", &address, "--file"]).arg(temp.path());
    if let Some(password) = &password {
        command.env("PGPASSWORD", password.expose());
    }
    expect(command.output(), "pg_dump", &format!("pg_dump --format=custom --dbname '{address}' --file TO"))?;
    let listed = Command::new("pg_restore").arg("--list").arg(temp.path()).output();
    expect(listed, "pg_restore", "pg_restore --list TO")
}

fn expect(output: io::Result<Output>, program: &str, by_hand: &str) -> Result<(), CommandError> {
    let what = match output {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            format!("{program} failed: {}", said.lines().next().unwrap_or("it did not say why"))
        }
        Err(error) => format!("{program} can't be run: {error}"),
    };
    Err(CommandError::new(
        what,
        format!(
            "Install PostgreSQL's client in the server's version (apt-get install postgresql-client), or run it where that is: {by_hand}"
        ),
    ))
}

/// The address without its password, and the password.
fn split(address: &SecretText) -> Option<(String, Option<SecretText>)> {
    let mut url = Url::parse(address.expose()).ok()?;
    let mut password = url.password().map(|encoded| {
        // As one pair of a query, because the library decodes no other percent signs.
        let query = format!("p={}", encoded.replace('+', "%2B"));
        let decoded =
            url::form_urlencoded::parse(query.as_bytes()).next().map(|(_, value)| value.into_owned());
        SecretText::new(decoded.unwrap_or_default())
    });
    url.set_password(None).ok()?;
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    url.set_query(None);
    for (name, value) in pairs {
        if name == "password" {
            password = Some(SecretText::new(value));
        } else {
            url.query_pairs_mut().append_pair(&name, &value);
        }
    }
    Some((url.into(), password))
}

fn taken(to: &Path) -> CommandError {
    CommandError::new(
        format!("{} is there already", to.display()),
        "Name a new file; a backup replaces nothing.",
    )
}

#[derive(Serialize)]
struct Made {
    to: String,
    size: u64,
}

impl Row for Made {
    fn text(&self) -> String {
        format!("{}: {} bytes, read back whole; the keys are not in it", self.to, self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_taken_out_of_the_address() {
        for (address, bare, password) in [
            ("postgres://me@h/d", "postgres://me@h/d", None),
            (
                "postgres://me:p%40s+s@h:1/d?sslmode=require",
                "postgres://me@h:1/d?sslmode=require",
                Some("p@s+s"),
            ),
            ("postgres://me@h/d?password=a%26b&host=%2Frun", "postgres://me@h/d?host=%2Frun", Some("a&b")),
        ] {
            let (found, secret) = split(&SecretText::new(address.to_owned())).unwrap();
            assert_eq!((found.as_str(), secret.as_ref().map(SecretText::expose)), (bare, password));
        }
    }
}
