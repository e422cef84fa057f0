//! Rebuilds when a migration is added: the files are compiled in, and a new one is not noticed otherwise.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
