//! Reads what a server measures.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use crate::kit::program::log_of;
use crate::kit::wire::request;

/// The address of the metrics of the newest server that logs into `folder`.
pub fn metrics_address(folder: &Path) -> SocketAddr {
    let log = log_of(folder);
    let line = log.lines().rfind(|line| line.contains("metrics are served")).unwrap();
    line.rsplit_once("address=").unwrap().1.parse().unwrap()
}

/// All samples by their name and labels.
pub async fn samples(address: SocketAddr) -> BTreeMap<String, f64> {
    let answer = request("GET", "/metrics").send(address).await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    assert!(answer.body.ends_with("# EOF\n"), "{}", answer.body);
    let lines = answer.body.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}
