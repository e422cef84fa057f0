//! A thief with a copy of the session file. At a server of ours they do nothing, are seen by resource servers only, call
//! the server, send the stolen token again, refresh on or sign out, in any order, and may lose the answer. In the end the owner must
//! have a session of their own, or know.

use crate::check::Rule;
use crate::network::word;
use crate::server::Sender;
use crate::world::{Event, World};
use everkey_proto::Secret;
use everkey_proto::request::SessionRequest;
use everkey_session::RefreshAnswer;

/// Within how long the owner has a session or an alarm once all is well and they ask, in milliseconds: the agent believes
/// in a race for a minute, and its tries are up to a minute apart.
const NOTICED_MS: u64 = 150_000;

/// What thieves have and hold.
#[derive(Default)]
pub struct Thieves {
    /// Which sign-ins they have rotated.
    pub took: Vec<usize>,
    /// Which of them they have ended.
    left: Vec<usize>,
    parent: Option<Secret>,
    key: Option<String>,
    held: Option<Secret>,
    access: Option<String>,
}

/// What a thief does next.
#[derive(Debug, Clone, Copy)]
pub enum Deed {
    /// A resource server asks about the access token.
    IsIntrospected,
    Calls,
    /// With the key that rotated, or with another one.
    Replays {
        same_key: bool,
    },
    RefreshesOn,
    /// With what they got, or with the token that they stole.
    SignsOut {
        with_stolen: bool,
    },
}

const DEEDS: [Deed; 7] = [
    Deed::IsIntrospected,
    Deed::Calls,
    Deed::Replays { same_key: true },
    Deed::Replays { same_key: false },
    Deed::RefreshesOn,
    Deed::SignsOut { with_stolen: true },
    Deed::SignsOut { with_stolen: false },
];

impl World {
    /// Somebody with a copy of the file refreshes elsewhere.
    pub fn thief_refreshes(&mut self) {
        let Some(token) = self.disk.refresh().filter(|_| self.net_is_up) else { return };
        self.excuses.theft = true;
        if !self.server.rules.is_ours() {
            return self.thief_uses_at_once(&token);
        }
        self.thieves.parent = Some(token.clone());
        self.thieves.key = self.dice.chance(500).then(|| "a thief's key".to_owned());
        self.thief_sends(&token, self.thieves.key.clone());
        for _ in 0..self.dice.between(0, 3) {
            let (later, deed) = (self.dice.between(5, 150_000), self.dice.pick(&DEEDS));
            self.at(later, Event::ThiefActs(deed));
        }
    }

    fn thief_uses_at_once(&mut self, token: &Secret) {
        let answer = self.server.refresh(self.now, token.expose(), None, 0, Sender::OtherTool);
        self.note(|_| format!("thief: {} -> {}", token.expose(), word(&answer)));
        if let RefreshAnswer::Granted(grant) = answer {
            self.checks.issued_to_thief(grant.access.expose());
            let later = self.dice.between(5, 60_000);
            self.at(later, Event::UseAccess(grant.access.expose().to_owned()));
        }
    }

    fn thief_sends(&mut self, token: &Secret, key: Option<String>) {
        let until = self.server.clock(self.now) + 9;
        let answer = self.server.refresh(self.now, token.expose(), key.as_deref(), until, Sender::OtherTool);
        self.note(|_| format!("thief: {} -> {}", token.expose(), word(&answer)));
        let RefreshAnswer::Granted(grant) = answer else { return };
        self.thieves.took.extend(self.server.family_id(token.expose()));
        self.checks.issued_to_thief(grant.access.expose());
        if self.dice.chance(300) {
            return;
        }
        self.thieves.access = Some(grant.access.expose().to_owned());
        self.thieves.held = grant.refresh;
    }

    pub fn thief_acts(&mut self, deed: Deed) {
        self.note(|_| format!("thief: {deed:?}"));
        match deed {
            Deed::IsIntrospected => {
                if let Some(access) = &self.thieves.access {
                    self.server.introspect(self.now, access);
                }
            }
            Deed::Calls => {
                if let Some(access) = &self.thieves.access {
                    self.server.call(self.now, access);
                }
            }
            Deed::Replays { same_key } => {
                let Some(token) = self.thieves.parent.clone() else { return };
                let other = || Some("another key of the thief's".to_owned());
                let key = if same_key { self.thieves.key.clone() } else { other() };
                self.thief_sends(&token, key);
            }
            Deed::RefreshesOn => {
                let Some(token) = self.thieves.held.clone() else { return };
                let key = Some(format!("a thief's key for {}", token.expose()));
                self.thief_sends(&token, key);
            }
            Deed::SignsOut { with_stolen } => {
                let token = if with_stolen { &self.thieves.parent } else { &self.thieves.held };
                let Some(token) = token.clone() else { return };
                let family = self.server.family_id(token.expose());
                self.thieves.left.extend(family.filter(|family| self.thieves.took.contains(family)));
                self.server.revoke(token.expose());
            }
        }
    }

    /// The owner asks for a refresh until they have a session or know that they have none.
    pub fn theft_is_noticed(&mut self) {
        let until = self.now + NOTICED_MS;
        while self.theft_is_hidden() && self.now < until {
            self.ask(SessionRequest::Refresh { force: true }, None);
            self.run_for(10_000);
        }
        let hidden = self.theft_is_hidden();
        self.checks.require(!hidden, Rule::Theft, || "a thief's rotation goes unnoticed".to_owned());
    }

    /// Whether a thief has what the file's session rests on, and neither the server nor the agent has said so.
    fn theft_is_hidden(&self) -> bool {
        let Some(refresh) = self.disk.refresh() else {
            return self.contested_stands() || self.left_in_silence();
        };
        let family = self.server.family_id(refresh.expose());
        let stolen = family.is_some_and(|family| self.thieves.took.contains(&family));
        let stands = self.server.family_of(refresh.expose()).is_some_and(|family| !family.revoked);
        stolen && stands && self.server.is_used_up(refresh.expose()) && !self.checks.is_told_of_end()
            || self.contested_stands()
            || self.left_in_silence()
    }

    /// Whether a thief has signed out, the owner came with what the thief had exchanged, and no alarm was raised.
    fn left_in_silence(&self) -> bool {
        self.thieves.left.iter().any(|family| {
            let family = &self.server.families[*family];
            family.is_signed_out && family.has_refused_owner
        })
    }

    /// Whether the agent has given a session up to somebody else who still has it.
    fn contested_stands(&self) -> bool {
        self.checks.contested.iter().any(|family| !self.server.families[*family].revoked)
    }
}
