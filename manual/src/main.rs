//! `everkey-manual DIR`: writes the manual pages of the agent and the api-server, whose command lines are clap's. That of
//! `everkey dashboard` stands for everkey-dashboard, too.
#![forbid(unsafe_code)]

use anyhow::{Context, Result};
use clap::Command;
use clap_mangen::Man;
use jiff::Timestamp;
use std::fs;
use std::path::Path;

fn main() -> Result<()> {
    let dir = std::env::args_os().nth(1).context("everkey-manual takes the folder for the pages")?;
    let (dir, date) = (Path::new(&dir), date()?);
    fs::create_dir_all(dir)?;
    for program in [everkey_daemon::startup::command(), everkey_server::cli::command_line()] {
        // `help` as a command has nothing to say in a manual.
        let mut program = program.disable_help_subcommand(true);
        program.build();
        write(&program, dir, &date)?;
    }
    Ok(())
}

/// The page of a program or of one of its commands, and those of the commands below.
fn write(command: &Command, dir: &Path, date: &str) -> Result<()> {
    let page = Man::new(command.clone()).date(date).manual("everkey");
    let path = dir.join(page.get_filename());
    let mut text = Vec::new();
    page.render(&mut text)?;
    fs::write(&path, text).with_context(|| format!("can't write {}", path.display()))?;
    command.get_subcommands().try_for_each(|below| write(below, dir, date))
}

/// A build that is to be repeated byte for byte names the day.
fn date() -> Result<String> {
    let named = std::env::var("SOURCE_DATE_EPOCH").ok().filter(|text| !text.is_empty());
    let at = match named {
        Some(secs) => Timestamp::from_second(secs.parse().context("SOURCE_DATE_EPOCH")?)?,
        None => Timestamp::now(),
    };
    Ok(at.strftime("%Y-%m-%d").to_string())
}
