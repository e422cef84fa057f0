//! Calls an API with a token, and asks for a better one once when the API answers 401:
//! `cargo run -p everkey-client --example call_an_api PROFILE HOST:PORT PATH` (plain HTTP, for a server on this machine).

use everkey_client::{Agent, Failure, Secret, hint_text};
use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [name, host, path] = args.as_slice() else {
        return Err("usage: call_an_api PROFILE HOST:PORT PATH".into());
    };
    let mut agent = Agent::connect_as("call_an_api example").map_err(to_text)?;
    let mut profile = agent.profile(name).map_err(to_text)?;

    let token = profile.token(Duration::from_secs(60)).map_err(to_text)?;
    let mut answer = get(host, path, &token.access_token)?;
    if status(&answer) == "401" {
        // The server knows something that the agent does not. A second 401 would be its last word.
        let better = profile.better_than(&token.access_token).map_err(to_text)?;
        answer = get(host, path, &better.access_token)?;
    }
    println!("{answer}");
    Ok(())
}

fn get(host: &str, path: &str, token: &Secret) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(host)?;
    let token = token.expose();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

fn to_text(failure: Failure) -> String {
    format!("{} {}", failure.message, hint_text(&failure.hint))
}
