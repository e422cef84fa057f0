//! Guessing codes, and keeping others from signing in.
