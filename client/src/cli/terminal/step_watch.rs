//! Watches a sign-in while its question stands on the terminal: somebody else may answer it, or take its place.

use everkey_client::{Agent, CodeSent, Failure, Step};
use everkey_config::profile::ResolvedProfile;
use everkey_proto::{Code, Expect};
use std::io::{self, PipeReader};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// One question that is watched.
pub struct StepWatch {
    /// Readable once there is news.
    news: PipeReader,
    step: Receiver<Option<Result<Step, Failure>>>,
}

impl StepWatch {
    pub fn begin(profile: &ResolvedProfile, expect: &Expect, asked: &Step) -> io::Result<Self> {
        let (news, end) = io::pipe()?;
        let (sender, step) = channel();
        let (profile, expect, asked) = (profile.clone(), expect.clone(), asked.clone());
        thread::spawn(move || {
            let _ = sender.send(step_after(&profile, expect, &asked));
            drop(end);
        });
        Ok(Self { news, step })
    }

    /// Readable once there is another step.
    pub fn news(&self) -> BorrowedFd<'_> {
        self.news.as_fd()
    }

    /// The step that has come; none if the agent is gone.
    pub fn step(&self) -> Option<Result<Step, Failure>> {
        self.step.recv().ok().flatten()
    }
}

/// The step after `asked`. None if the agent is gone, which the next answer reports.
pub fn step_after(profile: &ResolvedProfile, expect: Expect, asked: &Step) -> Option<Result<Step, Failure>> {
    let Step::Ask { flow, field, tries, sent, .. } = asked else { return None };
    let to = |sent: &Option<CodeSent>| sent.as_ref().map(|sent| sent.to.clone());
    let mut agent = Agent::connect().ok()?;
    let mut client = agent.for_profile(profile).expecting(expect);
    loop {
        match client.wait(*flow) {
            Ok(Step::Ask { field: f, tries: t, sent: s, .. })
                if (f, t, to(&s)) == (*field, *tries, to(sent)) => {}
            Err(failure) if failure.code == Code::NoAgent => return None,
            other => return Some(other),
        }
    }
}
