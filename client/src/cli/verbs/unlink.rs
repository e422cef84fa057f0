//! `everkey unlink NAME`: removes what `everkey link NAME` made.

use crate::cli::profile_link::{self, Existing, in_the_way};
use crate::cli::terminal::output;
use crate::cli::usage::error::VerbError;
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::VerbHelp;
use crate::cli::usage::word_kind::WordKind;
use everkey_client::{Failure, environment};
use everkey_config::is_word_name;
use everkey_proto::Code;
use serde_json::json;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Default)]
struct Args {
    dir: Option<PathBuf>,
}

const OPTIONS: &[VerbOption<Args>] = &[
    VerbOption::<Args>::value("dir", "DIR", "the folder that the link is in", |args, dir| {
        args.dir = Some(dir.into());
        Ok(())
    })
    .taking(WordKind::Folder),
    rows::json(),
];

pub fn help() -> VerbHelp {
    VerbHelp::new(
        "
  everkey unlink achilles

Usage: everkey unlink NAME [OPTIONS]

Removes a link that `everkey link NAME` made, and nothing else.

Options:
{options}

Without --dir it looks where `everkey link NAME` would put it now.
",
        OPTIONS,
    )
    .taking(WordKind::Profile)
}

pub fn run(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read(OPTIONS)?;
    let name = parsed.word("the name of an account, as in `everkey unlink achilles`")?;
    if !is_word_name(name) {
        return Err(Failure::new(
            Code::BadRequest,
            format!("{name:?} can't be a link's name."),
            "Nothing was removed.",
        )
        .into());
    }
    environment::places()?;
    let program = profile_link::program()?;
    let path = profile_link::folder(&program, parsed.own.dir.as_deref())?.join(name);
    let removed = match profile_link::existing(&path, &program) {
        Existing::Nothing => false,
        Existing::Ours => {
            fs::remove_file(&path).map(|()| true).map_err(|e| in_the_way(&path, &e.to_string()))?
        }
        Existing::Other => return Err(in_the_way(&path, "that is no link to everkey, and it stays").into()),
    };
    if parsed.shared.json {
        output::json(&json!({ "link": path, "removed": removed }));
    } else if removed {
        output::line(format_args!("{} is gone.", path.display()));
    } else {
        output::line(format_args!("There is no {}.", path.display()));
    }
    Ok(ExitCode::SUCCESS)
}
