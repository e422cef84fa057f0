//! What happens from outside, carried out.

use super::{Event, World};
use crate::disk::File;
use crate::schedule::Happening;
use everkey_proto::request::SessionRequest;
use everkey_session::Input;

impl World {
    pub(super) fn happen(&mut self, what: Happening) {
        if self.healing && !matches!(what, Happening::Token(..)) {
            return;
        }
        self.note(|_| format!("== {what:?}"));
        match what {
            Happening::Token(clients, min_validity_secs) => {
                for _ in 0..clients {
                    self.ask(SessionRequest::Token { min_validity_secs }, None);
                }
            }
            Happening::Refresh { force } => self.ask(SessionRequest::Refresh { force }, None),
            Happening::Whoami => self.ask(SessionRequest::Whoami, None),
            Happening::Status => self.ask(SessionRequest::Status, None),
            Happening::Gone => self.someone_goes(),
            Happening::Login(server) => {
                self.ask(SessionRequest::Login { scheme: None, under_way: None }, Some(server))
            }
            Happening::Logout => self.ask(SessionRequest::Logout, None),
            Happening::Crash { power } => self.crash(power),
            // Once another program has put a session back, only the state folder can tell it from the real thing.
            Happening::LoseState if self.excuses.other_tool => {}
            Happening::LoseState => {
                self.crash(false);
                self.disk.sidecar = File::new(None);
                self.lose_reminder_book();
                self.excuses.no_sidecar = true;
                self.checks.guessing();
                self.backup = None;
                self.server.families.iter_mut().for_each(|family| family.is_stray = true);
            }
            Happening::LoseLock => {
                self.crash(false);
                self.disk.lock_is_free = false;
                let until = self.dice.between(1_000, 60_000);
                self.at(until, Event::LockFree);
            }
            Happening::Suspend(ms) => {
                self.now += ms;
                self.end += ms;
                self.checks.suspended(ms);
            }
            Happening::WallJump(secs) => {
                self.wall_ahead += secs;
                self.checks.guessing();
                self.excuses.wall_went_back |= secs < 0;
            }
            Happening::NetDown(ms) => {
                self.net_is_up = false;
                self.at(ms, Event::NetUp);
            }
            Happening::DiskBad(health, ms) => {
                self.disk.health = health;
                self.at(ms, Event::DiskWell);
            }
            Happening::FileChanged => self.feed(Input::FileChanged),
            Happening::OtherRefresh => self.other_refreshes(),
            Happening::Theft => self.thief_refreshes(),
            Happening::OtherLogin => self.other_signs_in(),
            Happening::OtherDelete => self.other_writes(None),
            Happening::OtherGarble => self.other_garbles(),
            Happening::Restore => self.restore_backup(),
            Happening::ServerChanges(rules) => self.server.rules = rules,
            Happening::Reminder(what) => self.remind(what),
        }
    }
}
