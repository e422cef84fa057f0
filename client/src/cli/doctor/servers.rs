//! How far the agent gets to each server, and how its clock differs from this machine's.

use super::checked::Checked;
use super::finding::{Finding, FindingKind};
use crate::cli::terminal::dates;
use everkey_client::{ExaminedProfile, Reach, ReachStep};
use everkey_proto::text::harmless;

/// So many seconds a clock may be off before tokens are taken for expired, or for not valid yet.
const CLOCK_TOLERANCE: u64 = 60;

/// So many characters of a reason are shown.
const LONGEST: usize = 200;

/// Adds rows for the server, and what is wrong on the way there.
pub fn check(profile: &ExaminedProfile, checked: &mut Checked) {
    checked.row("", reached(profile));
    let proxy = profile.proxy.iter().map(|proxy| ("by way of", proxy));
    for (how, between) in proxy.chain(profile.certificates.iter().map(|trusted| ("trusts", trusted))) {
        let origin = match &*between.origin {
            "profile" => "the profile".to_owned(),
            variable => format!("{variable} of the agent"),
        };
        checked.row("", format!("{how} {}, from {origin}", between.value));
    }
    let findings = match &profile.reach {
        Reach::Answered { status, date, received_at } => {
            [failing(profile, *status), date.and_then(|date| clock_off(profile, date, *received_at))]
        }
        Reach::Stuck { step, why } => [Some(stuck(profile, *step, why)), None],
    };
    checked.findings.extend(findings.into_iter().flatten());
}

fn reached(profile: &ExaminedProfile) -> String {
    let server = &profile.server;
    match &profile.reach {
        Reach::Answered { status, date, received_at } => {
            let clock = match date {
                Some(date) => format!("clock {} s off", date.abs_diff(*received_at)),
                None => "it does not say its time".to_owned(),
            };
            format!("{server} answers {status} after {} ms, {clock}", profile.millis)
        }
        Reach::Stuck { step, .. } => format!("{server} is not reached: {}", step_name(*step)),
    }
}

fn step_name(step: ReachStep) -> &'static str {
    match step {
        ReachStep::Name => "no address for the name",
        ReachStep::Connection => "no connection",
        ReachStep::Proxy => "not through the proxy",
        ReachStep::CertificateTime | ReachStep::Certificate => "its certificate is refused",
        ReachStep::Answer => "connected, and no answer",
    }
}

fn stuck(profile: &ExaminedProfile, step: ReachStep, why: &str) -> Finding {
    let ExaminedProfile { profile: name, server, .. } = profile;
    // A certificate may be for a hundred names.
    let why = if why.chars().count() > LONGEST { harmless(why, LONGEST) + "…" } else { why.to_owned() };
    let again = "the agent goes on trying, and no session is lost.";
    let (kind, what, to_do) = match step {
        ReachStep::Name => (
            FindingKind::NoSuchHost,
            format!("The name in {server} has no address ({why})."),
            format!("Check the address, your network and its DNS (`getent hosts {}`); {again}", host(server)),
        ),
        ReachStep::Connection => (
            FindingKind::NoConnection,
            format!("No connection to {server} ({why})."),
            format!("Check your network, and that the server runs; {again}"),
        ),
        ReachStep::Proxy => (
            FindingKind::ProxyFails,
            format!("No way to {server} through the proxy ({why})."),
            "Correct `proxy` or `no_proxy` in config.toml, or HTTPS_PROXY of the agent (then start it anew).".to_owned(),
        ),
        ReachStep::CertificateTime => (
            FindingKind::CertificateTime,
            format!("The certificate of {server} has expired or is not valid yet ({why})."),
            "Check this machine's clock (`date`); if that is right, whoever runs the server must renew it.".to_owned(),
        ),
        ReachStep::Certificate => (
            FindingKind::CertificateRefused,
            format!("The certificate of {server} is not trusted ({why})."),
            "If it is your own, name its CA with `ca_file` in the profile; else something is between you and the server."
                .to_owned(),
        ),
        ReachStep::Answer => (
            FindingKind::NoAnswer,
            format!("{server} takes connections and does not answer ({why})."),
            format!("Wait, or ask whoever runs it; {again}"),
        ),
    };
    kind.of(name, what, to_do)
}

fn host(server: &str) -> &str {
    let rest = server.split_once("://").map_or(server, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or(rest)
}

fn failing(profile: &ExaminedProfile, status: u16) -> Option<Finding> {
    let ExaminedProfile { profile: name, server, .. } = profile;
    let what = format!("{server} answers {status}: it, or a proxy before it, is failing.");
    let to_do = "Wait, or ask whoever runs it; the agent goes on trying, and no session is lost.";
    (500..=599).contains(&status).then(|| FindingKind::ServerError.of(name, what, to_do))
}

fn clock_off(profile: &ExaminedProfile, theirs: u64, ours: u64) -> Option<Finding> {
    let off = theirs.abs_diff(ours);
    let direction = if ours > theirs { "ahead of" } else { "behind" };
    let what =
        format!("This machine's clock is {} {direction} that of {}.", dates::span(off), profile.server);
    let to_do =
        "Set it: `timedatectl set-ntp true`, or ask whoever runs the server. everkey counts on the server's.";
    (off > CLOCK_TOLERANCE).then(|| FindingKind::ClockOff.of(&profile.profile, what, to_do))
}
