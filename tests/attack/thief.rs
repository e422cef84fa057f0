//! What a stolen token is good for.
