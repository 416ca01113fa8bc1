//! Campaigns of drawn runs as a person meets them: what they say at their end, and that they go on after a stop.

use crate::support::program;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Output;

fn fuzz(arguments: &[&str]) -> Output {
    program().arg("fuzz").args(arguments).output().expect("the program starts")
}

fn document(arguments: &[&str]) -> Value {
    let output = fuzz(&[arguments, &["--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON document")
}

/// A file that is not there yet.
fn fresh(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    if path.exists() {
        std::fs::remove_file(&path).expect("what an earlier test left can be removed");
    }
    path
}

#[test]
fn a_campaign_ends_with_the_same_tally_for_any_number_of_jobs() {
    let tally = |jobs: &str| document(&["--runs", "120", "--seed", "9", "--jobs", jobs])["tally"].take();
    let one = tally("1");
    assert_eq!(one, tally("3"));
    assert_eq!(one["runs"], 120);
    assert!(one["judged"]["log_matching"].as_u64() > Some(1_000), "{one}");
    let text = String::from_utf8(fuzz(&["--runs", "120", "--seed", "9"]).stdout).expect("it prints UTF-8");
    assert!(text.starts_with("PASS 120 runs, "), "{text}");
    assert!(text.contains(one["digest"].as_str().expect("a digest is text")), "{text}");
}

#[test]
fn a_campaign_that_was_stopped_goes_on_and_ends_as_if_it_had_not_been() {
    let path = fresh("campaign.json");
    let path = path.to_str().expect("a plain path");
    let whole = document(&["--runs", "100", "--seed", "9"]);
    let part = document(&["--runs", "37", "--seed", "9", "--checkpoint", path]);
    assert_eq!(part["runs_done"], 37);
    // It goes on with its own seed, with other jobs, and when there is nothing left to do it says what it knows.
    for jobs in ["3", "1"] {
        let rest = document(&["--runs", "100", "--jobs", jobs, "--checkpoint", path]);
        assert_eq!(rest, whole);
    }
    let beside = format!("{path}.tmp");
    assert!(!PathBuf::from(&beside).exists(), "{beside} was put in its place");
}

#[test]
fn a_checkpoint_of_another_campaign_is_refused_and_it_says_what_differs() {
    let path = fresh("other.json");
    let path = path.to_str().expect("a plain path");
    document(&["--runs", "3", "--seed", "9", "--checkpoint", path]);
    let refused = |arguments: &[&str], because: &str| {
        let output = fuzz(&[arguments, &["--checkpoint", path]].concat());
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{error}");
        assert!(error.contains(because), "{error}");
    };
    refused(&["--runs", "5", "--seed", "10"], "another campaign: seed 0x9 there, 0xa here");
    refused(&["--seeds", "0..5"], "seed 0x9 there, 0x0..0x5 here");
    if cfg!(feature = "mutations") {
        let planted = ["--runs", "5", "--mutation", "retry_applied"];
        refused(&planted, "mutation none there, retry_applied here");
    }
    refused(&["--runs", "5", "--strategy", "race"], "strategy portfolio there, race here");
    std::fs::write(path, "half a line").expect("the file can be written");
    refused(&["--runs", "5", "--seed", "9"], "no checkpoint of a campaign");
}

#[test]
fn the_states_that_a_campaign_reaches_are_the_same_for_any_number_of_jobs() {
    let with = |jobs| document(&["--runs", "60", "--seed", "9", "--coverage", "--jobs", jobs]);
    let one = with("1");
    assert_eq!(one, with("3"));
    assert!(one["coverage"]["reached"].as_u64() > one["coverage"]["dangerous"].as_u64(), "{one}");
    assert!(one["coverage"]["dangerous"].as_u64() > Some(100), "{one}");
    let without = document(&["--runs", "60", "--seed", "9"]);
    assert_eq!((&without["tally"], &without["coverage"]), (&one["tally"], &Value::Null));
    let text = String::from_utf8(fuzz(&["--runs", "60", "--seed", "9", "--coverage"]).stdout);
    assert!(text.expect("it prints UTF-8").contains("danger states "));
}

#[test]
fn a_campaign_may_draw_by_one_strategy_alone() {
    let race = document(&["--runs", "30", "--seed", "9", "--strategy", "race"]);
    assert_eq!(race["strategy"], "race");
    assert_ne!(race["tally"]["digest"], document(&["--runs", "30", "--seed", "9"])["tally"]["digest"]);
    assert_eq!(race["tally"]["crashed_at_operation"], 0);
    let wrong = fuzz(&["--runs", "3", "--strategy", "chance"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("expected one of portfolio, swarm"));
}

#[cfg(feature = "mutations")]
#[test]
fn a_run_that_one_strategy_drew_is_replayed_by_the_line_that_it_prints() {
    let found =
        fuzz(&["--runs", "200", "--seed", "1", "--strategy", "aimed", "--mutation", "vote_not_persisted"]);
    let text = String::from_utf8_lossy(&found.stdout).into_owned();
    assert!(text.contains(" in fuzz_aimed  seed "), "{text}");
    let line = text.lines().find_map(|line| line.strip_prefix("replay: ")).expect("it says how");
    assert!(line.contains(" --strategy aimed --mutation vote_not_persisted "), "{line}");
    let path = fresh("aimed.json");
    let words = line.split_whitespace().skip(1).chain(["--view", "none", "--save"]);
    let again = program().args(words).arg(&path).output().expect("the program starts");
    assert_eq!(again.status.code(), Some(1), "{}", String::from_utf8_lossy(&again.stderr));
    assert!(String::from_utf8_lossy(&again.stderr).contains("reproduced: the digest is the one expected"));
    assert!(std::fs::read_to_string(&path).expect("it was saved").contains("\"fuzz_aimed\""));
}

#[test]
fn what_a_campaign_has_found_is_told_although_its_checkpoint_cannot_be_written() {
    let output = fuzz(&["--runs", "3", "--seed", "9", "--checkpoint", "/no/such/folder/campaign.json"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("PASS 3 runs, "));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/no/such/folder/campaign.json"));
}

#[cfg(feature = "mutations")]
#[test]
fn a_violation_is_told_although_the_checkpoint_cannot_be_written() {
    let arguments = ["--runs", "20000", "--seed", "1", "--mutation", "vote_not_persisted"];
    let told = fuzz(&arguments);
    let output = fuzz(&[&arguments[..], &["--checkpoint", "/no/such/folder/campaign.json"]].concat());
    assert_eq!(told.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&told.stdout).starts_with("FAIL "));
    assert_eq!(output.stdout, told.stdout);
    assert!(String::from_utf8_lossy(&output.stderr).contains("/no/such/folder/campaign.json"));
}
