//! The hardest stories of the suites that everybody knows (MIT 6.5840, eliben/raft, etcd-io/raft, CCF) can be said.

mod clients;
mod disks;
mod etcd;
mod snapshots;

use crate::scenario::Scenario;

fn said(name: &str, fields: &str) {
    let text = format!("{{ \"name\": \"{name}\", {fields} }}");
    if let Err(error) = Scenario::parse(name, &text) {
        panic!("{}", error.render(false, 110));
    }
}

#[test]
fn mit_figure_8_can_be_said() {
    said(
        "figure_8",
        r#""nodes": 5, "steps": [
            { "repeat": { "times": 1000, "steps": [
                { "propose": { "to": "up", "command": "x" } },
                { "choose": [
                    { "weight": 1, "steps": [{ "sleep": ["1ms", "500ms"] }] },
                    { "weight": 9, "steps": [{ "sleep": ["1ms", "13ms"] }] }
                ] },
                { "if": { "that": "single_leader", "then": [{ "crash": "leader" }] } },
                { "if": { "that": { "up": { "at_most": 2 } }, "then": [
                    { "pick": { "name": "one", "count": 1, "from": "crashed" } },
                    { "restart": "one" }
                ] } }
            ] } },
            { "restart": "crashed" }
        ]"#,
    );
}

#[test]
fn mit_figure_8_unreliable_can_be_said() {
    said(
        "figure_8_unreliable",
        r#""nodes": 5, "network": { "loss": "10%", "latency": { "uniform": ["0ms", "27ms"] } }, "steps": [
            { "repeat": { "times": 200, "steps": [
                { "propose": { "to": "up", "command": "x" } },
                { "sleep": ["1ms", "13ms"] },
                { "choose": [{ "steps": [{ "if": { "that": "single_leader", "then": [{ "isolate": "leader" }] } }] },
                             { "steps": [] }] },
                { "if": { "that": { "count": { "of": "connected", "at_most": 2 } }, "then": [
                    { "pick": { "name": "one", "count": 1, "from": "isolated" } }, { "reconnect": "one" } ] } }
            ] } },
            { "set_link": { "from": "all", "to": "all", "reorder": "66%", "reorder_by": "2400ms" } },
            { "reconnect": "all" }
        ]"#,
    );
}

#[test]
fn mit_rejoin_and_counts_can_be_said() {
    said(
        "rejoin",
        r#""nodes": 3, "steps": [
            { "propose": "101" }, { "until": { "that": { "committed": { "command": "101", "on": 3 } } } },
            { "until": { "that": "single_leader", "bind": "old" } }, { "isolate": "old" },
            { "propose": { "to": "old", "command": "10", "count": 3, "expect": "accepted" } },
            { "until": { "that": { "single_leader": { "not": "old" } }, "bind": "new" } },
            { "propose": { "to": "new", "command": "103" } },
            { "until": { "that": { "committed_at": { "command": "103", "index": 2 } } } },
            { "isolate": "new" }, { "reconnect": "old" }, { "propose": "104" },
            { "reconnect": "new" }, { "propose": "105" },
            { "until": { "that": { "committed": { "command": "105", "on": 3 } }, "within": "10s" } }
        ]"#,
    );
    said(
        "count",
        r#""nodes": 3, "steps": [
            { "until": { "that": "single_leader" } }, { "assert": { "messages": { "at_most": 60 } } },
            { "assert": { "not": { "committed_at": { "index": 1 } } } }, { "mark": "before" },
            { "propose": { "command": "x", "count": 10, "bytes": 5000 } },
            { "until": { "that": { "committed": { "command": "x10" } } } },
            { "assert": { "all": [
                { "messages": { "kind": "AppendEntries", "since": "before", "at_most": 42 } },
                { "message_bytes": { "since": "before", "at_most": 200000 } },
                { "elapsed": { "since": "before", "at_most": "1s" } } ] } }
        ]"#,
    );
}

#[test]
fn eliben_leader_stories_can_be_said() {
    said(
        "leader_disconnect_reconnect_5",
        r#""nodes": 5, "steps": [
            { "until": { "that": "single_leader", "within": "2s", "bind": "old" } }, { "isolate": "old" },
            { "sleep": "300ms" },
            { "assert": { "that": { "single_leader": { "not": "old", "term_above": "old" } }, "bind": "new" } },
            { "reconnect": "old" }, { "sleep": "300ms" },
            { "assert": { "that": { "all": ["terms_agree", { "single_leader": { "is": "new", "same_term_as": "new" } }] },
                          "bind": "still" } },
            { "assert": { "leader_is": "still" } }
        ]"#,
    );
    said(
        "become_follower_missing_persist",
        r#""nodes": 3, "steps": [
            { "until": { "that": "single_leader", "bind": "old" } }, { "isolate": "old" },
            { "until": { "that": { "single_leader": { "not": "old" } }, "bind": "new" } },
            { "cut": { "from": "new", "to": "all but new", "in_flight": "keep" } }, { "reconnect": "old" },
            { "until": { "that": { "role": { "of": "old", "is": "follower" } } } },
            { "assert": { "durable": { "of": "old" } } }, { "crash": "old" }, { "restart": "old" },
            { "assert": { "term": { "of": "old", "above": "old" } } }
        ]"#,
    );
}

#[test]
fn eliben_stories_of_commands_and_votes_can_be_said() {
    said(
        "call_drops_and_refusals",
        r#""nodes": 3, "steps": [
            { "until": { "that": "single_leader", "bind": "old" } },
            { "propose": { "to": "follower 0", "command": "no", "expect": "refused" } }, { "mark": "calls" },
            { "until": { "that": { "messages": { "from": "old", "since": "calls", "at_least": 2 } } } },
            { "set_link": { "from": "old", "to": "all but old", "loss": "100%" } },
            { "propose": { "to": "old", "command": "99" } }, { "sleep": "30ms" },
            { "set_link": { "from": "old", "to": "all but old", "loss": "0%" } },
            { "until": { "that": { "committed": { "command": "99", "on": 3 } } } },
            { "isolate": "followers" }, { "propose": "8" },
            { "always": { "that": { "not_committed": "8" }, "during": "600ms" } }, "heal"
        ]"#,
    );
    said(
        "same_term_double_vote",
        r#""nodes": 3, "pins": [{ "election_timeout": { "node": 0, "delays": ["150ms"] } }], "steps": [
            { "until": { "that": { "vote": { "of": 1, "is": 0 } } } },
            { "hold": { "from": 2, "to": 1, "capture": true } }, { "campaign": 2 },
            { "deliver_one": { "from": 2, "to": 1, "kind": "RequestVote" } },
            { "release": { "from": 2, "to": 1 } }, { "sleep": "10ms" }
        ], "end": { "stop": "only the vote is of interest" }"#,
    );
}

#[test]
fn an_ending_over_each_shape_of_a_core_can_be_said() {
    for shape in ["full", "bridge", "chain", "ring", "one_way_extras", "any"] {
        let end =
            format!(r#""end": {{ "live": {{ "core": {{ "quorum": {{ "connectivity": "{shape}" }} }} }} }}"#);
        said("end", &format!(r#""nodes": 5, "raft": {{ "pre_vote": true, "check_quorum": true }}, {end}"#));
    }
}
