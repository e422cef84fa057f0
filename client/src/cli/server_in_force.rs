//! The server of an account, by the one rule that sign-ins and requests follow: what options and variables name, then the
//! configuration, then where the last sign-in went, then the default. A session stays with its own.

use everkey_client::precedence::{NamedServer, Origin, expect, named_servers};
use everkey_client::{Agent, Expect, ResolvedProfile, Status, environment, request};
use everkey_config::file::OauthEndpoints;
use everkey_proto::Code;
use everkey_proto::server_url::normal_server;

/// Where requests about an account go.
pub struct ServerInForce {
    pub server: String,
    /// The server that another sign-in would go to, if that is another one, and who names it.
    pub next: Option<NamedServer>,
}

impl ServerInForce {
    /// As the agent says, should there be one; else as it is configured.
    pub fn of(profile: &ResolvedProfile, agent: Option<&mut Agent>) -> Self {
        let named = named_servers(profile, None, environment::text).into_iter().next();
        match agent.and_then(|agent| status(profile, agent)) {
            Some(status) => {
                let next = named.filter(|named| named.origin != Origin::Default);
                let next = next.filter(|next| normal_server(&next.server) != normal_server(&status.server));
                Self { server: status.server, next }
            }
            None => {
                let server = named.map(|named| named.server).or_else(|| token_endpoint(profile));
                Self { server: server.unwrap_or_default(), next: None }
            }
        }
    }

    /// As one text for people.
    pub fn shown(&self) -> String {
        match &self.next {
            Some(next) => format!("{} (the next sign-in: {})", self.server, next.server),
            None => self.server.clone(),
        }
    }
}

fn status(profile: &ResolvedProfile, agent: &mut Agent) -> Option<Status> {
    let expect = expect(profile, None);
    let mut ask = |expect| agent.for_profile(profile).expecting(expect).call(request::Status);
    match ask(expect.clone()) {
        // A session stays with its server, whatever a variable names.
        Err(failure) if failure.code == Code::Mismatch => ask(Expect { server: None, ..expect }).ok(),
        status => status.ok(),
    }
}

fn token_endpoint(profile: &ResolvedProfile) -> Option<String> {
    match &profile.oauth.as_ref()?.endpoints {
        OauthEndpoints::Issuer(issuer) => Some(issuer.clone()),
        OauthEndpoints::Explicit(endpoints) => Some(endpoints.token.clone()),
    }
}
