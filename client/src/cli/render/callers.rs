//! Who was handed a token, in words.

use everkey_client::{CalledFrom, ParentProcess};
use std::fmt::Write;

/// `PROGRAM (process 12) in FOLDER, started by ...`. What a program calls itself comes last, as what it is: a claim.
pub fn whom(pid: i32, program: Option<&str>, from: Option<&CalledFrom>, client: Option<&str>) -> String {
    let mut text = process(pid, program, from.and_then(|from| from.folder.as_deref()));
    if let Some(CalledFrom { parents, terminal, unit, .. }) = from {
        for ParentProcess { pid, program, folder } in parents {
            let _ = write!(text, ", started by {}", process(*pid, program.as_deref(), folder.as_deref()));
        }
        if let Some(terminal) = terminal {
            let _ = write!(text, ", on {terminal}");
        }
        if let Some(unit) = unit {
            let _ = write!(text, ", in the unit {unit}");
        }
    }
    if let Some(client) = client {
        let _ = write!(text, "; it calls itself {client:?}, which nobody has checked");
    }
    text
}

fn process(pid: i32, program: Option<&str>, folder: Option<&str>) -> String {
    let program = program.unwrap_or("a program that the system does not name");
    let folder = folder.map_or_else(String::new, |folder| format!(" in {folder}"));
    format!("{program} (process {pid}){folder}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_named_behind_everkey_itself() {
        let parent = |pid, program: &str, folder: Option<&str>| ParentProcess {
            pid,
            program: Some(program.to_owned()),
            folder: folder.map(str::to_owned),
        };
        let from = CalledFrom {
            folder: Some("/home/ada/site".to_owned()),
            parents: vec![
                parent(11, "/usr/bin/bash", Some("/home/ada/site")),
                parent(10, "/usr/bin/make", None),
            ],
            terminal: Some("/dev/pts/3".to_owned()),
            unit: Some("session-3.scope".to_owned()),
        };
        assert_eq!(
            whom(12, Some("/usr/bin/everkey"), Some(&from), Some("x 1")),
            "/usr/bin/everkey (process 12) in /home/ada/site, started by /usr/bin/bash (process 11) in \
             /home/ada/site, started by /usr/bin/make (process 10), on /dev/pts/3, in the unit session-3.scope; it \
             calls itself \"x 1\", which nobody has checked"
        );
        assert_eq!(whom(12, None, None, None), "a program that the system does not name (process 12)");
    }
}
