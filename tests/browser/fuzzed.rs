//! schemathesis makes requests from the description, valid and not, and holds every answer to it.

use everkey_tests::binaries::Binaries;
use everkey_tests::python::program;
use everkey_tests::server::Server;
use everkey_tests::{ADA, Setup};
use std::process::Command;

const CHECKS: &str =
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

#[test]
fn no_generated_request_gets_an_answer_that_is_not_described() {
    let test = "no_generated_request_gets_an_answer_that_is_not_described";
    let Some(schemathesis) = program(test, "schemathesis") else { return };
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&Binaries::find(), folder.path(), &Setup::default());
    let user = server.sign_in(ADA);
    let mut command = Command::new(schemathesis);
    command.args(["run", &format!("{}/openapi.json", server.url()), "--checks", CHECKS]);
    command.args(["--mode", "all", "--phases", "examples,coverage,fuzzing", "--max-examples", "20"]);
    command.args(["--seed", "4", "--no-color", "--max-redirects", "0", "--suppress-health-check", "all"]);
    command.args(["-H", &format!("Authorization: Bearer {}", user.access)]);
    let output = command.current_dir(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "schemathesis found something; see above");
    assert!(!server.log().contains("panicked"), "the server panicked");
    assert_eq!(server.me(&user.access), 200, "and nobody was signed out by it");
}
