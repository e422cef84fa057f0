//! The help pages.

/// The page for these words.
pub fn page(words: &[&str]) -> &'static str {
    match words.iter().find(|word| !matches!(**word, "help" | "auth")).copied() {
        Some("agent") => AGENT,
        Some("profile") => PROFILE,
        Some("login" | "answer") => LOGIN,
        Some("link" | "unlink") => LINK,
        Some("config") => CONFIG,
        Some("reminder") => REMINDER,
        Some("events") => EVENTS,
        Some("dashboard") => DASHBOARD,
        Some(_) | None => MAIN,
    }
}

/// `everkey --help`
pub const MAIN: &str = "\
everkey: sign in once and stay signed in, everywhere

Usage: everkey COMMAND [OPTIONS]        (also: everkey auth COMMAND)

Your account:
  login       sign in: code by email, device code, browser or token
  whoami      who is signed in (exit 1: nobody)
  status      server, user, token, expiry and state
  token       print a valid access token, nothing else
  refresh     refresh the session now
  logout      sign out here at once, then tell the server
  reminder    set, get or clear the re-audit reminder

Your accounts:
  profile     list, show, add, use or remove accounts
  link        call everkey by an account's name: `everkey link achilles`
  unlink      take such a link away

What is going on:
  dashboard   all of it in your browser
  events      follow what happens: sign-ins, refreshes, tokens handed out
  agent       the program behind it: start, stop, status or logs

Options:
  -p, --profile NAME     the account (also EVERKEY_PROFILE, or a link's name)
      --server URL       the server to count on; at login, the one to sign in at
      --token T, -       whoami, status, token: this token (- reads stdin), for binboi and dot-ai
      --explain          whoami: where account, server and token come from
      --json             answers for programs, one JSON object a line
      --min-validity D   token: valid for at least 90s, 5m, 1h ...
      --refused -        token: another one than the one on stdin, which got a 401
      --force            refresh: even if the last one was just now
  -h, --help             this page; `everkey COMMAND --help` for login, profile,
                         link, reminder, events, dashboard, agent
  -V, --version          the version

Try it:
  everkey login
  everkey login --profile dot-ai
  curl -H \"Authorization: Bearer $(everkey token)\" https://api.befailproof.ai/v0/auth/me

Exit codes: 0 done, 1 not signed in, 2 usage, 3 no agent, 4 no api-server,
5 refused by the api-server, 6 rate limited, 7 local file trouble
";

/// `everkey login --help`
pub const LOGIN: &str = "\
everkey login: sign in

Usage: everkey login [OPTIONS]

What happens depends on the account:
  failproofai   asks for your email address, then for the code sent to it
  achilles      shows an address and a code; approve it in any browser
  dot-ai        opens your browser and waits for it to come back
  binboi        takes an access token from its dashboard
  oauth         browser, or device code with --scheme device

Options:
  -p, --profile NAME    the account (see `everkey profile list`)
      --server URL      the server to sign in at
      --scheme S        browser or device, where the server has both
      --no-browser      print the address; paste the one that the browser ends at
      --token -         binboi: read the token from standard input
      --token T         the same, but other users can see it while this runs
      --json            one JSON object a line; answer with lines on standard input

A sign-in outlives this command: stop it with Ctrl-C and run it again to go on.
From another terminal: everkey auth answer FLOW

Try it:
  everkey login --profile achilles
  everkey login --profile binboi --token - < token.txt
  everkey login --profile work --scheme device
";

/// `everkey profile --help`
pub const PROFILE: &str = "\
everkey profile: your accounts

Usage: everkey profile COMMAND

  list           all of them; * marks the one in use
  show [NAME]    what one is made of
  add NAME       a new one (options below)
  use NAME       the one that is meant from now on
  remove NAME    away with it; log out first, or --force

failproofai, achilles, binboi and dot-ai are always there.

Options of `add`:
      --provider P           oauth, failproofai, achilles, binboi or dot-ai
      --server URL           its server (not for oauth)
      --issuer URL           oauth: the issuer; endpoints are found from there
      --client-id ID         oauth: without it, everkey registers itself
      --client-secret-file F oauth: a file that holds the client's secret
      --scope \"A B\"          oauth: what to ask for
      --scheme S             browser or device
      --session-file PATH    where the session is kept, if not in everkey's folder

They are kept in config.toml (`everkey profile show` says where), which you may edit; there an
oauth server without an issuer can be given as token_endpoint, authorization_endpoint and so on.

Try it:
  everkey profile add work --provider oauth --issuer https://id.example.com
  everkey login --profile work
  everkey profile add staging --provider failproofai --server https://staging.example.com

Two terminals, two accounts: export EVERKEY_PROFILE=work in one of them.
";

/// `everkey link --help`
pub const LINK: &str = "\
everkey link: call everkey by an account's name

Usage: everkey link NAME [--dir DIR]
       everkey unlink NAME [--dir DIR]

Makes a link named NAME to this program, so that `achilles login` or `dot-ai auth status`
works as that tool's documents say. NAME is a profile (see `everkey profile list`).
The link goes beside everkey if that folder can be written to, else into ~/.local/bin.
Nothing that is not such a link is ever overwritten or removed.

Try it:
  everkey link achilles
  achilles login
";

/// `everkey reminder --help`
pub const REMINDER: &str = "\
everkey reminder: be reminded to audit again

Usage: everkey reminder COMMAND [OPTIONS]

  set      set it, in place of the one there is
  get      when it is due, and whether the api-server knows it
  clear    away with it

Options of `set`:
      --in-days N    in so many days, 1 to 365 (default 7)
      --at TIME      at this time, at most 365 days ahead: 2026-12-01 (at 9 in the morning),
                     2026-12-01T09:00 or \"2026-12-01 09:00\" (both here),
                     2026-12-01T09:00Z or 2026-12-01T09:00+01:00

The reminder is failproofai's, and belongs to whoever is signed in: somebody else who signs in
does not see it. It is kept here first; the api-server is told as soon as it can be reached.
When it is due you get a notification, `everkey auth status` says so, and so does `everkey events`;
it stays due until it is set anew or cleared.

For programs, --json prints {\"reminder\": {\"at\", \"email\", \"set_at\", \"due\", \"upstream\"}}, times in
unix seconds, or {\"reminder\": null}. That there is none is no error (exit 0); that nobody is
signed in is one (exit 1).

Try it:
  everkey reminder set --in-days 30
  everkey reminder get
";

/// `everkey events --help`
pub const EVENTS: &str = "\
everkey events: follow what happens

Usage: everkey events [--past] [--json] [--profile NAME]

Prints a line whenever somebody signs in or out, a session is refreshed, can't be refreshed or
needs a new sign-in, another program's session file is taken over, a token is handed to a program,
or a reminder is set, cleared or due. Goes on until Ctrl-C, or until nobody reads its output (exit 0).

Options:
      --past             first what has happened since the agent started, the last 500 of it
  -p, --profile NAME     about this account only
      --json             one JSON object a line, as proto/README.md describes them

If the agent ends, or you read so slowly that events had to be left out, it says so: exit 3.

Try it:
  everkey events --past
  everkey events --json | jq -r 'select(.event == \"handed\") | .program'
";

/// `everkey dashboard --help`
pub const DASHBOARD: &str = "\
everkey dashboard: your sessions, reminder and what happens, in your browser

Usage: everkey dashboard [--no-browser] [--json]

Runs everkey-dashboard, opens it in your browser and stays until Ctrl-C, which ends it. It answers
on this machine only, to your user only, and to the browser that was opened: the link that lets it
in works once. Enter opens it once more, with a new link. No token is ever on a page.

Options:
      --no-browser    print the link instead of opening it
      --json          {\"type\": \"dashboard\", \"url\", \"opened\"}, and \"link\" if it was not opened
";

/// `everkey config --help`
pub const CONFIG: &str = "\
achilles config: achilles' own profiles, in ~/.achilles/config.json

Usage: achilles config COMMAND          (also: everkey -p achilles config COMMAND)

  list                  all of them; * marks the one in use
  use PROFILE           the one that is meant from now on
  get server_url        the server of the one in use
  set server_url URL    another server for it; sign in again there afterwards
";

/// `everkey agent --help`
pub const AGENT: &str = "\
everkey agent: the background process that owns your sign-ins

Usage: everkey agent COMMAND

  start       start it if none runs (every other command does so by itself)
  stop        have it finish what is under way and exit
  status      its version, process, socket and folder
  logs        print its log
";
