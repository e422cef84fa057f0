//! The pages that people see: signing in, their sessions, their access tokens. Server-rendered HTML that needs no
//! JavaScript.
//!
//! A page's handler takes [`signed_in::SignedInBrowser`] (who it is) and, for a POST, [`form::PageForm`] (what they sent, proved
//! to come from a page of ours), and answers with [`layout::HtmlPage`], [`layout::SeeOther`] or a [`error::PageError`].
//! Its template extends `signed_in.html` (with a field `who`: [`navigation::Who`]) or `base.html`.

mod access_tokens;
pub mod assets;
pub mod cookies;
mod device;
pub mod display_time;
pub mod error;
pub mod error_pages;
pub mod form;
pub mod handover;
pub mod layout;
pub mod navigation;
pub mod own_name;
mod profile;
mod security;
mod sessions;
pub mod sign_in;
mod sign_in_second_factor;
mod sign_up;
pub mod signed_in;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::app::AppState;

/// The routes of every page, and of `others`, which are pages too.
pub fn routes(app: &Arc<AppState>, others: Router<Arc<AppState>>) -> Router<Arc<AppState>> {
    let led = from_fn_with_state(Arc::clone(app), own_name::lead);
    pages().merge(others).route_layer(led).route(assets::ROUTE, get(assets::get))
}

fn pages() -> Router<Arc<AppState>> {
    Router::new()
        .route("/", get(home))
        .route("/dashboard", get(home))
        .route("/signin", get(sign_in::show).post(sign_in::ask))
        .route("/signin/code", get(sign_in::show_code).post(sign_in::prove))
        .route("/signin/resend", post(sign_in::ask_again))
        .route("/signin/second", get(sign_in_second_factor::show).post(sign_in_second_factor::prove))
        .route("/enter", get(handover::show).post(handover::confirm))
        .route("/signout", post(sign_in::sign_out))
        .route("/device", get(device::show).post(device::look_up))
        .route("/device/decision", post(device::decide))
        .route("/cli/verify", get(device::show))
        .route("/cli-auth", get(device::show))
        .route("/dashboard/sessions", get(sessions::show))
        .route("/dashboard/sessions/end", post(sessions::end_one))
        .route("/dashboard/sessions/end-others", post(sessions::end_others))
        .route("/dashboard/access-tokens", get(access_tokens::show).post(access_tokens::make))
        .route("/dashboard/access-tokens/revoke", post(access_tokens::end))
        .route("/dashboard/profile", get(profile::show).post(profile::save))
        .route("/dashboard/sign-up", get(sign_up::show).post(sign_up::change))
        .route("/dashboard/security", get(security::show))
        .route("/dashboard/security/setup", get(security::set_up).post(security::begin))
        .route("/dashboard/security/confirm", post(security::confirm))
        .route("/dashboard/security/codes", post(security::renew))
        .route("/dashboard/security/off", post(security::turn_off))
        .route("/dashboard/security/forget", post(security::forget))
}

async fn home() -> layout::SeeOther {
    layout::SeeOther::to("/dashboard/sessions")
}
