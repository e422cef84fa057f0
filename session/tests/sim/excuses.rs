//! The end of a schedule: everything is made well, and what can be kept must have been kept.

use crate::check::Rule;
use crate::disk::Health;
use crate::rules::Rules;
use crate::schedule::Mood;
use crate::world::World;
use everkey_proto::request::SessionRequest;

/// What makes it impossible, or nobody's duty, to be signed in at the end.
#[derive(Default)]
pub struct Excuses {
    pub other_tool: bool,
    /// Somebody else has refreshed, and the file does not know.
    pub theft: bool,
    /// The side-car says what the server allows; without it nothing is taken for granted.
    pub no_sidecar: bool,
    pub sign_in_or_out: bool,
    /// A server has rotated, and its answer was lost.
    pub answer_lost: bool,
    /// A request arrives long after its sender has given it up.
    pub late_copy: bool,
    /// After a restart the wall clock is all there is to tell what has expired.
    pub wall_went_back: bool,
}

impl World {
    pub fn heal(&mut self) {
        self.note(|_| "== all is well again".to_owned());
        self.healing = true;
        self.net_is_up = true;
        self.disk.health = Health::Fine;
        self.disk.lock_is_free = true;
        self.server.access_secs = self.server.access_secs.clamp(60, 3600);
    }

    /// Whether what happened can't have cost the session at a server like this one.
    fn loses_nothing(&self) -> bool {
        let Excuses { answer_lost, late_copy, .. } = self.excuses;
        match self.plan.rules {
            Rules::Rr1 | Rules::Reusable | Rules::Stays => true,
            // Of two answers the last one counts, and a late copy has the last word.
            Rules::UntilUsed => !late_copy,
            // An outage costs nobody a sign-in; an answer that is lost once the token is used up does.
            Rules::Grace(_) | Rules::Family | Rules::Rejects => !answer_lost && !late_copy,
            // Told that it signs everybody out, the agent never asks again.
            Rules::RevokesAll => !self.plan.is_known && !answer_lost && !late_copy,
            Rules::Strict => false,
        }
    }

    /// When all has been well for a while, what can be kept has been kept.
    pub fn final_checks(&mut self) {
        for _ in 0..3 {
            self.got_token = false;
            self.ask(SessionRequest::Token { min_validity_secs: 0 }, None);
            self.run_for(40_000);
            if self.got_token {
                break;
            }
        }
        let kept = self.got_token
            || !self.loses_nothing()
            || self.excuses.other_tool
            || self.excuses.theft && !matches!(self.plan.rules, Rules::Reusable | Rules::Stays)
            || self.excuses.no_sidecar
            || self.excuses.wall_went_back && self.life > 0
            || self.excuses.sign_in_or_out;
        self.checks.require(kept, Rule::Lost, || "no token can be had".to_owned());
        if !self.excuses.other_tool && !self.excuses.no_sidecar {
            self.checks.sign_outs_are_complete(&self.disk, &self.server);
        }
        self.checks.sign_outs_are_not_forgotten(&self.disk, &self.server);
        self.theft_is_noticed();
        self.reminders_at_the_end();
        let (requests, rotations) = (self.server.requests, self.server.rotations);
        let thrifty = self.plan.mood != Mood::Calm || self.plan.server_skew != 0 || requests == rotations;
        self.checks.require(thrifty, Rule::Thrift, || format!("{requests} requests, {rotations} rotations"));
    }
}
