//! `everkey whoami --explain`: where account, server and token come from, and what was passed over.

use crate::cli::context::{Chosen, Context};
use crate::cli::terminal::output;
use everkey_client::precedence::{self, NamedServer, Origin};
use everkey_client::{Failure, Hint, Inspection, State, Status, User, Verdict, environment, hint_text};
use everkey_config::ProviderKind;
use everkey_proto::server_url::normal_server;
use everkey_proto::{Code, Expect};
use serde_json::{Value, json};
use std::process::ExitCode;

/// A value, where it comes from, and the others there would have been.
struct Choice {
    used: Option<Source>,
    passed_over: Vec<Source>,
}

/// Where a value comes from, and what may be shown of it.
struct Source {
    from: String,
    shown: Option<String>,
}

/// Whose the token is; a token that the server refuses is nobody's.
fn user_of(inspection: Inspection, source: &str) -> Result<Option<User>, Failure> {
    match inspection.verdict {
        Verdict::Accepted | Verdict::Untold => Ok(inspection.user),
        Verdict::Refused => Err(Failure::new(
            Code::Refused,
            format!("The server refuses the token from {source}."),
            "Put another one there, or take it away to use the session's.".to_owned(),
        )),
    }
}

pub fn explain(context: &Context) -> Result<ExitCode, Failure> {
    let tokens = context.given_tokens()?;
    let mut agent = context.agent()?;
    // What the session is bound to, whatever is named: a difference is what is to be explained.
    let expect = Expect { server: None, ..context.expect() };
    let bare = context.client(&mut agent).expecting(expect.clone()).status()?;
    let status = match context.client(&mut agent).status() {
        Err(failure) if failure.code == Code::Mismatch => bare.clone(),
        status => status?,
    };
    let named = context.expect().server.filter(|_| tokens.is_empty() && is_signed_in(bare.state));
    let mismatch = named.filter(|named| normal_server(named) != normal_server(&bare.server));
    let mut client = context.client(&mut agent);
    if mismatch.is_some() {
        client = client.expecting(expect);
    }
    let (used, user) = match tokens.first() {
        Some(given) => {
            let inspected = client.inspect(Some(given.token.clone()));
            (true, inspected.and_then(|inspection| user_of(inspection, &output::origin(&given.origin))))
        }
        None => (status.masked_token.is_some() || status.masked_static_token.is_some(), client.whoami()),
    };
    let mismatch = mismatch.map(|named| {
        let message =
            format!("The session belongs to {}, so no token of it is handed out for {named}.", bare.server);
        context.reword(Failure::new(Code::Mismatch, message, Hint::OmitServer))
    });
    let server = server(context, &status);
    let given = tokens
        .iter()
        .map(|given| Source { from: output::origin(&given.origin), shown: Some(given.token.masked()) });
    let token = first(given.chain(in_file(context, &status)).collect());
    if context.options.json {
        output::json(&json!({
            "authenticated": used && user.is_ok() && mismatch.is_none(),
            "mismatch": mismatch.as_ref().map(output::failure_json),
            "user": user.as_ref().ok(),
            "error": user.as_ref().err().map(output::failure_json),
            "explain": {
                "profile": { "name": context.profile.name, "source": chosen(context) },
                "server": choice(&server),
                "token": choice(&token),
            },
        }));
    } else {
        print("Profile", &context.profile.name, &chosen(context), &[]);
        print_choice("Server", &server);
        print_choice("Token", &token);
        if let Some(mismatch) = &mismatch {
            output::line(format_args!("{:<8} {}", "Session", output::plain(&mismatch.message)));
            output::line(format_args!("{:<8} {}", "", output::plain(&hint_text(&mismatch.hint))));
        }
        output::line(match &user {
            Ok(Some(user)) => format!("{:<8} {}", "User", output::user(user)),
            Ok(None) => format!("{:<8} this server does not say who", "User"),
            Err(failure) => {
                format!("{:<8} {}", "User", output::plain(&context.reword(failure.clone()).message))
            }
        });
    }
    Ok(user.map_or_else(|failure| ExitCode::from(failure.code.exit_code()), |_| ExitCode::SUCCESS))
}

fn is_signed_in(state: State) -> bool {
    !matches!(state, State::SignedOut | State::NeedsLogin)
}

fn chosen(context: &Context) -> String {
    match &context.chosen {
        Chosen::Option => "--profile".to_owned(),
        Chosen::Variable => "EVERKEY_PROFILE".to_owned(),
        Chosen::Link(name) => format!("the name {name} that everkey was called by"),
        Chosen::Configuration => "`default` in config.toml".to_owned(),
        Chosen::Default => "the default".to_owned(),
    }
}

fn server(context: &Context, status: &Status) -> Choice {
    let named = precedence::named_servers(&context.profile, context.server_option(), environment::text);
    let source =
        |named: NamedServer| Source { from: output::origin(&named.origin), shown: Some(named.server) };
    let otherwise = match (is_signed_in(status.state), context.profile.provider) {
        (false, ProviderKind::Binboi) => Origin::SessionFile("api_url"),
        (false, _) => Origin::Agent,
        (true, _) => Origin::SignIn,
    };
    first(in_order(named, &status.server, otherwise).into_iter().map(source).collect())
}

/// What options and variables name wins; else it is the agent's, which comes from elsewhere if nobody here names it.
fn in_order(named: Vec<NamedServer>, of_agent: &str, otherwise: Origin) -> Vec<NamedServer> {
    let explicit = |named: &NamedServer| matches!(named.origin, Origin::Option(_) | Origin::Variable(_));
    let (mut order, mut rest): (Vec<_>, Vec<_>) = named.into_iter().partition(explicit);
    let in_use = rest.iter().position(|named| normal_server(&named.server) == normal_server(of_agent));
    let known = order.iter().any(|named| normal_server(&named.server) == normal_server(of_agent));
    match in_use {
        Some(at) => order.push(rest.remove(at)),
        None if known => {}
        None => order.push(NamedServer { server: of_agent.to_owned(), origin: otherwise }),
    }
    order.extend(rest);
    order
}

/// The tokens of the session file, in the order of the contract.
fn in_file(context: &Context, status: &Status) -> Vec<Source> {
    let fields = precedence::rules(context.profile.provider).token_fields;
    let source = |field: &'static str, shown: &String| Source {
        from: format!("{} ({field})", context.profile.session_file.display()),
        shown: Some(shown.clone()),
    };
    match (fields, &status.masked_static_token, &status.masked_token) {
        ([fixed, changing], Some(constant), session) => {
            let session = session.as_ref().filter(|session| *session != constant);
            let session = session.map(|masked| source(changing, masked));
            std::iter::once(source(fixed, constant)).chain(session).collect()
        }
        ([.., field], _, Some(masked)) => vec![source(field, masked)],
        _ => Vec::new(),
    }
}

fn first(sources: Vec<Source>) -> Choice {
    let mut sources = sources.into_iter();
    Choice { used: sources.next(), passed_over: sources.collect() }
}

fn choice(choice: &Choice) -> Value {
    let source = |source: &Source| json!({ "source": source.from, "value": source.shown });
    json!({
        "used": choice.used.as_ref().map(source),
        "passed_over": choice.passed_over.iter().map(source).collect::<Vec<_>>(),
    })
}

fn print_choice(name: &str, choice: &Choice) {
    match &choice.used {
        Some(used) => {
            print(name, used.shown.as_deref().unwrap_or_default(), &used.from, &choice.passed_over);
        }
        None => output::line(format_args!("{name:<8} none")),
    }
}

fn print(name: &str, value: &str, from: &str, passed_over: &[Source]) {
    output::line(format_args!("{name:<8} {}, from {}", output::plain(value), output::plain(from)));
    for other in passed_over {
        let shown =
            other.shown.as_deref().map(|shown| format!(" ({})", output::plain(shown))).unwrap_or_default();
        output::line(format_args!("{:<8} passed over: {}{shown}", "", output::plain(&other.from)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_that_is_used_comes_first() {
        let named = |server: &str, origin| NamedServer { server: server.to_owned(), origin };
        let all = || vec![named("https://c", Origin::Configuration), named("https://d", Origin::Default)];
        let origins = |named, of_agent| {
            in_order(named, of_agent, Origin::SignIn)
                .into_iter()
                .map(|named| named.origin)
                .collect::<Vec<_>>()
        };
        assert_eq!(origins(all(), "https://c/"), [Origin::Configuration, Origin::Default]);
        assert_eq!(origins(all(), "https://d"), [Origin::Default, Origin::Configuration]);
        assert_eq!(
            origins(all(), "https://old"),
            [Origin::SignIn, Origin::Configuration, Origin::Default],
            "a session stays where it was made"
        );
        let mut flagged = all();
        flagged.insert(0, named("https://f", Origin::Option("--server")));
        assert_eq!(
            origins(flagged, "https://c"),
            [Origin::Option("--server"), Origin::Configuration, Origin::Default]
        );
    }
}
