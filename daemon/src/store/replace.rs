//! Puts a session in the place of its parent's, and of nobody else's (I6).

use super::durable::{self, NameExchange, error, unusable};
use super::session_file::{self, Content};
use crate::provider::SessionFormat;
use everkey_session::{FileContent, Fingerprint, Replaced, Session, StoreError};
use std::io;
use std::path::Path;
use tempfile::TempPath;

/// Puts a session in the place of the file that still holds `parent`, by exchanging names and looking at what
/// came out (I6); a file that is not the parent's is put back.
pub fn replace(
    path: &Path,
    format: &SessionFormat,
    parent: Option<Fingerprint>,
    session: &Session,
) -> Result<Replaced, StoreError> {
    let wrong = |e: io::Error| error(path, &e);
    let before = session_file::find(path, format);
    if parent.is_some() && fingerprint(&before) != parent {
        return Ok(Replaced::GaveWay(Box::new(before)));
    }
    let old = match session_file::read(path) {
        Ok(Content::Bytes(bytes, _)) => Some(bytes),
        Ok(Content::Missing) => None,
        // A sign-in replaces even what can't be read; nothing of it can be kept.
        Err(_) if parent.is_none() => None,
        Err(kind) => return Err(unusable(path, kind)),
    };
    let content = (format.render)(old.as_ref().map(|bytes| bytes.as_slice()), session);
    let Some(parent) = parent else {
        return durable::replace(path, &content).map(|()| Replaced::Done).map_err(wrong);
    };
    let temp = durable::write_beside(path, &content).map_err(wrong)?;
    match durable::exchange(&temp, path).map_err(wrong)? {
        NameExchange::Missing => return Ok(Replaced::GaveWay(Box::new(FileContent::Missing))),
        NameExchange::Unsupported => {
            temp.persist(path).map_err(|e| wrong(e.error))?;
            return durable::sync_dir_of(path).map(|()| Replaced::Done).map_err(wrong);
        }
        NameExchange::Exchanged => {}
    }
    let came_out = session_file::find(&temp, format);
    if fingerprint(&came_out) == Some(parent) {
        durable::sync_dir_of(path).map_err(wrong)?;
        drop(temp);
        return Ok(Replaced::Done);
    }
    let found = put_back(path, format, temp, session.fingerprint())?;
    match came_out {
        // It was the parent's after all and merely could not be read: nobody has won, so this is tried again.
        FileContent::Unusable(why) if fingerprint(&found) == Some(parent) => Err(why),
        FileContent::Session { .. }
        | FileContent::Missing
        | FileContent::Damaged(_)
        | FileContent::Unusable(_) => Ok(Replaced::GaveWay(Box::new(found))),
    }
}

/// Another program's file came out of the exchange: it goes back, and so does any that was written meanwhile,
/// until what comes out is ours. What is at the session file's name then.
fn put_back(
    path: &Path,
    format: &SessionFormat,
    temp: TempPath,
    ours: Fingerprint,
) -> Result<FileContent, StoreError> {
    let wrong = |e: io::Error| error(path, &e);
    loop {
        if let NameExchange::Missing = durable::exchange(&temp, path).map_err(wrong)? {
            // Somebody removed the file just now: that is newer than what we hold.
            return Ok(FileContent::Missing);
        }
        match session_file::find(&temp, format) {
            FileContent::Session { session, .. } if session.fingerprint() == ours => {
                durable::sync_dir_of(path).map_err(wrong)?;
                return Ok(session_file::find(path, format));
            }
            // It may be ours or not, so it is not removed before the next start.
            FileContent::Unusable(why) => {
                let _ = temp.keep();
                return Err(why);
            }
            FileContent::Session { .. } | FileContent::Missing | FileContent::Damaged(_) => {}
        }
    }
}

fn fingerprint(found: &FileContent) -> Option<Fingerprint> {
    match found {
        FileContent::Session { session, .. } => Some(session.fingerprint()),
        FileContent::Missing | FileContent::Damaged(_) | FileContent::Unusable(_) => None,
    }
}
