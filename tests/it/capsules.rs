//! Capsules as a person meets them: found, had again, made short, told, and kept as a suite.

use crate::support::{program, text};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Output;

fn seaworthy(arguments: &[&str]) -> Output {
    program().args(arguments).output().expect("the program starts")
}

/// A folder that nobody else has, and that is not there yet.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("capsules").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

fn word(path: &Path) -> &str {
    path.to_str().expect("paths of tests are text")
}

#[track_caller]
fn expect(arguments: &[&str], code: i32, told: &str) -> String {
    let output = seaworthy(arguments);
    let (out, error) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {out}{error}");
    assert!(out.contains(told) || error.contains(told), "{arguments:?}: {told:?} is not in {out}{error}");
    out
}

/// The one capsule that a campaign writes.
#[cfg(feature = "mutations")]
fn found(name: &str, bug: &str, more: &[&str]) -> (PathBuf, String) {
    let folder = folder(name);
    let mut arguments = vec!["fuzz", "--seed", "7", "--runs", "2000", "--mutation", bug];
    arguments.extend(["--capsules", word(&folder)]);
    arguments.extend(more);
    let out = expect(&arguments, 1, "capsule");
    let files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("it was made")
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    assert_eq!(files.len(), 1, "{files:?}");
    (files[0].clone(), out)
}

#[cfg(feature = "mutations")]
#[test]
fn what_a_campaign_finds_is_had_again_told_and_made_short() {
    let (path, out) = found("whole", "truncate_on_any_append", &[]);
    assert!(out.contains(&format!("capsule: {}", word(&path))), "{out}");
    assert!(out.contains("story: ") && out.contains("1-minimal"), "{out}");
    let capsule = word(&path);
    expect(&["replay", capsule], 1, "reproduced: the digest is the one in the capsule");
    expect(&["replay", capsule, "--nearly"], 1, "still fails, by nearest match");
    let told = expect(&["explain", capsule], 0, "Here, at ");
    for part in [
        "   1. ",
        "The rule that this breaks, no_truncation_below_commit: No node removes",
        "hears from",
        "How it came nearer in the whole run",
        " of 24",
        "inevitable ",
    ] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
    // Where a seed means something else by now, the whole run is another one, and tells nothing of this failure.
    let mut other: Value =
        serde_json::from_str(&std::fs::read_to_string(&path).expect("it is there")).expect("JSON");
    other["seed"] = "0x1".into();
    other["scenario"]["steps"] = serde_json::json!([]);
    let beside = path.parent().expect("it is in a folder").with_file_name("whole_other.json");
    std::fs::write(&beside, other.to_string()).expect("the folder can be written");
    let of_story = expect(&["explain", word(&beside)], 0, "Here, at ");
    assert!(!of_story.contains("How it came nearer"), "{of_story}");
    let before = std::fs::read_to_string(&path).expect("it is there");
    let story = path.with_file_name("story.json");
    expect(&["shrink", capsule, "--save", word(&story)], 0, "other events, of ");
    assert_eq!(std::fs::read_to_string(&path).expect("it is there"), before, "what was short stays as it is");
    expect(&["run", word(&story)], 0, "PASS shrunk_no_truncation_below_commit");
    assert_eq!(
        std::fs::read_to_string(&story).expect("it is there"),
        expect(&["shrink", capsule], 0, "found in "),
        "printed as it is saved"
    );
    std::fs::remove_file(&story).expect("it is there");
    let suite = word(path.parent().expect("it is in a folder"));
    expect(&["regress", suite], 0, "1 capsules, 0 not as they should be");
    let document: Value =
        serde_json::from_str(&expect(&["regress", suite, "--format", "json"], 0, "reproduced"))
            .expect("JSON");
    assert_eq!(document["failed"], 0);
    assert_eq!(document["capsules"][0]["as_it_should"], true);
    assert_eq!(document["capsules"][0]["capsule"]["story"]["one_minimal"], true);
}

#[cfg(feature = "mutations")]
#[test]
fn a_suite_tells_what_is_mended_what_is_not_and_what_is_broken() {
    let (path, _) = found("suite", "vote_not_persisted", &["--no-shrink"]);
    let suite = path.parent().expect("it is in a folder");
    let whole = std::fs::read_to_string(&path).expect("it is there");
    assert!(!whole.contains("\"story\""), "nobody asked for one");
    let mut capsule: Value = serde_json::from_str(&whole).expect("JSON");
    let write = |name: &str, capsule: &Value| {
        std::fs::write(suite.join(name), capsule.to_string()).expect("the folder can be written");
    };
    // As if it were no planted bug, and a later build had mended it.
    capsule["scenario"].as_object_mut().expect("an object").remove("mutation");
    write("mended.json", &capsule);
    expect(&["regress", word(suite)], 0, "2 capsules, 0 not as they should be");
    expect(&["replay", word(&suite.join("mended.json"))], 5, "not reproduced");
    capsule["sim_version"] = 1.into();
    write("mended.json", &capsule);
    expect(&["regress", word(suite)], 0, "ok   ");
    expect(&["replay", word(&suite.join("mended.json"))], 0, "fixed: everything could be done");
    // A planted bug that is not met any more.
    capsule = serde_json::from_str(&whole).expect("JSON");
    capsule["digest"] = Value::from(whole.split("\"digest\": \"").nth(1).expect("a digest")[..1].repeat(16));
    write("other.json", &capsule);
    expect(&["replay", word(&suite.join("other.json"))], 5, "not reproduced");
    expect(&["regress", word(suite)], 5, "3 capsules, 1 not as they should be");
    write("nonsense.json", &Value::from("x"));
    let out =
        expect(&["regress", word(suite)], 3, "3 capsules, 1 not as they should be; 1 that cannot be judged");
    assert_eq!(out.matches("FAIL ").count(), 2, "{out}");
    assert!(out.contains("this is no capsule"), "{out}");
}

/// The regression suite of the repository.
#[cfg(feature = "mutations")]
#[test]
fn what_was_found_once_is_had_again_and_still_fails_where_seeds_mean_something_else() {
    use seaworthy::capsule::{Answer, Capsule};
    let suite = crate::support::root().join("tests/capsules");
    expect(&["regress", "tests/capsules"], 0, "0 not as they should be");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(suite)
        .expect("it is in the repository")
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    paths.sort();
    assert!(paths.len() >= 14);
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("it can be read");
        let mut capsule = Capsule::parse(&text).expect("it is a capsule");
        assert_eq!(capsule.to_json(), text, "{}", path.display());
        capsule.sim_version = 1;
        let replayed = capsule.replay().expect("the build has the bug");
        assert_eq!(replayed.answer, Answer::StillFails, "{}", path.display());
    }
}

#[cfg(feature = "mutations")]
#[test]
fn a_campaign_writes_no_capsule_that_nobody_wants_and_tells_what_it_found_where_it_cannot() {
    let folder = folder("none");
    let fuzz = ["fuzz", "--seed", "7", "--runs", "99", "--mutation", "vote_not_persisted"];
    let with = |more: &[&'static str]| fuzz.iter().chain(more).copied().collect::<Vec<_>>();
    let out = expect(&with(&["--no-capsule"]), 1, "durable_vote");
    assert!(!out.contains("capsule") && !folder.exists());
    expect(&with(&["--no-capsule", "--capsules", "x"]), 2, "cannot be used with");
    if cfg!(target_os = "linux") {
        let out = expect(&with(&["--capsules", "/dev/null/x"]), 3, "/dev/null/x");
        assert!(out.contains("durable_vote"), "what was found is told all the same: {out}");
        assert!(out.contains("\"name\": \"shrunk_durable_vote\""), "and its story: {out}");
        let out = fuzz
            .iter()
            .chain(&["--capsules", "/dev/null/x", "--format", "json"])
            .copied()
            .collect::<Vec<_>>();
        let out = seaworthy(&out);
        assert_eq!(out.status.code(), Some(3));
        let document: Value = serde_json::from_slice(&out.stdout).expect("JSON");
        let capsule = &document["runs"][0]["capsule"];
        assert_eq!(capsule["file"], Value::Null);
        assert_eq!(
            capsule["story"]["scenario"]["name"], "shrunk_durable_vote",
            "its story is there: {capsule}"
        );
    }
    let json = expect(&with(&["--no-capsule", "--format", "json"]), 1, "durable_vote");
    let document: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(document["runs"][0]["capsule"], Value::Null);
}

#[cfg(feature = "mutations")]
#[test]
fn a_scenario_that_fails_is_made_short_as_it_is() {
    let witness = "scenarios/mutations/prior_term_commit_by_counting.json";
    let out = expect(&["shrink", witness], 0, "commit_legality");
    assert!(out.contains("\"expect\": { \"violation\": \"commit_legality\" }"), "{out}");
    assert_eq!(out, expect(&["shrink", witness], 0, "1-minimal"), "twice the same");
}

#[test]
fn what_cannot_be_made_short_or_had_again_says_why() {
    let story = "scenarios/leader_disconnect_reconnect_5.json";
    expect(&["shrink", story, "--seed", "3"], 5, "nothing breaks in it with seed 0x3");
    expect(&["shrink", "no_such.json"], 3, "no_such.json: No such file");
    expect(&["replay", "./no_such.json"], 3, "no_such.json: No such file");
    expect(&["replay", story], 3, "this is a scenario: `run` carries it out");
    expect(&["explain", story], 3, "this is a scenario");
    expect(&["regress", story], 3, "this is a scenario");
    expect(&["replay", "./Cargo.toml"], 3, "this is no capsule: ");
    expect(&["replay", "nonsense"], 2, "a capsule is named by its path, such as ./failure.json");
    expect(&["replay", "5", "--nearly"], 2, "--nearly belongs to a capsule");
    expect(&["replay", "./x.json", "--digest", "0000000000000000"], 2, "belong to a seed");
    expect(&["regress", "src/view"], 4, "no capsules in src/view (*.json");
    expect(&["regress"], 2, "required");
    if cfg!(target_os = "linux") {
        expect(&["shrink", "/dev/zero"], 3, "/dev/zero");
    }
}

#[cfg(feature = "mutations")]
#[test]
fn a_capsule_that_contradicts_itself_is_none_and_one_of_something_else_stays_as_it_is() {
    let (path, _) = found("twisted", "vote_not_persisted", &["--no-shrink"]);
    let whole = std::fs::read_to_string(&path).expect("it is there");
    let twisted = path.with_file_name("twisted.json");
    let write = |text: String| std::fs::write(&twisted, text).expect("the folder can be written");
    write(whole.replacen("\"signature\": \"", "\"signature\": \"not ", 1));
    expect(&["replay", word(&twisted)], 3, "its `signature` is not that of its `violation`");
    // Another bug breaks something else.
    let other =
        whole.replace("\"mutation\": \"vote_not_persisted\"", "\"mutation\": \"candidacy_not_persisted\"");
    assert_ne!(other, whole);
    write(other.clone());
    expect(&["shrink", word(&twisted)], 5, "no story was found");
    assert_eq!(std::fs::read_to_string(&twisted).expect("it is there"), other);
    let mut short: Value = serde_json::from_str(&whole).expect("JSON");
    short["events_max"] = 1.into();
    write(short.to_string());
    expect(&["replay", word(&twisted), "--nearly"], 5, "no longer possible");
}

/// As if somebody had written another violation into it: replay says so, as explain does.
#[cfg(feature = "mutations")]
#[test]
fn a_run_that_breaks_something_else_than_its_capsule_says_is_not_called_reproduced() {
    let (path, _) = found("edited", "vote_not_persisted", &["--no-shrink"]);
    let whole = std::fs::read_to_string(&path).expect("it is there");
    let mut capsule: Value = serde_json::from_str(&whole).expect("JSON");
    let signature = capsule["signature"].as_str().expect("a text").replace("durable_vote: ", "no_panic: ");
    capsule["violation"]["property"] = "no_panic".into();
    capsule["signature"] = signature.into();
    std::fs::write(&path, capsule.to_string()).expect("it can be written");
    expect(&["replay", word(&path)], 5, "what breaks in it or in its story is not what the capsule says");
    expect(&["regress", word(&path)], 5, "1 capsules, 1 not as they should be");
    expect(&["explain", word(&path)], 5, "what breaks in it or in its story is not what the capsule says");
}

/// What only tells of the run is held against it too.
#[cfg(feature = "mutations")]
#[test]
fn a_capsule_that_somebody_has_edited_is_not_called_reproduced() {
    type Edit = (&'static str, fn(&mut Value));
    let (path, _) = found("touched", "vote_not_persisted", &[]);
    let whole = std::fs::read_to_string(&path).expect("it is there");
    let edits: [Edit; 5] = [
        ("violation", |capsule| capsule["violation"]["record"] = 7.into()),
        ("size", |capsule| capsule["size"]["deliveries"] = 7.into()),
        ("schedule", |capsule| drop(capsule["schedule"].as_array_mut().expect("a list").pop())),
        ("story.violation", |capsule| capsule["story"]["violation"]["record"] = 7.into()),
        ("story.size", |capsule| capsule["story"]["size"]["externals"] = 77.into()),
    ];
    for (field, edit) in edits {
        let mut capsule: Value = serde_json::from_str(&whole).expect("JSON");
        edit(&mut capsule);
        std::fs::write(&path, capsule.to_string()).expect("it can be written");
        expect(&["replay", word(&path)], 5, &format!("the `{field}` in the capsule is not its own"));
        expect(&["regress", word(&path)], 5, "1 not as they should be");
        let told =
            expect(&["explain", word(&path)], 5, &format!("the `{field}` in the capsule is not its own"));
        assert_eq!(told, "");
        // What is wrong with a story is mended by another one.
        let is_of_run = !field.contains('.');
        if is_of_run {
            expect(&["shrink", word(&path)], 5, &format!("the `{field}` in the capsule is not its own"));
        }
    }
    let strange: [Edit; 2] = [
        ("violation", |capsule| capsule["violation"]["strange"] = 7.into()),
        ("story.violation", |capsule| capsule["story"]["violation"]["strange"] = 7.into()),
    ];
    for (place, edit) in strange {
        let mut capsule: Value = serde_json::from_str(&whole).expect("JSON");
        edit(&mut capsule);
        std::fs::write(&path, capsule.to_string()).expect("it can be written");
        expect(&["replay", word(&path)], 3, &format!("this is no capsule: {place}: unknown field `strange`"));
    }
    // Some editors put a mark before what they write.
    std::fs::write(&path, format!("\u{feff}{whole}")).expect("it can be written");
    expect(&["replay", word(&path)], 1, "reproduced");
    expect(&["run", word(&path)], 3, "this is a capsule: `replay` has its failure again");
    expect(&["check", word(&path)], 3, "this is a capsule");
    expect(&["replay", word(&path), "--strategy", "swarm"], 2, "--strategy");
    let beside = path.with_extension("json.tmp");
    std::fs::write(&path, &whole).expect("it can be written");
    std::fs::write(&beside, "somebody's own").expect("it can be written");
    expect(&["shrink", word(&path)], 0, "1-minimal");
    assert_eq!(std::fs::read_to_string(&beside).expect("it is there"), "somebody's own");
    let files = std::fs::read_dir(path.parent().expect("it is in a folder")).expect("it can be read");
    assert_eq!(files.count(), 2, "nothing else is left");
}

/// Whoever opens it waits for somebody to write.
#[cfg(unix)]
#[test]
fn a_pipe_in_a_folder_is_no_file_of_it() {
    let folder = folder("pipe");
    std::fs::create_dir_all(&folder).expect("it can be made");
    let pipe = folder.join("pipe.json");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("the system can make pipes");
    assert!(made.success());
    expect(&["regress", word(&folder)], 4, "no capsules in");
    expect(&["check", word(&folder)], 4, "no scenario files in");
    std::os::unix::fs::symlink("no_such.json", folder.join("link.json")).expect("links can be made");
    expect(&["check", word(&folder)], 3, "link.json: No such file");
}

#[cfg(all(feature = "mutations", unix))]
#[test]
fn a_story_is_not_lost_where_it_cannot_be_saved() {
    let (path, _) = found("unsaved", "vote_not_persisted", &["--no-shrink"]);
    let whole = std::fs::read_to_string(&path).expect("it is there");
    expect(&["shrink", word(&path), "--save", word(&path)], 2, "--save is where the story goes");
    assert_eq!(std::fs::read_to_string(&path).expect("it is there"), whole, "nothing was done");
    let nowhere = path.with_file_name("no_such_folder").join("story.json");
    let told = expect(&["shrink", word(&path), "--save", word(&nowhere)], 3, "No such file");
    assert!(told.contains("\"name\": \"shrunk_durable_vote\""), "it is printed: {told}");
    let kept = std::fs::read_to_string(&path).expect("it is there");
    assert!(kept.contains("\"story\""), "the capsule has it all the same");
    // There is no longer name, and what is written beside it has a shorter one.
    let long = path.with_file_name(format!("{}.json", "a".repeat(250)));
    std::fs::write(&long, &whole).expect("it can be written");
    expect(&["shrink", word(&long)], 0, "1-minimal");
    assert_eq!(std::fs::read_to_string(&long).expect("it is there"), kept);
    let stuck = path.with_file_name("stuck.json");
    std::fs::write(&stuck, &whole).expect("it can be written");
    let mut permissions = std::fs::metadata(&stuck).expect("it is there").permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&stuck, permissions).expect("it is ours");
    let told = expect(&["shrink", word(&stuck)], 3, "stuck.json: it may only be read");
    assert!(told.contains("\"name\": \"shrunk_durable_vote\""), "it is printed: {told}");
    assert_eq!(std::fs::read_to_string(&stuck).expect("it is there"), whole);
    // As after a hundred programs that were killed in the midst of it.
    let crowded = path.with_file_name("crowded.json");
    std::fs::write(&crowded, &whole).expect("it can be written");
    for number in 0..=100 {
        let end = if number == 0 { ".tmp".to_string() } else { format!(".{number}.tmp") };
        std::fs::write(path.with_file_name(format!("crowded.json{end}")), "").expect("it can be written");
    }
    let told = expect(&["shrink", word(&crowded)], 3, "crowded.json.100.tmp beside it: File exists");
    assert!(told.contains("\"name\": \"shrunk_durable_vote\""), "it is printed: {told}");
    // The folder of the file is not that of the story.
    let witness = "scenarios/mutations/vote_not_persisted.json";
    assert!(
        std::fs::read_to_string(crate::support::root().join(witness))
            .expect("it is there")
            .contains("$schema")
    );
    let story = expect(&["shrink", witness], 0, "shrunk_durable_vote");
    assert!(!story.contains("$schema"), "{story}");
}

#[cfg(all(feature = "mutations", unix))]
#[test]
fn what_is_written_follows_links_and_keeps_who_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder("links");
    std::fs::create_dir_all(&folder).expect("it can be made");
    let (target, link) = (folder.join("target.json"), folder.join("link.json"));
    std::fs::write(&target, "old").expect("it can be written");
    std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o600)).expect("it is ours");
    std::os::unix::fs::symlink("target.json", &link).expect("links can be made");
    let witness = "scenarios/mutations/vote_not_persisted.json";
    expect(&["shrink", witness, "--save", word(&link)], 0, "the story is in");
    assert!(std::fs::symlink_metadata(&link).expect("it is there").is_symlink());
    assert!(std::fs::read_to_string(&target).expect("it is there").contains("shrunk_durable_vote"));
    assert_eq!(std::fs::metadata(&target).expect("it is there").permissions().mode() & 0o777, 0o600);
    let fifo = folder.join("device");
    std::os::unix::fs::symlink("/dev/null", &fifo).expect("links can be made");
    expect(&["shrink", witness, "--save", word(&fifo)], 0, "the story is in");
    assert!(!std::fs::metadata("/dev/null").expect("it is there").is_file(), "a device stays one");
}

/// It is printed there, and nothing is waited for.
#[cfg(all(feature = "mutations", unix))]
#[test]
fn the_story_of_a_capsule_from_a_pipe_is_printed_and_not_written() {
    let (path, _) = found("piped", "vote_not_persisted", &["--no-shrink"]);
    let whole = std::fs::read_to_string(&path).expect("it is there");
    let pipe = path.with_file_name("pipe");
    let script = r#"mkfifo "$2" && { cat "$1" > "$2" & timeout 60 "$0" shrink "$2"; }"#;
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", script]).arg(program().get_program()).arg(&path).arg(&pipe);
    let output = shell.output().expect("there is a shell");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("\"name\": \"shrunk_durable_vote\""), "{}", text(&output.stdout));
    assert_eq!(std::fs::read_to_string(&path).expect("it is there"), whole);
}

/// Where disks are all that there is to a story, its sentences begin with them.
#[cfg(feature = "mutations")]
#[test]
fn a_story_of_disks_says_what_is_on_them() {
    let (path, _) = found("disks", "pre_vote_not_refused", &[]);
    let told = expect(&["explain", word(&path)], 0, "asking other futures");
    let begins: Vec<&str> = told.lines().take_while(|line| !line.contains("end: heal")).collect();
    let begin = [
        "   1.       0.000s  0 begins in term 1 with a log up to 1.",
        "   2.       0.000s  1 begins in term 3.",
    ];
    assert_eq!(begins, begin);
}

/// Of a run that is another one by now, or too long to have a thousand futures, nothing is told but its story.
#[cfg(feature = "mutations")]
#[test]
fn what_cannot_be_asked_since_when_it_was_inevitable_says_why() {
    let (path, _) = found("when", "vote_not_persisted", &["--no-shrink"]);
    expect(&["explain", word(&path)], 0, "asking other futures since when");
    let mut capsule: Value =
        serde_json::from_str(&std::fs::read_to_string(&path).expect("it is there")).expect("JSON");
    capsule["digest"] = "0123456789abcdef".into();
    std::fs::write(&path, capsule.to_string()).expect("it can be written");
    let told = expect(&["explain", word(&path)], 0, "the run itself is another one in this build");
    assert!(!told.contains("inevitable since"), "{told}");
    expect(&["shrink", word(&path)], 0, "the run is another one than the capsule says");
    let folder = path.parent().expect("it is in a folder");
    let scenario = folder.join("long.json");
    let text = r#"{ "name": "long", "nodes": 3, "steps": [{ "sleep": "200s" }, { "assert": "no_leader" }] }"#;
    std::fs::write(&scenario, text).expect("it can be written");
    let long = folder.join("long");
    let out = expect(
        &["fuzz", word(&scenario), "--seeds", "0..1", "--no-shrink", "--capsules", word(&long)],
        1,
        "expectation",
    );
    let capsule = out.lines().find_map(|line| line.strip_prefix("capsule: ")).expect("there is one");
    expect(&["explain", capsule], 0, "the run is too long to be asked since when this was inevitable");
}

#[cfg(feature = "mutations")]
#[test]
fn a_capsule_of_a_deep_scenario_can_be_read() {
    let folder = folder("deep");
    std::fs::create_dir_all(&folder).expect("it can be made");
    let file = folder.join("deep.json");
    let mut step = r#"{ "tick": { "nodes": 0, "timer": "election" } }"#.to_string();
    for _ in 0..20 {
        step = format!(r#"{{ "repeat": {{ "times": 1, "steps": [{step}] }} }}"#);
    }
    let text = format!(
        r#"{{ "name": "deep", "nodes": 3, "mutation": "vote_not_persisted", "steps": [{step}, {{ "sleep": "1s" }}] }}"#
    );
    std::fs::write(&file, text).expect("it can be written");
    let capsules = folder.join("found");
    expect(
        &["fuzz", word(&file), "--runs", "3", "--seed", "1", "--capsules", word(&capsules)],
        1,
        "capsule: ",
    );
    expect(&["regress", word(&capsules)], 0, "0 not as they should be");
}
