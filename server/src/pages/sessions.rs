//! `/dashboard/sessions`: every signed-in device of mine.

use askama::Template;

use super::layout::{Page, Section, Who};
use super::web::SignedIn;

#[derive(Template)]
#[template(path = "sessions.html")]
pub(super) struct SessionsPage {
    who: Who,
}

pub(super) async fn show(signed_in: SignedIn) -> Page<SessionsPage> {
    Page::new(SessionsPage { who: Who::at(Section::Sessions, &signed_in) })
}
