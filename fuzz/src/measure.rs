//! How much memory a reader takes.

/// Room for what a reader needs whatever the input: a boxed status, an error, a first small buffer.
const SMALL: u64 = 4096;

/// Runs `work`, which may hold at most `cap` bytes and a little more at any moment.
pub fn within<T>(cap: usize, work: impl FnOnce() -> T) -> T {
    let mut result = None;
    let held = allocation_counter::measure(|| result = Some(work())).bytes_max;
    assert!(held <= cap as u64 + SMALL, "{held} bytes were held where {cap} and a little are enough");
    let Some(result) = result else { unreachable!("measure runs its argument") };
    result
}

/// Runs a reader over `len` bytes that makes a tree of them: a node for each character at worst.
pub fn tree<T>(len: usize, work: impl Fn() -> T) -> T {
    read(128 * len, work)
}

/// Runs a JSON reader over `len` bytes: text, its copy, and buffers that double.
pub fn json<T>(len: usize, work: impl Fn() -> T) -> T {
    read(8 * len, work)
}

/// Reads twice: what the first reading leaves for all later ones, such as a compiled expression, is no input's.
fn read<T>(cap: usize, work: impl Fn() -> T) -> T {
    drop(work());
    within(cap, work)
}
