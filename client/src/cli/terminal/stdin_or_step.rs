//! Waits for a line of standard input and for the sign-in's next step at once: what is asked here may be answered
//! elsewhere.

use super::prompt::{self, Echo};
use super::step_watch::step_after;
use everkey_client::{Failure, Secret, Step};
use everkey_config::profile::ResolvedProfile;
use everkey_proto::Expect;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// What comes first.
pub enum LineOrStep {
    /// A line of standard input; none at its end.
    Line(Result<Option<Secret>, Failure>),
    /// Another step of the sign-in, or its end.
    Step(Result<Step, Failure>),
}

/// Both sources of one sign-in.
pub struct StdinOrStep {
    receiver: Receiver<(u64, LineOrStep)>,
    sender: Sender<(u64, LineOrStep)>,
    /// Counts the questions: a step that comes for an earlier one is old.
    question: u64,
    reading: bool,
}

impl StdinOrStep {
    pub fn new() -> Self {
        let (sender, receiver) = channel();
        Self { receiver, sender, question: 0, reading: false }
    }

    /// The next line, or the step that comes instead of `asked`.
    pub fn next(&mut self, profile: &ResolvedProfile, expect: &Expect, asked: &Step) -> LineOrStep {
        self.question += 1;
        if !std::mem::replace(&mut self.reading, true) {
            let sender = self.sender.clone();
            thread::spawn(move || read(&sender));
        }
        let (sender, question) = (self.sender.clone(), self.question);
        let (profile, expect, asked) = (profile.clone(), expect.clone(), asked.clone());
        thread::spawn(move || {
            if let Some(step) = step_after(&profile, expect, &asked) {
                let _ = sender.send((question, LineOrStep::Step(step)));
            }
        });
        loop {
            match self.receiver.recv() {
                Ok((_, line @ LineOrStep::Line(_))) => return line,
                Ok((about, step)) if about == self.question => return step,
                Ok(_) => {}
                // Never: this holds the other end itself.
                Err(_) => return LineOrStep::Line(Ok(None)),
            }
        }
    }
}

fn read(sender: &Sender<(u64, LineOrStep)>) {
    loop {
        let line = prompt::ask("", Echo::Shown);
        let more = matches!(line, Ok(Some(_)));
        if sender.send((0, LineOrStep::Line(line))).is_err() || !more {
            return;
        }
    }
}
