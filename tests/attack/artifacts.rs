//! Attacks on reports and their files.
