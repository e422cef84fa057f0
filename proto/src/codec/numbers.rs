//! How bincode writes numbers. It is unmaintained (RUSTSEC-2025-0141), and used for nothing else.

use bincode::config::{Configuration, Fixint, LittleEndian, standard};

/// Fixed width, little-endian.
pub(super) const NUMBERS: Configuration<LittleEndian, Fixint> = standard().with_fixed_int_encoding();
