//! A disk in memory. What is written is seen at once and durable only after a sync; each job is done in the
//! sub-steps of the daemon's store, and the machine may die, or a step fail, between any two.

mod jobs;

use crate::dice::Dice;
use everkey_proto::Secret;
use everkey_reminder::{FoundReminder, ReminderBook, ReminderDone, ReminderJob, ReminderRecord};
use everkey_session::{
    FileContent, Fingerprint, JobResult, Journal, Loaded, NotOwner, Op, PendingRevocation, Replaced, Session,
    Sidecar, StoreJob,
};
use jobs::{failed, steps, succeeded, trouble};
use std::collections::{BTreeMap, VecDeque};

/// What is in the session file.
#[allow(clippy::large_enum_variant)] // a test has room
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Session(Session),
    Garbage(u64),
}

impl Content {
    pub fn session(&self) -> Option<&Session> {
        match self {
            Self::Session(session) => Some(session),
            Self::Garbage(_) => None,
        }
    }
}

/// What is in the reminder's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextAudit {
    Reminder(ReminderRecord),
    Garbage,
}

/// One file: what programs see, and what a power cut leaves.
#[derive(Debug, Clone)]
pub struct File<T> {
    pub seen: T,
    pub durable: T,
}

impl<T: Clone + PartialEq> File<T> {
    pub fn new(content: T) -> Self {
        Self { seen: content.clone(), durable: content }
    }

    pub fn sync(&mut self) {
        self.durable = self.seen.clone();
    }

    /// Whether a power cut could take something away.
    fn is_behind(&self) -> bool {
        self.seen != self.durable
    }

    /// What was not synced may have reached the disk, or not.
    fn lose_power(&mut self, dice: &mut Dice) {
        if dice.chance(500) {
            self.seen = self.durable.clone();
        } else {
            self.durable = self.seen.clone();
        }
    }
}

/// How the disk behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    Fine,
    /// Any step may fail, before or after it took effect.
    Failing,
    /// Nothing new can be written.
    Full,
}

/// A sub-step of a job.
#[derive(Debug, Clone)]
pub enum Step {
    ReadAll,
    ReadFile,
    ReadReminder,
    WriteTemporary,
    SetAside(u64),
    PutJournal(Journal),
    AppendOutcome(Session),
    SyncJournal,
    PutFile(Option<Fingerprint>, Session),
    RemoveFile,
    SyncFolder,
    PutSidecar(Sidecar),
    PutRevocation(PendingRevocation),
    DropRevocation(u64),
    SyncState,
    PutBook(ReminderBook),
    PutReminder(Option<ReminderRecord>),
    SyncReminder,
}

impl Step {
    fn reads(&self) -> bool {
        matches!(self, Self::ReadAll | Self::ReadFile | Self::ReadReminder)
    }
}

/// What a step came to.
pub enum Progress {
    /// There is more to do.
    More,
    /// The job is done.
    Finished(Op, Outcome),
}

/// Whose files a job is about.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant)] // a test has room
pub enum Job {
    Session(StoreJob),
    Reminder(ReminderJob),
}

impl Job {
    /// Whether it writes what is noted about the reminder.
    fn notes(&self) -> bool {
        matches!(self, Self::Reminder(ReminderJob::Put { .. } | ReminderJob::Note(_)))
    }
}

/// How a job ended.
pub enum Outcome {
    Session(JobResult),
    Reminder(ReminderDone),
}

struct Running {
    op: Op,
    job: Job,
    steps: VecDeque<Step>,
    aside: Option<String>,
}

pub struct Disk {
    pub file: File<Option<Content>>,
    pub journal: File<Journal>,
    pub sidecar: File<Option<Sidecar>>,
    pub revocations: File<BTreeMap<u64, PendingRevocation>>,
    pub reminder: File<Option<NextAudit>>,
    pub book: File<ReminderBook>,
    pub lock_is_free: bool,
    pub health: Health,
    /// Whether another program has written the session file and the agent has not read it since.
    pub is_news: bool,
    /// Whether another program has written the reminder, and the agent has not read it since.
    pub reminder_is_news: bool,
    /// Whether the book could not be written the last time.
    pub refused_note: bool,
    queue: VecDeque<(Op, Job)>,
    running: Option<Running>,
}

impl Disk {
    pub fn new() -> Self {
        Self {
            file: File::new(None),
            journal: File::new(Journal::Empty),
            sidecar: File::new(None),
            revocations: File::new(BTreeMap::new()),
            reminder: File::new(None),
            book: File::new(ReminderBook::default()),
            lock_is_free: true,
            health: Health::Fine,
            is_news: false,
            reminder_is_news: false,
            refused_note: false,
            queue: VecDeque::new(),
            running: None,
        }
    }

    /// Takes on a job; true if the disk was idle.
    pub fn start(&mut self, op: Op, job: Job) -> bool {
        self.queue.push_back((op, job));
        self.queue.len() == 1 && self.running.is_none()
    }

    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.running.is_none()
    }

    /// Whether no job on the reminder's files waits or runs.
    pub fn is_idle_of_reminders(&self) -> bool {
        let running = self.running.iter().map(|running| &running.job);
        !self.queue.iter().map(|(_, job)| job).chain(running).any(|job| matches!(job, Job::Reminder(_)))
    }

    /// The process is gone; without power, so is what was not synced.
    pub fn crash(&mut self, power: bool, dice: &mut Dice) {
        self.queue.clear();
        self.running = None;
        if power {
            self.file.lose_power(dice);
            self.journal.lose_power(dice);
            self.sidecar.lose_power(dice);
            self.revocations.lose_power(dice);
            if self.reminder.is_behind() {
                self.reminder.lose_power(dice);
            }
            if self.book.is_behind() {
                self.book.lose_power(dice);
            }
        }
    }

    /// Another program writes the session file.
    pub fn write_by_other(&mut self, content: Option<Content>) {
        self.file = File::new(content);
        self.is_news = true;
    }

    /// The next step of the job at hand, for the checks to look at before it is done.
    pub fn next_step(&mut self) -> Option<&Step> {
        if self.running.is_none() {
            let (op, job) = self.queue.pop_front()?;
            self.running = Some(Running { op, steps: steps(&job), job, aside: None });
        }
        self.running.as_ref().and_then(|running| running.steps.front())
    }

    /// Does it.
    pub fn step(&mut self, dice: &mut Dice) -> Option<Progress> {
        self.next_step()?;
        let mut running = self.running.take()?;
        let step = running.steps.pop_front()?;
        let failure = self.failure(&step, dice);
        let reads = step.reads();
        if (failure != Some(When::Before) || reads)
            && let Some(done) = self.act(step, &mut running, failure)
        {
            return Some(Progress::Finished(running.op, done));
        }
        let notes = running.job.notes();
        if failure.is_some() {
            self.refused_note |= notes;
            return Some(Progress::Finished(running.op, failed(&running.job)));
        }
        if running.steps.is_empty() {
            self.refused_note &= !notes;
            return Some(Progress::Finished(running.op, succeeded(&running)));
        }
        self.running = Some(running);
        Some(Progress::More)
    }

    fn failure(&self, step: &Step, dice: &mut Dice) -> Option<When> {
        let writes_anew = matches!(step, Step::WriteTemporary | Step::PutRevocation(_));
        let reads = step.reads();
        match self.health {
            Health::Fine => None,
            Health::Full => writes_anew.then_some(When::Before),
            Health::Failing => {
                let fails = dice.chance(if reads { 80 } else { 200 });
                fails.then(|| if dice.chance(500) { When::Before } else { When::After })
            }
        }
    }

    /// Takes effect; a read and an exchange that gives way end the job at once.
    fn act(&mut self, step: Step, running: &mut Running, failure: Option<When>) -> Option<Outcome> {
        match step {
            Step::ReadAll => return Some(Outcome::Session(JobResult::Loaded(Box::new(self.load(failure))))),
            Step::ReadFile => {
                let found = if failure.is_some() { FileContent::Unusable(trouble()) } else { self.read() };
                return Some(Outcome::Session(JobResult::SessionRead(Box::new(found))));
            }
            Step::ReadReminder => {
                self.reminder_is_news &= failure.is_some();
                let found =
                    if failure.is_some() { FoundReminder::Unusable(trouble()) } else { self.read_reminder() };
                let book = Box::new(self.book.seen.clone());
                return Some(Outcome::Reminder(ReminderDone::Read(Box::new(found), book)));
            }
            Step::WriteTemporary => {}
            Step::SetAside(digest) => {
                if self.file.seen == Some(Content::Garbage(digest)) {
                    self.file.seen = None;
                    running.aside = Some("aside".to_owned());
                }
            }
            Step::PutJournal(journal) => self.journal.seen = journal,
            Step::AppendOutcome(session) => {
                if let Journal::Intent(intent) | Journal::Outcome(intent, _) = self.journal.seen.clone() {
                    self.journal.seen = Journal::Outcome(intent, session);
                }
            }
            Step::SyncJournal => self.journal.sync(),
            Step::PutFile(parent, session) => {
                if parent.is_some() && parent != self.print() {
                    let found = Box::new(self.read());
                    return Some(Outcome::Session(JobResult::Replaced(Ok(Replaced::GaveWay(found)))));
                }
                self.file.seen = Some(Content::Session(session));
            }
            Step::RemoveFile => self.file.seen = None,
            Step::SyncFolder => {
                self.file.sync();
                self.journal.sync();
                self.reminder.sync();
            }
            Step::PutSidecar(sidecar) => self.sidecar.seen = Some(sidecar),
            Step::PutRevocation(revocation) => {
                self.revocations.seen.insert(revocation.id, revocation);
            }
            Step::DropRevocation(id) => {
                self.revocations.seen.remove(&id);
            }
            Step::SyncState => {
                self.sidecar.sync();
                self.revocations.sync();
                self.book.sync();
            }
            Step::PutBook(book) => self.book.seen = book,
            Step::PutReminder(reminder) => self.reminder.seen = reminder.map(NextAudit::Reminder),
            Step::SyncReminder => self.reminder.sync(),
        }
        None
    }

    /// A failure before the journal was read spoils both, one after it the session file only.
    fn load(&mut self, failure: Option<When>) -> Loaded {
        if failure.is_none() {
            // The reminder is in the same folder.
            self.file.sync();
            self.journal.sync();
            self.reminder.sync();
        }
        let journal =
            if failure == Some(When::Before) { Err(trouble()) } else { Ok(self.journal.seen.clone()) };
        Loaded {
            owner: if self.lock_is_free { Ok(()) } else { Err(NotOwner::Held) },
            file: if failure.is_some() { FileContent::Unusable(trouble()) } else { self.read() },
            journal,
            sidecar: self.sidecar.seen.clone(),
            revocations: self.revocations.seen.values().cloned().collect(),
            clients: Vec::new(),
            sign_in: None,
        }
    }

    fn read(&mut self) -> FileContent {
        self.is_news = false;
        self.found()
    }

    fn read_reminder(&self) -> FoundReminder {
        match &self.reminder.seen {
            None => FoundReminder::Missing,
            Some(NextAudit::Reminder(reminder)) => FoundReminder::There(reminder.clone()),
            Some(NextAudit::Garbage) => FoundReminder::Garbage,
        }
    }

    fn found(&self) -> FileContent {
        match &self.file.seen {
            None => FileContent::Missing,
            Some(Content::Session(session)) => {
                FileContent::Session { session: session.clone(), tightened: false }
            }
            Some(Content::Garbage(digest)) => FileContent::Damaged(*digest),
        }
    }

    /// The fingerprint of the token in the file.
    pub fn print(&self) -> Option<Fingerprint> {
        self.session().map(Session::fingerprint)
    }

    pub fn session(&self) -> Option<&Session> {
        self.file.seen.as_ref().and_then(Content::session)
    }

    /// The refresh token in the file.
    pub fn refresh(&self) -> Option<Secret> {
        self.session().and_then(|session| session.refresh.clone())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Before,
    After,
}
