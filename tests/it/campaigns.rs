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
    let path = fresh("campaign.ndjson");
    let path = path.to_str().expect("a plain path");
    let whole = document(&["--runs", "700", "--seed", "9"]);
    let part = document(&["--runs", "37", "--seed", "9", "--results", path]);
    assert_eq!(part["runs_done"], 37);
    // It goes on with its own seed, with other jobs, and when there is nothing left to do it says what it knows.
    for jobs in ["3", "1"] {
        let rest = document(&["--runs", "700", "--jobs", jobs, "--results", path]);
        assert_eq!(rest, whole);
    }
}

#[test]
fn a_campaign_with_a_number_of_runs_goes_on_for_a_time_and_the_other_way_round() {
    let path = fresh("longer.ndjson");
    let path = path.to_str().expect("a plain path");
    document(&["--runs", "37", "--seed", "9", "--results", path]);
    let longer = document(&["--time", "300ms", "--results", path]);
    let runs = longer["runs_done"].as_u64().expect("a number");
    assert!(runs >= 256 && runs.is_multiple_of(256), "{runs}");
    let more = document(&["--runs", &(runs + 10).to_string(), "--results", path]);
    assert_eq!(more, document(&["--runs", &(runs + 10).to_string(), "--seed", "9"]));
}

#[cfg(feature = "mutations")]
#[test]
fn a_campaign_that_stopped_at_a_failure_goes_on_to_the_next_ones() {
    let told = |arguments: &[&str]| {
        let campaign =
            ["--runs", "1500", "--seed", "9", "--mutation", "duplicate_votes_counted", "--no-capsule"];
        let output = fuzz(&[&campaign[..], &["--format", "json"], arguments].concat());
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).expect("one JSON document")
    };
    for most in ["2", "3", "4", "5"] {
        let path = fresh("failures.ndjson");
        let path = path.to_str().expect("a plain path");
        let whole = told(&["--max-fail", most]);
        assert_eq!(told(&["--max-fail", "1", "--results", path])["failed"], 1);
        assert_eq!(told(&["--max-fail", most, "--results", path]), whole, "up to {most}");
        assert_eq!(told(&["--max-fail", most, "--results", path]), whole, "enough have failed");
    }
}

#[test]
fn what_a_shard_has_done_is_filled_up_to_the_whole_campaign() {
    let path = fresh("filled.ndjson");
    let path = path.to_str().expect("a plain path");
    let shard = ["--shard-index", "1", "--shard-count", "3"];
    let part = document(&[&["--runs", "1300", "--seed", "9", "--results", path], &shard[..]].concat());
    assert_eq!(part["holes"], serde_json::json!([[0, 255], [512, 1_023], [1_280, 1_299]]));
    assert_eq!(
        document(&["--runs", "1300", "--results", path]),
        document(&["--runs", "1300", "--seed", "9"])
    );
}

#[cfg(unix)]
#[test]
fn a_device_takes_results_and_is_not_read() {
    for device in ["/dev/null", "/dev/zero"] {
        let output = fuzz(&["--runs", "3", "--seed", "9", "--results", device]);
        assert_eq!(output.status.code(), Some(0), "{device}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// What a campaign that is killed leaves is the beginning of a file: whole lines, and perhaps half of one.
#[test]
fn a_campaign_that_was_killed_at_any_moment_goes_on_to_the_same_report() {
    let path = fresh("killed.ndjson");
    let name = path.to_str().expect("a plain path");
    let arguments = ["--runs", "1100", "--seed", "9", "--results", name];
    let whole = document(&arguments);
    let bytes = std::fs::read(&path).expect("it was written");
    for tenth in 0..10 {
        std::fs::write(&path, &bytes[..bytes.len() * tenth / 10]).expect("the file can be written");
        if tenth > 0 {
            assert_eq!(document(&arguments), whole, "{tenth} tenths");
        }
    }
    std::fs::write(&path, "").expect("the file can be written");
    assert_eq!(document(&arguments), whole, "nothing of it");
}

#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "another process is stopped at some moment, whichever that is")]
#[test]
fn a_campaign_that_is_really_killed_loses_at_most_what_it_was_at() {
    let path = fresh("sigkill.ndjson");
    let name = path.to_str().expect("a plain path");
    let arguments = ["--runs", "1500", "--seed", "11", "--jobs", "2", "--results", name];
    for millis in [300, 700, 1_100] {
        let mut child = program()
            .arg("fuzz")
            .args(arguments)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("the program starts");
        std::thread::sleep(core::time::Duration::from_millis(millis));
        let _ = child.kill();
        let _ = child.wait();
    }
    let rest = document(&arguments);
    assert_eq!(rest, document(&["--runs", "1500", "--seed", "11"]));
}

#[test]
fn what_xml_and_terminals_cannot_bear_is_left_out_of_what_build_servers_read() {
    let scenario = fresh("hostile.json");
    let text = r#"{ "name": "hostile", "nodes": 3,
        "steps": [{ "assert": { "committed": { "command": "a\ufffeb\u009b", "on": 3 } } }] }"#;
    std::fs::write(&scenario, text).expect("the folder can be written");
    let [scenario, junit] = [scenario, fresh("hostile.xml")].map(|path| path.display().to_string());
    let output = fuzz(&[&scenario, "--seeds", "0..2", "--no-capsule", "--junit", &junit, "--github"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let xml = std::fs::read_to_string(&junit).expect("it was written");
    let github = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = github.lines().find(|line| line.starts_with("::error ")).expect("an annotation");
    for told in [xml.as_str(), line] {
        assert!(told.contains("a\u{fffd}b"), "{told}");
        assert!(!told.contains(['\u{fffe}', '\u{9b}']), "{told}");
    }
}

#[test]
fn results_cut_in_the_midst_of_a_letter_go_on() {
    let scenario = fresh("letters.json");
    let text = r#"{ "name": "letters", "nodes": 3, "steps": [{ "assert": { "committed": { "command": "日本語", "on": 3 } } }] }"#;
    std::fs::write(&scenario, text).expect("the folder can be written");
    let [scenario, results] = [scenario, fresh("letters.ndjson")].map(|path| path.display().to_string());
    let campaign = [&scenario, "--seeds", "0..4", "--no-capsule", "--max-fail", "9", "--results", &results];
    let whole = fuzz(&campaign);
    assert_eq!(whole.status.code(), Some(1));
    let bytes = std::fs::read(&results).expect("it was written");
    let cut = bytes.iter().rposition(|byte| *byte > 0x7f).expect("a letter of several bytes");
    std::fs::write(&results, &bytes[..cut]).expect("it can be written");
    let again = fuzz(&campaign);
    assert_eq!(again.status.code(), Some(1), "{}", String::from_utf8_lossy(&again.stderr));
    assert_eq!(again.stdout, whole.stdout);
}

#[test]
fn a_shard_of_a_campaign_that_has_fewer_chunks_has_nothing_to_do() {
    let output = fuzz(&["--runs", "100", "--seed", "9", "--shard-index", "1", "--shard-count", "4"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing of the campaign falls to this shard"));
}

#[cfg(feature = "mutations")]
#[test]
fn merged_failures_of_a_scenario_are_replayed_with_its_file() {
    use seaworthy::scenario::{Expect, Scenario};
    let witness = "scenarios/mutations/vote_not_persisted.json";
    let failing = fresh("failing.json");
    let text = std::fs::read_to_string(crate::support::root().join(witness)).expect("it is in the library");
    let scenario = Scenario::parse(witness, &text).expect("it can be read");
    let scenario = Scenario { expect: Expect::Pass, ..scenario };
    std::fs::write(&failing, scenario.to_text()).expect("the folder can be written");
    let [failing, results] = [failing, fresh("of_scenario.ndjson")].map(|path| path.display().to_string());
    let output = fuzz(&[&failing, "--seeds", "0..20", "--no-capsule", "--results", &results]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let merge = |more: &[&str]| {
        let output = program().args(["merge", &results]).args(more).output().expect("the program starts");
        let told = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        (output.status.code(), told.concat())
    };
    let (code, told) = merge(&[]);
    assert!(code == Some(2) && told.contains("say which with --scenario"), "{code:?} {told}");
    let (code, told) = merge(&["--scenario", "scenarios/leader_disconnect_reconnect_5.json"]);
    assert!(code == Some(3) && told.contains("the campaign ran another scenario"), "{code:?} {told}");
    let (code, told) = merge(&["--scenario", &failing]);
    assert_eq!(merge(&["--scenario", "/no/such/file.json"]).0, Some(3));
    assert!(
        matches!(code, Some(1 | 6)) && told.contains(&format!("--scenario {failing}")),
        "{code:?} {told}"
    );
}

#[test]
fn four_shards_merged_are_the_campaign() {
    let names: Vec<String> = (0..4)
        .map(|shard| fresh(&format!("shard{shard}.ndjson")).to_str().expect("a plain path").to_string())
        .collect();
    let campaign = ["--runs", "2000", "--seed", "9", "--max-fail", "1000000"];
    for (shard, name) in names.iter().enumerate() {
        let shard = shard.to_string();
        let own = ["--shard-index", shard.as_str(), "--shard-count", "4", "--results", name.as_str()];
        document(&[&campaign[..], &own].concat());
    }
    let merge = |names: &[&str]| {
        let output = program().arg("merge").args(names).args(["--format", "json"]).output();
        let output = output.expect("the program starts");
        let document: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
        (output.status.code(), document)
    };
    let [a, b, c, d] = [&names[0], &names[1], &names[2], &names[3]].map(String::as_str);
    let whole = document(&campaign);
    assert_eq!(merge(&[a, b, c, d]), (Some(0), whole.clone()));
    assert_eq!(merge(&[d, b, a, c, b]), (Some(0), whole.clone()), "in any order, and one twice");
    let both = fresh("both.ndjson");
    let both = both.to_str().expect("a plain path");
    let (code, part) = merge(&[a, c, "--output", both]);
    assert_eq!((code, &part["holes"][0]), (Some(6), &serde_json::json!([256, 511])));
    assert_eq!(merge(&[both, d, b]), (Some(0), whole));
    let other = fresh("other_shard.ndjson");
    let other = other.to_str().expect("a plain path");
    document(&["--runs", "5", "--seed", "10", "--results", other]);
    let refused = program().args(["merge", a, other]).output().expect("the program starts");
    assert_eq!(refused.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("another campaign: seed 0xa there, 0x9 here"));
}

#[cfg(feature = "mutations")]
#[test]
fn failures_are_told_by_kind_the_shortest_first() {
    let junit = fresh("junit.xml");
    let junit = junit.to_str().expect("a plain path");
    let arguments = ["--runs", "600", "--seed", "9", "--mutation", "commit_not_capped", "--no-capsule"];
    let more = ["--max-fail", "20", "--junit", junit, "--github"];
    let output = fuzz(&[&arguments[..], &more, &["--format", "json", "--jobs", "1"]].concat());
    assert_eq!(output.status.code(), Some(1));
    let again = fuzz(&[&arguments[..], &more, &["--format", "json", "--jobs", "3"]].concat());
    assert_eq!(output.stdout, again.stdout, "for any number of jobs");
    let document: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    let failed = document["failed"].as_u64().expect("a number");
    assert!(failed >= 20, "{failed}");
    let kinds = document["failures"].as_array().expect("a list");
    let counts: u64 = kinds.iter().filter_map(|kind| kind["count"].as_u64()).sum();
    assert_eq!(counts, failed);
    let runs = document["runs"].as_array().expect("a list");
    let records: Vec<u64> = runs.iter().filter_map(|run| run["violations"][0]["record"].as_u64()).collect();
    assert!(records.is_sorted() && !records.is_empty(), "{records:?}");
    let report = std::fs::read_to_string(junit).expect("it was written");
    assert!(report.contains(&format!("failures=\"{}\"", runs.len())), "{report}");
    assert!(report.contains("type=\"commit_legality\""), "{report}");
    let annotations = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(annotations.matches("::error title=seaworthy: ").count(), runs.len(), "{annotations}");
    let text = String::from_utf8(fuzz(&[&arguments[..], &["--max-fail", "20"]].concat()).stdout);
    assert!(text.expect("it prints UTF-8").contains(" runs fail in this way: seeds 0x"));
}

#[cfg(feature = "mutations")]
#[test]
fn every_campaign_has_a_canary() {
    let told = String::from_utf8_lossy(&fuzz(&["--runs", "3", "--seed", "9"]).stderr).into_owned();
    assert!(told.contains("canary: vote_not_persisted is found in run "), "{told}");
    let document = document(&["--runs", "3", "--seed", "9"]);
    assert_eq!(document["canary"]["bug"], "vote_not_persisted");
}

#[test]
fn a_scenario_is_run_over_many_seeds() {
    let file = "scenarios/figure_8.json";
    let document = document(&[file, "--seeds", "0..40"]);
    assert_eq!(document["runs_done"], 40);
    let path = fresh("wrong.json");
    let story = r#"{ "name": "wrong", "nodes": 3, "steps": [{ "until": { "that": "single_leader" } },
        { "assert": { "leader_is": 0 } }] }"#;
    std::fs::write(&path, story).expect("the file can be written");
    let path = path.to_str().expect("a plain path");
    let output = fuzz(&[path, "--seed", "1", "--runs", "50", "--no-capsule"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    let line = text.lines().find_map(|line| line.strip_prefix("replay: ")).expect("it says how");
    let again = program().args(line.split_whitespace().skip(1)).output().expect("the program starts");
    assert_eq!(again.status.code(), Some(1), "{}", String::from_utf8_lossy(&again.stderr));
    assert_eq!(fuzz(&[path, "--strategy", "race"]).status.code(), Some(2));
    // At the beginning nobody leads, which this file expects.
    let story = r#"{ "name": "expects", "nodes": 3, "expect": { "violation": "expectation" },
        "steps": [{ "assert": "single_leader" }] }"#;
    std::fs::write(path, story).expect("the file can be written");
    let output = fuzz(&[path, "--seed", "3", "--runs", "4", "--no-capsule"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("expectation violated in each, as expected"), "{text}");
    assert_eq!(fuzz(&["no_such.json"]).status.code(), Some(3));
}

#[test]
fn a_shard_that_is_none_is_refused() {
    for wrong in
        [&["--shard-index", "4", "--shard-count", "4"][..], &["--shard-index", "1"], &["--shard-count", "0"]]
    {
        assert_eq!(fuzz(&[&["--runs", "5"], wrong].concat()).status.code(), Some(2), "{wrong:?}");
    }
}

#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "another process is stopped at some moment, whichever that is")]
#[test]
fn ctrl_c_ends_a_campaign_in_good_order() {
    let path = fresh("interrupted.ndjson");
    let name = path.to_str().expect("a plain path");
    let child = program()
        .args(["fuzz", "--runs", "1000000", "--seed", "9", "--results", name])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    std::thread::sleep(core::time::Duration::from_secs(2));
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.expect("kill is there").success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("PASS "));
    assert!(String::from_utf8_lossy(&output.stderr).contains("the same command goes on from here"));
}

#[test]
fn results_of_another_campaign_are_refused_and_it_says_what_differs() {
    let path = fresh("other.ndjson");
    let path = path.to_str().expect("a plain path");
    document(&["--runs", "3", "--seed", "9", "--results", path]);
    let refused = |arguments: &[&str], because: &str| {
        let output = fuzz(&[arguments, &["--results", path]].concat());
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
    refused(&["--runs", "5", "--seed", "9"], "no results of a campaign");
    // A file that was changed since.
    let (file, results) = (fresh("changed.json"), fresh("changed.ndjson"));
    let [file, results] = [&file, &results].map(|path| path.to_str().expect("a plain path"));
    let mut told = Vec::new();
    for nodes in [3, 5] {
        let text = format!(r#"{{ "name": "changed", "nodes": {nodes}, "steps": [] }}"#);
        std::fs::write(file, text).expect("the file can be written");
        told = fuzz(&[file, "--seed", "1", "--runs", "3", "--results", results]).stderr;
    }
    let told = String::from_utf8_lossy(&told);
    assert!(told.contains("another campaign: the scenario has another `nodes` there"), "{told}");
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
fn what_a_campaign_has_found_is_told_although_its_results_cannot_be_written() {
    let output = fuzz(&["--runs", "3", "--seed", "9", "--results", "/no/such/folder/campaign.ndjson"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("PASS 3 runs, "));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/no/such/folder/campaign.ndjson"));
}

#[cfg(feature = "mutations")]
#[test]
fn a_violation_is_told_although_the_results_cannot_be_written() {
    let arguments = ["--runs", "20000", "--seed", "1", "--mutation", "vote_not_persisted"];
    let told = fuzz(&arguments);
    let output = fuzz(&[&arguments[..], &["--results", "/no/such/folder/campaign.ndjson"]].concat());
    assert_eq!(told.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&told.stdout).starts_with("FAIL "));
    assert_eq!(output.stdout, told.stdout);
    assert!(String::from_utf8_lossy(&output.stderr).contains("/no/such/folder/campaign.ndjson"));
}
