//! The way to the server and back: requests and answers may be lost, late, doubled, cut or replaced on it.

use crate::check::{Rule, Send};
use crate::rules::Rules;
use crate::server::Sender;
use crate::world::{Event, World, answered, known_server};
use everkey_proto::Secret;
use everkey_session::{
    AnswerFlaw, Identity, JobResult, ListenError, LoginAnswer, LoginCall, NetError, NetErrorKind, NetJob, Op,
    PendingRevocation, ProbeAnswer, RefreshAnswer, Rejected, RevokeAnswer,
};

/// An open connection.
pub struct Connection {
    pub url: &'static str,
}

/// A refresh request on its way.
pub struct Request {
    pub token: Secret,
    key: Secret,
    deadline: u64,
    /// Who waits for the answer; none if it is lost on the way back.
    answer_to: Option<(u32, Op)>,
    answers: u32,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Fine,
    LostOnTheWay,
    AnswerLost,
    AnswerCut,
    /// The agent has given up when it arrives.
    Delayed,
    /// It arrives a second time, later.
    Doubled,
    AnswerDoubled,
    /// Something else answers in the server's place.
    Html,
    BadGateway,
    /// 429 or 503 `attempt_consumed: false`.
    Declined,
    OtherSession,
}

const FATES: [Fate; 10] = [
    Fate::LostOnTheWay,
    Fate::AnswerLost,
    Fate::AnswerCut,
    Fate::Delayed,
    Fate::Doubled,
    Fate::AnswerDoubled,
    Fate::Html,
    Fate::BadGateway,
    Fate::Declined,
    Fate::OtherSession,
];

impl World {
    pub fn net(&mut self, op: Op, job: NetJob) {
        match job {
            NetJob::Connect { at } => {
                let url = known_server(&at.server);
                self.connections.insert(op, Connection { url });
                let slow = self.meets_trouble();
                let takes = if slow { self.dice.between(100, 8_000) } else { self.dice.between(5, 200) };
                let result = if self.net_is_up && !(slow && self.dice.chance(500)) {
                    Ok(())
                } else {
                    Err(trouble(NetErrorKind::Connect("no route to host".to_owned())))
                };
                self.complete(takes, op, JobResult::Connected(result));
            }
            NetJob::Send { at: _, refresh, key, deadline, terms } => {
                self.send(op, refresh, (key, deadline), terms.patience_ms);
            }
            NetJob::Probe { at: _, access } => self.probe(op, &access),
            NetJob::Login { server, call } => {
                let takes = self.dice.between(20, 500);
                let answer = self.sign_in_call(&server, &call);
                self.complete(takes, op, JobResult::LoginAnswered(Box::new(answer)));
            }
            NetJob::Revoke(revocation) => {
                self.check_parted(&revocation);
                self.revoke(op, &revocation);
            }
            NetJob::Identify { .. } => {
                let takes = self.dice.between(20, 300);
                self.complete(takes, op, JobResult::Identified(Identity::Untold));
            }
            NetJob::Listen(_) => {
                let why = ListenError { port: None, why: "no ports here".to_owned() };
                self.complete(1, op, JobResult::Listening(Err(why)));
            }
        }
    }

    pub fn meets_trouble(&mut self) -> bool {
        self.is_rough() && self.dice.chance(self.plan.net_faults)
    }

    pub fn complete(&mut self, after: u64, op: Op, done: JobResult) {
        self.at(after, Event::Done(self.life, op, done));
    }

    fn send(&mut self, op: Op, token: Secret, (key, deadline): (Secret, u64), patience_ms: u64) {
        let url = self.connections.get(&op).map_or("nowhere", |connection| connection.url);
        let (global, at) = (self.global(op), self.now);
        let send = Send { op: global, token: token.expose(), key: key.expose(), deadline, url };
        self.checks.sending(at, &send, &self.disk, &self.server);

        let in_trouble = self.meets_trouble();
        let fate = match self.plan.fates.first().copied() {
            Some(_) => self.plan.fates.remove(0),
            None if in_trouble => self.dice.pick(&FATES),
            None => Fate::Fine,
        };
        let fate = if self.net_is_up { self.possible(fate) } else { Fate::LostOnTheWay };
        self.note(|_| format!("   {fate:?} for {}", token.expose()));
        let takes = self.dice.between(20, 300);
        let mut request = Request { token, key, deadline, answer_to: Some((self.life, op)), answers: 1 };
        match fate {
            Fate::Fine => self.at(takes, Event::Arrive(request)),
            Fate::LostOnTheWay => {
                let broken = self.dice.chance(500);
                self.unclear(if broken { 50 } else { patience_ms }, op, NetErrorKind::Timeout);
            }
            Fate::AnswerLost | Fate::AnswerCut => {
                request.answer_to = None;
                self.at(takes, Event::Arrive(request));
                if fate == Fate::AnswerCut {
                    self.unclear(2 * takes, op, NetErrorKind::Cut);
                } else {
                    self.unclear(patience_ms, op, NetErrorKind::Timeout);
                }
            }
            Fate::Delayed => {
                self.excuses.late_copy = true;
                request.answer_to = None;
                let late = self.dice.between(2_000, 40_000);
                self.at(late, Event::Arrive(request));
                self.unclear(patience_ms, op, NetErrorKind::Timeout);
            }
            Fate::Doubled => {
                let copy = Request {
                    token: request.token.clone(),
                    key: request.key.clone(),
                    answer_to: None,
                    ..request
                };
                let late = self.dice.between(300, 20_000);
                self.at(late, Event::Arrive(copy));
                self.at(takes, Event::Arrive(request));
            }
            Fate::AnswerDoubled => {
                request.answers = 2;
                self.at(takes, Event::Arrive(request));
            }
            Fate::Html => self.unclear(takes, op, AnswerFlaw::NotJson.into()),
            Fate::BadGateway => self.unclear(takes, op, NetErrorKind::Status(502, None)),
            Fate::Declined => {
                let wait = self.dice.chance(700).then(|| self.dice.between(0, 60));
                let kind = wait.map_or(NetErrorKind::Status(503, None), NetErrorKind::Limited);
                self.complete(takes, op, answered(RefreshAnswer::Declined(trouble(kind)), None));
            }
            Fate::OtherSession => {
                let grant = self.server.sign_in(self.now, url_of(url), "mallory");
                self.complete(takes, op, answered(RefreshAnswer::Granted(grant), None));
            }
        }
    }

    /// Some fates need a server that can tell.
    fn possible(&self, fate: Fate) -> Fate {
        match fate {
            // A doubled request is a replay to everyone else, and nobody can help it.
            Fate::Doubled if !matches!(self.server.rules, Rules::Rr1 | Rules::Reusable) => Fate::LostOnTheWay,
            other => other,
        }
    }

    fn unclear(&mut self, after: u64, op: Op, kind: NetErrorKind) {
        self.complete(after, op, answered(RefreshAnswer::Unclear(trouble(kind)), None));
    }

    /// A request reaches the server.
    pub fn arrive(&mut self, request: Request) {
        let Request { token, key, deadline, answer_to, answers } = request;
        let (token, key) = (token.expose(), key.expose());
        let answer = self.server.refresh(self.now, token, Some(key), deadline, Sender::Agent);
        self.note(|_| format!("   server: {token} -> {}", word(&answer)));
        // Only RR-1 bears other tools, and a deadline set by a clock that nobody has told yet may be too late.
        let bears = self.plan.rules == Rules::Rr1 && self.plan.server_skew == 0;
        let rotated = matches!(answer, RefreshAnswer::Granted(_)) && !self.server.rules.keeps_tokens();
        let arrives = answer_to.is_some_and(|(life, _)| life == self.life);
        self.excuses.answer_lost |= rotated && !arrives;
        // Nobody has said that this server ends every session.
        let unknowable = !self.plan.is_known && (self.excuses.answer_lost || self.excuses.late_copy);
        let excused = self.excuses.other_tool && !bears || self.excuses.theft || unknowable;
        let alarms = self.server.alarms;
        self.checks.require(alarms == 0 || excused, Rule::Alarm, || format!("by {token}"));
        let clock = self.server.clock(self.now);
        let Some((life, op)) = answer_to.filter(|(life, _)| *life == self.life) else { return };
        for again in 0..answers {
            let takes = self.dice.between(20, 300) + u64::from(again) * 500;
            self.at(takes, Event::Done(life, op, answered(answer.clone(), Some(clock))));
        }
    }

    fn probe(&mut self, op: Op, access: &Secret) {
        let takes = self.dice.between(20, 300);
        let fails = self.meets_trouble();
        let (answer, clock) = if !self.net_is_up || fails {
            (ProbeAnswer::Unclear(trouble(NetErrorKind::Timeout)), None)
        } else {
            let answer = self.server.probe(access.expose());
            let clock = self.server.clock(self.now);
            if let Some((refresh, before)) = self.server.refresh_beside(access.expose()) {
                let moved = !matches!(answer, ProbeAnswer::Generation(now) if now == before);
                let under_way = self.is_under_way(&refresh);
                self.checks.probed(&refresh, moved, under_way, clock);
            }
            (answer, Some(clock))
        };
        self.complete(takes, op, JobResult::Probed(answer, clock));
    }

    fn sign_in_call(&mut self, server: &str, call: &LoginCall) -> LoginAnswer {
        if !self.net_is_up || self.meets_trouble() {
            return LoginAnswer::Net(trouble(NetErrorKind::Timeout));
        }
        match call {
            LoginCall::RequestCode { .. } if self.plan.reminds && self.dice.chance(100) => {
                LoginAnswer::Limited(9)
            }
            LoginCall::RequestCode { .. } => {
                LoginAnswer::CodeSent { expires_in: None, resend_available_in: None, request_id: None }
            }
            LoginCall::VerifyCode { code, .. } if code.expose() == "123456" => {
                let url = known_server(server);
                let name = if url == crate::schedule::HOME { "ann" } else { "bob" };
                LoginAnswer::Granted(self.server.sign_in(self.now, url, name))
            }
            LoginCall::VerifyCode { .. } => LoginAnswer::Rejected(Rejected::Code),
            // Nobody here signs in otherwise.
            LoginCall::Discover { .. }
            | LoginCall::Register { .. }
            | LoginCall::StartDevice { .. }
            | LoginCall::PollDevice { .. }
            | LoginCall::Exchange { .. }
            | LoginCall::ClientCredentials { .. }
            | LoginCall::Identify { .. } => LoginAnswer::Net(trouble(AnswerFlaw::OffTopic.into())),
        }
    }

    fn revoke(&mut self, op: Op, revocation: &PendingRevocation) {
        let takes = self.dice.between(20, 300);
        let answer = if !self.net_is_up || self.meets_trouble() {
            RevokeAnswer::Net(trouble(NetErrorKind::Timeout))
        } else if revocation.refresh.as_ref().is_some_and(|refresh| self.server.revoke(refresh.expose())) {
            RevokeAnswer::Confirmed
        } else {
            RevokeAnswer::Refused
        };
        self.complete(takes, op, JobResult::Revoked(answer));
    }
}

fn url_of(url: &str) -> &'static str {
    known_server(url)
}

pub fn trouble(kind: NetErrorKind) -> NetError {
    NetError { server: crate::schedule::HOME.to_owned(), kind }
}

/// Tokens stay out of the trace where they would only be noise.
pub fn word(answer: &RefreshAnswer) -> String {
    match answer {
        RefreshAnswer::Granted(grant) => {
            format!("granted {}", grant.refresh.as_ref().unwrap_or(&grant.access).expose())
        }
        RefreshAnswer::Foreign
        | RefreshAnswer::Refused
        | RefreshAnswer::RefusedInWords(_)
        | RefreshAnswer::Rotating
        | RefreshAnswer::Late
        | RefreshAnswer::Declined(_)
        | RefreshAnswer::Unclear(_) => {
            format!("{answer:?}")
        }
    }
}
