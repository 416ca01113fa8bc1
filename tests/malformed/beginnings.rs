//! Options, members, disks and clocks that make no sense.

use crate::refused::field_refused;
use seaworthy::scenario::Scenario;

#[track_caller]
fn raft_refused(fields: &str, words: &[&str]) {
    field_refused(&format!("\"raft\": {{ {fields} }}"), words);
}

#[test]
fn options_of_nodes_out_of_bounds() {
    raft_refused("\"priority\": §1000001", &["1000001 is out of range", "0 to 1000000"]);
    raft_refused("\"bytes_per_append\": §0", &["1 to 1073741824"]);
    raft_refused("\"in_flight_messages\": §0", &["1 to 65536"]);
    raft_refused("\"in_flight_bytes\": §1073741825", &["1 to 1073741824"]);
    raft_refused("\"uncommitted_bytes\": §0", &["1 to 1073741824"]);
    raft_refused("\"snapshot_after\": §0", &["1 to 1000000000"]);
    raft_refused("\"snapshot_keep\": §1000000001", &["0 to 1000000000"]);
    raft_refused("\"snapshot_chunk\": §0", &["1 to 1048576"]);
    raft_refused("\"snapshot_chunk\": §1048577", &["1 to 1048576"]);
    raft_refused("\"apply_window\": §0", &["1 to 1000000"]);
    raft_refused("\"sessions_max\": §0", &["1 to 65536"]);
    raft_refused("\"apply_delay\": { \"uniform\": §[\"2ms\", \"1ms\"] }", &["reversed"]);
    raft_refused("\"batch_delay\": §\"150ms\"", &["not below the shortest election timeout"]);
    raft_refused("\"clock_drift_max\": §\"50%\"", &["leaves nothing of a lease", "less than 50%"]);
    raft_refused("\"priority\": §-1", &["found the number -1"]);
    raft_refused("§\"prevote\": true", &["unknown field `prevote`", "did you mean `pre_vote`?"]);
}

#[test]
fn a_lease_without_what_makes_it_safe() {
    raft_refused("\"lease_reads\": §true", &["`check_quorum` with `lease_reads`"]);
    field_refused(
        "\"node_options\": { \"2\": { \"lease_reads\": §true } }",
        &["`check_quorum` with `lease_reads`"],
    );
    field_refused(
        "\"raft\": { \"lease_reads\": true, \"check_quorum\": true }, \"node_options\": { \"2\": { \"check_quorum\": §false } }",
        &["`check_quorum` with `lease_reads`"],
    );
    field_refused("\"node_options\": { \"2\": { \"batch_delay\": §\"1s\" } }", &["the batch delay (1s)"]);
    // What commands do must not depend on the node that applies them.
    field_refused("\"node_options\": { \"2\": { §\"sessions_max\": 3 } }", &["unknown field `sessions_max`"]);
}

#[test]
fn members_that_cannot_be() {
    field_refused("\"members\": §{}", &["`voters` is missing"]);
    field_refused("\"members\": { \"voters\": §[] }", &["no voters", "at least one"]);
    field_refused("\"members\": { \"voters\": [0, §5] }", &["there is no node 5"]);
    field_refused("\"members\": { \"voters\": [0, 1, §0] }", &["node 0 stands in `voters` already"]);
    field_refused(
        "\"members\": { \"voters\": [0, 1], \"learners\": [2, §1] }",
        &["node 1 stands in `voters` already"],
    );
    field_refused("\"down\": [0, §7]", &["there is no node 7"]);
    field_refused("\"down\": [0, §0]", &["node 0 stands in `down` already"]);
    field_refused("\"down\": §3", &["found the number 3", "a list"]);
}

#[test]
fn disks_that_cannot_hold_what_they_begin_with() {
    field_refused("\"initial\": { §\"5\": {} }", &["there is no node 5"]);
    field_refused(
        "\"initial\": { \"0\": { \"term\": §1, \"log\": [1, 2] } }",
        &["below term 2 of the last entry"],
    );
    field_refused("\"initial\": { \"0\": { \"log\": [2, §1] } }", &["term 1 after term 2"]);
    field_refused("\"initial\": { \"0\": { \"log\": [§0] } }", &["a term from 1"]);
    field_refused(
        "\"initial\": { \"0\": { \"log\": [1, §\"x\"] } }",
        &["found the text \"x\"", "a whole number"],
    );
    field_refused(
        "\"initial\": { \"0\": { \"log\": [{ \"term\": 1, \"command\": §\"\" }] } }",
        &["an empty command"],
    );
    field_refused(
        "\"initial\": { \"0\": { \"log\": [§1], \"snapshot\": { \"index\": 5, \"term\": 2 } } }",
        &["term 1 after term 2"],
    );
    field_refused(
        "\"initial\": { \"0\": { \"snapshot\": { \"index\": §0, \"term\": 2 } } }",
        &["0 is out of range"],
    );
    field_refused(
        "\"initial\": { \"0\": { \"snapshot\": { \"index\": 1, \"term\": §0 } } }",
        &["0 is out of range"],
    );
    let far = "{ \"snapshot\": { \"index\": 18446744073709551615, \"term\": 1 }, \"log\": [1] }";
    let marked = far.replace("18", "§18");
    field_refused(
        &format!("\"initial\": {{ \"0\": {marked}, \"1\": {{ \"log\": [1] }} }}"),
        &["18446744073709551615 is out of range", "1 to 9007199254740992"],
    );
    field_refused(
        "\"initial\": { \"0\": { \"term\": §9007199254740993 } }",
        &["9007199254740993 is out of range", "0 to 9007199254740992"],
    );
    field_refused(
        "\"initial\": { \"0\": { \"log\": [1, §9007199254740993] } }",
        &["9007199254740993 is out of range", "1 to 9007199254740992"],
    );
    field_refused("\"initial\": { \"0\": { \"term\": 1, \"vote\": §5 } }", &["there is no node 5"]);
    field_refused("\"initial\": { \"0\": { \"vote\": §1 } }", &["nobody votes in term 0"]);
    field_refused(
        "\"initial\": { \"0\": { \"log\": [1, 2, 2] }, \"3\": §{ \"log\": [1, 1, 2] } }",
        &["agrees with that of node 0", "not at index 2", "Raft §5.3"],
    );
    field_refused(
        "\"initial\": { \"0\": { \"log\": [1] }, \"1\": §{ \"log\": [{ \"term\": 1, \"command\": \"x\" }] } }",
        &["agrees with that of node 0", "not at index 1"],
    );
    field_refused(
        &format!("\"initial\": {{ \"0\": {{ \"log\": §[{}1] }} }}", "1, ".repeat(10_000)),
        &["10001 entries", "at most 10000"],
    );
}

#[test]
fn snapshots_that_end_with_different_entries() {
    let snapshot = "{ \"snapshot\": { \"index\": 3, \"term\": 2 } }";
    let twin = snapshot.replace("\"term\": 2", "\"term\": §1");
    field_refused(
        &format!("\"initial\": {{ \"0\": {snapshot}, \"2\": {twin} }}"),
        &["the snapshot of node 0 has the same index and term 2"],
    );
    let fits = [
        "{ \"log\": [1, 1] }",
        "{ \"log\": [1, 1, 2, 2] }",
        "{ \"log\": [1, 1, 1] }",
        "{ \"snapshot\": { \"index\": 1, \"term\": 1 }, \"log\": [1, 2] }",
        "{ \"snapshot\": { \"index\": 3, \"term\": 2 }, \"log\": [2, 2] }",
    ];
    for fits in fits {
        let text = format!(
            "{{ \"name\": \"x\", \"nodes\": 3, \"initial\": {{ \"0\": {snapshot}, \"1\": {fits}, \"2\": {snapshot} }} }}"
        );
        assert!(Scenario::parse("fits.json", &text).is_ok(), "{text}");
    }
}

#[test]
fn snapshots_of_what_no_majority_of_the_voters_has() {
    let members = "\"members\": { \"voters\": [0, 1, 2], \"learners\": [3] },";
    let refused =
        |initial: &str, why: &[&str]| field_refused(&format!("{members} \"initial\": {{ {initial} }}"), why);
    let own = "{ \"snapshot\": { \"index\": 3, \"term\": 2 } }";
    let told = own.replace("{ \"index", "§{ \"index");
    let few = ["0 of 3 voters", "1 of 3 voters"].map(|count| format!("{count} begin with the last entry"));
    let (none, one): (&[&str], &[&str]) =
        (&[&few[0], "expected at least 2"], &[&few[1], "index 3 in term 2"]);
    refused(&format!("\"1\": {told}"), one);
    // A log that is too short, one that ends otherwise, and a learner: none of them counts.
    refused(&format!("\"0\": {{ \"log\": [1, 1] }}, \"1\": {told}"), one);
    refused(&format!("\"0\": {{ \"log\": [1, 1, 1] }}, \"1\": {told}, \"3\": {own}"), one);
    // The later of two is what was committed last.
    let earlier = "{ \"snapshot\": { \"index\": 1, \"term\": 1 } }";
    refused(&format!("\"0\": {earlier}, \"1\": {told}, \"2\": {earlier}"), one);
    refused(&format!("\"3\": {told}"), none);
    // Who is no member counts as little, but may have it too.
    let members = "\"members\": { \"voters\": [0, 1, 2] },";
    field_refused(&format!("{members} \"initial\": {{ \"3\": {told} }}"), none);
    let log = "{ \"log\": [1, 1, 2] }";
    let text = format!(
        "{{ \"name\": \"x\", \"nodes\": 4, {members} \"initial\": {{ \"0\": {log}, \"1\": {log}, \"3\": {own} }} }}"
    );
    assert!(Scenario::parse("fits.json", &text).is_ok(), "{text}");
}

#[test]
fn somebody_who_would_be_elected_without_what_a_snapshot_covers() {
    let five = "{ \"snapshot\": { \"index\": 5, \"term\": 2 } }";
    field_refused(
        &format!(
            "\"initial\": {{ \"0\": {five}, \"1\": {five}, \"3\": {five}, \"2\": §{{ \"log\": [1, 1, 1, 1, 3] }} }}"
        ),
        &["5 of 5 voters would elect node 2", "index 5 and term 2", "snapshot of node 0"],
    );
    // Terms that go down from one snapshot to the next.
    let later = "{ \"snapshot\": { \"index\": 5, \"term\": 1 } }";
    field_refused(
        &format!(
            "\"initial\": {{ \"0\": §{{ \"snapshot\": {{ \"index\": 3, \"term\": 2 }} }}, \"1\": {later}, \"2\": {later}, \
             \"3\": {later} }}"
        ),
        &["5 of 5 voters would elect node 0"],
    );
    // Whoever holds a later entry of a majority's does not elect it.
    let ahead = "{ \"snapshot\": { \"index\": 5, \"term\": 2 }, \"log\": [4] }";
    let text = format!(
        "{{ \"name\": \"x\", \"nodes\": 3, \"initial\": {{ \"0\": {ahead}, \"1\": {ahead}, \"2\": {{ \"log\": [1, 1, 1, 1, 3] }} }} }}"
    );
    Scenario::parse("ahead.json", &text).unwrap();
}

#[test]
fn logs_that_nobody_can_compare_are_not_compared() {
    let far = "{ \"snapshot\": { \"index\": 18446744073709551615, \"term\": 1 }, \"log\": [1] }";
    let text = |before: &str| {
        format!("{{ \"name\": \"x\", \"nodes\": 3, {before} \"initial\": {{ \"0\": {far}, \"1\": {far} }} }}")
    };
    let problems = |text: &str| Scenario::parse("far.json", text).unwrap_err().problems().len();
    assert_eq!(problems(&text("")), 2);
    // Nor when so much was wrong before that nothing more is told.
    assert_eq!(problems(&text(&format!("\"down\": [{}9],", "9, ".repeat(200)))), 100);
}

#[test]
fn disks_and_clocks_that_are_nothing_special() {
    field_refused("\"storage\": { \"capacity\": §0 }", &["a disk of 0 bytes"]);
    field_refused(
        "\"storage\": { \"crash\": §\"loose\" }",
        &["unknown word `loose`", "did you mean `lose`?"],
    );
    field_refused("\"storage\": { \"notice\": { \"uniform\": §[\"2ms\", \"1ms\"] } }", &["reversed"]);
    field_refused("\"storage\": { \"nodes\": { \"3\": §{} } }", &["like any other", "`capacity`"]);
    field_refused("\"storage\": { \"nodes\": { \"3\": { \"capacity\": §0 } } }", &["a disk of 0 bytes"]);
    field_refused("\"clocks\": { §\"9\": { \"drift\": \"1%\" } }", &["no node 9"]);
    field_refused("\"clocks\": { \"3\": §{} }", &["like any other", "`drift`"]);
    field_refused(
        "\"clocks\": { \"3\": { \"drift\": §\"-51%\" } }",
        &["-51% is out of range", "-50% to 50%"],
    );
    field_refused("\"clocks\": { \"3\": { \"drift\": §-20000 } }", &["a signed percentage"]);
    field_refused("\"clocks\": { \"3\": { \"drift\": §\"2\" } }", &["percentage"]);
    field_refused(
        "\"clocks\": { \"3\": §{ \"drift\": \"1%\", \"periodic\": { \"amplitude\": \"1%\", \"period\": \"1s\" } } }",
        &["a clock has one rate"],
    );
    field_refused(
        "\"clocks\": { \"3\": { \"periodic\": { \"amplitude\": §\"51%\", \"period\": \"1s\" } } }",
        &["at most 50%"],
    );
    field_refused(
        "\"clocks\": { \"3\": { \"periodic\": { \"amplitude\": \"1%\", \"period\": §\"0s\" } } }",
        &["more than 0"],
    );
    field_refused("\"clocks\": { \"3\": { \"offset\": §\"101d\" } }", &["101d is too long"]);
    field_refused("\"clocks\": { \"3\": { \"offset\": §\"-1s\" } }", &["not a duration"]);
}

#[test]
fn ends_that_heal_nobody() {
    field_refused("\"end\": { \"live\": { \"core\": §\"some\" } }", &["unknown word `some`", "`quorum`"]);
    field_refused("\"end\": { \"live\": { \"core\": §{} } }", &["an empty object", "\"quorum\""]);
    field_refused(
        "\"end\": { \"live\": { \"core\": { \"quorum\": { \"connectivity\": §\"chian\" } } } }",
        &["did you mean `chain`?"],
    );
}
