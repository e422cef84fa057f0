//! The people and programs that ask the agent: they wait, use what they get, type answers, or go away.

use crate::schedule::{AWAY, HOME};
use crate::world::{Event, World};
use everkey_proto::reply::Field;
use everkey_proto::request::{SessionRequest, UnderWay};
use everkey_proto::{Entry, Expect, FlowId, Secret};
use everkey_session::{Error, Fingerprint, Input, ProfileReply, Waiter};

impl World {
    pub fn ask(&mut self, ask: SessionRequest, server: Option<&str>) {
        if self.agent.is_none() {
            return;
        }
        self.excuses.sign_in_or_out |= matches!(ask, SessionRequest::Login { .. } | SessionRequest::Logout);
        self.waiters += 1;
        let waiter = Waiter(self.waiters);
        self.checks.asked(waiter, &ask, self.now);
        let expect = Expect { server: server.map(str::to_owned), session_file: None };
        self.feed(Input::Request { waiter, expect, request: ask });
    }

    pub fn someone_goes(&mut self) {
        let Some(waiter) = self.checks.waiting.keys().next().copied() else { return };
        self.checks.waiting.remove(&waiter);
        self.feed(Input::Gone(waiter));
    }

    pub fn client_reads(&mut self, answer: ProfileReply) {
        match answer {
            ProfileReply::Token { access, expires_at: _, short: _, ended: _ } => {
                self.got_token = self.server.access_until(access.expose()).is_some_and(|u| u > self.now);
                let later = self.dice.between(10, 5_000);
                self.at(later, Event::UseAccess(access.expose().to_owned()));
            }
            ProfileReply::Asked { flow, field, .. } => self.person_types(flow, field),
            // Whoever comes second joins, or begins anew.
            ProfileReply::Failed(Error::InProgress(other)) => {
                let under_way = self.dice.pick(&[UnderWay::Join(other.flow), UnderWay::Replace(other.flow)]);
                let ask = SessionRequest::Login { scheme: None, under_way: Some(under_way) };
                let (later, server) = (self.dice.between(50, 3_000), self.dice.pick(&[HOME, AWAY]));
                self.at(later, Event::Typed(self.life, ask, Some(server)));
            }
            ProfileReply::Whoami(user) => self.reminders.whoami = user,
            ProfileReply::Status(_)
            | ProfileReply::Refreshed(_)
            | ProfileReply::Inspected(_)
            | ProfileReply::Shown { .. }
            | ProfileReply::Opened { .. }
            | ProfileReply::SignedIn { .. }
            | ProfileReply::LoggedOut(_)
            | ProfileReply::Unconfirmed(_)
            | ProfileReply::Failed(_) => {}
        }
    }

    /// A client calls the server; a few more do at the same time, and one comes late to the news, when a token is
    /// refused that was good.
    pub fn use_access(&mut self, access: String) {
        let taken = self.server.call(self.now, &access);
        self.note(|_| format!("a client calls with {access}: {taken}"));
        // Where nobody says how long a token works, only those who use it can tell that it is over.
        let nobody_says = self.plan.access_secs <= 0 && !taken;
        let few =
            self.plan.refusals == 0 || !self.is_rough() || taken && !self.dice.chance(self.plan.refusals);
        if few && !nobody_says {
            return;
        }
        let than = Fingerprint::of(&Secret::new(access));
        for _ in 0..self.dice.between(1, 3) {
            let soon = self.dice.between(0, 400);
            self.at(soon, Event::Report(than));
        }
        if self.dice.chance(300) {
            let late = self.dice.between(1_000, 60_000);
            self.at(late, Event::Report(than));
        }
    }

    fn person_types(&mut self, flow: FlowId, field: Field) {
        let right = self.dice.chance(850);
        // Another code is asked for, of the same server; the others roll no dice for it.
        let again = field == Field::Code && self.plan.reminds && self.dice.chance(150);
        let text = match field {
            Field::Code if again => "ann@example.com",
            Field::Email if right => "ann@example.com",
            Field::Email => "ann",
            Field::Code if right => "123456",
            Field::Code | Field::SecondFactor => "000000",
            Field::Token => "pat",
        };
        let ask = match self.dice.between(0, 9) {
            0 => return,
            1 => SessionRequest::Cancel { flow },
            _ if again => SessionRequest::Answer { flow, entry: Entry::Email(text.to_owned()) },
            _ => SessionRequest::Answer { flow, entry: Entry::Text(Secret::new(text)) },
        };
        let later = self.dice.between(50, 3_000);
        self.at(later, Event::Typed(self.life, ask, None));
    }
}
