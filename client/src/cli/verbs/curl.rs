//! `everkey curl`: curl with the account's token, to the account's own server and to no other.

use crate::cli::context::Context;
use crate::cli::terminal::progress;
use crate::cli::usage::error::VerbError;
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::VerbHelp;
use crate::cli::usage::word_kind::WordKind;
use everkey_client::{Failure, Hint, Secret};
use everkey_config::network::NetworkSettings;
use everkey_guard::file;
use everkey_proto::Code;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
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
    let settings = settings(&url, &token, &context.profile.network)?;
    Ok(curl(&url, &parsed.own.curl, &settings)?)
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

/// What a server answered; the status is 0 where it did not, and curl says why.
pub struct Transfer {
    pub status: u16,
    pub body: Vec<u8>,
    pub complaint: String,
}

/// Asks for an answer to be read here.
pub fn transfer(url: &str, options: &[String], settings: &Secret) -> Result<Transfer, Failure> {
    let mut command = command(url, options);
    command.args(["--write-out", "\n%{http_code}"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| no_curl(&e))?;
    hand_over(&mut child, settings).map_err(|e| no_curl(&e))?;
    let mut output = child.wait_with_output().map_err(|e| no_curl(&e))?;
    let end = output.stdout.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
    let status = output.stdout.split_off(end);
    let status = String::from_utf8_lossy(&status).trim().parse().unwrap_or(0);
    // An answer that broke off is none.
    let status = if output.status.success() { status } else { 0 };
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(Transfer { status, body: output.stdout, complaint })
}

fn command(url: &str, options: &[String]) -> Command {
    let mut command = Command::new("curl");
    // A file of options could name other addresses.
    command.args(["--disable", "--silent", "--show-error", "--globoff", "--config", "-"]);
    command.args(options).args(["--url", url]).stdin(Stdio::piped());
    command
}

fn curl(url: &str, options: &[String], settings: &Secret) -> Result<ExitCode, Failure> {
    let mut command = command(url, options);
    let mut child = command.spawn().map_err(|e| no_curl(&e))?;
    hand_over(&mut child, settings).map_err(|e| no_curl(&e))?;
    let status = child.wait().map_err(|e| no_curl(&e))?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

/// What curl reads on standard input: the token, and what lies between here and the server, as the agent has it. Plain http
/// never leaves this machine, so no proxy may see it.
pub fn settings(url: &str, token: &Secret, network: &NetworkSettings) -> Result<Secret, Failure> {
    let mut lines = vec![("header", Secret::new(format!("Authorization: Bearer {}", token.expose())))];
    if url.starts_with("https:") {
        if let Some(file) = &network.ca_file {
            check_trusted(file)?;
            lines.push(("cacert", Secret::new(file)));
        }
        lines.extend(network.proxy.clone().map(|proxy| ("proxy", proxy)));
        lines.extend(network.no_proxy.as_ref().map(|list| ("noproxy", Secret::new(list))));
    } else {
        lines.push(("noproxy", Secret::new("*")));
    }
    let written = lines.iter().map(|(name, value)| {
        let value = Secret::new(value.expose().replace(['\\', '"', '\n', '\r'], ""));
        Secret::new(format!("{name} = \"{}\"\n", value.expose()))
    });
    Ok(written.fold(Secret::new(""), |all, line| Secret::new([all.expose(), line.expose()].concat())))
}

/// Whoever can write the certificates decides who gets the token.
fn check_trusted(file: &str) -> Result<(), Failure> {
    let why = match file::read_trusted(Path::new(file)) {
        Ok(Some(_)) => return Ok(()),
        Ok(None) => "it is not there".to_owned(),
        Err(why) => why.to_string(),
    };
    let what = format!("ca_file of the profile, {file}: {why}.");
    Err(Failure::new(Code::Storage, what, "Nothing was sent. Mend that, or the profile in config.toml."))
}

/// On standard input, where no other program sees it.
fn hand_over(child: &mut Child, settings: &Secret) -> std::io::Result<()> {
    child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(settings.expose().as_bytes()))
}

fn no_curl(e: &std::io::Error) -> Failure {
    Failure::new(Code::Storage, format!("Can't run curl: {e}."), "Install curl, or use `everkey token`.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_sees_plain_http_and_a_profiles_proxy_https() {
        let proxy = Some(Secret::new("http://ada:hunter2@proxy:3128"));
        let network = NetworkSettings { proxy, no_proxy: Some(".corp".to_owned()), ca_file: None };
        let said = |url: &str| settings(url, &Secret::new("t\"\n"), &network).unwrap();
        let header = "header = \"Authorization: Bearer t\"\n";
        assert_eq!(said("http://127.0.0.1:1/x").expose(), format!("{header}noproxy = \"*\"\n"));
        let https = format!("{header}proxy = \"http://ada:hunter2@proxy:3128\"\nnoproxy = \".corp\"\n");
        assert_eq!(said("https://a.example/x").expose(), https);
        let network = NetworkSettings { ca_file: Some("/nowhere/ca.pem".to_owned()), ..network };
        assert!(settings("https://a.example", &Secret::new("t"), &network).is_err());
    }

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
