//! The profile is set up in another way while it is in use.

use crate::policy::Settings;
use crate::profile::Profile;
use crate::time::Moment;

impl Profile {
    /// From the next step on these settings count. What is under way goes on as it was begun, and a session stays with
    /// the server that it came from, also where no sign-in of everkey's has pinned it.
    pub(super) fn configured(&mut self, now: &Moment, settings: Settings) {
        let announces_revocations = self.facts.settings.announces_revocations;
        let settings = Settings { announces_revocations, ..settings };
        let before = std::mem::replace(&mut self.facts.settings, settings);
        let Some(rotation) = self.file.rotation_mut() else { return };
        if before.server != self.facts.settings.server {
            self.facts.unpinned_server.get_or_insert(before.server);
        }
        let policy = &self.facts.settings.policy;
        if before.policy.margin_secs != policy.margin_secs {
            rotation.plan_with(now, policy);
        }
    }
}
