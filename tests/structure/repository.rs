//! The repository's own files and crates.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A crate of the workspace, and the crates it depends on for any purpose.
pub struct Crate {
    /// Its folder, which is how ARCHITECTURE.md names it.
    pub folder: String,
    pub dependencies: Vec<Dependency>,
}

pub struct Dependency {
    /// Whether only tests use it.
    pub for_tests: bool,
    pub package: String,
    /// The folder, where the dependency is a crate of the workspace.
    pub folder: Option<String>,
}

/// Every file, as a path from the root. What is built or installed beside the sources is left out.
pub fn files() -> Vec<String> {
    let mut files = Vec::new();
    collect(&root(), &mut files);
    files.sort();
    files
}

fn collect(folder: &Path, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let hidden = name.starts_with('.') && name != ".ci";
        if hidden || ["target", "node_modules", "__pycache__"].contains(&name.as_str()) {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), files);
        } else {
            files.push(relative(&entry.path()));
        }
    }
}

/// The text of a file; `None` where it is no text.
pub fn read(file: &str) -> Option<String> {
    let bytes = std::fs::read(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    String::from_utf8(bytes).ok()
}

pub fn exists(path: &str) -> bool {
    root().join(path).exists()
}

pub fn crates() -> Vec<Crate> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().iter().map(from_metadata).collect()
}

fn from_metadata(package: &Value) -> Crate {
    let manifest = Path::new(package["manifest_path"].as_str().unwrap());
    let dependencies = package["dependencies"].as_array().unwrap().iter();
    Crate {
        folder: relative(manifest.parent().unwrap()),
        dependencies: dependencies
            .map(|dependency| Dependency {
                package: dependency["name"].as_str().unwrap().to_owned(),
                folder: dependency["path"].as_str().map(|path| relative(Path::new(path))),
                for_tests: dependency["kind"] == "dev",
            })
            .collect(),
    }
}

/// Fails with every violation on a line of its own.
pub fn assert_none(violations: &[String], rule: &str) {
    assert!(violations.is_empty(), "{rule} ({}):\n{}\n", violations.len(), violations.join("\n"));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned()
}
