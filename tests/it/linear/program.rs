//! `seaworthy check-history` as a person meets it.

use crate::support::{program, root, text};
use serde_json::Value;
use std::io::Write;
use std::process::{Output, Stdio};

fn judge(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = program()
        .current_dir(root().join("tests/histories"))
        .arg("check-history")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // A program that does not read its input to the end may be gone before all is written.
    let _ = child.stdin.take().expect("it is piped").write_all(input);
    child.wait_with_output().expect("the program ends")
}

/// Ends with `code`; returns what is said on standard output and on standard error.
#[track_caller]
fn said(arguments: &[&str], input: &[u8], code: i32) -> (String, String) {
    let output = judge(arguments, input);
    let (out, error) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {out}{error}");
    (out, error)
}

#[test]
fn what_is_linearizable_passes() {
    let (out, _) = said(&["linearizable.ndjson", "late_write.ndjson"], b"", 0);
    assert_eq!(
        out,
        "PASS linearizable.ndjson  linearizable  8 operations on 2 keys\n\
         PASS late_write.ndjson  linearizable  4 operations on 1 key\n"
    );
    let (out, error) = said(&["register.ndjson", "--model", "register"], b"", 0);
    assert_eq!(out, "PASS register.ndjson  linearizable  5 operations on 1 key\n");
    assert!(error.contains("1 failed cas without `seen`"), "{error}");
}

#[test]
fn a_stale_read_is_told_in_a_few_lines() {
    let (out, _) = said(&["stale_read.ndjson"], b"", 1);
    assert_eq!(
        out,
        "FAIL stale_read.ndjson  not linearizable on key \"x\"  3 of 3 operations:\n  \
           process 1  put \"old\"  called #2 at 0.100s  returned #3 at 0.110s  ok\n  \
           process 2  put \"new\"  called #4 at 0.300s  returned #5 at 0.320s  ok\n  \
           process 3  get        called #6 at 0.400s  returned #7 at 0.405s  read \"old\"\n  \
           \"old\" must come before \"new\" (#2 returned before #4 was called), \
         and after it (#4 returned before #6 was called)\n"
    );
}

#[test]
fn a_lost_update_and_a_lost_append_are_told() {
    let (out, _) = said(&["lost_update.ndjson"], b"", 1);
    assert!(out.contains("#4 and #5 both replaced the value of #2, which can be replaced once"), "{out}");
    let (out, _) = said(&["append.ndjson"], b"", 1);
    assert!(out.contains("#8 and #10 tell of different values right before #5"), "{out}");
}

#[test]
fn one_violation_among_many_files_decides_the_code() {
    let (out, _) = said(&["linearizable.ndjson", "stale_read.ndjson", "late_write.ndjson"], b"", 1);
    let words: Vec<&str> =
        out.lines().filter(|line| !line.starts_with(' ')).filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(words, ["PASS", "FAIL", "PASS"]);
}

#[test]
fn programs_get_one_document() {
    let files = ["linearizable.ndjson", "stale_read.ndjson", "--format", "json"];
    let (out, _) = said(&files, b"", 1);
    let document: Value = serde_json::from_str(&out).expect("one JSON document");
    assert_eq!(document["schema_version"], 1);
    let histories = &document["histories"];
    assert_eq!(histories[0]["verdict"], "linearizable");
    let violation = &histories[1]["violation"];
    assert_eq!(violation["key"], "x");
    assert_eq!(violation["operations"][2]["op"], "get");
    assert_eq!(violation["operations"][2]["answer"], "old");
    assert_eq!(violation["operations"][2]["call"], serde_json::json!({ "event": 6, "time_ns": 400_000_000 }));
}

#[test]
fn standard_input_is_a_file_too() {
    let history = std::fs::read(root().join("tests/histories/stale_read.ndjson")).expect("it is there");
    let (out, _) = said(&["-"], &history, 1);
    assert!(out.starts_with("FAIL standard input"), "{out}");
}

#[test]
fn what_a_key_begins_with_can_be_said() {
    let history = br#"{"process": 1, "type": "invoke", "op": "read"}
{"process": 1, "type": "ok", "value": 0}"#;
    said(&["-", "--model", "register"], history, 1);
    said(&["-", "--model", "register", "--initial", "0"], history, 0);
}

#[test]
fn no_verdict_within_the_budget_is_no_pass() {
    // Appends that all overlap, and a get that has lost most of them.
    let mut lines = Vec::new();
    for process in 0..24 {
        let letter = char::from(b'a' + process);
        lines.push(format!(
            r#"{{"process": {process}, "type": "invoke", "op": "append", "key": "x", "value": "{letter}"}}"#
        ));
    }
    // Twice the same value: the zones do not apply.
    lines.push(r#"{"process": 24, "type": "invoke", "op": "append", "key": "x", "value": "a"}"#.to_string());
    lines.extend((0..25).map(|process| format!(r#"{{"process": {process}, "type": "ok"}}"#)));
    lines.push(r#"{"process": 1, "type": "invoke", "op": "get", "key": "x"}"#.to_string());
    lines.push(r#"{"process": 1, "type": "ok", "value": "aab"}"#.to_string());
    let history = lines.join("\n");
    let (out, _) = said(&["-", "--budget", "20000"], history.as_bytes(), 6);
    assert!(out.starts_with("UNDECIDED standard input  no verdict in 2"), "{out}");
    assert!(out.contains("on 1 key: \"x\""), "{out}");
    let (out, _) =
        said(&["-", "--budget", "20000", "--format", "json", "stale_read.ndjson"], history.as_bytes(), 1);
    let document: Value = serde_json::from_str(&out).expect("one JSON document");
    assert_eq!(document["histories"][0]["verdict"], "undecided");
    assert_eq!(document["histories"][0]["undecided_keys"], serde_json::json!(["x"]));
}

#[test]
fn bad_files_end_with_3_and_say_where() {
    let (out, error) = said(&["linearizable.ndjson", "no_such_file.ndjson"], b"", 3);
    assert!(
        out.is_empty() && error.contains("no_such_file.ndjson"),
        "all are read before any is judged: {error}"
    );
    let (_, error) = said(&["-"], b"{\"process\": 1, \"type\": \"invoke\", \"op\": \"pat\"}", 3);
    for part in
        ["standard input:1:40", "found the operation `pat`", "expected one of get, put", "did you mean"]
    {
        assert!(error.contains(part), "{part} is not in {error}");
    }
    for (input, part) in [
        (&b"\xff\xfe"[..], "not UTF-8"),
        (b"\0", "U+0000"),
        (b"", "no event"),
        (&vec![b'['; 10_000_000], "a line of 10000000 bytes"),
    ] {
        let (_, error) = said(&["-"], input, 3);
        assert!(error.contains(part), "{part} is not in {error}");
    }
    said(&["."], b"", 3);
    said(&[], b"", 2);
    said(&["-", "--budget", "0"], b"", 2);
    said(&["-", "--model", "queue"], b"", 2);
}
