//! A scripted api-server: an independent model of the server's side of `docs/rotation.md`.

use everkey_proto::{Secret, reply::User};
use everkey_session::policy::Replay;
use everkey_session::{Capability, Claims, Holder, ProbeAnswer, RefreshAnswer, Session, TokenResponse};
use std::collections::BTreeMap;

/// How long after a consumption another key counts as a race, in milliseconds.
const RACE_MS: u64 = 10_000;

/// The furthest ahead a deadline may lie, in seconds.
const LONGEST_DEADLINE: u64 = 30;

/// What the server does with a token that comes twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// everkey-server: an answer can be had again.
    Rr1,
    /// everkey-server, strict: deadlines and a session route, no repeat.
    Strict,
    /// failproofai, hosted: a repeat signs the user out everywhere.
    RevokesAll,
    /// achilles: a repeat merely fails.
    Rejects,
    /// An OAuth server that leaves the refresh token as it is.
    Reusable,
}

impl Rules {
    pub fn capability(self) -> Capability {
        match self {
            Self::Rr1 => Capability::Rr1,
            Self::Strict => Capability::Probe,
            Self::RevokesAll | Self::Rejects => Capability::None,
            Self::Reusable => Capability::Reusable,
        }
    }

    /// What its answers say of that: that a token stays is learnt from them, never told.
    fn told(self) -> Capability {
        match self {
            Self::Reusable => Capability::None,
            Self::Rr1 | Self::Strict | Self::RevokesAll | Self::Rejects => self.capability(),
        }
    }

    pub fn replay(self) -> Replay {
        match self {
            Self::Rr1 | Self::Strict | Self::RevokesAll | Self::Reusable => Replay::RevokesAll,
            Self::Rejects => Replay::Rejects,
        }
    }

    /// Whether it is our own server: deadlines, generations, `attempt_consumed`.
    pub fn is_ours(self) -> bool {
        match self {
            Self::Rr1 | Self::Strict => true,
            Self::RevokesAll | Self::Rejects | Self::Reusable => false,
        }
    }

    /// Whether no refresh token is ever used up.
    pub fn keeps_tokens(self) -> bool {
        match self {
            Self::Reusable => true,
            Self::Rr1 | Self::Strict | Self::RevokesAll | Self::Rejects => false,
        }
    }
}

/// Who sent a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    Agent,
    OtherTool,
}

/// One sign-in and everything rotated from it.
pub struct Family {
    pub url: &'static str,
    pub user: User,
    pub revoked: bool,
    /// Whether nobody here knows which server it is from: it is taken for the pinned or the usual one's.
    pub is_stray: bool,
    generations: Vec<Generation>,
}

struct Generation {
    /// When, and with which key.
    consumed: Option<(u64, Option<String>)>,
    used: bool,
}

struct Access {
    family: usize,
    generation: usize,
    /// True milliseconds.
    from: u64,
    until: u64,
}

pub struct Server {
    pub rules: Rules,
    /// Seconds that its clock is ahead of the true time.
    pub skew: i64,
    pub access_secs: i64,
    pub families: Vec<Family>,
    refresh: BTreeMap<String, (usize, usize)>,
    access: BTreeMap<String, Access>,
    /// Mass revocations that a request of the agent set off.
    pub alarms: u32,
    pub rotations: u32,
    pub requests: u32,
    issued: u64,
}

impl Server {
    pub fn new(rules: Rules, skew: i64, access_secs: i64) -> Self {
        Self {
            rules,
            skew,
            access_secs,
            families: Vec::new(),
            refresh: BTreeMap::new(),
            access: BTreeMap::new(),
            alarms: 0,
            rotations: 0,
            requests: 0,
            issued: 0,
        }
    }

    /// Its clock, in unix seconds; `ms` is the true time.
    pub fn clock(&self, ms: u64) -> u64 {
        (ms / 1000).saturating_add_signed(self.skew)
    }

    pub fn sign_in(&mut self, ms: u64, url: &'static str, name: &str) -> TokenResponse {
        let user = User { id: format!("u-{name}"), email: format!("{name}@example.com") };
        let (revoked, is_stray) = (false, false);
        self.families.push(Family { url, user, revoked, is_stray, generations: Vec::new() });
        let family = self.families.len() - 1;
        self.add_generation(family);
        self.grant(ms, family, 0)
    }

    pub fn sign_in_by_other(&mut self, ms: u64, url: &'static str, name: &str) -> TokenResponse {
        let grant = self.sign_in(ms, url, name);
        self.families.iter_mut().last().into_iter().for_each(|family| family.is_stray = true);
        grant
    }

    /// One refresh, decided as the contract says.
    pub fn refresh(
        &mut self,
        ms: u64,
        token: &str,
        key: Option<&str>,
        until: u64,
        by: Sender,
    ) -> RefreshAnswer {
        self.requests += 1;
        let now = self.clock(ms);
        let late = until < now || until > now + LONGEST_DEADLINE;
        if key.is_some() && self.rules.is_ours() && late {
            return RefreshAnswer::Late;
        }
        let Some(&(family, generation)) = self.refresh.get(token) else { return RefreshAnswer::Refused };
        if self.families[family].revoked {
            return RefreshAnswer::Refused;
        }
        match self.families[family].generations[generation].consumed.clone() {
            None if self.rules.keeps_tokens() => {
                self.rotations += 1;
                let kept = TokenResponse {
                    refresh: None,
                    refresh_expires_in: None,
                    ..self.grant(ms, family, generation)
                };
                RefreshAnswer::Granted(kept)
            }
            None => {
                self.families[family].generations[generation].consumed = Some((ms, key.map(str::to_owned)));
                self.see(family, generation);
                self.add_generation(family);
                self.rotations += 1;
                RefreshAnswer::Granted(self.grant(ms, family, generation + 1))
            }
            Some((at, before)) => self.second_use(ms, family, generation, at, (before.as_deref(), key), by),
        }
    }

    fn second_use(
        &mut self,
        ms: u64,
        family: usize,
        generation: usize,
        consumed_at: u64,
        keys: (Option<&str>, Option<&str>),
        by: Sender,
    ) -> RefreshAnswer {
        match self.rules {
            Rules::Rejects => return RefreshAnswer::Refused,
            Rules::Strict | Rules::RevokesAll => return self.alarm(family, by),
            Rules::Rr1 | Rules::Reusable => {}
        }
        let successor_used = self.families[family].generations[generation + 1].used;
        match keys {
            (Some(before), Some(now)) if before == now && successor_used => RefreshAnswer::Refused,
            (Some(before), Some(now)) if before == now => {
                RefreshAnswer::Granted(self.grant(ms, family, generation + 1))
            }
            (None, None) => self.alarm(family, by),
            (Some(_), _) | (_, Some(_)) if !successor_used || ms - consumed_at <= RACE_MS => {
                RefreshAnswer::Rotating
            }
            (Some(_), _) | (_, Some(_)) => self.alarm(family, by),
        }
    }

    fn alarm(&mut self, family: usize, by: Sender) -> RefreshAnswer {
        self.alarms += u32::from(by == Sender::Agent);
        let user = self.families[family].user.id.clone();
        self.families.iter_mut().filter(|f| f.user.id == user).for_each(|f| f.revoked = true);
        RefreshAnswer::Refused
    }

    /// The session route; counts as a use.
    pub fn probe(&mut self, access: &str) -> ProbeAnswer {
        let Some(&Access { family, generation, .. }) = self.access.get(access) else {
            return ProbeAnswer::Refused;
        };
        match self.rules {
            Rules::RevokesAll | Rules::Rejects | Rules::Reusable => return ProbeAnswer::NoRoute,
            Rules::Rr1 | Rules::Strict => {}
        }
        if self.families[family].revoked {
            return ProbeAnswer::Refused;
        }
        self.see(family, generation);
        ProbeAnswer::Generation(self.families[family].generations.len() as u64 - 1)
    }

    /// A client calls with an access token; whether the server takes it.
    pub fn call(&mut self, ms: u64, access: &str) -> bool {
        let Some(&Access { family, generation, until, .. }) = self.access.get(access) else { return false };
        if self.families[family].revoked {
            return false;
        }
        self.see(family, generation);
        ms < until
    }

    pub fn revoke(&mut self, refresh: &str) -> bool {
        let Some(&(family, _)) = self.refresh.get(refresh) else { return false };
        self.families[family].revoked = true;
        true
    }

    /// The family that a refresh token belongs to.
    pub fn family_of(&self, refresh: &str) -> Option<&Family> {
        self.refresh.get(refresh).map(|&(family, _)| &self.families[family])
    }

    /// Which sign-in a refresh token goes back to.
    pub fn family_id(&self, refresh: &str) -> Option<usize> {
        self.refresh.get(refresh).map(|&(family, _)| family)
    }

    /// Which sign-in an access token goes back to.
    pub fn family_of_access(&self, access: &str) -> Option<usize> {
        self.access.get(access).map(|access| access.family)
    }

    /// The refresh token that came with an access token, and its generation.
    pub fn refresh_beside(&self, access: &str) -> Option<(String, u64)> {
        let Access { family, generation, .. } = *self.access.get(access)?;
        Some((refresh_text(family, generation), generation as u64))
    }

    /// When an access token really expires, in true milliseconds.
    pub fn access_until(&self, access: &str) -> Option<u64> {
        self.access.get(access).map(|access| access.until)
    }

    /// From when until when it is valid, in true milliseconds.
    pub fn access_span(&self, access: &str) -> Option<(u64, u64)> {
        self.access.get(access).map(|access| (access.from, access.until))
    }

    /// The file says not where it is from.
    pub fn stray(&mut self, refresh: &str) {
        if let Some(family) = self.family_id(refresh) {
            self.families[family].is_stray = true;
        }
    }

    fn see(&mut self, family: usize, generation: usize) {
        self.families[family].generations[..=generation].iter_mut().for_each(|g| g.used = true);
    }

    fn add_generation(&mut self, family: usize) {
        let generation = self.families[family].generations.len();
        self.families[family].generations.push(Generation { consumed: None, used: false });
        self.refresh.insert(refresh_text(family, generation), (family, generation));
    }

    fn grant(&mut self, ms: u64, family: usize, generation: usize) -> TokenResponse {
        self.issued += 1;
        let access = format!("at-{family}-{generation}-{}", self.issued);
        let lives = self.access_secs.clamp(1, 10 * 365 * 86_400).unsigned_abs() * 1000;
        self.access.insert(access.clone(), Access { family, generation, from: ms, until: ms + lives });
        let user = self.families[family].user.clone();
        let claims = Claims {
            subject: Some(user.id.clone()),
            session_id: Some(format!("sid-{family}")),
            generation: self.rules.is_ours().then_some(generation as u64),
        };
        TokenResponse {
            access: Secret::new(access),
            access_expires_in: Some(self.access_secs),
            refresh: Some(Secret::new(refresh_text(family, generation))),
            refresh_expires_in: Some(30 * 86_400),
            user: Some(user),
            about: BTreeMap::new(),
            claims,
            capability: self.rules.told(),
        }
    }
}

fn refresh_text(family: usize, generation: usize) -> String {
    format!("rt-{family}-{generation}")
}

/// The session that a tool writes when it gets a grant at `wall`.
pub fn session_of(grant: TokenResponse, wall: u64) -> Session {
    let holder = Holder { user: grant.user.clone(), ..Holder::default() };
    grant.into_session(holder, wall)
}
