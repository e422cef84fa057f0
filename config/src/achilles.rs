//! `~/.achilles/config.json`, which achilles' own tool writes: its profiles are read, and single values set.
//! A value is replaced in the text itself, so everything else stays byte for byte as it was written.

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// What everkey needs of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AchillesConfig {
    /// The profile in use, as written.
    pub active_profile: Option<String>,
    /// The profiles by name, as written.
    pub profiles: BTreeMap<String, AchillesProfile>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AchillesProfile {
    /// Its server, if it names one.
    pub server_url: Option<String>,
    /// What its owner calls it.
    pub label: Option<String>,
}

/// The file is not a JSON object in UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("achilles' config.json is not a JSON object")]
pub struct NotAchillesConfig;

impl AchillesConfig {
    /// Reads the file; what everkey does not know is passed over.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotAchillesConfig> {
        let text = std::str::from_utf8(bytes).map_err(|_| NotAchillesConfig)?;
        let top: Members<'_> = serde_json::from_str(text).map_err(|_| NotAchillesConfig)?;
        let profiles = top.object("profiles").0.into_iter().map(|(name, profile)| {
            let profile = Members::of(profile);
            let (server_url, label) = (profile.text("server_url"), profile.text("label"));
            (name.into_owned(), AchillesProfile { server_url, label })
        });
        Ok(Self { active_profile: top.text("active_profile"), profiles: profiles.collect() })
    }

    /// The name of the profile in use.
    pub fn active(&self) -> &str {
        self.active_profile.as_deref().unwrap_or("default")
    }
}

/// The file's text with another profile in use; `text` is none where there is no file yet.
pub fn set_active_profile(text: Option<&str>, name: &str) -> Result<String, NotAchillesConfig> {
    set(text, &["active_profile"], name)
}

/// The file's text with another server for one profile.
pub fn set_server_url(text: Option<&str>, profile: &str, url: &str) -> Result<String, NotAchillesConfig> {
    set(text, &["profiles", profile, "server_url"], url)
}

fn set(text: Option<&str>, path: &[&str], value: &str) -> Result<String, NotAchillesConfig> {
    let text = text.filter(|text| !text.trim().is_empty()).unwrap_or("{}");
    let value = Value::from(value).to_string();
    replaced(text, path, &value, 1)
}

/// `text`, an object, with `value` at `path`; `depth` is how far its members are indented.
fn replaced(text: &str, path: &[&str], value: &str, depth: usize) -> Result<String, NotAchillesConfig> {
    let Some((key, rest)) = path.split_first() else { return Ok(value.to_owned()) };
    let members: Members<'_> = serde_json::from_str(text).map_err(|_| NotAchillesConfig)?;
    if let Some(old) = members.get(key) {
        let old = old.get();
        let start = old.as_ptr() as usize - text.as_ptr() as usize;
        let new = if rest.is_empty() { value.to_owned() } else { replaced(old, rest, value, depth + 1)? };
        return Ok([&text[..start], &new, &text[start + old.len()..]].concat());
    }
    let new = if rest.is_empty() { value.to_owned() } else { replaced("{}", rest, value, depth + 1)? };
    let (head, tail) = text.split_once('{').ok_or(NotAchillesConfig)?;
    let key = Value::from(*key);
    let (indent, outer) = ("  ".repeat(depth), "  ".repeat(depth - 1));
    let tail = match members.0.is_empty() {
        true => format!("\n{outer}{}", tail.trim_start()),
        false => format!(",{tail}"),
    };
    Ok(format!("{head}{{\n{indent}{key}: {new}{tail}"))
}

/// An object's members in their order, each value as it was written.
/// What is not looked at needn't be representable: numbers only other programs understand, halves of characters.
#[derive(Default)]
struct Members<'t>(Vec<(Cow<'t, str>, &'t RawValue)>);

impl<'t> Members<'t> {
    /// The members of an object; none of anything else.
    fn of(value: &'t RawValue) -> Self {
        serde_json::from_str(value.get()).unwrap_or_default()
    }

    /// A member's value; of a name that comes twice, readers take the last.
    fn get(&self, name: &str) -> Option<&'t RawValue> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| *value)
    }

    fn object(&self, name: &str) -> Self {
        self.get(name).map(Self::of).unwrap_or_default()
    }

    fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?.get()).ok()
    }
}

impl<'de: 't, 't> Deserialize<'de> for Members<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    members.push((Cow::Owned(name), value));
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Reader).map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{
  "active_profile": "default",
  "profiles": {
    "default": { "server_url": "http://localhost:3000", "label": "Here", "new": 1.50 },
    "production": { "server_url": "https://a.example.com" },
    "odd": 7
  },
  "defaults": { "n": 12345678901234567890123 }
}
"#;

    #[test]
    fn profiles_are_read_and_the_rest_is_passed_over() {
        let config = AchillesConfig::parse(FILE.as_bytes()).unwrap();
        assert_eq!(config.active(), "default");
        assert_eq!(config.profiles["production"].server_url.as_deref(), Some("https://a.example.com"));
        assert_eq!(config.profiles["default"].label.as_deref(), Some("Here"));
        assert_eq!(config.profiles["odd"], AchillesProfile::default());
        assert_eq!(AchillesConfig::parse(b"{}").unwrap().active(), "default");
        let odd = br#"{"half":"\ud800","huge":1e999,"active_profile":"x"}"#;
        assert_eq!(AchillesConfig::parse(odd).unwrap().active(), "x");
        for bad in [&b"[]"[..], b"", b"{", b"\xff"] {
            assert_eq!(AchillesConfig::parse(bad), Err(NotAchillesConfig));
        }
    }

    #[test]
    fn one_value_changes_and_every_other_byte_stays() {
        let set = set_active_profile(Some(FILE), "production").unwrap();
        assert_eq!(set, FILE.replace(r#"e": "default""#, r#"e": "production""#));
        let set = set_server_url(Some(FILE), "default", "https://b").unwrap();
        assert_eq!(set, FILE.replace("http://localhost:3000", "https://b"));
    }

    #[test]
    fn what_is_not_there_is_put_in() {
        assert_eq!(set_active_profile(None, "a\"b").unwrap(), "{\n  \"active_profile\": \"a\\\"b\"\n}");
        assert_eq!(
            set_active_profile(Some("{\n  \"n\": 1e400\n}"), "x").unwrap(),
            "{\n  \"active_profile\": \"x\",\n  \"n\": 1e400\n}"
        );
        assert_eq!(
            set_server_url(None, "default", "https://b").unwrap(),
            "{\n  \"profiles\": {\n    \"default\": {\n      \"server_url\": \"https://b\"\n    }\n  }\n}"
        );
        assert!(set_active_profile(Some("[]"), "x").is_err());
        assert!(set_server_url(Some(r#"{"profiles":7}"#), "x", "y").is_err());
    }
}
