//! The table of issuers that everkey is shipped with: data, not code.

use everkey_session::KnownIssuer;
use serde::Deserialize;
use std::sync::LazyLock;

#[derive(Deserialize)]
struct Table {
    issuer: Vec<KnownIssuer>,
}

/// What is known of the way of issuers with refresh tokens that come twice.
pub fn known() -> &'static [KnownIssuer] {
    static KNOWN: LazyLock<Vec<KnownIssuer>> = LazyLock::new(|| {
        let table: Result<Table, _> = toml::from_str(include_str!("issuers.toml"));
        // A test reads it, so that it can't be shipped unreadable.
        table.map(|table| table.issuer).unwrap_or_default()
    });
    &KNOWN
}

#[cfg(test)]
mod tests {
    use super::*;
    use everkey_proto::ReplayRule;
    use everkey_proto::server_url::check_server;
    use std::collections::BTreeSet;

    #[test]
    fn the_shipped_table_is_whole() {
        let table = known();
        assert!(table.len() >= 14, "{}", table.len());
        let names: BTreeSet<_> = table.iter().map(|known| &known.issuer).collect();
        assert_eq!(names.len(), table.len(), "an issuer is there twice");
        for known in table {
            assert!(check_server(&known.issuer).is_ok(), "{known:?}");
            assert_ne!(known.rule, ReplayRule::Unknown, "{known:?}");
            assert!(!known.source.is_empty() && known.date.parse::<jiff::civil::Date>().is_ok(), "{known:?}");
        }
    }
}
