//! What a world may be set up with; everything left out is as a user has it.

/// The choices of a test.
#[derive(Debug, Clone)]
pub struct Setup {
    /// How long the server's access tokens work, like `6s`.
    pub access_ttl: &'static str,
    /// The server repeats no answers (`--retry strict`).
    pub strict: bool,
    /// The contract's rate limits instead of none.
    pub real_limits: bool,
    /// Lines of the limits file, beside no limits.
    pub limits: &'static str,
    /// Milliseconds between two automatic refreshes instead of 30 s.
    pub refresh_gap_ms: Option<u32>,
    /// Agent and client run as a user without rights even if the suite runs as root.
    pub unprivileged: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            access_ttl: "3600s",
            strict: false,
            real_limits: false,
            limits: "",
            refresh_gap_ms: None,
            unprivileged: false,
        }
    }
}

/// The uid that stands for "a user without rights" when the suite runs as root.
pub const NOBODY: u32 = 65534;
