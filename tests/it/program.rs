//! The program as a person meets it: what it prints where, and what it ends with.

use crate::support::{program, root, text};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Output;

const STORY: &str = "scenarios/leader_disconnect_reconnect_5.json";

fn seaworthy(arguments: &[&str]) -> Output {
    program().args(arguments).output().expect("the program starts")
}

fn temporary(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

#[track_caller]
fn expect(arguments: &[&str], code: i32, on_error: &str) {
    let output = seaworthy(arguments);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
    assert!(error.contains(on_error), "{arguments:?}: {on_error:?} is not in {error}");
}

#[test]
fn a_run_prints_seed_and_options_first_then_table_verdict_and_replay_line() {
    let output = seaworthy(&["run", STORY, "--seed", "7"]);
    assert_eq!(output.status.code(), Some(0));
    let (out, error) = (text(&output.stdout), text(&output.stderr));
    assert!(error.starts_with("leader_disconnect_reconnect_5  seed 0x7\n"), "{error}");
    for option in ["heartbeat 50ms", "election timeout 150ms..300ms", "uniform", "write", "end", "expect"] {
        assert!(error.contains(option), "{option} is not in {error}");
    }
    assert!(out.contains("PASS leader_disconnect_reconnect_5"), "{out}");
    assert!(out.contains("isolate"), "the steps stand in the table: {out}");
    assert!(!out.contains('\x1b'), "no colour into a pipe");
    let line = out.lines().find(|line| line.starts_with("replay: ")).expect("a replay line");
    let words: Vec<&str> = line.split_whitespace().skip(2).collect();
    let again = seaworthy(&words);
    assert_eq!(again.status.code(), Some(0), "{}", text(&again.stderr));
    assert!(text(&again.stderr).contains("reproduced"));
}

#[test]
fn a_replay_with_another_digest_ends_with_5_and_says_where() {
    let output = seaworthy(&["run", STORY, "--view", "none"]);
    let out = text(&output.stdout);
    let chain = out.split("--digest ").nth(1).expect("a digest").trim().to_string();
    // Another digest, and another last checkpoint.
    let flipped = |digit: &str| if digit == "0" { "1" } else { "0" };
    let (first, last) = (&chain[..1], &chain[chain.len() - 1..]);
    let tampered = format!("{}{}{}", flipped(first), &chain[1..chain.len() - 1], flipped(last));
    let arguments = ["replay", "0", "--scenario", STORY, "--view", "none", "--digest", tampered.as_str()];
    expect(&arguments, 5, "the first checkpoint that differs");
    expect(
        &["replay", "1", "--scenario", STORY, "--view", "none", "--digest", &chain],
        5,
        "up to record 0 all agree",
    );
    expect(
        &["replay", "0", "--scenario", STORY, "--view", "none", "--digest", "nonsense"],
        2,
        "not a digest",
    );
}

#[test]
fn exit_codes_are_those_that_the_help_lists() {
    expect(&["run", "no_such_file.json"], 3, "error: no_such_file.json: No such file");
    expect(&["run", "src/view"], 4, "no scenario files in src/view (*.json");
    expect(&["run"], 2, "required");
    expect(&["run", STORY, "--seed", "x"], 2, "seed");
    expect(&["run", STORY, "--seeds", "5..5"], 2, "no seed");
    expect(&["run", STORY, "--seed", "1", "--seeds", "0..5"], 2, "cannot be used");
    expect(&["run", STORY, "--seeds", "0..5", "--trace", "x"], 2, "--trace");
    expect(&["run", STORY, "--trace", "/no/such/folder/x"], 3, "/no/such/folder/x");
    // What was found is told all the same.
    let full = seaworthy(&["run", STORY, "--trace", "/dev/full", "--view", "none"]);
    if cfg!(target_os = "linux") {
        assert_eq!(full.status.code(), Some(3), "{}", text(&full.stderr));
        assert!(text(&full.stdout).starts_with("PASS "), "{}", text(&full.stdout));
        assert!(text(&full.stderr).contains("/dev/full"), "{}", text(&full.stderr));
    }
    for arguments in [&["run", STORY][..], &["fuzz", "--runs", "1"], &["replay", "1"]] {
        expect(&[arguments, &["--mutation", "no_such_bug"]].concat(), 2, "planted bug `no_such_bug`");
    }
    expect(&["fuzz", "--runs", "0"], 2, "0");
    expect(&["show", "Cargo.toml"], 3, "line 1");
    let (large, endless) = (temporary("large.ndjson"), temporary("large.json"));
    for (file, bytes) in [(&large, (1 << 30) + 1), (&endless, (1 << 20) + 1)] {
        std::fs::File::create(file).and_then(|file| file.set_len(bytes)).expect("it has holes only");
    }
    expect(&["show", large.to_str().expect("a plain path")], 3, "too large: expected at most 1024 MiB");
    let zeros = endless.to_str().expect("a plain path");
    expect(&["fuzz", "--runs", "1", "--results", zeros], 3, "no results of a campaign");
    expect(&["frobnicate"], 2, "frobnicate");
    expect(&["check", STORY], 0, "");
    expect(&["--help"], 0, "");
}

#[test]
fn a_bug_that_the_build_does_not_have_is_told_before_anything_runs() {
    let folder = temporary("planted");
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    for (file, bug) in [("a.json", ""), ("b.json", ", \"mutation\": \"no_such_bug\"")] {
        let scenario = format!("{{ \"name\": \"planted\", \"nodes\": 1{bug} }}");
        std::fs::write(folder.join(file), scenario).expect("it can be written");
    }
    let output = seaworthy(&["run", folder.to_str().expect("a plain path"), "--seeds", "0..2"]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(text(&output.stdout), "", "nothing ran");
    let error = text(&output.stderr);
    assert!(error.contains("b.json") && error.contains("planted bug `no_such_bug`"), "{error}");
}

/// A build without planted bugs knows none of their names, and checks files of builds that have them.
#[test]
fn a_file_that_names_a_bug_which_nobody_planted_is_refused_by_a_build_that_has_them() {
    let path = temporary("misspelt.json");
    std::fs::write(&path, r#"{ "name": "planted", "nodes": 1, "mutation": "vote_not_persited" }"#)
        .expect("it can be written");
    let check = ["check", path.to_str().expect("a plain path")];
    if cfg!(feature = "mutations") {
        expect(&check, 3, "there is no planted bug `vote_not_persited`: expected one that");
        expect(&check, 3, "did you mean `vote_not_persisted`?");
        expect(&["fuzz", "--mutation", "vote_not_persited"], 2, "did you mean `vote_not_persisted`?");
    } else {
        expect(&check, 0, "");
        expect(&["fuzz", "--mutation", "vote_not_persisted"], 2, "`--features mutations`");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn help_that_cannot_be_written_ends_with_3_as_any_result() {
    for arguments in [&["--help"][..], &["--version"], &["run", "--help"], &["help", "run"], &["schema"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("it is there");
        let output = program().args(arguments).stdout(full).output().expect("the program starts");
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {error}");
        assert!(error.contains("error: standard output: "), "{arguments:?}: {error}");
    }
}

#[test]
fn a_violation_ends_with_1_and_is_told_in_fifteen_lines() {
    let path = temporary("impossible.json");
    let scenario =
        r#"{ "name": "impossible", "nodes": 3, "steps": [ { "sleep": "1s" }, { "assert": "no_leader" } ] }"#;
    std::fs::write(&path, scenario).expect("it can be written");
    let output =
        seaworthy(&["run", path.to_str().expect("a plain path"), "--view", "none", "--seed", "0xabc"]);
    assert_eq!(output.status.code(), Some(1));
    let out = text(&output.stdout);
    assert!(out.lines().count() <= 15, "{out}");
    for part in [
        "FAIL expectation",
        "0xabc",
        "t=1.000s",
        "record #",
        "steps[1]",
        "leads term",
        "replay: ",
        "--digest ",
    ] {
        assert!(out.contains(part), "{part} is not in {out}");
    }
}

#[test]
fn messages_of_clients_are_counted_from_a_mark_on() {
    let path = temporary("asked.json");
    let scenario = r#"{ "name": "asked", "nodes": 3, "workload": { "clients": 2, "operations": 5 }, "steps": [
        { "call": { "client": "alice", "op": { "get": "x" } } }, { "await_clients": {} }, { "mark": "m" },
        { "assert": { "messages": { "from": "clients", "since": "m", "at_most": 0 } } },
        { "call": { "client": "alice", "op": { "get": "x" } } },
        { "assert": { "messages": { "from": "client alice", "since": "m", "at_least": 1 } } },
        { "assert": { "messages": { "from": "client 1", "since": "m", "at_most": 0 } } } ] }"#;
    std::fs::write(&path, scenario).expect("it can be written");
    expect(&["run", path.to_str().expect("a plain path"), "--view", "none"], 0, "");
}

#[test]
fn json_output_is_one_document_with_seeds_as_strings() {
    let output = seaworthy(&["run", STORY, "--format", "json", "--seed", "18446744073709551615"]);
    let document: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!(document["schema_version"], 1);
    assert_eq!(document["runs"][0]["seed"], "0xffffffffffffffff");
    assert_eq!(document["runs"][0]["verdict"], "PASS");
    assert_eq!(document["runs"][0]["digest"].as_str().map(str::len), Some(16));
}

#[test]
fn sweeps_print_the_same_for_any_number_of_jobs() {
    let sweep = |jobs: &str| {
        let output =
            seaworthy(&["run", STORY, "scenarios/figure_8.json", "--seeds", "0..60", "--jobs", jobs]);
        assert_eq!(output.status.code(), Some(0));
        output.stdout
    };
    assert_eq!(sweep("1"), sweep("2"));
    assert_eq!(sweep("1"), sweep("7"));
    let fuzz = |jobs: &str| seaworthy(&["fuzz", "--seed", "3", "--runs", "300", "--jobs", jobs]).stdout;
    assert_eq!(fuzz("1"), fuzz("4"));
}

#[test]
fn a_trace_changes_nothing_and_is_drawn_as_the_run_was() {
    let path = temporary("story.ndjson");
    let path = path.to_str().expect("a plain path");
    let traced = seaworthy(&["run", STORY, "--trace", path]);
    let plain = seaworthy(&["run", STORY]);
    assert_eq!(traced.stdout, plain.stdout);
    let shown = text(&seaworthy(&["show", path]).stdout);
    assert!(text(&plain.stdout).starts_with(&shown), "the same table from the file");
    let formats = ["mermaid", "shiviz", "chrome", "json"].map(|format| {
        let output = seaworthy(&["show", path, "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{format}: {}", text(&output.stderr));
        assert_eq!(
            seaworthy(&["show", path, "--format", format]).stdout,
            output.stdout,
            "{format}: twice the same"
        );
        text(&output.stdout)
    });
    assert!(formats[0].starts_with("sequenceDiagram\n    participant n0\n"), "{}", formats[0]);
    assert_eq!(formats[1].lines().count() % 2, 0);
    let [chrome, json] =
        [2, 3].map(|place: usize| serde_json::from_str::<Value>(&formats[place]).expect("one JSON document"));
    assert!(chrome["traceEvents"].as_array().is_some_and(|events| !events.is_empty()));
    let trace = std::fs::read_to_string(path).expect("it is there");
    assert_eq!(json["records"].as_array().map(Vec::len), Some(trace.lines().count() - 2));
    let few = text(&seaworthy(&["show", path, "--format", "json", "--from", "5", "--to", "7"]).stdout);
    let few: Value = serde_json::from_str(&few).expect("one JSON document");
    assert_eq!(few["records"].as_array().map(Vec::len), Some(3));
}

#[test]
fn seeds_are_read_in_every_form() {
    let digest = |seed: &str| {
        let output = seaworthy(&["run", STORY, "--seed", seed, "--format", "json"]);
        let document: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
        document["runs"][0]["digest"].to_string()
    };
    assert_eq!(digest("255"), digest("0xff"));
    assert_eq!(digest("00000000000000ff0123456789abcdef01234567"), digest("255"));
}

#[test]
fn what_a_seed_draws_is_an_ordinary_scenario_file() {
    let output = seaworthy(&["fuzz", "--seeds", "5..6", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let saved = temporary("drawn.json");
    let saved = saved.to_str().expect("a plain path");
    let replay = seaworthy(&["replay", "5", "--save", saved, "--format", "json"]);
    let text = std::fs::read_to_string(saved).expect("it was saved");
    assert!(text.contains("\"events_max\": 200000"), "a livelock is one in the file too: {text}");
    let drawn = seaworthy(&["run", saved, "--seed", "5", "--format", "json"]);
    let digest = |output: &Output| {
        let document: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
        document["runs"][0]["digest"].to_string()
    };
    assert_eq!(digest(&replay), digest(&drawn), "what is drawn is an ordinary scenario file");
}

#[test]
fn a_campaign_over_given_seeds_names_them() {
    let output = text(&seaworthy(&["fuzz", "--seeds", "5..8", "--format", "json"]).stdout);
    assert!(output.contains("\"seeds\":\"0x5..0x8\"") && output.contains("\"runs_done\":3"), "{output}");
    // No seed of a campaign decides anything there, and the same command prints the same.
    assert!(!output.contains("campaign_seed"), "{output}");
    let drawn = text(&seaworthy(&["fuzz", "--seed", "5", "--runs", "3", "--format", "json"]).stdout);
    assert!(drawn.contains("\"campaign_seed\":\"0x5\"") && !drawn.contains("\"seeds\":\""), "{drawn}");
}

#[test]
fn the_small_commands_print_what_they_should() {
    let out = |arguments: &[&str]| text(&seaworthy(arguments).stdout);
    assert_eq!(
        out(&["schema"]),
        std::fs::read_to_string(root().join("scenarios/scenario.schema.json")).expect("it is there")
    );
    assert!(out(&["list"]).contains("leader_disconnect_reconnect_5.json"));
    assert!(out(&["completions", "bash"]).contains("_seaworthy"));
    assert!(out(&["man"]).contains(".TH"));
    assert!(out(&["--version"]).starts_with("seaworthy "));
    assert!(out(&["--help"]).contains("EXIT CODES"));
    assert!(out(&["-q", "run", STORY]).is_empty(), "quiet says nothing of what went well");
}

/// As what a shell makes of `<(command)`: who opens it again has lost what was in it, or waits for ever. Not every time, so
/// it is tried often enough.
#[cfg(target_os = "linux")]
#[test]
fn a_scenario_is_read_from_a_pipe_as_from_a_file() {
    let pipe = temporary("pipe.json");
    let script = r#"for i in $(seq 30); do
        rm -f "$1" && mkfifo "$1" || exit 1
        cat "$2" >"$1" &
        timeout 30 "$0" check "$1" || exit 1
    done"#;
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", script]).arg(program().get_program()).arg(&pipe).arg(root().join(STORY));
    let output = shell.output().expect("there is a shell");
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(text(&output.stdout).matches("leader_disconnect_reconnect_5").count(), 30);
    let capsule = std::fs::read_dir(root().join("tests/capsules")).expect("there are some").next();
    let capsule = capsule.expect("there is one").expect("it can be read").path();
    let mut shell = std::process::Command::new("sh");
    let script = r#"cat "$1" | "$0" run /dev/stdin"#;
    shell.args(["-c", script]).arg(program().get_program()).arg(capsule);
    let output = shell.output().expect("there is a shell");
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("this is a capsule"), "{}", text(&output.stderr));
    let mut shell = std::process::Command::new("sh");
    let script = r#"printf '{ "name": "\377" }' | "$0" check /dev/stdin"#;
    let output = shell.args(["-c", script]).arg(program().get_program()).output().expect("there is a shell");
    assert_eq!(output.status.code(), Some(3));
    let told = text(&output.stderr);
    assert!(told.contains("not UTF-8: byte 0xff at offset 11") && told.contains("/dev/stdin:1:12"), "{told}");
}

#[test]
fn colour_is_a_choice() {
    assert!(text(&seaworthy(&["--color", "always", "run", STORY]).stdout).contains('\x1b'));
    assert!(!text(&seaworthy(&["--color", "never", "run", STORY]).stdout).contains('\x1b'));
}
