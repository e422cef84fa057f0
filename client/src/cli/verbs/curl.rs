//! `everkey curl`: curl with the account's token, to the account's own server and to no other.

use crate::cli::context::Context;
use crate::cli::usage::error::VerbError;
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::VerbHelp;
use everkey_client::{Failure, Hint, Secret, environment};
use everkey_config::network::NetworkSettings;
use everkey_guard::certificates;
use everkey_proto::Code;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use zeroize::Zeroizing;

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
    Ok(curl(&url, &parsed.own.curl, &way, &token)?)
}

/// A token, and the server that it is for.
fn server_and_token(context: &Context) -> Result<(String, Secret), Failure> {
    let mut agent = context.agent()?;
    let mut client = context.client(&mut agent);
    let server = client.status()?.server;
    if let Some(given) = context.given_token()? {
        // A token from outside goes to the server that is named with it.
        return Ok((context.expect().server.unwrap_or(server), given.token));
    }
    let token = client.token(Duration::ZERO)?;
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

/// What curl is told of the way to the server, by options and on its standard input.
#[derive(Default)]
struct Way {
    options: Vec<OsString>,
    /// It may hold a password.
    proxy: Option<Secret>,
    _certificates: Option<TempDir>,
}

impl Way {
    fn to(url: &str, network: &NetworkSettings) -> Result<Self, Failure> {
        let mut way = Self::default();
        if !url.starts_with("https://") {
            // Plain http never leaves this machine, and a proxy would read the token.
            way.option("--noproxy", "*");
            return Ok(way);
        }
        way.proxy.clone_from(&network.proxy);
        if let Some(hosts) = &network.no_proxy {
            way.option("--noproxy", hosts);
        }
        if let Some(texts) = trusted(network)? {
            way.trust(&texts).map_err(|e| unusable("a temporary folder", &e.to_string()))?;
        }
        Ok(way)
    }

    fn option(&mut self, option: &str, value: impl Into<OsString>) {
        self.options.extend([option.into(), value.into()]);
    }

    /// These and no others: a folder of certificates is built into curl, too.
    fn trust(&mut self, texts: &[Zeroizing<String>]) -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("certificates.pem");
        let all: Vec<&str> = texts.iter().map(|text| text.as_str()).collect();
        std::fs::write(&file, all.join("\n"))?;
        self.option("--cacert", file);
        self.option("--capath", folder.path());
        self._certificates = Some(folder);
        Ok(())
    }
}

/// The certificates that are trusted in place of the system's, as the agent finds them; one that can be used is enough.
fn trusted(network: &NetworkSettings) -> Result<Option<Vec<Zeroizing<String>>>, Failure> {
    let of_variable = |name| environment::path(name).map(|path| (name, path));
    let named: Vec<_> = match &network.ca_file {
        Some(file) => vec![("ca_file", PathBuf::from(file))],
        None => ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().filter_map(of_variable).collect(),
    };
    let read = |(name, path): &(&str, PathBuf)| {
        let texts = match *name {
            "SSL_CERT_DIR" => {
                let folders = std::env::split_paths(path).filter(|folder| !folder.as_os_str().is_empty());
                let read = folders.map(|folder| certificates::in_folder(&folder));
                read.collect::<Result<Vec<_>, _>>().map(|all| all.into_iter().flatten().collect())
            }
            _ => certificates::in_file(path).map(|text| vec![text]),
        };
        texts.map_err(|why| unusable(&format!("{name}, {}", path.display()), &why.to_string()))
    };
    let (good, wrong): (Vec<_>, Vec<_>) = named.iter().map(read).partition(Result::is_ok);
    let good: Vec<_> = good.into_iter().flatten().flatten().collect();
    match wrong.into_iter().find_map(Result::err) {
        Some(why) if good.is_empty() => Err(why),
        _ => Ok((!named.is_empty()).then_some(good)),
    }
}

fn unusable(what: &str, why: &str) -> Failure {
    Failure::new(Code::Offline, format!("Can't use {what}: {why}."), "Mend that; nothing was sent.")
}

/// A line of curl's own configuration.
fn line(option: &str, value: &Secret) -> Secret {
    let quoted = value.expose().replace(['\n', '\r'], "").replace('\\', "\\\\").replace('"', "\\\"");
    Secret::new(format!("{option} = \"{quoted}\"\n"))
}

fn curl(url: &str, options: &[String], way: &Way, token: &Secret) -> Result<ExitCode, Failure> {
    let mut command = Command::new("curl");
    // A file of options could name other addresses.
    command.args(["--disable", "--silent", "--show-error", "--globoff", "--config", "-"]);
    command.args(options).args(&way.options).args(["--url", url]).stdin(Stdio::piped());
    // What is not judged here is not trusted.
    for name in ["CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"] {
        command.env_remove(name);
    }
    let mut child = command.spawn().map_err(|e| no_curl(&e))?;
    hand_over(&mut child, way, token).map_err(|e| no_curl(&e))?;
    let status = child.wait().map_err(|e| no_curl(&e))?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

/// On standard input, where no other program sees it.
fn hand_over(child: &mut Child, way: &Way, token: &Secret) -> std::io::Result<()> {
    let bearer = Secret::new(format!("Authorization: Bearer {}", token.expose()));
    let lines = [way.proxy.as_ref().map(|proxy| line("proxy", proxy)), Some(line("header", &bearer))];
    let Some(mut stdin) = child.stdin.take() else { return Ok(()) };
    lines.iter().flatten().try_for_each(|line| stdin.write_all(line.expose().as_bytes()))
}

fn no_curl(e: &std::io::Error) -> Failure {
    Failure::new(Code::Storage, format!("Can't run curl: {e}."), "Install curl, or use `everkey token`.")
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
