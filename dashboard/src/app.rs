//! What all routes share.

use crate::feed::Feed;
use crate::link::{Browsers, Links};
use everkey_client::Secret;
use std::sync::Arc;

/// The running dashboard, as routes see it. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<House>);

struct House {
    host: String,
    origin: String,
    links: Links,
    browsers: Browsers,
    feed: Feed,
    proof_key: Secret,
}

impl App {
    /// A dashboard that browsers reach as `host`, a name with a port.
    pub(crate) fn new(host: String, links: Links, browsers: Browsers, feed: Feed, proof_key: Secret) -> Self {
        let origin = format!("http://{host}");
        Self(Arc::new(House { host, origin, links, browsers, feed, proof_key }))
    }

    /// The only `Host` that is answered: `RANDOM.localhost:PORT`.
    pub(crate) fn host(&self) -> &str {
        &self.0.host
    }

    /// The only `Origin` that may change anything: `http://RANDOM.localhost:PORT`.
    pub(crate) fn origin(&self) -> &str {
        &self.0.origin
    }

    /// The one-time links.
    pub(crate) fn links(&self) -> &Links {
        &self.0.links
    }

    /// The browsers that came in by one.
    pub(crate) fn browsers(&self) -> &Browsers {
        &self.0.browsers
    }

    /// By which pages know the answers of this very dashboard.
    pub(crate) fn proof_key(&self) -> &Secret {
        &self.0.proof_key
    }

    /// What happens, for every tab.
    pub(crate) fn feed(&self) -> &Feed {
        &self.0.feed
    }
}
