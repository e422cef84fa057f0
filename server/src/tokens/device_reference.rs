//! What the approving page carries from one step to the next: the id of a device grant, sealed for one session, so
//! that nobody decides about a grant whose code they have not typed.

use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use crate::digest::Digest;
use crate::keys::{KeyRing, ServerKey};
use crate::secret::SecretBytes;

/// Makes the reference of a session's holder to the grant with this id.
pub fn seal(key: &ServerKey, session: &str, grant: &str) -> String {
    format!("{}.{grant}.{}", key.id, mac(key, session, grant))
}

/// The id of the grant, if this reference was made for this session.
pub fn open(keys: &KeyRing, session: &str, reference: &str) -> Option<String> {
    let mut parts = reference.split('.');
    let (key, grant, shown) = (keys.find(parts.next()?)?, parts.next()?, parts.next()?);
    let grant = Uuid::try_parse(grant).ok()?.to_string();
    let made = mac(&key, session, &grant);
    let matches: bool = made.as_bytes().ct_eq(shown.as_bytes()).into();
    (matches && parts.next().is_none()).then_some(grant)
}

fn mac(key: &ServerKey, session: &str, grant: &str) -> String {
    let mac = Digest::hmac(&key.pepper, &[b"device reference", session.as_bytes(), grant.as_bytes()]);
    SecretBytes::new(*mac.bytes()).to_base64().expose().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn a_reference_is_of_use_to_its_own_session_only() {
        let key = || ServerKey::random(Timestamp::from_secs(0)).unwrap();
        let ring = KeyRing::new(key(), vec![key()]);
        let grant = Uuid::new_v4().to_string();
        for key in ring.all() {
            let reference = seal(&key, "session", &grant);
            assert_eq!(open(&ring, "session", &reference), Some(grant.clone()));
            assert_eq!(open(&ring, "other", &reference), None);
        }
        let reference = seal(&ring.current(), "session", &grant);
        let other = reference.replace(&grant, &Uuid::new_v4().to_string());
        let foreign = seal(&key(), "session", &grant);
        for forged in
            ["", ".", "..", "...", &grant, &other, &foreign, &format!("{reference}."), &reference[1..]]
        {
            assert_eq!(open(&ring, "session", forged), None, "{forged}");
        }
    }
}
