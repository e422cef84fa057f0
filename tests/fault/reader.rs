//! Somebody who reads the session file all the time (I7): every look must find a whole session, mode 0600.

use everkey_tests::othertool;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Between two looks.
const PACE: Duration = Duration::from_micros(500);

/// The reader; it ends when dropped.
pub struct Reader {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    looks: AtomicUsize,
    wrong: Mutex<Vec<String>>,
}

impl Reader {
    /// Starts to read.
    pub fn start(path: PathBuf) -> Self {
        let shared = Arc::new(Shared::default());
        let mine = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            while !mine.stop.load(Ordering::Relaxed) {
                if let Err(wrong) = look(&path) {
                    mine.wrong.lock().expect("nobody panics here").push(wrong);
                }
                mine.looks.fetch_add(1, Ordering::Relaxed);
                thread::sleep(PACE);
            }
        });
        Self { shared, thread: Some(thread) }
    }

    /// Every look so far found a whole session.
    pub fn assert_sound(&self) {
        let wrong = self.shared.wrong.lock().expect("nobody panics here").clone();
        assert!(wrong.is_empty(), "a reader saw (I7): {wrong:?}");
        assert!(self.shared.looks.load(Ordering::Relaxed) > 0, "nobody looked");
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn look(path: &Path) -> Result<(), String> {
    let mut file = File::open(path).map_err(|e| format!("no file: {e}"))?;
    let mode = file.metadata().map_err(|e| e.to_string())?.permissions().mode() & 0o777;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|e| e.to_string())?;
    if mode != 0o600 {
        return Err(format!("mode {mode:o}"));
    }
    match othertool::parse(&text) {
        Some(session) if !session.refresh_token.is_empty() => Ok(()),
        Some(_) | None => Err(format!("no session in {} bytes", text.len())),
    }
}
