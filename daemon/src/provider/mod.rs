//! What each kind of server says on the wire and in its session file, translated to and from the core's words.
//! A new kind of server is a folder with a descriptor, and a row here.

mod achilles;
mod binboi;
mod descriptor;
mod dot_ai;
mod failproofai;
mod fields;
pub mod jwt;
mod oauth;
pub mod proof;
#[cfg(test)]
pub mod samples;
mod session_route;

pub use descriptor::{BearerRequest, Descriptor, ParsedFile, ProviderRoute, RefreshRoute, SessionFormat};
pub use fields::Quantity;

use everkey_config::ProviderKind;

pub const fn descriptor(kind: ProviderKind) -> &'static Descriptor {
    match kind {
        ProviderKind::Failproofai => &failproofai::DESCRIPTOR,
        ProviderKind::Achilles => &achilles::DESCRIPTOR,
        ProviderKind::Binboi => &binboi::DESCRIPTOR,
        ProviderKind::DotAi => &dot_ai::DESCRIPTOR,
        ProviderKind::Oauth => &oauth::DESCRIPTOR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_the_descriptor_of_that_name() {
        for kind in ProviderKind::ALL {
            assert_eq!(descriptor(kind).kind, kind);
        }
    }
}
