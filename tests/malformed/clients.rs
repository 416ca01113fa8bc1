//! Workloads, calls and targets of clients that make no sense.

use crate::refused::{field_refused, refused, steps_refused};
use seaworthy::scenario::Scenario;

/// A scenario with two clients and these steps is refused, with one problem, at the mark.
#[track_caller]
fn with_clients_refused(steps: &str, words: &[&str]) {
    field_refused(&format!("\"workload\": {{ \"clients\": 2 }}, \"steps\": [{steps}]"), words);
}

#[test]
fn workloads_that_nobody_can_follow() {
    field_refused("\"workload\": { \"clients\": §0 }", &["0 is out of range", "1 to 64"]);
    field_refused("\"workload\": { \"mix\": §{ \"get\": 0 } }", &["no operation has any weight"]);
    field_refused("\"workload\": { \"reads\": { \"log\": §1000001 } }", &["0 to 1000000"]);
    field_refused("\"workload\": { \"think\": §[\"2ms\", \"1ms\"] }", &["reversed"]);
    field_refused("\"workload\": { \"give_up\": §\"1ms\" }", &["below the timeout"]);
    field_refused("\"workload\": { §\"cleints\": 2 }", &["did you mean `clients`?"]);
    field_refused("\"workload\": { \"timeout\": §5 }", &["\"150ms\""]);
}

#[test]
fn clients_that_do_not_exist() {
    steps_refused("{ \"cut\": { \"between\": 0, \"and\": §\"client 0\" } }", &["no client 0", "no workload"]);
    steps_refused("{ \"cut\": { \"between\": 0, \"and\": §\"clients\" } }", &["there are no clients"]);
    steps_refused("§\"start_clients\"", &["no clients to start or stop", "a `workload`"]);
    steps_refused("§\"await_clients\"", &["there are no clients"]);
    steps_refused("{ \"assert\": §\"clients_done\" }", &["there are no clients"]);
    steps_refused("{ \"assert\": { \"calls\": §{ \"at_least\": 1 } } }", &["there are no clients"]);
    with_clients_refused(
        "{ \"hold\": { \"from\": 0, \"to\": §\"client 2\" } }",
        &["the workload has 2 clients"],
    );
    with_clients_refused(
        "{ \"hold\": { \"from\": 0, \"to\": §\"client alice\" } }",
        &["a client that a `call` names"],
    );
    with_clients_refused(
        "{ \"call\": { \"client\": \"alice\", \"op\": { \"get\": \"x\" } } }, { \"hold\": §\"client alicf\" }",
        &["did you mean `client alice`?"],
    );
    with_clients_refused("{ \"crash\": §\"client 0\" }", &["`client 0` is no node"]);
    with_clients_refused("{ \"crash\": [0, §\"clients\"] }", &["`clients` is no node"]);
    with_clients_refused("{ \"crash\": §\"all but client 0\" }", &["`client 0` is no node"]);
    with_clients_refused("{ \"stop_clients\": §\"leader\" }", &["`leader` is no client", "`client 0`"]);
    with_clients_refused("{ \"stop_clients\": [§3] }", &["`3` is no client"]);
    let call = "{ \"call\": { \"client\": \"alice\", \"op\": { \"get\": \"x\" } } }";
    for stop in
        ["\"stop_clients\": §\"client alice\"", "\"start_clients\": [\"client 0\", §\"client alice\"]"]
    {
        with_clients_refused(
            &format!("{call}, {{ {stop} }}"),
            &["`client alice` makes calls", "clients of the workload"],
        );
    }
    with_clients_refused(
        &format!("{call}, {{ \"stop_clients\": §\"clients\" }}"),
        &["also those that make calls", "without a target all of the workload are meant"],
    );
    with_clients_refused("{ \"await_clients\": { \"clients\": §[] } }", &["names no client"]);
    with_clients_refused("{ \"await_clients\": { \"within\": §\"0s\" } }", &["more than 0"]);
    with_clients_refused(
        "{ \"pin\": { \"message\": { \"from\": §\"client 5\", \"to\": 1, \"kind\": \"AppendEntries\", \"drop\": true } } }",
        &["the workload has 2 clients"],
    );
    with_clients_refused("{ \"bind\": { \"name\": §\"clients\", \"to\": 0 } }", &["a reserved word"]);
}

#[test]
fn more_clients_than_a_run_can_hold() {
    let calls = |count: usize| {
        let call = |number| format!("{{\"call\":{{\"client\":\"c{number}\",\"op\":{{\"get\":\"x\"}}}}}}");
        (0..count).map(call).collect::<Vec<_>>().join(",")
    };
    let most = |fields: &str, count| {
        let text = format!("{{ \"name\": \"x\", {fields}, \"steps\": [{}] }}", calls(count));
        Scenario::parse("many.json", &text).map(|scenario| scenario.callers().len())
    };
    assert_eq!(most("\"nodes\": 5", 1_019).ok(), Some(1_019));
    assert_eq!(most("\"nodes\": 255, \"workload\": { \"clients\": 64 }", 705).ok(), Some(705));
    field_refused(
        &format!("\"steps\": §[{}]", calls(1_020)),
        &["1020 clients that call beside 5 nodes and 0 clients of a workload", "at most 1019"],
    );
    field_refused(
        &format!("\"workload\": {{ \"clients\": 64 }}, \"steps\": §[{}]", calls(956)),
        &["956 clients that call beside 5 nodes and 64 clients of a workload", "at most 955"],
    );
    // A cluster or a workload that leaves no room at all is told of alone.
    refused(
        &format!("{{ \"name\": \"x\", \"nodes\": §60000, \"steps\": [{}] }}", calls(1)),
        &["a cluster of 60000 nodes"],
    );
}

#[test]
fn calls_that_come_to_nothing() {
    let call =
        |fields: &str, words: &[&str]| steps_refused(&format!("{{ \"call\": {{ {fields} }} }}"), words);
    call("\"op\": §{}", &["an empty object", "one key"]);
    call("\"op\": { §\"set\": 1 }", &["unknown word `set`", "`get`"]);
    call("\"op\": { \"get\": §7 }", &["a key"]);
    call("\"op\": { \"put\": §{ \"key\": \"x\" } }", &["`value` is missing"]);
    call("\"op\": { \"put\": { \"key\": §\"X\", \"value\": \"1\" } }", &["`X` is not a key"]);
    call(
        &format!("\"op\": {{ \"put\": {{ \"key\": \"x\", \"value\": §\"{}\" }} }}", "1".repeat(1_001)),
        &["a value of 1001 bytes", "at most 1000"],
    );
    call("\"op\": { \"get\": \"x\" }, \"within\": §\"0s\"", &["more than 0"]);
    call("\"op\": { \"get\": \"x\" }, \"to\": §9", &["there is no node 9"]);
    call("\"op\": { \"delete\": \"x\" }, \"kind\": §\"lease\"", &["only a `get`"]);
    call("\"op\": { \"get\": \"x\" }, \"expect\": §\"mismatch\"", &["never has that answer"]);
    call("\"op\": { \"delete\": \"x\" }, \"expect\": §{ \"value\": \"1\" }", &["never has that answer"]);
    call("\"op\": { \"get\": \"x\" }, \"expect\": §\"not_leader\"", &["`to` with `not_leader`"]);
    call("\"op\": { \"get\": \"x\" }, \"expect\": §\"value\"", &["expected"]);
    call("\"op\": { \"get\": \"x\" }, \"expect\": \"timeout\", \"bind\": §\"who\"", &["answered by no node"]);
    call("\"op\": { \"get\": \"x\" }, \"wait\": false, \"bind\": §\"who\"", &["no answer yet"]);
    call("\"client\": §\"leader\", \"op\": { \"get\": \"x\" }", &["`leader` is a reserved word"]);
    let asked = |predicate: &str, words: &[&str]| {
        steps_refused(&format!("{{ \"assert\": {{ {predicate} }} }}"), words);
    };
    asked("\"value\": §{ \"of\": 0, \"key\": \"x\" }", &["nothing is asked", "`equals`"]);
    asked(
        "\"value\": §{ \"of\": 0, \"key\": \"x\", \"equals\": \"1\", \"absent\": true }",
        &["equals nothing"],
    );
    asked("\"value\": { \"of\": 0, \"key\": §\"\", \"absent\": true }", &["is not a key"]);
    with_clients_refused(
        "{ \"assert\": { \"calls\": { \"by\": §0, \"at_least\": 1 } } }",
        &["`0` is no client"],
    );
    with_clients_refused("{ \"assert\": { \"calls\": §{ \"outcome\": \"ok\" } } }", &["nothing is asked"]);
    with_clients_refused(
        "{ \"assert\": { \"calls\": { \"since\": §\"m\", \"at_least\": 1 } } }",
        &["`m` is not marked"],
    );
}
