//! `everkey curl`: curl with the account's token, to the account's own server and to no other.

use crate::cli::context::Context;
use crate::cli::curl_program::{Way, show};
use crate::cli::terminal::progress;
use crate::cli::usage::error::VerbError;
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::VerbHelp;
use crate::cli::usage::word_kind::WordKind;
use everkey_client::{Failure, Hint, Secret};
use everkey_proto::Code;
use std::process::ExitCode;
use std::time::Duration;

/// Options for curl, as curl has them. A list of our own, because another address among them would get the token, too.
#[derive(Default)]
struct Args {
    curl: Vec<String>,
}

impl Args {
    fn add(&mut self, option: &str, value: String) -> Result<(), String> {
        if value.starts_with("@-") || (option == "--header" && value.starts_with('@')) {
            return Err(format!("{option} takes no {value:?}: the token comes to curl on standard input"));
        }
        self.curl.extend([option.to_owned(), value]);
        Ok(())
    }
}

const OPTIONS: &[VerbOption<Args>] = &[
    VerbOption::<Args>::value("request", "METHOD", "POST, DELETE ... instead of GET", |args, method| {
        args.add("--request", method)
    })
    .short('X'),
    VerbOption::<Args>::value("data", "DATA", "the body; @FILE reads it from a file", |args, data| {
        args.add("--data", data)
    })
    .short('d'),
    VerbOption::<Args>::value("header", "\"A: B\"", "one more header", |args, header| {
        args.add("--header", header)
    })
    .short('H'),
    VerbOption::<Args>::value("output", "FILE", "write the answer there", |args, file| {
        args.add("--output", file)
    })
    .taking(WordKind::File)
    .short('o'),
    VerbOption::<Args>::flag("include", "show the answer's headers, too", |args| {
        args.curl.push("--include".to_owned());
    })
    .short('i'),
    VerbOption::<Args>::flag("fail", "exit 22 where the server answers with an error", |args| {
        args.curl.push("--fail-with-body".to_owned());
    })
    .short('f'),
    rows::profile(),
    rows::server(),
    rows::api(),
    rows::server_url(),
];

pub fn help() -> VerbHelp {
    VerbHelp::new(
        "
  everkey curl /v0/auth/me
  everkey curl /v0/reminders -X POST -H 'Content-Type: application/json' \\
    -d '{\"in_days\": 7}'

Usage: everkey curl PATH [OPTIONS]

Asks the account's own server with a valid token, which no argument of a program
and no other server gets to see. PATH begins with a slash, or is a whole address
at that server. Redirects are not followed, ~/.curlrc is not read, and the exit
code is curl's.

No proxy is asked for a server on this machine. On the way to any other,
`ca_file`, `proxy` and `no_proxy` of the account count; where they say nothing,
HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE and SSL_CERT_DIR of this command do.

Options:
{options}

For curl's other options, or another program:

  server=$(everkey status --json | jq -r .server)
  everkey token | sed 's/^/Authorization: Bearer /' | curl -H @- \"$server/me\"
",
        OPTIONS,
    )
}

pub fn run(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read(OPTIONS)?;
    let path = parsed.word("PATH")?.to_owned();
    let context = Context::new(parsed.shared)?;
    let (server, token) = server_and_token(&context).map_err(|failure| context.reword(failure))?;
    let url = address(&server, &path)?;
    let way = Way::to(&url, &context.profile.network)?;
    Ok(show(&url, &parsed.own.curl, &way, &token)?)
}

/// A token, and the server that it is for.
pub fn server_and_token(context: &Context) -> Result<(String, Secret), Failure> {
    let mut agent = context.agent()?;
    let mut client = context.client(&mut agent);
    let server = client.status()?.server;
    if let Some(given) = context.given_token()? {
        // A token from outside goes to the server that is named with it.
        return Ok((context.expect().server.unwrap_or(server), given.token));
    }
    let token = progress::during(progress::SERVER, || client.token(Duration::ZERO))?;
    if client.status()?.server != server {
        let message = "Somebody signed in at another server meanwhile; nothing was sent.";
        return Err(Failure::new(Code::AccountChanged, message, Hint::Whoami));
    }
    Ok((server, token.access_token))
}

/// The address of `path`, which is at this server.
fn address(server: &str, path: &str) -> Result<String, Failure> {
    let is_here =
        path.strip_prefix(server).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    if is_here {
        return Ok(path.to_owned());
    }
    if path.starts_with('/') {
        return Ok(format!("{server}{path}"));
    }
    Err(Failure::new(
        Code::BadRequest,
        format!("The token is for {server} and goes nowhere else."),
        "Name a path that begins with a slash, such as /v0/auth/me; --profile names another account.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_to_its_own_server_only() {
        let at = |path: &str| address("https://api.example.com", path).ok();
        assert_eq!(at("/me").as_deref(), Some("https://api.example.com/me"));
        assert_eq!(at("//evil.example/x").as_deref(), Some("https://api.example.com//evil.example/x"));
        let whole = "https://api.example.com/me?x=1";
        assert_eq!(at(whole).as_deref(), Some(whole));
        for elsewhere in [
            "me",
            "https://api.example.com.evil.example/",
            "https://api.example.com@evil.example/",
            "https://api.example.com:444/",
            "http://api.example.com/",
            "evil.example",
            "-x",
            "",
        ] {
            assert_eq!(at(elsewhere), None, "{elsewhere}");
        }
    }
}
