//! The help pages.

/// `everkey --help`
pub const MAIN: &str = "\
everkey: sign in once and stay signed in

Usage: everkey [auth] COMMAND [OPTIONS]

  login       sign in; asks for your email address and the code sent to it
  whoami      who is signed in (exit 1: nobody)
  status      server, user, token, expiry and state
  token       print a valid access token, nothing else
  refresh     refresh the session now
  logout      sign out here at once, then tell the api-server
  agent       start, stop, status or logs of the agent behind it all

Options:
  -p, --profile NAME     the account (default: failproofai)
      --server URL       the api-server to sign in at (also FAILPROOF_API_URL)
      --json             answers for programs, one JSON object a line
      --min-validity D   token: valid for at least 90s, 5m, 1h ...
      --refused -        token: another one than the one on stdin, which got a 401
      --force            refresh: even if the last one was just now
  -h, --help             this page
  -V, --version          the version

Try it:
  everkey login
  curl -H \"Authorization: Bearer $(everkey token)\" https://api.befailproof.ai/v0/auth/me

Exit codes: 0 done, 1 not signed in, 2 usage, 3 no agent, 4 no api-server,
5 refused by the api-server, 6 rate limited, 7 local file trouble
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
