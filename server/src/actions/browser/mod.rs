//! Browsers on the server's own pages: being let in, signing out, ending other sessions.
//!
//! A browser that is half signed in has a row in `sign_ins` and no session: there is nothing it could open.

pub mod begin;
pub mod end;
pub mod list;
pub mod session;
pub mod single_use_form;
