//! Starts the program `everkey-remind` and hands it the errand. Never waits for what the program does then.
//! The bus and the configured command are no business of the process that holds tokens.

use crate::environment;
use anyhow::{Context, Result};
use everkey_proto::errand::{self, Errand, READY};
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long a helper may take until it listens.
const PATIENCE: Duration = Duration::from_secs(8);

/// Returns once a helper has the errand. A service has it started by its service manager, where it can: outside of what
/// shuts the service in, and of what ends with it.
pub async fn hand_over(errand: Errand, is_service: bool) -> Result<()> {
    let errand = serde_json::to_vec(&errand)?;
    let helper = helper();
    if is_service && hand_to_service(&errand).await {
        return Ok(());
    }
    if is_service {
        let mut outside = Command::new("systemd-run");
        outside.args(["--user", "--quiet", "--collect", "--pipe", "--"]).arg(&helper);
        match give(outside, &errand).await {
            Ok(()) => return Ok(()),
            Err(e) => {
                tracing::info!(
                    why = format!("{e:#}"),
                    "systemd-run --user is of no use; starting the helper here"
                );
            }
        }
    }
    give(Command::new(&helper), &errand).await.with_context(|| helper.display().to_string())
}

/// To a helper that systemd starts for whoever connects: outside of the agent's sandbox, which can start nothing itself.
async fn hand_to_service(errand: &[u8]) -> bool {
    let Ok(places) = environment::places() else { return false };
    let given = timeout(PATIENCE, async {
        let (mut hears, mut says) =
            UnixStream::connect(places.runtime.join("remind.sock")).await?.into_split();
        tell(&mut says, &mut hears, errand).await
    });
    matches!(given.await, Ok(Ok(())))
}

/// Beside this program, or wherever the PATH finds it.
fn helper() -> PathBuf {
    const NAME: &str = "everkey-remind";
    let beside = std::env::current_exe().ok().map(|me| me.with_file_name(NAME));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| NAME.into())
}

/// The errand leaves only when the helper listens, so one that starts too late finds nothing to do.
async fn give(mut command: Command, errand: &[u8]) -> Result<()> {
    command.env_clear().envs(errand::environment(std::env::vars_os())).current_dir("/");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let given = timeout(PATIENCE, talk(&mut child, errand)).await;
    if let Err(e) = given.unwrap_or_else(|_late| Err(io::ErrorKind::TimedOut.into())) {
        let _ = child.kill().await;
        return Err(e.into());
    }
    // It ends when the command ends, which may be never.
    tokio::spawn(async move { child.wait().await });
    Ok(())
}

async fn talk(child: &mut Child, errand: &[u8]) -> io::Result<()> {
    let missing = || io::Error::from(io::ErrorKind::BrokenPipe);
    let (mut stdin, mut stdout) = child.stdin.take().zip(child.stdout.take()).ok_or_else(missing)?;
    tell(&mut stdin, &mut stdout, errand).await
}

async fn tell(
    says: &mut (impl AsyncWriteExt + Unpin),
    hears: &mut (impl AsyncReadExt + Unpin),
    errand: &[u8],
) -> io::Result<()> {
    let mut heard = [0; READY.len()];
    hears.read_exact(&mut heard).await?;
    if heard != READY {
        return Err(io::ErrorKind::InvalidData.into());
    }
    says.write_all(errand).await?;
    says.shutdown().await
}
