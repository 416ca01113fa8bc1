//! Leadership handed over (thesis §3.10), and asking before one stands (thesis §9.6).

use crate::world::{Host, accepted, append, events, rejected, request_vote, sends, timers, vote};
use raft_node::{Input, Message, NodeId, Options, Output, Payload, Refusal, Term};

fn transfer(host: &mut Host, to: u16) -> Vec<Output> {
    host.run(Input::Transfer { to: NodeId(to) })
}

/// etcd `TestLeaderTransferToUpToDateNode`, `TestLeaderTransferToSlowFollower`.
#[test]
fn a_successor_is_told_to_stand_when_it_has_the_whole_log() {
    let mut host = Host::leader(3, 1, &[]);
    host.propose("x=1");
    host.hear(1, accepted(1, 1));
    assert_eq!(sends(&transfer(&mut host, 1)), ["1: TimeoutNow t1"]);
    let mut host = Host::leader(3, 1, &[]);
    host.hear(1, accepted(1, 0));
    host.propose("x=1");
    assert_eq!(sends(&transfer(&mut host, 1)), [""; 0], "its answer is on the way");
    assert_eq!(sends(&host.hear(1, accepted(1, 1))), ["1: TimeoutNow t1"]);
}

/// etcd `TestLeaderTransferIgnoreProposal`, `TestLeaderTransferTimeout`.
#[test]
fn proposals_are_refused_until_the_leader_gives_up_after_the_longest_election_timeout() {
    let mut host = Host::leader(3, 1, &[]);
    transfer(&mut host, 2);
    let refused = [Output::Refused { reason: Refusal::Transferring }];
    host.wait(299);
    host.heartbeat();
    assert_eq!(host.propose("x=1"), refused);
    assert_eq!(host.view().transferring_to, Some(NodeId(2)));
    host.wait(1);
    host.heartbeat();
    assert_ne!(host.propose("x=1"), refused);
    assert_eq!(host.view().transferring_to, None);
}

#[test]
fn another_successor_takes_the_place_of_the_first_and_to_ask_again_gives_it_no_more_time() {
    let mut host = Host::leader(3, 1, &[]);
    transfer(&mut host, 1);
    host.wait(100);
    transfer(&mut host, 2);
    assert_eq!(host.view().transferring_to, Some(NodeId(2)));
    host.wait(299);
    assert_eq!(transfer(&mut host, 2), []);
    host.heartbeat();
    assert_eq!(host.view().transferring_to, Some(NodeId(2)), "its time began when it was named");
    host.wait(1);
    host.heartbeat();
    assert_eq!(host.view().transferring_to, None);
}

#[test]
fn leadership_goes_to_another_voter_only_and_only_from_a_leader() {
    let mut host = Host::leader(3, 1, &[]);
    for to in [0, 7] {
        assert_eq!(transfer(&mut host, to), [Output::Refused { reason: Refusal::NotAVoter(NodeId(to)) }]);
    }
    let reason = Refusal::NotLeader { leader: None };
    assert_eq!(transfer(&mut Host::follower(1, &[]), 1), [Output::Refused { reason }]);
}

#[test]
fn one_who_is_told_to_stand_does_so_at_once_and_without_asking() {
    let options = Options { pre_vote: true, check_quorum: true, ..Options::default() };
    let mut host = Host::with(0, 3, 1, None, &[1], options);
    host.hear(1, append(1, 1, 1, &[], 0));
    assert_eq!(host.hear(2, Message::TimeoutNow { term: Term(1) }), [], "not by its leader");
    assert_eq!(host.hear(1, Message::TimeoutNow { term: Term(0) }), [], "of an earlier term");
    let out = host.hear(1, Message::TimeoutNow { term: Term(1) });
    assert_eq!(sends(&out), [1, 2].map(|to| format!("{to}: RequestVote t2 last 1/1 forced")));
}

fn pre_voter(log: &[u64]) -> Host {
    Host::with(0, 3, 1, None, log, Options { pre_vote: true, ..Options::default() })
}

fn pre_vote(term: u64, last: (u64, u64), priority: i64) -> Message {
    let Message::RequestVote { term, last_log_index, last_log_term, .. } = request_vote(term, last.0, last.1)
    else {
        unreachable!("a request is a request")
    };
    Message::PreVote { term, last_log_index, last_log_term, priority }
}

fn pre_answer(term: u64, granted: bool) -> Message {
    Message::PreVoteResponse { term: Term(term), granted }
}

#[test]
fn one_who_asks_first_enters_no_term_until_a_quorum_would_vote_for_it() {
    let mut host = pre_voter(&[1]);
    let out = host.run(Input::Campaign);
    assert_eq!(events(&out), ["pre-candidate t1"]);
    assert_eq!(sends(&out), [1, 2].map(|to| format!("{to}: PreVote t2 last 1/1")));
    assert_eq!((timers(&out), host.disk.hard.term), (vec!["set election".to_owned()], Term(1)));
    assert_eq!(host.hear(1, pre_answer(1, true)), [], "granted for another term");
    let out = host.hear(1, pre_answer(2, true));
    assert_eq!(events(&out), ["t2", "vote t2 0", "candidate t2"]);
    host.hear(2, vote(2, true));
    assert_eq!(host.letter(), 'L');
}

#[test]
fn one_whom_too_many_refuse_follows_and_one_who_lags_adopts_the_refusers_term() {
    let mut host = pre_voter(&[]);
    host.run(Input::Campaign);
    host.hear(1, pre_answer(1, false));
    host.hear(1, pre_answer(1, false));
    assert_eq!(host.letter(), 'P', "one refusal, doubled");
    assert_eq!(events(&host.hear(2, pre_answer(1, false))), ["follower t1"]);
    host.run(Input::Campaign);
    assert_eq!(events(&host.hear(1, pre_answer(5, false))), ["t5", "follower t5"]);
    assert_eq!(sends(&host.run(Input::Campaign))[0], "1: PreVote t6 last 0/0");
}

/// etcd `TestRecvMsgPreVote`.
#[test]
fn a_question_changes_nothing_and_is_answered_as_the_request_would_be() {
    let rows = [
        (2, (2, 2), "PreVoteResponse t3 granted", 3),
        (2, (3, 1), "PreVoteResponse t2 refused", 3),
        (4, (9, 9), "PreVoteResponse t4 refused", 3),
        (3, (2, 2), "PreVoteResponse t3 granted", 3),
    ];
    for (own_term, last, answer, asked) in rows {
        let mut host = Host::with(0, 3, own_term, None, &[2, 2], Options::default());
        let before = host.node.clone();
        assert_eq!(sends(&host.hear(1, pre_vote(asked, last, 0))), [format!("1: {answer}")]);
        assert_eq!(host.node, before);
    }
    for (from, answer) in [(1, "granted"), (2, "refused")] {
        let mut voted = Host::with(0, 3, 3, Some(1), &[], Options::default());
        let answered = sends(&voted.hear(from, pre_vote(3, (0, 0), 0)));
        assert_eq!(answered, [format!("{from}: PreVoteResponse t3 {answer}")], "its vote is the first one's");
    }
    let mut follows = Host::with(0, 3, 3, None, &[], Options::default());
    follows.hear(2, append(3, 0, 0, &[], 0));
    assert_eq!(sends(&follows.hear(1, pre_vote(3, (9, 9), 0))), ["1: PreVoteResponse t3 refused"]);
}

/// tikv/raft-rs `test_prefer_low_priority`-like rows; a better log goes before priority.
#[test]
fn a_voter_refuses_a_lower_priority_unless_the_log_is_better() {
    let rows =
        [(0, (2, 2), false), (1, (2, 2), true), (2, (2, 2), true), (0, (3, 2), true), (0, (1, 3), true)];
    for (priority, (index, term), granted) in rows {
        let options = Options { priority: 1, ..Options::default() };
        let mut host = Host::with(0, 3, 3, None, &[2, 2], options);
        let mut request = request_vote(4, index, term);
        if let Message::RequestVote { priority: of_candidate, .. } = &mut request {
            *of_candidate = priority;
        }
        let expected = if granted { "granted" } else { "refused" };
        assert_eq!(sends(&host.hear(1, request)), [format!("1: RequestVoteResponse t4 {expected}")]);
    }
}

/// etcd `replicate_pause.txt` (#14633).
#[test]
fn a_window_that_is_full_of_lost_messages_is_opened_by_the_next_heartbeat() {
    let options = Options { in_flight_messages_max: 2, ..Options::default() };
    let mut host = Host::leader_with(3, 1, &[], options);
    host.hear(1, accepted(1, 0));
    let sent = |host: &mut Host| sends(&host.propose("x=1")).len();
    assert_eq!([sent(&mut host), sent(&mut host), sent(&mut host)], [1, 1, 0], "two may be on their way");
    assert_eq!(sends(&host.heartbeat())[0], "1: AppendEntries t1 prev 2/1 +0 commit 0");
    assert_eq!(sends(&host.hear(1, rejected(1, 2, None, 1))), ["1: AppendEntries t1 prev 0/0 +3 commit 0"]);
    host.hear(1, accepted(1, 3));
    assert_eq!((host.peer(1), host.commit()), ((4, 3), 3));
}

#[test]
fn what_waited_for_the_window_goes_out_as_it_opens() {
    let options = Options { in_flight_messages_max: 2, entries_per_append_max: 1, ..Options::default() };
    let mut host = Host::leader_with(3, 1, &[], options);
    host.hear(1, accepted(1, 0));
    (0..5).for_each(|_| drop(host.propose("x=1")));
    assert_eq!(sends(&host.hear(1, accepted(1, 2))).len(), 2);
    assert_eq!(sends(&host.hear(1, accepted(1, 3))).len(), 1);
    assert_eq!(host.peer(1), (6, 3));
}

#[test]
fn one_who_cannot_be_reached_is_probed_from_what_is_known() {
    let mut host = Host::leader(3, 1, &[]);
    host.hear(1, accepted(1, 0));
    (0..3).for_each(|_| drop(host.propose("x=1")));
    host.run(Input::Unreachable(NodeId(1)));
    assert_eq!(host.peer(1), (1, 0));
    assert_eq!(sends(&host.heartbeat())[0], "1: AppendEntries t1 prev 0/0 +3 commit 0");
}

#[test]
fn gathered_proposals_go_out_together_when_the_timer_runs_out_or_a_message_is_full() {
    let options = Options { batch_delay_ns: 5, entries_per_append_max: 3, ..Options::default() };
    let mut host = Host::leader_with(3, 1, &[], options);
    host.hear(1, accepted(1, 0));
    let out = host.propose("a");
    assert_eq!((timers(&out), sends(&out)), (vec!["set batch".to_owned()], vec![]));
    assert_eq!((timers(&host.propose("b")), host.log().len()), (vec![], 2));
    let out = host.run(Input::TimerFired(raft_node::Timer::Batch));
    assert_eq!(sends(&out), ["1: AppendEntries t1 prev 0/0 +2 commit 0"]);
    host.propose("c");
    host.propose("d");
    let out = host.propose("e");
    assert_eq!(timers(&out), ["cancel batch"]);
    assert_eq!(sends(&out), ["1: AppendEntries t1 prev 2/1 +3 commit 0"]);
    host.propose("f");
    assert!(timers(&host.hear(1, append(2, 0, 0, &[], 0))).contains(&"cancel batch".to_owned()));
}

/// etcd `TestUncommittedEntryLimit`.
#[test]
fn too_much_that_is_not_committed_is_refused_but_one_command_always_fits() {
    let options = Options { uncommitted_bytes_max: 4, ..Options::default() };
    let mut host = Host::leader_with(3, 1, &[], options);
    let refused = Output::Refused { reason: Refusal::TooMuchUncommitted };
    assert!(!host.propose("too long").contains(&refused));
    assert!(host.propose("x").contains(&refused));
    host.hear(1, accepted(1, 1));
    assert!(!host.propose("abc").contains(&refused));
    assert_eq!(host.propose("de"), [refused]);
    assert_eq!(host.log().len(), 2);
}

#[test]
fn a_follower_hands_a_command_on_and_the_leader_takes_it_in_its_own_term_only() {
    let mut host = Host::with(0, 3, 1, None, &[], Options { forward_proposals: true, ..Options::default() });
    host.hear(1, append(1, 0, 0, &[], 0));
    let out = host.propose("x=1");
    assert_eq!(
        (sends(&out), events(&out)),
        (vec!["1: Forward t1 \"x=1\"".to_owned()], vec!["forwarded to 1".to_owned()])
    );
    let forward = |term| Message::Forward { term: Term(term), payload: Payload::from("x=1") };
    let mut leader = Host::leader(3, 2, &[]);
    assert_eq!(leader.hear(1, forward(1)), []);
    assert_eq!(events(&leader.hear(1, forward(2))), ["append 1 +1"]);
}

#[test]
fn no_more_is_handed_out_than_the_window_lets() {
    let options = Options { apply_window: 2, ..Options::default() };
    let mut host = Host::with(0, 3, 1, None, &[], options);
    let out = host.hear(1, append(1, 0, 0, &[1, 1, 1, 1, 1], 5));
    assert_eq!(events(&out), ["append 1 +5", "commit 5", "apply 1", "apply 2"]);
    let applied = |host: &mut Host, index| events(&host.run(Input::Applied(raft_node::LogIndex(index))));
    assert_eq!(applied(&mut host, 1), ["apply 3"]);
    assert_eq!(applied(&mut host, 1), [""; 0]);
    assert_eq!(applied(&mut host, u64::MAX), ["apply 4", "apply 5"]);
}
