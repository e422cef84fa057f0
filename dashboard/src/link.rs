//! The way in: links that work once, and the browsers that came in by one. Of both only hashes are kept.

use crate::random::{hexadecimal, random};
use crate::remembered::{self, BROWSER_LIFE, KnownBrowser, Memory, Remembered};
use everkey_client::Secret;
use sha2::{Digest as _, Sha256};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use subtle::{Choice, ConstantTimeEq};
use tokio::sync::Notify;

/// How long a link works.
pub const LINK_LIFE: Duration = Duration::from_secs(120);

/// Links at a time; the oldest gives way.
const MOST_LINKS: usize = 16;

/// Browsers at a time; the oldest gives way.
const MOST_BROWSERS: usize = 64;

type Hash = [u8; 32];

/// The links that have not been used yet.
pub struct Links {
    life: Duration,
    open: Mutex<Vec<(Hash, Instant)>>,
    redeemed: Notify,
}

impl Links {
    /// None yet; each will work for `life`.
    pub fn new(life: Duration) -> Self {
        Self { life, open: Mutex::default(), redeemed: Notify::new() }
    }

    /// The key of a new link: 256 bits in hexadecimal.
    ///
    /// # Errors
    /// Where the system has no random numbers.
    pub fn issue(&self, now: Instant) -> Result<Secret, getrandom::Error> {
        let key = random::<32>()?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(_, issued)| now.duration_since(*issued) < self.life);
        if open.len() >= MOST_LINKS {
            open.remove(0);
        }
        open.push((hash(key.expose()), now));
        Ok(key)
    }

    /// Uses a link up; whether it was one that still works.
    pub fn redeem(&self, key: &str, now: Instant) -> bool {
        let given = hash(key);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut good = Choice::from(0);
        open.retain(|(known, issued)| {
            let same = known.ct_eq(&given);
            let alive = now.duration_since(*issued) < self.life;
            good |= same & Choice::from(u8::from(alive));
            alive && !bool::from(same)
        });
        drop(open);
        self.redeemed.notify_waiters();
        good.into()
    }

    /// Waits until a link is of no use any more.
    pub async fn used(&self, key: &Secret) {
        let wanted = hash(key.expose());
        loop {
            let redeemed = self.redeemed.notified();
            let open = self
                .open
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .iter()
                .any(|(known, _)| *known == wanted);
            if !open {
                return;
            }
            redeemed.await;
        }
    }

    /// How long a link works.
    pub fn life(&self) -> Duration {
        self.life
    }
}

/// The browsers that came in. They are known as long as this process runs; with a memory also to the next.
#[derive(Default)]
pub struct Browsers {
    known: Mutex<Vec<KnownBrowser>>,
    memory: Option<(Memory, String)>,
}

impl Browsers {
    /// Those that are remembered, with the dashboard's name.
    pub fn remembered(memory: Memory, remembered: Remembered) -> Self {
        Self { known: Mutex::new(remembered.browsers), memory: Some((memory, remembered.name)) }
    }

    /// How long a browser is to keep what it is given; none means until it is closed.
    pub fn life(&self) -> Option<Duration> {
        self.memory.as_ref().map(|_| BROWSER_LIFE)
    }

    /// What a browser that came in has to show from now on.
    ///
    /// # Errors
    /// Where the system has no random numbers.
    pub fn admit(&self) -> Result<Secret, getrandom::Error> {
        let pass = random::<32>()?;
        let now = remembered::now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|browser| !browser.has_lapsed(now));
        if known.len() >= MOST_BROWSERS {
            known.remove(0);
        }
        known.push(KnownBrowser { pass: hexadecimal(&hash(pass.expose())), since: now });
        if let Some((memory, name)) = &self.memory {
            let remembered =
                Remembered { name: name.clone(), proof_key: Secret::new("k"), browsers: known.clone() };
            if let Err(error) = memory.keep(&remembered) {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "a browser will not be known to the next dashboard"
                );
            }
        }
        Ok(pass)
    }

    /// Whether this was given to a browser.
    pub fn knows(&self, pass: &str) -> bool {
        let (given, now) = (hexadecimal(&hash(pass)), remembered::now());
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |browser: &KnownBrowser| {
            browser.pass.as_bytes().ct_eq(given.as_bytes()) & Choice::from(u8::from(!browser.has_lapsed(now)))
        };
        known.iter().fold(Choice::from(0), |found, one| found | is_it(one)).into()
    }
}

fn hash(text: &str) -> Hash {
    Sha256::digest(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_works_once_and_for_two_minutes() {
        let (links, now) = (Links::new(LINK_LIFE), Instant::now());
        let (one, two) = (links.issue(now).unwrap(), links.issue(now).unwrap());
        assert_eq!(one.expose().len(), 64);
        assert!(!links.redeem("", now) && !links.redeem(&"0".repeat(64), now));
        assert!(links.redeem(one.expose(), now));
        assert!(!links.redeem(one.expose(), now), "it was used");
        assert!(!links.redeem(two.expose(), now + LINK_LIFE), "its time is over");
        assert!(!links.redeem(two.expose(), now), "and does not come back");
        let three = links.issue(now).unwrap();
        assert!(links.redeem(three.expose(), now + LINK_LIFE - Duration::from_nanos(1)));
    }

    #[test]
    fn neither_links_nor_browsers_pile_up() {
        let (links, now) = (Links::new(LINK_LIFE), Instant::now());
        let first = links.issue(now).unwrap();
        let later: Vec<Secret> = (0..MOST_LINKS).map(|_| links.issue(now).unwrap()).collect();
        assert!(!links.redeem(first.expose(), now));
        assert!(later.iter().all(|key| links.redeem(key.expose(), now)));

        let browsers = Browsers::default();
        let first = browsers.admit().unwrap();
        assert!(browsers.knows(first.expose()) && !browsers.knows("") && !browsers.knows("x"));
        let later: Vec<Secret> = (0..MOST_BROWSERS).map(|_| browsers.admit().unwrap()).collect();
        assert!(!browsers.knows(first.expose()));
        assert!(later.iter().all(|pass| browsers.knows(pass.expose())));
    }
}
