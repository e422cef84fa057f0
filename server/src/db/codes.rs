//! Login codes: several for one email, each of the request that asked for it, as keyed hashes. They stay for a day after
//! they end, because the guesses at them count.

use std::time::Duration;

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::db::row::moment;
use crate::db::{DbError, Tx};
use crate::digest::Digest;
use crate::rules::code_guess::{
    CodeFacts, CodeLength, CodeOrigin, GuessCounts, GuessLedger, GuessWay, MOST_SHORT,
};
use crate::rules::email::Email;
use crate::time::Timestamp;

#[derive(Debug)]
pub struct StoredCode {
    /// Its own id, part of what is hashed.
    pub id: String,
    /// The server key its hash was made with.
    pub key_id: String,
    pub hash: Digest,
    /// What the rules look at.
    pub facts: CodeFacts,
}

/// A code to store.
#[derive(Debug)]
pub struct NewCode<'a> {
    pub email: &'a Email,
    pub id: &'a str,
    pub key_id: &'a str,
    pub hash: Digest,
    pub length: CodeLength,
    /// Which request it belongs to.
    pub request: Digest,
    /// The network that asked for it.
    pub network: &'a str,
    pub origin: CodeOrigin,
    pub created_at: Timestamp,
    pub works_for: Duration,
}

/// Who guesses: what tells their codes from others'.
#[derive(Clone, Copy, Debug)]
pub struct Guesser<'a> {
    /// The request that they name.
    pub request: Option<Digest>,
    pub network: &'a str,
}

/// An email's comparisons of the last day.
#[derive(Clone, Copy, Debug, Default)]
pub struct GuessLedgers {
    pub familiar: GuessLedger,
    pub new: GuessLedger,
}

impl GuessLedgers {
    /// That of requests from one origin.
    pub fn of(self, origin: CodeOrigin) -> GuessLedger {
        match origin {
            CodeOrigin::Familiar => self.familiar,
            CodeOrigin::New => self.new,
        }
    }
}

/// More live codes than an email can have within the default limits.
const MOST: i64 = 128;

impl Tx {
    /// Stores a new code beside those that the email has.
    pub async fn put_code(&mut self, new: &NewCode<'_>) -> Result<(), DbError> {
        sqlx::query(
            "INSERT INTO login_codes (id, email, request_hash, network, familiar, digits, key_id, code_hash,
                 created_at, expires_at, used, by_id, by_network, by_others)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 0, 0, 0)",
        )
        .bind(new.id)
        .bind(new.email.as_str())
        .bind(new.request.bytes().as_slice())
        .bind(new.network)
        .bind(i64::from(new.origin == CodeOrigin::Familiar))
        .bind(i64::from(new.length.digits()))
        .bind(new.key_id)
        .bind(new.hash.bytes().as_slice())
        .bind(new.created_at.millis())
        .bind(new.created_at.plus(new.works_for).millis())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The live codes of an email, those of the guesser's request first and newest first, locked until the commit.
    pub async fn live_codes_for_update(
        &mut self,
        email: &Email,
        guesser: Guesser<'_>,
        now: Timestamp,
    ) -> Result<Vec<StoredCode>, DbError> {
        let query =
            "SELECT id, request_hash, network, familiar, digits, key_id, code_hash, expires_at, by_id,
                 by_network, by_others
             FROM login_codes WHERE email = $1 AND used = 0 AND expires_at > $2
             ORDER BY (request_hash = $3) DESC, created_at DESC LIMIT $4";
        // No hash is empty.
        let request = guesser.request.map_or_else(Vec::new, |request| request.bytes().to_vec());
        let rows = sqlx::query(self.dialect.locking(query, "login_codes"))
            .bind(email.as_str())
            .bind(now.millis())
            .bind(request)
            .bind(MOST)
            .fetch_all(self.connection())
            .await?;
        rows.iter().map(|row| read(row, guesser)).collect()
    }

    /// Until when the newest live long code of an email works.
    pub async fn long_code_until(
        &mut self,
        email: &Email,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, DbError> {
        let row = sqlx::query(
            "SELECT expires_at FROM login_codes
             WHERE email = $1 AND used = 0 AND expires_at > $2 AND digits = $3
             ORDER BY expires_at DESC LIMIT 1",
        )
        .bind(email.as_str())
        .bind(now.millis())
        .bind(i64::from(CodeLength::Long.digits()))
        .fetch_optional(self.connection())
        .await?;
        row.map(|row| moment(&row, "expires_at")).transpose()
    }

    /// What was, or still can be, compared with the six-digit codes that were asked for since then. `per_code` is how
    /// often a code may be guessed at with its id.
    pub async fn guess_ledgers(
        &mut self,
        email: &Email,
        per_code: u32,
        since: Timestamp,
    ) -> Result<GuessLedgers, DbError> {
        let rows = sqlx::query(
            "SELECT familiar, CAST(SUM(CASE WHEN used = 0 THEN $3 ELSE by_id END) AS BIGINT) AS with_id,
                 CAST(SUM(by_network) AS BIGINT) AS by_network, CAST(SUM(by_others) AS BIGINT) AS by_others
             FROM login_codes WHERE email = $1 AND created_at > $2 AND digits = $4 GROUP BY familiar",
        )
        .bind(email.as_str())
        .bind(since.millis())
        .bind(i64::from(per_code))
        .bind(i64::from(CodeLength::Short.digits()))
        .fetch_all(self.connection())
        .await?;
        let mut ledgers = GuessLedgers::default();
        for row in rows {
            let (with_id, by_network) = (count(&row, "with_id")?, count(&row, "by_network")?);
            let ledger = match origin(&row)? {
                CodeOrigin::Familiar => &mut ledgers.familiar,
                CodeOrigin::New => &mut ledgers.new,
            };
            ledger.with_id = with_id;
            ledger.without_id = ledger.without_id.saturating_add(by_network);
            let others = count(&row, "by_others")?;
            ledgers.new.without_id = ledgers.new.without_id.saturating_add(others);
        }
        Ok(ledgers)
    }

    /// Counts one guess at these codes, of which there may be none.
    pub async fn count_guess(&mut self, way: GuessWay, ids: &[&str]) -> Result<(), DbError> {
        const { assert!(MOST_SHORT == 5) }
        let query = match way {
            GuessWay::ById => "UPDATE login_codes SET by_id = by_id + 1 WHERE id IN ($1, $2, $3, $4, $5)",
            GuessWay::ByNetwork => {
                "UPDATE login_codes SET by_network = by_network + 1 WHERE id IN ($1, $2, $3, $4, $5)"
            }
            GuessWay::ByOthers => {
                "UPDATE login_codes SET by_others = by_others + 1 WHERE id IN ($1, $2, $3, $4, $5)"
            }
        };
        let mut query = sqlx::query(query);
        for place in 0..MOST_SHORT {
            query = query.bind(ids.get(place).copied().unwrap_or("").to_owned());
        }
        query.execute(self.connection()).await?;
        Ok(())
    }

    /// Uses a code up, and takes the guess at it back. `false` if it was used meanwhile.
    pub async fn use_code(&mut self, way: GuessWay, id: &str) -> Result<bool, DbError> {
        let query = match way {
            GuessWay::ById => {
                "UPDATE login_codes SET used = 1, by_id = CASE WHEN by_id > 0 THEN by_id - 1 ELSE 0 END
                 WHERE id = $1 AND used = 0"
            }
            GuessWay::ByNetwork => {
                "UPDATE login_codes SET used = 1,
                     by_network = CASE WHEN by_network > 0 THEN by_network - 1 ELSE 0 END
                 WHERE id = $1 AND used = 0"
            }
            GuessWay::ByOthers => {
                "UPDATE login_codes SET used = 1,
                     by_others = CASE WHEN by_others > 0 THEN by_others - 1 ELSE 0 END
                 WHERE id = $1 AND used = 0"
            }
        };
        let done = sqlx::query(query).bind(id).execute(self.connection()).await?;
        Ok(done.rows_affected() == 1)
    }

    /// Gives a code back that was used up.
    pub async fn give_code_back(&mut self, id: &str) -> Result<(), DbError> {
        sqlx::query("UPDATE login_codes SET used = 0 WHERE id = $1")
            .bind(id)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Whether an email has signed in from a network since then.
    pub async fn code_origin(
        &mut self,
        email: &Email,
        network: &str,
        since: Timestamp,
    ) -> Result<CodeOrigin, DbError> {
        let row = sqlx::query(
            "SELECT seen_at FROM sign_in_networks WHERE email = $1 AND network = $2 AND seen_at > $3",
        )
        .bind(email.as_str())
        .bind(network)
        .bind(since.millis())
        .fetch_optional(self.connection())
        .await?;
        Ok(if row.is_some() { CodeOrigin::Familiar } else { CodeOrigin::New })
    }

    /// Notes that an email has signed in from a network.
    pub async fn note_network(
        &mut self,
        email: &Email,
        network: &str,
        now: Timestamp,
    ) -> Result<(), DbError> {
        sqlx::query(
            "INSERT INTO sign_in_networks (email, network, seen_at) VALUES ($1, $2, $3)
             ON CONFLICT (email, network) DO UPDATE SET seen_at = excluded.seen_at",
        )
        .bind(email.as_str())
        .bind(network)
        .bind(now.millis())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Forgets codes that were sent before `horizon`. Returns how many there were.
    pub async fn forget_codes(&mut self, horizon: Timestamp) -> Result<u64, DbError> {
        let done = sqlx::query("DELETE FROM login_codes WHERE created_at < $1")
            .bind(horizon.millis())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected())
    }

    /// Forgets networks that nobody has signed in from since `horizon`. Returns how many there were.
    pub async fn forget_networks(&mut self, horizon: Timestamp) -> Result<u64, DbError> {
        let done = sqlx::query("DELETE FROM sign_in_networks WHERE seen_at < $1")
            .bind(horizon.millis())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected())
    }
}

fn read(row: &AnyRow, guesser: Guesser<'_>) -> Result<StoredCode, DbError> {
    let digest = |column| Digest::from_slice(row.try_get(column)?).ok_or(DbError::Corrupt("login_codes"));
    let request: Digest = digest("request_hash")?;
    let network: String = row.try_get("network")?;
    let way = if guesser.request == Some(request) {
        GuessWay::ById
    } else if network == guesser.network {
        GuessWay::ByNetwork
    } else {
        GuessWay::ByOthers
    };
    let digits: i64 = row.try_get("digits")?;
    let length = CodeLength::ALL.into_iter().find(|length| i64::from(length.digits()) == digits);
    Ok(StoredCode {
        id: row.try_get("id")?,
        key_id: row.try_get("key_id")?,
        hash: digest("code_hash")?,
        facts: CodeFacts {
            length: length.ok_or(DbError::Corrupt("login_codes.digits"))?,
            way,
            origin: origin(row)?,
            expires_at: moment(row, "expires_at")?,
            guesses: GuessCounts {
                by_id: count(row, "by_id")?,
                by_network: count(row, "by_network")?,
                by_others: count(row, "by_others")?,
            },
        },
    })
}

fn origin(row: &AnyRow) -> Result<CodeOrigin, DbError> {
    let familiar: i64 = row.try_get("familiar")?;
    Ok(if familiar == 0 { CodeOrigin::New } else { CodeOrigin::Familiar })
}

fn count(row: &AnyRow, column: &'static str) -> Result<u32, DbError> {
    let count: i64 = row.try_get(column)?;
    let count = u64::try_from(count).map_err(|_| DbError::Corrupt("login_codes"))?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}
