//! Who takes part in a sign-in: a caller begins it, joins it, replaces it, leaves it, or ends it for everybody.

use crate::context::MachineContext;
use crate::effect::Outbox;
use crate::error::Error;
use crate::input::Waiter;
use crate::login::flow::Flow;
use crate::login::machine::{Login, LoginOutcome};
use crate::login::method_machine::MethodMachine;
use crate::policy::OauthClient;
use crate::reply::ProfileReply;
use everkey_proto::request::UnderWay;
use everkey_proto::{FlowId, SignInMethod, reply};

impl Login {
    pub(super) fn want(
        &mut self,
        cx: &MachineContext,
        waiter: Waiter,
        server: String,
        scheme: SignInMethod,
        under_way: Option<UnderWay>,
        out: &mut Outbox,
    ) -> Vec<LoginOutcome> {
        match (&mut self.flow, under_way) {
            (None, Some(UnderWay::Join(_))) => out.reply(waiter, ProfileReply::Failed(Error::FlowGone)),
            (None, None | Some(UnderWay::Replace(_))) => {
                return self.begin(cx, Some(waiter), server, scheme, out);
            }
            // What takes nobody, or is as good as done, mixes nobody up.
            (Some(flow), _) if flow.is_storing() || flow.machine.scheme() == SignInMethod::Client => {
                flow.join(cx.now, waiter, out);
            }
            (Some(flow), Some(UnderWay::Join(id))) if flow.id == id => flow.join(cx.now, waiter, out),
            (Some(flow), Some(UnderWay::Replace(id))) if flow.id == id => {
                return self.begin(cx, Some(waiter), server, scheme, out);
            }
            (Some(flow), _) => {
                let why = Error::InProgress(Box::new(flow.describe()));
                out.reply(waiter, ProfileReply::Failed(why));
            }
        }
        Vec::new()
    }

    /// The agent's own sign-in. One that is under way does as well.
    pub(super) fn ask(
        &mut self,
        cx: &MachineContext,
        server: String,
        scheme: SignInMethod,
        out: &mut Outbox,
    ) -> Vec<LoginOutcome> {
        let same =
            |flow: &Flow| flow.is_storing() || flow.server == server && flow.machine.scheme() == scheme;
        if self.flow.as_ref().is_some_and(same) {
            return Vec::new();
        }
        self.begin(cx, None, server, scheme, out)
    }

    /// Begins a sign-in, in place of the one that is under way.
    fn begin(
        &mut self,
        cx: &MachineContext,
        waiter: Option<Waiter>,
        server: String,
        scheme: SignInMethod,
        out: &mut Outbox,
    ) -> Vec<LoginOutcome> {
        let mut outcomes = self.fail(Error::FlowReplaced, out);
        let kept = cx.facts.clients.usable(cx.now.wall);
        let oauth = cx.policy().oauth.clone().map(|oauth| OauthClient { kept, ..oauth });
        let (machine, first) = MethodMachine::begin(cx.now, scheme, &server, oauth.as_ref());
        let [a, b, c, ..] = cx.now.random("flow");
        // Short enough to be typed; there is one flow at a time.
        let id = FlowId(u64::from_le_bytes([a, b, c, 0, 0, 0, 0, 0]));
        let mut flow = Flow::new(cx.now, id, server, machine);
        waiter.into_iter().for_each(|waiter| flow.wait(waiter, None));
        self.flow = Some(flow);
        outcomes.extend(self.advance(cx.now, first, out));
        outcomes
    }

    pub(super) fn cancel(&mut self, waiter: Waiter, id: FlowId, out: &mut Outbox) -> Vec<LoginOutcome> {
        if self.flow.as_ref().is_none_or(|flow| flow.id != id || flow.is_storing()) {
            out.reply(waiter, ProfileReply::Failed(Error::FlowGone));
            return Vec::new();
        }
        let outcomes = self.fail(Error::FlowCancelled, out);
        out.reply(waiter, ProfileReply::LoggedOut(reply::Revocation::NothingToDo));
        outcomes
    }

    pub(super) fn leave(&mut self, waiter: Waiter, id: FlowId, out: &mut Outbox) -> Vec<LoginOutcome> {
        match self.flow.as_mut().filter(|flow| flow.id == id && flow.parties > 1) {
            Some(flow) => {
                flow.parties -= 1;
                out.reply(waiter, ProfileReply::LoggedOut(reply::Revocation::NothingToDo));
                Vec::new()
            }
            None => self.cancel(waiter, id, out),
        }
    }
}
