//! How values on the command line are read.

use std::ffi::OsStr;
use std::fmt::Display;
use std::marker::PhantomData;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use zeroize::Zeroizing;

use crate::duration;

/// Reads a value that may hold a password, and so is not repeated when it is wrong. `@FILE` is the text of a file.
#[derive(Clone)]
pub(super) struct Unrepeated<T>(PhantomData<fn() -> T>);

impl<T> Unrepeated<T> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> TypedValueParser for Unrepeated<T>
where
    T: FromStr<Err: Display> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<T, clap::Error> {
        let parsed = value.to_str().ok_or_else(|| "it is not text".to_owned());
        let why = match parsed
            .and_then(in_file)
            .and_then(|text| text.trim().parse().map_err(|e: T::Err| e.to_string()))
        {
            Ok(value) => return Ok(value),
            Err(why) => why,
        };
        let arg = arg.map(ToString::to_string).unwrap_or_default();
        Err(clap::Error::raw(ErrorKind::ValueValidation, format!("{arg}: {why}\n")).with_cmd(command))
    }
}

/// What a file holds that the value names; the value itself if it names none.
fn in_file(value: &str) -> Result<Zeroizing<String>, String> {
    let Some(path) = value.strip_prefix('@') else { return Ok(Zeroizing::new(value.to_owned())) };
    let path = Path::new(path);
    let text = everkey_guard::file::read(path).map_err(|why| format!("{}: {why}", path.display()))?;
    text.ok_or_else(|| format!("there is no file {}", path.display()))
}

pub(super) fn ttl(text: &str) -> Result<Duration, String> {
    match duration::parse(text) {
        Ok(span) if span.is_zero() => Err("it must be at least 1s".to_owned()),
        Ok(span) => Ok(span),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_stand_in_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mail");
        std::fs::write(&path, "smtps://me:hunter2@h\n").unwrap();
        let named = format!("@{}", path.display());
        assert_eq!(in_file(&named).unwrap().trim(), "smtps://me:hunter2@h");
        assert_eq!(in_file("terminal").unwrap().as_str(), "terminal");
        let missing = format!("{named}-not");
        assert_eq!(in_file(&missing).unwrap_err(), format!("there is no file {}-not", path.display()));
    }
}
