//! The committed schema is the one that the types give, and agrees with the reader.

use seaworthy::scenario::{Scenario, schema};
use serde_json::{Value, json};

/// Whether `value` fits `schema`. Knows the keywords that our schema uses and stops at any other, so that none is
/// passed over. Patterns are left to the reader.
fn fits(schema: &Value, value: &Value, root: &Value) -> bool {
    let Some(keywords) = schema.as_object() else {
        return schema.as_bool().expect("a schema is an object or a bool");
    };
    keywords.iter().all(|(keyword, rule)| match keyword.as_str() {
        "$schema" | "$defs" | "title" | "description" | "default" | "format" | "pattern" => true,
        "$ref" => {
            let pointer =
                rule.as_str().and_then(|name| name.strip_prefix('#')).expect("references are local");
            fits(root.pointer(pointer).expect("references lead somewhere"), value, root)
        }
        "type" => match rule {
            Value::Array(types) => types.iter().any(|one| has_type(one, value)),
            one => has_type(one, value),
        },
        "enum" => rule.as_array().expect("a list").contains(value),
        "const" => rule == value,
        "anyOf" => rule.as_array().expect("a list").iter().any(|one| fits(one, value, root)),
        "oneOf" => rule.as_array().expect("a list").iter().filter(|one| fits(one, value, root)).count() == 1,
        "not" => !fits(rule, value, root),
        "required" => value.as_object().is_none_or(|object| {
            rule.as_array()
                .expect("a list")
                .iter()
                .all(|key| object.contains_key(key.as_str().expect("a key")))
        }),
        "properties" => value.as_object().is_none_or(|object| {
            let rules = rule.as_object().expect("an object");
            object.iter().all(|(key, inner)| rules.get(key).is_none_or(|rule| fits(rule, inner, root)))
        }),
        // Each such object of ours has keys of one kind.
        "patternProperties" => value.as_object().is_none_or(|object| {
            let rules = rule.as_object().expect("an object");
            object.values().all(|inner| rules.values().all(|rule| fits(rule, inner, root)))
        }),
        "additionalProperties" => value.as_object().is_none_or(|object| {
            let known = keywords.get("properties").and_then(Value::as_object);
            let is_known = |key: &str| {
                known.is_some_and(|known| known.contains_key(key))
                    || keywords.contains_key("patternProperties")
            };
            object.iter().all(|(key, inner)| is_known(key) || fits(rule, inner, root))
        }),
        "propertyNames" => true,
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| fits(rule, item, root))),
        "prefixItems" => value.as_array().is_none_or(|items| {
            items.iter().zip(rule.as_array().expect("a list")).all(|(item, rule)| fits(rule, item, root))
        }),
        "minItems" => {
            value.as_array().is_none_or(|items| items.len() as u64 >= rule.as_u64().expect("a number"))
        }
        "maxItems" => {
            value.as_array().is_none_or(|items| items.len() as u64 <= rule.as_u64().expect("a number"))
        }
        "minLength" => {
            value.as_str().is_none_or(|text| text.len() as u64 >= rule.as_u64().expect("a number"))
        }
        "maxLength" => {
            value.as_str().is_none_or(|text| text.chars().count() as u64 <= rule.as_u64().expect("a number"))
        }
        "minimum" => value.as_u64().is_none_or(|number| number >= rule.as_u64().expect("a number")),
        "maximum" => value.as_u64().is_none_or(|number| number <= rule.as_u64().expect("a number")),
        other => panic!("this test does not know the keyword `{other}`"),
    })
}

fn has_type(name: &Value, value: &Value) -> bool {
    match name.as_str().expect("a type has a name") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("this test does not know the type `{other}`"),
    }
}

fn is_read(value: &Value) -> bool {
    Scenario::parse("schema.json", &value.to_string()).is_ok()
}

#[test]
fn the_committed_schema_is_the_one_that_the_types_give() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/scenario.schema.json");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    let given = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    let differing = committed.lines().zip(given.lines()).position(|(old, new)| old != new);
    let line = differing.unwrap_or_else(|| committed.lines().count().min(given.lines().count()));
    let at = |text: &str| text.lines().nth(line).unwrap_or("(the end)").to_owned();
    assert!(
        committed == given,
        "scenarios/scenario.schema.json is out of date from line {}:\n- {}\n+ {}\nwrite it anew: cargo run -- schema > \
         scenarios/scenario.schema.json",
        line + 1,
        at(&committed),
        at(&given)
    );
}

#[test]
fn every_field_and_every_word_of_the_schema_is_described() {
    fn undescribed(name: &str, schema: &Value, found: &mut Vec<String>) {
        let properties = schema.get("properties").and_then(Value::as_object);
        for (key, property) in properties.into_iter().flatten() {
            if property.get("description").is_none() && property.get("const").is_none() {
                found.push(format!("{name}.{key}"));
            }
        }
        for part in ["anyOf", "oneOf"].iter().filter_map(|keyword| schema.get(*keyword)?.as_array()).flatten()
        {
            undescribed(name, part, found);
        }
    }
    let schema = schema();
    let mut found = Vec::new();
    undescribed("scenario", &schema, &mut found);
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        undescribed(name, definition, &mut found);
    }
    // The keys of these are the words themselves, described beside them.
    found.retain(|name| {
        !["Step.", "Predicate.", "Pin.", "End.", "Expect.", "Latency.", "Core.", "Operation.", "CallAnswer."]
            .iter()
            .any(|tag| name.starts_with(tag))
    });
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn what_the_reader_takes_the_schema_takes_and_both_refuse_what_is_malformed() {
    let schema = schema();
    let everything = Scenario::parse("everything.json", include_str!("malformed/everything.json")).unwrap();
    let written: Value = serde_json::from_str(&everything.to_json()).unwrap();
    let with_steps = |steps: Value| json!({ "name": "x", "nodes": 5, "steps": steps });
    for good in [
        written,
        json!({ "name": "x", "nodes": 1 }),
        json!({ "$schema": "s", "name": "x", "nodes": 255, "seed": 7, "end": { "live": { "within": "20s" } } }),
        with_steps(json!(["heal", { "heal": {} }, "drop_pending", { "crash": { "nodes": "leader" } }])),
        with_steps(
            json!([{ "assert": "synced" }, { "assert": { "up": 3 } }, { "assert": { "up": { "exactly": 3 } } }]),
        ),
        with_steps(
            json!([{ "hold": { "nodes": "all" } }, { "release": "all" }, { "cut": { "from": 0, "to": [1, 2] } }]),
        ),
        json!({ "name": "x", "nodes": 4, "members": { "voters": [0], "learners": [1] }, "down": [3], "workload": {},
            "initial": { "0": { "term": 3, "vote": 1, "log": [1, { "term": 2, "command": "x" }] } },
            "storage": { "crash": "any", "torn": true, "capacity": 9, "nodes": { "1": { "crash": "lose" } } },
            "clocks": { "2": { "drift": "-2%", "offset": "5s" } }, "end": { "live": { "core": "quorum" } } }),
        json!({ "name": "x", "nodes": 1, "end": { "live": { "core": { "quorum": { "connectivity": "ring" } } } } }),
        with_steps(
            json!(["deliver", "shuffle", "unpin", "leave_joint", "stop", { "stop": "enough" }, { "note": "n" }]),
        ),
        with_steps(
            json!([{ "change": "+4" }, { "change": ["learner +3", "-1"] }, { "change": { "changes": "-leader" } }]),
        ),
        with_steps(
            json!([{ "crash_at": { "node": 0, "operation": "+3" } }, { "crash": { "nodes": 0, "keep": "prefix" } }]),
        ),
        with_steps(
            json!([{ "deliver": { "count": "until_quiet" } }, { "deliver": { "to": 1, "count": 3 } }]),
        ),
        with_steps(json!([{ "call": { "op": { "get": "x" }, "expect": { "value": "1" } } }, "await_clients",
            { "call": { "op": { "cas": { "key": "x", "value": "1" } }, "expect": "mismatch" } },
            { "assert": "clients_done" }, { "hold": { "from": 0, "to": "client caller" } }])),
        with_steps(json!([{ "assert": { "members": { "of": 0, "voters": [0], "outgoing": [] } } },
            { "mark": "m" }, { "assert": { "index": { "of": 0, "which": "base", "at_least": "m", "at_most": 9 } } }])),
        with_steps(
            json!([{ "sleep": ["1ms", "2ms"] }, { "mark": "m" }, { "assert": { "term": { "above": "m" } } }]),
        ),
    ] {
        assert!(fits(&schema, &good, &schema), "the schema refuses {good}");
        assert!(is_read(&good), "the reader refuses {good}");
    }
    for bad in [
        json!([]),
        json!({ "name": "x" }),
        json!({ "name": "x", "nodes": 0 }),
        json!({ "name": "x", "nodes": 3, "nods": 3 }),
        json!({ "name": "x", "nodes": 3, "raft": [] }),
        with_steps(json!([{ "isolte": 0 }])),
        with_steps(json!([{ "isolate": 0, "crash": 0 }])),
        with_steps(json!([{ "isolate": true }])),
        with_steps(json!([{ "cut": { "between": 0, "to": 1 } }])),
        with_steps(json!([{ "hold": { "capture": true } }])),
        with_steps(json!([{ "assert": { "committed": {} } }])),
        with_steps(json!([{ "assert": "committed" }])),
        with_steps(json!([{ "repeat": { "times": 0, "steps": ["heal"] } }])),
        json!({ "name": "x", "nodes": 3, "members": { "voters": [] } }),
        json!({ "name": "x", "nodes": 3, "storage": { "capacity": 0 } }),
        json!({ "name": "x", "nodes": 3, "raft": { "snapshot_chunk": 0 } }),
        json!({ "name": "x", "nodes": 3, "end": { "live": { "core": "ring" } } }),
        json!({ "name": "x", "nodes": 3, "initial": { "0": { "log": [0] } } }),
        json!({ "name": "x", "nodes": 3, "workload": { "clients": 65 } }),
        with_steps(json!([{ "change": [] }])),
        with_steps(json!([{ "deliver": { "count": 0 } }])),
        with_steps(json!([{ "crash_at": { "node": 0, "operation": 0 } }])),
        with_steps(json!([{ "rot": { "nodes": 0, "file": "log", "bits": 9 } }])),
        with_steps(json!([{ "call": { "op": { "get": { "value": "x" } } } }])),
        with_steps(json!([{ "call": { "op": { "get": "x" }, "expect": "value" } }])),
        with_steps(json!([{ "assert": "members" }])),
        with_steps(json!(["change"])),
    ] {
        assert!(!fits(&schema, &bad, &schema), "the schema takes {bad}");
        assert!(!is_read(&bad), "the reader takes {bad}");
    }
}
