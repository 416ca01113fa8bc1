//! Steps about members, links and disks that make no sense.

use crate::refused::{field_refused, steps_refused};

#[test]
fn changes_of_nothing() {
    steps_refused("{ \"change\": §\"4\" }", &["`4` changes nothing", "\"learner +5\""]);
    steps_refused("{ \"change\": §[] }", &["no change", "`leave_joint`"]);
    steps_refused("{ \"change\": [\"+3\", §\"*4\"] }", &["`*4` changes nothing"]);
    steps_refused("{ \"change\": §\"+9\" }", &["there is no node 9"]);
    steps_refused("{ \"change\": { \"changes\": [\"+3\", §\"-9\"] } }", &["there is no node 9"]);
    steps_refused("{ \"change\": [\"+3\", §\"-3\"] }", &["node 3 changes twice"]);
    steps_refused("{ \"change\": §\"+old\" }", &["`old` is not bound here"]);
    steps_refused("{ \"change\": §\"+\" }", &["an empty target"]);
    steps_refused(
        "{ \"change\": { \"changes\": \"+3\", \"transition\": §\"implict\" } }",
        &["did you mean `implicit`?"],
    );
    steps_refused(
        "{ \"change\": { \"changes\": \"+3\", \"expect\": §\"pending\" } }",
        &["unknown word `pending`", "`change_pending`"],
    );
    steps_refused("{ \"transfer\": §\"client 0\" }", &["`client 0` is no node"]);
    steps_refused("{ \"transfer\": §{ \"from\": \"leader\" } }", &["`to` is missing"]);
    steps_refused("{ \"leave_joint\": §8 }", &["there is no node 8"]);
    steps_refused("{ \"forget_leader\": §8 }", &["there is no node 8"]);
    steps_refused("{ \"tick\": { \"nodes\": 0, \"timer\": §\"hartbeat\" } }", &["did you mean `heartbeat`?"]);
    steps_refused("{ \"report_unreachable\": { \"at\": 0, \"of\": §9 } }", &["there is no node 9"]);
}

#[test]
fn reads_and_snapshots_of_nothing() {
    steps_refused("{ \"read\": §{} }", &["`kind` is missing"]);
    steps_refused("{ \"read\": { \"kind\": §\"leese\" } }", &["did you mean `lease`?"]);
    steps_refused("{ \"read\": { \"kind\": \"lease\", \"within\": §\"-1s\" } }", &["not a duration"]);
    steps_refused("{ \"read\": { \"kind\": \"lease\", \"key\": §\"X y\" } }", &["`X y` is not a key"]);
    steps_refused(
        "{ \"read\": { \"kind\": \"lease\", \"expect\": \"refused\", \"at_least_index\": §3 } }",
        &["has no index"],
    );
    steps_refused(
        "{ \"read\": { \"kind\": \"lease\", \"expect\": \"unanswered\", \"bind\": §\"who\" } }",
        &["served by no node"],
    );
    steps_refused("{ \"send_snapshot\": §{ \"from\": 1, \"to\": 1 } }", &["no link to itself"]);
    steps_refused("{ \"compact\": { \"nodes\": 0, §\"kep\": 3 } }", &["did you mean `keep`?"]);
    steps_refused("{ \"snapshot\": §\"clients\" }", &["`clients` is no node"]);
}

#[test]
fn disks_that_fail_in_no_way() {
    steps_refused("{ \"crash\": { \"nodes\": 0, \"keep\": §\"all\" } }", &["unknown word `all`", "`prefix`"]);
    steps_refused(
        "{ \"fail_write\": { \"nodes\": 0, \"what\": \"fsync\", \"after\": §1000001 } }",
        &["0 to 1000000"],
    );
    steps_refused("{ \"fail_write\": { \"nodes\": 0, \"what\": §\"sync\" } }", &["did you mean `fsync`?"]);
    steps_refused("{ \"set_crash_mode\": §{ \"nodes\": 0 } }", &["changes nothing", "`torn`"]);
    steps_refused("{ \"disarm\": §8 }", &["there is no node 8"]);
    steps_refused("{ \"slow_disk\": §{ \"nodes\": 0 } }", &["changes nothing", "`notice`"]);
    steps_refused("{ \"rot\": { \"nodes\": 0, \"file\": §\"tial\" } }", &["did you mean `tail`?"]);
    steps_refused("{ \"rot\": { \"nodes\": 0, \"file\": \"log\", \"at\": §\"here\" } }", &["\"random\""]);
    steps_refused("{ \"rot\": { \"nodes\": 0, \"file\": \"log\", \"bits\": §9 } }", &["1 to 8"]);
    steps_refused("{ \"misdirect_write\": §{ \"nodes\": 0 } }", &["`file` is missing"]);
    steps_refused("{ \"lie_about_fsync\": { \"nodes\": 0, \"on\": §1 } }", &["true or false"]);
    steps_refused("{ \"crash_at\": { \"node\": §[0, 1], \"operation\": 1 } }", &["expected one node"]);
    steps_refused("{ \"crash_at\": { \"node\": 0, \"operation\": §0 } }", &["0 is out of range"]);
    steps_refused("{ \"crash_at\": { \"node\": 0, \"operation\": §\"+0\" } }", &["0 is out of range"]);
    steps_refused(
        "{ \"crash_at\": { \"node\": 0, \"operation\": §\"last\" } }",
        &["`last` is no operation", "\"next\""],
    );
    steps_refused(
        "{ \"crash_at\": { \"node\": 0, \"operation\": \"next\", \"when\": §\"durign\" } }",
        &["unknown word", "`torn`"],
    );
    steps_refused("{ \"fill_disk\": { \"nodes\": 0, \"free\": §-1 } }", &["found the number -1"]);
    steps_refused("{ \"wipe\": §6 }", &["there is no node 6"]);
    steps_refused("{ \"set_clock\": §{ \"nodes\": 0 } }", &["changes nothing", "`step`"]);
    steps_refused("{ \"set_clock\": { \"nodes\": 0, \"step\": §\"-101d\" } }", &["101d is too long"]);
    steps_refused("{ \"set_clock\": { \"nodes\": 0, \"step\": §5 } }", &["a signed duration"]);
    steps_refused("{ \"set_clock\": { \"nodes\": 0, \"drift\": §\"60%\" } }", &["-50% to 50%"]);
}

#[test]
fn messages_that_cannot_be_meant() {
    steps_refused("{ \"deliver\": { \"count\": §0 } }", &["1 to 100000"]);
    steps_refused("{ \"deliver\": { \"count\": §5000000000 } }", &["out of range"]);
    steps_refused("{ \"deliver\": { \"count\": §\"untilquiet\" } }", &["\"until_quiet\""]);
    steps_refused("{ \"deliver\": { \"from\": §9 } }", &["there is no node 9"]);
    steps_refused("{ \"drop_after\": { \"from\": 0, \"count\": §1000001 } }", &["0 to 1000000"]);
    steps_refused("{ \"stop_dropping\": §9 }", &["there is no node 9"]);
    steps_refused("{ \"shuffle\": { \"to\": §9 } }", &["there is no node 9"]);
    steps_refused("{ \"duplicate_pending\": { §\"form\": 1 } }", &["did you mean `from`?"]);
    steps_refused("{ \"unpin\": §\"client 0\" }", &["no workload"]);
    steps_refused("{ \"set_link\": { \"from\": 0, \"to\": 1, \"corrupt\": §\"101%\" } }", &["at most 100%"]);
    steps_refused("{ \"note\": §\" \" }", &["an empty caption"]);
    steps_refused(&format!("{{ \"note\": §\"{}\" }}", "x".repeat(201)), &["201 characters", "at most 200"]);
    steps_refused("{ \"stop\": §\"a\\nb\" }", &["a single line"]);
    field_refused("\"network\": { \"corrupt\": §1 }", &["\"10%\""]);
    field_refused(
        "\"pins\": [{ \"message\": { \"from\": §\"leader\", \"to\": 1, \"kind\": \"AppendEntries\", \"drop\": true } }]",
        &["`leader` means nothing before the run"],
    );
}

#[test]
fn questions_without_an_answer() {
    let asked = |predicate: &str, words: &[&str]| {
        steps_refused(&format!("{{ \"assert\": {{ {predicate} }} }}"), words);
    };
    asked("\"index\": §{ \"of\": 0, \"which\": \"commit\" }", &["nothing is asked"]);
    asked(
        "\"index\": { \"of\": 0, \"which\": §\"first\", \"equals\": 1 }",
        &["unknown word `first`", "`base`"],
    );
    asked("\"index\": { \"of\": 0, \"which\": \"commit\", \"at_least\": §\"m\" }", &["`m` is not marked"]);
    asked(
        "\"index\": §{ \"of\": 0, \"which\": \"last\", \"at_least\": 3, \"at_most\": 2 }",
        &["bounds in order"],
    );
    asked("\"last_entry\": §{ \"of\": 0 }", &["nothing is asked", "`index` or `term`"]);
    asked("\"last_entry\": §{ \"of\": 0, \"index\": 0, \"term\": 1 }", &["only an empty log"]);
    asked("\"log_length\": §{ \"of\": 0 }", &["nothing is asked"]);
    asked("\"disk_bytes\": §{ \"of\": 0, \"file\": \"log\" }", &["nothing is asked"]);
    asked("\"storage_operations\": §{ \"of\": 0, \"equals\": 1, \"at_most\": 2 }", &["exact number"]);
    asked("\"members\": §{ \"of\": 0 }", &["nothing is asked", "`absent`"]);
    asked("\"members\": §{ \"of\": 0, \"absent\": true }", &["`at` with `absent`"]);
    asked("\"members\": §{ \"of\": 0, \"at\": 1, \"absent\": true, \"voters\": [0] }", &["`absent` alone"]);
    asked("\"members\": { \"of\": 0, \"at\": §0, \"voters\": [0] }", &["begins at index 1"]);
    asked("\"members\": { \"of\": 0, \"voters\": §[] }", &["without voters"]);
    asked("\"members\": { \"of\": 0, \"voters\": [0, §9] }", &["there is no node 9"]);
    asked("\"in_config\": { \"nodes\": §9 }", &["there is no node 9"]);
    asked("\"not_in_config\": { \"nodes\": 3, \"as\": §\"boss\" }", &["unknown word `boss`", "`voter`"]);
    asked("\"joint\": §{}", &["`of` is missing"]);
    asked("\"halted\": { \"of\": §9 }", &["there is no node 9"]);
    asked("\"reads\": §{ \"kind\": \"lease\" }", &["nothing is asked"]);
    asked("\"machine_equal\": { \"among\": §\"clients\" }", &["`clients` is no node"]);
}
