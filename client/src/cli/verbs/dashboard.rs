//! `everkey dashboard`: runs everkey-dashboard, opens its one-time link, and waits until it is ended.

use crate::cli::dashboard_program::{DashboardEvent, DashboardLink, DashboardProgram, ended};
use crate::cli::dashboard_service::way_in;
use crate::cli::terminal::{browser, interrupt, output, prompt};
use crate::cli::usage::error::VerbError;
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::VerbHelp;
use everkey_client::{Agent, Failure, environment, hint_text};
use everkey_proto::Code;
use serde_json::json;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// How long the file that a browser is opened on stays: slow ones take their time to read it.
const FILE_TIME: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Args {
    no_browser: bool,
}

const OPTIONS: &[VerbOption<Args>] = &[
    VerbOption::flag("no-browser", "print the link instead of opening it", |args| args.no_browser = true),
    rows::json_as("print {\"type\": \"dashboard\", \"url\", \"opened\"}, and \"link\" if it was not opened"),
];

pub fn help() -> VerbHelp {
    VerbHelp::new(
        "
  everkey dashboard

Usage: everkey dashboard [OPTIONS]

Opens the dashboard in your browser. As a service (`everkey agent install`) it
has an address that stays, so a bookmark works. Without one this command runs
it until Ctrl-C; Enter opens it once more, with a new link.

Options:
{options}

It answers on this machine only, to your user only, and to the browser that was
opened: the link that lets it in works once. No token is ever on a page.
",
        OPTIONS,
    )
}

pub fn run(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read_options(OPTIONS)?;
    Ok(watch(&parsed.own, parsed.shared.json)?)
}

fn watch(args: &Args, json: bool) -> Result<ExitCode, Failure> {
    let places = environment::places()?;
    browser::sweep(&places.runtime);
    // The page reports it, too, and goes on when there is an agent again.
    if let Err(failure) = Agent::connect() {
        output::error_line(format_args!(
            "{} {}",
            output::plain(&failure.message),
            output::plain(&hint_text(&failure.hint))
        ));
    }
    if let Some(way_in) = way_in(&places)? {
        let mut view = View::new(args, json, &places.runtime, Stay::ByItself);
        view.show(&way_in.link);
        if view.file.is_some() {
            way_in.until_used(FILE_TIME);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let (sender, events) = channel();
    let signals = sender.clone();
    interrupt::on_signal(&[SIGINT, SIGTERM, SIGHUP], move || drop(signals.send(DashboardEvent::Ended)))
        .map_err(|e| no_signals(&e))?;
    let mut program = DashboardProgram::start(&sender)?;
    let link = program.first_link(&events)?;
    let mut view = View::new(args, json, &places.runtime, Stay::UntilCtrlC);
    let Some(link) = link else { return Ok(ExitCode::SUCCESS) };
    view.show(&link);
    wait_for_enter(sender);
    loop {
        let next = match &view.file {
            Some((_, until)) => events.recv_timeout(until.saturating_duration_since(Instant::now())),
            None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match next {
            Ok(DashboardEvent::Line(line)) => view.show(&DashboardLink::parse(&line)?),
            Ok(DashboardEvent::Enter) => program.ask_again()?,
            Ok(DashboardEvent::Ended) => return Ok(ExitCode::SUCCESS),
            Err(RecvTimeoutError::Timeout) => view.file = None,
            Ok(DashboardEvent::Gone) | Err(RecvTimeoutError::Disconnected) => return Err(ended()),
        }
    }
}

fn wait_for_enter(sender: Sender<DashboardEvent>) {
    if !prompt::can_read_stdin() {
        return;
    }
    thread::spawn(move || {
        while let Ok(Some(_)) = prompt::line() {
            if sender.send(DashboardEvent::Enter).is_err() {
                return;
            }
        }
    });
}

/// What the person sees.
struct View<'a> {
    json: bool,
    no_browser: bool,
    folder: &'a Path,
    /// The file that a browser was opened on, and until when it stays.
    file: Option<(NamedTempFile, Instant)>,
    /// Whether it has been printed where the page is and how it ends.
    explained: bool,
    stay: Stay,
}

/// How long a dashboard is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stay {
    /// As long as this command.
    UntilCtrlC,
    /// Whenever somebody comes.
    ByItself,
}

impl<'a> View<'a> {
    fn new(args: &Args, json: bool, folder: &'a Path, stay: Stay) -> Self {
        Self { json, no_browser: args.no_browser, folder, file: None, explained: false, stay }
    }

    fn show(&mut self, link: &DashboardLink) {
        self.file = None;
        if !self.no_browser {
            let file = browser::open_dashboard(&link.whole, self.folder);
            self.file = file.map(|file| (file, Instant::now() + FILE_TIME));
        }
        let opened = self.file.is_some();
        if self.json {
            let mut line = json!({ "type": "dashboard", "url": link.origin, "opened": opened });
            if !opened {
                line["link"] = json!(link.whole);
            }
            return output::json(&line);
        }
        let first = !std::mem::replace(&mut self.explained, true);
        if first {
            output::line(format_args!("Dashboard: {}", link.origin));
        }
        match (opened, first) {
            (true, true) => output::line(match self.stay {
                Stay::UntilCtrlC => "It is open in your browser. Enter opens it once more, Ctrl-C ends it.",
                Stay::ByItself => {
                    "It is open in your browser. The address stays the same, so a bookmark works."
                }
            }),
            (true, false) => output::line("Opened once more."),
            (false, _) => {
                if !self.no_browser {
                    output::line("No browser could be opened.");
                }
                output::line("Open this link, which works once and for two minutes:");
                output::line(format_args!("  {}", link.whole));
                if first && self.stay == Stay::UntilCtrlC {
                    output::line("Enter makes another one, Ctrl-C ends the dashboard.");
                }
            }
        }
    }
}

fn no_signals(e: &io::Error) -> Failure {
    Failure::new(Code::Storage, format!("Can't listen for Ctrl-C: {e}."), "Try again.")
}
