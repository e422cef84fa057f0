//! Who is signed in: `cargo run -p everkey-client --example whoami [PROFILE]`

use everkey_client::{Agent, Code, Failure, hint_text};

fn main() -> Result<(), Failure> {
    let mut agent = Agent::connect_as("whoami example")?;
    let mut profile = match std::env::args().nth(1) {
        Some(name) => agent.profile(&name)?,
        None => agent.default_profile()?,
    };
    match profile.whoami() {
        Ok(Some(user)) => println!("{} ({})", user.email, user.id),
        Ok(None) => println!("signed in; this server does not say who"),
        Err(failure) if matches!(failure.code, Code::NotSignedIn | Code::NeedsLogin) => {
            println!("not signed in. {}", hint_text(&failure.hint));
        }
        Err(failure) => return Err(failure),
    }
    Ok(())
}
