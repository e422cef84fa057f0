//! Who was handed which profile's token and when: one JSON object a line, no secrets, two files of bounded size.

use crate::store;
use everkey_guard::{Unfit, file};
use everkey_proto::frame::REPLY_CAP;
use everkey_proto::reply::{Access, AccessPage};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// When the log is this long, in bytes, it becomes the older of the two.
const ROTATE_AT: u64 = 1024 * 1024;

/// How many a reply holds at most.
const MAX_ENTRIES: usize = 1000;

/// How much of a file is looked at, in bytes from its end: all of it, unless somebody else has written there.
const READ_LIMIT: u64 = ROTATE_AT + 64 * 1024;

/// How many bytes a reply of accesses may have, with room for what is around them.
const REPLY_ROOM: usize = REPLY_CAP - 1024;

/// The log file. Lines are added by many workers; the lock keeps two of them from making room at once, the second of
/// which would put the first's few lines in the place of the older file.
#[derive(Debug, Clone)]
pub struct AccessLog(Arc<Mutex<PathBuf>>);

impl AccessLog {
    pub fn in_state(state: &Path) -> Self {
        Self(Arc::new(Mutex::new(state.join("access.jsonl"))))
    }

    /// Adds a line. Not fsynced: it is for people who wonder, not for recovery.
    pub fn add(&self, access: &Access) -> io::Result<()> {
        let path = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if std::fs::metadata(&*path).is_ok_and(|log| log.len() > ROTATE_AT) {
            std::fs::rename(&*path, store::older(&path))?;
        }
        let mut line = serde_json::to_vec(access)?;
        line.push(b'\n');
        store::open_log(&path)?.write_all(&line)
    }

    /// A part of them, the newest first, as many as a reply holds. Lines that make no sense are passed over.
    pub fn read(&self, part: &AccessPart) -> io::Result<AccessPage> {
        let limit = usize::try_from(part.limit).unwrap_or(MAX_ENTRIES).min(MAX_ENTRIES);
        // Opened together, before a long log makes room: no line is seen twice or not at all.
        let (newer, older) = {
            let path = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            (open(&path)?, open(&store::older(&path))?)
        };
        let mut page = AccessPage::default();
        let mut room = REPLY_ROOM;
        for file in [newer, older] {
            for line in end_of(file)?.rsplit(|byte| *byte == b'\n') {
                let Ok(access) = serde_json::from_slice::<Access>(line) else { continue };
                if !part.is_in_time(access.at) {
                    continue;
                }
                page.total += 1;
                if page.total <= u64::from(part.skip) || page.accesses.len() == limit {
                    continue;
                }
                let written = serde_json::to_vec(&access)?.len() + 1;
                // Once one is left out, all older ones are: a page has no gaps.
                room = room.saturating_sub(written);
                if room > 0 {
                    page.accesses.push(access);
                }
            }
        }
        Ok(page)
    }
}

/// Which of them are asked for.
#[derive(Debug, Clone, Default)]
pub struct AccessPart {
    /// Unix seconds, as `until`.
    pub since: Option<u64>,
    pub until: Option<u64>,
    /// How many of the newest are left out.
    pub skip: u32,
    pub limit: u32,
}

impl AccessPart {
    fn is_in_time(&self, at: u64) -> bool {
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at <= until)
    }
}

fn open(path: &Path) -> io::Result<Option<File>> {
    match file::open(path) {
        Err(Unfit::Os(e)) => Err(e),
        // What is no file is no log of ours.
        opened => Ok(opened.ok().flatten()),
    }
}

/// The file's end from the start of a line on, as far as it is looked at; nothing if there is no file.
fn end_of(file: Option<File>) -> io::Result<Vec<u8>> {
    let Some(mut file) = file else { return Ok(Vec::new()) };
    let from = file.metadata()?.len().saturating_sub(READ_LIMIT);
    // One byte before, so that a line that begins just there is seen to begin.
    file.seek(SeekFrom::Start(from.saturating_sub(1)))?;
    let mut end = Vec::new();
    file.take(READ_LIMIT + 1).read_to_end(&mut end)?;
    if from > 0 {
        let cut = end.iter().position(|byte| *byte == b'\n').map_or(end.len(), |newline| newline + 1);
        end.drain(..cut);
    }
    Ok(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use everkey_proto::reply::CalledFrom;

    #[test]
    fn lines_are_added_and_a_long_log_makes_room() {
        let dir = tempfile::tempdir().unwrap();
        let log = AccessLog::in_state(dir.path());
        let handed = Access {
            at: 7,
            profile: "p\n".into(),
            pid: 1,
            program: Some("/bin/x".into()),
            client: Some("x 1".into()),
            from: None,
        };
        log.add(&handed).unwrap();
        log.add(&handed).unwrap();
        let path = dir.path().join("access.jsonl");
        let text = std::fs::read_to_string(&path).unwrap();
        let line = r#"{"at":7,"profile":"p\n","pid":1,"program":"/bin/x","client":"x 1"}"#;
        assert_eq!(text, format!("{line}\n{line}\n"));
        File::options().write(true).open(&path).unwrap().set_len(ROTATE_AT + 1).unwrap();
        log.add(&handed).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{line}\n"));
    }

    fn access(at: u64, program: &str) -> Access {
        Access {
            at,
            profile: "p".to_owned(),
            pid: 1,
            program: Some(program.to_owned()),
            client: None,
            from: None,
        }
    }

    fn times(log: &AccessLog, limit: u32) -> Vec<u64> {
        let part = AccessPart { limit, ..AccessPart::default() };
        log.read(&part).unwrap().accesses.iter().map(|access| access.at).collect()
    }

    #[test]
    fn both_files_are_read_newest_first_and_nonsense_is_skipped() {
        let dir = tempfile::tempdir().unwrap();
        let log = AccessLog::in_state(dir.path());
        let path = dir.path().join("access.jsonl");
        assert!(times(&log, 9).is_empty());
        for at in 1..=3 {
            log.add(&access(at, "x")).unwrap();
        }
        std::fs::rename(&path, path.with_extension("jsonl.1")).unwrap();
        log.add(&access(4, "x")).unwrap();
        let mut file = File::options().append(true).open(&path).unwrap();
        file.write_all(b"\n{\"at\":9}\n[]\n\xff\xfe\n{\"at\":9,\"profile\":\n").unwrap();
        log.add(&access(5, "x")).unwrap();
        file.write_all(b"{\"at\":6,\"profile\":\"cut o").unwrap();
        assert_eq!(times(&log, 9), [5, 4, 3, 2, 1]);
        assert_eq!(times(&log, 3), [5, 4, 3]);
        assert!(times(&log, 0).is_empty());
    }

    #[test]
    fn what_is_told_is_bounded_in_number_and_size() {
        let dir = tempfile::tempdir().unwrap();
        let log = AccessLog::in_state(dir.path());
        for at in 1..=1100 {
            log.add(&access(at, "x")).unwrap();
        }
        assert_eq!(times(&log, u32::MAX), (101..=1100).rev().collect::<Vec<_>>());
        for at in 0..200 {
            log.add(&access(at, &"\u{1}".repeat(1000))).unwrap();
        }
        let last = log.read(&AccessPart { limit: 1000, ..AccessPart::default() }).unwrap().accesses;
        assert!(last.len() < 100, "{}", last.len());
        let line = everkey_proto::json::write(&everkey_proto::json::ReplyLine::Accesses { accesses: last });
        assert!(line.len() <= REPLY_CAP && line.len() > REPLY_CAP - 8 * 1024, "{}", line.len());
    }

    #[test]
    fn pages_have_no_gaps_and_the_total_is_of_all() {
        let dir = tempfile::tempdir().unwrap();
        let log = AccessLog::in_state(dir.path());
        let path = dir.path().join("access.jsonl");
        for at in 1..=1500 {
            log.add(&access(at, "x")).unwrap();
        }
        std::fs::rename(&path, path.with_extension("jsonl.1")).unwrap();
        for at in 1501..=2500 {
            log.add(&access(at, &"\u{1}".repeat(100))).unwrap();
        }
        let (since, until) = (Some(100), Some(2400));
        let mut seen = Vec::new();
        loop {
            let skip = u32::try_from(seen.len()).unwrap();
            let page = log.read(&AccessPart { since, until, skip, limit: 1000 }).unwrap();
            assert_eq!(page.total, 2301);
            if page.accesses.is_empty() {
                break;
            }
            seen.extend(page.accesses.iter().map(|access| access.at));
        }
        assert_eq!(seen, (100..=2400).rev().collect::<Vec<_>>());
        let none = log.read(&AccessPart { since: Some(9), until: Some(8), skip: 0, limit: 9 }).unwrap();
        assert_eq!((none.total, none.accesses), (0, Vec::new()));
    }

    #[test]
    fn old_lines_are_read_and_new_ones_name_the_caller() {
        let dir = tempfile::tempdir().unwrap();
        let log = AccessLog::in_state(dir.path());
        let before = "{\"at\":7,\"profile\":\"p\",\"pid\":1,\"program\":\"x\"}\n";
        std::fs::write(dir.path().join("access.jsonl"), before).unwrap();
        let from = CalledFrom { folder: Some("/h".into()), ..CalledFrom::default() };
        let traced = Access { from: Some(from), ..access(8, "y") };
        log.add(&traced).unwrap();
        let read = log.read(&AccessPart { limit: 9, ..AccessPart::default() }).unwrap().accesses;
        assert_eq!(read, [traced, access(7, "x")]);
    }

    #[test]
    fn only_the_end_of_a_huge_file_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let log = AccessLog::in_state(dir.path());
        let path = dir.path().join("access.jsonl");
        let huge = File::create(&path).unwrap();
        huge.set_len(1 << 40).unwrap();
        let mut file = File::options().append(true).open(&path).unwrap();
        for at in 1..=2 {
            file.write_all(b"\n").unwrap();
            file.write_all(&serde_json::to_vec(&access(at, "x")).unwrap()).unwrap();
        }
        assert_eq!(times(&log, 9), [2, 1]);
        // What is looked at begins with the second byte: within the only line, or where it begins.
        let whole = serde_json::to_vec(&access(7, "x")).unwrap();
        for (before, expected) in [(b"x".as_slice(), &[][..]), (b"x\n", &[7])] {
            let mut text = [before, &whole, b"\n"].concat();
            text.resize(READ_LIMIT as usize + 2, b' ');
            std::fs::write(&path, text).unwrap();
            assert_eq!(times(&log, 9), expected);
        }
    }

    #[test]
    fn many_at_once_make_room_once() {
        let dir = tempfile::tempdir().unwrap();
        let log = AccessLog::in_state(dir.path());
        let path = dir.path().join("access.jsonl");
        for _ in 0..20 {
            File::options().create(true).append(true).open(&path).unwrap().set_len(ROTATE_AT + 1).unwrap();
            std::thread::scope(|scope| {
                for _ in 0..16 {
                    scope.spawn(|| {
                        log.add(&Access { from: None, program: None, ..access(7, "") }).unwrap();
                    });
                }
            });
            let older = std::fs::metadata(path.with_extension("jsonl.1")).unwrap().len();
            assert!(older > ROTATE_AT, "the older log was replaced by a few lines");
        }
    }
}
