//! The reminder in the simulated world: who sets, clears and overwrites it, the api-server's memory of it, and what must
//! hold of it (D19, D20).

use crate::check::Rule;
use crate::disk::{File, NextAudit};
use crate::network::trouble;
use crate::schedule::{HOME, Happening, Mood, Reminding};
use crate::world::{Event, World, known_server};
use everkey_proto::reply::{self, Upstream, User};
use everkey_proto::request::{ReminderRequest, SessionRequest};
use everkey_proto::{Expect, Secret, When};
use everkey_reminder::{
    Owed, ProfileEffect, ProfileInput, ReminderAnswer, ReminderBook, ReminderCall, ReminderDone,
    ReminderEffect, ReminderJob, ReminderNotice, ReminderRecord,
};
use everkey_session::{NetErrorKind, Op, PendingRevocation, Waiter};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of the reminder by who sees everything.
#[derive(Default)]
pub struct Reminders {
    /// What the api-servers know, by email address.
    known: BTreeMap<String, u64>,
    /// Every reminder that was ever in the file, and how often it was told in a row.
    written: Vec<ReminderRecord>,
    /// The one that was told last, and in which life.
    told: Option<(ReminderRecord, u32)>,
    ever_told: Vec<ReminderRecord>,
    /// The one that was told last may be told again: the disk refused the note, or the book is lost.
    may_repeat: bool,
    /// Noted as told when the agent died.
    swallowed: Vec<ReminderRecord>,
    /// The last change of the file, if it was the agent's: whose, and when it is due.
    ours: Option<(String, Option<u64>)>,
    /// The api-server has refused it, or nobody can know any more what is owed.
    excused: bool,
    /// The access token that the api-server did not accept: there may not be another before the end.
    refused: Option<Secret>,
    refused_in: u32,
    /// The access tokens with which the api-server was told something, or not for now: it asked to wait.
    used: Vec<Secret>,
    limited: bool,
    /// A failed write was seen, and a power cut has undone it.
    reverted: bool,
    setters: BTreeSet<Waiter>,
    /// Who is signed in, at the end.
    pub whoami: Option<User>,
}

impl World {
    /// What is there before the agent first starts.
    pub fn furnish_reminder(&mut self) {
        if !self.plan.reminds || self.dice.chance(500) {
            return;
        }
        let what = crate::schedule::reminding(&mut self.dice);
        if matches!(what, Reminding::Written(..) | Reminding::Garbled) {
            self.remind(what);
        }
    }

    pub fn remind(&mut self, what: Reminding) {
        match what {
            Reminding::Show => self.ask_of_reminder(ReminderRequest::Reminder),
            Reminding::Clear => self.ask_of_reminder(ReminderRequest::ClearReminder),
            Reminding::Changed => self.feed(ProfileInput::ReminderChanged),
            Reminding::Set(ahead) => {
                let when = match u32::try_from(ahead / 86_400) {
                    Ok(days) if days > 0 => When::InDays(days),
                    Ok(_) | Err(_) => When::At(self.wall().saturating_add_signed(ahead)),
                };
                let waiter = Waiter(self.waiters + 1);
                self.reminders.setters.insert(waiter);
                self.ask_of_reminder(ReminderRequest::SetReminder { when });
                if self.is_rough() && self.dice.chance(400) {
                    let soon = self.dice.between(20, 800);
                    let other = Happening::Reminder(Reminding::Set(ahead + 1));
                    self.at(soon, Event::Happen(other));
                }
            }
            Reminding::Written(email, ahead) => {
                let next_audit_at = self.wall().saturating_add_signed(ahead);
                // Never the very same that the agent sets.
                let set_at = self.wall() - 1_000;
                let reminder = ReminderRecord { next_audit_at, user_email: email.to_owned(), set_at };
                self.reminder_edited(Some(NextAudit::Reminder(reminder)));
            }
            Reminding::Garbled => self.reminder_edited(Some(NextAudit::Garbage)),
            Reminding::Deleted => self.reminder_edited(None),
        }
    }

    fn ask_of_reminder(&mut self, request: ReminderRequest) {
        if self.agent.is_none() {
            return;
        }
        self.waiters += 1;
        let waiter = Waiter(self.waiters);
        self.checks.asked_of_reminder(waiter, self.now);
        self.feed(ProfileInput::Request { waiter, expect: Expect::default(), request });
    }

    fn reminder_edited(&mut self, content: Option<NextAudit>) {
        self.disk.reminder = File::new(content);
        self.disk.reminder_is_news = true;
        self.reminder_is_there();
        self.reminders.ours = None;
        if self.dice.chance(700) {
            self.feed(ProfileInput::ReminderChanged);
        }
    }

    fn reminder_in_file(&self) -> Option<&ReminderRecord> {
        match &self.disk.reminder.seen {
            Some(NextAudit::Reminder(reminder)) => Some(reminder),
            Some(NextAudit::Garbage) | None => None,
        }
    }

    fn reminder_is_there(&mut self) {
        if let Some(reminder) = self.reminder_in_file().cloned()
            && !self.reminders.written.contains(&reminder)
        {
            self.reminders.written.push(reminder);
        }
    }

    /// The disk has done a step for the agent.
    pub fn reminder_stepped(&mut self, before: Option<&NextAudit>) {
        let now = self.disk.reminder.seen.clone();
        if now.as_ref() == before {
            return;
        }
        self.reminder_is_there();
        if let Some(reminder) = self.reminder_in_file().cloned() {
            // Set anew, it is another one though it may look the same.
            self.reminders.told.take_if(|(told, _)| *told == reminder);
            self.reminders.swallowed.retain(|swallowed| *swallowed != reminder);
        }
        // Another program may have written between the decision and this step; what was meant is in the book.
        self.reminders.ours = self.disk.book.seen.owed.as_ref().map(|owed| match owed {
            Owed::Set(reminder) => (reminder.user_email.clone(), Some(reminder.next_audit_at)),
            Owed::Clear(reminder) => (reminder.user_email.clone(), None),
        });
        self.reminders.excused = false;
        let soon = self.dice.between(1, 40);
        self.at(soon, Event::ReminderChanged);
    }

    /// The agent is dead, and what was not durable may be gone.
    pub fn reminder_crashed(&mut self, before: Option<&NextAudit>) {
        self.reminders.setters.clear();
        if self.disk.reminder.seen.as_ref() != before {
            self.reminders.ours = None;
            self.reminders.reverted = true;
        }
        let noted = self.disk.book.seen.told.clone();
        if let Some(noted) = noted.filter(|noted| !self.reminders.ever_told.contains(noted)) {
            self.reminders.swallowed.push(noted);
        }
    }

    pub fn lose_reminder_book(&mut self) {
        self.disk.book = File::new(ReminderBook::default());
        self.reminders.may_repeat = true;
        self.reminders.excused = true;
    }

    /// Looks at what the agent does, before it is done.
    pub fn check_reminders(&mut self, effect: &ProfileEffect) {
        let effect = match effect {
            ProfileEffect::Reminder(effect) if self.plan.reminds => effect,
            ProfileEffect::Status(_, _, Some(shown)) => return self.check_shown(shown),
            ProfileEffect::Reminder(_) | ProfileEffect::Status(..) | ProfileEffect::Session(_) => return,
        };
        match effect {
            ReminderEffect::Remind(reminder) => self.check_told(reminder),
            ReminderEffect::Reply(waiter, reply) => {
                let set = self.reminders.setters.remove(waiter);
                if let Ok(Some(shown)) = reply {
                    self.check_shown(shown);
                    if set {
                        self.check_stored(shown);
                    }
                }
            }
            ReminderEffect::Notify(ReminderNotice::Set(shown) | ReminderNotice::Due(shown)) => {
                self.check_shown(shown);
            }
            ReminderEffect::Store(_, job) => {
                // At a moment when it matters: the book is written and the file is not.
                let puts = matches!(**job, ReminderJob::Put { .. });
                if puts && self.plan.crashes > 0 && self.is_rough() && self.dice.chance(200) {
                    let soon = self.dice.between(5, 100);
                    let power = self.dice.chance(300);
                    self.at(soon, Event::Happen(Happening::Crash { power }));
                }
                let notes = matches!(**job, ReminderJob::Put { .. } | ReminderJob::Note(_));
                let alone = !notes || self.disk.is_idle_of_reminders();
                self.checks.require(alone, Rule::I9, || "two jobs for the reminder".to_owned());
            }
            ReminderEffect::Notify(_) | ReminderEffect::Call(..) => {}
        }
    }

    fn check_told(&mut self, reminder: &ReminderRecord) {
        let (wall, life) = (self.wall(), self.life);
        self.check_whose(&reminder.user_email);
        let known = self.reminders.written.contains(reminder);
        self.checks.require(known, Rule::Whose, || format!("{reminder:?} was never in the file"));
        // The clock may go back while the note is written.
        let due = reminder.next_audit_at <= wall || self.excuses.wall_went_back;
        self.checks.require(due, Rule::Once, || format!("{reminder:?} at {wall}"));
        let again = self.reminders.told.as_ref().filter(|(told, _)| told == reminder);
        let excused = self.reminders.may_repeat && again.is_some_and(|(_, then)| *then != life);
        self.checks.require(again.is_none() || excused, Rule::Once, || format!("{reminder:?} is told again"));
        let noted = self.disk.book.durable.told.as_ref() == Some(reminder);
        self.checks
            .require(noted || self.disk.refused_note, Rule::Once, || format!("{reminder:?} is not noted"));
        self.reminders.may_repeat = !noted;
        self.reminders.told = Some((reminder.clone(), life));
        self.reminders.ever_told.push(reminder.clone());
    }

    fn check_whose(&mut self, email: &str) {
        let user = self.agent.as_ref().and_then(|agent| agent.user().cloned());
        self.checks.require(user.as_ref().is_some_and(|user| user.email == email), Rule::Whose, || {
            format!("{email}'s is shown to {user:?}")
        });
    }

    fn check_shown(&mut self, shown: &reply::Reminder) {
        self.check_whose(&shown.email);
        let known = self.reminders.known.get(&shown.email) == Some(&shown.at);
        let known = known || self.reminders.reverted;
        self.checks.require(known || shown.upstream != Upstream::Told, Rule::Upstream, || {
            format!("{shown:?}, and the api-server knows {:?}", self.reminders.known)
        });
    }

    fn check_stored(&mut self, shown: &reply::Reminder) {
        let durable = match &self.disk.reminder.durable {
            Some(NextAudit::Reminder(r)) => (r.next_audit_at, r.set_at) == (shown.at, shown.set_at),
            Some(NextAudit::Garbage) | None => false,
        };
        // Another program may have been there since.
        self.checks.require(durable || self.reminders.ours.is_none(), Rule::Stored, || {
            format!("{shown:?} is confirmed and not durable")
        });
    }

    /// The api-server hears of a reminder.
    pub fn informed_of_reminder(&mut self, op: Op, ReminderCall { at, access, due_at }: ReminderCall) {
        let access = &access;
        let takes = self.dice.between(20, 300);
        let family = self.server.family_of_access(access.expose());
        let email = family.map(|family| self.server.families[family].user.email.clone()).unwrap_or_default();
        // Durable, or as good as: the file itself then shows what was wanted.
        let books = [&self.disk.book.durable, &self.disk.book.seen];
        let noted =
            books.iter().flat_map(|book| book.owed.iter().chain(&book.before)).any(|owed| match owed {
                Owed::Set(r) => r.user_email == email && due_at == Some(r.next_audit_at),
                Owed::Clear(r) => r.user_email == email && due_at.is_none(),
            });
        // To hear again what it knows does it no harm.
        let known = self.reminders.known.get(&email).copied() == due_at;
        // Whoever clears garbage wants no reminder, though the garbage could not be removed.
        let garbage = due_at.is_none() && self.disk.reminder.seen == Some(NextAudit::Garbage);
        let noted = noted || known || garbage;
        self.checks.require(noted, Rule::Upstream, || format!("{email} {due_at:?} is not owed on disk"));
        let right = family.is_some_and(|family| self.server.families[family].url == known_server(&at.server));
        let stray = family.is_some_and(|family| self.server.families[family].is_stray);
        self.checks.require(right || stray, Rule::Origin, || format!("{email}'s token goes to {at:?}"));

        let bad = self.is_rough() && self.plan.mood != Mood::Calm && self.dice.chance(250);
        let rough = self.meets_trouble() || bad;
        let lost = !self.net_is_up || rough && self.dice.chance(500);
        let limited = !lost && rough && self.dice.chance(400);
        let clock = self.server.clock(self.now);
        self.reminders.used.push(access.clone());
        self.reminders.limited |= limited;
        let answer = if lost {
            ReminderAnswer::Net(trouble(NetErrorKind::Timeout))
        } else if limited {
            ReminderAnswer::Limited(self.dice.between(0, 60))
        } else if !self.server.call(self.now, access.expose()) || rough && self.dice.chance(200) {
            let again = self.reminders.refused.as_ref() == Some(access);
            self.checks.require(!again || self.life > self.reminders.refused_in, Rule::Upstream, || {
                format!("{} is sent again though it was not accepted", access.expose())
            });
            (self.reminders.refused, self.reminders.refused_in) = (Some(access.clone()), self.life);
            ReminderAnswer::Unauthorized
        } else if due_at.is_some_and(|due_at| due_at <= clock) {
            self.reminders.excused = true;
            ReminderAnswer::Refused
        } else {
            match due_at {
                Some(due_at) => self.reminders.known.insert(email, due_at),
                None => self.reminders.known.remove(&email),
            };
            if rough { ReminderAnswer::Net(trouble(NetErrorKind::Broken)) } else { ReminderAnswer::Accepted }
        };
        self.note(|_| format!("   reminder {due_at:?}: {answer:?}"));
        let done = Event::ReminderDone(self.life, op, ReminderDone::Informed(answer));
        self.at(takes, done);
    }

    /// A session is revoked once what its user owes was told, or could not be, with its token.
    pub fn check_parted(&mut self, revocation: &PendingRevocation) {
        let book = &self.disk.book.seen;
        let here = book.server.as_ref() == Some(&revocation.at.server);
        let found = self.reminder_in_file();
        let owed = book.owed.iter().filter(|_| self.plan.reminds && here).any(|owed| match owed {
            Owed::Set(r) => revocation.user.as_ref() == Some(&r.user_email) && found == Some(r),
            Owed::Clear(r) => {
                let gone = found.is_none_or(|found| found.user_email != r.user_email);
                revocation.user.as_ref() == Some(&r.user_email) && gone
            }
        });
        let user = self.agent.as_ref().and_then(|agent| agent.user());
        let back = user.map(|user| &user.email) == revocation.user.as_ref();
        let expired = revocation.access_expires_at.is_some_and(|at| at <= self.wall());
        let unseen = self.disk.reminder_is_news;
        let excused = back || expired || unseen || self.reminders.limited || self.disk.refused_note;
        let tried = self.reminders.used.contains(&revocation.access);
        self.checks.require(!owed || excused || tried, Rule::Upstream, || {
            format!(
                "{:?} is revoked while its user owes the api-server something",
                revocation.access.expose()
            )
        });
    }

    /// All has been well for a while.
    pub fn reminders_at_the_end(&mut self) {
        if !self.plan.reminds {
            return;
        }
        // A token that has just come may be on its way with what is owed.
        self.run_for(3_000);
        self.reminders.whoami = None;
        self.ask(SessionRequest::Whoami, None);
        let Some(user) = self.reminders.whoami.clone() else { return };
        let wall = self.wall();
        let due = self.reminder_in_file().filter(|r| r.user_email == user.email && r.next_audit_at < wall);
        if let Some(due) = due.cloned() {
            let told = self.reminders.ever_told.contains(&due) || self.reminders.swallowed.contains(&due);
            self.checks.require(told, Rule::Untold, || format!("{due:?} at {wall}"));
        }
        let Some((email, due_at)) = self.reminders.ours.clone() else { return };
        let at_home = self.server.families.iter().any(|f| f.url == HOME && f.user == user);
        let waits = self.disk.session().is_some_and(|s| Some(&s.access) == self.reminders.refused.as_ref());
        let excused = self.reminders.excused || waits || !self.got_token;
        if email == user.email && at_home && !excused {
            let known = self.reminders.known.get(&email).copied();
            self.checks.require(known == due_at, Rule::Upstream, || {
                format!("{email}'s is due at {due_at:?}, and the api-server knows {known:?}")
            });
        }
    }
}
