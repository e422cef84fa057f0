//! launchd, macOS' service manager. Untested: nobody has run it there yet.

use super::files::{self, MADE_BY, UnitStanding};
use super::home::home;
use super::step::{IfItFails, ServiceStep};
use everkey_client::Failure;
use std::path::{Path, PathBuf};

const PLIST: &str = include_str!("../../../../systemd/everkey.plist");

/// The path that the plist of `systemd/` names.
const USUAL_PATH: &str = "/usr/local/bin/everkeyd";

pub fn install(agent: &Path) -> Result<Vec<ServiceStep>, Failure> {
    let (path, text) = (path()?, rendered(agent));
    if files::standing(&path, &text) == UnitStanding::AsItShouldBe {
        return Ok(Vec::new());
    }
    let load = ServiceStep::run(&["launchctl", "bootstrap", &domain(), &path.display().to_string()]);
    Ok(vec![ServiceStep::StopAgent, ServiceStep::Write { path, text }, load])
}

pub fn uninstall() -> Result<Vec<ServiceStep>, Failure> {
    let path = path()?;
    if !files::is_ours(&path) {
        return Ok(Vec::new());
    }
    let unload = ["launchctl", "bootout", &format!("{}/everkey", domain())];
    Ok(vec![ServiceStep::attempt(&unload, IfItFails::SayNothing), ServiceStep::Remove { path }])
}

fn path() -> Result<PathBuf, Failure> {
    Ok(home()?.join("Library/LaunchAgents/everkey.plist"))
}

fn domain() -> String {
    format!("gui/{}", rustix::process::geteuid().as_raw())
}

fn rendered(agent: &Path) -> String {
    let path = agent.display().to_string();
    let path = path.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let made_by = format!("?>\n<!-- {MADE_BY} -->");
    PLIST.replace(USUAL_PATH, &path).replacen("?>", &made_by, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plist_names_the_agent_and_whose_it_is() {
        let text = rendered(Path::new("/a & b/everkeyd"));
        assert!(text.contains("<string>/a &amp; b/everkeyd</string>") && text.contains(MADE_BY), "{text}");
        assert!(text.starts_with("<?xml"));
    }
}
