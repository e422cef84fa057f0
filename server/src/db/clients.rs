//! OAuth clients. Their secrets are kept only as hashes.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::db::row::moment;
use crate::db::{DbError, Tx};
use crate::digest::Digest;
use crate::rules::oauth::client::{ClientRegistration, GrantType};
use crate::rules::oauth::redirect::Redirect;
use crate::rules::oauth::scope::Scopes;
use crate::time::Timestamp;

#[derive(Clone, Debug)]
pub struct OAuthClient {
    pub id: String,
    pub registered: ClientRegistration,
    /// The hash of its secret; `None` exactly if its method is `none`.
    pub secret: Option<Digest>,
    /// Whether the operator lets it introspect the access tokens of every client.
    pub introspects: bool,
    pub created_at: Timestamp,
}

impl OAuthClient {
    /// Whether it registered this grant.
    pub fn may(&self, grant: GrantType) -> bool {
        self.registered.grants.contains(&grant)
    }
}

impl Tx {
    pub async fn insert_client(&mut self, client: &OAuthClient) -> Result<(), DbError> {
        let ClientRegistration { name, auth, redirects, grants, scopes } = &client.registered;
        let redirects: Vec<&str> = redirects.iter().map(Redirect::as_str).collect();
        let grants: Vec<&str> = grants.iter().map(|grant| grant.as_str()).collect();
        sqlx::query(
            "INSERT INTO clients (id, name, auth_method, secret_hash, redirect_uris, grant_types, scope, introspects,
                created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(client.id.as_str())
        .bind(name.as_str())
        .bind(auth.as_str())
        .bind(client.secret.map(|hash| hash.bytes().to_vec()))
        .bind(serde_json::json!(redirects).to_string())
        .bind(serde_json::json!(grants).to_string())
        .bind(scopes.text())
        .bind(i64::from(client.introspects))
        .bind(client.created_at.millis())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    pub async fn client(&mut self, id: &str) -> Result<Option<OAuthClient>, DbError> {
        // No text in PostgreSQL holds it; asking for it fails there.
        if id.contains('\0') {
            return Ok(None);
        }
        let row = sqlx::query(
            "SELECT id, name, auth_method, secret_hash, redirect_uris, grant_types, scope, introspects, created_at
             FROM clients WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(self.connection())
        .await?;
        row.as_ref().map(client).transpose()
    }

    /// Whether this user has had a session at this client.
    pub async fn has_session_of_client(&mut self, user: &str, client: &str) -> Result<bool, DbError> {
        let found = sqlx::query("SELECT 1 FROM sessions WHERE user_id = $1 AND client_id = $2 LIMIT 1")
            .bind(user)
            .bind(client)
            .fetch_optional(self.connection())
            .await?;
        Ok(found.is_some())
    }

    /// Every client, oldest first.
    pub async fn every_client(&mut self) -> Result<Vec<OAuthClient>, DbError> {
        let rows = sqlx::query(
            "SELECT id, name, auth_method, secret_hash, redirect_uris, grant_types, scope, introspects, created_at
             FROM clients ORDER BY created_at, id",
        )
        .fetch_all(self.connection())
        .await?;
        rows.iter().map(client).collect()
    }

    pub async fn count_clients(&mut self) -> Result<u64, DbError> {
        let row = sqlx::query("SELECT COUNT(*) AS many FROM clients").fetch_one(self.connection()).await?;
        Ok(row.try_get::<i64, _>("many")?.unsigned_abs())
    }

    /// Forgets up to `most` clients that were registered before `horizon`, that nobody has allowed anything that is still
    /// known, and that the operator has not marked. Returns how many there were.
    pub async fn forget_clients(&mut self, horizon: Timestamp, most: u64) -> Result<u64, DbError> {
        let done = sqlx::query(
            "DELETE FROM clients WHERE id IN (SELECT c.id FROM clients c
                WHERE c.created_at < $1 AND c.introspects = 0
                AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.client_id = c.id)
                AND NOT EXISTS (SELECT 1 FROM authorization_codes a WHERE a.client_id = c.id)
                AND NOT EXISTS (SELECT 1 FROM device_grants d WHERE d.client_id = c.id)
                ORDER BY c.created_at LIMIT $2)",
        )
        .bind(horizon.millis())
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected())
    }

    /// Lets a client introspect the access tokens of every client, or no longer. `false` if there is no such client
    /// with a secret.
    pub async fn let_introspect(&mut self, id: &str, may: bool) -> Result<bool, DbError> {
        let done =
            sqlx::query("UPDATE clients SET introspects = $2 WHERE id = $1 AND secret_hash IS NOT NULL")
                .bind(id)
                .bind(i64::from(may))
                .execute(self.connection())
                .await?;
        Ok(done.rows_affected() == 1)
    }
}

fn client(row: &AnyRow) -> Result<OAuthClient, DbError> {
    let secret: Option<Vec<u8>> = row.try_get("secret_hash")?;
    let secret = match secret {
        Some(hash) => Some(Digest::from_slice(&hash).ok_or(DbError::Corrupt("clients.secret_hash"))?),
        None => None,
    };
    Ok(OAuthClient {
        id: row.try_get("id")?,
        registered: ClientRegistration {
            name: row.try_get("name")?,
            auth: row
                .try_get::<&str, _>("auth_method")?
                .parse()
                .map_err(|_| DbError::Corrupt("clients.auth_method"))?,
            // What was registered before a rule grew stricter leads nowhere any more.
            redirects: words(row, "redirect_uris")?
                .iter()
                .filter_map(|text| Redirect::parse(text).ok())
                .collect(),
            grants: grants(row)?,
            scopes: Scopes::read(row.try_get("scope")?),
        },
        secret,
        introspects: row.try_get::<i64, _>("introspects")? != 0,
        created_at: moment(row, "created_at")?,
    })
}

fn grants(row: &AnyRow) -> Result<Vec<GrantType>, DbError> {
    let grants = words(row, "grant_types")?.iter().map(|word| word.parse().ok()).collect::<Option<_>>();
    grants.ok_or(DbError::Corrupt("clients.grant_types"))
}

fn words(row: &AnyRow, column: &'static str) -> Result<Vec<String>, DbError> {
    serde_json::from_str(row.try_get(column)?)
        .map_err(|_| DbError::Corrupt("clients.redirect_uris, grant_types"))
}
