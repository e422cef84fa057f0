//! Signs in with prompts of its own: `cargo run -p everkey-client --example login [PROFILE]`
//! What is typed is shown here; a real program hides codes and tokens.

use everkey_client::{Agent, Code, Entry, Failure, Field, PromptReply, Secret, Step, code_or_email};
use std::io::{self, Write};

fn main() -> Result<(), Failure> {
    let mut agent = Agent::connect_as("login example")?;
    let mut profile = match std::env::args().nth(1) {
        Some(name) => agent.profile(&name)?,
        None => agent.default_profile()?,
    };
    let user = profile.login(None, |step| match step {
        Step::Ask { field, tries, again, .. } => {
            if let Some(again) = again {
                println!("{} {tries} tries left.", again.message);
            }
            typed(*field)
        }
        Step::Show { url, user_code, .. } => {
            println!("Open {url} and type {user_code}");
            Ok(PromptReply::Wait)
        }
        Step::Open { url, port, .. } => {
            println!("Open this on this machine (it comes back to port {port}):\n{url}");
            Ok(PromptReply::Wait)
        }
        Step::Done { .. } => Ok(PromptReply::Wait),
    })?;
    println!("{}", user.map_or("signed in".to_owned(), |user| format!("signed in as {}", user.email)));
    Ok(())
}

fn typed(field: Field) -> Result<PromptReply, Failure> {
    print!("{field:?}: ");
    let mut line = String::new();
    let read = io::stdout().flush().and_then(|()| io::stdin().read_line(&mut line));
    match read {
        Ok(0) => Ok(PromptReply::Cancel),
        Ok(_) => {
            let text = Secret::new(line.trim_end_matches('\n'));
            Ok(PromptReply::Enter(match field {
                Field::Code => code_or_email(text),
                Field::Email | Field::Token | Field::SecondFactor => Entry::Text(text),
            }))
        }
        Err(e) => Err(Failure::new(Code::BadRequest, format!("Can't read: {e}."), "Run it on a terminal.")),
    }
}
