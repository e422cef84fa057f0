//! How values on the command line are read.

use std::ffi::OsStr;
use std::fmt::Display;
use std::marker::PhantomData;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;

use crate::duration;

/// Reads a value that may hold a password, and so is not repeated when it is wrong.
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
        let why = match value.to_str().map(str::parse) {
            Some(Ok(value)) => return Ok(value),
            Some(Err(error)) => T::Err::to_string(&error),
            None => "it is not text".to_owned(),
        };
        let arg = arg.map(ToString::to_string).unwrap_or_default();
        Err(clap::Error::raw(ErrorKind::ValueValidation, format!("{arg}: {why}\n")).with_cmd(command))
    }
}

pub(super) fn ttl(text: &str) -> Result<Duration, String> {
    match duration::parse(text) {
        Ok(span) if span.is_zero() => Err("it must be at least 1s".to_owned()),
        Ok(span) => Ok(span),
        Err(error) => Err(error.to_string()),
    }
}
