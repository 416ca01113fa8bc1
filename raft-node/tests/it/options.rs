//! Each option does what it says: what a node would do without it stands beside it.

use crate::world::{Host, MS, accepted, append, events, rejected, request_vote, sends};
use raft_node::{Input, Message, NodeId, Options, Output, Refusal, Term, TimeoutRange, Timer};

/// How many entries each AppendEntries for `to` carries.
fn carried(out: &[Output], to: u16) -> Vec<usize> {
    let count = |output: &Output| match output {
        Output::Send { to: receiver, message: Message::AppendEntries { entries, .. } }
            if *receiver == NodeId(to) =>
        {
            Some(entries.len())
        }
        _ => None,
    };
    out.iter().filter_map(count).collect()
}

/// The bytes of an entry with a command of ten.
fn entry_bytes() -> u64 {
    let mut host = Host::leader(3, 1, &[]);
    host.propose("0123456789");
    u64::from(host.view().log[0].bytes())
}

/// A leader in term 1 of commands of ten bytes, of whose logs peer 1 refuses all.
fn lagged(options: Options, commands: usize) -> (Host, Vec<Output>) {
    let mut host = Host::leader_with(3, 1, &[], options);
    (0..commands).for_each(|_| drop(host.propose("0123456789")));
    host.heartbeat();
    let out = host.hear(1, accepted(1, 0));
    (host, out)
}

#[test]
fn a_message_carries_no_more_bytes_than_it_may_but_always_one_entry() {
    let entry = entry_bytes();
    for (bytes, count) in
        [(0, 5), (1, 1), (2 * entry - 1, 1), (2 * entry, 2), (4 * entry + 1, 4), (9 * entry, 5)]
    {
        let options = Options { bytes_per_append_max: bytes, ..Options::default() };
        assert_eq!(carried(&lagged(options, 5).1, 1), [count], "at most {bytes} bytes");
    }
}

#[test]
fn a_message_carries_no_more_entries_than_it_may() {
    for (entries, count) in [(1, 1), (3, 3), (5, 5), (6, 5)] {
        let options = Options { entries_per_append_max: entries, ..Options::default() };
        assert_eq!(carried(&lagged(options, 5).1, 1), [count], "at most {entries} entries");
    }
}

/// etcd `MaxInflightBytes`: one more is sent while less is on its way than may be.
#[test]
fn no_more_bytes_are_on_their_way_than_may_be_and_the_next_follow_as_they_arrive() {
    let entry = entry_bytes();
    for (bytes, sent) in [(1, 1), (entry, 1), (entry + 1, 2), (3 * entry, 3), (9 * entry, 5)] {
        let options = Options { in_flight_bytes_max: bytes, entries_per_append_max: 1, ..Options::default() };
        let (mut host, out) = lagged(options, 5);
        assert_eq!(carried(&out, 1), vec![1; sent], "at most {bytes} bytes");
        let left = 5 - sent;
        let out = host.hear(1, accepted(1, 1));
        assert_eq!(carried(&out, 1), vec![1; left.min(1)], "one has arrived, {bytes} bytes");
        assert_eq!(carried(&host.propose("0123456789"), 1).len(), usize::from(left == 0), "{bytes} bytes");
    }
}

#[test]
fn a_refusal_empties_what_is_on_its_way() {
    let options = Options { in_flight_bytes_max: 1, entries_per_append_max: 1, ..Options::default() };
    let (mut host, _) = lagged(options, 3);
    assert_eq!(carried(&host.propose("x"), 1), [0; 0]);
    assert_eq!(carried(&host.hear(1, rejected(1, 1, None, 1)), 1), [1]);
}

/// A refusal narrows what may be on its way, until the follower has everything: what comes then is new.
#[test]
fn who_has_everything_again_is_sent_all_that_is_new_at_once() {
    let options = Options { in_flight_messages_max: 4, entries_per_append_max: 1, ..Options::default() };
    let sent = |commands| {
        let (mut host, _) = lagged(options.clone(), commands);
        host.hear(1, rejected(1, 1, None, 1));
        host.hear(1, accepted(1, 2));
        let sends = |command: &&str| carried(&host.propose(command), 1).len();
        ["a", "b", "c", "d", "e"].iter().map(sends).sum::<usize>()
    };
    // Two of five had arrived, and there was room for two messages, which were sent then.
    assert_eq!((sent(2), sent(5)), (4, 0));
}

#[test]
fn a_leader_takes_no_more_bytes_than_may_wait_for_their_commit() {
    let taken = |max, commands: &[&str]| {
        let options = Options { uncommitted_bytes_max: max, ..Options::default() };
        let mut host = Host::leader_with(3, 1, &[], options);
        let refused = Output::Refused { reason: Refusal::TooMuchUncommitted };
        commands.iter().map(|command| !host.propose(command).contains(&refused)).collect::<Vec<_>>()
    };
    assert_eq!(taken(0, &["abc", "abc", "abc"]), [true; 3]);
    assert_eq!(taken(6, &["abc", "abc", "a"]), [true, true, false]);
    assert_eq!(taken(5, &["abc", "abc", "ab"]), [true, false, true], "a shorter one fits");
    assert_eq!(taken(1, &["abc", "a"]), [true, false], "one always does");
}

/// A candidate says its own priority, and a voter measures it by its own, whether it is asked for its vote or before.
#[test]
fn priority_is_said_with_each_question_and_decides_between_equal_logs() {
    for pre_vote in [false, true] {
        let options = Options { priority: 7, pre_vote, ..Options::default() };
        let mut host = Host::with(0, 3, 1, None, &[1], options);
        let out = host.run(Input::Campaign);
        let said = out.iter().find_map(|output| match output {
            Output::Send { message: Message::RequestVote { priority, .. }, .. } => Some((false, *priority)),
            Output::Send { message: Message::PreVote { priority, .. }, .. } => Some((true, *priority)),
            _ => None,
        });
        assert_eq!(said, Some((pre_vote, 7)));
    }
    let answer = |own: i64, asked: Message| {
        let mut host = Host::with(0, 3, 1, None, &[1], Options { priority: own, ..Options::default() });
        sends(&host.hear(1, asked)).remove(0)
    };
    let last = Message::PreVote {
        term: Term(2),
        last_log_index: raft_node::LogIndex(1),
        last_log_term: Term(1),
        priority: 0,
    };
    for (own, expected) in [(-1, "granted"), (0, "granted"), (1, "refused")] {
        assert_eq!(
            answer(own, request_vote(2, 1, 1)),
            format!("1: RequestVoteResponse t2 {expected}"),
            "{own}"
        );
        let term = if own > 0 { 1 } else { 2 };
        assert_eq!(answer(own, last.clone()), format!("1: PreVoteResponse t{term} {expected}"), "{own}");
    }
}

#[test]
fn a_leader_gathers_for_as_long_as_it_is_told_and_not_at_all_by_default() {
    let first = |batch_delay_ns| {
        let mut host = Host::leader_with(3, 1, &[], Options { batch_delay_ns, ..Options::default() });
        host.hear(1, accepted(1, 0));
        host.propose("x")
    };
    let at_once = first(0);
    assert_eq!(carried(&at_once, 1), [1]);
    assert!(!at_once.iter().any(|output| matches!(output, Output::SetTimer { .. })));
    for delay in [1, 3 * MS] {
        let out = first(delay);
        assert_eq!(carried(&out, 1), [0; 0]);
        let range = TimeoutRange { min_ns: delay, max_ns: delay };
        assert!(out.contains(&Output::SetTimer { timer: Timer::Batch, range }), "{delay}");
    }
}

#[test]
fn while_a_leader_gathers_an_answer_makes_it_send_only_to_one_who_lacks_more_than_what_is_gathered() {
    let mut host = Host::leader_with(3, 1, &[], Options { batch_delay_ns: MS, ..Options::default() });
    host.hear(1, accepted(1, 0));
    host.propose("a");
    assert_eq!(carried(&host.hear(1, accepted(1, 0)), 1), [0; 0], "it waits for what is gathered");
    host.run(Input::TimerFired(Timer::Batch));
    host.propose("b");
    assert_eq!(carried(&host.hear(1, accepted(1, 1)), 1), [0; 0], "and so it does now");
    assert_eq!(carried(&host.hear(2, accepted(1, 0)), 2), [2], "what was sent before went to the other only");
    host.propose("c");
    assert_eq!(carried(&host.hear(2, accepted(1, 2)), 2), [0; 0], "it was sent part of what is gathered");
}

/// What carries nothing needs no room.
#[test]
fn heartbeats_that_were_not_answered_are_not_on_their_way() {
    let options = Options { in_flight_messages_max: 1, in_flight_bytes_max: 1, ..Options::default() };
    let (mut host, _) = lagged(options, 0);
    (0..3).for_each(|_| drop(host.heartbeat()));
    assert_eq!([carried(&host.propose("x"), 1), carried(&host.propose("x"), 1)], [vec![1], vec![]]);
}

#[test]
fn a_follower_hands_a_command_on_only_if_it_is_told_to_and_knows_to_whom() {
    let asked = |forward_proposals, knows: bool| {
        let options = Options { forward_proposals, ..Options::default() };
        let mut host = Host::with(0, 3, 1, None, &[], options);
        if knows {
            host.hear(1, append(1, 0, 0, &[], 0));
        }
        host.propose("x")
    };
    let refused = |leader| vec![Output::Refused { reason: Refusal::NotLeader { leader } }];
    assert_eq!(asked(false, true), refused(Some(NodeId(1))));
    assert_eq!(asked(true, false), refused(None));
    let out = asked(true, true);
    assert_eq!((sends(&out).len(), events(&out)), (1, vec!["forwarded to 1".to_owned()]));
}

/// One who is handed a command counts it as if its own host had asked.
#[test]
fn what_is_handed_on_is_bound_as_what_is_proposed() {
    let options = Options { uncommitted_bytes_max: 2, ..Options::default() };
    let mut host = Host::leader_with(3, 1, &[], options);
    let forward = |command: &str| Message::Forward { term: Term(1), payload: command.into() };
    assert_eq!(events(&host.hear(1, forward("ab"))), ["append 1 +1"]);
    assert_eq!(host.hear(1, forward("c")), []);
    assert_eq!(host.propose("c"), [Output::Refused { reason: Refusal::TooMuchUncommitted }]);
    assert_eq!(host.log().len(), 1);
}
