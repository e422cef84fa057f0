//! A dashboard at an address of its own, which the service manager starts when somebody comes: asks it for a way in.

use crate::cli::dashboard_program::DashboardLink;
use everkey_client::Failure;
use everkey_config::paths::Places;
use everkey_proto::Code;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// How long it may take to start.
const START_TIME: Duration = Duration::from_secs(15);

/// The longest line.
const LINE_CAP: u64 = 1024;

/// A link, and the connection on which it is said when it was used.
pub struct WayIn {
    pub link: DashboardLink,
    connection: BufReader<UnixStream>,
}

/// None where no service manager holds such an address.
pub fn way_in(places: &Places) -> Result<Option<WayIn>, Failure> {
    // The folder is this user's alone, so whoever listens there is, too.
    let Ok(stream) = UnixStream::connect(places.runtime.join("dashboard.sock")) else { return Ok(None) };
    let mut connection = BufReader::new(stream);
    let line = read_line(&mut connection, START_TIME).map_err(|e| {
        Failure::new(
            Code::NoAgent,
            format!("The dashboard's service does not answer ({e})."),
            "Run `systemctl --user status everkey-dashboard` to see what it says.",
        )
    })?;
    Ok(Some(WayIn { link: DashboardLink::parse(&line)?, connection }))
}

impl WayIn {
    /// Waits until a browser has used the link, but not longer than this.
    pub fn until_used(mut self, time: Duration) {
        let _ = read_line(&mut self.connection, time);
    }
}

fn read_line(connection: &mut BufReader<UnixStream>, time: Duration) -> io::Result<String> {
    connection.get_ref().set_read_timeout(Some(time))?;
    let mut line = String::new();
    connection.take(LINE_CAP).read_line(&mut line)?;
    Ok(line)
}
