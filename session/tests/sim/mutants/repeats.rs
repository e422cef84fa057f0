//! Faults about tokens that are sent again: sends that a protection should have kept back are added to the agent's own.

use super::Mutant;
use everkey_proto::ReplayRule;
use everkey_session::{
    Boot, Effect, JobResult, LearntRule, NetErrorKind, NetJob, Op, RefreshAnswer, Sidecar,
};

/// How long after the last send of a grace a faulty agent would still send again, in milliseconds.
const LATE_MS: u64 = 4_000;

/// What is remembered of the last send of a token.
#[derive(Default)]
pub struct Repeats {
    last: Option<Sent>,
    learnt: Vec<LearntRule>,
}

struct Sent {
    op: Op,
    job: NetJob,
    first: Boot,
    at: Boot,
    /// Whether an answer has been unclear, and then one that said "not processed".
    unclear: bool,
    labelled: bool,
    published: bool,
}

impl Repeats {
    pub fn sending(&mut self, op: Op, job: &NetJob, now: Boot) {
        let same = self.last.as_ref().filter(|last| token_of(&last.job) == token_of(job));
        let first = same.map_or(now, |last| last.first);
        let unclear = same.is_some_and(|last| last.unclear);
        let job = job.clone();
        self.last = Some(Sent { op, job, first, at: now, unclear, labelled: false, published: false });
    }

    pub fn done(&mut self, done: &JobResult) {
        let Some(last) = &mut self.last else { return };
        match done {
            JobResult::Answered(answer, _) => match &**answer {
                RefreshAnswer::Unclear(error) => last.unclear |= error.kind != NetErrorKind::OtherSession,
                RefreshAnswer::Declined(_) => last.labelled = true,
                _ => self.last = None,
            },
            JobResult::Replaced(_) => last.published = true,
            _ => {}
        }
    }

    /// The send that the agent would have made without its protection.
    pub fn extra(&mut self, mutant: Mutant, rule: ReplayRule, now: Boot) -> Option<Effect> {
        let last = self.last.as_ref()?;
        let due = match (mutant, rule) {
            (Mutant::GraceCountedFromTheLastSend, ReplayRule::Grace(secs)) => {
                let grace = u64::from(secs) * 1000;
                last.unclear && last.at > last.first && now > last.first.plus_ms(grace + LATE_MS)
            }
            (Mutant::LabelSettlesAnOlderDoubt, _) => {
                last.unclear && last.labelled && now > last.at.plus_secs(1)
            }
            (Mutant::SentAgainAfterTheSuccessorWasSeen, _) => last.published,
            _ => false,
        };
        due.then(|| self.last.take()).flatten().map(|last| Effect::Net(last.op, last.job))
    }

    /// What was learnt once is put back.
    pub fn never_forget(&mut self, sidecar: &mut Sidecar) {
        for learnt in &mut sidecar.learnt {
            match learnt.rule {
                ReplayRule::Grace(_) => self.learnt = vec![learnt.clone()],
                _ => self.learnt.iter().for_each(|before| learnt.rule = before.rule),
            }
        }
    }
}

fn token_of(job: &NetJob) -> Option<&str> {
    match job {
        NetJob::Send { refresh, .. } => Some(refresh.expose()),
        _ => None,
    }
}
