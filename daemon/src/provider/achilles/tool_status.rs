//! What `achilles status` shows beside the user: the fleet, and the defense score. The backend has both for a token whose
//! role may see them; everkey-server has no agents and no score.

use super::envelope::data;
use crate::http::{Auth, HttpRequest, HttpResponse};
use crate::provider::descriptor::{ProviderRoute, ToolStatus};
use crate::provider::fields::Quantity;
use crate::provider::jwt;
use everkey_proto::Secret;
use everkey_session::CallTarget;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

pub static TOOL_STATUS: ToolStatus = ToolStatus {
    patience: Duration::from_secs(3),
    routes: &[
        ProviderRoute { request: fleet, read: read_fleet },
        ProviderRoute { request: score, read: read_score },
    ],
};

fn fleet(at: &CallTarget, access: &Secret) -> Option<HttpRequest> {
    Some(of_organisation(at, access, "/api/agent/admin/metrics", "org_id"))
}

fn score(at: &CallTarget, access: &Secret) -> Option<HttpRequest> {
    Some(of_organisation(at, access, "/api/analytics/defense-score", "org"))
}

/// As its own tool asks: for the organisation that the token is for.
fn of_organisation(at: &CallTarget, access: &Secret, path: &str, name: &str) -> HttpRequest {
    let mut url = format!("{}{path}", at.server);
    if let Some(org) = jwt::organisation(access) {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair(name, &org).finish();
        url = format!("{url}?{query}");
    }
    HttpRequest::get(&url).auth(Auth::Bearer(access.clone()))
}

fn read_fleet(answer: &HttpResponse) -> BTreeMap<String, String> {
    #[derive(Deserialize)]
    struct Metrics {
        #[serde(default)]
        total: Quantity,
        #[serde(default)]
        online: Quantity,
        #[serde(default)]
        offline: Quantity,
    }
    let read = (answer.status == 200).then(|| data::<Metrics>(answer).ok()).flatten();
    let told = read.and_then(|Metrics { total, online, offline }| {
        Some([
            ("fleet.total", total.wait()?),
            ("fleet.online", online.wait()?),
            ("fleet.offline", offline.wait()?),
        ])
    });
    told.into_iter().flatten().map(|(name, count)| (name.to_owned(), count.to_string())).collect()
}

/// Some versions answer without the usual envelope.
fn read_score(answer: &HttpResponse) -> BTreeMap<String, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Score {
        #[serde(default)]
        score: Quantity,
        #[serde(default)]
        protected_count: Quantity,
        #[serde(default)]
        unprotected_count: Quantity,
        #[serde(default)]
        total_executions: Quantity,
    }
    let read = || data::<Score>(answer).or_else(|_| answer.object::<Score>()).ok();
    let told = (answer.status == 200).then(read).flatten().and_then(|score| {
        let percent = score.score.number().filter(|percent| (0.0..=100.0).contains(percent))?;
        Some([
            ("score.percent", format!("{percent:.1}")),
            ("score.protected", score.protected_count.wait()?.to_string()),
            ("score.unprotected", score.unprotected_count.wait()?.to_string()),
            ("score.total", score.total_executions.wait()?.to_string()),
        ])
    });
    told.into_iter().flatten().map(|(name, text)| (name.to_owned(), text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::samples::answer;

    fn told(read: fn(&HttpResponse) -> BTreeMap<String, String>, status: u16, body: &str) -> String {
        let told = read(&answer(status, body));
        told.into_iter().map(|(name, text)| format!("{name}={text}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn fleet_and_score_are_read_as_the_backend_has_them() {
        let metrics = r#"{"success":true,"data":{"total":12,"online":10,"offline":2,"stale":1,"by_os":{}}}"#;
        assert_eq!(told(read_fleet, 200, metrics), "fleet.offline=2 fleet.online=10 fleet.total=12");
        let score = r#"{"score":73.24,"protectedCount":42,"unprotectedCount":16,"totalExecutions":58}"#;
        let read = "score.percent=73.2 score.protected=42 score.total=58 score.unprotected=16";
        assert_eq!(told(read_score, 200, score), read);
        assert_eq!(told(read_score, 200, &format!(r#"{{"success":true,"data":{score}}}"#)), read);
    }

    #[test]
    fn what_the_backend_does_not_offer_is_left_out() {
        for (status, body) in [
            (404, r#"{"success":false,"error":"Not found"}"#),
            (302, ""),
            (403, r#"{"success":false,"error":"Insufficient permissions"}"#),
            (503, r#"{"error":"Elasticsearch not configured"}"#),
            (200, "<html>"),
            (200, "{}"),
            (200, r#"{"success":true,"data":{"total":12}}"#),
            (200, r#"{"score":"a lot","protectedCount":1,"unprotectedCount":1,"totalExecutions":2}"#),
        ] {
            assert_eq!(
                (told(read_fleet, status, body), told(read_score, status, body)),
                Default::default(),
                "{body}"
            );
        }
    }
}
