//! For logs: a writer whose every write is a line or several, and panics that say nothing secret.

use crate::whole;
use std::io::{self, Write};

/// Redacts each write by itself, as loggers make one write for each line.
pub struct RedactedWriter<W>(W);

impl<W: Write> RedactedWriter<W> {
    pub fn new(inner: W) -> Self {
        Self(inner)
    }
}

impl<W: Write> Write for RedactedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_all(&whole::bytes(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// From now on a panic's message passes through here on its way to stderr.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let _ = RedactedWriter::new(io::stderr()).write_all(format!("{panic}\n").as_bytes());
    }));
}
