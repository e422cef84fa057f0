//! everkeyd, the agent: one per user, the only process that refreshes or writes session files.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    everkey_daemon::startup::main()
}
