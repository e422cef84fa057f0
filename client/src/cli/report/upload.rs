//! A bundle's way into a workspace, and a link to what came of it.

use super::api::Api;
use super::bundle::{Bundle, BundledFile, UploadedReport};
use everkey_client::{Failure, unexpected_reply};
use everkey_proto::Code;
use serde_json::{Value, json};

/// What is said of a report at the server.
pub struct ReportWords {
    pub title: String,
    /// For how many days it is kept, if not as long as the server's host has set.
    pub retain_days: Option<u32>,
}

/// Sends a bundle to the workspace of this id or name; `sent` is called after each file. All of it arrives, or nothing stays.
pub fn upload(
    api: &Api,
    profile: &str,
    workspace: &str,
    bundle: &Bundle,
    words: &ReportWords,
    sent: impl Fn(&BundledFile),
) -> Result<UploadedReport, Failure> {
    let workspace = find_workspace(api, workspace)?;
    let reports = format!("/v1/workspaces/{workspace}/reports");
    let files: Vec<_> = bundle.files.iter().map(described).collect();
    let body =
        "Made by `everkey report`: what everkey doctor finds, versions, and the end of the agent's log.";
    let mut new = json!({ "title": words.title, "body": body, "files": files });
    if let Some(days) = words.retain_days {
        new["retain_days"] = json!(days);
    }
    let made = api.post(&reports, &new)?;
    let report = text(&made, "id")?;
    let here = format!("{reports}/{report}");
    for (place, file) in (1..).zip(&bundle.files) {
        if let Err(failure) = api.put(&format!("{here}/files/{place}"), &bundle.folder.join(&file.name)) {
            // Half a report helps nobody; one that stays all the same is given up after a day.
            let _ = api.delete(&here);
            return Err(failure);
        }
        sent(file);
    }
    Ok(UploadedReport { profile: profile.to_owned(), server: api.server.clone(), workspace, report })
}

/// Makes a link that opens the report for whoever has it: its address, and when it ends.
pub fn share(api: &Api, uploaded: &UploadedReport, days: u32) -> Result<(String, String), Failure> {
    let UploadedReport { workspace, report, .. } = uploaded;
    let path = format!("/v1/workspaces/{workspace}/reports/{report}/shares");
    let made = api.post(&path, &json!({ "expires_in_days": days }))?;
    Ok((text(&made, "url")?, text(&made, "expires_at")?))
}

fn described(file: &BundledFile) -> Value {
    let media_type = if file.name.ends_with(".json") { "application/json" } else { "text/plain" };
    json!({ "name": file.name, "size": file.size, "sha256": file.sha256, "media_type": media_type })
}

fn find_workspace(api: &Api, wanted: &str) -> Result<String, Failure> {
    let all = api.get("/v1/workspaces")?;
    let all = all["workspaces"].as_array().cloned().unwrap_or_default();
    let is = |one: &&Value, field: &str| one[field].as_str() == Some(wanted);
    let found: Vec<_> = match all.iter().find(|one| is(one, "id")) {
        Some(one) => vec![one],
        None => all.iter().filter(|one| is(one, "name")).collect(),
    };
    match found.as_slice() {
        [one] => text(one, "id"),
        [] => {
            let names: Vec<_> = all.iter().filter_map(|one| one["name"].as_str()).collect();
            let hint = match names.as_slice() {
                [] => "You are in none there: make one at the server's pages, or name another --profile."
                    .to_owned(),
                names => format!("You are in: {}.", names.join(", ")),
            };
            Err(Failure::new(Code::BadRequest, format!("There is no workspace {wanted:?} for you."), hint))
        }
        several => {
            let ids: Vec<_> = several.iter().filter_map(|one| one["id"].as_str()).collect();
            let what = format!("{} workspaces are called {wanted:?}.", several.len());
            Err(Failure::new(Code::BadRequest, what, format!("Name its id: {}.", ids.join(", "))))
        }
    }
}

/// A text of the server's that goes into a path or is shown. Ids and links are plain words.
fn text(of: &Value, field: &str) -> Result<String, Failure> {
    let text = of[field].as_str().filter(|text| !text.is_empty() && !text.contains(char::is_control));
    let is_id = |text: &&str| field != "id" || text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    text.filter(is_id).map(str::to_owned).ok_or_else(|| Failure {
        message: "The server's answer is none of everkey-server's.".to_owned(),
        ..unexpected_reply()
    })
}
