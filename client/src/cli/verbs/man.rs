//! `everkey man`: the manual pages, made of the table of verbs.

use crate::cli::terminal::{dates, output};
use crate::cli::usage::error::{UsageError, VerbError};
use crate::cli::usage::man;
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::verb::{GroupedVerb, VerbHelp};
use crate::cli::usage::word_kind::WordKind;
use everkey_client::{Failure, environment};
use everkey_proto::Code;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Default)]
struct Args {
    dir: Option<PathBuf>,
}

const OPTIONS: &[VerbOption<Args>] =
    &[VerbOption::<Args>::value("dir", "DIR", "write all of them into this folder", |args, dir| {
        args.dir = Some(dir.into());
        Ok(())
    })
    .taking(WordKind::Folder)];

pub fn help() -> VerbHelp {
    VerbHelp::new(
        "
  everkey man login | man -l -
  everkey man --dir ~/.local/share/man/man1

Usage: everkey man [COMMAND] [OPTIONS]

Prints the manual page of a command, or that of everkey itself. They say what
`everkey COMMAND --help` says. `./dev install` and the Debian package put them
in place, so that `man everkey-login` finds them.

Options:
{options}

The date in a page is SOURCE_DATE_EPOCH, in unix seconds, or today.
",
        OPTIONS,
    )
    .taking(WordKind::Verb)
}

pub fn run(arguments: Arguments, table: &'static [GroupedVerb]) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read(OPTIONS)?;
    let pages = man::pages(table, &date());
    match (&parsed.own.dir, parsed.words.as_slice()) {
        (Some(dir), []) => {
            fs::create_dir_all(dir).map_err(|e| unwritable(dir, &e))?;
            for page in pages {
                let path = dir.join(format!("{}.1", page.name));
                fs::write(&path, page.text).map_err(|e| unwritable(&path, &e))?;
            }
        }
        (None, [] | [_]) => {
            let name = parsed.words.first().map_or("everkey".to_owned(), |verb| format!("everkey-{verb}"));
            let Some(page) = pages.into_iter().find(|page| page.name == name) else {
                return Err(UsageError::UnknownVerb(parsed.words.concat()).into());
            };
            output::line(page.text.trim_end());
        }
        (Some(_), [extra, ..]) | (None, [_, extra, ..]) => {
            return Err(UsageError::ExtraWord(extra.clone()).into());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A build that is to be repeated byte for byte names the day.
fn date() -> String {
    let named = environment::text("SOURCE_DATE_EPOCH").and_then(|text| text.trim().parse().ok());
    dates::day(named.unwrap_or_else(dates::now))
}

fn unwritable(path: &std::path::Path, e: &std::io::Error) -> Failure {
    Failure::new(Code::Storage, format!("Can't write {}: {e}.", path.display()), "Name another folder.")
}
