//! `everkey-server clients`.

use serde::Serialize;

use crate::actions::accounts::operator;
use crate::cli::{ClientsCommand, OneClient};
use crate::command_error::CommandError;
use crate::commands::list::{Row, open_ready, print, refused, unreadable};
use crate::db::clients::OAuthClient;
use crate::db::retry;
use crate::rules::oauth::redirect::Redirect;
use crate::time::{SystemClock, TimeSource as _};

/// Looks after OAuth clients.
pub(super) async fn run(command: ClientsCommand) -> Result<(), CommandError> {
    match command {
        ClientsCommand::List(listing) => {
            let store = open_ready(&listing).await?;
            let clients =
                store.begin_reading().await.map_err(unreadable)?.every_client().await.map_err(unreadable)?;
            print(listing.json, &clients.iter().map(ClientRow::of).collect::<Vec<_>>())
        }
        ClientsCommand::AllowIntrospection(client) => change(&client, true).await,
        ClientsCommand::ForbidIntrospection(client) => change(&client, false).await,
    }
}

async fn change(client: &OneClient, may: bool) -> Result<(), CommandError> {
    let store = open_ready(&client.listing).await?;
    let changed = retry(|| operator::let_introspect(&store, &client.id, may, SystemClock.now())).await;
    let changed = changed.map_err(refused)?.ok_or_else(|| {
        CommandError::new(
            format!("there is no client {} that has a secret", client.id),
            "See which there are with `everkey-server clients list`; a client without a secret can prove nothing.",
        )
    })?;
    print(client.listing.json, &[ClientRow::of(&changed)])
}

#[derive(Serialize)]
struct ClientRow {
    client_id: String,
    name: String,
    auth_method: &'static str,
    redirect_uris: Vec<String>,
    introspects: bool,
    created_at: String,
}

impl ClientRow {
    fn of(client: &OAuthClient) -> Self {
        Self {
            client_id: client.id.clone(),
            name: client.registered.name.clone(),
            auth_method: client.registered.auth.as_str(),
            redirect_uris: client
                .registered
                .redirects
                .iter()
                .map(Redirect::as_str)
                .map(str::to_owned)
                .collect(),
            introspects: client.introspects,
            created_at: client.created_at.rfc3339(),
        }
    }
}

impl Row for ClientRow {
    fn text(&self) -> String {
        let introspects = if self.introspects { "  introspects every client's tokens" } else { "" };
        let name = if self.name.is_empty() { "(no name)" } else { &self.name };
        format!(
            "{}  {name}  {}  {}  registered {}{introspects}",
            self.client_id,
            self.auth_method,
            self.redirect_uris.join(" "),
            self.created_at
        )
    }
}
