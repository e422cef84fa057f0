//! The frame: a little-endian `u32` length, then that many bytes.
//! The cap is checked before anything is allocated.

/// What a binary connection opens with, before its first frame.
pub const MAGIC: [u8; 4] = *b"EVK1";

/// The largest request body the agent reads, in bytes.
pub const REQUEST_CAP: usize = 64 * 1024;

/// The largest reply body a client reads, in bytes.
pub const REPLY_CAP: usize = 256 * 1024;

/// Why a frame can't be read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The header announces more than the cap.
    #[error("a frame of {len} bytes is over the limit of {cap}")]
    TooLong {
        /// Announced length in bytes.
        len: usize,
        /// The limit in bytes.
        cap: usize,
    },
    /// The header announces nothing.
    #[error("an empty frame")]
    Empty,
}

/// The body length that `header` announces, if it is within 1..=`cap`.
pub fn body_len(header: [u8; 4], cap: usize) -> Result<usize, FrameError> {
    match u32::from_le_bytes(header) as usize {
        0 => Err(FrameError::Empty),
        len if len > cap => Err(FrameError::TooLong { len, cap }),
        len => Ok(len),
    }
}

/// `body` with its header in front, if it is within 1..=`cap`.
pub fn enclose(body: &[u8], cap: usize) -> Result<Vec<u8>, FrameError> {
    let header = u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes();
    body_len(header, cap)?;
    Ok([&header, body].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cap_is_checked_on_the_header_alone() {
        assert_eq!(body_len([1, 0, 1, 0], REQUEST_CAP), Err(FrameError::TooLong { len: 65537, cap: 65536 }));
        assert_eq!(body_len([0, 0, 1, 0], REQUEST_CAP), Ok(65536));
        assert_eq!(body_len([0; 4], REQUEST_CAP), Err(FrameError::Empty));
    }

    #[test]
    fn enclose_writes_what_body_len_reads() {
        let frame = enclose(b"abc", 16).unwrap();
        assert_eq!(frame, [3, 0, 0, 0, b'a', b'b', b'c']);
        assert!(enclose(&[0; 17], 16).is_err());
    }
}
