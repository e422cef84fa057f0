//! The command line under test: run to its end, or talked with line by line.

use crate::process::Running;
use crate::wait::PATIENCE;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};

/// A command to be run in a world.
pub struct Cli {
    command: Command,
    stdin: String,
}

/// What a finished command left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The exit code.
    pub code: i32,
    /// What it printed.
    pub out: String,
    /// What it complained of.
    pub err: String,
}

impl Cli {
    /// Wraps a prepared command.
    pub fn new(command: Command) -> Self {
        Self { command, stdin: String::new() }
    }

    /// With these lines on standard input.
    #[must_use]
    pub fn stdin(mut self, text: &str) -> Self {
        text.clone_into(&mut self.stdin);
        self
    }

    /// With this variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it to its end.
    pub fn run(self) -> Output {
        let stdin = self.stdin.clone();
        let mut talk = self.talk();
        if let Some(mut pipe) = talk.stdin.take() {
            // Whoever has read enough may close it.
            let _ = pipe.write_all(stdin.as_bytes());
        }
        talk.finish()
    }

    /// Starts it, to be talked with.
    pub fn talk(mut self) -> Talk {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = Running::spawn(&mut self.command);
        let child = process.child();
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (send, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout.expect("a pipe")).lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        let complaints = thread::spawn(move || {
            let mut text = String::new();
            let _ = stderr.expect("a pipe").read_to_string(&mut text);
            text
        });
        Talk { process, stdin, lines, complaints: Some(complaints) }
    }
}

/// A command under way.
pub struct Talk {
    process: Running,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    complaints: Option<JoinHandle<String>>,
}

impl Talk {
    /// The next line it prints.
    pub fn line(&mut self) -> String {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(e) => panic!("no line came ({e}); it said: {}", self.complaints()),
        }
    }

    /// The next line it prints, which is JSON.
    pub fn json(&mut self) -> Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{line:?} is not JSON: {e}"))
    }

    /// Types a line.
    pub fn say(&mut self, line: &str) {
        let pipe = self.stdin.as_mut().expect("it still listens");
        pipe.write_all(format!("{line}\n").as_bytes()).expect("it still listens");
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Waits for its end.
    pub fn finish(mut self) -> Output {
        drop(self.stdin.take());
        let status = self.process.ended();
        let lines: Vec<String> = self.lines.iter().collect();
        let out = lines.iter().map(|line| format!("{line}\n")).collect();
        Output { code: status.code().unwrap_or(-1), out, err: self.complaints() }
    }

    /// Kills it, as a closed terminal does.
    pub fn kill(mut self) {
        self.process.kill();
    }

    fn complaints(&mut self) -> String {
        if self.complaints.is_some() {
            self.process.kill();
        }
        self.complaints.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

impl Output {
    /// It ended with this code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// It went well; what it printed, without the last newline.
    #[track_caller]
    pub fn ok(self) -> String {
        self.exits(0).out.trim_end().to_owned()
    }

    /// It complained, and with these words somewhere.
    #[track_caller]
    pub fn complains(self, words: &str) -> Self {
        assert!(self.err.contains(words), "{words:?} is not in {self:?}");
        self
    }

    /// What it printed, as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{self:?} is not JSON: {e}"))
    }
}
