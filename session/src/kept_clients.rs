//! The clients that OAuth servers have registered (RFC 7591), kept for the next sign-in of the same kind.

use crate::registration::{Endpoints, Registration};
use serde::{Deserialize, Serialize};

/// A client that a server has registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptClient {
    /// What the server knows it as.
    pub registration: Registration,
    /// Where its browsers come back to; none if it is for device codes.
    pub redirect: Option<String>,
    /// The most that it asks for.
    pub scope: Option<String>,
}

/// What a sign-in learns about a registered client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ClientNews {
    /// There is a new one.
    Registered(Box<KeptClient>),
    /// The server does not know it any more, or nobody can tell.
    Gone(String),
}

/// How long a sign-in may take, in seconds: a secret that lapses meanwhile is of no use.
const SIGN_IN_SECS: u64 = 3600;

/// How many clients are kept at most.
const MOST: usize = 8;

impl KeptClient {
    /// Whether it will do for a sign-in at this server that comes back there and asks for that.
    pub fn fits(&self, endpoints: &Endpoints, redirect: Option<&str>, scope: Option<&str>) -> bool {
        let ways = &endpoints.client_auth;
        self.is_at(endpoints)
            && self.redirect.as_deref() == redirect
            && (ways.is_empty() || ways.contains(&self.registration.auth))
            && self.may_ask_for(scope)
    }

    fn is_at(&self, endpoints: &Endpoints) -> bool {
        let ours = &self.registration.endpoints;
        ours.issuer == endpoints.issuer && ours.registration == endpoints.registration
    }

    fn may_ask_for(&self, scope: Option<&str>) -> bool {
        let registered: Vec<_> = self.scope.iter().flat_map(|scope| scope.split(' ')).collect();
        scope.is_none_or(|scope| scope.split(' ').all(|word| registered.contains(&word)))
    }

    fn works(&self, wall: u64) -> bool {
        self.registration.secret_expires_at.is_none_or(|at| at > wall.saturating_add(SIGN_IN_SECS))
    }

    /// Whether both are for the same kind of sign-in at the same server.
    fn is_replaced_by(&self, other: &Self) -> bool {
        self.is_at(&other.registration.endpoints) && self.redirect.is_some() == other.redirect.is_some()
    }
}

/// The clients of one profile.
#[derive(Debug, Default)]
pub(crate) struct KeptClients(Vec<KeptClient>);

impl KeptClients {
    /// Those that the disk holds, unless more is known already.
    pub fn load(&mut self, clients: Vec<KeptClient>) {
        if self.0.is_empty() {
            self.0 = clients;
        }
    }

    /// Those whose secrets last for a sign-in.
    pub fn usable(&self, wall: u64) -> Vec<KeptClient> {
        self.0.iter().filter(|kept| kept.works(wall)).cloned().collect()
    }

    /// All that are to be kept from now on; none if nothing has changed.
    pub fn learn(&mut self, news: ClientNews) -> Option<Vec<KeptClient>> {
        let before = self.0.len();
        match news {
            ClientNews::Registered(client) => {
                self.0.retain(|kept| !kept.is_replaced_by(&client));
                self.0.insert(0, *client);
                self.0.truncate(MOST);
            }
            ClientNews::Gone(id) => {
                self.0.retain(|kept| kept.registration.client_id != id);
                if self.0.len() == before {
                    return None;
                }
            }
        }
        Some(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registration::AuthMethod;

    fn at(issuer: &str) -> Endpoints {
        let registration = Some(format!("{issuer}/register"));
        Endpoints { issuer: issuer.to_owned(), registration, ..Endpoints::default() }
    }

    fn client(id: &str, issuer: &str, redirect: Option<&str>) -> KeptClient {
        let (client_id, endpoints) = (id.to_owned(), at(issuer));
        let registration = Registration { client_id, endpoints, ..Registration::default() };
        KeptClient { registration, redirect: redirect.map(str::to_owned), scope: Some("a b".to_owned()) }
    }

    #[test]
    fn a_kept_client_serves_the_same_kind_of_sign_in() {
        let (here, back) = ("https://a", Some("http://127.0.0.1:7/callback"));
        let kept = client("c", here, back);
        assert!(kept.fits(&at(here), back, Some("b a")) && kept.fits(&at(here), back, None));
        assert!(!kept.fits(&at("https://b"), back, None), "another issuer");
        assert!(!kept.fits(&at(here), Some("http://127.0.0.1:8/callback"), None), "another port");
        assert!(!kept.fits(&at(here), None, None), "device codes");
        assert!(!kept.fits(&at(here), back, Some("a c")), "it may not ask for that");
        let moved = Endpoints { registration: Some("https://a/other".to_owned()), ..at(here) };
        assert!(!kept.fits(&moved, back, None), "whose clients are they?");
        let posts = Endpoints { client_auth: vec![AuthMethod::ClientSecretPost], ..at(here) };
        assert!(!kept.fits(&posts, back, None), "it has no secret");
    }

    #[test]
    fn an_expired_client_is_not_used() {
        let mut clients = KeptClients::default();
        let mut one = client("c", "https://a", None);
        one.registration.secret_expires_at = Some(10_000);
        clients.learn(ClientNews::Registered(Box::new(one)));
        assert_eq!(clients.usable(10_000 - SIGN_IN_SECS - 1).len(), 1);
        assert_eq!(clients.usable(10_000 - SIGN_IN_SECS).len(), 0, "not for long enough");
    }

    #[test]
    fn a_new_client_replaces_the_one_before() {
        let mut clients = KeptClients::default();
        let mut learn = |id: &str, issuer: &str, redirect| {
            let news = ClientNews::Registered(Box::new(client(id, issuer, redirect)));
            let kept = clients.learn(news).unwrap();
            kept.into_iter().map(|kept| kept.registration.client_id).collect::<Vec<_>>()
        };
        learn("device", "https://a", None);
        learn("browser", "https://a", Some("http://127.0.0.1:7/callback"));
        let elsewhere = learn("elsewhere", "https://b", None);
        assert_eq!(elsewhere, ["elsewhere", "browser", "device"]);
        let replaced = learn("again", "https://a", Some("http://127.0.0.1:8/callback"));
        assert_eq!(replaced, ["again", "elsewhere", "device"]);
        for n in 0..20 {
            learn("one", &format!("https://{n}"), None);
        }
        assert_eq!(clients.usable(0).len(), MOST);
        assert_eq!(clients.learn(ClientNews::Gone("nobody".to_owned())), None);
        assert_eq!(clients.learn(ClientNews::Gone("one".to_owned())), Some(Vec::new()));
    }

    #[test]
    fn what_is_known_already_is_newer_than_the_disk() {
        let mut clients = KeptClients::default();
        clients.load(vec![client("old", "https://a", None)]);
        clients.learn(ClientNews::Registered(Box::new(client("new", "https://a", None))));
        clients.load(vec![client("old", "https://a", None)]);
        assert_eq!(clients.usable(0)[0].registration.client_id, "new");
    }
}
