//! Asks the server whose a token is: the session's own, where its file does not say, or one that a caller brought and
//! that is kept nowhere.

use crate::Op;
use crate::event::{Answer, Waiter};
use crate::job::{Identity, NetJob};
use crate::profile::{Account, Profile};
use crate::record::Fingerprint;
use crate::registration::At;
use crate::trouble::{Rejected, Trouble};
use everkey_proto::Secret;
use everkey_proto::place::normal_server;

/// A question to the server that somebody waits for.
pub(crate) struct Inspection {
    pub waiter: Waiter,
    op: Op,
    why: Why,
}

enum Why {
    /// The server's own words are wanted.
    Words,
    /// To know who holds the session with this token.
    Who(Fingerprint),
}

impl Profile {
    /// What the server says of a token: of the caller's own, at the server that the caller counts on.
    pub(crate) fn inspect(&mut self, waiter: Waiter, server: Option<String>, token: Option<Secret>) {
        let (at, access) = match (&self.account, token) {
            (_, Some(token)) => {
                let server = server.map_or_else(|| self.server().to_owned(), |server| normal_server(&server));
                // What is known of another server's endpoints does not hold there.
                let registration = self.at().registration.filter(|_| server == self.server());
                (At { server, registration }, token)
            }
            (Account::In(held), None) if held.over().is_none() || held.session.holder.fixed.is_some() => {
                (self.at(), held.handed().clone())
            }
            (_, None) => return self.whoami(waiter),
        };
        let op = self.net(NetJob::Identify { at, access });
        self.inspections.push(Inspection { waiter, op, why: Why::Words });
    }

    /// Whose the session is, as its file does not say.
    pub(crate) fn find_out_who(&mut self, waiter: Waiter) {
        let Account::In(held) = &self.account else { return };
        let (print, access) = (held.fingerprint(), held.handed().clone());
        let op = self.net(NetJob::Identify { at: self.at(), access });
        self.inspections.push(Inspection { waiter, op, why: Why::Who(print) });
    }

    pub(crate) fn identified(&mut self, op: Op, identity: Identity) {
        let Some(at) = self.inspections.iter().position(|inspection| inspection.op == op) else { return };
        let Inspection { waiter, why, .. } = self.inspections.remove(at);
        let answer = match (why, identity) {
            (_, Identity::Limited(secs)) => Answer::Failed(Trouble::RateLimited { secs }),
            (_, Identity::Net(net)) => Answer::Failed(Trouble::Net(net)),
            (Why::Words, identity) => Answer::Inspected(identity),
            (Why::Who(_), Identity::Refused) => Answer::Failed(Trouble::Rejected(Rejected::Token)),
            (Why::Who(_), Identity::Untold) => Answer::Whoami(None),
            (Why::Who(print), Identity::Accepted { user, about }) => match &mut self.account {
                Account::In(held) if held.fingerprint() == print => {
                    held.session.holder.user.clone_from(&user);
                    held.session.holder.about = about;
                    Answer::Whoami(user)
                }
                Account::In(_) | Account::Out(_) | Account::Unusable(_) | Account::Starting(_) => {
                    Answer::Failed(Trouble::AccountChanged)
                }
            },
        };
        self.reply(waiter, answer);
    }
}
