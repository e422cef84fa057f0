//! A program in Python or Node that drives the client of docs/clients as a test says.

use everkey_tests::cli::{Cli, Talk};
use everkey_tests::skip::has;
use everkey_tests::{ADA, World};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A word that a fake agent sends and that no error may repeat.
pub const CANARY: &str = "canary-77b0-never-printed";

#[derive(Clone, Copy)]
pub enum Language {
    Python,
    Node,
}

impl Language {
    pub fn program(self) -> &'static str {
        match self {
            Self::Python => "python3",
            Self::Node => "node",
        }
    }

    /// What this language's code blocks in README.md begin with.
    pub fn fence(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Node => "js",
        }
    }

    fn driver(self) -> PathBuf {
        let name = match self {
            Self::Python => "driver.py",
            Self::Node => "driver.mjs",
        };
        Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/clients").join(name)
    }

    /// Why this machine can't run it.
    pub fn lacking(self) -> Option<String> {
        if !has(self.program()) {
            return Some(format!("no {}", self.program()));
        }
        let old = match self {
            Self::Python => "import sys; sys.exit(sys.version_info < (3, 9))",
            Self::Node => "process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)",
        };
        let option = match self {
            Self::Python => "-c",
            Self::Node => "-e",
        };
        let new = Command::new(self.program()).args([option, old]).status().unwrap().success();
        (!new).then(|| format!("{} is too old", self.program()))
    }
}

pub fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/clients")
}

/// PATH without any everkeyd, then with this folder in front.
pub fn path_with(dir: Option<&Path>) -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let others = std::env::split_paths(&path).filter(|dir| !dir.join("everkeyd").exists());
    std::env::join_paths(dir.map(Path::to_owned).into_iter().chain(others)).unwrap()
}

/// A program in this language that finds the client and the world's everkeyd.
pub fn command(world: &World, language: Language) -> Command {
    let mut command = world.command(language.program());
    let agent = PathBuf::from(world.agent_command("").get_program());
    command.env("PATH", path_with(agent.parent()));
    command.env("PYTHONPATH", clients()).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

pub fn driven(mut command: Command, language: Language) -> Driver {
    command.arg(language.driver());
    Driver(Cli::new(command).talk())
}

pub fn driver(world: &World, language: Language) -> Driver {
    driven(command(world, language), language)
}

/// A driver script under way.
pub struct Driver(pub Talk);

impl Driver {
    pub fn tell(&mut self, line: &Value) -> Value {
        self.0.say(&line.to_string());
        self.0.json()
    }

    #[track_caller]
    pub fn ok(&mut self, line: &Value) -> Value {
        let answer = self.tell(line);
        answer.get("ok").unwrap_or_else(|| panic!("{line} became {answer}")).clone()
    }

    pub fn connect(&mut self) {
        self.ok(&json!({ "do": "connect", "client": "driver" }));
    }

    /// The code of the error that comes of it; nothing else may be printed with it than its own words.
    #[track_caller]
    pub fn fails(&mut self, line: &Value, words: &str) -> String {
        let answer = self.tell(line);
        let error = answer.get("error").unwrap_or_else(|| panic!("{line} became {answer}"));
        assert!(error["message"].as_str().unwrap().contains(words), "{error}");
        assert_ne!(error["hint"], "", "{error}");
        assert!(!answer.to_string().contains(CANARY), "{answer}");
        error["code"].as_str().unwrap().to_owned()
    }

    pub fn answer(&mut self, text: &str) -> Value {
        self.tell(&json!({ "answer": text }))
    }

    pub fn login(&mut self, world: &World) {
        let before = world.server.codes(ADA).len();
        assert_eq!(self.tell(&json!({ "do": "login" }))["step"]["field"], "email");
        assert_eq!(self.answer(ADA)["step"]["field"], "code");
        assert_eq!(self.answer(&world.server.code_after(ADA, before))["ok"]["email"], ADA);
    }

    /// It ends well and has complained of nothing.
    pub fn finish(self) {
        let output = self.0.finish().exits(0);
        assert_eq!(output.err, "");
    }
}

/// The text of a token, which must not be printed by anything but itself.
#[track_caller]
pub fn text_of(token: &Value) -> String {
    let text = token["access_token"].as_str().unwrap();
    assert!(!token["printed"].to_string().contains(text), "{token}");
    text.to_owned()
}
