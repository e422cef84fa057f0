//! Certificates that are trusted in place of the system's: a file in PEM, or a folder of such files as OpenSSL has them.
//! Whoever can write one of them can be any server.

use crate::{Unfit, file, folder};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use zeroize::Zeroizing;

/// No folder holds more, in files and in MiB: a system's own has some hundred of them, of one MiB in all.
const MOST_FILES: usize = 4096;
const MOST: u64 = 16;

/// What the file says.
///
/// # Errors
/// As [`file::read_trusted`], and where there is none.
pub fn in_file(path: &Path) -> Result<Zeroizing<String>, Unfit> {
    file::read_trusted(path)?.ok_or_else(|| Unfit::Os(Errno::NOENT.into()))
}

/// What the folder's texts say; each file is read once, however many links lead to it.
///
/// # Errors
/// [`Unfit`] where others could write to one of them, and where they are too many.
pub fn in_folder(path: &Path) -> Result<Vec<Zeroizing<String>>, Unfit> {
    folder::check(path)?;
    let (mut texts, mut seen, mut length) = (Vec::new(), BTreeSet::new(), 0);
    for (count, entry) in std::fs::read_dir(path)?.enumerate() {
        let file = entry?.path();
        // What it is not, nobody trusts: other folders, links that lead nowhere.
        let Ok(found) = std::fs::metadata(&file) else { continue };
        if !found.is_file() || !seen.insert((found.dev(), found.ino())) {
            continue;
        }
        let text = match file::read_trusted(&file) {
            Ok(Some(text)) => text,
            Ok(None) | Err(Unfit::NotText | Unfit::NotAFile(_)) => continue,
            Err(why) => return Err(why),
        };
        length += text.len() as u64;
        if count >= MOST_FILES || length > MOST * 1024 * 1024 {
            return Err(Unfit::TooLong(MOST));
        }
        texts.push(text);
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_folder_that_others_write_to_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let [folder, outside] = ["certs", "outside"].map(|name| dir.path().join(name));
        fs::create_dir_all(folder.join("below")).unwrap();
        assert!(in_folder(&folder).unwrap().is_empty());
        fs::write(folder.join("a.pem"), "a").unwrap();
        fs::write(&outside, "o").unwrap();
        symlink("a.pem", folder.join("0.0")).unwrap();
        symlink(&outside, folder.join("1.0")).unwrap();
        symlink("gone", folder.join("2.0")).unwrap();
        symlink("/dev/zero", folder.join("3.0")).unwrap();
        fs::write(folder.join("keystore"), [0xff]).unwrap();
        let mut found: Vec<_> =
            in_folder(&folder).unwrap().into_iter().map(|text| text.to_string()).collect();
        found.sort();
        assert_eq!(found, ["a", "o"]);
        for path in [&outside, &folder.join("a.pem"), &folder] {
            let closed = fs::metadata(path).unwrap().permissions();
            fs::set_permissions(path, Permissions::from_mode(0o777)).unwrap();
            let why = in_folder(&folder).unwrap_err().to_string();
            assert!(why.starts_with(&format!("others can write to {}", path.display())), "{why}");
            fs::set_permissions(path, closed).unwrap();
        }
        fs::File::create(folder.join("long")).unwrap().set_len(3 << 30).unwrap();
        assert!(matches!(in_folder(&folder), Err(Unfit::TooLong(_))));
    }
}
