//! What several tests need.

use seaworthy::scenario::Scenario;
use std::path::{Path, PathBuf};

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every scenario file of the library, in order of their paths, relative to `scenarios`.
pub(crate) fn library() -> Vec<(PathBuf, Scenario)> {
    let folder = root().join("scenarios");
    let mut found = Vec::new();
    let mut folders = vec![folder.clone()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).expect("the folder can be read") {
            let path = entry.expect("the folder can be read").path();
            let name = path.file_name().expect("entries have names").to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".json") && name != "scenario.schema.json" {
                let scenario =
                    Scenario::read(&path).unwrap_or_else(|error| panic!("{}", error.render(false, 120)));
                found.push((path.strip_prefix(&folder).expect("it is inside").to_path_buf(), scenario));
            }
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(!found.is_empty(), "there are scenarios");
    found
}

/// Whether this build can switch on the bug that a scenario names.
pub(crate) fn can_run(scenario: &Scenario) -> bool {
    scenario.mutation.is_none() || cfg!(feature = "mutations")
}
