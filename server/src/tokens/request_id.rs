//! What names a request for a login code: who knows it has guesses of their own.

use crate::tokens::opaque::opaque_secret;

opaque_secret! {
    /// The `request_id` of the contract.
    CodeRequestId, to_base64
}
