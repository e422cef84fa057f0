//! Where browsers come back to, for servers that compare the registered address to the letter.

use crate::file_text::{At, ConfigError, Source, Table};

/// The redirect address of an OAuth profile, as far as it is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfiguredRedirect {
    /// Whether it says `localhost` instead of `127.0.0.1`.
    pub localhost: bool,
    /// Its port; none means any that is free.
    pub port: Option<u16>,
    /// Its path; none means `/callback`.
    pub path: Option<String>,
}

const LONGEST_PATH: usize = 256;

pub(crate) fn redirect(source: Source<'_>, table: &mut Table<'_>) -> Result<ConfiguredRedirect, ConfigError> {
    let localhost = match table.text("redirect_host")? {
        None => false,
        Some(At { value, .. }) if value == "127.0.0.1" => false,
        Some(At { value, .. }) if value == "localhost" => true,
        Some(At { at, .. }) => {
            let message = "`redirect_host` is \"127.0.0.1\" or \"localhost\"";
            return Err(source.error(at, Some("redirect_host"), message));
        }
    };
    let port = table.port("redirect_port")?;
    let path = match table.text("redirect_path")? {
        Some(At { value, at }) if !is_path(&value) => {
            let message = "`redirect_path` takes the path of an address, such as \"/callback\": \
                           letters, digits and . _ ~ - between slashes";
            return Err(source.error(at, Some("redirect_path"), message));
        }
        path => path.map(|path| path.value),
    };
    Ok(ConfiguredRedirect { localhost, port, path })
}

/// Whether every browser sends it back as it is written.
fn is_path(path: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    path.len() <= LONGEST_PATH
        && path.starts_with('/')
        && !path.contains("//")
        && path.bytes().all(plain)
        && !path.split('/').any(|part| matches!(part, "." | ".."))
}
