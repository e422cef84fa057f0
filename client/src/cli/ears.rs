//! Hears standard input and the sign-in at once: what is asked here may be answered elsewhere.

use crate::cli::input;
use everkey_client::{Agent, Failure, Secret, Step};
use everkey_proto::profile::Profile;
use everkey_proto::{Code, Expect};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// What comes first.
pub enum Heard {
    /// A line of standard input; none at its end.
    Line(Result<Option<Secret>, Failure>),
    /// Another step of the sign-in, or its end.
    Step(Result<Step, Failure>),
}

/// Both ears of one sign-in.
pub struct Ears {
    heard: Receiver<(u64, Heard)>,
    tell: Sender<(u64, Heard)>,
    /// Counts the questions: what is heard about an earlier one is old.
    question: u64,
    reading: bool,
}

impl Ears {
    pub fn new() -> Self {
        let (tell, heard) = channel();
        Self { heard, tell, question: 0, reading: false }
    }

    /// The next line, or the step that comes instead of `asked`.
    pub fn hear(&mut self, profile: &Profile, expect: &Expect, asked: &Step) -> Heard {
        self.question += 1;
        if !std::mem::replace(&mut self.reading, true) {
            let tell = self.tell.clone();
            thread::spawn(move || read(&tell));
        }
        let (tell, question) = (self.tell.clone(), self.question);
        let (profile, expect, asked) = (profile.clone(), expect.clone(), asked.clone());
        thread::spawn(move || {
            if let Some(step) = next(&profile, expect, &asked) {
                let _ = tell.send((question, Heard::Step(step)));
            }
        });
        loop {
            match self.heard.recv() {
                Ok((_, line @ Heard::Line(_))) => return line,
                Ok((about, step)) if about == self.question => return step,
                Ok(_) => {}
                // Both ears hold the other end.
                Err(_) => return Heard::Line(Ok(None)),
            }
        }
    }
}

fn read(tell: &Sender<(u64, Heard)>) {
    loop {
        let line = input::line();
        let more = matches!(line, Ok(Some(_)));
        if tell.send((0, Heard::Line(line))).is_err() || !more {
            return;
        }
    }
}

/// The step after `asked`. None if the agent is gone: whoever answers is told then.
fn next(profile: &Profile, expect: Expect, asked: &Step) -> Option<Result<Step, Failure>> {
    let Step::Ask { flow, field, tries, .. } = asked else { return None };
    let mut agent = Agent::connect().ok()?;
    let mut account = agent.account_of(profile).expecting(expect);
    loop {
        match account.wait(*flow) {
            Ok(Step::Ask { field: f, tries: t, .. }) if (f, t) == (*field, *tries) => {}
            Err(failure) if failure.code == Code::NoAgent => return None,
            other => return Some(other),
        }
    }
}
