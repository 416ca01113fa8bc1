//! What a history file can say, and what is said of a bad one.

use crate::linear::history::{Action, History, Outcome};
use crate::linear::model::Model;

fn read(lines: &[&str]) -> History {
    History::parse("test", lines.join("\n").as_bytes(), &Model::kv())
        .unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn wrong(model: &Model, lines: &[&str], place: (usize, usize), message: &str) {
    let error = History::parse("test", lines.join("\n").as_bytes(), model).expect_err("it is wrong");
    assert_eq!((error.line(), error.column(), error.message()), (place.0, place.1, message));
    assert!(error.render(false, 100).contains(&format!("[test:{}:{}]", place.0, place.1)));
}

const PUT: &str = r#"{"process": 1, "type": "invoke", "op": "put", "key": "x", "value": 1}"#;
const CAS: &str = r#"{"process": 1, "type": "invoke", "op": "cas", "key": "x", "value": [1, 2]}"#;
const GET: &str = r#"{"process": 1, "type": "invoke", "op": "get", "key": "x"}"#;

#[test]
fn every_action_and_outcome_can_be_written() {
    let history = read(&[
        "\u{feff}// comments and empty lines are skipped",
        "",
        PUT,
        r#"{"process": 1, "type": "ok", "op": "put", "key": "x", "value": 1}"#,
        CAS,
        r#"{"process": 1, "type": "ok"}"#,
        CAS,
        r#"{"process": 1, "type": "fail", "seen": null}"#,
        CAS,
        r#"{"process": 1, "type": "fail", "error": "no leader"}"#,
        r#"{"process": 1, "type": ":invoke", "f": ":read", "key": 7, "value": null, "time": 5}"#,
        r#"{"process": 1, "type": "ok", "value": [1, "a\"", null], "time": "6"}"#,
        r#"{"process": 1, "type": "invoke", "op": "append", "key": "x", "value": "\u00e9"}"#,
        r#"{"process": 2, "type": "invoke", "op": "delete", "key": "x"}"#,
        r#"{"process": 1, "type": "info"}"#,
    ]);
    let told: Vec<(&str, &Outcome)> =
        history.operations().iter().map(|operation| (operation.action.name(), &operation.outcome)).collect();
    let list = Outcome::Read(Some(r#"1,"a\"",null,"#.into()));
    assert_eq!(
        told,
        [
            ("put", &Outcome::Done),
            ("cas", &Outcome::Done),
            ("cas", &Outcome::Mismatch(None)),
            ("cas", &Outcome::Failed),
            ("get", &list),
            ("append", &Outcome::Unknown),
            ("delete", &Outcome::Unknown),
        ]
    );
    let get = &history.operations()[4];
    assert_eq!((get.key.clone(), get.call.number, get.call.at.nanos()), ("7".into(), 11, 5));
    assert_eq!(get.end.map(|end| (end.number, end.at.nanos())), Some((12, 6)));
    assert_eq!(history.operations()[5].action, Action::Append("é".into()));
}

#[test]
fn a_bad_line_is_told_with_what_was_found_and_what_was_expected() {
    for (line, column, message) in [
        ("[]", 1, "found `[`: expected an event, {\"process\": …, \"type\": …}"),
        (
            r#"{"process": 1"#,
            14,
            "found the end of the line: expected a comma or the closing brace of the event",
        ),
        (r#"{"process": 1} {}"#, 16, "found `{`: expected the end of the line: one event a line"),
        (r#"{"process": 1, "type""#, 22, "found the end of the line: expected a colon"),
        (r#"{"process": 1, 7"#, 16, "found `7`: expected a field name in quotes"),
        (r#"{"é": 1, "process" 1}"#, 20, "found `1`: expected a colon"),
        (
            r#"{"process": 1, "process": 2}"#,
            16,
            "`process` stands twice in this event: expected every field once",
        ),
        (r#"{"type": "ok"}"#, 14, "found no `process`: expected the field `process` in this event"),
        (r#"{"process": 1}"#, 14, "found no `type`: expected the field `type` in this event"),
        (
            r#"{"process": -1, "type": "ok"}"#,
            13,
            "found the number -1: expected the id of a process, a whole number",
        ),
        (
            r#"{"process": 1.5, "type": "ok"}"#,
            13,
            "found the number 1.5: expected the id of a process, a whole number",
        ),
        (r#"{"process": 01}"#, 13, "found `01`: expected text in quotes, a whole number, a list or null"),
        (
            r#"{"process": {}, "type": "ok"}"#,
            13,
            "found an object: expected the id of a process, a whole number",
        ),
        (
            r#"{"error": {"é": [}]}"#,
            18,
            "found `}`: expected text in quotes, a number, true, false, null, a list or an object",
        ),
        (
            r#"{"error": {"a": 1"#,
            18,
            "found the end of the line: expected a comma or the closing brace of the object",
        ),
        (r#"{"error": {"a" 1}}"#, 16, "found `1`: expected a colon"),
        (r#"{"error": {"a": 1,}}"#, 19, "found `}`: expected a field name in quotes"),
        (r#"{"error": {"a": [1 2]}}"#, 20, "found `2`: expected a comma or the closing bracket of the list"),
        (
            r#"{"error": {"a": [1, 01]}}"#,
            21,
            "found `01`: expected text in quotes, a number, true, false, null, a list or an object",
        ),
        (
            r#"{"error": {"a": "\u12x4"}}"#,
            17,
            "found an escape that JSON does not have: expected one such as \\n, \\\" or \\u00e9",
        ),
        (
            "{\"error\": {\"é\": [\"ab\u{1}c\"]}}",
            21,
            "found the control character U+0001 in a text: expected it escaped, \\u0001",
        ),
        (
            "{\"error\": {\"a\tb\": 1}}",
            14,
            "found the control character U+0009 in a text: expected it escaped, \\u0009",
        ),
        (
            r#"{"process": 1, "type": "invoke", "op": "put", "key": 1, "value": [[1]]}"#,
            67,
            "found a list of 1: expected text or a whole number in a list",
        ),
        (
            r#"{"process": 1, "type": "invoke", "op": "put", "key": 1, "value": {"a": 1}}"#,
            66,
            "found an object: expected text, a whole number, a list or null",
        ),
        (r#"{"value": "abc}"#, 11, "found a text without an end: expected a closing `\"` on the same line"),
        (
            r#"{"value": "\x"}"#,
            11,
            "found an escape that JSON does not have: expected one such as \\n, \\\" or \\u00e9",
        ),
        ("{\"a\0\": 1}", 4, "found the control character U+0000 in a text: expected it escaped, \\u0000"),
        (
            r#"{"process": 1, "type": "okay"}"#,
            24,
            "found the type `okay`: expected one of invoke, ok, fail, info",
        ),
        (r#"{"process": 1, "type": 3}"#, 24, "found the number 3: expected a type: invoke, ok, fail, info"),
        (
            r#"{"process": 1, "sen": 3}"#,
            16,
            "found the unknown field `sen`: expected one of process, type, op, key, value, seen, time",
        ),
        (r#"{"process": 1, "op": "get", "f": "get"}"#, 29, "found both `f` and `op`: expected one of them"),
    ] {
        wrong(&Model::kv(), &["", line], (2, column), message);
    }
}

#[test]
fn an_event_that_lacks_something_or_has_too_much_is_told() {
    let call = |rest: &str| format!(r#"{{"process": 1, "type": "invoke"{rest}}}"#);
    for (rest, column, message) in [
        (r#", "key": 1"#, 42, "found no `op`: expected the field `op`, for this is a call"),
        (r#", "op": "get""#, 1, "found no `key`: expected the field `key` here"),
        (r#", "op": "put", "key": 1"#, 55, "found no `value`: expected the field `value`, what to put"),
        (
            r#", "op": "put", "key": 1, "value": null"#,
            66,
            "found null: expected a value, text or a number or a list (to make a key absent is `delete`)",
        ),
        (
            r#", "op": "cas", "key": 1, "value": 3"#,
            66,
            "found the number 3: expected a list of two, [expected, new]",
        ),
        (
            r#", "op": "cas", "key": 1, "value": [1]"#,
            66,
            "found a list of 1: expected a list of two, [expected, new]",
        ),
        (
            r#", "op": "get", "key": 1, "value": 3"#,
            66,
            "found the number 3: expected no value: get is called without one",
        ),
        (
            r#", "op": "get", "key": 1, "seen": 3"#,
            65,
            "found `seen`: expected it only where a cas fails, as what it saw instead",
        ),
    ] {
        wrong(&Model::kv(), &[&call(rest)], (1, column), message);
    }
}

#[test]
fn a_return_must_fit_its_call() {
    for (call, end, column, message) in [
        (
            GET,
            r#"{"process": 2, "type": "ok"}"#,
            13,
            "process 2 returns without a call: expected a call before",
        ),
        (
            GET,
            r#"{"process": 1, "type": "ok"}"#,
            28,
            "found no `value`: expected the field `value`, what was read (null if the key is absent)",
        ),
        (GET, PUT, 13, "process 1 has called already (#1): expected that call to return first"),
        (
            PUT,
            r#"{"process": 1, "type": "ok", "op": "get"}"#,
            36,
            "found the end of a get: expected that of the call on line 1, put 1",
        ),
        (
            PUT,
            r#"{"process": 1, "type": "ok", "key": "y"}"#,
            37,
            "found the key \"y\": expected \"x\" as in the call on line 1",
        ),
        (
            PUT,
            r#"{"process": 1, "type": "ok", "value": 2}"#,
            39,
            "found the number 2: expected nothing, or the value of the call on line 1: put 1",
        ),
        (
            PUT,
            r#"{"process": 1, "type": "fail", "seen": 2}"#,
            40,
            "found `seen`: expected it only where a cas fails, as what it saw instead",
        ),
    ] {
        wrong(&Model::kv(), &[call, end], (2, column), message);
    }
}

#[test]
fn a_process_whose_call_is_lost_must_not_come_back() {
    let info = r#"{"process": 1, "type": "info"}"#;
    let message = "the outcome of the call of process 1 (#1) is unknown, so the call never ends: \
                   expected a new process id for what its client does next";
    wrong(&Model::kv(), &[PUT, info, GET], (3, 13), message);
    wrong(&Model::kv(), &[PUT, info, r#"{"process": 1, "type": "ok"}"#], (3, 13), message);
}

#[test]
fn a_register_has_one_key_and_three_actions() {
    let model = Model::register();
    let other = r#"{"process": 2, "type": "invoke", "op": "get", "key": "y"}"#;
    let message = "found the key \"y\": expected \"x\" as on line 1, for a register has one key";
    wrong(&model, &[PUT, other], (2, 54), message);
    let delete = r#"{"process": 2, "type": "invoke", "op": "delete"}"#;
    wrong(&model, &[delete], (1, 40), "found `delete`: expected get, put or cas, for a register has no more");
    let keyless = br#"{"process": 2, "type": "invoke", "op": "read"}"#;
    assert!(History::parse("test", keyless, &model).is_ok());
}

#[test]
fn a_file_that_is_no_text_or_has_no_end_is_told() {
    let told =
        |bytes: &[u8]| History::parse("test", bytes, &Model::kv()).expect_err("it is wrong").to_string();
    assert_eq!(told(b"\n\xff"), "test:2:1: found byte 0xff, which is not UTF-8: expected text in UTF-8");
    let long = "x".repeat(10_000_000);
    assert_eq!(
        told(long.as_bytes()),
        "test:1:1: found a line of 10000000 bytes: expected at most 1048576 (1 MiB)"
    );
    let deep = format!(r#"{{"value": {}"#, "[".repeat(1_000_000));
    assert!(told(deep.as_bytes()).contains("found the end of the line: expected text in quotes, a number"));
    assert!(told(b"// nothing\n").contains("found no event"));
}

#[test]
fn what_nobody_reads_may_hold_anything() {
    let lines = br#"{"process": "nemesis", "type": "info", "f": "start-partition", "value": {"n1": [["n2"], 1.5, {}]}}
{"process": 1, "type": "invoke", "op": "put", "key": "x", "value": 1}
{"process": 1, "type": "ok", "error": {"codes": [1e3, [[[null]]], {"a": "}\ud800", "": [ ]}, { }]}, "comment": -0.5}
"#;
    let history = History::parse("test", lines, &Model::kv()).unwrap();
    assert_eq!(history.operations().len(), 1);
    assert_eq!(history.operations()[0].outcome, Outcome::Done);
}
