//! The short run: every kept input, then a few thousand changed copies of them for each target.
//! `EVERKEY_FUZZ_SEED` and `EVERKEY_FUZZ_ROUNDS` try others. A failing input is printed as hex and kept in
//! `fuzz/artifacts/`; moved to `fuzz/corpus/TARGET/` it is replayed for ever.

#![allow(clippy::unwrap_used, clippy::expect_used)] // the helpers of a test are one too

use everkey_fuzz::mutate::{Dice, mutate};
use everkey_fuzz::{TARGETS, Target, reach};
use std::fs;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Changed copies for each target.
const ROUNDS: u64 = 2500;

/// How many inputs are changed further at most.
const POOL: usize = 400;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().expect(variable))
}

/// The kept inputs of a target, by name.
fn kept(name: &str) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder("corpus").join(name)).into_iter().flatten().flatten();
    let read =
        |path: PathBuf| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap());
    let mut all: Vec<_> = entries.map(|entry| read(entry.path())).collect();
    all.sort();
    all
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Runs targets on inputs, and knows which input it was if even the process dies.
struct Runner {
    name: &'static str,
    target: Target,
    running: fs::File,
}

impl Runner {
    fn new(name: &'static str, target: Target) -> Self {
        fs::create_dir_all(folder("artifacts")).unwrap();
        let running = fs::File::create(folder("artifacts").join(format!("{name}.running"))).unwrap();
        Self { name, target, running }
    }

    /// Whether the reader accepted the input; or what to tell people about it.
    fn run(&self, input: &[u8]) -> Result<bool, String> {
        self.running.set_len(input.len() as u64).unwrap();
        self.running.write_all_at(input, 0).unwrap();
        if catch_unwind(AssertUnwindSafe(|| (self.target)(input))).is_err() {
            let artifact = folder("artifacts").join(format!("{}.failed", self.name));
            fs::write(&artifact, input).unwrap();
            return Err(format!(
                "{} fails on {}\n  as text: {:?}\n  again: ./dev fuzz {} {}\n  for ever: move it to fuzz/corpus/{}/",
                self.name,
                hex(input),
                String::from_utf8_lossy(input),
                self.name,
                artifact.display(),
                self.name,
            ));
        }
        Ok(reach::was_deep())
    }

    fn done(self) {
        fs::remove_file(folder("artifacts").join(format!("{}.running", self.name))).unwrap();
    }
}

#[test]
fn d11_f04_n10_kept_and_changed_inputs_hold_every_property() {
    let (seed, rounds) = (number("EVERKEY_FUZZ_SEED", 1), number("EVERKEY_FUZZ_ROUNDS", ROUNDS));
    // Targets differ in how long they take, so whoever is done takes the next.
    let next = AtomicUsize::new(0);
    let take = || TARGETS.get(next.fetch_add(1, Ordering::Relaxed));
    let share = || {
        let taken = std::iter::from_fn(take);
        taken.filter_map(|(name, target)| one(name, *target, seed, rounds).err()).collect::<Vec<_>>()
    };
    let failures: Vec<String> = std::thread::scope(|scope| {
        let shares = [scope.spawn(share), scope.spawn(share)];
        shares.into_iter().flat_map(|share| share.join().unwrap()).collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn one(name: &'static str, target: Target, seed: u64, rounds: u64) -> Result<(), String> {
    let runner = Runner::new(name, target);
    let mut pool = vec![Vec::new()];
    let mut accepted = 0;
    for (file, input) in kept(name) {
        accepted += u32::from(runner.run(&input).map_err(|why| format!("{file}: {why}"))?);
        pool.push(input);
    }
    if accepted == 0 {
        return Err(format!("{name} fails on its corpus: no kept input gets past the reader any more"));
    }
    let mut dice = Dice::new(seed);
    for _ in 0..rounds {
        let input = mutate(&mut dice, &pool);
        if runner.run(&input)? && pool.len() < POOL {
            pool.push(input);
        }
    }
    runner.done();
    Ok(())
}

#[test]
fn every_target_has_a_corpus_and_every_corpus_a_target() {
    let mut folders: Vec<String> = fs::read_dir(folder("corpus"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    let mut names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    assert_eq!(folders, names);
}

#[test]
fn the_corpus_stays_small() {
    let all: Vec<_> = TARGETS.iter().map(|(name, _)| kept(name)).collect();
    let bytes: usize = all.iter().flatten().map(|(_, input)| input.len()).sum();
    assert!(
        all.iter().all(|kept| kept.len() <= 40),
        "./dev fuzz --keep TARGET keeps the smallest that cover most"
    );
    assert!(bytes < 200 * 1024, "{bytes} bytes");
}
