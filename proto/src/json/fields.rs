//! The fields of a request line, taken out one by one; what is left over belongs to another request.

use super::line::{self, LineError};
use crate::request::{Entry, FlowId, SignInMethod, UnderWay, When};
use crate::{Fingerprint, Secret};
use serde::de::{self, DeserializeOwned, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::fmt;

/// Every field that some request takes; any other is refused as it is read.
const KNOWN: &[&str] = &[
    "request",
    "profile",
    "server",
    "session_file",
    "min_validity_secs",
    "force",
    "scheme",
    "flow",
    "text",
    "email",
    "code",
    "than",
    "token",
    "in_days",
    "at",
    "past",
    "limit",
    "join",
    "replace",
    "since",
    "until",
    "skip",
];

/// The fields of one line, as they are written there.
pub(super) struct LineFields<'a> {
    line: &'a [u8],
    left: Vec<(&'static str, &'a RawValue)>,
}

impl<'a> LineFields<'a> {
    /// Reads a line as an object of known fields, each at most once.
    pub fn read(line: &'a [u8]) -> Result<Self, LineError> {
        let Known(left) = line::read(line)?;
        Ok(Self { line, left })
    }

    /// Takes a field, if it is there and not null.
    pub fn optional<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, LineError> {
        let Some(at) = self.left.iter().position(|(known, _)| *known == name) else { return Ok(None) };
        let (_, value) = self.left.remove(at);
        let before = value.get().as_ptr() as usize - self.line.as_ptr() as usize;
        serde_json::from_str(value.get()).map_err(|e| LineError::at(&e, before))
    }

    /// Takes a field that must be there.
    pub fn required<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<T, LineError> {
        self.optional(name)?.ok_or(LineError::Missing(name))
    }

    /// Nothing may be left.
    pub fn end(&self) -> Result<(), LineError> {
        self.left.first().map_or(Ok(()), |(name, _)| Err(LineError::Superfluous(name)))
    }
}

struct Known<'a>(Vec<(&'static str, &'a RawValue)>);

impl<'de> Deserialize<'de> for Known<'de> {
    fn deserialize<D: Deserializer<'de>>(line: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Known<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
                let mut fields: Vec<(&'static str, &'de RawValue)> = Vec::new();
                while let Some(name) = entries.next_key::<String>()? {
                    let known = KNOWN.iter().find(|known| **known == name);
                    let new = known.filter(|known| fields.iter().all(|(name, _)| name != *known));
                    let Some(name) = new else { return Err(de::Error::custom("unknown, or twice")) };
                    fields.push((name, entries.next_value()?));
                }
                Ok(Known(fields))
            }
        }

        line.deserialize_map(Object)
    }
}

/// How a value of a request stands in a line.
pub(super) trait LineField: Sized {
    /// Takes it out of a line; where it is left out, `default` holds, if there is one.
    fn take(line: &mut LineFields<'_>, name: &'static str, default: Option<Self>) -> Result<Self, LineError>;

    /// Writes it into a line.
    fn put<M: SerializeMap>(&self, line: &mut M, name: &'static str) -> Result<(), M::Error>;
}

macro_rules! plain {
    ($($Type:ty),*) => {
        $(impl LineField for $Type {
            fn take(line: &mut LineFields<'_>, name: &'static str, default: Option<Self>) -> Result<Self, LineError> {
                line.optional(name)?.or(default).ok_or(LineError::Missing(name))
            }

            fn put<M: SerializeMap>(&self, line: &mut M, name: &'static str) -> Result<(), M::Error> {
                line.serialize_entry(name, self)
            }
        })*
    };
}

plain!(bool, u32, FlowId, Fingerprint);

macro_rules! optional {
    ($($Type:ty),*) => {
        $(impl LineField for Option<$Type> {
            fn take(line: &mut LineFields<'_>, name: &'static str, _: Option<Self>) -> Result<Self, LineError> {
                line.optional(name)
            }

            fn put<M: SerializeMap>(&self, line: &mut M, name: &'static str) -> Result<(), M::Error> {
                self.as_ref().map_or(Ok(()), |value| line.serialize_entry(name, value))
            }
        })*
    };
}

optional!(String, SignInMethod, Secret, u64);

impl LineField for When {
    fn take(line: &mut LineFields<'_>, _: &'static str, _: Option<Self>) -> Result<Self, LineError> {
        match line.optional("at")? {
            Some(at) => Ok(Self::At(at)),
            None => line.required("in_days").map(Self::InDays),
        }
    }

    fn put<M: SerializeMap>(&self, line: &mut M, _: &'static str) -> Result<(), M::Error> {
        match self {
            Self::InDays(days) => line.serialize_entry("in_days", days),
            Self::At(at) => line.serialize_entry("at", at),
        }
    }
}

impl LineField for Option<UnderWay> {
    fn take(line: &mut LineFields<'_>, _: &'static str, _: Option<Self>) -> Result<Self, LineError> {
        match line.optional("join")? {
            Some(flow) => Ok(Some(UnderWay::Join(flow))),
            None => Ok(line.optional("replace")?.map(UnderWay::Replace)),
        }
    }

    fn put<M: SerializeMap>(&self, line: &mut M, _: &'static str) -> Result<(), M::Error> {
        match self {
            Some(UnderWay::Join(flow)) => line.serialize_entry("join", flow),
            Some(UnderWay::Replace(flow)) => line.serialize_entry("replace", flow),
            None => Ok(()),
        }
    }
}

impl LineField for Entry {
    fn take(line: &mut LineFields<'_>, _: &'static str, _: Option<Self>) -> Result<Self, LineError> {
        let Some(email) = line.optional("email")? else { return line.required("text").map(Self::Text) };
        Ok(match line.optional("code")? {
            Some(code) => Self::Code { email, code },
            None => Self::Email(email),
        })
    }

    fn put<M: SerializeMap>(&self, line: &mut M, _: &'static str) -> Result<(), M::Error> {
        match self {
            Self::Text(text) => line.serialize_entry("text", text),
            Self::Email(email) => line.serialize_entry("email", email),
            Self::Code { email, code } => {
                line.serialize_entry("email", email)?;
                line.serialize_entry("code", code)
            }
        }
    }
}
