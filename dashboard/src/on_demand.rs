//! A dashboard that a service manager starts when somebody comes to its address, and that ends when nobody is there.
//! Whoever connects to its Unix socket is given a way in: that is this user alone.

use crate::app::App;
use crate::passed_sockets::PassedSockets;
use crate::remembered::{Memory, Remembered};
use anyhow::{Context as _, Result, bail};
use everkey_client::environment;
use everkey_listen::Loopback;
use std::os::unix::net::UnixListener as StdUnixListener;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

/// How long it stays when no browser is connected.
pub const IDLE: Duration = Duration::from_secs(300);

/// What a dashboard at an address of its own is made of.
pub struct Address {
    /// The port of this machine.
    pub port: Loopback,
    /// Where programs ask for a way in.
    pub way_in: UnixListener,
    /// Where its memory is.
    pub memory: Memory,
    /// What it remembers.
    pub remembered: Remembered,
}

/// The address that the service manager holds.
///
/// # Errors
/// Where a socket is missing, or there is no place for the memory.
pub fn address(passed: PassedSockets) -> Result<Address> {
    let (Some(four), Some(way_in)) = (passed.four, passed.way_in) else {
        bail!("a port of 127.0.0.1 and a Unix socket have to be passed; everkey-dashboard.socket does")
    };
    let places = environment::places().map_err(|failure| anyhow::anyhow!(failure.message))?;
    let (memory, remembered) = Memory::open(&places)?;
    let port = Loopback::passed(four, passed.six).context("can't take the port")?;
    Ok(Address { port, way_in: taken(way_in)?, memory, remembered })
}

fn taken(listener: StdUnixListener) -> Result<UnixListener> {
    listener.set_nonblocking(true)?;
    Ok(UnixListener::from_std(listener)?)
}

/// Gives a way in to each who connects.
pub async fn give_ways_in(listener: UnixListener, app: App) {
    while let Ok((stream, _)) = listener.accept().await {
        let ours = stream.peer_cred().is_ok_and(|peer| peer.uid() == rustix::process::geteuid().as_raw());
        if ours {
            tokio::spawn(give_way_in(stream, app.clone()));
        }
    }
}

/// The link, and a line more once a browser has used it, so that the file that it was opened by can go.
async fn give_way_in(mut stream: UnixStream, app: App) {
    let Ok(key) = app.links().issue(Instant::now()) else { return };
    let link = format!("{}/enter?key={}\n", app.origin(), key.expose());
    if stream.write_all(link.as_bytes()).await.is_err() {
        return;
    }
    let mut gone = [0];
    let used = timeout(app.links().life(), app.links().used(&key));
    tokio::select! {
        used = used => if used.is_ok() {
            let _ = stream.write_all(b"used\n").await;
        },
        // Nobody is told then.
        _ = tokio::io::AsyncReadExt::read(&mut stream, &mut gone) => {}
    }
}
