//! The programs of the guide to fuzzing (`docs/fuzzing.md`), and what they find.

mod cluster;
mod lock;
mod machine;
mod voter;

use std::fs;
use std::path::Path;

/// The programs that are printed in the guide stand here too, so that they compile and pass.
#[test]
fn the_guide_prints_programs_that_pass() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(root.join(path)).expect(path);
    let programs: String = ["cluster", "lock", "machine", "voter"]
        .map(|name| read(&format!("tests/it/guide/{name}.rs")))
        .join("\n");
    let guide = read("docs/fuzzing.md");
    let blocks: Vec<&str> =
        guide.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 5, "the guide has so many programs");
    for block in blocks {
        for part in block.split("// …\n") {
            assert!(programs.contains(part.trim()), "the guide prints what stands in no test:\n{part}");
        }
    }
}
