//! binboi's configuration file, which holds the token among the settings of its tool.

use crate::http::base_url;
use crate::json_object;
use crate::provider::descriptor::ParsedFile;
use crate::provider::fields::{AsWritten, RawFields, fields, is_json, sendable};
use everkey_proto::Secret;
use everkey_session::{Claims, Holder, Session};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A file without a token is the tool's own all the same. An address that tokens can't be sent to makes it a strange one:
/// to send them elsewhere instead would be worse.
pub fn parse_session(bytes: &[u8]) -> ParsedFile {
    #[derive(Deserialize)]
    struct File {
        token: Option<Secret>,
        api_url: Option<String>,
    }
    let Some(file) = json_object::read::<File>(bytes) else {
        return if is_json(bytes) { ParsedFile::Strange } else { ParsedFile::Damaged };
    };
    let Some(token) = file.token.filter(|token| !token.is_empty()) else { return ParsedFile::Nobody };
    let server = file.api_url.filter(|url| !url.trim().is_empty()).map(|url| base_url(&url)).transpose();
    match server {
        Ok(server) if sendable(&token) => ParsedFile::Session(Session {
            access: token,
            access_expires_at: None,
            refresh: None,
            refresh_expires_at: None,
            issued_at: None,
            claims: Claims::default(),
            holder: Holder { server, ..Holder::default() },
        }),
        Ok(_) | Err(_) => ParsedFile::Strange,
    }
}

/// The address that the tool's settings name, though nobody is signed in.
pub fn server(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct File {
        api_url: String,
    }
    json_object::read::<File>(bytes).map(|file| file.api_url).filter(|url| !url.trim().is_empty())
}

/// The token, and the address that it was validated at; the rest of the file stays as it is.
pub fn render_session(old: Option<&[u8]>, session: &Session) -> Zeroizing<Vec<u8>> {
    render(old.unwrap_or_default(), &session.access, session.holder.server.as_deref())
}

pub fn render_signed_out(old: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    // A setting that is not UTF-8 is no reason to take the tool's whole file away.
    let text = String::from_utf8_lossy(old);
    json_object::read::<RawFields>(text.as_bytes()).map(|_| render(old, &Secret::default(), None))
}

fn render(old: &[u8], token: &Secret, server: Option<&str>) -> Zeroizing<Vec<u8>> {
    #[derive(Serialize)]
    struct Written<'a> {
        token: &'a Secret,
        #[serde(skip_serializing_if = "Option::is_none")]
        server_addr: Option<AsWritten>,
        #[serde(skip_serializing_if = "Option::is_none")]
        api_url: Option<AsWritten>,
        #[serde(flatten)]
        others: RawFields,
    }
    let mut others = fields(&String::from_utf8_lossy(old));
    others.remove("token");
    let before = others.remove("api_url");
    let validated = server.and_then(|server| AsWritten::of(&server));
    let file =
        Written { token, server_addr: others.remove("server_addr"), api_url: validated.or(before), others };
    Zeroizing::new(serde_json::to_vec_pretty(&file).unwrap_or_default())
}
