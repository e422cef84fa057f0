//! Secrets of 256 random bits that only their SHA-256 is kept of.

/// Makes a type of them; `$text` writes the bits down.
macro_rules! opaque_secret {
    ($(#[$doc:meta])+ $name:ident, $text:ident) => {
        $(#[$doc])+
        #[derive(Clone, Debug)]
        pub struct $name($crate::secret::SecretText);

        impl $name {
            /// A fresh one. Errors if the system has no randomness to give.
            pub fn random() -> Result<Self, getrandom::Error> {
                Ok(Self($crate::secret::SecretBytes::random()?.$text()))
            }

            /// What was sent. One that was never ours simply hashes to nothing known.
            pub fn received(text: $crate::secret::SecretText) -> Self {
                Self(text)
            }

            /// The hash it is stored under.
            pub fn hash(&self) -> $crate::digest::Digest {
                $crate::digest::Digest::sha256(self.0.expose().as_bytes())
            }

            /// The secret itself, for whom it is made.
            pub fn expose(&self) -> &str {
                self.0.expose()
            }
        }
    };
}

pub(super) use opaque_secret;
