//! Links that show one report to whoever holds them, and nothing else.

use uuid::Uuid;

use super::{Asking, allow};
use crate::actions::limited::admit;
use crate::actions::{Refusal, again};
use crate::app::App;
use crate::db::audit::{Entry, Event};
use crate::db::shares::{NewShare, Share, Shared};
use crate::db::throttle::Kind;
use crate::rules::address::Client;
use crate::rules::role::Wish;
use crate::rules::share::{MOST_DAYS, lapse, opens};
use crate::time::Moment;
use crate::tokens::share::ShareToken;

/// A link that has just been made. Its token is shown this once.
#[derive(Debug)]
pub struct Made {
    /// The link's id.
    pub id: String,
    /// Its token.
    pub token: ShareToken,
    /// When it lapses.
    pub expires_at: Moment,
}

/// Makes a link to one report that works for so many days.
pub async fn create(asking: Asking<'_>, workspace: Uuid, report: Uuid, days: i64) -> Result<Made, Refusal> {
    again(|| async {
        let (mut visit, seat) = asking.enter(workspace).await?;
        visit.tx.report(&seat, report).await?.ok_or(Refusal::NotFound)?;
        allow(seat.role(), Wish::Share)?;
        let expires_at = lapse(days, visit.now).ok_or_else(|| {
            Refusal::Invalid(format!("expires_in_days must be a whole number from 1 to {MOST_DAYS}"))
        })?;
        asking.count_creation(&mut visit).await?;
        let token = ShareToken::random()?;
        let new = NewShare { hash: token.hash(), report, maker: &visit.session.user.id, expires_at };
        let id = visit.tx.insert_share(&seat, &new, visit.now).await?;
        visit.record(Event::ShareMade, &id).await?;
        visit.tx.commit().await?;
        Ok(Made { id, token, expires_at })
    })
    .await
}

/// The links to a report, newest first, and when that was asked.
pub async fn list(
    asking: Asking<'_>,
    workspace: Uuid,
    report: Uuid,
) -> Result<(Vec<Share>, Moment), Refusal> {
    again(|| async {
        let (mut visit, seat) = asking.enter(workspace).await?;
        visit.tx.report(&seat, report).await?.ok_or(Refusal::NotFound)?;
        let shares = visit.tx.shares_of(&seat, report).await?;
        visit.tx.commit().await?;
        Ok((shares, visit.now))
    })
    .await
}

/// Revokes a link, for good.
pub async fn revoke(asking: Asking<'_>, workspace: Uuid, report: Uuid, share: Uuid) -> Result<(), Refusal> {
    again(|| async {
        let (mut visit, seat) = asking.enter(workspace).await?;
        allow(seat.role(), Wish::Share)?;
        let revoked = visit.tx.revoke_share(&seat, report, share, visit.now).await?;
        if revoked.ok_or(Refusal::NotFound)? {
            visit.record(Event::ShareRevoked, &share.to_string()).await?;
        }
        Ok(visit.tx.commit().await?)
    })
    .await
}

/// Opens a link. One that is lapsed, revoked, without a report or maker, or unknown is the same refusal.
pub async fn open(app: &App, token: &ShareToken, from: Client) -> Result<Shared, Refusal> {
    let (hash, from, limit) = (token.hash(), from.to_string(), app.limits.share_opens_per_ip);
    let shared = again(|| async {
        let mut tx = app.store.begin().await?;
        let now = app.now();
        admit(&mut tx, Kind::ShareOpened, &from, limit, now).await?;
        let shared = tx.shared(&hash).await?.filter(|shared| opens(shared.facts, now));
        if let Some(shared) = &shared {
            tx.count_opening(&shared.id, now).await?;
            let detail = Some(shared.id.as_str());
            let entry = Entry { event: Event::ShareOpened, session: None, generation: None, detail };
            tx.record(entry, now).await?;
        }
        tx.commit().await?;
        Ok(shared)
    })
    .await?;
    shared.ok_or(Refusal::NotFound)
}
