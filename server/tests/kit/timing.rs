//! Whether two things take equally long. Ratios of interleaved measurements, no absolute times.

use std::time::Duration;

/// What other work on the machine delays is in the upper half.
fn lower_quartile(times: &[Duration]) -> f64 {
    let mut times = times.to_vec();
    times.sort();
    times[times.len() / 4].as_secs_f64()
}

/// Of rounds that are paired by their place, whether four in five say that the same one is slower. Other work on the
/// machine hits either.
fn agree(one: &[Duration], two: &[Duration]) -> bool {
    let slower = one.iter().zip(two).filter(|(one, two)| one > two).count();
    let rounds = one.len().min(two.len());
    slower * 5 >= rounds * 4 || slower * 5 <= rounds
}

/// Fails if the lower quartiles of the two are more than a third apart and the rounds agree which is slower. A missing
/// transaction or a mail sent in the response path is far outside, in every round.
pub fn expect_alike(what: &str, one: Vec<Duration>, two: Vec<Duration>) {
    let ratio = lower_quartile(&one) / lower_quartile(&two);
    let alike = (0.67..1.5).contains(&ratio) || !agree(&one, &two);
    assert!(alike, "{what}: known takes {ratio:.2} times as long as unknown");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(ms: impl Fn(u64) -> u64) -> Vec<Duration> {
        (0..45).map(|round| Duration::from_millis(ms(round))).collect()
    }

    #[test]
    fn noise_is_no_difference() {
        let noisy = |phase: u64| rounds(move |round| if (round + phase).is_multiple_of(2) { 3 } else { 9 });
        expect_alike("noise", noisy(0), noisy(1));
    }

    #[test]
    #[should_panic(expected = "times as long")]
    fn what_every_round_shows_is_a_difference() {
        expect_alike("a transaction", rounds(|_| 6), rounds(|_| 3));
    }
}
