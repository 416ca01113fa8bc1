//! eliben/raft part 5 and MIT 6.5840 lab 4: a key-value service and its clients.

use super::said;

#[test]
fn eliben_single_calls_can_be_said() {
    said(
        "basic_calls",
        r#""nodes": 3, "steps": [
            { "until": { "that": "single_leader", "bind": "old" } },
            { "call": { "to": "follower 0", "op": { "put": { "key": "x", "value": "1" } }, "expect": "not_leader" } },
            { "call": { "op": { "get": "x" }, "expect": "not_found" } },
            { "call": { "client": "alice", "op": { "put": { "key": "x", "value": "1" } }, "expect": "ok", "bind": "who" } },
            { "call": { "client": "bob", "op": { "append": { "key": "x", "value": "2" } } } },
            { "call": { "op": { "get": "x" }, "kind": "read_index", "expect": { "value": "12" } } },
            { "call": { "op": { "cas": { "key": "x", "expected": "1", "value": "3" } }, "expect": "mismatch" } },
            { "call": { "op": { "cas": { "key": "y", "value": "3" } }, "expect": "ok" } },
            { "call": { "op": { "delete": "x" } } }, { "assert": { "value": { "of": "all", "key": "x", "absent": true } } },
            { "isolate": "all" },
            { "call": { "op": { "get": { "key": "y" } }, "within": "300ms", "expect": "timeout" } },
            { "assert": { "calls": { "op": "get", "outcome": "unknown", "at_least": 1 } } }
        ]"#,
    );
    said(
        "append_linearizable_after_delay",
        r#""nodes": 3, "steps": [
            { "until": { "that": "single_leader", "bind": "old" } },
            { "call": { "op": { "put": { "key": "foo", "value": "bar" } }, "expect": "ok" } },
            { "hold": { "from": "old", "to": "client caller" } },
            { "call": { "op": { "append": { "key": "foo", "value": "baz" } }, "wait": false, "expect": "ok" } },
            { "sleep": "300ms" }, { "release": { "from": "old", "to": "clients" } },
            { "await_clients": { "clients": "client caller", "within": "10s" } },
            { "until": { "that": { "value": { "of": "up", "key": "foo", "equals": "barbaz" } } } },
            { "assert": "machine_equal" }, { "assert": "clients_done" }
        ]"#,
    );
}

#[test]
fn mit_workloads_can_be_said() {
    said(
        "kv_many_partitions_many_clients",
        r#""nodes": 5, "workload": { "clients": 5, "operations": 200, "keys": 3, "mix": { "get": 1, "append": 3 },
                "reads": { "log": 1, "lease": 1 }, "think": ["1ms", "5ms"], "start": "500ms" },
            "raft": { "check_quorum": true, "lease_reads": true, "snapshot_after": 50 },
            "network": { "loss": "5%", "links": [{ "from": "clients", "to": "all", "latency": { "constant": "1ms" } }] },
            "pins": [{ "message": { "from": "client 0", "to": 2, "kind": "AppendEntries", "nth": 0, "drop": true } }],
            "steps": [
            { "repeat": { "times": 10, "steps": [
                { "partition": [["minority", "client 0"], ["client 1"]] }, { "sleep": ["100ms", "900ms"] }, "heal"
            ] } },
            { "set_link": { "from": "leader", "to": "clients", "loss": "100%" } },
            { "cut": { "between": "client 1", "and": "leader" } }, { "stop_clients": "client 4" },
            "stop_clients", "await_clients", { "start_clients": ["client 0", "client 1"] }, "start_clients",
            { "until": { "that": { "clients_done": { "clients": "client 0" } }, "within": "60s" } },
            { "assert": { "calls": { "by": "clients", "outcome": "ok", "at_least": 100 } } }
        ]"#,
    );
}

#[test]
fn eliben_put_prev_value_can_be_said() {
    said(
        "put_prev_value",
        r#""nodes": 3, "steps": [
            { "call": { "op": { "get": "foo" }, "expect": "not_found" } },
            { "call": { "op": { "cas": { "key": "foo", "value": "bar" } }, "expect": "ok" } },
            { "call": { "op": { "cas": { "key": "foo", "expected": "baz", "value": "x" } }, "expect": { "value": "bar" } } },
            { "call": { "op": { "cas": { "key": "foo", "expected": "bar", "value": "x" } }, "expect": "ok" } }
        ]"#,
    );
}
