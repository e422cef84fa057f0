//! JSON objects, of servers and of files.

use serde::de::DeserializeOwned;

/// The bytes as an object of this shape. For serde a list of a struct's values would do as well, and
/// `["unauthorized"]` would pass for a server's refusal.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let opens = bytes.trim_ascii_start().first() == Some(&b'{');
    opens.then(|| serde_json::from_slice(bytes).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use everkey_proto::reply::User;

    #[test]
    fn a_list_is_no_object() {
        assert!(read::<User>(br#" {"id":"u","email":"e"}"#).is_some());
        assert!(read::<User>(br#"["u","e"]"#).is_none());
        assert!(read::<User>(b"").is_none());
    }
}
