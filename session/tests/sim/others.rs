//! Other programs at the same session file: a tool that refreshes without a key and without our lock, one that
//! deletes or garbles the file, a restored backup, and a thief with a copy.

use crate::disk::Content;
use crate::network::word;
use crate::schedule::HOME;
use crate::server::{Sender, session_of};
use crate::world::{Event, World};
use everkey_proto::Secret;
use everkey_session::{Input, RefreshAnswer};

impl World {
    /// The original tool reads the file and refreshes, as if it were alone.
    pub fn other_refreshes(&mut self) {
        let Some(token) = self.disk.refresh() else { return };
        self.excuses.other_tool = true;
        let takes = self.dice.between(20, 2_000);
        self.at(takes, Event::OtherSends(token));
    }

    pub fn other_sends(&mut self, token: &Secret) {
        if !self.net_is_up {
            return;
        }
        let answer = self.server.refresh(self.now, token.expose(), None, 0, Sender::OtherTool);
        self.note(|_| format!("other tool: {} -> {}", token.expose(), word(&answer)));
        let RefreshAnswer::Granted(mut grant) = answer else { return };
        grant.refresh.get_or_insert_with(|| token.clone());
        self.server.stray(token.expose());
        let access = grant.access.expose().to_owned();
        let session = session_of(grant, self.wall());
        let takes = self.dice.between(5, 1_000);
        self.at(takes, Event::OtherWrites(Some(Content::Session(session))));
        let later = takes + self.dice.between(5, 5_000);
        self.at(later, Event::UseAccess(access));
    }

    pub fn other_signs_in(&mut self) {
        let grant = self.server.sign_in_by_other(self.now, HOME, "ann");
        let session = session_of(grant, self.wall());
        self.other_writes(Some(Content::Session(session)));
    }

    /// Half a file; mostly the rest follows soon.
    pub fn other_garbles(&mut self) {
        let whole = self.disk.file.seen.clone();
        let digest = self.dice.between(1, 5);
        self.other_writes(Some(Content::Garbage(digest)));
        if self.dice.chance(700) {
            let later = self.dice.between(5, 3_000);
            self.at(later, Event::OtherMends(digest, whole));
        }
    }

    /// What others wrote meanwhile stays: to hide that from the agent would be as unknowable as a hidden restore.
    pub fn other_mends(&mut self, digest: u64, whole: Option<Content>) {
        if self.disk.file.seen == Some(Content::Garbage(digest)) || self.disk.file.seen.is_none() {
            self.other_writes(whole);
        }
    }

    /// A restore that hides what came between from the agent can't be told from the file as the agent left it.
    pub fn restore_backup(&mut self) {
        if self.disk.is_news || !self.disk.is_idle() || self.agent.is_none() {
            return;
        }
        let restored = self.backup.take();
        self.backup = self.disk.session().cloned();
        if let Some(session) = restored {
            // A file that names its server says where it is from.
            if session.holder.server.is_none() {
                session.refresh.iter().for_each(|refresh| self.server.stray(refresh.expose()));
            }
            self.other_writes(Some(Content::Session(session)));
        }
    }

    pub fn other_writes(&mut self, content: Option<Content>) {
        self.excuses.other_tool = true;
        self.checks.other_wrote_at = Some(self.now);
        self.note(|_| format!("other tool writes {content:?}"));
        // What it overwrites is not the agent's to make durable any more.
        let overwritten = self.disk.session().cloned();
        let written = content.iter().filter_map(Content::session);
        written.chain(&overwritten).for_each(|session| self.checks.written_by_other(session));
        content.iter().filter_map(Content::session).for_each(|session| self.checks.brought_by_other(session));
        self.disk.write_by_other(content);
        if self.dice.chance(700) {
            self.feed(Input::FileChanged);
        }
    }
}
