//! curl, run for a request to an account's own server: the way there is the agent's, and the token comes by standard input.

use everkey_client::{Failure, Secret, environment};
use everkey_config::network::NetworkSettings;
use everkey_guard::certificates;
use everkey_proto::Code;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use tempfile::TempDir;
use zeroize::Zeroizing;

/// What curl is told of the way to the server, by options and on its standard input.
#[derive(Default)]
pub struct Way {
    options: Vec<OsString>,
    /// It may hold a password.
    proxy: Option<Secret>,
    _certificates: Option<TempDir>,
}

impl Way {
    /// The way to `url` that the agent would take.
    pub fn to(url: &str, network: &NetworkSettings) -> Result<Self, Failure> {
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

/// What a server answered; the status is 0 where it did not, and curl says why.
pub struct Transfer {
    pub status: u16,
    pub body: Vec<u8>,
    pub complaint: String,
}

/// Asks for an answer to be read here.
pub fn transfer(url: &str, options: &[String], way: &Way, token: &Secret) -> Result<Transfer, Failure> {
    let mut command = command(url, options, way);
    command.args(["--write-out", "\n%{http_code}"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| no_curl(&e))?;
    hand_over(&mut child, way, token).map_err(|e| no_curl(&e))?;
    let mut output = child.wait_with_output().map_err(|e| no_curl(&e))?;
    let end = output.stdout.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
    let status = output.stdout.split_off(end);
    let status = String::from_utf8_lossy(&status).trim().parse().unwrap_or(0);
    // An answer that broke off is none.
    let status = if output.status.success() { status } else { 0 };
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(Transfer { status, body: output.stdout, complaint })
}

/// Asks for an answer that goes to this program's own output; ends as curl does.
pub fn show(url: &str, options: &[String], way: &Way, token: &Secret) -> Result<ExitCode, Failure> {
    let mut child = command(url, options, way).spawn().map_err(|e| no_curl(&e))?;
    hand_over(&mut child, way, token).map_err(|e| no_curl(&e))?;
    let status = child.wait().map_err(|e| no_curl(&e))?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

fn command(url: &str, options: &[String], way: &Way) -> Command {
    let mut command = Command::new("curl");
    // A file of options could name other addresses.
    command.args(["--disable", "--silent", "--show-error", "--globoff", "--config", "-"]);
    command.args(options).args(&way.options).args(["--url", url]).stdin(Stdio::piped());
    // What is not judged here is not trusted.
    for name in ["CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"] {
        command.env_remove(name);
    }
    command
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
