//! The boot clock, the wall clock, fresh randomness, and an alarm that also rings after suspend.

use crate::raw_fd::events_of;
use everkey_session::{Boot, Moment};
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};
use std::io;
use std::os::fd::OwnedFd;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::io::unix::AsyncFd;

/// Milliseconds since boot, suspend included.
pub fn boot() -> Boot {
    let now = clock_gettime(ClockId::Boottime);
    let (secs, nanos) = (now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs());
    Boot(secs * 1000 + nanos / 1_000_000)
}

/// The wall clock in unix seconds.
pub fn wall() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Now, with new dice.
pub fn now() -> io::Result<Moment> {
    let mut dice = [0; 32];
    getrandom::fill(&mut dice).map_err(|e| io::Error::other(e.to_string()))?;
    Ok(Moment { boot: boot(), wall: wall(), dice })
}

pub struct Alarm(AsyncFd<OwnedFd>);

impl Alarm {
    pub fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        Ok(Self(events_of(timerfd_create(TimerfdClockId::Boottime, flags)?)?))
    }

    /// Sets it to a point of the boot clock, past ones included; none turns it off.
    pub fn set(&self, at: Option<Boot>) -> io::Result<()> {
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        let it_value = at.map_or(zero, |at| {
            let ms = at.0.max(1);
            let tv_sec = i64::try_from(ms / 1000).unwrap_or(i64::MAX);
            Timespec { tv_sec, tv_nsec: i64::from(u32::try_from(ms % 1000).unwrap_or(0)) * 1_000_000 }
        });
        let timer = Itimerspec { it_interval: zero, it_value };
        timerfd_settime(&self.0, TimerfdTimerFlags::ABSTIME, &timer)?;
        Ok(())
    }

    pub async fn ring(&self) -> io::Result<()> {
        loop {
            let mut ready = self.0.readable().await?;
            let mut ticks = [0; 8];
            match ready.try_io(|fd| rustix::io::read(fd, &mut ticks).map_err(io::Error::from)) {
                Ok(read) => return read.map(|_| ()),
                Err(_would_block) => {}
            }
        }
    }
}
