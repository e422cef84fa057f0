//! What proves something: login codes, refresh tokens and their RR-1 successors, access tokens.

pub mod access;
pub mod browser;
pub mod code;
mod crypto_provider;
pub mod device;
pub mod device_reference;
mod es256;
mod hs256;
pub mod id_token;
mod opaque;
pub mod personal;
pub mod refresh;
pub mod request_id;
pub mod share;
pub mod totp;
