//! What goes out: replies, jobs on files and on the network, notices. Machines put effects into the outbox.

use crate::input::{Op, Waiter};
use crate::jobs::{NetJob, StoreJob};
use crate::notice::Notice;
use crate::registration::CallTarget;
use crate::reply::ProfileReply;
use everkey_proto::Secret;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Answer a client; exactly once each.
    Reply(Waiter, Box<ProfileReply>),
    /// Work on files; jobs of one profile run, and are reported as done, in the order given.
    Store(Op, Box<StoreJob>),
    /// Work on the network; jobs run side by side.
    Net(Op, NetJob),
    /// Close the connection or the listener of an op without sending anything more.
    Cancel(Op),
    /// Say it in the log, and to whoever follows.
    Notify(Notice),
    /// Use the token of a session that has ended, before it is revoked. The revocation waits for
    /// [`Input::FarewellDone`](crate::Input::FarewellDone); only profiles that announce revocations have this effect.
    Farewell(Farewell),
}

/// A revocation that waits until its token has been used for the last time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Farewell {
    /// The revocation's id.
    pub revocation: u64,
    /// The server of the session.
    pub at: CallTarget,
    /// The access token of the session.
    pub access: Secret,
    /// Unix seconds after which the token is of no use, or the revocation is given up.
    pub expires_at: u64,
    /// Whose session it was.
    pub user: String,
}

/// The effects of one event, in order. It also numbers the jobs, so that no two share an [`Op`].
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    effects: Vec<Effect>,
    last_op: u64,
}

impl Outbox {
    pub fn take(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    pub fn store(&mut self, job: StoreJob) -> Op {
        let op = self.next_op();
        self.effects.push(Effect::Store(op, Box::new(job)));
        op
    }

    pub fn net(&mut self, job: NetJob) -> Op {
        let op = self.next_op();
        self.effects.push(Effect::Net(op, job));
        op
    }

    /// Sends on the connection that `op` opened.
    pub fn net_on(&mut self, op: Op, job: NetJob) {
        self.effects.push(Effect::Net(op, job));
    }

    pub fn cancel(&mut self, op: Op) {
        self.effects.push(Effect::Cancel(op));
    }

    pub fn reply(&mut self, waiter: Waiter, answer: ProfileReply) {
        self.effects.push(Effect::Reply(waiter, Box::new(answer)));
    }

    pub fn reply_all(&mut self, waiters: impl IntoIterator<Item = Waiter>, answer: &ProfileReply) {
        for waiter in waiters {
            self.reply(waiter, answer.clone());
        }
    }

    pub fn notify(&mut self, notice: Notice) {
        self.effects.push(Effect::Notify(notice));
    }

    /// Announces a revocation.
    pub fn announce(&mut self, farewell: Farewell) {
        self.effects.push(Effect::Farewell(farewell));
    }

    /// A number that no other effect of this profile has had.
    pub fn last_op(&self) -> u64 {
        self.last_op
    }

    fn next_op(&mut self) -> Op {
        self.last_op += 1;
        Op(self.last_op)
    }
}
