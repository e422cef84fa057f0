//! Whether two things take equally long. Ratios of interleaved medians, no absolute times.

use std::time::Duration;

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

/// Fails unless the medians of the two are within a third of each other. A missing transaction or a
/// mail sent in the response path is far outside.
pub fn expect_alike(what: &str, one: Vec<Duration>, two: Vec<Duration>) {
    let ratio = median(one) / median(two);
    assert!((0.67..1.5).contains(&ratio), "{what}: known takes {ratio:.2} times as long as unknown");
}
