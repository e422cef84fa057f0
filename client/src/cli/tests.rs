//! The table of verbs as a whole: its help pages, and the command lines that documents and people write.

use crate::cli::usage::command_line::CommandLine;
use crate::cli::usage::dispatch::{Task, WrongUsage, task};
use crate::cli::usage::error::VerbError;
use crate::cli::usage::help;
use crate::cli::usage::message::{message, spelled};
use crate::cli::usage::option::Arguments;
use crate::cli::usage::verb::{Action, VerbRow};
use crate::cli::verbs::VERBS;
use lexopt::Parser;
use std::collections::BTreeMap;

fn line(text: &str) -> Result<CommandLine, String> {
    CommandLine::read(Parser::from_args(text.split_whitespace()), VERBS)
}

fn task_of(text: &str) -> Result<Task, WrongUsage> {
    task(line(text).unwrap(), VERBS)
}

/// The verb that a command line runs.
fn verb(text: &str) -> String {
    match task_of(text) {
        Ok(Task::Run { path, .. }) => spelled(&path),
        Ok(Task::Print(_) | Task::Begin) => panic!("{text} prints a page"),
        Err(wrong) => panic!("{text} is wrong: {:?}", wrong.error),
    }
}

fn page(text: &str) -> String {
    match task_of(text) {
        Ok(Task::Print(page)) => page,
        Ok(Task::Begin) => panic!("{text} says where to begin"),
        Ok(Task::Run { path, .. }) => panic!("{text} runs {}", spelled(&path)),
        Err(wrong) => panic!("{text} is wrong: {:?}", wrong.error),
    }
}

/// What a wrong command line is answered with; options and words are read by the verb, so it is run, which must end
/// before it does anything.
fn complaint(text: &str) -> String {
    let line = match line(text) {
        Ok(line) => line,
        Err(sentence) => return sentence,
    };
    let wrong = match task(line, VERBS) {
        Err(wrong) => wrong,
        Ok(Task::Run { path, run, arguments }) => match run(arguments) {
            Err(VerbError::Usage(error)) => WrongUsage { error, path },
            Err(VerbError::Failure(failure)) => panic!("{text} ran: {failure:?}"),
            Ok(_) => panic!("{text} ran"),
        },
        Ok(Task::Print(page)) => panic!("{text} prints {page}"),
        Ok(Task::Begin) => panic!("{text} says where to begin"),
    };
    let top: Vec<&VerbRow> = VERBS.iter().map(|(_, row)| row).collect();
    message(&wrong.error, &wrong.path, &top)
}

/// Every verb with the verbs before it.
fn paths() -> Vec<Vec<&'static VerbRow>> {
    let mut paths = Vec::new();
    for (_, row) in VERBS {
        paths.push(vec![row]);
        paths.extend(row.verbs().iter().map(|inner| vec![row, inner]));
    }
    paths
}

#[test]
fn every_verb_has_a_page_that_starts_with_an_example() {
    for path in paths() {
        let verb = spelled(&path);
        let page = page(&format!("{verb} --help"));
        let mut lines = page.lines();
        let title = lines.next().unwrap();
        assert_eq!(title, format!("everkey {verb}: {}", path.last().unwrap().summary));
        assert_eq!(lines.next(), Some(""), "{verb}");
        assert!(lines.next().unwrap().starts_with("  "), "{verb}: the example");
        assert!(page.contains("\nUsage: "), "{verb}");
        for text in [format!("help {verb}"), format!("{verb} -h"), format!("--help {verb}")] {
            assert_eq!(self::page(&text), page, "{text}");
        }
    }
}

#[test]
fn every_line_of_help_fits_80_columns() {
    let pages = paths().into_iter().map(|path| help::of_verb(&path));
    for page in pages.chain([help::general(VERBS)]) {
        for line in page.lines() {
            assert!(line.chars().count() <= 80, "{line}");
            assert!(!line.contains('{') || !line.contains("s}"), "a mark is left: {line}");
            assert_eq!(line, line.trim_end());
        }
    }
}

#[test]
fn the_general_page_names_every_verb() {
    let general = help::general(VERBS);
    for (_, row) in VERBS {
        assert!(
            general.contains(&format!("\n  {} ", row.name)) && general.contains(row.summary),
            "{}",
            row.name
        );
    }
}

/// The page's options are the parser's by construction; this would notice a page that leaves the list out.
#[test]
fn a_page_lists_exactly_the_options_that_its_verb_takes() {
    let every: Vec<&str> = paths().iter().flat_map(|path| option_names(path)).collect();
    for path in paths() {
        let page = help::of_verb(&path);
        let listed: Vec<&str> = page
            .lines()
            .filter(|line| line.starts_with("  -") || line.starts_with("      --"))
            .filter_map(|line| line.split("--").nth(1)?.split(' ').next())
            .collect();
        assert_eq!(listed, option_names(&path), "{page}");
        let (Action::Run(run) | Action::RunOrVerbs(run, _)) = path.last().unwrap().action else { continue };
        for option in every.iter().filter(|option| !listed.contains(option)) {
            let options = vec![((*option).to_owned(), String::new())];
            let ended = run(Arguments { words: Vec::new(), options });
            assert!(matches!(ended, Err(VerbError::Usage(_))), "{} --{option}", spelled(&path));
        }
    }
}

fn option_names(path: &[&VerbRow]) -> Vec<&'static str> {
    let help = path.last().unwrap().help;
    help().options.iter().map(|option| option.name).collect()
}

#[test]
fn an_option_takes_a_value_everywhere_or_nowhere() {
    let mut taking = BTreeMap::new();
    for path in paths() {
        for option in (path.last().unwrap().help)().options {
            let before = taking.insert(option.name, option.value.is_some());
            assert!(before.is_none_or(|before| before == option.value.is_some()), "--{}", option.name);
        }
    }
}

#[test]
fn every_form_of_a_command_means_the_same() {
    for text in ["auth login", "login", "auth --login", "--login", "--profile dot-ai login --scheme browser"]
    {
        assert_eq!(verb(text), "login", "{text}");
    }
    for text in ["-p failproofai whoami", "--profile=failproofai auth whoami --json", "--json --whoami"] {
        assert_eq!(verb(text), "whoami", "{text}");
    }
    assert!(matches!(task_of(""), Ok(Task::Begin)));
    for text in ["help", "--help", "--json"] {
        assert_eq!(page(text), help::general(VERBS), "{text}");
    }
    for text in ["auth help", "help auth", "auth --help"] {
        assert_eq!(page(text), help::of_auth(VERBS), "{text}");
    }
    for text in ["agent help", "help agent"] {
        assert_eq!(page(text), page("agent --help"), "{text}");
    }
    for text in ["help auth login", "auth login -h", "auth login help", "login extra --help"] {
        assert_eq!(page(text), page("login --help"), "{text}");
    }
    assert_eq!(page("--version login"), page("-V"));
}

#[test]
fn the_tools_commands_are_read_as_their_documents_write_them() {
    for (text, expected) in [
        ("config use production", "config use"),
        ("config get server_url", "config get"),
        ("config set server_url http://a", "config set"),
        ("login --token x", "login"),
        ("auth login --no-browser", "login"),
        ("auth --whoami", "whoami"),
        ("whoami --server-url http://a --token x", "whoami"),
        ("reminder set --in-days 3", "reminder set"),
        ("events --json --past", "events"),
        ("dashboard --no-browser", "dashboard"),
        ("profile add w --provider oauth --issuer https://i --scope=a", "profile add"),
        ("profile add help --provider x", "profile add"),
    ] {
        assert_eq!(verb(text), expected, "{text}");
    }
}

#[test]
fn auth_and_help_list_the_same_verbs() {
    let listed = complaint("auth");
    let listed = listed.split("one of: ").nth(1).and_then(|rest| rest.lines().next()).unwrap_or_default();
    for page in [page("auth --help"), page("--help")] {
        let list = page.split("auth COMMAND").nth(1).unwrap_or_default();
        let list = list.split(":\n").nth(1).unwrap_or_default().split("\n\n").next().unwrap_or_default();
        let names: Vec<_> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(names.join(", "), listed);
    }
}

#[test]
fn a_wrong_command_line_is_refused_with_the_nearest_word() {
    for (text, words) in [
        ("tokn", "there is no command \"tokn\"; did you mean `token`?"),
        ("frob", "there is no command \"frob\""),
        ("help frob", "there is no command \"frob\""),
        ("frob --help", "there is no command \"frob\""),
        ("agent strt", "there is no command \"agent strt\"; did you mean `agent start`?"),
        ("agent frob --help", "`agent` takes one of: start, stop, restart, status, logs"),
        ("agent", "`agent` takes one of: start, stop, restart, status, logs"),
        ("status --jsn", "`status` takes no option --jsn; did you mean --json?"),
        ("--frob", "there is no option --frob"),
        ("-x", "there is no option -x"),
        ("status --hepl", "did you mean --help?"),
        ("auth", "`auth` takes one of: login, whoami, status, token, refresh, logout, answer"),
        ("auth frob", "there is no command \"frob\""),
        ("auth agent stop", "`agent` does not follow `auth`: run `everkey agent`"),
        ("auth profile list", "`profile` does not follow `auth`"),
        ("auth reminder get", "`reminder` does not follow `auth`"),
        ("auth --login --logout", "one command at a time"),
        ("login logout", "one command at a time"),
        ("login extra", "`login` takes no more words"),
        ("whoami --force", "--force belongs to `refresh`, `profile remove`"),
        ("login --min-validity 5", "--min-validity belongs to `token`"),
        ("dashboard -p work", "`dashboard` takes no option --profile"),
        ("token --min-validity x", "is no duration; write 90, 90s, 5m or 1h"),
        ("token --min-validity 99999999h", "is no duration"),
        ("whoami --refused -", "--refused belongs to `token`"),
        ("token --refused secret", "--refused takes `-`"),
        ("token --refused - --min-validity 5", "don't go together"),
        ("answer x", "`answer` takes the number that"),
        ("answer", "`answer` needs FLOW"),
        ("login --scheme magic", "is no scheme"),
        ("login --token x --scheme device", "leave out --scheme"),
        ("whoami --scheme otp", "--scheme belongs to `login`, `profile add`"),
        ("logout --token x", "--token belongs to `login`, `whoami`, `status`, `token`"),
        ("profile", "`profile` takes one of: list, show, add, use, remove"),
        ("profile add", "`profile add` needs the name of a profile"),
        ("profile add a --server x", "needs --provider"),
        ("profile list --issuer x", "--issuer belongs to `profile add`"),
        ("profile show a b", "`profile show` takes no more words"),
        ("link", "`link` needs the name of an account, as in `everkey link achilles`"),
        ("config get", "`config get` takes `server_url`"),
        ("config set server_url", "`config set` takes `server_url URL`"),
        ("config set color red", "and no other key"),
        ("reminder", "`reminder` takes one of: set, get, clear"),
        ("reminder frob", "`reminder` takes one of: set, get, clear"),
        ("reminder set 7", "`reminder` takes one of: set, get, clear"),
        ("reminder set --in-days 0", "no number of days from 1 to 365"),
        ("reminder set --in-days 366", "no number of days from 1 to 365"),
        ("reminder set --in-days x", "no number of days from 1 to 365"),
        ("reminder set --at soon", "is no time"),
        ("reminder set --at 2020-01-01", "is past"),
        ("reminder set --in-days 7 --in-days 8", "don't go together"),
        ("reminder get --in-days 7", "--in-days belongs to `reminder set`"),
        ("events now", "`events` takes no more words"),
        ("events --no-browser", "--no-browser belongs to `login`, `dashboard`"),
        ("whoami --past", "--past belongs to `events`"),
        ("dashboard 80", "`dashboard` takes no more words"),
        ("-p", "missing argument"),
        ("status --json=yes", "unexpected argument"),
    ] {
        let complaint = complaint(text);
        assert!(complaint.contains(words), "{text}: {complaint}");
    }
    assert!(!complaint("fr\u{1b}ob").contains('\u{1b}'));
    for text in ["login binboi_pat_1", "auth token binboi_pat_1", "logout --token binboi_pat_1"] {
        assert!(!complaint(text).contains("binboi_pat_1"), "{text}: a token may be in the wrong place");
    }
}
