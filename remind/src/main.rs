//! everkey-remind: tells the person that a reminder is due, outside of the agent and of whatever shuts the agent in.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    everkey_daemon::remind::helper::main()
}
