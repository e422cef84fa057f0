//! Ends commands that go on until Ctrl-C, another signal, or the end of whoever reads their output.

use rustix::event::{PollFd, PollFlags, poll};
use signal_hook::iterator::Signals;
use std::io;
use std::thread;

/// Calls `ended` when one of these signals comes; that of Ctrl-C is SIGINT.
pub fn on_signal(signals: &[i32], ended: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new(signals)?;
    thread::spawn(move || {
        if signals.forever().next().is_some() {
            ended();
        }
    });
    Ok(())
}

/// Calls `closed` when nobody reads standard output any more, though nothing is written to it.
pub fn on_closed_output(closed: impl FnOnce() + Send + 'static) {
    thread::spawn(move || {
        let stdout = io::stdout();
        loop {
            let mut output = [PollFd::new(&stdout, PollFlags::empty())];
            match poll(&mut output, None) {
                Ok(_) if output[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) => return closed(),
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
        }
    });
}
