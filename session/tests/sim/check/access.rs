//! What is handed out once a session is over: nothing that opens nothing, and never without a word (N40).

use super::{Checks, Rule};
use crate::disk::Disk;
use crate::server::Server;
use everkey_session::{EndReason, Fingerprint};

impl Checks {
    /// The session in the file is over. Another program may have put another one there this moment.
    pub(super) fn closes(&mut self, why: EndReason, disk: &Disk, server: &Server) {
        let Some(session) = disk.session().filter(|_| !disk.is_news) else { return };
        let rules = server.rules;
        let served = match why {
            EndReason::Refused | EndReason::RefusedInWords => {
                !rules.is_ours() && !rules.is_known_to_end_access()
            }
            EndReason::AnswerLost | EndReason::SessionLost | EndReason::Copied => true,
            EndReason::RepeatRefused
            | EndReason::Restored
            | EndReason::Contested
            | EndReason::SignedOut
            | EndReason::Expired => false,
        };
        self.closed.insert(session.access.expose().to_owned(), served);
    }

    /// Who has reported this token learns that there is no other.
    pub(super) fn reported_in_vain(&mut self, than: Fingerprint, disk: &Disk) {
        let session = disk.session().filter(|one| !disk.is_news && Fingerprint::of(&one.access) == than);
        self.closed.extend(session.map(|session| (session.access.expose().to_owned(), false)));
    }

    /// The session with this token was signed out here.
    pub(super) fn signed_out(&mut self, access: String) {
        self.closed.insert(access, false);
    }

    pub(super) fn hands_out(&mut self, access: &str, ended: Option<EndReason>) {
        let good = match self.closed.get(access) {
            Some(served) => *served && ended.is_some(),
            None => true,
        };
        self.require(good, Rule::Ended, || {
            format!("{access} is of a session that is over, and it is said to be {ended:?}")
        });
    }
}
