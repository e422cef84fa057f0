//! The agent as `everkey agent status` shows it.

use crate::cli::terminal::output;
use everkey_proto::reply::AgentInfo;
use serde_json::json;

/// Its version, process and places.
pub fn print(info: &AgentInfo, json: bool) {
    if json {
        output::json(&json!(info));
    } else {
        output::line(format_args!("everkeyd {} runs as process {}", output::plain(&info.version), info.pid));
        output::line(format_args!("{:<10} {}", "Socket", output::plain(&info.socket)));
        output::line(format_args!("{:<10} {}", "Folder", output::plain(&info.state_dir)));
        if info.replaced {
            output::line("Its program file was replaced since it started. Run `everkey agent restart`.");
        }
    }
}
