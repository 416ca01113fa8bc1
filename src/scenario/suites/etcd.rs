//! etcd-io/raft's interaction stories, and CCF's scenarios of configurations.

use super::said;

#[test]
fn configuration_changes_can_be_said() {
    said(
        "confchange_v2_replace_leader",
        r#""nodes": 4, "members": { "voters": [0, 1, 2] }, "raft": { "noop_on_election": true }, "steps": [
            { "until": { "that": "single_leader", "bind": "old" } },
            { "change": { "changes": ["+3", "-old"], "transition": "explicit", "expect": "accepted" } },
            { "until": { "that": { "joint": { "of": "old" } } } },
            { "assert": { "members": { "of": "old", "voters": ["all but old"], "outgoing": [0, 1, 2], "learners": [] } } },
            { "change": { "changes": "+3", "expect": "bad_change" } },
            { "transfer": 3 }, { "until": { "that": { "leader_is": 3 } } },
            { "leave_joint": { "to": "leader", "expect": "accepted" } },
            { "until": { "that": { "not_in_config": { "nodes": "old", "of": "all but old" } } } },
            { "campaign": "old" }, { "assert": { "role": { "of": "old", "is": "follower" } } }
        ]"#,
    );
    said(
        "confchange_learners",
        r#""nodes": 5, "members": { "voters": [0, 1], "learners": [2] }, "down": [4],
            "raft": { "step_down_on_removal": false }, "steps": [
            { "until": { "that": { "count": { "of": "voters", "equals": 2 } } } },
            { "change": "learner +3" }, { "change": { "changes": "+2", "expect": "change_pending" } },
            { "until": { "that": { "in_config": { "nodes": 3, "of": "members", "as": "learner" } } } },
            { "assert": { "members": { "of": "leader", "at": 2, "voters": [0, 1], "learners": [2, 3] } } },
            { "assert": { "members": { "of": "leader", "at": 1, "absent": true } } },
            { "change": ["+2", "+3", "-[0, 1]"] }, { "until": { "that": { "not": { "joint": { "of": "leader" } } } } },
            { "restart": 4 }, { "isolate": "learners" }, "leave_joint"
        ]"#,
    );
}

#[test]
fn leadership_and_reads_can_be_said() {
    said(
        "forget_leader_read_only_lease_based",
        r#""nodes": 3, "raft": { "pre_vote": true, "check_quorum": true, "lease_reads": true, "clock_drift_max": "0.1%" },
            "clocks": { "2": { "drift": "-2%" }, "1": { "periodic": { "amplitude": "1%", "period": "2s" } } }, "steps": [
            { "until": { "that": "single_leader", "bind": "old" } }, { "forget_leader": "all but old" },
            { "read": { "kind": "lease", "expect": "served", "at_least_index": 1, "bind": "who" } },
            { "isolate": "old" }, { "tick": { "nodes": "old", "timer": "heartbeat" } },
            { "tick": { "nodes": "followers", "timer": "election" } },
            { "read": { "at": "old", "kind": "read_index", "expect": "unanswered", "within": "100ms" } },
            { "read": { "at": "follower 0", "kind": "follower", "key": "k1" } },
            { "assert": { "reads": { "kind": "lease", "outcome": "served", "at_least": 1 } } },
            { "set_clock": { "nodes": 2, "drift": "0%", "step": "-5s" } },
            { "report_unreachable": { "at": "leader", "of": "old" } },
            { "transfer": { "from": "leader", "to": "old", "expect": "accepted" } },
            { "propose": { "to": "leader", "command": "x", "expect": "transferring" } }
        ]"#,
    );
    said(
        "mixed_options",
        r#""nodes": 3, "raft": { "in_flight_messages": 3, "in_flight_bytes": 1000, "bytes_per_append": 100,
                "uncommitted_bytes": 2000, "batch_delay": "2ms", "forward_proposals": true, "priority": 1,
                "apply_delay": { "constant": "1ms" }, "apply_window": 10, "sessions_max": 3 },
            "node_options": { "2": { "priority": 2, "check_quorum": true, "snapshot_after": 1000000000 } }, "steps": [
            { "propose": { "to": "follower 0", "command": "x", "expect": "forwarded" } },
            { "propose": { "command": "y", "count": 100, "bytes": 100 } },
            { "propose": { "command": "z", "expect": "too_much_uncommitted" } }
        ]"#,
    );
}

#[test]
fn asynchronous_storage_and_hand_delivery_can_be_said() {
    said(
        "async_storage_writes_append_aba_race",
        r#""nodes": 7, "storage": { "notice": { "uniform": ["0ms", "5ms"] } }, "steps": [
            { "hold": "all" }, { "hold_writes": 0 }, { "hold_applies": "all" }, { "campaign": 2 },
            { "deliver": { "from": 2, "kind": "RequestVote" } }, { "deliver": { "to": 2, "count": 3 } },
            { "deliver_one": { "from": 2, "to": 0, "kind": "AppendEntries" } }, { "complete_write": 0 },
            { "drop_pending": { "from": 2, "to": [4, 5, 6] } }, { "duplicate_pending": { "to": 0 } },
            { "shuffle": { "from": 2 } }, "shuffle", { "deliver": { "count": "until_quiet" } }, "deliver",
            { "complete_apply": "leader" }, { "release_applies": "all" }, { "release_writes": 0 },
            { "assert": { "index": { "of": 2, "which": "applied", "at_least": 1 } } }, { "release": "all" },
            { "note": "the old completion says nothing about the new entries" }, { "stop": "as at ====" }
        ]"#,
    );
    said(
        "slow_follower_after_compaction",
        r#""nodes": 3, "initial": { "0": { "term": 3, "vote": 0, "log": [1, 1, { "term": 2, "command": "x" }] },
                "1": { "log": [1, 1, { "term": 2, "command": "x" }, 3] }, "2": { "log": [1] } }, "steps": [
            { "assert": { "last_entry": { "of": 0, "index": 3, "term": 2 } } },
            { "drop_after": { "from": 1, "count": 2 } }, { "stop_dropping": "all" },
            { "pin": { "election_timeout": { "node": 0, "delays": ["151ms"] } } },
            { "pin": { "message": { "from": "leader", "to": "followers", "kind": "AppendEntries", "drop": true } } },
            { "unpin": 0 }, "unpin", "stop"
        ], "end": { "live": { "core": { "quorum": { "connectivity": "any" } }, "within": "30s" } }"#,
    );
    said("core", r#""nodes": 5, "end": { "live": { "core": "quorum" } }, "network": { "corrupt": "1%" }"#);
}
