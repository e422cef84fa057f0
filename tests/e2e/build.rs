//! What the programs are built of.

use everkey_tests::skip::skipped;
use std::process::Command;

#[test]
fn the_client_carries_no_async_runtime_and_no_http() {
    let Some(cargo) = std::env::var_os("CARGO") else {
        return skipped("the_client_carries_no_async_runtime_and_no_http", "not run by cargo");
    };
    let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let tree = Command::new(cargo)
        .args(["tree", "-p", "everkey-client", "-e", "normal", "--prefix", "none", "--offline", "--locked"])
        .current_dir(workspace)
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).unwrap();
    let names: Vec<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains(&"everkey-proto"), "{tree}");
    for heavy in ["tokio", "reqwest", "hyper", "rustls", "clap"] {
        assert!(!names.contains(&heavy), "{heavy} is in\n{tree}");
    }
}
