//! What a file must turn out to be: its size and its SHA-256.

use crate::digest::Digest;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSeal {
    /// In bytes.
    pub size: u64,
    pub sha256: Digest,
}

/// Content is not what its seal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenSeal {
    #[error("its size is another one")]
    Size,
    #[error("its SHA-256 is another one")]
    Digest,
}

/// Compares content with its seal, piece by piece.
pub struct SealCheck {
    seal: FileSeal,
    left: u64,
    hashed: sha2::Sha256,
}

impl SealCheck {
    pub fn new(seal: FileSeal) -> Self {
        Self { seal, left: seal.size, hashed: sha2::Digest::new() }
    }

    /// Takes the next piece. Errs as soon as there is too much.
    pub fn take(&mut self, piece: &[u8]) -> Result<(), BrokenSeal> {
        self.left = self.left.checked_sub(piece.len() as u64).ok_or(BrokenSeal::Size)?;
        sha2::Digest::update(&mut self.hashed, piece);
        Ok(())
    }

    /// Errs unless all of it was there, and nothing else.
    pub fn finish(self) -> Result<(), BrokenSeal> {
        if self.left > 0 {
            return Err(BrokenSeal::Size);
        }
        let found: [u8; 32] = sha2::Digest::finalize(self.hashed).into();
        if Digest::from_slice(&found) == Some(self.seal.sha256) { Ok(()) } else { Err(BrokenSeal::Digest) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(seal: FileSeal, pieces: &[&[u8]]) -> Result<(), BrokenSeal> {
        let mut check = SealCheck::new(seal);
        pieces.iter().try_for_each(|piece| check.take(piece))?;
        check.finish()
    }

    #[test]
    fn only_the_sealed_content_passes() {
        let seal = FileSeal { size: 3, sha256: Digest::sha256(b"abc") };
        assert_eq!(check(seal, &[b"abc"]), Ok(()));
        assert_eq!(check(seal, &[b"a", b"", b"bc"]), Ok(()));
        assert_eq!(check(seal, &[b"ab"]), Err(BrokenSeal::Size));
        assert_eq!(check(seal, &[b"abc", b"d"]), Err(BrokenSeal::Size));
        assert_eq!(check(seal, &[b"abd"]), Err(BrokenSeal::Digest));
        let nothing = FileSeal { size: 0, sha256: Digest::sha256(b"") };
        assert_eq!(check(nothing, &[]), Ok(()));
    }
}
