//! Prompts on a terminal: what is typed and pasted there, and how the terminal is left.

use everkey_tests::process::{self, is_alive};
use everkey_tests::skip::{has, skipped};
use everkey_tests::{ADA, Approval, Person, Terminal, World, until};
use rustix::process::Signal;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

fn client(world: &World) -> PathBuf {
    Path::new(world.agent_command("").get_program()).with_file_name("everkey")
}

/// `everkey WORDS`, on a terminal.
fn at(world: &World, words: &str) -> Terminal {
    let mut command = world.command(client(world));
    command.args(words.split_whitespace());
    Terminal::start(&command)
}

/// The process that shows a prompt below `shell`.
fn child_of(shell: u32) -> Option<u32> {
    let below =
        |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let mut pids = vec![shell];
    while let Some(pid) = pids.pop() {
        let comm = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        if comm.trim() == "everkey" {
            return Some(pid);
        }
        pids.extend(below(pid).split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
    }
    None
}

#[test]
fn every_signal_puts_the_terminal_back() {
    let world = World::new();
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
        let mut terminal = at(&world, "login --new --profile binboi");
        terminal.until_shown("Token");
        until("the prompt to hide what is typed", || !terminal.echoes());
        process::signal(terminal.pid(), signal);
        assert_eq!(terminal.ended().signal(), Some(signal.as_raw()), "{signal:?} means what it means");
        assert!(terminal.is_as_usual(), "{signal:?}");
        terminal.until_shown("[?2004l");
    }
}

#[test]
fn a_stopped_prompt_puts_the_terminal_back_and_goes_on() {
    let world = World::new();
    let mut terminal = at(&world, "login --new --profile binboi");
    terminal.until_shown("Token");
    for _ in 0..2 {
        until("the prompt to hide what is typed", || !terminal.echoes());
        process::signal(terminal.pid(), Signal::TSTP);
        until("the terminal to be as usual", || terminal.is_as_usual());
        process::signal(terminal.pid(), Signal::CONT);
    }
    until("the prompt to hide what is typed", || !terminal.echoes());
    terminal.keys("\u{3}");
    assert_eq!(terminal.ended().signal(), Some(Signal::INT.as_raw()));
    assert!(terminal.is_as_usual());
}

#[test]
fn ctrl_c_in_a_substitution_leaves_the_shell_usable() {
    let world = World::new();
    let bash: &[&str] = &["bash", "--norc", "--noediting", "-i"];
    for shell in [bash, &["dash", "-i"]] {
        if !has(shell[0]) {
            return skipped("ctrl_c_in_a_substitution_leaves_the_shell_usable", shell[0]);
        }
        let everkey = client(&world).display().to_string();
        for form in [
            "x=$(EVERKEY login --new --profile binboi)",
            "EVERKEY login --new --profile binboi",
            "(EVERKEY token --refused -)",
        ] {
            for end in [Some("\u{3}"), None] {
                let mut command = world.command(shell[0]);
                command.args(&shell[1..]).env("PS1", "ready> ");
                let mut terminal = Terminal::start(&command);
                terminal.until_shown("ready> ");
                terminal.keys(&format!("{}\n", form.replace("EVERKEY", &everkey)));
                terminal.until_shown("oken (");
                until("the prompt to hide what is typed", || !terminal.echoes());
                let prompt = child_of(terminal.pid()).expect("a prompt");
                match end {
                    Some(key) => terminal.keys(key),
                    None => process::signal(prompt, Signal::TERM),
                }
                until("the prompt to be gone", || !is_alive(prompt));
                until(&format!("the terminal as usual after {form} in {}", shell[0]), || {
                    terminal.is_as_usual()
                });
                terminal.keys("echo still-$((6*7))\n");
                terminal.until_shown("still-42");
            }
        }
    }
}

#[test]
fn what_cant_be_the_code_costs_no_try() {
    let world = World::new();
    let mut terminal = at(&world, "login");
    terminal.until_shown("Email: ");
    terminal.keys("\n\u{1b}[200~<ada@\nexample.com>\n\u{1b}[201~");
    terminal.until_shown("not shown");
    assert!(terminal.shown().contains("type the email address"), "{}", terminal.shown());
    let code = world.server.code_after(ADA, 0);
    terminal.keys("\n12\n");
    terminal.until_shown("5 tries are left");
    let wrong = if code.starts_with('1') { code.replacen('1', "2", 1) } else { format!("1{}", &code[1..]) };
    terminal.keys(&format!("{wrong}\n"));
    terminal.until_shown("4 tries are left");
    terminal.keys(&format!("\u{1b}[200~Code: {} {}\u{1b}[201~\n", &code[..3], &code[3..]));
    assert!(terminal.ended().success(), "{}", terminal.shown());
    assert!(terminal.shown().contains(&format!("Signed in as {ADA}")), "{}", terminal.shown());
    assert!(!terminal.shown().contains(&code), "it is hidden");
}

#[test]
fn an_invisible_character_in_a_token_is_named() {
    let world = World::new();
    let mut terminal = at(&world, "login --new --profile binboi");
    terminal.until_shown("Token (");
    terminal.keys("binboi_pat_\u{200b}1\n");
    terminal.until_shown("invisible character in it (U+200B)");
    terminal.keys("\u{4}");
    terminal.ended();
    let piped = world.cli("login --new --profile binboi --token -").stdin("\u{feff}binboi_pat_1\n").run();
    piped.exits(2).complains("invisible character in it (U+FEFF)");
}

#[test]
fn a_long_token_is_read_whole() {
    let world = World::new();
    let mut terminal = at(&world, "token --refused -");
    terminal.until_shown("Refused token (");
    terminal.keys(&format!("{}\n", "x".repeat(6_000)));
    assert!(!terminal.ended().success());
    assert!(terminal.shown().contains("not signed in"), "{}", terminal.shown());
}

#[test]
fn a_command_can_be_typed_while_a_prompt_ends() {
    let world = World::new();
    let mut command: Command = world.command("dash");
    command.args(["-c", "\"$0\" token --refused -; read line; echo \"got: $line\""]).arg(client(&world));
    let mut terminal = Terminal::start(&command);
    terminal.until_shown("Refused token (");
    terminal.keys("x\nfor the shell\n");
    terminal.until_shown("got: for the shell");
}

#[test]
fn the_final_address_may_be_long_quoted_and_broken() {
    let mut world = World::new();
    world.set_env("DOT_AI_URL", "");
    let server = world.proxy.url();
    world.configure(&format!("[profiles.dot-ai]\nprovider = \"dot-ai\"\nserver = \"{server}\"\n"));
    for (before, after) in [("\u{1b}[200~\"", "\"\u{1b}[201~\r"), ("'", "'\r"), ("", "\r")] {
        let mut terminal = at(&world, "login --profile dot-ai --no-browser");
        terminal.until_shown("paste here");
        let shown = terminal.shown();
        let url = shown.lines().map(str::trim).find(|line| line.contains("/authorize?")).expect("a page");
        let back = Person::sign_in(&world.server, ADA).answer(url, Approval::Yes);
        let (start, query) = back.split_once('?').expect("a query");
        let (first, rest) = query.split_at(query.len() / 2);
        let address = format!("{start}?filler={}&{first}\r\n{rest}", "x".repeat(5_000));
        until("the terminal to hand over more than a line", || !terminal.is_as_usual());
        terminal.keys(&format!("{before}{address}{after}"));
        assert!(terminal.ended().success(), "{}", terminal.shown());
        assert!(terminal.is_as_usual());
        world.everkey("logout --profile dot-ai").ok();
    }
}

#[test]
fn a_piped_address_may_have_line_breaks_in_it() {
    let world = World::new();
    let server = world.proxy.url();
    world.configure(&format!("[profiles.dot-ai]\nprovider = \"dot-ai\"\nserver = \"{server}\"\n"));
    let mut talk = world.start("login --profile dot-ai --no-browser");
    let mut page = String::new();
    while !page.contains("/authorize?") {
        page = talk.line();
    }
    let back = Person::sign_in(&world.server, ADA).answer(page.trim(), Approval::Yes);
    let (first, rest) = back.split_at(back.len() / 2);
    talk.say(&format!("http://127.0.0.1:1/?code=1&state=2\n\"{first}\n{rest}\""));
    talk.finish().exits(0).complains("does not belong to the sign-in");
}

#[test]
fn two_people_are_not_mixed_up() {
    let world = World::new();
    let mut carl = at(&world, "login");
    carl.until_shown("Email: ");
    carl.keys("carl@example.com\n");
    carl.until_shown("not shown");
    let mut dora = at(&world, "login");
    dora.until_shown("A sign-in for carl@example.com");
    dora.until_shown("Press Enter to go on with it, or n to begin anew: ");
    dora.keys("n\n");
    // Nobody presses Enter at Carl's terminal.
    carl.until_shown("begun in place of this one");
    assert_eq!(carl.ended().code(), Some(2), "{}", carl.shown());
    assert!(carl.is_as_usual());
    dora.until_shown("Email: ");
    dora.keys("dora@example.com\n");
    dora.until_shown("not shown");
    dora.keys(&format!("{}\n", world.server.code_after("dora@example.com", 0)));
    assert!(dora.ended().success(), "{}", dora.shown());
    assert!(dora.shown().contains("Signed in as dora@example.com"), "{}", dora.shown());
}

#[test]
fn a_prompt_ends_when_another_terminal_has_finished() {
    let world = World::new();
    let mut first = at(&world, "login");
    first.until_shown("Email: ");
    first.keys(&format!("{ADA}\n"));
    first.until_shown("not shown");
    let code = world.server.code_after(ADA, 0);
    world.cli("login --continue").stdin(&format!("{code}\n")).run().ok();
    first.until_shown(&format!("Signed in as {ADA}"));
    assert!(first.ended().success() && first.is_as_usual());
}

#[test]
fn ctrl_c_gives_the_sign_in_up() {
    let world = World::new();
    let mut alone = at(&world, "login");
    alone.until_shown("Email: ");
    alone.keys(&format!("{ADA}\n"));
    alone.until_shown("not shown");
    alone.keys("\u{3}");
    assert_eq!(alone.ended().signal(), Some(Signal::INT.as_raw()));
    world.everkey("login --continue").exits(2).complains("No sign-in is under way");

    let issuer = world.proxy.url();
    world.configure(&format!(
        "[profiles.d]\nprovider = \"oauth\"\nissuer = \"{issuer}\"\nscheme = \"device\"\n"
    ));
    let mut first = at(&world, "login --profile d");
    first.until_shown("Ctrl-C");
    let mut joined = world.start("login --profile d --continue --json");
    let shown = joined.json();
    first.keys("\u{3}");
    first.ended();
    let again = world.start("login --profile d --continue --json").json();
    assert_eq!(again["user_code"], shown["user_code"], "who has joined goes on");
}
