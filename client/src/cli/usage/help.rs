//! Help pages: each verb's own text with the lists of its options and verbs, and the general page.

use super::message::spelled;
use super::option::OptionText;
use super::verb::{GroupedVerb, VerbGroup, VerbRow};

/// No line is longer, because a terminal may be no wider.
const WIDTH: usize = 80;

const GENERAL: &str = "\
everkey: sign in once and stay signed in, everywhere

  everkey login
  everkey login --profile dot-ai
  everkey curl /v0/auth/me

Usage: everkey COMMAND [OPTIONS]

Sign in and out (also: everkey auth COMMAND):
{sign-in}

Your accounts:
{accounts}

What is going on:
{watching}

Options that most commands take:
  -p, --profile NAME  the account (or set EVERKEY_PROFILE, or use a link)
      --server URL    fail unless this is its server; at login, sign in there
      --json          print JSON, one object a line
  -h, --help          this page; `everkey COMMAND --help` for a command's own
  -V, --version       the version

Environment:
  EVERKEY_PROFILE     the account that commands without --profile mean
  EVERKEY_HOME        keep everything under this folder, for trials
  NO_COLOR            no colour; CLICOLOR_FORCE=1 has colour without a terminal

Exit codes: 0 done, 1 not signed in, 2 usage, 3 no agent, 4 no api-server,
5 refused by the api-server, 6 rate limited, 7 local file trouble
";

/// `everkey --help`
pub fn general(table: &[GroupedVerb]) -> String {
    let list = |group| of_group(table, group);
    GENERAL
        .replace("{sign-in}", &list(VerbGroup::SignIn))
        .replace("{accounts}", &list(VerbGroup::Accounts))
        .replace("{watching}", &list(VerbGroup::Watching))
}

const AUTH: &str = "\
everkey auth: sign in and out

  everkey auth login
  everkey auth logout

Usage: everkey auth COMMAND [OPTIONS]

Commands, which mean the same without `auth`:
{commands}

`everkey --help` lists all commands.
";

/// `everkey auth --help`
pub fn of_auth(table: &[GroupedVerb]) -> String {
    AUTH.replace("{commands}", &of_group(table, VerbGroup::SignIn))
}

fn of_group(table: &[GroupedVerb], group: VerbGroup) -> String {
    let rows = table.iter().filter(|(of, _)| *of == group);
    columns(&rows.map(|(_, row)| (row.name.to_owned(), row.summary)).collect::<Vec<_>>())
}

/// The page of the verb that these rows lead to.
pub fn of_verb(path: &[&VerbRow]) -> String {
    let Some(row) = path.last() else { return String::new() };
    let help = (row.help)();
    let commands: Vec<_> = row.verbs().iter().map(|verb| (verb.name.to_owned(), verb.summary)).collect();
    let options: Vec<_> = help.options.iter().map(|option| (written(option), option.help)).collect();
    let text = help.text.replace("{commands}", &columns(&commands)).replace("{options}", &columns(&options));
    format!("everkey {}: {}\n{text}", spelled(path), row.summary)
}

/// `-p, --profile NAME`
fn written(option: &OptionText) -> String {
    let short = option.short.map_or_else(|| "    ".to_owned(), |short| format!("-{short}, "));
    let value = option.value.map(|value| format!(" {value}")).unwrap_or_default();
    format!("{short}--{}{value}", option.name)
}

/// Two columns, the right one wrapped.
fn columns(rows: &[(String, &str)]) -> String {
    let left = rows.iter().map(|(left, _)| left.chars().count()).max().unwrap_or(0);
    let lines = rows.iter().flat_map(|(name, text)| {
        let texts = wrapped(text, WIDTH - left - 4);
        let names = std::iter::once(name.as_str()).chain(std::iter::repeat(""));
        names.zip(texts).map(|(name, text)| format!("  {name:<left$}  {text}")).collect::<Vec<_>>()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Text in lines that are no longer, unless a word is.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
