//! `everkey login`: begins a sign-in, or goes on with the one that is under way.

use crate::cli::context::Context;
use crate::cli::terminal::{output, prompt};
use crate::cli::terminal_login::{LoginOptions, TerminalLogin};
use crate::cli::usage::error::{UsageError, VerbError};
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_options::TokenOption;
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::VerbHelp;
use everkey_client::precedence::{self, Origin};
use everkey_client::request::Login;
use everkey_client::{Failure, ProfileClient, SignInMethod, environment};
use everkey_config::ProviderKind;
use everkey_proto::Code;
use std::process::ExitCode;

#[derive(Default)]
struct Args {
    scheme: Option<SignInMethod>,
    no_browser: bool,
}

const OPTIONS: &[VerbOption<Args>] = &[
    rows::profile(),
    rows::server_as("sign in at this server"),
    VerbOption::flag("no-browser", "print the address; paste the one that the browser ends at", |args| {
        args.no_browser = true;
    }),
    VerbOption::value("scheme", "S", "browser or device, where the server has both", |args, scheme| {
        args.scheme = Some(rows::parse_scheme(&scheme)?);
        Ok(())
    }),
    rows::token_as("binboi: this token, which other users can see; - is the one on standard input"),
    rows::json_as("one JSON object a line; answer with lines on standard input"),
    rows::api(),
    rows::server_url(),
];

pub fn help() -> VerbHelp {
    VerbHelp::new(
        "
  everkey login
  everkey login --profile achilles
  everkey login --profile binboi --token - < token.txt

Usage: everkey login [OPTIONS]

Options:
{options}

What happens depends on the account:
  failproofai   asks for your email address, then for the code sent to it
  achilles      shows an address and a code; approve it in any browser
  dot-ai        opens your browser and waits for it to come back
  binboi        takes an access token from its dashboard
  oauth         opens your browser; a device code with --scheme device

A sign-in outlives this command: stop it with Ctrl-C and run it again to go on.
From another terminal: everkey answer FLOW
",
        OPTIONS,
    )
}

pub fn run(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read_options(OPTIONS)?;
    if parsed.shared.token.is_some() && parsed.own.scheme.is_some_and(|scheme| scheme != SignInMethod::Token)
    {
        let sentence = "--token is the scheme `token`; leave out --scheme";
        return Err(UsageError::Sentence(sentence.to_owned()).into());
    }
    let context = Context::new(parsed.shared)?;
    Ok(login(&context, &parsed.own).map_err(|failure| context.reword(failure))?)
}

fn login(context: &Context, args: &Args) -> Result<ExitCode, Failure> {
    let scheme = scheme(context, args)?;
    let token = match &context.options.token {
        Some(TokenOption::Given(token)) => {
            output::error_line(
                "warning: other users can see a token on the command line; `--token -` reads it from stdin",
            );
            Some(prompt::one_line(token)?)
        }
        Some(TokenOption::StandardInput) => Some(prompt::token()?),
        None => None,
    };
    let mut agent = context.agent()?;
    let mut expect = context.expect();
    if expect.server.is_none() && context.profile.provider == ProviderKind::Achilles {
        // Its own tool may have changed the server since the agent has read its configuration.
        expect.server = configured_server(context);
    }
    let mut client = context.client(&mut agent).expecting(expect);
    if !context.options.json {
        print_server(context, &mut client);
    }
    let step = client.call(Login { scheme })?;
    let options = LoginOptions { scheme: args.scheme, no_browser: args.no_browser, token, may_join: true };
    TerminalLogin::new(context, client, options).follow(step)
}

/// The scheme that the options ask for, if the provider has it.
fn scheme(context: &Context, args: &Args) -> Result<Option<SignInMethod>, Failure> {
    let scheme = args.scheme.or(context.options.token.as_ref().map(|_| SignInMethod::Token));
    let offered = context.profile.provider.schemes();
    let Some(unknown) = scheme.filter(|scheme| !offered.contains(scheme)) else { return Ok(scheme) };
    let words: Vec<&str> = offered.iter().map(|scheme| scheme.as_str()).collect();
    let hint = match (context.profile.provider, unknown) {
        (ProviderKind::DotAi, SignInMethod::Token) => {
            "Set DOT_AI_AUTH_TOKEN, or put the token into the file as auth_token.".to_owned()
        }
        _ => "Leave out --scheme and --token.".to_owned(),
    };
    let message = format!("{} signs in by {}.", context.profile.provider.as_str(), words.join(" or "));
    Err(Failure::new(Code::BadRequest, message, hint))
}

fn configured_server(context: &Context) -> Option<String> {
    let named = precedence::named_servers(&context.profile, None, environment::text);
    named.into_iter().find(|named| named.origin == Origin::Configuration).map(|named| named.server)
}

/// A person should see which server is about to be asked: the agent may have been started with another one.
fn print_server(context: &Context, client: &mut ProfileClient<'_>) {
    let named = context.next_server("").map(|named| named.server);
    let Some(server) = named.or_else(|| client.status().ok().map(|status| status.server)) else { return };
    match context.profile.provider {
        ProviderKind::Achilles => {
            output::line(format_args!("Authenticating with {}", output::plain(&server)))
        }
        _ => output::error_line(format_args!("Signing in at {}", output::plain(&server))),
    }
}
