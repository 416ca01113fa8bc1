//! What the check of everything makes of a campaign.

use crate::support::{program, root, text};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// What a campaign of 1,000 runs might print in which everything happened, and all was judged.
fn rich() -> Value {
    let output = program().args(["fuzz", "--seed", "1", "--runs", "1", "--format", "json"]).output();
    let mut document: Value =
        serde_json::from_slice(&output.expect("the program starts").stdout).expect("one JSON document");
    let tally = document["tally"].as_object_mut().expect("it holds a tally");
    for (name, count) in tally.iter_mut() {
        match count {
            Value::Object(counts) => counts.values_mut().for_each(|count| *count = json!(20)),
            _ if name == "digest" => {}
            _ => *count = json!(1_000),
        }
    }
    tally.insert("committed".to_string(), json!(900));
    tally.insert("excused".to_string(), json!(10));
    document
}

/// What is wrong with a campaign that printed this.
fn wrong(document: &Value) -> Vec<String> {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("storm.json");
    std::fs::write(&file, document.to_string()).expect("it can be written");
    let output = Command::new(root().join(".ci/storm")).arg("1000").arg(file).output();
    let output = output.expect("the script starts");
    let out = text(&output.stdout);
    let wrong: Vec<String> =
        out.lines().filter_map(|line| line.strip_prefix("WRONG: ")).map(ToString::to_string).collect();
    assert_eq!(output.status.success(), wrong.is_empty(), "{out}{}", text(&output.stderr));
    assert!(!output.status.success() || out.contains("fail_write fsync 20"), "the tally is printed: {out}");
    wrong
}

#[test]
fn a_campaign_that_proves_nothing_about_something_fails() {
    assert_eq!(wrong(&rich()), [""; 0]);
    for (part, name, count, why) in [
        ("", "runs", 999, "999 runs were done"),
        ("", "committed", 899, "fewer than nine of ten"),
        ("", "excused", 11, "more than one run of a hundred"),
        ("judged", "durability", 0, "durability was never judged"),
        ("judged", "convergence", 0, "convergence was never judged"),
        ("disk_faults", "rot", 0, "rot never happened"),
        ("disk_faults", "fail_write fsync", 0, "fail_write fsync never happened"),
    ] {
        let mut document = rich();
        let tally = &mut document["tally"];
        let counts = if part.is_empty() { tally } else { &mut tally[part] };
        assert!(counts[name].is_u64(), "{name} is counted");
        counts[name] = json!(count);
        let wrong = wrong(&document);
        assert!(wrong.iter().any(|line| line.contains(why)), "{why}: {wrong:?}");
    }
    let mut document = rich();
    document["tally"]["judged"].as_object_mut().expect("counts").remove("read_safety");
    assert_eq!(wrong(&document), ["not every property is counted"]);
    assert_eq!(wrong(&json!({})).len(), 1);
}
