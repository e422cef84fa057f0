//! The token in a share link. It is no access token and opens nothing but its link.

use crate::tokens::opaque::opaque_secret;

opaque_secret! {
    /// The token of one share link.
    ShareToken, to_base64
}
