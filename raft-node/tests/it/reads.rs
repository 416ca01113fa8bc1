//! Reads without the log (thesis §6.4), quorum checks and leases, by the host's clock.

use crate::world::{Host, accepted_in, append, events, request_vote, sends, vote};
use raft_node::{
    Input, LogIndex, Membership, Message, NodeId, Options, Output, Outputs, Payload, ROUND_OVER, ReadId,
    ReadMode, SnapshotMeta, Term,
};
use std::sync::Arc;

fn read(host: &mut Host, id: u64, mode: ReadMode) -> Outputs {
    host.run(Input::Read { id: ReadId(id), mode })
}

fn options(lease_reads: bool) -> Options {
    Options { check_quorum: true, lease_reads, ..Options::default() }
}

/// A leader of three in term 1 that has committed its first entry. One round was begun, and answered by one who holds up no
/// lease.
fn settled(options: Options) -> Host {
    let mut host = Host::with(0, 3, 0, None, &[], options);
    host.wait(1000);
    host.run(Input::Campaign);
    host.hear(1, vote(1, true));
    assert_eq!(host.letter(), 'L');
    host.propose("x=1");
    host.hear(1, accepted_in(1, 1, 1, false));
    assert_eq!(host.commit(), 1);
    host
}

/// etcd `TestReadOnlyOptionSafe`.
#[test]
fn a_read_is_served_when_a_quorum_has_answered_a_round_that_began_with_it() {
    let mut host = settled(Options::default());
    let out = read(&mut host, 7, ReadMode::Index);
    assert_eq!(events(&out), [""; 0]);
    assert_eq!(sends(&out).len(), 2);
    assert_eq!(
        events(&host.hear(1, accepted_in(1, 1, 1, true))),
        [""; 0],
        "an answer to what was sent before"
    );
    assert_eq!(events(&host.hear(1, accepted_in(2, 1, 1, false))), ["read 7 at 1"]);
    assert_eq!(events(&host.hear(2, accepted_in(2, 1, 1, false))), [""; 0], "answered once");
}

/// etcd `TestReadOnlyForNewLeader` (#7331): until then it does not know what is committed.
#[test]
fn a_read_waits_until_the_leader_has_committed_an_entry_of_its_own_term() {
    let mut host = Host::leader(3, 1, &[]);
    read(&mut host, 7, ReadMode::Index);
    assert_eq!(events(&host.hear(1, accepted_in(2, 1, 0, false))), [""; 0]);
    host.propose("x=1");
    assert_eq!(events(&host.hear(1, accepted_in(2, 1, 1, false))), ["commit 1", "apply 1", "read 7 at 1"]);
}

#[test]
fn reads_that_wait_are_refused_when_leadership_is_lost() {
    let mut host = settled(Options::default());
    read(&mut host, 7, ReadMode::Index);
    host.hear(2, Message::ReadIndex { term: Term(1), id: ReadId(8) });
    let out = host.hear(1, append(2, 0, 0, &[], 0));
    assert!(events(&out).contains(&"read 7 refused: LeaderLost".to_owned()));
    assert!(sends(&out).contains(&"2: ReadIndexResponse t2 read 8 refused".to_owned()));
}

#[test]
fn a_follower_asks_the_leader_and_one_without_refuses() {
    let mut host = Host::follower(1, &[]);
    assert_eq!(events(&read(&mut host, 6, ReadMode::Index)), ["read 6 refused: NoLeader"]);
    host.hear(1, append(1, 0, 0, &[], 0));
    assert_eq!(sends(&read(&mut host, 7, ReadMode::Lease)), ["1: ReadIndex t1 read 7"]);
    read(&mut host, 8, ReadMode::Index);
    let answer = Message::ReadIndexResponse { term: Term(1), id: ReadId(7), index: Some(LogIndex(4)) };
    assert_eq!(events(&host.hear(1, answer.clone())), ["read 7 at 4"]);
    assert_eq!(host.hear(1, answer), [], "doubled");
    let out = host.hear(2, request_vote(2, 0, 0));
    assert!(events(&out).contains(&"read 8 refused: LeaderLost".to_owned()));
}

#[test]
fn a_leader_answers_the_read_of_a_follower_when_it_is_confirmed() {
    let mut host = settled(Options::default());
    let asked = |term| Message::ReadIndex { term: Term(term), id: ReadId(8) };
    let out = sends(&host.hear(2, asked(1)));
    assert!(out.iter().all(|line| line.contains("AppendEntries")), "it begins a round, and answers later");
    assert_eq!(out.len(), 2);
    let out = host.hear(1, accepted_in(2, 1, 1, false));
    assert_eq!(sends(&out), ["2: ReadIndexResponse t1 read 8 at 1"]);
    // Whom nobody will confirm it is told so at once.
    let refused = ["2: ReadIndexResponse t1 read 8 refused"];
    assert_eq!(sends(&host.hear(2, asked(0))), refused, "asked in an earlier term");
    assert_eq!(sends(&Host::follower(1, &[]).hear(2, asked(1))), refused, "this one does not lead");
}

/// The index was confirmed while the term ran, but the one who asks in it has been told that the read is lost.
#[test]
fn an_answer_that_waits_for_a_write_does_not_leave_after_the_leaders_term() {
    for ends in [false, true] {
        let mut host = settled(Options::default());
        host.hear(2, Message::ReadIndex { term: Term(1), id: ReadId(8) });
        host.step(Input::Propose("x=2".into()));
        let confirmed = Input::Message { from: NodeId(1), message: accepted_in(2, 1, 1, false) };
        assert_eq!(sends(&host.step(confirmed)), [""; 0], "what it says may rest on what is not durable");
        if ends {
            host.hear_only(1, append(2, 0, 0, &[], 0));
        }
        let sent = sends(&host.sync()).iter().any(|line| line.contains("ReadIndexResponse"));
        assert_eq!(sent, !ends);
    }
}

#[test]
fn no_more_reads_wait_than_may() {
    let mut host = settled(Options::default());
    for id in 0..1024 {
        assert_eq!(events(&read(&mut host, id, ReadMode::Index)), [""; 0]);
    }
    assert_eq!(events(&read(&mut host, 1024, ReadMode::Index)), ["read 1024 refused: TooMany"]);
    assert_eq!(events(&host.hear(1, accepted_in(1025, 1, 1, false))).len(), 1024);
}

/// The lease is counted from when the leader asked, not from when it was answered.
#[test]
fn a_lease_lasts_the_shortest_election_timeout_from_the_round_that_a_quorum_holds_up() {
    let mut host = settled(options(true));
    host.heartbeat();
    host.wait(100);
    assert_eq!(events(&host.hear(1, accepted_in(2, 1, 1, true))), [""; 0]);
    assert_eq!(events(&read(&mut host, 1, ReadMode::Lease)), ["read 1 at 1"]);
    host.wait(49);
    assert_eq!(events(&read(&mut host, 2, ReadMode::Lease)), ["read 2 at 1"]);
    host.wait(1);
    assert_eq!(events(&read(&mut host, 3, ReadMode::Lease)), [""; 0], "150 ms after the round began");
    assert_eq!(
        events(&host.hear(2, accepted_in(3, 1, 1, false))),
        ["read 3 at 1"],
        "the quorum does instead"
    );
}

/// Each read begins a round: more of them in the time of an answer than are remembered must not forget the first.
#[test]
fn many_reads_at_once_do_not_keep_a_lease_from_being_renewed() {
    let mut host = settled(options(true));
    host.heartbeat();
    for id in 0..100 {
        read(&mut host, id, ReadMode::Index);
    }
    host.hear(1, accepted_in(2, 1, 1, true));
    assert_eq!(events(&read(&mut host, 100, ReadMode::Lease)), ["read 100 at 1"]);
}

/// Sixty-four rounds are remembered with their time: what is answered later counts from the last of these.
#[test]
fn a_lease_is_no_longer_for_rounds_that_are_not_remembered() {
    let mut host = settled(options(true));
    for round in 2..=80 {
        host.wait(1);
        read(&mut host, round, ReadMode::Index);
    }
    host.hear(1, accepted_in(80, 1, 1, true));
    host.wait(150 - (80 - 64) - 1);
    assert_eq!(events(&read(&mut host, 100, ReadMode::Lease)), ["read 100 at 1"]);
    host.wait(1);
    assert_eq!(events(&read(&mut host, 101, ReadMode::Lease)), [""; 0], "150 ms after round 64 began");
}

#[test]
fn there_is_no_lease_on_those_who_do_not_hold_it_up_nor_after_a_successor_was_told_to_stand() {
    let mut loose = settled(options(true));
    loose.heartbeat();
    loose.hear(1, accepted_in(2, 1, 1, false));
    assert_eq!(events(&read(&mut loose, 1, ReadMode::Lease)), [""; 0]);
    let mut host = settled(options(true));
    host.heartbeat();
    host.hear(1, accepted_in(2, 1, 1, true));
    assert_eq!(events(&read(&mut host, 1, ReadMode::Lease)), ["read 1 at 1"]);
    assert_eq!(sends(&host.run(Input::Transfer { to: NodeId(1) })), ["1: TimeoutNow t1"]);
    assert_eq!(events(&read(&mut host, 2, ReadMode::Lease)), [""; 0]);
    // It leads on, but what it said may still be on its way.
    host.wait(301);
    host.hear(1, accepted_in(3, 1, 1, true));
    host.heartbeat();
    assert_eq!((host.letter(), host.view().transferring_to), ('L', None));
    host.hear(1, accepted_in(4, 1, 1, true));
    assert_eq!(events(&read(&mut host, 3, ReadMode::Lease)), [""; 0], "not in this term");
}

#[test]
fn a_clock_that_went_back_ends_the_lease() {
    let mut host = settled(options(true));
    host.heartbeat();
    host.hear(1, accepted_in(2, 1, 1, true));
    host.now.0 -= 1;
    assert_eq!(events(&read(&mut host, 1, ReadMode::Lease)), [""; 0]);
}

/// etcd `checkquorum.txt`.
#[test]
fn a_leader_that_no_quorum_hears_steps_down_after_the_longest_election_timeout() {
    let mut host = settled(options(false));
    for _ in 0..6 {
        host.wait(50);
        host.heartbeat();
    }
    assert_eq!(host.letter(), 'L', "300 ms");
    host.hear(2, accepted_in(3, 1, 1, false));
    host.wait(300);
    host.heartbeat();
    assert_eq!(host.letter(), 'L', "one of two others was heard 300 ms ago");
    host.wait(1);
    assert_eq!(events(&host.heartbeat()), ["follower t1"]);
    let mut carefree = settled(Options::default());
    carefree.wait(1000);
    carefree.heartbeat();
    assert_eq!(carefree.letter(), 'L', "without the option it leads until it hears of another");
}

#[test]
fn a_living_leader_is_protected_for_the_shortest_election_timeout_and_not_from_its_own_successor() {
    let mut host = Host::with(0, 3, 1, None, &[], options(false));
    host.hear(1, append(1, 0, 0, &[], 0));
    host.wait(149);
    assert_eq!(host.hear(2, request_vote(2, 9, 9)), []);
    let mut forced = request_vote(2, 9, 9);
    if let Message::RequestVote { forced, .. } = &mut forced {
        *forced = true;
    }
    assert_eq!(sends(&host.clone().hear(2, forced)), ["2: RequestVoteResponse t2 granted"]);
    let mut forgetful = host.clone();
    assert_eq!(forgetful.run(Input::ForgetLeader), []);
    assert_eq!(sends(&forgetful.hear(2, request_vote(2, 9, 9))).len(), 1);
    host.wait(1);
    assert_eq!(sends(&host.hear(2, request_vote(2, 9, 9))), ["2: RequestVoteResponse t2 granted"]);
    let mut leader = settled(options(false));
    assert_eq!(leader.hear(2, request_vote(9, 9, 9)), []);
}

#[test]
fn one_who_stands_protects_the_leader_that_it_heard_no_more() {
    for stands in [false, true] {
        let mut host = Host::with(0, 3, 1, None, &[], options(false));
        host.hear(1, append(1, 0, 0, &[], 0));
        if stands {
            host.run(Input::Campaign);
        }
        assert_eq!(sends(&host.hear(2, request_vote(3, 9, 9))).len(), usize::from(stands));
    }
}

/// etcd #5468: who is ahead says so in its answers, and the leader makes way.
#[test]
fn one_who_was_cut_off_and_is_ahead_gets_back_in() {
    let mut leader = settled(options(false));
    let mut ahead = Host::with(2, 3, 7, None, &[], options(false));
    let message = leader
        .heartbeat()
        .into_iter()
        .find_map(|output| match output {
            Output::Send { to: NodeId(2), message } => Some(message),
            _ => None,
        })
        .expect("a heartbeat goes to all");
    let answer = ahead.hear(0, message);
    let [Output::Send { message, .. }] = answer.as_slice() else { panic!("one answer, not {answer:?}") };
    leader.hear(2, message.clone());
    assert_eq!((leader.letter(), leader.term()), ('F', 7));
}

/// Whom it heard before it does not know any more.
#[test]
fn a_node_with_leases_does_not_vote_or_stand_right_after_its_start() {
    let mut host = Host::with(0, 3, 1, None, &[], options(true));
    assert_eq!(host.hear(2, request_vote(2, 9, 9)), []);
    assert_eq!(host.run(Input::Campaign), []);
    host.run(Input::ForgetLeader);
    assert_eq!(host.hear(2, request_vote(2, 9, 9)), [], "it keeps its word");
    host.wait(150);
    assert_eq!(sends(&host.hear(2, request_vote(2, 9, 9))).len(), 1);
}

/// Found by the simulator, in one of 600,000 runs: who leads again took the answer to what it had sent in an earlier term for one
/// to a round of this term, and served a read from a lease that nobody held up.
#[test]
fn an_answer_to_what_was_sent_in_an_earlier_term_is_none_to_a_round_of_this_one() {
    let mut follower = Host::with(0, 3, 3, None, &[1], options(true));
    for stale in [append(2, 0, 0, &[], 0), install(2)] {
        let out = follower.hear(1, stale);
        let rounds: Vec<(u64, bool)> = out.iter().filter_map(answered).collect();
        assert_eq!(rounds, [(ROUND_OVER, false)]);
    }
    let rounds: Vec<(u64, bool)> =
        follower.hear(1, append(3, 1, 1, &[], 0)).iter().filter_map(answered).collect();
    assert_eq!(rounds, [(1, true)]);

    let mut leader = settled(options(true));
    leader.heartbeat();
    read(&mut leader, 7, ReadMode::Index);
    assert_eq!(events(&leader.hear(1, accepted_in(ROUND_OVER, 1, 1, true))), [""; 0]);
    assert_eq!(events(&read(&mut leader, 8, ReadMode::Lease)), [""; 0]);
    assert_eq!(events(&leader.hear(1, accepted_in(3, 1, 1, true))), ["read 7 at 1"]);
    // Nor does it show that the leader is still followed.
    leader.wait(301);
    leader.hear(1, accepted_in(ROUND_OVER, 1, 1, false));
    leader.heartbeat();
    assert_eq!(leader.letter(), 'F');
}

fn install(term: u64) -> Message {
    let membership =
        Arc::new(Membership::of_voters(&[NodeId(0), NodeId(1), NodeId(2)]).expect("there are some"));
    let meta = Arc::new(SnapshotMeta { index: LogIndex(5), term: Term(2), membership });
    Message::InstallSnapshot {
        term: Term(term),
        round: 1,
        meta,
        offset: 0,
        total: 1,
        chunk: Payload::new(&[7]),
    }
}

/// To which round an answer is, and whether it holds up a lease.
fn answered(output: &Output) -> Option<(u64, bool)> {
    match output {
        Output::Send { message: Message::AppendEntriesResponse { round, holds, .. }, .. } => {
            Some((*round, *holds))
        }
        Output::Send { message: Message::InstallSnapshotResponse { round, .. }, .. } => Some((*round, false)),
        _ => None,
    }
}
