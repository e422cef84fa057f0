//! Opens a page in the person's browser, by a file of theirs that redirects: `ps` shows the file, not the page (S01).

use everkey_client::environment;
use everkey_proto::server_url;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};
use tempfile::NamedTempFile;

/// A browser that can't open ends within this time; one that still runs is taken for open.
const STARTS_WITHIN: Duration = Duration::from_millis(1500);

/// Files that an interrupted command left are of no use after this time.
const STALE: Duration = Duration::from_secs(180);

/// What a file's name begins with.
const PREFIX: &str = "open-";

/// Opens a sign-in's page. The file is there as long as what is returned; none means that no browser opened.
pub fn open(page: &str, folder: &Path) -> Option<NamedTempFile> {
    server_url::check(page).ok()?;
    open_by_file(page, "Go on to sign in", folder)
}

/// The same for a page of the dashboard, whose address the caller has looked at.
pub fn open_dashboard(link: &str, folder: &Path) -> Option<NamedTempFile> {
    open_by_file(link, "Go on to the dashboard", folder)
}

fn open_by_file(page: &str, words: &str, folder: &Path) -> Option<NamedTempFile> {
    sweep(folder);
    let file = redirect(page, words, folder).ok()?;
    let named = environment::browsers();
    let usual = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let programs = if named.is_empty() { vec![usual.to_owned()] } else { named };
    programs.iter().any(|program| opens(program, file.path())).then_some(file)
}

/// A file for this user alone (0600) that sends the browser on.
fn redirect(page: &str, words: &str, folder: &Path) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix(PREFIX).suffix(".html").tempfile_in(folder)?;
    file.write_all(html(page, words).as_bytes())?;
    file.flush()?;
    Ok(file)
}

fn html(page: &str, words: &str) -> String {
    let page = escaped(page);
    format!(
        "<!doctype html>\n<meta charset=\"utf-8\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta http-equiv=\"refresh\" content=\"0;url={page}\">\n<title>everkey</title>\n\
         <p><a href=\"{page}\">{words}</a></p>\n"
    )
}

fn escaped(text: &str) -> String {
    let escape = |c: char| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&#39;".to_owned(),
        c => c.to_string(),
    };
    text.chars().map(escape).collect()
}

/// Runs `program`, words and `%s` as in BROWSER, without a shell.
fn opens(program: &str, file: &Path) -> bool {
    let mut words = program.split_whitespace();
    let Some(name) = words.next() else { return false };
    let mut command = Command::new(name);
    let mut placed = false;
    for word in words {
        placed |= word == "%s";
        if word == "%s" {
            command.arg(file)
        } else {
            command.arg(word)
        };
    }
    if !placed {
        command.arg(file);
    }
    let null = Stdio::null;
    let Ok(mut child) = command.stdin(null()).stdout(null()).stderr(null()).spawn() else { return false };
    // The standard library can't wait for a program with a deadline.
    let deadline = Instant::now() + STARTS_WITHIN;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(20)),
            Ok(None) | Err(_) => return true,
        }
    }
}

/// Removes what interrupted commands left behind.
pub fn sweep(folder: &Path) {
    let now = SystemTime::now();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_str().is_some_and(|n| n.starts_with(PREFIX) && n.ends_with(".html"));
        let old = entry.metadata().and_then(|m| m.modified()).ok().and_then(|at| now.duration_since(at).ok());
        if ours && old.is_some_and(|old| old > STALE) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn s01_nothing_of_an_address_becomes_markup() {
        let html = html("https://a/?x=1&y='><script>\"", "Go on");
        assert!(html.contains("url=https://a/?x=1&amp;y=&#39;&gt;&lt;script&gt;&quot;\""), "{html}");
        assert!(!html.contains("<script"));
    }

    #[test]
    fn only_https_and_this_machine_are_opened() {
        let dir = tempfile::tempdir().unwrap();
        for bad in ["javascript:alert(1)", "file:///etc/passwd", "http://example.com/", "https://a b"] {
            assert!(open(bad, dir.path()).is_none(), "{bad}");
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_redirect_file_is_private_and_removed_with_the_login() {
        let dir = tempfile::tempdir().unwrap();
        let file = redirect("https://a/", "Go on", dir.path()).unwrap();
        assert_eq!(file.path().metadata().unwrap().permissions().mode() & 0o777, 0o600);
        drop(file);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn files_left_by_a_killed_command_are_swept_minutes_later() {
        let dir = tempfile::tempdir().unwrap();
        let left = redirect("https://a/", "Go on", dir.path()).unwrap();
        let other = dir.path().join("agent.log");
        fs::write(&other, "").unwrap();
        sweep(dir.path());
        assert!(left.path().exists(), "a browser may be about to read it");
        let before = SystemTime::now() - STALE - Duration::from_secs(1);
        for path in [left.path(), other.as_path()] {
            fs::File::options().write(true).open(path).unwrap().set_modified(before).unwrap();
        }
        sweep(dir.path());
        assert!(!left.path().exists() && other.exists());
    }

    #[test]
    fn a_browser_that_does_not_open_is_noticed() {
        assert!(opens("true", Path::new("/x")));
        assert!(opens("test %s = /x", Path::new("/x")));
        assert!(!opens("false", Path::new("/x")));
        assert!(!opens("no-such-browser-at-all", Path::new("/x")));
    }
}
