//! What is allowed: pure functions of facts and a moment, answering with a decision.
//! No I/O, clock or randomness.

pub mod access;
pub mod achilles_role;
pub mod address;
pub mod audit_event;
pub mod audit_thinning;
pub mod browser_session;
pub mod caller;
pub mod code_guess;
pub mod device;
pub mod email;
pub mod file_seal;
#[cfg(test)]
mod guess_mailbox;
#[cfg(test)]
mod guess_simulation;
pub mod known_place;
pub mod local_path;
pub mod oauth;
pub mod page_name;
pub mod personal_token;
pub mod plan;
pub mod program;
pub mod rate;
pub mod reminder;
pub mod request_code;
pub mod role;
pub mod rotation;
pub mod second_factor;
pub mod security_contact;
pub mod session_kind;
pub mod sign_up;
pub mod text;
pub mod unknown_value;
