//! Runs a transaction again when another one came first.

use std::time::Duration;

use tokio::sync::Mutex;

use crate::db::DbError;
use crate::metrics::METRICS;

/// An error that can say that another transaction came first.
pub trait Contention {
    /// Whether nothing was changed, and running the transaction again may succeed.
    fn is_contention(&self) -> bool;
}

impl Contention for DbError {
    fn is_contention(&self) -> bool {
        matches!(self, Self::Contended(_))
    }
}

/// How often a transaction is run again.
const TRIES: u32 = 40;

/// Whose turn it is to try again: those that collided go one after the other, so that they don't collide with each
/// other for ever.
static TURN: Mutex<()> = Mutex::const_new(());

/// Runs a transaction until no other one gets in its way. It must not have changed anything when it answers
/// contention, which a rolled back transaction guarantees; nor may it call `retry` itself, whose turn never comes.
pub async fn retry<T, E, F, Fut>(mut transaction: F) -> Result<T, E>
where
    E: Contention,
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    let mut done = transaction().await;
    if is_contended(&done) {
        METRICS.database_retried();
        let turn = TURN.lock().await;
        for nth in 1..TRIES {
            done = transaction().await;
            if !is_contended(&done) {
                break;
            }
            METRICS.database_retried();
            tokio::time::sleep(pause(nth)).await;
        }
        drop(turn);
        if is_contended(&done) {
            METRICS.database_retried_in_vain();
        }
    }
    done
}

fn is_contended<T, E: Contention>(done: &Result<T, E>) -> bool {
    done.as_ref().err().is_some_and(E::is_contention)
}

/// A little longer each time up to 32 ms, and never the same for two that collided.
fn pause(nth: u32) -> Duration {
    let most = 2_u32.saturating_pow(nth.min(5));
    let dice = getrandom::u32().unwrap_or(nth);
    Duration::from_millis(u64::from(dice % most + 1))
}
