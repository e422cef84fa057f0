//! Follows what happens: `cargo run -p everkey-client --example events`

use everkey_client::{Agent, EventKind, Failure};

fn main() -> Result<(), Failure> {
    let agent = Agent::connect_as("events example")?;
    for event in agent.follow(true)? {
        let event = event?;
        match event.what {
            EventKind::NeedsLogin { why } => println!("{}: sign in again, because {why}", event.profile),
            EventKind::Handed { pid, program, .. } => {
                println!("{}: a token for {} ({pid})", event.profile, program.unwrap_or_default());
            }
            what => println!("{}: {what:?}", event.profile),
        }
    }
    Ok(())
}
