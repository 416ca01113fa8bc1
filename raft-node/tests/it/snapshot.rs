//! Snapshots: taken, compacted behind, sent and installed (Raft §7).

use crate::world::{Host, accepted, append, events, rejected, sends, voters};
use raft_node::{
    Durable, HardState, Input, LogIndex, Message, NodeId, Options, Output, Outputs, PersistId, Refusal,
    Snapshot, SnapshotMeta, Term,
};
use std::sync::Arc;

fn take(host: &mut Host, index: u64, data: &[u8]) -> Outputs {
    host.run(Input::Snapshot { index: LogIndex(index), data: data.into() })
}

/// Of another membership than the one with which the hosts begin.
fn meta(index: u64, term: u64) -> Arc<SnapshotMeta> {
    let membership = Arc::new(voters(&[0, 1, 2, 7]));
    Arc::new(SnapshotMeta { index: LogIndex(index), term: Term(term), membership })
}

fn part(term: u64, of: (u64, u64), offset: u64, total: u64, bytes: &[u8]) -> Message {
    let chunk = raft_node::Payload::new(bytes);
    Message::InstallSnapshot { term: Term(term), round: 1, meta: meta(of.0, of.1), offset, total, chunk }
}

fn received(term: u64, index: u64, received: u64, done: bool) -> Message {
    Message::InstallSnapshotResponse { term: Term(term), round: 1, index: LogIndex(index), received, done }
}

/// A follower that has applied five entries of term 1.
fn applied(options: Options) -> Host {
    let mut host = Host::with(0, 3, 1, None, &[], options);
    host.hear(1, append(1, 0, 0, &[1, 1, 1, 1, 1], 5));
    host
}

/// A leader in term 2 of a log of six that begins behind four; peer 1 is followed, of peer 2 nothing is
/// known.
fn compacted() -> Host {
    let options = Options { snapshot_chunk_bytes: 3, ..Options::default() };
    let mut host = Host::leader_with(3, 2, &[1, 1, 1, 1, 1], options);
    host.propose("x=1");
    host.hear(1, accepted(2, 6));
    assert_eq!(host.commit(), 6);
    take(&mut host, 4, b"abcdefgh");
    assert_eq!(host.view().base, (LogIndex(4), Term(1)));
    host
}

#[test]
fn the_log_goes_when_the_snapshot_is_durable_and_not_before() {
    let mut host = applied(Options { snapshot_keep: 1, ..Options::default() });
    let out = host.step(Input::Snapshot { index: LogIndex(4), data: [7].into() });
    assert_eq!(events(&out), ["snapshot 4/1"]);
    assert_eq!((host.log().len(), host.view().base.0.0), (5, 0));
    let (id, write) = host.writes.remove(0);
    assert_eq!(write.snapshot.as_deref().map(|snapshot| snapshot.index), Some(LogIndex(4)));
    host.disk.apply(write);
    assert_eq!(events(&host.step(Input::Persisted(id))), ["compacted 3"]);
    assert_eq!((host.log().len(), host.disk.log.len()), (2, 5), "the disk follows with a write of its own");
    host.sync();
    assert_eq!((host.disk.base, host.disk.log.len()), ((LogIndex(3), Term(1)), 2));
}

/// Were the second to take the place of the first, a node that takes them faster than its disk writes would keep its whole log.
#[test]
fn a_snapshot_that_is_durable_is_compacted_behind_though_a_newer_one_is_under_way() {
    let mut host = applied(Options::default());
    for index in [3, 5] {
        let out = host.step(Input::Snapshot { index: LogIndex(index), data: [7].into() });
        assert_eq!(events(&out), [format!("snapshot {index}/1")]);
    }
    for compacted in ["compacted 3", "compacted 5"] {
        let (id, write) = host.writes.remove(0);
        host.disk.apply(write);
        assert_eq!(events(&host.step(Input::Persisted(id))), [compacted]);
    }
}

#[test]
fn a_snapshot_of_what_was_not_applied_or_is_old_is_ignored() {
    let mut host = applied(Options::default());
    take(&mut host, 3, b"x");
    for index in [0, 2, 3, 6, u64::MAX] {
        assert_eq!(take(&mut host, index, b"x"), [], "{index}");
    }
}

#[test]
fn a_node_boots_from_its_snapshot_and_the_log_behind_it() {
    let mut host = applied(Options::default());
    take(&mut host, 3, b"x");
    let out = host.restart();
    assert_eq!(events(&out), ["install 3", "membership 3 voters=(0 1 2)"]);
    assert_eq!((host.commit(), host.view().applied_index.0, host.log().len()), (3, 3, 2));
    let out = host.hear(1, append(1, 5, 1, &[], 5));
    assert_eq!(events(&out), ["commit 5", "apply 4", "apply 5"]);
}

#[test]
fn entries_that_were_compacted_are_known_to_match() {
    let mut host = applied(Options::default());
    take(&mut host, 4, b"x");
    let answer = |host: &mut Host, message| sends(&host.hear(1, message));
    assert_eq!(answer(&mut host, append(1, 1, 1, &[1], 0)), ["1: AppendEntriesResponse t1 match 2"]);
    assert_eq!(answer(&mut host, append(1, 2, 1, &[1, 1, 1, 1], 0)), ["1: AppendEntriesResponse t1 match 6"]);
    assert_eq!(host.view().last_log_index.0, 6);
}

#[test]
fn one_who_lacks_what_was_compacted_gets_the_snapshot_in_parts_and_then_the_log() {
    let mut host = compacted();
    let line = |offset: u64, len: u64| format!("2: InstallSnapshot t2 snapshot 4/1 bytes {offset}+{len}/8");
    assert_eq!(sends(&host.hear(2, rejected(2, 5, None, 1))), [line(0, 3)]);
    assert_eq!(host.hear(2, received(2, 4, 0, false)), [], "said before, or again: the heartbeat sees to it");
    assert_eq!(sends(&host.hear(2, received(2, 4, 3, false))), [line(3, 3)]);
    assert_eq!(host.hear(2, received(2, 4, 3, false)), [], "doubled");
    let again = sends(&host.heartbeat());
    assert_eq!(again[1..], [line(3, 3), "2: AppendEntries t2 prev 4/1 +0 commit 6".to_owned()]);
    host.hear(2, received(2, 4, 0, false));
    assert_eq!(sends(&host.heartbeat())[1], line(0, 3), "it has lost what it had");
    assert_eq!(sends(&host.hear(2, received(2, 4, 6, false))), [line(6, 2)]);
    let out = host.hear(2, received(2, 4, 8, true));
    assert_eq!(sends(&out), ["2: AppendEntries t2 prev 4/1 +2 commit 6"]);
    assert_eq!(host.peer(2), (7, 4));
}

/// etcd `snapshot_succeed_via_app_resp.txt`.
#[test]
fn one_who_turns_out_to_have_the_log_needs_no_snapshot() {
    let mut host = compacted();
    host.hear(2, rejected(2, 5, None, 1));
    assert!(host.view().peers().any(|peer| peer.gets_snapshot));
    let out = host.hear(2, accepted(2, 4));
    assert_eq!(sends(&out), ["2: AppendEntries t2 prev 4/1 +2 commit 6"]);
    assert!(!host.view().peers().any(|peer| peer.gets_snapshot));
}

#[test]
fn a_snapshot_that_is_sent_is_not_changed_for_a_newer_one_and_that_follows_if_it_must() {
    let mut host = compacted();
    host.hear(2, rejected(2, 5, None, 1));
    take(&mut host, 6, b"newer");
    let out = host.hear(2, received(2, 4, 3, false));
    assert_eq!(sends(&out), ["2: InstallSnapshot t2 snapshot 4/1 bytes 3+3/8"]);
    let out = host.hear(2, received(2, 4, 8, true));
    assert_eq!(sends(&out), ["2: InstallSnapshot t2 snapshot 6/2 bytes 0+3/5"]);
    let out = host.hear(2, received(2, 6, 3, false));
    assert_eq!(sends(&out), ["2: InstallSnapshot t2 snapshot 6/2 bytes 3+2/5"]);
    assert_eq!(host.hear(2, received(2, 4, 8, true)), [], "doubled");
    assert_eq!(sends(&host.heartbeat())[1], "2: InstallSnapshot t2 snapshot 6/2 bytes 3+2/5");
}

#[test]
fn parts_are_put_together_in_order_and_installed_with_the_last() {
    let mut host = Host::follower(2, &[1, 1]);
    let answer = |host: &mut Host, message| sends(&host.hear(1, message));
    let line = |received: &str| [format!("1: InstallSnapshotResponse t2 snapshot 4 {received}")];
    assert_eq!(answer(&mut host, part(2, (4, 2), 3, 5, b"de")), line("received 0"), "not the first");
    assert_eq!(answer(&mut host, part(2, (4, 2), 0, 5, b"abc")), line("received 3"));
    assert_eq!(answer(&mut host, part(2, (4, 2), 0, 5, b"abc")), line("received 3"), "doubled");
    assert_eq!(answer(&mut host, part(2, (4, 2), 3, 5, b"def")), line("received 3"), "more than there is");
    let out = host.hear_only(1, part(2, (4, 2), 3, 5, b"de"));
    assert_eq!(
        events(&out),
        ["truncate 1", "installed 4/2", "install 4", "membership 4 voters=(0 1 2 7)"],
        "what was in the log conflicts with it, or could"
    );
    assert_eq!(sends(&out), [""; 0], "the answer waits for the write");
    assert_eq!(sends(&host.sync()), line("done"));
    assert_eq!((host.commit(), host.view().base, host.log().len()), (4, (LogIndex(4), Term(2)), 0));
    assert_eq!(host.disk.snapshot.as_deref().map(|snapshot| &*snapshot.data), Some(&b"abcde"[..]));
    assert_eq!(answer(&mut host, append(2, 4, 2, &[2], 5)), ["1: AppendEntriesResponse t2 match 5"]);
    let out = host.restart();
    assert_eq!(events(&out), ["install 4", "membership 4 voters=(0 1 2 7)"]);
    assert_eq!((host.commit(), host.log()), (4, vec![2]));
}

/// What is committed is in the snapshot too: it is replaced, and not taken back.
#[test]
fn a_snapshot_in_the_place_of_a_log_that_is_committed_truncates_nothing() {
    for terms in [&[][..], &[1, 1]] {
        let mut host = Host::follower(2, &[]);
        host.hear(1, append(2, 0, 0, terms, 2));
        let out = host.hear(1, part(2, (4, 2), 0, 1, b"x"));
        let expected = ["installed 4/2", "install 4", "membership 4 voters=(0 1 2 7)"];
        assert_eq!(events(&out), expected, "{terms:?}");
    }
}

#[test]
fn a_late_part_of_a_snapshot_that_is_there_already_takes_nothing_from_a_newer_one() {
    let mut host = Host::follower(2, &[]);
    host.hear(1, part(2, (2, 2), 0, 1, b"x"));
    assert_eq!(host.commit(), 2);
    host.hear(1, part(2, (4, 2), 0, 5, b"abc"));
    let late = host.hear(1, part(2, (2, 2), 0, 1, b"x"));
    assert_eq!(sends(&late), ["1: InstallSnapshotResponse t2 snapshot 2 done"]);
    host.hear(1, part(2, (4, 2), 3, 5, b"de"));
    assert_eq!(host.commit(), 4);
}

#[test]
fn parts_of_two_leaders_are_never_mixed() {
    let mut host = Host::follower(2, &[]);
    host.hear(1, part(2, (4, 2), 0, 5, b"abc"));
    let out = host.hear(2, part(3, (4, 2), 3, 5, b"xy"));
    assert_eq!(sends(&out), ["2: InstallSnapshotResponse t3 snapshot 4 received 0"]);
    assert_eq!(host.commit(), 0);
}

#[test]
fn a_log_that_has_the_snapshots_last_entry_is_kept_and_committed_so_far() {
    let mut host = Host::follower(2, &[1, 2, 2]);
    let out = host.hear(1, part(2, (2, 2), 0, 5, b"ab"));
    assert_eq!(sends(&out), ["1: InstallSnapshotResponse t2 snapshot 2 done"]);
    assert_eq!(events(&out), ["commit 2", "apply 1", "apply 2"]);
    assert_eq!(host.log(), [1, 2, 2]);
}

/// etcd `async_storage_writes_append_aba_race.txt`, with a snapshot in the place of the truncation.
#[test]
fn an_old_completion_confirms_nothing_of_a_log_that_a_snapshot_replaced() {
    let mut host = Host::with(0, 3, 1, None, &[], Options::default());
    host.hear_only(1, append(1, 0, 0, &[1, 1, 1, 1, 1, 1], 0));
    host.hear_only(2, part(2, (4, 2), 0, 1, b"x"));
    host.hear_only(2, append(2, 4, 2, &[2, 2], 0));
    let done = |host: &mut Host, id| sends(&host.step(Input::Persisted(PersistId(id))));
    assert_eq!(done(&mut host, 1), [""; 0]);
    assert_eq!(done(&mut host, 3), [""; 0]);
    assert_eq!(
        done(&mut host, 2),
        ["2: InstallSnapshotResponse t2 snapshot 4 done", "2: AppendEntriesResponse t2 match 6"]
    );
}

#[test]
fn a_log_is_dropped_on_request_as_far_as_a_durable_snapshot_covers_it() {
    let mut host = applied(Options { snapshot_keep: 9, ..Options::default() });
    host.run(Input::Compact { keep: 0 });
    assert_eq!(host.log(), [1; 5], "there is no snapshot");
    take(&mut host, 4, b"x");
    assert_eq!(host.log(), [1; 5], "all of it stays");
    for (keep, left) in [(2, 3), (3, 3), (1, 2), (0, 1), (0, 1)] {
        host.run(Input::Compact { keep });
        assert_eq!(host.log().len(), left, "{keep} stay");
    }
}

/// Nothing is written meanwhile: that the boot is over is what the demand has waited for.
#[test]
fn a_log_that_is_to_go_while_it_is_mended_goes_when_it_is() {
    let mut host = applied(Options { snapshot_keep: 9, ..Options::default() });
    take(&mut host, 4, b"x");
    host.restart_mending();
    assert_eq!(host.step(Input::Compact { keep: 0 }), []);
    assert_eq!(events(&host.mend()), ["compacted 4"]);
}

/// The snapshot that replaces what goes is not durable yet when the next demand comes.
#[test]
fn what_is_to_be_dropped_is_never_made_less_by_a_later_snapshot_or_demand() {
    let snapshot = |index: u64| Input::Snapshot { index: LogIndex(index), data: [7].into() };
    let demands = [
        [snapshot(3), Input::Compact { keep: 0 }, Input::Compact { keep: 2 }],
        [snapshot(3), Input::Compact { keep: 0 }, snapshot(4)],
        [snapshot(4), Input::Compact { keep: 1 }, Input::Compact { keep: 9 }],
    ];
    for demands in demands {
        let mut host = applied(Options { snapshot_keep: 9, ..Options::default() });
        let what = format!("{demands:?}");
        demands.into_iter().for_each(|demand| drop(host.step(demand)));
        assert_eq!(host.view().base.0, LogIndex(0), "{what}");
        host.sync();
        assert_eq!((host.view().base.0, host.disk.base.0), (LogIndex(3), LogIndex(3)), "{what}");
    }
}

#[test]
fn a_snapshot_is_sent_on_request_if_there_is_one() {
    let mut host = compacted();
    let out = host.run(Input::SendSnapshot { to: NodeId(1) });
    assert_eq!(sends(&out), ["1: InstallSnapshot t2 snapshot 4/1 bytes 0+3/8"]);
    let refused = |host: &mut Host, to| {
        let out = host.run(Input::SendSnapshot { to: NodeId(to) });
        matches!(out.as_slice(), [Output::Refused { .. }])
    };
    assert!(refused(&mut host, 0) && refused(&mut host, 9));
    let none = Output::Refused { reason: Refusal::NoSnapshot };
    assert_eq!(Host::leader(3, 1, &[]).run(Input::SendSnapshot { to: NodeId(1) }), [none]);
}

#[test]
fn a_disk_whose_log_does_not_go_on_behind_its_snapshot_is_mended() {
    let snapshot = Snapshot {
        index: LogIndex(4),
        term: Term(2),
        membership: Arc::new(voters(&[0, 1, 2])),
        data: [7].into(),
    };
    let hard = HardState { term: Term(2), vote: None };
    let log = crate::world::entries(&[1, 1]);
    let disk = Durable { hard, snapshot: Some(Arc::new(snapshot)), log, ..Durable::default() };
    let mut host = Host::boot(0, voters(&[0, 1, 2]), disk, Options::default());
    host.restart();
    host.sync();
    assert_eq!((host.disk.base, host.disk.log.len(), host.log().len()), ((LogIndex(4), Term(2)), 0, 0));
}
