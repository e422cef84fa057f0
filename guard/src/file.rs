//! Reads what people and other tools write. Links are followed, and what they lead to is judged: people link their
//! configuration into a folder under version control, and Kubernetes links every secret.

use crate::rights::{Unfit, check_mode, check_owner};
use crate::way;
use rustix::fs::{FileType, OFlags};
use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use zeroize::Zeroizing;

/// No file that people write is longer, in MiB.
const LONGEST: u64 = 4;

/// The text of a file; none where there is no file.
///
/// # Errors
/// [`Unfit`] where it is no plain file, too long or no text.
pub fn read(path: &Path) -> Result<Option<Zeroizing<String>>, Unfit> {
    open(path)?.map(text).transpose()
}

/// The text of a file that decides what is run or whom a secret goes to.
///
/// # Errors
/// As [`read`], and where others could have written it or put it there.
pub fn read_trusted(path: &Path) -> Result<Option<Zeroizing<String>>, Unfit> {
    let target = match way::walk(path, way::absent) {
        Ok((target, _)) => target,
        Err(Unfit::NotAFolder(_)) => return Ok(None),
        Err(Unfit::Os(why)) if way::missing(&why) => return Ok(None),
        Err(why) => return Err(why),
    };
    let Some(file) = open_with(&target, OFlags::NOFOLLOW)? else { return Ok(None) };
    check_rights(&target, &file)?;
    text(file).map(Some)
}

/// The file is plain, this user's or root's, and nobody else may write to it. One that is not there is fine.
///
/// # Errors
/// [`Unfit`] where it is not so.
pub fn check(path: &Path) -> Result<(), Unfit> {
    open_with(path, OFlags::empty())?.map_or(Ok(()), |file| check_rights(path, &file))
}

/// Opens a plain file to read; none where there is none. It never waits, as opening a named pipe would.
///
/// # Errors
/// [`Unfit`] where it is no plain file.
pub fn open(path: &Path) -> Result<Option<File>, Unfit> {
    open_with(path, OFlags::empty())
}

fn open_with(path: &Path, flags: OFlags) -> Result<Option<File>, Unfit> {
    let opened = || {
        // Not even opened: that alone does something to a device, and fails for a socket without saying why.
        check_kind(&std::fs::metadata(path)?)?;
        let flags = (flags | OFlags::NONBLOCK).bits().cast_signed();
        let file = File::options().read(true).custom_flags(flags).open(path)?;
        check_kind(&file.metadata()?)?;
        Ok(file)
    };
    match opened() {
        Ok(file) => Ok(Some(file)),
        Err(Unfit::Os(why)) if way::missing(&why) => Ok(None),
        Err(why) => Err(why),
    }
}

fn check_rights(path: &Path, file: &File) -> Result<(), Unfit> {
    let found = file.metadata()?;
    check_owner(path, &found)?;
    check_mode(path, &found)
}

fn check_kind(found: &Metadata) -> Result<(), Unfit> {
    Err(Unfit::NotAFile(match FileType::from_raw_mode(found.mode()) {
        FileType::RegularFile => return Ok(()),
        FileType::Directory => "a folder",
        FileType::Fifo => "a named pipe (FIFO)",
        FileType::Socket => "a socket",
        FileType::Symlink | FileType::CharacterDevice | FileType::BlockDevice | FileType::Unknown => {
            "a device"
        }
    }))
}

fn text(file: File) -> Result<Zeroizing<String>, Unfit> {
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(LONGEST * 1024 * 1024 + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST * 1024 * 1024 {
        return Err(Unfit::TooLong(LONGEST));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| Unfit::NotText)?;
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn refused(path: &Path) -> String {
        read_trusted(path).unwrap_err().to_string()
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn only_plain_files_of_bounded_length_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        assert!(read(&path).unwrap().is_none() && read(&path.join("below")).unwrap().is_none());
        fs::write(&path, "hello").unwrap();
        assert_eq!(read(&path).unwrap().unwrap().as_str(), "hello");
        assert!(read(&path.join("below")).unwrap().is_none());
        fs::write(&path, [0xff]).unwrap();
        assert!(matches!(read(&path), Err(Unfit::NotText)));
        File::create(&path).unwrap().set_len(LONGEST * 1024 * 1024 + 1).unwrap();
        assert!(matches!(read(&path), Err(Unfit::TooLong(4))));
        fs::remove_file(&path).unwrap();
        for (target, kind) in [("/dev/zero", "a device"), ("/", "a folder")] {
            symlink(target, &path).unwrap();
            for found in [read(&path), read_trusted(&path)] {
                assert_eq!(found.unwrap_err().to_string(), format!("it is not a plain file but {kind}"));
            }
            fs::remove_file(&path).unwrap();
        }
        rustix::fs::mknodat(rustix::fs::CWD, &path, FileType::Fifo, 0o600.into(), 0).unwrap();
        assert!(read(&path).unwrap_err().to_string().ends_with("a named pipe (FIFO)"), "nobody waits for it");
        symlink("loop", dir.path().join("loop")).unwrap();
        assert!(read_trusted(&dir.path().join("loop")).is_err());
    }

    #[test]
    fn a_file_that_others_may_change_or_replace_decides_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("config");
        fs::create_dir(&folder).unwrap();
        set_mode(&folder, 0o755);
        let path = folder.join("c");
        fs::write(&path, "hello").unwrap();
        set_mode(&path, 0o644);
        assert_eq!(read_trusted(&path).unwrap().unwrap().as_str(), "hello");
        set_mode(&path, 0o666);
        let words = format!(
            "others can write to {} (mode 0666); look at what is there, then run `chmod go-w {}`",
            path.display(),
            path.display()
        );
        assert_eq!(refused(&path), words);
        set_mode(&path, 0o600);
        set_mode(&folder, 0o777);
        assert!(refused(&path).starts_with(&format!("others can write to {} (mode 0777)", folder.display())));
        // As /tmp has it, and the volumes of Kubernetes: names there are their owners'.
        set_mode(&folder, 0o1777);
        assert!(read_trusted(&path).unwrap().is_some());
        assert!(read_trusted(&folder.join("missing")).unwrap().is_none());
    }

    #[test]
    fn every_folder_on_the_way_of_a_link_counts() {
        let dir = tempfile::tempdir().unwrap();
        let [home, between, repository] = ["home", "between", "repository"].map(|name| dir.path().join(name));
        for folder in [&home, &between, &repository] {
            fs::create_dir(folder).unwrap();
            set_mode(folder, 0o755);
        }
        fs::write(repository.join("c"), "hello").unwrap();
        set_mode(&repository.join("c"), 0o644);
        symlink("../repository/c", between.join("c")).unwrap();
        symlink(between.join("c"), home.join("c")).unwrap();
        let path = home.join("c");
        assert_eq!(read_trusted(&path).unwrap().unwrap().as_str(), "hello");
        for folder in [&home, &between, &repository] {
            set_mode(folder, 0o777);
            assert!(refused(&path).contains("(mode 0777)"), "{}", folder.display());
            set_mode(folder, 0o755);
        }
        set_mode(&repository.join("c"), 0o666);
        assert!(refused(&path).contains("/repository/c (mode 0666)"));
    }
}
