//! The versions of the protocol that this build speaks.

/// The newest protocol version this build speaks.
pub const VERSION: u16 = 1;

/// The oldest protocol version this build still speaks.
pub const OLDEST: u16 = 1;
