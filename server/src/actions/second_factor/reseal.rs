//! Seals secrets anew when the server's keys were rotated, so that the old keys can be dropped.

use std::time::Duration;

use crate::actions::second_factor::secrets::PURPOSE;
use crate::actions::server_error::ServerError;
use crate::db::{Database, retry};
use crate::keys::{KeyRing, seal};

const PERIOD: Duration = Duration::from_secs(3600);

/// Seals anew now and then every hour, for ever.
pub async fn run(store: Database, keys: KeyRing) {
    let mut period = tokio::time::interval(PERIOD);
    loop {
        period.tick().await;
        match reseal(&store, &keys).await {
            Ok(0) => {}
            Ok(done) => tracing::info!(done, "sealed second factors under the new keys"),
            Err(error) => tracing::warn!(%error, "could not seal second factors under the new keys"),
        }
    }
}

/// Seals every secret that is not sealed under the current key anew. Returns how many there were. One whose key is
/// gone is left as it is, and told.
pub async fn reseal(store: &Database, keys: &KeyRing) -> Result<u64, ServerError> {
    let (mut done, mut after) = (0, String::new());
    loop {
        let behind = retry(|| async {
            let mut tx = store.begin_reading().await?;
            tx.factors_not_under(&keys.current().id, &after).await
        })
        .await?;
        let Some(last) = behind.last().cloned() else { return Ok(done) };
        for user in &behind {
            done += u64::from(retry(|| one(store, keys, user)).await?);
        }
        after = last;
    }
}

async fn one(store: &Database, keys: &KeyRing, user: &str) -> Result<bool, ServerError> {
    let (mut tx, current) = (store.begin().await?, keys.current());
    let Some(factor) = tx.factor_for_update(user).await? else { return Ok(false) };
    let key = keys.find(&factor.key_id);
    let Some(plain) = key.and_then(|key| seal::open(&key, PURPOSE, user, &factor.sealed)) else {
        tracing::error!(user, key = factor.key_id, "a second factor can't be read: its keys are gone");
        return Ok(false);
    };
    tx.reseal_factor(user, &current.id, &seal::seal(&current, PURPOSE, user, &plain)?).await?;
    tx.commit().await?;
    Ok(true)
}
