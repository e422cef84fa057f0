//! `everkey profile add`

use crate::cli::broken_profiles::{broken_profiles, read_configuration};
use crate::cli::config_file::ConfigFile;
use crate::cli::terminal::output;
use crate::cli::usage::error::{UsageError, VerbError};
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_options::SharedOptions;
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::VerbHelp;
use crate::cli::usage::word_kind::WordKind;
use everkey_client::Failure;
use everkey_config::ProviderKind;
use everkey_proto::Code;
use serde_json::json;
use std::process::ExitCode;

/// What `add`, `use` and `remove` need.
pub const NAME: &str = "the name of a profile";

/// What a new profile is made of: keys of `config.toml` with their values.
#[derive(Default)]
struct AddArgs {
    keys: Vec<(&'static str, String)>,
}

const OPTIONS: &[VerbOption<AddArgs>] = &[
    VerbOption::<AddArgs>::value(
        "provider",
        "P",
        "oauth, failproofai, achilles, binboi or dot-ai",
        |args, provider| args.set("provider", provider),
    )
    .taking(WordKind::OneOf(|| ProviderKind::ALL.iter().map(|kind| kind.as_str()).collect())),
    VerbOption::value("server", "URL", "its server (not for oauth)", |args, url| args.set("server", url)),
    VerbOption::value("issuer", "URL", "oauth: the issuer; endpoints are found from there", |args, url| {
        args.set("issuer", url)
    }),
    VerbOption::value("client-id", "ID", "oauth: without it, everkey registers itself", |args, id| {
        args.set("client_id", id)
    }),
    VerbOption::<AddArgs>::value(
        "client-secret-file",
        "FILE",
        "oauth: a file that holds the client's secret",
        |args, file| args.set("client_secret_file", absolute(&file)?),
    )
    .taking(WordKind::File),
    VerbOption::value("scope", "\"A B\"", "oauth: what to ask for", |args, scope| args.set("scope", scope)),
    VerbOption::<AddArgs>::value("scheme", "S", "browser or device", |args, scheme| {
        args.set("scheme", rows::parse_scheme(&scheme)?.as_str().to_owned())
    })
    .taking(WordKind::OneOf(|| vec!["browser", "device"])),
    VerbOption::<AddArgs>::value(
        "session-file",
        "PATH",
        "where the session is kept, if not in everkey's folder",
        |args, path| args.set("session_file", absolute(&path)?),
    )
    .taking(WordKind::File),
    VerbOption::<AddArgs>::value("ca-file", "FILE", "the certificates to trust, in PEM", |args, file| {
        args.set("ca_file", absolute(&file)?)
    })
    .taking(WordKind::File),
    VerbOption::value("proxy", "URL", "its proxy for https, http://HOST:PORT", |args, url| {
        args.set("proxy", without_password(url)?)
    }),
    VerbOption::value("no-proxy", "HOSTS", "the hosts that no proxy is for; * for all", |args, hosts| {
        args.set("no_proxy", hosts)
    }),
    rows::json(),
];

impl AddArgs {
    /// The last one counts.
    fn set(&mut self, key: &'static str, value: String) -> Result<(), String> {
        self.keys.retain(|(other, _)| *other != key);
        self.keys.push((key, value));
        Ok(())
    }
}

pub fn help() -> VerbHelp {
    VerbHelp::new(
        "
  everkey profile add work --provider oauth --issuer https://id.example.com
  everkey profile add staging --provider failproofai --server https://api.test

Usage: everkey profile add NAME --provider P [OPTIONS]

Options:
{options}

Profiles are kept in config.toml (`everkey profile show` says where), which you
may edit. There an oauth server without an issuer can be given by its endpoints:
token_endpoint, authorization_endpoint and so on; a client whose registered
address is compared to the letter by redirect_host, redirect_port and
redirect_path; what its tokens are to be good for (RFC 8707) by resource.

What --ca-file, --proxy and --no-proxy do not say comes from SSL_CERT_FILE,
SSL_CERT_DIR, HTTPS_PROXY and NO_PROXY where the agent was started; `everkey
status` shows what is in force.
",
        OPTIONS,
    )
}

pub fn add(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read(OPTIONS)?;
    let name = parsed.word(NAME)?;
    if !parsed.own.keys.iter().any(|(key, _)| *key == "provider") {
        let sentence = "`profile add` needs --provider: failproofai, achilles, binboi, dot-ai or oauth";
        return Err(UsageError::Sentence(sentence.to_owned()).into());
    }
    let configuration = read_configuration()?;
    let is_broken = broken_profiles(&configuration).iter().any(|(broken, _)| *broken == name);
    if configuration.config.profiles.contains_key(name) || is_broken {
        return Err(Failure::new(
            Code::BadRequest,
            format!("There is already a profile {name:?} in {}.", configuration.places.config.display()),
            "Take another name, or remove that one first: `everkey profile remove`.",
        )
        .into());
    }
    let mut file = ConfigFile::open(&configuration.places.config)?;
    file.add(name, &parsed.own.keys)?;
    file.save()?;
    let hint = format!("Sign in with: everkey login --profile {name}");
    print_done(&parsed.shared, "added", name, false, &hint);
    Ok(ExitCode::SUCCESS)
}

/// A path as the shell gave it, from / or ~/ on. The error is the sentence for the user.
fn absolute(path: &str) -> Result<String, String> {
    if path.starts_with("~/") {
        return Ok(path.to_owned());
    }
    let path = std::path::absolute(path).ok().and_then(|path| path.into_os_string().into_string().ok());
    path.ok_or_else(|| "that is no path that can be kept; write it in UTF-8".to_owned())
}

/// Every program of the machine can read arguments. The error is the sentence for the user.
fn without_password(proxy: String) -> Result<String, String> {
    if proxy.contains('@') {
        return Err(
            "a name and a password are for nobody else to see; write them into config.toml".to_owned()
        );
    }
    Ok(proxy)
}

/// Says what was done to a profile.
pub fn print_done(options: &SharedOptions, done: &str, name: &str, restarted: bool, hint: &str) {
    if options.json {
        return output::json(&json!({ "profile": name, "done": done, "agent_started_anew": restarted }));
    }
    output::line(format_args!("Profile {} is {done}.", output::plain(name)));
    if !hint.is_empty() {
        output::line(hint);
    }
}
