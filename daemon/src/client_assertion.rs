//! How a client proves by its private key who it is: an assertion that it signs for one request (RFC 7523 section 2.2).

use anyhow::{Result, anyhow, bail};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use everkey_proto::Secret;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    RSA_PKCS1_SHA256, RsaKeyPair,
};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::json;

/// For how long an assertion works, in seconds: clocks differ a little.
const LIFETIME_SECS: u64 = 120;

/// A private key, by what it signs with.
pub enum SigningKey {
    Es256(EcdsaKeyPair),
    Es384(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(Box<RsaKeyPair>),
}

impl SigningKey {
    /// A key as PEM: PKCS #8, or PKCS #1 for RSA.
    pub fn from_pem(pem: &Secret) -> Result<Self> {
        let der = PrivateKeyDer::from_pem_slice(pem.expose().as_bytes())
            .map_err(|_| anyhow!("it holds no private key as PEM"))?;
        let bytes = der.secret_der();
        let random = SystemRandom::new();
        let ec = |algorithm| EcdsaKeyPair::from_pkcs8(algorithm, bytes, &random).ok();
        let rsa = || match &der {
            PrivateKeyDer::Pkcs1(_) => RsaKeyPair::from_der(bytes).ok(),
            _ => RsaKeyPair::from_pkcs8(bytes).ok(),
        };
        if let Some(key) = ec(&ECDSA_P256_SHA256_FIXED_SIGNING) {
            return Ok(Self::Es256(key));
        }
        if let Some(key) = ec(&ECDSA_P384_SHA384_FIXED_SIGNING) {
            return Ok(Self::Es384(key));
        }
        if let Ok(key) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes) {
            return Ok(Self::EdDsa(key));
        }
        match rsa() {
            Some(key) => Ok(Self::Rs256(Box::new(key))),
            None => bail!("its private key is none of P-256, P-384, Ed25519 and RSA from 2048 bits on"),
        }
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Es256(_) => "ES256",
            Self::Es384(_) => "ES384",
            Self::EdDsa(_) => "EdDSA",
            Self::Rs256(_) => "RS256",
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let random = SystemRandom::new();
        let failed = |_| anyhow!("the key can't sign");
        match self {
            Self::Es256(key) | Self::Es384(key) => {
                key.sign(&random, message).map(|signed| signed.as_ref().to_vec()).map_err(failed)
            }
            Self::EdDsa(key) => Ok(key.sign(message).as_ref().to_vec()),
            Self::Rs256(key) => {
                let mut signed = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signed).map_err(failed)?;
                Ok(signed)
            }
        }
    }
}

/// An assertion for one request of `client_id` to `audience`, the token endpoint; `now` in unix seconds, `id` never used
/// before.
pub fn client_assertion(
    pem: &Secret,
    key_id: Option<&str>,
    client_id: &str,
    audience: &str,
    now: u64,
    id: &str,
) -> Result<Secret> {
    let key = SigningKey::from_pem(pem)?;
    let mut header = json!({ "alg": key.algorithm(), "typ": "JWT" });
    if let Some(kid) = key_id {
        header["kid"] = json!(kid);
    }
    let claims = json!({
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": id,
        "iat": now,
        "exp": now.saturating_add(LIFETIME_SECS),
    });
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(&header), part(&claims));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes())?);
    Ok(Secret::new(format!("{message}.{signature}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{ECDSA_P256_SHA256_FIXED, KeyPair, UnparsedPublicKey};

    fn p256() -> Secret {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        let text = base64::engine::general_purpose::STANDARD.encode(document.unwrap().as_ref());
        Secret::new(format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"))
    }

    fn part(text: &str) -> serde_json::Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    }

    #[test]
    fn an_assertion_names_its_client_and_is_signed() {
        let pem = p256();
        let made =
            client_assertion(&pem, Some("k1"), "ci", "https://id.example/token", 1_000, "once").unwrap();
        let parts: Vec<&str> = made.expose().split('.').collect();
        assert_eq!(part(parts[0]), json!({ "alg": "ES256", "typ": "JWT", "kid": "k1" }));
        let claims = json!({ "iss": "ci", "sub": "ci", "aud": "https://id.example/token", "jti": "once", "iat": 1_000, "exp": 1_120 });
        assert_eq!(part(parts[1]), claims);
        let SigningKey::Es256(key) = SigningKey::from_pem(&pem).unwrap() else {
            panic!("another kind of key")
        };
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key().as_ref().to_vec());
        let message = format!("{}.{}", parts[0], parts[1]);
        public.verify(message.as_bytes(), &URL_SAFE_NO_PAD.decode(parts[2]).unwrap()).unwrap();
    }

    #[test]
    fn what_is_no_key_is_named_without_being_shown() {
        for text in ["hunter2", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            let why = SigningKey::from_pem(&Secret::new(text)).err().unwrap().to_string();
            assert!(
                why.contains("private key") && !why.contains("hunter2") && !why.contains("AAAA"),
                "{why}"
            );
        }
    }
}
