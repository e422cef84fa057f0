//! The help pages.

/// The page for these words.
pub fn page(words: &[&str]) -> &'static str {
    match words.iter().find(|word| !matches!(**word, "help" | "auth")).copied() {
        Some("agent") => AGENT,
        Some("profile") => PROFILE,
        Some("login" | "answer") => LOGIN,
        Some("link" | "unlink") => LINK,
        Some("config") => CONFIG,
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

Your accounts:
  profile     list, show, add, use or remove accounts
  link        call everkey by an account's name: `everkey link achilles`
  unlink      take such a link away

The program behind it:
  agent       start, stop, status or logs

Options:
  -p, --profile NAME     the account (also EVERKEY_PROFILE, or a link's name)
      --server URL       the server to count on; at login, the one to sign in at
      --token T, -       whoami, status, token: this token (- reads stdin), for binboi and dot-ai
      --explain          whoami: where account, server and token come from
      --json             answers for programs, one JSON object a line
      --min-validity D   token: valid for at least 90s, 5m, 1h ...
      --refused -        token: another one than the one on stdin, which got a 401
      --force            refresh: even if the last one was just now
  -h, --help             this page; `everkey COMMAND --help` for login, profile, link, agent
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
