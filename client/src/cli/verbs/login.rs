//! `everkey login`: begins a sign-in, or goes on with the one that is under way.

use crate::cli::context::Context;
use crate::cli::render::login as words;
use crate::cli::terminal::code_file::CodeFile;
use crate::cli::terminal::prompt::{self, Echo};
use crate::cli::terminal::{dates, output, progress};
use crate::cli::terminal_login::{LoginOptions, TerminalLogin};
use crate::cli::usage::error::{UsageError, VerbError};
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_options::TokenOption;
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::VerbHelp;
use crate::cli::usage::word_kind::WordKind;
use everkey_client::precedence::{self, Origin};
use everkey_client::request::{Login, UnderWay};
use everkey_client::{Failure, FlowId, ProfileClient, SignInMethod, SignInUnderWay, Step, environment};
use everkey_config::ProviderKind;
use everkey_proto::Code;
use std::io::{self, IsTerminal};
use std::process::ExitCode;

#[derive(Default)]
struct Args {
    scheme: Option<SignInMethod>,
    no_browser: bool,
    with_token: bool,
    email: Option<String>,
    code_file: Option<CodeFile>,
    instead: Option<Instead>,
}

/// What becomes of a sign-in that is under way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Instead {
    /// `--continue`
    GoOn,
    /// `--new`
    Replace,
}

const OPTIONS: &[VerbOption<Args>] = &[
    rows::profile(),
    rows::server_as("sign in at this server"),
    VerbOption::flag("no-browser", "print the address; paste the one that the browser ends at", |args| {
        args.no_browser = true;
    }),
    VerbOption::<Args>::value(
        "scheme",
        "S",
        "browser or device, where the server has both",
        |args, scheme| {
            args.scheme = Some(rows::parse_scheme(&scheme)?);
            Ok(())
        },
    )
    .taking(WordKind::OneOf(|| vec!["browser", "device"])),
    rows::token_as("binboi: this token, which other users can see; - is the one on standard input"),
    VerbOption::value("email", "EMAIL", "the address, as the word after login", |args, email| {
        args.email = Some(email);
        Ok(())
    }),
    VerbOption::<Args>::value(
        "code-file",
        "FILE",
        "read the code from here; - is standard input",
        |args, path| {
            args.code_file = Some(CodeFile::named(path));
            Ok(())
        },
    )
    .taking(WordKind::File),
    VerbOption::flag("with-token", "take the token from standard input", |args| args.with_token = true),
    VerbOption::flag("continue", "go on with the sign-in that is under way", |args| {
        args.instead = Some(Instead::GoOn);
    }),
    VerbOption::flag("new", "begin anew in place of the one that is under way", |args| {
        args.instead = Some(Instead::Replace);
    }),
    rows::json_as("one JSON object a line; answer with lines on standard input"),
    rows::api(),
    rows::server_url(),
];

pub fn help() -> VerbHelp {
    VerbHelp::new(
        "
  everkey login
  everkey login --profile achilles
  everkey login --profile binboi --with-token < token.txt
  everkey login you@example.com --code-file -

Usage: everkey login [EMAIL] [OPTIONS]

Options:
{options}

What happens depends on the account:
  failproofai   asks for your email address, then for the code sent to it
  achilles      shows an address and a code; approve it in any browser
  dot-ai        opens your browser and waits for it to come back
  binboi        takes an access token from its dashboard
  oauth         opens your browser; a device code with --scheme device

There is one sign-in of an account at a time. If one is under way, you are asked
whether to go on with it or to begin anew; a script says --continue or --new.
Ctrl-C gives a sign-in up. If this command ends otherwise, its sign-in waits for
ten minutes.
",
        OPTIONS,
    )
}

pub fn run(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let mut parsed = arguments.read(OPTIONS)?;
    match parsed.words.as_slice() {
        [] => {}
        [email] if email.contains('@') => parsed.own.email = Some(email.clone()),
        [extra] | [_, extra, ..] => return Err(UsageError::ExtraWord(extra.clone()).into()),
    }
    if parsed.own.with_token {
        parsed.shared.token = Some(TokenOption::StandardInput);
    }
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
    let step = begin(context, &mut client, scheme, args)?;
    let options = LoginOptions {
        no_browser: args.no_browser,
        token,
        email: args.email.clone(),
        code_file: args.code_file.clone(),
    };
    TerminalLogin::new(context, client, options).follow(step)
}

/// The first step. Where somebody's sign-in is under way, whoever asks says what becomes of it.
fn begin(
    context: &Context,
    client: &mut ProfileClient<'_>,
    scheme: Option<SignInMethod>,
    args: &Args,
) -> Result<Step, Failure> {
    // Nothing begins by joining a flow that there is not.
    let mut under_way = (args.instead == Some(Instead::GoOn)).then_some(UnderWay::Join(FlowId(u64::MAX)));
    loop {
        let failure = match progress::during(progress::SERVER, || client.call(Login { scheme, under_way })) {
            Ok(step) => return Ok(step),
            Err(failure) => failure,
        };
        if args.instead == Some(Instead::GoOn) && failure.code == Code::FlowGone {
            let hint = format!("Begin one: {}", context.command("login"));
            return Err(Failure::new(Code::FlowGone, "No sign-in is under way.", hint));
        }
        let Some(other) = failure.under_way.as_deref() else { return Err(failure) };
        under_way = Some(match args.instead {
            Some(Instead::GoOn) => UnderWay::Join(other.flow),
            Some(Instead::Replace) => UnderWay::Replace(other.flow),
            None if context.options.json || !io::stdin().is_terminal() => return Err(failure),
            None => match wants_to_join(other)? {
                Some(true) => UnderWay::Join(other.flow),
                Some(false) => UnderWay::Replace(other.flow),
                None => return Err(failure),
            },
        });
    }
}

/// Whether the person goes on with the sign-in that is under way, or begins anew; none at the end of the input.
fn wants_to_join(other: &SignInUnderWay) -> Result<Option<bool>, Failure> {
    output::error_line(words::under_way(other, dates::now()));
    let answer = prompt::ask("Press Enter to go on with it, or n to begin anew: ", Echo::Shown)?;
    Ok(answer.map(|answer| !answer.expose().trim().eq_ignore_ascii_case("n")))
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
