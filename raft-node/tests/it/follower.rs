//! The follower's side of replication (Raft §5.3).

use crate::world::{Host, append, events, request_vote, sends};
use raft_node::{Input, Options, Output, Payload, Refusal};

/// What a follower with a log of these terms answers; and its log and its commit index after.
fn after(log: &[u64], term: u64, message: raft_node::Message) -> (String, Vec<u64>, u64) {
    let mut host = Host::follower(term, log);
    let out = host.hear(1, message);
    let lines = sends(&out);
    let [line] = lines.as_slice() else { panic!("one answer is expected, not {lines:?}") };
    (line.trim_start_matches("1: AppendEntriesResponse ").to_owned(), host.log(), host.commit())
}

/// etcd `TestFollowerCheckMsgApp`: the log is 1/1, 2/2.
#[test]
fn a_follower_accepts_only_what_follows_an_entry_that_it_has() {
    let rows = [
        ((0, 0), "t2 match 0"),
        ((1, 1), "t2 match 1"),
        ((2, 2), "t2 match 2"),
        ((1, 2), "t2 rejected prev 1 conflict 1/1"),
        ((2, 1), "t2 rejected prev 2 conflict 2/2"),
        ((3, 3), "t2 rejected prev 3 conflict 3/-"),
        ((0, 1), "t2 rejected prev 0 conflict 3/-"),
        ((u64::MAX, 2), "t2 rejected prev 18446744073709551615 conflict 3/-"),
    ];
    for ((prev, prev_term), expected) in rows {
        let (answer, log, _) = after(&[1, 2], 2, append(2, prev, prev_term, &[], 0));
        assert_eq!(answer, expected, "prev {prev}/{prev_term}");
        assert_eq!(log, [1, 2]);
    }
}

/// etcd `TestFollowerAppendEntries`: the log is 1/1, 2/2.
#[test]
fn a_follower_replaces_what_conflicts_and_keeps_what_agrees() {
    let rows: [(u64, u64, &[u64], &[u64]); 6] = [
        (2, 2, &[3], &[1, 2, 3]),
        (1, 1, &[3, 4], &[1, 3, 4]),
        (0, 0, &[1], &[1, 2]),
        (0, 0, &[3], &[3]),
        (0, 0, &[1, 2], &[1, 2]),
        (0, 0, &[1, 2, 3, 4], &[1, 2, 3, 4]),
    ];
    for (prev, prev_term, new, expected) in rows {
        let mut host = Host::follower(4, &[1, 2]);
        host.hear(1, append(4, prev, prev_term, new, 0));
        assert_eq!(host.log(), expected, "prev {prev}/{prev_term} + {new:?}");
        assert_eq!(host.disk.log, host.view().log, "what is durable is what is remembered");
    }
}

/// etcd `TestHandleMsgApp`: the log is 1/1, 2/2.
#[test]
fn a_follower_commits_what_the_leader_has_committed_and_the_message_vouches_for() {
    // prev, entries, leader's commit; answer, last index, commit
    type Row = ((u64, u64), &'static [u64], u64, &'static str, usize, u64);
    let rows: [Row; 12] = [
        ((2, 3), &[], 3, "rejected prev 2 conflict 2/2", 2, 0),
        ((3, 3), &[], 3, "rejected prev 3 conflict 3/-", 2, 0),
        ((1, 1), &[], 1, "match 1", 2, 1),
        ((0, 0), &[2], 1, "match 1", 1, 1),
        ((2, 2), &[2, 2], 3, "match 4", 4, 3),
        ((2, 2), &[2], 4, "match 3", 3, 3),
        ((1, 1), &[2], 4, "match 2", 2, 2),
        ((1, 1), &[], 3, "match 1", 2, 1),
        ((1, 1), &[2], 3, "match 2", 2, 2),
        ((2, 2), &[], 3, "match 2", 2, 2),
        ((2, 2), &[], 4, "match 2", 2, 2),
        ((0, 0), &[], u64::MAX, "match 0", 2, 0),
    ];
    for ((prev, prev_term), new, leader_commit, expected, last, commit) in rows {
        let (answer, log, committed) = after(&[1, 2], 2, append(2, prev, prev_term, new, leader_commit));
        let case = format!("prev {prev}/{prev_term} + {new:?} commit {leader_commit}");
        assert_eq!(answer, format!("t2 {expected}"), "{case}");
        assert_eq!((log.len(), committed), (last, commit), "{case}");
    }
}

/// etcd `TestFollowerCommitEntry`.
#[test]
fn a_follower_applies_what_is_committed_once_and_in_order() {
    let mut host = Host::follower(1, &[]);
    assert_eq!(
        events(&host.hear(1, append(1, 0, 0, &[1, 1, 1], 2))),
        ["append 1 +3", "commit 2", "apply 1", "apply 2"]
    );
    assert_eq!(events(&host.hear(1, append(1, 0, 0, &[1, 1, 1], 2))), Vec::<String>::new());
    assert_eq!(
        events(&host.hear(1, append(1, 3, 1, &[1], 4))),
        ["append 4 +1", "commit 4", "apply 3", "apply 4"]
    );
    assert_eq!((host.view().commit_index.0, host.view().applied_index.0), (4, 4));
}

/// etcd `TestHandleHeartbeat`.
#[test]
fn the_commit_index_never_decreases() {
    let mut host = Host::follower(1, &[1, 1, 1]);
    host.hear(1, append(1, 3, 1, &[], 2));
    for (prev, leader_commit) in [(3, 1), (3, 0), (1, 9), (0, 9)] {
        host.hear(1, append(1, prev, u64::from(prev > 0), &[], leader_commit));
        assert_eq!(host.commit(), 2);
    }
    host.hear(1, append(1, 3, 1, &[], 3));
    assert_eq!(host.commit(), 3);
}

#[test]
fn a_conflict_is_told_as_truncation_then_append_and_written_at_once() {
    let mut host = Host::follower(2, &[1, 1, 1]);
    let out = host.hear_only(1, append(2, 1, 1, &[2, 2], 0));
    assert_eq!(events(&out), ["truncate 2", "append 2 +2"]);
    let writes: Vec<&Output> = out.iter().filter(|output| matches!(output, Output::Persist { .. })).collect();
    assert_eq!(writes.len(), 1);
    host.sync();
    assert_eq!(host.disk.log, host.view().log);
}

/// etcd `TestAppendReordered`.
#[test]
fn late_and_doubled_appends_take_nothing_back() {
    let mut host = Host::follower(1, &[]);
    host.hear(1, append(1, 0, 0, &[1, 1, 1], 3));
    let late = [
        append(1, 0, 0, &[1], 1),
        append(1, 1, 1, &[1], 0),
        append(1, 0, 0, &[], 0),
        append(1, 2, 1, &[], 2),
        append(1, 0, 0, &[1, 1, 1], 3),
    ];
    for (message, match_index) in late.into_iter().zip([1, 2, 0, 2, 3]) {
        let out = host.hear(1, message);
        assert_eq!(events(&out), Vec::<String>::new());
        assert_eq!(sends(&out), [format!("1: AppendEntriesResponse t1 match {match_index}")]);
    }
    assert_eq!((host.log(), host.commit()), (vec![1, 1, 1], 3));
}

#[test]
fn entries_that_came_out_of_order_are_refused_until_the_gap_is_closed() {
    let mut host = Host::follower(1, &[]);
    let out = host.hear(1, append(1, 1, 1, &[1], 2));
    assert_eq!(sends(&out), ["1: AppendEntriesResponse t1 rejected prev 1 conflict 1/-"]);
    assert_eq!((host.log().len(), host.commit()), (0, 0));
    host.hear(1, append(1, 0, 0, &[1], 2));
    host.hear(1, append(1, 1, 1, &[1], 2));
    assert_eq!((host.log().len(), host.commit()), (2, 2));
}

#[test]
fn a_follower_never_reports_more_than_the_message_vouched_for() {
    // What follows in its log may be of a leader that was never heard again.
    let (answer, log, commit) = after(&[1, 1, 1, 1], 2, append(2, 2, 1, &[], 4));
    assert_eq!((answer.as_str(), log.len(), commit), ("t2 match 2", 4, 2));
}

#[test]
fn a_proposal_is_refused_with_the_leader_of_this_term_if_one_was_heard() {
    let propose = |host: &mut Host| host.run(Input::Propose(Payload::from("x=1")));
    let refused = |leader: Option<u16>| {
        let reason = Refusal::NotLeader { leader: leader.map(raft_node::NodeId) };
        [Output::Refused { reason }]
    };
    let mut host = Host::follower(1, &[]);
    assert_eq!(propose(&mut host), refused(None));
    host.hear(2, append(1, 0, 0, &[], 0));
    assert_eq!(propose(&mut host), refused(Some(2)));
    host.hear(1, request_vote(2, 0, 0));
    assert_eq!(propose(&mut host), refused(None), "the leader of an earlier term is none");
    host.run(Input::Campaign);
    assert_eq!(propose(&mut host), refused(None), "a candidate knows of none");
    assert_eq!(host.log().len(), 0);
}

#[test]
fn a_second_leader_of_its_own_term_is_ignored_by_a_leader() {
    let mut host = Host::leader(3, 2, &[1]);
    let before = host.node.clone();
    assert_eq!(host.hear(1, append(2, 0, 0, &[2, 2], 2)), []);
    assert_eq!(host.node, before);
}

#[test]
fn a_restart_forgets_what_is_committed_and_learns_it_again() {
    let mut host = Host::with(0, 3, 1, None, &[], Options::default());
    host.hear(1, append(1, 0, 0, &[1, 1], 2));
    assert_eq!(host.commit(), 2);
    host.restart();
    assert_eq!((host.commit(), host.log(), host.term()), (0, vec![1, 1], 1));
    let out = host.hear(1, append(1, 2, 1, &[], 2));
    assert_eq!(events(&out), ["commit 2", "apply 1", "apply 2"]);
}
