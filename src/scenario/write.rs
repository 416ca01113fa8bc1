//! A scenario as a person would write it: what is as usual left out, and each step on a line of its own.

use crate::scenario::{NetworkOptions, RaftOptions, Scenario, StorageOptions};
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use serde_json::{Map, Value};
use std::io;

/// The fields of a file in the order in which they are read best.
const ORDER: [&str; 18] = [
    "name",
    "shows",
    "nodes",
    "seed",
    "mutation",
    "members",
    "down",
    "initial",
    "raft",
    "node_options",
    "network",
    "storage",
    "clocks",
    "workload",
    "pins",
    "steps",
    "end",
    "expect",
];

impl Scenario {
    /// The scenario as a file that is short enough to read: options that are as usual are left out. [`Scenario::parse`] reads
    /// it back.
    ///
    /// # Panics
    ///
    /// Never: every value of a scenario has a JSON form.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut fields = object(self);
        keep_unusual(&mut fields, "raft", &RaftOptions::default());
        keep_unusual(&mut fields, "network", &NetworkOptions::default());
        keep_unusual(&mut fields, "storage", &StorageOptions::default());
        let rest: Vec<String> = fields.keys().filter(|key| !ORDER.contains(&key.as_str())).cloned().collect();
        let mut lines = Vec::new();
        for key in rest.iter().map(String::as_str).chain(ORDER) {
            let Some(value) = fields.get(key) else { continue };
            let told = match value {
                Value::Array(steps) if key == "steps" && !steps.is_empty() => {
                    let steps: Vec<String> =
                        steps.iter().map(|step| format!("    {}", one_line(step))).collect();
                    format!("[\n{}\n  ]", steps.join(",\n"))
                }
                value => one_line(value),
            };
            lines.push(format!("  \"{key}\": {told}"));
        }
        format!("{{\n{}\n}}\n", lines.join(",\n"))
    }
}

fn object(value: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(fields)) => fields,
        other => unreachable!("options are objects, not {other:?}"),
    }
}

/// Leaves of options those that are not as usual, and nothing if there are none.
fn keep_unusual(fields: &mut Map<String, Value>, key: &str, usual: &impl Serialize) {
    let usual = object(usual);
    if let Some(Value::Object(own)) = fields.get_mut(key) {
        own.retain(|key, value| usual.get(key) != Some(value));
        if own.is_empty() {
            fields.remove(key);
        }
    }
}

/// A value on one line, with a space after each comma and colon.
fn one_line(value: &Value) -> String {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, Spaced);
    value.serialize(&mut serializer).expect("a value can be written");
    String::from_utf8(bytes).expect("JSON is UTF-8")
}

struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        writer.write_all(if first { b" " } else { b", " })
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        Ok(())
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b" }")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{draw, run_seed};

    #[test]
    fn what_is_written_short_reads_back_the_same() {
        for index in 0..200 {
            let scenario = draw(run_seed(17, index));
            let text = scenario.to_text();
            let read = Scenario::parse("short", &text).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
            assert_eq!(read, scenario, "{text}");
            assert!(text.len() <= scenario.to_json().len());
        }
    }

    #[test]
    fn each_step_has_a_line_and_what_is_usual_is_left_out() {
        let text = r#"{ "name": "short", "nodes": 3, "raft": { "pre_vote": true }, "steps": [{ "sleep": "1ms" },
            { "crash": 0 }], "end": { "stop": "that is all" } }"#;
        let scenario = Scenario::parse("short", text).unwrap();
        let expected = "{\n  \"name\": \"short\",\n  \"nodes\": 3,\n  \"seed\": \"0x0\",\n  \"raft\": { \"pre_vote\": true },\n  \
                        \"steps\": [\n    { \"sleep\": \"1ms\" },\n    { \"crash\": 0 }\n  ],\n  \
                        \"end\": { \"stop\": \"that is all\" },\n  \"expect\": \"pass\"\n}\n";
        assert_eq!(scenario.to_text(), expected);
    }
}
