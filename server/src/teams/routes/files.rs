//! `/v1/workspaces/{id}/reports/{report_id}/files/{place}`: the content of a report's files, in and out.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded::byte_serialize;
use uuid::Uuid;

use crate::actions::server_error::ServerError;
use crate::http::error::ApiError;
use crate::http::first_party::FirstParty;
use crate::http::path_ids::PathIds;
use crate::teams::actions::files::{self, Download, FilePlace};
use crate::teams::rules::manifest::bare;

/// Send the content of a file
///
/// For owners and admins. It must have the size and SHA-256 that the manifest says. With the last file the report is
/// complete, and may be read and shared.
#[utoipa::path(
    put, path = "/v1/workspaces/{id}/reports/{report_id}/files/{place}", tag = "workspaces", operation_id = "send_file",
    request_body(content = String, content_type = "application/octet-stream", description = "The file, byte for byte."),
    security(("bearer" = [])),
    params(("id" = String, Path, description = "The workspace."), ("report_id" = String, Path, description = "The report."),
        ("place" = i64, Path, description = "The file's place in the manifest, from 1.")),
    responses((status = 204, description = "Stored."),
        (status = 400, description = "It is not what the manifest says, or ended early; nothing is kept."),
        (status = 401, description = "No valid access token."),
        (status = 403, description = "The caller's role does not allow it."),
        (status = 404, description = "No such file in this workspace, or the caller is not a member."),
        (status = 408, description = "It came too slowly; nothing is kept."),
        (status = 409, description = "It is stored already, or this server keeps no files."),
        (status = 413, description = "A proxy in front of the server has a ceiling of its own."),
        (status = 415, description = "It is not sent as application/octet-stream."),
        (status = 429, description = "Too many transfers of the caller are under way."))
)]
pub(super) async fn send(
    tool: FirstParty,
    PathIds(at): PathIds<(Uuid, Uuid, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, ApiError> {
    let kind = headers.get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind != "application/octet-stream") {
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "Send the file with Content-Type: application/octet-stream.",
        ));
    }
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let at = place(at);
    // A task of its own: it tidies up behind itself even if whoever sends goes away.
    let taking =
        tokio::spawn(
            async move { files::upload(tool.request(), at, declared, body.into_data_stream()).await },
        );
    let taken = taking.await.map_err(|_| ServerError::Failed("an upload panicked".to_owned()))?;
    taken?;
    Ok(StatusCode::NO_CONTENT)
}

/// Get the content of a file
///
/// The answer ends early if what is stored is not what was sent once; `Repr-Digest` says what it must be.
#[utoipa::path(
    get, path = "/v1/workspaces/{id}/reports/{report_id}/files/{place}", tag = "workspaces", operation_id = "get_file",
    security(("bearer" = [])),
    params(("id" = String, Path, description = "The workspace."), ("report_id" = String, Path, description = "The report."),
        ("place" = i64, Path, description = "The file's place in the manifest, from 1.")),
    responses((status = 200, description = "The file, byte for byte.", body = String, content_type = "application/octet-stream"),
        (status = 401, description = "No valid access token."),
        (status = 404, description = "No such file in this workspace, or the caller is not a member."),
        (status = 409, description = "The report has not all its files yet."),
        (status = 429, description = "Too many transfers of the caller are under way."))
)]
pub(super) async fn get(
    tool: FirstParty,
    PathIds(at): PathIds<(Uuid, Uuid, String)>,
) -> Result<Response, ApiError> {
    Ok(as_attachment(files::download(tool.request(), place(at)).await?))
}

/// Text that is no place names no file, once it is clear who asks.
fn place((workspace, report, place): (Uuid, Uuid, String)) -> FilePlace {
    FilePlace { workspace, report, place: place.parse().unwrap_or(0) }
}

/// A file that a browser saves and never shows or runs, whatever is in it.
pub(super) fn as_attachment(download: Download) -> Response {
    let (seal, name) = (download.file.seal, bare(&download.file.name));
    let digest = format!("sha-256=:{}:", STANDARD.encode(seal.sha256.bytes()));
    let mut response = Response::new(Body::from_stream(download.content));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(seal.size));
    for (header, value) in [
        (header::CONTENT_TYPE, download.file.media_type.header()),
        (header::CONTENT_DISPOSITION, disposition(name)),
        (HeaderName::from_static("repr-digest"), digest),
    ] {
        // All three are ASCII by how they are made.
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(header, value);
        }
    }
    for (header, value) in [
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox; frame-ancestors 'none'"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::ACCEPT_RANGES, "none"),
    ] {
        headers.insert(header, HeaderValue::from_static(value));
    }
    response
}

/// RFC 6266: plain letters for old programs, the whole name for the others.
fn disposition(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' })
        .collect();
    let whole: String = byte_serialize(name.as_bytes()).collect();
    // A form writes a space as a plus and keeps an asterisk; RFC 8187 does neither.
    let whole = whole.replace('+', "%20").replace('*', "%2A");
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_put_nothing_into_the_header() {
        for (name, expected) in [
            ("run.log", "attachment; filename=\"run.log\"; filename*=UTF-8''run.log"),
            ("a\"; b=c", "attachment; filename=\"a___b_c\"; filename*=UTF-8''a%22%3B%20b%3Dc"),
            ("ä +*%", "attachment; filename=\"_____\"; filename*=UTF-8''%C3%A4%20%2B%2A%25"),
        ] {
            assert_eq!(disposition(name), expected);
        }
    }
}
