//! Where `serve` listens.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::TcpListener;

use crate::command_error::CommandError;
use crate::rules::page_name::is_loopback;

/// How many ports are tried until one is free everywhere.
const PORTS: usize = 16;

/// Where people and tools are served: the address asked for, and what else must be ours for it to be safe.
pub(super) async fn for_people(
    asked: &str,
    public_url: Option<&str>,
) -> Result<(SocketAddr, Vec<TcpListener>), CommandError> {
    for _ in 0..PORTS {
        let listener = at(asked, "--listen").await?;
        let address = listener.local_addr().map_err(|error| no_address(&error))?;
        if public_url.is_none() && !address.ip().is_loopback() {
            return Err(CommandError::new(
                format!("{address} is not on loopback, and nothing says how the server is reached"),
                "Add --public-url https://HOST, with a TLS proxy in front.",
            ));
        }
        if !owns_names(address, public_url) {
            return Ok((address, vec![listener]));
        }
        match siblings(address).await {
            Ok(more) => return Ok((address, std::iter::once(listener).chain(more).collect())),
            // A free port was asked for, and this one is not free everywhere.
            Err(_) if asked.ends_with(":0") => {}
            Err(taken) => {
                return Err(CommandError::new(
                    format!("something else listens on {taken}, which browsers take for this server"),
                    "Stop what listens there, or choose another port with --listen.",
                ));
            }
        }
    }
    Err(CommandError::new("no port is free on both 127.0.0.1 and ::1", "Choose a port with --listen."))
}

/// Whether the pages' names under `localhost` lead to this very port.
fn owns_names(address: SocketAddr, public_url: Option<&str>) -> bool {
    match public_url {
        None => true,
        Some(public) => {
            let port = url::Url::parse(public).ok().and_then(|url| url.port_or_known_default());
            is_loopback(public) && port == Some(address.port())
        }
    }
}

/// Browsers look for a name under `localhost` on ::1 first, then on 127.0.0.1: nobody else may have this port there. The
/// error is the address that somebody has.
async fn siblings(address: SocketAddr) -> Result<Vec<TcpListener>, SocketAddr> {
    let mut found = Vec::new();
    for ip in [IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::LOCALHOST)] {
        let own = address.ip();
        let covered = own == ip || own == Ipv6Addr::UNSPECIFIED || (own.is_unspecified() && ip.is_ipv4());
        if covered {
            continue;
        }
        match TcpListener::bind((ip, address.port())).await {
            Ok(listener) => found.push(listener),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err((ip, address.port()).into()),
            // This machine has no such address.
            Err(_) => {}
        }
    }
    Ok(found)
}

/// Listens on one address, which `flag` names.
pub(super) async fn at(address: &str, flag: &str) -> Result<TcpListener, CommandError> {
    TcpListener::bind(address).await.map_err(|error| {
        let remedy = match error.kind() {
            io::ErrorKind::AddrInUse => {
                format!("Stop what listens there, or choose another port with {flag}.")
            }
            _ => format!("Choose an address of this machine and a port this user may use with {flag}."),
        };
        CommandError::new(format!("can't listen on {address}: {error}"), remedy)
    })
}

fn no_address(error: &io::Error) -> CommandError {
    CommandError::new(format!("the system does not tell the port: {error}"), "Choose a port with --listen.")
}
