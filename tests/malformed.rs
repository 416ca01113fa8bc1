//! Every malformed scenario is answered with the place, a caret under it and what was expected; none panics.
//!
//! In the texts below, `§` stands where the error must be reported and is taken out before reading.

#[path = "malformed/beginnings.rs"]
mod beginnings;
#[path = "malformed/clients.rs"]
mod clients;
#[path = "malformed/faults.rs"]
mod faults;
#[path = "malformed/refused.rs"]
mod refused;

use refused::{assert_told, field_refused, refused, steps_refused};
use seaworthy::scenario::Scenario;

#[test]
fn places_are_counted_as_people_count_them() {
    // Every other test derives its place from a mark; this one pins the counting itself.
    let error = Scenario::parse("s.json", "{\n  \"name\": \"x\",\n  \"nodes\": true\n}").unwrap_err();
    assert_told(&error, "s.json", 3, 12, &["found true", "the number of nodes, 1 to 255"]);
    assert_eq!((error.problems()[0].line(), error.problems()[0].column()), (3, 12));
    assert_eq!(error.to_string(), "s.json:3:12: found true: expected the number of nodes, 1 to 255");
}

#[test]
fn the_whole_report_reads_well() {
    let text = "{\n  \"name\": \"x\",\n  \"nodes\": 3,\n  \"steps\": [{ \"isolte\": 1 }],\n}\n";
    let shown = Scenario::parse("s.json", text).unwrap_err().render(false, 60);
    let expected = r#"   ╭─[s.json:4:15]
 3 │   "nodes": 3,
 4 │   "steps": [{ "isolte": 1 }],
   ·               ────┬───
   ·                   ╰── steps[0]
   ╰────
  help: did you mean `isolate`?
"#;
    assert!(shown.contains("unknown verb `isolte`"), "{shown}");
    assert!(shown.contains(expected), "{shown}");
}

#[test]
fn files_without_a_scenario() {
    refused("§", &["an empty file", "\"name\""]);
    refused("§ \n\n  \n", &["an empty file"]);
    refused("§// nothing\n/* at all */\n", &["comments only"]);
    refused("§[]", &["found a list", "an object"]);
    refused("§\"x\"", &["found the text \"x\"", "an object"]);
    refused("§7", &["found the number 7"]);
    refused("§null", &["found null"]);
}

#[test]
fn broken_syntax() {
    refused("{ \"name\": \"x\", \"nodes\": 3§", &["ends inside an object", "`}`"]);
    refused("{\n  \"name\": \"x\",\n  \"nodes\": 3,\n  \"steps\": [§\n", &["ends inside a list", "`]`"]);
    refused("{ \"name\": §\"x", &["a string without an end"]);
    refused("{ \"name\": §\"x\n\" }", &["a string without an end", "on the same line"]);
    refused("{ \"name\": \"x\" } §{ }", &["something follows the scenario"]);
    refused("{ \"name\": \"x\", \"nodes\": 3 } §garbage", &["something follows"]);
    refused("{ \"name\": \"x\"§ \"nodes\": 3 }", &["without a comma", "`,`"]);
    refused("{ \"name\" §\"x\" }", &["expected `:`"]);
    refused("{ §name: \"x\" }", &["double quotes"]);
    refused("{ \"name\": §'x' }", &["double quotes"]);
    refused("{ \"nodes\": §NaN }", &["expected a value"]);
    refused("{ \"nodes\": §Infinity }", &["expected a value"]);
    refused("{ \"nodes\": §three }", &["`three` is no value", "\"three\""]);
    refused("{ \"nodes\": §0x3 }", &["hexadecimal", "\"0x2a\""]);
    refused("{ \"nodes\": §+3 }", &["plain JSON"]);
    refused("{ \"nodes\": §.5 }", &["plain JSON"]);
    refused("{ \"nodes\": §} ", &["where a value is due"]);
    refused("{ \"nodes\": §, \"name\": \"x\" }", &["`,` where a value is due"]);
    refused("{ §[] }", &["a key in double quotes"]);
    refused("§/* no end\n { }", &["a comment without an end", "`*/`"]);
    refused("{ \"name\": \"a§\u{7}b\" }", &["U+0007", "\\u0007"]);
    refused("{ \"name\": \"a§\tb\" }", &["U+0009"]);
    refused("{ \"name\": \"x\" §\u{0} }", &["U+0000"]);
    refused("{ \"name\": \"x\" §\u{1b} }", &["U+001B"]);
}

#[test]
fn repeated_keys() {
    refused("{ \"name\": \"x\", \"nodes\": 3,\n §\"name\": \"y\" }", &["`name` stands twice"]);
    field_refused(
        "\"raft\": { \"heartbeat\": \"9ms\", §\"heartbeat\": \"8ms\" }",
        &["`heartbeat` stands twice"],
    );
    field_refused("\"node_options\": { \"2\": {}, §\"\\u0032\": {} }", &["`2` stands twice"]);
    steps_refused("{ \"crash\": 0, §\"crash\": 1 }", &["`crash` stands twice"]);
}

#[test]
fn wrong_types_in_many_places() {
    refused("{ \"name\": §3, \"nodes\": 3 }", &["found the number 3", "text in quotes"]);
    refused("{ \"name\": \"x\", \"nodes\": §\"3\" }", &["found the text \"3\"", "1 to 255"]);
    refused("{ \"name\": \"x\", \"nodes\": §3.5 }", &["found the number 3.5"]);
    refused("{ \"name\": \"x\", \"nodes\": §1e3 }", &["found the number 1e3"]);
    refused("{ \"name\": \"x\", \"nodes\": §-1 }", &["found the number -1"]);
    refused("§{ \"name\": \"x\" }", &["`nodes` is missing"]);
    field_refused("\"raft\": §[]", &["found a list", "an object"]);
    field_refused("\"raft\": { \"heartbeat\": §50 }", &["found the number 50", "\"150ms\""]);
    field_refused("\"raft\": { \"noop_on_election\": §\"yes\" }", &["true or false"]);
    field_refused(
        "\"raft\": { \"election_timeout\": §[\"150ms\"] }",
        &["1 element", "the shortest and the longest"],
    );
    field_refused("\"raft\": { \"election_timeout\": §[\"1ms\", \"2ms\", \"3ms\"] }", &["3 elements"]);
    field_refused(
        "\"raft\": { \"election_timeout\": [\"150ms\", §300] }",
        &["found the number 300", "duration"],
    );
    field_refused("\"raft\": { \"entries_per_append\": §99999999999 }", &["0 to 4294967295"]);
    field_refused("\"network\": { \"loss\": §0.1 }", &["found the number 0.1", "\"10%\""]);
    field_refused("\"network\": { \"latency\": §\"5ms\" }", &["unknown word `5ms`", "`constant`"]);
    field_refused(
        "\"network\": { \"latency\": { \"uniform\": §\"5ms\" } }",
        &["the shortest and the longest"],
    );
    for list in ["\"uniform\": [\"1ms\", \"5ms\", §\"7ms\"]", "\"uniform\": [\"1ms\", \"5ms\", §[], 9]"] {
        let found = if list.contains("9") { "a list of 4 values" } else { "a list of 3 values" };
        field_refused(&format!("\"network\": {{ \"latency\": {{ {list} }} }}"), &[found, "expected 2"]);
        field_refused(&format!("\"storage\": {{ \"write\": {{ {list} }} }}"), &[found, "expected 2"]);
    }
    field_refused("\"network\": { \"latency\": { §\"unifrom\": [] } }", &["did you mean `uniform`?"]);
    field_refused(
        "\"network\": { \"latency\": { \"heavy_tail\": §{ \"min\": \"1ms\" } } }",
        &["`typical` is missing"],
    );
    field_refused("\"network\": { \"latency\": §{} }", &["an empty object"]);
    field_refused("\"network\": { \"links\": §{} }", &["found an object", "a list"]);
    field_refused("\"steps\": §{}", &["found an object", "a list"]);
    field_refused("\"pins\": [{ \"message\": §{ \"from\": 0, \"to\": 1 } }]", &["`kind` is missing"]);
    field_refused("\"end\": §true", &["found true", "\"live\""]);
    field_refused("\"end\": { \"stop\": §7 }", &["found the number 7", "text"]);
    field_refused(
        "\"expect\": { \"violation\": §\"election_safty\" }",
        &["unknown property", "did you mean `election_safety`?"],
    );
    field_refused("\"seed\": §-1", &["found the number -1", "a seed"]);
    field_refused("\"seed\": §\"0xzz\"", &["`0xzz` is not a seed", "40-digit git hash"]);
    field_refused("\"seed\": §9007199254740993", &["2^53", "\"9007199254740993\""]);
    field_refused("\"seed\": §99999999999999999999999999", &["a seed"]);
    field_refused("\"seed\": §\"18446744073709551616\"", &["64 bits"]);
    steps_refused("§7", &["found the number 7", "one step with one verb"]);
    steps_refused("{ \"sleep\": §300 }", &["found the number 300", "\"150ms\""]);
    steps_refused("{ \"isolate\": §true }", &["found true", "a target"]);
    steps_refused(
        "{ \"repeat\": { \"times\": §\"3\", \"steps\": [] } }",
        &["found the text \"3\"", "whole number"],
    );
    steps_refused("{ \"heal\": { §\"x\": 1 } }", &["unknown field `x`"]);
    steps_refused(
        "{ \"assert\": { \"committed\": { \"command\": \"x\", \"on\": §\"3\" } } }",
        &["found the text \"3\""],
    );
    steps_refused("{ \"assert\": §[] }", &["a predicate"]);
}

#[test]
fn durations_and_rates() {
    steps_refused("{ \"sleep\": §\"-5ms\" }", &["not a duration", "\"150ms\""]);
    steps_refused("{ \"sleep\": §\"300\" }", &["needs a unit"]);
    steps_refused("{ \"sleep\": §\"3m\" }", &["unknown unit of time `m`", "min"]);
    steps_refused("{ \"sleep\": §\"99999999999999999999s\" }", &["longer than the clock can count"]);
    steps_refused("{ \"sleep\": §\"101d\" }", &["101d is too long", "100d"]);
    steps_refused("{ \"sleep\": §\"0ms\" }", &["no time at all"]);
    steps_refused("{ \"sleep\": §[\"5ms\", \"1ms\"] }", &["reversed"]);
    field_refused("\"network\": { \"loss\": §\"101%\" }", &["at most 100%"]);
    field_refused("\"network\": { \"loss\": §\"ten\" }", &["a percentage"]);
}

#[test]
fn unknown_names() {
    refused("{ \"name\": \"x\", §\"nodse\": 3 }", &["unknown field `nodse`", "did you mean `nodes`?"]);
    refused("{ §\"frobnicate\": 3 }", &["unknown field `frobnicate`", "`nodes`"]);
    field_refused("\"raft\": { §\"hartbeat\": \"5ms\" }", &["did you mean `heartbeat`?"]);
    field_refused("\"node_options\": { §\"two\": {} }", &["`two` is not the number of a node", "\"2\""]);
    field_refused("\"node_options\": { §\"02\": {} }", &["`02` is not the number of a node"]);
    steps_refused("§\"hela\"", &["unknown verb `hela`", "did you mean `heal`?"]);
    steps_refused("{ §\"expolde\": 1 }", &["unknown verb `expolde`", "`isolate`"]);
    steps_refused("§{}", &["an empty object", "one step with one verb"]);
    steps_refused(
        "{ \"until\": { \"that\": \"no_leader\" }, §\"within\": \"2s\" }",
        &["one key too many", "inside"],
    );
    steps_refused("{ \"until\": { \"that\": §\"single_laeder\" } }", &["did you mean `single_leader`?"]);
    steps_refused(
        "{ \"assert\": { §\"comitted\": \"x\" } }",
        &["unknown predicate", "did you mean `committed`?"],
    );
    steps_refused(
        "{ \"assert\": { \"no_leader\": {}, §\"bind\": \"a\" } }",
        &["beside a bare predicate", "\"that\""],
    );
    steps_refused(
        "{ \"assert\": { \"all\": [{ \"single_leader\": { §\"isnt\": 0 } }] } }",
        &["unknown field `isnt`"],
    );
    steps_refused(
        "{ \"assert\": { \"role\": { \"of\": 0, \"is\": §\"boss\" } } }",
        &["unknown word `boss`", "`leader`"],
    );
    steps_refused("{ \"crash\": §\"Leader\" }", &["unknown target `Leader`", "did you mean `leader`?"]);
    steps_refused("{ \"crash\": [0, §\"no such!\"] }", &["`such!`", "after `no`"]);
    steps_refused("{ \"isolate\": { \"nodes\": 0, \"in_flight\": §\"keeep\" } }", &["did you mean `keep`?"]);
    steps_refused(
        "{ \"crash\": { \"nodes\": 0, §\"in_flight\": \"drop\" } }",
        &["unknown field `in_flight`"],
    );
    steps_refused(
        "{ \"drop_pending\": { \"kind\": §\"AppendEntires\" } }",
        &["unknown kind of message", "did you mean `AppendEntries`?", "RequestVote"],
    );
    steps_refused("{ \"bind\": { \"name\": §\"leader\", \"to\": 0 } }", &["reserved word"]);
    steps_refused("{ \"mark\": §\"My Mark\" }", &["not a name", "lower-case"]);
    field_refused("\"expect\": §\"fail\"", &["unknown word `fail`", "`pass`"]);
}

#[test]
fn conflicting_or_missing_choices() {
    steps_refused("{ \"cut\": §{ \"between\": 0, \"to\": 1 } }", &["`between` and `and`", "`from` and `to`"]);
    steps_refused("{ \"hold\": §{ \"capture\": true } }", &["`nodes`", "`from` and `to`"]);
    let pin = "\"from\": 0, \"to\": 1, \"kind\": \"AppendEntries\"";
    field_refused(&format!("\"pins\": [{{ \"message\": §{{ {pin} }} }}]"), &["fixes nothing", "`latency`"]);
    field_refused(
        &format!("\"pins\": [{{ \"message\": §{{ {pin}, \"latency\": \"1ms\", \"drop\": true }} }}]"),
        &["only one of the two"],
    );
    field_refused(
        "\"pins\": [{ \"election_timeout\": { \"node\": 0, \"delays\": [\"1s\"] }, §\"message\": {} }]",
        &["one key too many"],
    );
    steps_refused("{ \"until\": { \"that\": \"no_leader\", \"bind\": §\"a\" } }", &["about no single node"]);
    steps_refused(
        "{ \"propose\": { \"command\": \"x\", \"expect\": \"refused\", \"bind\": §\"a\" } }",
        &["taken by no node"],
    );
    steps_refused("{ \"assert\": { \"term\": §{ \"of\": 0 } } }", &["nothing is asked"]);
    steps_refused("{ \"assert\": { \"up\": §{ \"at_least\": 3, \"at_most\": 2 } } }", &["bounds in order"]);
    steps_refused("{ \"assert\": { \"up\": §{ \"equals\": 3, \"at_most\": 4 } } }", &["exact number"]);
    field_refused(
        "\"end\": { \"stop\": \"x\" }, \"expect\": §{ \"violation\": \"convergence\" }",
        &["live end"],
    );
    steps_refused("{ \"set_link\": §{ \"from\": 0, \"to\": 1 } }", &["changes nothing", "`loss`"]);
}

#[test]
fn what_makes_no_sense() {
    refused("{ \"name\": \"x\", \"nodes\": §0 }", &["a cluster of 0 nodes", "1 to 255"]);
    refused("{ \"name\": \"x\", \"nodes\": §256 }", &["a cluster of 256 nodes", "1 to 255"]);
    refused("{ \"name\": \"x\", \"nodes\": §10000 }", &["a cluster of 10000 nodes", "1 to 255"]);
    refused(
        "{ \"name\": \"x\", \"nodes\": 3, \"events_max\": §0 }",
        &["a bound of 0 events", "1 to 1000000000000"],
    );
    refused(
        "{ \"name\": \"x\", \"nodes\": 3, \"events_max\": §1000000000001 }",
        &["expected 1 to 1000000000000"],
    );
    refused("{ \"name\": \"x\", \"nodes\": 3, \"events_max\": §-1 }", &["-1"]);
    refused("{ \"name\": \"x\", \"nodes\": §1000000000 }", &["a cluster of 1000000000 nodes", "1 to 255"]);
    refused("{ \"name\": §\"X y\", \"nodes\": 3 }", &["not a name for a scenario"]);
    refused("{ \"name\": §\"\", \"nodes\": 3 }", &["an empty name"]);
    refused(
        &format!("{{ \"name\": §\"{}\", \"nodes\": 3 }}", "x".repeat(81)),
        &["81 characters", "at most 80"],
    );
    field_refused(&format!("\"shows\": §\"{}\"", "é".repeat(201)), &["201 characters", "at most 200"]);
    field_refused("\"raft\": { \"heartbeat\": §\"150ms\" }", &["not below the shortest election timeout"]);
    field_refused("\"raft\": { \"election_timeout\": §[\"300ms\", \"150ms\"] }", &["reversed"]);
    field_refused("\"raft\": { \"entries_per_append\": §0 }", &["1 to 10000"]);
    field_refused("\"node_options\": { §\"5\": {} }", &["there is no node 5", "nodes 0..=4"]);
    field_refused("\"node_options\": { \"1\": { \"heartbeat\": §\"200ms\" } }", &["not below"]);
    field_refused(
        "\"storage\": { \"nodes\": { §\"9\": { \"write\": { \"constant\": \"1ms\" } } } }",
        &["no node 9"],
    );
    field_refused("\"network\": { \"latency\": { \"uniform\": §[\"5ms\", \"1ms\"] } }", &["reversed"]);
    field_refused(
        "\"network\": { \"latency\": { \"heavy_tail\": §{ \"min\": \"9ms\", \"typical\": \"2ms\", \"max\": \"1s\" } } }",
        &["out of order", "min <= typical <= max"],
    );
    field_refused(
        "\"network\": { \"links\": [{ \"from\": §\"leader\", \"to\": 1, \"fifo\": true }] }",
        &["before the run"],
    );
    field_refused(
        "\"pins\": [{ \"election_timeout\": { \"node\": §7, \"delays\": [\"1s\"] } }]",
        &["there is no node 7"],
    );
    field_refused(
        "\"pins\": [{ \"election_timeout\": { \"node\": 1, \"delays\": §[] } }]",
        &["at least one duration"],
    );
    field_refused("\"end\": { \"live\": { \"within\": §\"0s\" } }", &["more than 0"]);
    field_refused("\"end\": { \"stop\": §\" \" }", &["no reason"]);
    field_refused("\"mutation\": §\"Vote!\"", &["planted bug"]);
    #[cfg(feature = "mutations")]
    field_refused(
        "\"mutation\": §\"retry_aplied\"",
        &["no planted bug `retry_aplied`", "did you mean `retry_applied`?"],
    );
    steps_refused("{ \"isolate\": §5 }", &["there is no node 5", "nodes 0..=4"]);
    steps_refused("{ \"isolate\": §70000 }", &["there is no node 70000"]);
    steps_refused("{ \"isolate\": §\"all but 9\" }", &["there is no node 9"]);
    steps_refused("{ \"isolate\": §[] }", &["names no node"]);
    steps_refused("{ \"isolate\": §\"old\" }", &["`old` is not bound here"]);
    steps_refused("{ \"isolate\": §\"follower 5\" }", &["there is no follower 5"]);
    steps_refused("{ \"isolate\": §\"leader of term 0\" }", &["a term from 1"]);
    steps_refused("{ \"partition\": [[0, 1], [§1, 2]] }", &["node 1 stands in two groups"]);
    steps_refused("{ \"partition\": [[0, 1], §[]] }", &["at least one"]);
    steps_refused("{ \"partition\": { \"groups\": [0, §0] } }", &["node 0 stands in two groups"]);
    steps_refused("{ \"partition\": §[] }", &["no groups"]);
    steps_refused("{ \"cut\": §{ \"between\": 1, \"and\": [1] } }", &["no link to itself"]);
    steps_refused("{ \"cut\": §{ \"from\": 2, \"to\": 2 } }", &["no link to itself"]);
    steps_refused("{ \"repeat\": { \"times\": §0, \"steps\": [\"heal\"] } }", &["1 to 1000"]);
    steps_refused("{ \"repeat\": { \"times\": 2, \"steps\": §[] } }", &["nothing to repeat"]);
    steps_refused("{ \"choose\": §[] }", &["nothing to choose from"]);
    steps_refused("{ \"choose\": [{ \"weight\": §0, \"steps\": [] }] }", &["1 to 1000000"]);
    steps_refused("{ \"propose\": { \"command\": \"x\", \"count\": §0 } }", &["1 to 10000"]);
    steps_refused("{ \"propose\": §\"\" }", &["an empty command"]);
    steps_refused("{ \"propose\": { \"command\": \"xyz\", \"bytes\": §2 } }", &["3 bytes already"]);
    steps_refused("{ \"pick\": { \"name\": \"a\", \"count\": §6, \"from\": \"all\" } }", &["1 to 5"]);
    steps_refused(
        "{ \"assert\": { \"committed\": { \"command\": \"x\", \"on\": §6 } } }",
        &["6 nodes can never be"],
    );
    steps_refused(
        "{ \"assert\": { \"messages\": { \"at_most\": 1, \"since\": §\"m\" } } }",
        &["`m` is not marked"],
    );
    steps_refused(
        "{ \"assert\": { \"single_leader\": { \"term_above\": §\"m\" } } }",
        &["remembers no term"],
    );
    let nested = "{ \"repeat\": { \"times\": 1000, \"steps\": [{ \"repeat\": { \"times\": 1000, \"steps\": [\"heal\"] } }] } }";
    field_refused(&format!("\"steps\": §[{nested}]"), &["steps with every repetition", "at most 100000"]);
}

#[test]
fn names_count_only_where_every_way_binds_them() {
    let bind = "{ \"bind\": { \"name\": \"a\", \"to\": 0 } }";
    steps_refused(
        &format!("{{ \"if\": {{ \"that\": \"no_leader\", \"then\": [{bind}] }} }}, {{ \"crash\": §\"a\" }}"),
        &["`a` is not bound here", "on every way"],
    );
    steps_refused(
        &format!(
            "{{ \"choose\": [{{ \"steps\": [{bind}] }}, {{ \"steps\": [] }}] }}, {{ \"crash\": §\"a\" }}"
        ),
        &["`a` is not bound here"],
    );
    steps_refused(&format!("{{ \"crash\": §\"a\" }}, {bind}"), &["`a` is not bound here"]);
    steps_refused(&format!("{bind}, {{ \"crash\": §\"b\" }}"), &["`b` is not bound here"]);
    let both = format!(
        "{{ \"name\": \"x\", \"nodes\": 3, \"steps\": [{{ \"choose\": [{{ \"steps\": [{bind}] }}, {{ \"steps\": [{bind}] }}] }}, \
         {{ \"crash\": \"a\" }}] }}"
    );
    assert!(Scenario::parse("good.json", &both).is_ok());
}

#[test]
fn all_that_makes_no_sense_is_told_at_once() {
    let text = "{ \"name\": \"X\", \"nodes\": 3,\n  \"raft\": { \"heartbeat\": \"1s\" },\n  \"steps\": [{ \"crash\": 3 },\n    \
                { \"sleep\": \"0s\" }, { \"partition\": [[0], [0], []] }] }";
    let error = Scenario::parse("bad.json", text).unwrap_err();
    let places: Vec<_> = error.problems().iter().map(|problem| (problem.line(), problem.column())).collect();
    assert_eq!(places, [(1, 11), (2, 26), (3, 24), (4, 16), (4, 46), (4, 50)]);
    assert!(error.render(false, 100).ends_with("6 problems\n"));
}

#[test]
fn of_very_many_problems_the_first_are_told_and_the_others_counted() {
    let uses: Vec<String> = (0..20_000).map(|number| format!("{{\"crash\":\"x{number}\"}}")).collect();
    let text = format!("{{ \"name\": \"x\", \"nodes\": 3, \"steps\": [{}] }}", uses.join(","));
    let error = Scenario::parse("many.json", &text).unwrap_err();
    assert_eq!(error.problems().len(), 100);
    assert!(error.render(false, 100).ends_with("100 problems, and 19900 more\n"));
    let keys = format!("{{ {} }}", "\"name\":1,".repeat(20_000));
    assert!(
        Scenario::parse("many.json", &keys).unwrap_err().render(false, 100).ends_with("and 19899 more\n")
    );
}

#[test]
fn bad_text_before_the_error_does_not_shift_its_place() {
    refused("\u{feff}{ \"name\": §3 }", &["found the number 3"]);
    refused("{\r\n  \"name\": \"x\",\r\n  \"nodes\": §true\r\n}\r\n", &["found true"]);
    refused("{ \"shows\": \"🦀🦀 é 漢字\", \"nodes\": §true }", &["found true"]);
    refused("{ /* 🦀\n 🦀 */ \"nodes\": §true }", &["found true"]);
    refused("{\t\"nodes\":\t§true }", &["found true"]);
    refused("{ \"nodes\": 3, §\"🦀\": 1 }", &["unknown field `🦀`"]);
    refused("{ \"name\": \"x\", §🦀 }", &["expected"]);
}

#[test]
fn nesting_without_end_is_refused_and_does_not_overflow() {
    let deep = |count: usize| format!("{}§{}", "[".repeat(64), "[".repeat(count - 64));
    refused(&deep(65), &["nested too deeply", "at most 64 levels"]);
    refused(&deep(10_000), &["nested too deeply"]);
    refused(&deep(1_000_000), &["nested too deeply"]);
    let objects = format!("{}§{}", "{\"a\":".repeat(64), "{\"a\":".repeat(10_000));
    refused(&objects, &["nested too deeply"]);
    let steps = format!("{}{}", "{\"repeat\":{\"times\":1,\"steps\":[".repeat(20), "]}}".repeat(20));
    let text = format!("{{ \"name\": \"x\", \"nodes\": 3, \"steps\": [{steps}] }}");
    assert!(Scenario::parse("deep.json", &text).unwrap_err().to_string().contains("nothing to repeat"));
}

#[test]
fn brackets_in_strings_and_comments_are_no_nesting() {
    let many = "[".repeat(150);
    let text = format!(
        "// {many}\n/* a/b * {many} **/\n{{ \"name\": \"x\", \"nodes\": 3, \"shows\": \"\\\"{many}\" }}"
    );
    assert!(Scenario::parse("good.json", &text).is_ok());
}

#[test]
fn a_text_that_is_too_large_is_refused() {
    let text = " ".repeat((1 << 20) + 1);
    let error = Scenario::parse("large.json", &text).unwrap_err();
    assert_told(&error, "large.json", 1, 1, &["too large, 1048577 bytes", "at most 1048576"]);
}

#[test]
fn what_a_file_holds_cannot_drive_the_terminal() {
    let text = "{ \"na\\u001b[31mme\": 1, \"x\u{202e}\": 2 } // \u{9b}31m";
    let error = Scenario::parse("bad.json", text).unwrap_err();
    let shown = format!("{error}{}", error.render(false, 100));
    assert!(!shown.contains(['\u{1b}', '\u{202e}', '\u{9b}']), "{shown:?}");
}

#[test]
fn a_long_line_is_cut_around_the_error() {
    let text = format!(
        "{{ \"shows\": \"{}\", \"nodes\": true, \"x\": \"{}\" }}",
        "a".repeat(100_000),
        "b".repeat(100_000)
    );
    let error = Scenario::parse("long.json", &text).unwrap_err();
    assert_told(&error, "long.json", 1, 100_025, &["found true"]);
    assert!(error.render(false, 100).len() < 1_500);
}

/// A file in the directory for the temporary files of this test run.
fn temporary(name: &str, bytes: &[u8]) -> String {
    let path = format!("{}/{name}", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&path, bytes).expect("the directory for temporary files can be written");
    path
}

#[test]
fn files_that_cannot_be_read() {
    let directory = env!("CARGO_TARGET_TMPDIR");
    assert_told(&Scenario::read(directory).unwrap_err(), directory, 1, 1, &["directory", "a scenario file"]);
    let missing = format!("{directory}/no_such_scenario.json");
    assert_told(&Scenario::read(&missing).unwrap_err(), &missing, 1, 1, &["cannot be read"]);
    // A path through a file cannot be read by anybody, not even by root.
    let through_file = format!("{}/x.json", temporary("file.json", b"{}"));
    assert_told(&Scenario::read(&through_file).unwrap_err(), &through_file, 1, 1, &["cannot be read"]);
}

#[test]
fn files_that_are_not_utf_8() {
    let path = temporary("latin1.json", b"{\n  \"shows\": \"caf\xe9\" }");
    assert_told(&Scenario::read(&path).unwrap_err(), &path, 2, 16, &["byte 0xe9 at offset 17", "UTF-8"]);
    let path = temporary("utf16.json", b"\xff\xfe{\0}\0");
    assert_told(&Scenario::read(&path).unwrap_err(), &path, 1, 1, &["byte 0xff at offset 0", "UTF-16"]);
    let path = temporary("large.json", &vec![b' '; (1 << 20) + 2]);
    assert_told(&Scenario::read(&path).unwrap_err(), &path, 1, 1, &["too large, 1048578 bytes"]);
    let path = temporary("cut_character.json", b"{ \"shows\": \"\xf0\x9f\xa6");
    assert_told(&Scenario::read(&path).unwrap_err(), &path, 1, 13, &["byte 0xf0 at offset 12"]);
}

#[test]
fn no_cut_and_no_changed_byte_of_a_good_file_panics() {
    let good = include_str!("malformed/everything.json");
    Scenario::parse("everything.json", good).unwrap_or_else(|error| panic!("{}", error.render(false, 100)));
    for end in (0..good.len()).filter(|&end| good.is_char_boundary(end)) {
        if let Err(error) = Scenario::parse("cut.json", &good[..end]) {
            assert!(!error.render(false, 80).is_empty());
        }
    }
    for at in (0..good.len()).filter(|&at| good.is_char_boundary(at) && good.is_char_boundary(at + 1)) {
        for put in ["\"", "{", "]", "9", "\u{0}", "é", ""] {
            let changed = format!("{}{put}{}", &good[..at], &good[at + 1..]);
            if let Err(error) = Scenario::parse("changed.json", &changed) {
                assert!(error.problems().iter().all(|problem| problem.line() > 0 && problem.column() > 0));
            }
        }
    }
}
