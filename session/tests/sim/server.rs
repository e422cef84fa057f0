//! A scripted api-server: an independent model of the server's side of `docs/rotation.md`.

use crate::rules::Rules;
use everkey_proto::{Secret, reply::User};
use everkey_session::{Claims, Holder, ProbeAnswer, RefreshAnswer, Session, TokenResponse};
use std::collections::BTreeMap;

/// How long after a consumption another key counts as a race, in milliseconds.
const RACE_MS: u64 = 10_000;

/// The furthest ahead a deadline may lie, in seconds.
const LONGEST_DEADLINE: u64 = 30;

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
    /// Whether it was revoked by a sign-out, and no alarm came afterwards.
    pub is_signed_out: bool,
    /// Whether the agent was refused a token of it that somebody else had exchanged.
    pub has_refused_owner: bool,
    /// Whether nobody here knows which server it is from: it is taken for the pinned or the usual one's.
    pub is_stray: bool,
    generations: Vec<Generation>,
}

struct Generation {
    /// When, and with which key.
    consumed: Option<(u64, Option<String>)>,
    used: bool,
    /// How often it was issued anew, each time in the place of the one before.
    version: u32,
    /// The answer that issued it last.
    answer: Option<TokenResponse>,
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
    /// Refusals of a token that came twice from the agent.
    pub repeats_refused: u32,
    pub rotations: u32,
    pub requests: u32,
    issued: u64,
    /// How long another key than the one that rotated is answered with 409, in milliseconds.
    contested_ms: u64,
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
            repeats_refused: 0,
            rotations: 0,
            requests: 0,
            issued: 0,
            contested_ms: 300_000,
        }
    }

    pub fn contested_for(self, contested_ms: u64) -> Self {
        Self { contested_ms, ..self }
    }

    /// Its clock, in unix seconds; `ms` is the true time.
    pub fn clock(&self, ms: u64) -> u64 {
        (ms / 1000).saturating_add_signed(self.skew)
    }

    pub fn sign_in(&mut self, ms: u64, url: &'static str, name: &str) -> TokenResponse {
        let user = User { id: format!("u-{name}"), email: format!("{name}@example.com") };
        self.families.push(Family {
            url,
            user,
            revoked: false,
            is_signed_out: false,
            has_refused_owner: false,
            is_stray: false,
            generations: Vec::new(),
        });
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
            return self.after_end(family, generation, key, by);
        }
        match self.families[family].generations[generation].consumed.clone() {
            None if self.rules.keeps_tokens() => {
                self.rotations += 1;
                let kept = TokenResponse {
                    refresh: None,
                    refresh_expires_in: None,
                    sign_in_expires_in: None,
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
        let successor_used = self.families[family].generations[generation + 1].used;
        match self.rules {
            Rules::Rejects => return self.refuse_repeat(by),
            Rules::Strict | Rules::RevokesAll => return self.alarm(family, by),
            Rules::Stays => return RefreshAnswer::Granted(self.grant(ms, family, generation + 1)),
            Rules::UntilUsed if successor_used => return self.refuse_repeat(by),
            Rules::UntilUsed => {
                self.issue_anew(family, generation + 1);
                return RefreshAnswer::Granted(self.grant(ms, family, generation + 1));
            }
            Rules::Grace(secs) if ms - consumed_at <= u64::from(secs) * 1000 => {
                let answer = self.families[family].generations[generation + 1].answer.clone();
                return answer.map_or(RefreshAnswer::Refused, RefreshAnswer::Granted);
            }
            Rules::Grace(_) | Rules::Family => {
                self.families[family].revoked = true;
                return self.refuse_repeat(by);
            }
            Rules::Rr1 | Rules::Reusable => {}
        }
        match keys {
            (Some(before), Some(now)) if before == now && successor_used => RefreshAnswer::Refused,
            (Some(before), Some(now)) if before == now => {
                RefreshAnswer::Granted(self.grant(ms, family, generation + 1))
            }
            (None, None) => self.alarm(family, by),
            (Some(_), _) | (_, Some(_)) if !successor_used && ms - consumed_at >= self.contested_ms => {
                self.contested(family, by)
            }
            (Some(_), _) | (_, Some(_)) if !successor_used || ms - consumed_at <= RACE_MS => {
                RefreshAnswer::Rotating
            }
            (Some(_), _) | (_, Some(_)) => self.alarm(family, by),
        }
    }

    /// A thief who signs out is noticed when the owner comes with a key of their own.
    fn after_end(
        &mut self,
        family: usize,
        generation: usize,
        key: Option<&str>,
        by: Sender,
    ) -> RefreshAnswer {
        let Family { generations, is_signed_out, has_refused_owner, .. } = &mut self.families[family];
        let Some((_, before)) = &generations[generation].consumed else { return RefreshAnswer::Refused };
        let is_same = key.is_some() && before.as_deref() == key;
        if is_same || !self.rules.is_ours() {
            return RefreshAnswer::Refused;
        }
        *has_refused_owner |= by == Sender::Agent;
        if *is_signed_out { self.contested(family, by) } else { RefreshAnswer::Refused }
    }

    fn refuse_repeat(&mut self, by: Sender) -> RefreshAnswer {
        self.repeats_refused += u32::from(by == Sender::Agent);
        RefreshAnswer::Refused
    }

    fn alarm(&mut self, family: usize, by: Sender) -> RefreshAnswer {
        self.alarms += u32::from(by == Sender::Agent);
        let user = self.families[family].user.id.clone();
        self.families.iter_mut().filter(|f| f.user.id == user).for_each(|f| f.revoked = true);
        RefreshAnswer::Refused
    }

    /// Somebody has long had the successor and does nothing with it: the sign-in ends, and no other.
    fn contested(&mut self, family: usize, by: Sender) -> RefreshAnswer {
        self.alarms += u32::from(by == Sender::Agent);
        self.families[family].revoked = true;
        self.families[family].is_signed_out = false;
        RefreshAnswer::Refused
    }

    /// A resource server asks about an access token; one that is active counts as used.
    pub fn introspect(&mut self, ms: u64, access: &str) {
        let Some(&Access { family, generation, until, .. }) = self.access.get(access) else { return };
        if self.rules.is_ours() && !self.families[family].revoked && ms < until {
            self.see(family, generation);
        }
    }

    /// The session route; counts as a use.
    pub fn probe(&mut self, access: &str) -> ProbeAnswer {
        let Some(&Access { family, generation, .. }) = self.access.get(access) else {
            return ProbeAnswer::Refused;
        };
        if !self.rules.is_ours() {
            return ProbeAnswer::NoRoute;
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
        let Family { revoked, is_signed_out, .. } = &mut self.families[family];
        *is_signed_out |= !*revoked;
        *revoked = true;
        true
    }

    /// Whether a refresh token has been exchanged.
    pub fn is_used_up(&self, refresh: &str) -> bool {
        let known = self.refresh.get(refresh);
        known.is_some_and(|&(family, generation)| {
            self.families[family].generations[generation].consumed.is_some()
        })
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
        let version = self.families[family].generations[generation].version;
        Some((refresh_text(family, generation, version), generation as u64))
    }

    /// The access tokens that came with a refresh token, and when they expire.
    pub fn beside(&self, refresh: &str) -> impl Iterator<Item = (&str, u64)> {
        let of = self.refresh.get(refresh).copied();
        let same = move |access: &Access| Some((access.family, access.generation)) == of;
        self.access.iter().filter(move |(_, one)| same(one)).map(|(text, one)| (text.as_str(), one.until))
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
        let new = Generation { consumed: None, used: false, version: 0, answer: None };
        self.families[family].generations.push(new);
        self.refresh.insert(refresh_text(family, generation, 0), (family, generation));
    }

    /// Another token in the place of one that nobody has used.
    fn issue_anew(&mut self, family: usize, generation: usize) {
        let Generation { version, .. } = &mut self.families[family].generations[generation];
        let old = refresh_text(family, generation, *version);
        *version += 1;
        let new = refresh_text(family, generation, *version);
        self.refresh.remove(&old);
        self.refresh.insert(new, (family, generation));
    }

    fn grant(&mut self, ms: u64, family: usize, generation: usize) -> TokenResponse {
        self.issued += 1;
        let access = format!("at-{family}-{generation}-{}", self.issued);
        // One that says 0 or less has not said how long.
        let secs = if self.access_secs > 0 { self.access_secs } else { 3_600 };
        let lives = secs.min(10 * 365 * 86_400).unsigned_abs() * 1000;
        self.access.insert(access.clone(), Access { family, generation, from: ms, until: ms + lives });
        let user = self.families[family].user.clone();
        let claims = Claims {
            subject: Some(user.id.clone()),
            session_id: Some(format!("sid-{family}")),
            generation: self.rules.is_ours().then_some(generation as u64),
        };
        let version = self.families[family].generations[generation].version;
        let answer = TokenResponse {
            access: Secret::new(access),
            access_expires_in: Some(self.access_secs),
            refresh: Some(Secret::new(refresh_text(family, generation, version))),
            refresh_expires_in: Some(30 * 86_400),
            sign_in_expires_in: None,
            user: Some(user),
            about: BTreeMap::new(),
            claims,
            capability: self.rules.told(),
        };
        self.families[family].generations[generation].answer = Some(answer.clone());
        answer
    }
}

fn refresh_text(family: usize, generation: usize, version: u32) -> String {
    let anew = if version == 0 { String::new() } else { format!("-{version}") };
    format!("rt-{family}-{generation}{anew}")
}

/// The session that a tool writes when it gets a grant at `wall`.
pub fn session_of(grant: TokenResponse, wall: u64) -> Session {
    let holder = Holder { user: grant.user.clone(), ..Holder::default() };
    grant.into_session(holder, wall)
}
