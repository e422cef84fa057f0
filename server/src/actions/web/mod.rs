//! Browsers on the server's own pages: signing in, being let in, signing out, ending other sessions.
//!
//! A browser that is half signed in has a row in `sign_ins` and no session: there is nothing it could open.

pub mod begin;
pub mod end;
pub mod list;
pub mod once;
pub mod sign_in;
pub mod visit;
