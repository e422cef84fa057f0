//! What clients ask, answered or handed to the machine that will.

use crate::context::MachineContext;
use crate::error::Error;
use crate::input::Waiter;
use crate::inspections::Purpose;
use crate::login::LoginEvent;
use crate::profile::{Profile, context};
use crate::registration::CallTarget;
use crate::reply::{ProfileReply, ProfileStatus};
use crate::rotation::Rotation;
use crate::session::{Fingerprint, Session};
use crate::session_file::FileState;
use crate::time::Moment;
use crate::waiters::{Want, cant_refresh, token};
use everkey_proto::reply::{self, State};
use everkey_proto::request::{SessionRequest, UnderWay};
use everkey_proto::server_url::normal_server;
use everkey_proto::{Expect, Secret, SignInMethod};

impl Profile {
    pub(super) fn request(&mut self, now: &Moment, waiter: Waiter, expect: Expect, ask: SessionRequest) {
        if !self.is_started() {
            return self.waiters.wait_for_files(waiter, expect, ask);
        }
        if let Err(error) = self.check_expected(&expect, is_bound_to_server(&ask)) {
            return self.outbox.reply(waiter, ProfileReply::Failed(error));
        }
        match ask {
            SessionRequest::Whoami => self.whoami(now, waiter),
            SessionRequest::Status => self.status(now, waiter, expect.server.as_deref()),
            SessionRequest::Token { min_validity_secs } => {
                self.want_token(now, waiter, min_validity_secs.into())
            }
            SessionRequest::Better { than } => self.want_better(now, waiter, than),
            SessionRequest::Refresh { force } => self.want_refresh(now, waiter, force),
            SessionRequest::Login { scheme, under_way } => {
                self.want_login(now, waiter, expect.server, scheme, under_way)
            }
            SessionRequest::Wait { flow } => self.sign_in(now, LoginEvent::Wait { waiter, flow }),
            SessionRequest::Inspect { token } => self.inspect(now, waiter, expect.server, token),
            SessionRequest::Answer { flow, entry } => {
                self.sign_in(now, LoginEvent::Answer { waiter, flow, entry })
            }
            SessionRequest::Cancel { flow } => self.sign_in(now, LoginEvent::Cancel { waiter, flow }),
            SessionRequest::Leave { flow } => self.sign_in(now, LoginEvent::Leave { waiter, flow }),
            SessionRequest::Logout => self.want_logout(waiter),
        }
    }

    /// A caller that counts on another file than the agent uses is refused; one that counts on another server only if
    /// the request is `bound` to the session's server.
    pub fn check_expected(&self, expect: &Expect, bound: bool) -> Result<(), Error> {
        let ours = &self.facts.settings.session_file;
        if let Some(client) = expect.session_file.as_ref().filter(|file| *file != ours) {
            return Err(Error::OtherFile { agent: ours.clone(), client: client.clone() });
        }
        // A token that somebody wrote into the file by hand was never bound to a server.
        let signed_in = self.file.rotation().is_some_and(|rotation| !rotation.session().is_only_fixed());
        match &expect.server {
            Some(client) if bound && signed_in && normal_server(client) != self.server() => {
                Err(Error::OtherServer { agent: self.server().to_owned(), client: client.clone() })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Why nobody has an active session, or nothing that would open anything; none if somebody has.
    pub fn why_not_signed_in(&self, now: &Moment) -> Option<Error> {
        match &self.file {
            FileState::SignedIn(rotation) => rotation.withheld(&context!(self, now)),
            FileState::SignedOut(why) => Some(Error::NotSignedIn(why.clone())),
            FileState::Unusable(why) => Some(Error::Store(why.clone())),
            FileState::Unread => Some(Error::Timeout),
        }
    }

    fn whoami(&mut self, now: &Moment, waiter: Waiter) {
        let answer = match (self.why_not_signed_in(now), self.user()) {
            (Some(why), _) => ProfileReply::Failed(why),
            (None, None) if self.facts.settings.policy.identifies => return self.find_holder(waiter),
            (None, user) => ProfileReply::Whoami(user.cloned()),
        };
        self.outbox.reply(waiter, answer);
    }

    fn status(&mut self, now: &Moment, waiter: Waiter, named: Option<&str>) {
        let cx = context!(self, now);
        let rotation = self.file.rotation();
        let session = rotation.map(Rotation::session);
        let (state, reason) = self.state(&cx);
        let withheld = rotation.and_then(|rotation| rotation.withheld(&cx));
        let refresh = rotation.and_then(|rotation| rotation.refresh_due(&cx));
        let is_active = rotation.is_some_and(|rotation| rotation.ended().is_none());
        let view = ProfileStatus {
            server: if is_active { self.server().to_owned() } else { self.sign_in_server(named) },
            state,
            reason,
            user: self.user().cloned(),
            scheme: self.scheme(),
            masked: session.filter(|session| !session.is_only_fixed()).map(|one| one.access.masked()),
            access_expires_at: session.and_then(Session::access_ends),
            refresh_expires_at: session.and_then(Session::refresh_ends),
            next_refresh_at: refresh.and_then(|wake| wake.told(now)),
            last_error: rotation
                .and_then(Rotation::last_error)
                .or(self.credentials_grant.last_error())
                .cloned(),
            about: session.map(|session| session.holder.about.clone()).unwrap_or_default(),
            masked_fixed: session.and_then(|session| session.holder.fixed.as_ref()).map(Secret::masked),
            pending_revocations: u32::try_from(self.revocations.count()).unwrap_or(u32::MAX),
            replay: rotation.and_then(|rotation| rotation.replay_rule(&cx)),
            token_served: rotation.is_some_and(|one| one.ended().is_some()) && withheld.is_none(),
            token_refused: matches!(withheld, Some(Error::TokenRefused(_))),
            sign_in_by: self.sign_in_by(rotation.and_then(|rotation| rotation.sign_in_by(&cx))),
            next_wake: self.due(now).and_then(|wake| Some((wake.told(now)?, wake.why))),
        };
        self.outbox.reply(waiter, ProfileReply::Status(view));
    }

    /// How the profile stands, derived from everything else.
    fn state(&self, cx: &MachineContext) -> (State, Option<Error>) {
        let rotation = match &self.file {
            FileState::SignedIn(rotation) => rotation,
            FileState::SignedOut(_) | FileState::Unusable(_) => {
                return (State::SignedOut, self.why_not_signed_in(cx.now));
            }
            FileState::Unread => return (State::SignedOut, None),
        };
        let ended = rotation.ended().map(Error::NeedsLogin);
        if let Some(why) = ended.or_else(|| rotation.withheld(cx)) {
            return (State::NeedsLogin, Some(why));
        }
        if let Err(why) = &self.facts.owner {
            return (State::ReadOnly, Some(Error::NotOwner(why.clone())));
        }
        if let Some(why) = self.seal.why() {
            return (State::ReadOnly, Some(Error::Store(why.clone())));
        }
        rotation.standing(cx)
    }

    /// How the person signs in: as they did, as far as the session says, else as they would.
    fn scheme(&self) -> SignInMethod {
        let token = self.file.rotation().map(Rotation::fingerprint);
        let pin = self.sidecar.data().pin.as_ref().filter(|pin| Some(pin.fingerprint) == token);
        let usual = self.facts.settings.policy.schemes.first().copied();
        pin.and_then(|pin| pin.scheme).or(usual).unwrap_or(SignInMethod::Token)
    }

    pub(super) fn want_token(&mut self, now: &Moment, waiter: Waiter, min_validity_secs: u64) {
        if self.wait_for_credentials_grant(now, waiter) {
            return;
        }
        let Some(rotation) = self.file.rotation() else { return self.whoami(now, waiter) };
        let refused = match rotation.withheld(&context!(self, now)) {
            Some(Error::TokenRefused(_)) if self.facts.settings.policy.identifies => {
                let purpose = Purpose::HandOut(Fingerprint::of(rotation.handed()), min_validity_secs);
                return self.ask_whose(waiter, purpose);
            }
            refused => refused,
        };
        if rotation.session().holder.fixed.is_some() {
            let answer = refused.map_or_else(|| token(rotation, None), ProfileReply::Failed);
            return self.outbox.reply(waiter, answer);
        }
        let (min_ms, asked) = match min_validity_secs {
            0 => (self.sensible_ms(rotation), false),
            secs => (secs.saturating_mul(1000), true),
        };
        self.wait(now, waiter, Want::Token { min_ms, asked, refused: None });
    }

    fn want_refresh(&mut self, now: &Moment, waiter: Waiter, force: bool) {
        let Some(rotation) = self.file.rotation() else { return self.whoami(now, waiter) };
        if rotation.session().refresh.is_none() && !self.asks_again() {
            return self.outbox.reply(waiter, ProfileReply::Failed(cant_refresh(rotation)));
        }
        let after = rotation.refreshed();
        match self.too_soon(now, rotation) {
            Some(error) if !force => self.outbox.reply(waiter, ProfileReply::Failed(error)),
            Some(_) | None => self.wait(now, waiter, Want::Refresh { after, force }),
        }
    }

    /// A server has refused a token that should be valid. However many callers say so of the same token, it is
    /// refreshed once; a token that has been replaced already needs no refresh at all.
    fn want_better(&mut self, now: &Moment, waiter: Waiter, than: Fingerprint) {
        let cx = context!(self, now);
        let Some(rotation) = self.file.rotation() else { return self.whoami(now, waiter) };
        let refused = Fingerprint::of(rotation.handed()) == than;
        let fixed = rotation.session().holder.fixed.is_some();
        let hopeless = fixed || rotation.ended().is_some() || !rotation.is_renewable(&cx);
        let answer = match self.too_soon(now, rotation) {
            _ if refused && hopeless => Some(ProfileReply::Failed(cant_refresh(rotation))),
            _ if fixed => Some(token(rotation, None)),
            // So fresh a token is refused for another reason.
            Some(error) if refused => return self.refuse(waiter, error),
            Some(_) | None => None,
        };
        let want = Want::Token { min_ms: self.sensible_ms(rotation), asked: false, refused: Some(than) };
        if let Some(rotation) = self.file.rotation_mut().filter(|_| refused) {
            rotation.token_refused(than);
        }
        match answer {
            Some(answer) => self.outbox.reply(waiter, answer),
            None => self.wait(now, waiter, want),
        }
    }

    fn wait(&mut self, now: &Moment, waiter: Waiter, want: Want) {
        if let Some(rotation) = self.file.rotation_mut() {
            self.credentials_grant.shorten_backoff(now);
            self.waiters.wait(now, waiter, want, rotation);
        }
    }

    /// For how long a token should be valid if nobody says, in milliseconds.
    fn sensible_ms(&self, rotation: &Rotation) -> u64 {
        let half = rotation.lifetime_secs().map_or(u64::MAX, |secs| secs.saturating_mul(1000) / 2);
        (self.facts.settings.policy.margin_secs * 1000).min(half)
    }

    fn too_soon(&self, now: &Moment, rotation: &Rotation) -> Option<Error> {
        rotation.gap_left(now, &self.facts.settings.policy).map(|secs| Error::TooSoon { secs })
    }

    fn want_login(
        &mut self,
        now: &Moment,
        waiter: Waiter,
        server: Option<String>,
        scheme: Option<SignInMethod>,
        under_way: Option<UnderWay>,
    ) {
        let offered = &self.facts.settings.policy.schemes;
        let chosen = scheme.map_or(offered.first(), |scheme| offered.iter().find(|one| **one == scheme));
        let (scheme, in_the_way) = match (chosen, &self.facts.owner, &self.file) {
            (None, ..) => return self.refuse(waiter, Error::NoSuchScheme(offered.clone())),
            (Some(scheme), Err(why), _) => (*scheme, Some(Error::NotOwner(why.clone()))),
            (Some(scheme), Ok(()), FileState::Unusable(why)) => (*scheme, Some(Error::Store(why.clone()))),
            (Some(scheme), Ok(()), _) => (*scheme, None),
        };
        if let Some(why) = in_the_way {
            return self.refuse(waiter, why);
        }
        let server = self.sign_in_server(server.as_deref());
        if let Some(rotation) = self.file.rotation() {
            let session = rotation.session();
            let ended = session.refresh_expires_at.is_some_and(|at| at <= now.wall);
            // A pasted token is meant to replace the one that is there; a session in doubt may not be one any more.
            let again = rotation.over().is_some()
                || ended
                || session.is_only_fixed()
                || rotation.is_questionable()
                || rotation.is_refused()
                || scheme == SignInMethod::Token;
            let joins = matches!(under_way, Some(UnderWay::Join(_))) && self.login.is_under_way();
            if !again && !joins && server == self.server() {
                let user = session.holder.user.clone();
                return self.outbox.reply(waiter, ProfileReply::SignedIn { user, already: true });
            }
        }
        self.sign_in(now, LoginEvent::Begin { waiter, server, scheme, under_way });
    }

    /// Where a sign-in goes: to the server that is named, by the caller or by the profile, else where the last one went.
    fn sign_in_server(&self, named: Option<&str>) -> String {
        let settings = &self.facts.settings;
        let configured = settings.server_is_named.then_some(settings.server.as_str());
        named.or(configured).map_or_else(|| self.server().to_owned(), normal_server)
    }

    fn want_logout(&mut self, waiter: Waiter) {
        if let Err(why) = &self.facts.owner {
            return self.outbox.reply(waiter, ProfileReply::Failed(Error::NotOwner(why.clone())));
        }
        let rotation = self.file.rotation();
        // A token that everkey did not put there is not everkey's to remove.
        if rotation.is_some_and(|rotation| rotation.session().is_only_fixed()) {
            let nothing = ProfileReply::LoggedOut(reply::Revocation::NothingToDo);
            return self.outbox.reply(waiter, nothing);
        }
        self.sign_out.want(waiter, rotation.is_some(), &mut self.outbox);
    }

    /// What the server says of a token: of the caller's own, at the server that the caller counts on.
    fn inspect(&mut self, now: &Moment, waiter: Waiter, server: Option<String>, token: Option<Secret>) {
        let Some(token) = token else {
            return match self.why_not_signed_in(now) {
                // The server may think otherwise by now.
                None | Some(Error::TokenRefused(_)) => self.ask_whose(waiter, Purpose::Inspect),
                Some(_) => self.whoami(now, waiter),
            };
        };
        let server = server.map_or_else(|| self.server().to_owned(), |server| normal_server(&server));
        // What is known of another server's endpoints does not hold there.
        let registration = self.at().registration.filter(|_| server == self.server());
        let at = CallTarget { server, registration };
        self.inspections.begin(waiter, at, token, Purpose::Inspect, &mut self.outbox);
    }

    /// Whose the session is, as its file does not say.
    fn find_holder(&mut self, waiter: Waiter) {
        let Some(rotation) = self.file.rotation() else { return };
        let purpose = Purpose::FindHolder(rotation.fingerprint());
        self.ask_whose(waiter, purpose);
    }

    /// Asks the session's server about its token.
    fn ask_whose(&mut self, waiter: Waiter, purpose: Purpose) {
        let Some(rotation) = self.file.rotation() else { return };
        let (at, access) = (self.at(), rotation.handed().clone());
        self.inspections.begin(waiter, at, access, purpose, &mut self.outbox);
    }

    fn refuse(&mut self, waiter: Waiter, why: Error) {
        self.outbox.reply(waiter, ProfileReply::Failed(why));
    }
}

/// Whether it is about a session at the server that the caller expects. Only a sign-in may bring a new server, and a
/// sign-out is wanted whatever the server.
fn is_bound_to_server(request: &SessionRequest) -> bool {
    match request {
        SessionRequest::Whoami
        | SessionRequest::Token { .. }
        | SessionRequest::Better { .. }
        | SessionRequest::Refresh { .. }
        | SessionRequest::Status => true,
        // A token of the caller goes where the caller says.
        SessionRequest::Inspect { token } => token.is_none(),
        SessionRequest::Login { .. }
        | SessionRequest::Answer { .. }
        | SessionRequest::Cancel { .. }
        | SessionRequest::Leave { .. }
        | SessionRequest::Wait { .. }
        | SessionRequest::Logout => false,
    }
}
