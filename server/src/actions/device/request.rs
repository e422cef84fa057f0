//! A device asks for a grant.

use std::time::Duration;

use uuid::Uuid;

use crate::actions::limit::{LimitError, NetworkLimit};
use crate::actions::server_error::ServerError;
use crate::app::AppState;
use crate::db::devices::NewDeviceGrant;
use crate::db::throttle::ThrottleKind;
use crate::db::{Tx, retry};
use crate::rules::caller::NetworkCaller;
use crate::rules::device::Asker;
use crate::secret::SecretText;
use crate::time::Timestamp;
use crate::tokens::device::{DeviceCode, UserCode};

/// How often another user code is drawn because one is taken, which with 40 bits never happens.
const DRAWS: u32 = 8;

/// A grant that waits for a person.
#[derive(Debug)]
pub struct DeviceAuthorization {
    /// What the device polls with.
    pub device_code: DeviceCode,
    /// What the person types.
    pub user_code: SecretText,
    /// When both stop working.
    pub expires_at: Timestamp,
    /// How long from now that is.
    pub expires_in: Duration,
    /// The least time between two polls.
    pub interval: Duration,
}

/// Makes a pending grant, unless too many were asked for from that address lately.
pub async fn request(
    app: &AppState,
    asker: &Asker,
    caller: &NetworkCaller,
) -> Result<DeviceAuthorization, LimitError> {
    retry(|| attempt(app, asker, caller)).await
}

async fn attempt(
    app: &AppState,
    asker: &Asker,
    caller: &NetworkCaller,
) -> Result<DeviceAuthorization, LimitError> {
    let limit = app.limits.device_codes_per_ip;
    let mut tx = app.store.begin().await?;
    let now = app.now();
    NetworkLimit::new(ThrottleKind::DeviceCodeFromIp, caller.address, limit).admit(&mut tx, now).await?;
    // Taken once: the keys may be read again at any moment.
    let key = app.keys.current();
    let user_code = draw(app, &mut tx).await?;
    let (id, device_code) = (Uuid::new_v4().to_string(), DeviceCode::random()?);
    let expires_at = now.plus(app.limits.device_code_ttl);
    let new = NewDeviceGrant {
        id: &id,
        device: device_code.hash(),
        key_id: &key.id,
        user_code: user_code.hash(&key),
        asker,
        caller,
        expires_at,
    };
    tx.insert_device_grant(&new, now).await?;
    tx.commit().await?;
    Ok(DeviceAuthorization {
        device_code,
        user_code: user_code.shown(),
        expires_at,
        expires_in: app.limits.device_code_ttl,
        interval: asker.interval(),
    })
}

/// A user code that no grant has, under whichever key its hash was made.
async fn draw(app: &AppState, tx: &mut Tx) -> Result<UserCode, ServerError> {
    'draws: for _ in 0..DRAWS {
        let code = UserCode::random()?;
        for key in app.keys.all() {
            if tx.device_grant_by_user_code(&code.hash(&key)).await?.is_some() {
                continue 'draws;
            }
        }
        return Ok(code);
    }
    Err(ServerError::Unavailable("no free user code was found".to_owned()))
}
