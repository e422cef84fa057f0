//! Who is signed in and where they are, for the frame in `signed_in.html`.

use crate::actions::accounts::sign_up::may_change;
use crate::pages::signed_in::SignedInBrowser;
use crate::tokens::browser::FormToken;

/// Which entry of the navigation a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NavigationSection {
    /// `/dashboard/sessions`.
    Sessions,
    /// `/dashboard/access-tokens`.
    AccessTokens,
    /// `/dashboard/security`.
    Security,
    /// `/dashboard/profile`.
    Profile,
    /// `/dashboard/sign-up`, for platform admins.
    SignUp,
    /// None of them.
    Elsewhere,
}

/// What `signed_in.html` needs to know: who is signed in, and where they are. The template's field is called `who`.
#[derive(Clone, Debug)]
pub struct Who {
    pub email: String,
    /// The token of every form on the page: `<input type="hidden" name="csrf" value="{{ who.form_token }}">`.
    pub form_token: FormToken,
    pub here: NavigationSection,
    /// Whether they look after this server.
    is_admin: bool,
}

impl Who {
    /// For a page of this section.
    pub fn at(here: NavigationSection, signed_in: &SignedInBrowser) -> Self {
        let is_admin = may_change(&signed_in.session);
        Self { email: signed_in.session.user.email.clone(), form_token: signed_in.form_token, here, is_admin }
    }

    pub fn entries(&self) -> Vec<NavigationEntry> {
        [
            (NavigationSection::Sessions, "/dashboard/sessions", "Sessions"),
            (NavigationSection::AccessTokens, "/dashboard/access-tokens", "Access tokens"),
            (NavigationSection::Security, "/dashboard/security", "Security"),
            (NavigationSection::Profile, "/dashboard/profile", "Profile"),
            (NavigationSection::SignUp, "/dashboard/sign-up", "Sign-up"),
        ]
        .into_iter()
        .filter(|(section, ..)| self.is_admin || *section != NavigationSection::SignUp)
        .map(|(section, path, label)| NavigationEntry { path, label, here: section == self.here })
        .collect()
    }
}

#[derive(Clone, Copy, Debug)]
pub struct NavigationEntry {
    pub path: &'static str,
    pub label: &'static str,
    pub here: bool,
}
