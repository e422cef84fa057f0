//! Whether two things take equally long. Ratios of interleaved lower quartiles, no absolute times.

use std::time::Duration;

/// What other work on the machine delays is in the upper half.
fn lower_quartile(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 4].as_secs_f64()
}

/// Fails unless the lower quartiles of the two are within a third of each other. A missing transaction or a
/// mail sent in the response path is far outside.
pub fn expect_alike(what: &str, one: Vec<Duration>, two: Vec<Duration>) {
    let ratio = lower_quartile(one) / lower_quartile(two);
    assert!((0.67..1.5).contains(&ratio), "{what}: known takes {ratio:.2} times as long as unknown");
}
