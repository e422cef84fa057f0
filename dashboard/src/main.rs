//! The dashboard's program.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    everkey_dashboard::run()
}
