//! `everkey redact`: text through a pipe, without its secrets. It asks no agent.

use crate::cli::terminal::output;
use crate::cli::usage::error::VerbError;
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::verb::VerbHelp;
use everkey_client::{Code, Failure};
use everkey_redact::Redactor;
use signal_hook::consts::SIGPIPE;
use signal_hook::low_level::emulate_default_handler;
use std::io::{self, ErrorKind, Read, Write};
use std::process::ExitCode;

const OPTIONS: &[VerbOption<()>] = &[];

/// How much is read at once.
const PIECE: usize = 64 * 1024;

pub fn help() -> VerbHelp {
    VerbHelp::new(
        "
  journalctl -u app | everkey redact > for-the-bug-report.txt
  ./deploy 2>&1 | everkey redact

Usage: everkey redact < TEXT

Copies standard input to standard output and puts [redacted:KIND] in place of
what looks like a secret: keys and tokens of well-known services, JWTs, private
keys, passwords in addresses, values that a name such as PASSWORD or api_key
calls secret. Of home folders the user's name goes: /home/[user].

Each line comes out as soon as it has ended. All else stays byte for byte, also
what is no text. A second run changes nothing.

It knows shapes, not meanings: look at what you publish. Exit 0 says that all
was copied, not that something was found.
",
        OPTIONS,
    )
}

pub fn run(arguments: Arguments) -> Result<ExitCode, VerbError> {
    arguments.read_options(OPTIONS)?;
    let mut redactor = Redactor::new();
    let mut piece = vec![0; PIECE];
    loop {
        let length = match io::stdin().read(&mut piece) {
            Ok(0) => break,
            Ok(length) => length,
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            Err(e) => return Err(unreadable(&e).into()),
        };
        put_out(&redactor.push(&piece[..length]))?;
    }
    put_out(&redactor.finish())?;
    Ok(ExitCode::SUCCESS)
}

fn unreadable(e: &io::Error) -> Failure {
    Failure::new(
        Code::Storage,
        format!("Can't read standard input: {e}."),
        "What came before is copied; send the text again.",
    )
}

/// A reader who has read enough ends this program as any other.
fn put_out(text: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => {
            let _ = emulate_default_handler(SIGPIPE);
            Err(output::unwritable(&e))
        }
        Err(e) => Err(output::unwritable(&e)),
        Ok(()) => Ok(()),
    }
}
