//! What the jsonwebtoken crate signs and verifies with: HS256 and ES256, every other algorithm is an error.
//! The crate's own providers would bring rsa or aws-lc, which this project does without.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind, Result};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, EncodingKey};

use crate::tokens::es256::Es256;
use crate::tokens::hs256::Hs256;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    // The crate's JWKs are not used; these would only be called for them.
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes both available to `jsonwebtoken`. Calling it again changes nothing.
pub(super) fn install() {
    // The one error is that a provider is installed already, and this process only has this one.
    let _ = PROVIDER.install_default();
}

fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    match (algorithm, key.family()) {
        (Algorithm::HS256, AlgorithmFamily::Hmac) => Ok(Box::new(Hs256::new(key.as_bytes())?)),
        (Algorithm::ES256, AlgorithmFamily::Ec) => Ok(Box::new(Es256::new(key.as_bytes())?)),
        _ => Err(Error::from(ErrorKind::InvalidAlgorithm)),
    }
}

/// Only access tokens come back to be read, and those are HS256.
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    match (algorithm, key.family()) {
        (Algorithm::HS256, AlgorithmFamily::Hmac) => Ok(Box::new(Hs256::new(key.try_get_as_bytes()?)?)),
        _ => Err(Error::from(ErrorKind::InvalidAlgorithm)),
    }
}
