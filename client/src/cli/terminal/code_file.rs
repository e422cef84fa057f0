//! Where `--code-file` says that the code is.

use super::prompt;
use everkey_client::{Failure, Secret};
use everkey_proto::Code;
use std::fs::File;
use std::io::Read;

/// No file with a code is longer, in bytes.
const CODE_CAP: u64 = 64 * 1024;

/// Where the code is, so that no other program sees it on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeFile {
    /// `-`: the next line of standard input, which may come late.
    StandardInput,
    Path(String),
}

impl CodeFile {
    pub fn named(path: String) -> Self {
        if path == "-" { Self::StandardInput } else { Self::Path(path) }
    }

    /// What it holds, at its first line.
    pub fn read(&self) -> Result<Secret, Failure> {
        let line = match self {
            Self::StandardInput => prompt::line()?,
            Self::Path(path) => {
                // A pipe is welcome here, a device without an end is not.
                let mut text = String::new();
                let read = File::open(path).and_then(|file| file.take(CODE_CAP).read_to_string(&mut text));
                let text = read.map(|_| Secret::new(text)).map_err(|e| {
                    let message = format!("Can't read the code from {path}: {e}.");
                    Failure::new(
                        Code::Storage,
                        message,
                        "Name a file that you can read, or - for standard input.",
                    )
                })?;
                text.expose().lines().next().map(Secret::new)
            }
        };
        line.filter(|line| !line.expose().trim().is_empty()).ok_or_else(|| {
            let hint = "The code was sent all the same: go on with `everkey login --continue`.";
            Failure::new(Code::BadRequest, "There is no code where --code-file says.", hint)
        })
    }
}
