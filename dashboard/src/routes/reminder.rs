//! The contract's `/api/auth/reminder`: all of it only for somebody who is signed in.

use super::auth::{Response, in_contract, is_active, standing, standing_to_act};
use crate::agent;
use crate::app::App;
use crate::body::Fields;
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use everkey_client::Status;
use everkey_proto::DEFAULT_PROFILE;
use everkey_proto::request::{self, ClearReminder, SetReminder, When};
use serde::Deserialize;
use serde_json::{Number, json};

/// How many days ahead where nothing is said.
const DEFAULT_DAYS: u32 = 7;

/// The most days ahead.
const MOST_DAYS: u32 = 365;

/// The reminder, or null.
pub async fn get() -> Response {
    active(&standing().await?)?;
    let asked = agent::ask(Some(DEFAULT_PROFILE.to_owned()), request::Reminder).await;
    let reminder = asked.map_err(Problem::of_contract)?;
    Ok(Json(json!({ "authenticated": true, "reminder": reminder.as_ref().map(in_contract) })))
}

/// When a reminder is wanted.
#[derive(Deserialize)]
pub struct WantedReminder {
    in_days: Option<Number>,
    at: Option<Number>,
}

/// Sets the reminder, in place of the one there is.
pub async fn set(State(app): State<App>, Fields(wanted): Fields<WantedReminder>) -> Response {
    active(&standing_to_act().await?)?;
    let when = when(&wanted)?;
    let set = agent::act(Some(DEFAULT_PROFILE.to_owned()), SetReminder { when }).await;
    app.feed().wake();
    let reminder = set.map_err(Problem::of_contract)?;
    Ok(Json(json!({ "authenticated": true, "reminder": reminder.as_ref().map(in_contract) })))
}

/// Clears the reminder.
pub async fn clear(State(app): State<App>) -> Response {
    active(&standing_to_act().await?)?;
    let cleared = agent::act(Some(DEFAULT_PROFILE.to_owned()), ClearReminder).await;
    app.feed().wake();
    cleared.map_err(Problem::of_contract)?;
    Ok(Json(json!({ "ok": true })))
}

fn active(status: &Status) -> Result<(), Problem> {
    if is_active(status) {
        return Ok(());
    }
    let message = "Nobody is signed in, or the session is over.";
    Err(Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", message).hint("Sign in first."))
}

/// Days are taken for the nearest ones allowed; a time is not. What is past or too far, the agent decides by its clock.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // not negative, and clamped or saturating
fn when(wanted: &WantedReminder) -> Result<When, Problem> {
    if let Some(at) = &wanted.at {
        let whole = at.as_u64().or_else(|| at.as_f64().filter(|at| *at >= 0.0).map(|at| at as u64));
        let out = || Problem::invalid("at must be ahead, and at most 365 days.");
        return whole.map(When::At).ok_or_else(out);
    }
    let days = wanted.in_days.as_ref().and_then(Number::as_f64).unwrap_or(f64::from(DEFAULT_DAYS));
    Ok(When::InDays(days.clamp(1.0, f64::from(MOST_DAYS)) as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<When> {
        when(&serde_json::from_str(json).ok()?).ok()
    }

    #[test]
    fn days_are_clamped_and_a_time_wins() {
        for (json, days) in [
            ("{}", 7),
            (r#"{"in_days":null}"#, 7),
            (r#"{"in_days":0}"#, 1),
            (r#"{"in_days":-3}"#, 1),
            (r#"{"in_days":2.9}"#, 2),
            (r#"{"in_days":365}"#, 365),
            (r#"{"in_days":1e300}"#, 365),
        ] {
            assert_eq!(read(json), Some(When::InDays(days)), "{json}");
        }
        assert_eq!(read(r#"{"at":1800000000.9,"in_days":3}"#), Some(When::At(1_800_000_000)));
        for json in [r#"{"in_days":"7"}"#, r#"{"at":"soon"}"#, r#"{"at":-1}"#, r#"{"in_days":true}"#] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
