//! Nothing is promised that a crash could take back.

use crate::world::{Chance, Host, accepted, append, entries, events, request_vote, sends, vote};
use raft_node::{
    HardState, Input, LogIndex, LogWrite, NodeId, Options, Output, Payload, PersistId, Term, Write,
};

const NOTHING: [&str; 0] = [];

#[test]
fn a_vote_leaves_only_when_it_is_durable() {
    let mut host = Host::new(0, 3);
    let out = host.hear_only(1, request_vote(1, 0, 0));
    assert_eq!(sends(&out), NOTHING);
    let hard = HardState { term: Term(1), vote: Some(NodeId(1)) };
    let write = Write { hard: Some(hard), ..Write::default() };
    assert_eq!(out.last(), Some(&Output::Persist { id: PersistId(1), write }), "term and vote in one write");
    assert_eq!(sends(&host.sync()), ["1: RequestVoteResponse t1 granted"]);
}

#[test]
fn a_vote_that_is_asked_for_again_is_granted_again_and_written_once() {
    let mut host = Host::new(0, 3);
    host.hear(1, request_vote(1, 0, 0));
    let out = host.hear_only(1, request_vote(1, 0, 0));
    assert_eq!(sends(&out), ["1: RequestVoteResponse t1 granted"]);
    assert_eq!(events(&out), NOTHING);
    assert!(host.writes.is_empty());
}

#[test]
fn an_acceptance_leaves_only_when_the_entries_are_durable() {
    let mut host = Host::follower(1, &[1]);
    let out = host.hear_only(1, append(1, 1, 1, &[1, 1], 0));
    assert_eq!(sends(&out), NOTHING);
    let log = LogWrite { first: LogIndex(2), entries: entries(&[1, 1]).into() };
    assert_eq!(
        out.last(),
        Some(&Output::Persist { id: PersistId(1), write: Write { log: Some(log), ..Write::default() } })
    );
    assert_eq!(sends(&host.sync()), ["1: AppendEntriesResponse t1 match 3"]);
}

#[test]
fn requests_for_votes_leave_only_when_the_candidacy_is_durable() {
    let mut host = Host::new(0, 3);
    assert_eq!(sends(&host.step(Input::Campaign)), NOTHING);
    let out = host.sync();
    assert_eq!(sends(&out), ["1: RequestVote t1 last 0/0", "2: RequestVote t1 last 0/0"]);
}

#[test]
fn a_refusal_tells_a_new_term_only_when_the_term_is_durable() {
    let mut host = Host::follower(1, &[1]);
    assert_eq!(sends(&host.hear_only(1, request_vote(5, 0, 0))), NOTHING);
    assert_eq!(sends(&host.sync()), ["1: RequestVoteResponse t5 refused"]);
}

#[test]
fn an_answer_that_changes_nothing_waits_for_what_is_under_way_and_else_for_nothing() {
    let mut host = Host::follower(1, &[]);
    assert_eq!(sends(&host.hear_only(1, append(1, 0, 0, &[], 0))), ["1: AppendEntriesResponse t1 match 0"]);
    host.hear_only(1, append(1, 0, 0, &[1], 0));
    let out = host.hear_only(1, append(1, 0, 0, &[1], 0));
    assert_eq!(sends(&out), NOTHING, "what it says is not durable yet");
    assert!(
        !out.iter().any(|output| matches!(output, Output::Persist { .. })),
        "there is nothing new to write"
    );
    assert_eq!(sends(&host.sync()), vec!["1: AppendEntriesResponse t1 match 1"; 2]);
}

#[test]
fn appends_leave_before_the_leaders_own_write_is_durable() {
    let mut host = Host::leader(3, 1, &[]);
    host.hear(1, accepted(1, 0));
    let out = host.step(Input::Propose(Payload::from("x=1")));
    assert_eq!(sends(&out), ["1: AppendEntries t1 prev 0/0 +1 commit 0"]);
    assert!(matches!(out.last(), Some(Output::Persist { .. })));
}

#[test]
fn writes_are_done_only_when_all_before_them_are() {
    let mut host = Host::follower(1, &[]);
    for prev in 0..3 {
        host.hear_only(1, append(1, prev, u64::from(prev > 0), &[1], 0));
    }
    assert_eq!(sends(&host.step(Input::Persisted(PersistId(3)))), NOTHING);
    assert_eq!(sends(&host.step(Input::Persisted(PersistId(2)))), NOTHING);
    let out = host.step(Input::Persisted(PersistId(1)));
    assert_eq!(sends(&out), [1, 2, 3].map(|index| format!("1: AppendEntriesResponse t1 match {index}")));
}

#[test]
fn a_completion_that_is_doubled_or_of_no_write_is_ignored() {
    let mut host = Host::follower(1, &[]);
    for id in [0, 1, 2, u64::MAX] {
        assert_eq!(host.step(Input::Persisted(PersistId(id))), []);
    }
    host.hear_only(1, append(1, 0, 0, &[1], 0));
    host.hear_only(1, append(1, 1, 1, &[1], 0));
    assert_eq!(sends(&host.step(Input::Persisted(PersistId(1)))), ["1: AppendEntriesResponse t1 match 1"]);
    for id in [0, 1, 3, u64::MAX] {
        assert_eq!(host.step(Input::Persisted(PersistId(id))), []);
    }
    assert_eq!(sends(&host.step(Input::Persisted(PersistId(2)))), ["1: AppendEntriesResponse t1 match 2"]);
}

#[test]
fn a_promise_whose_term_is_over_is_dropped() {
    let mut host = Host::follower(1, &[]);
    host.hear_only(1, append(1, 0, 0, &[1, 1], 0));
    host.hear_only(2, append(2, 0, 0, &[2], 0));
    // The first write did store what the leader of term 1 sent, but it is replaced already.
    assert_eq!(sends(&host.step(Input::Persisted(PersistId(1)))), NOTHING);
    assert_eq!(sends(&host.step(Input::Persisted(PersistId(2)))), ["2: AppendEntriesResponse t2 match 1"]);
}

/// etcd `async_storage_writes_append_aba_race.txt`.
#[test]
fn an_old_completion_never_confirms_what_has_come_in_the_place_of_what_it_wrote() {
    let mut host = Host::with(0, 3, 1, None, &[], Options::default());
    host.hear_only(1, append(1, 0, 0, &[1, 1], 0));
    host.hear_only(2, append(2, 0, 0, &[2], 0));
    host.step(Input::Campaign);
    // Writes: 1 = entries 1 and 2 of term 1, 2 = entry 1 of term 2, 3 = candidacy in term 3.
    for id in 1..=3 {
        host.step(Input::Persisted(PersistId(id)));
    }
    host.hear_only(1, vote(3, true));
    host.step(Input::Propose(Payload::from("x=1")));
    host.hear_only(1, accepted(3, 2));
    assert_eq!(
        host.commit(),
        0,
        "entry 2 of term 3 is durable at one of three; write 1 was of another entry 2"
    );
    host.step(Input::Persisted(PersistId(4)));
    assert_eq!(host.commit(), 2);
}

#[test]
fn a_truncation_takes_back_what_was_durable() {
    let mut host = Host::with(0, 3, 1, None, &[1, 1, 1], Options::default());
    host.hear_only(2, append(2, 1, 1, &[2], 0));
    host.step(Input::Campaign);
    host.step(Input::Persisted(PersistId(1)));
    host.step(Input::Persisted(PersistId(2)));
    host.hear_only(1, vote(3, true));
    // Three entries were durable, then two: the third of now is not the third of then.
    host.step(Input::Propose(Payload::from("x=1")));
    host.hear_only(1, accepted(3, 3));
    assert_eq!((host.log(), host.commit()), (vec![1, 2, 3], 0));
    host.step(Input::Persisted(PersistId(3)));
    assert_eq!(host.commit(), 3);
}

#[test]
fn no_vote_counts_before_the_candidacy_is_durable() {
    let mut host = Host::new(0, 3);
    host.step(Input::Campaign);
    // Nobody was asked yet: whoever answers, answers something else.
    for voter in [1, 2] {
        assert_eq!(events(&host.hear_only(voter, vote(1, true))), NOTHING);
    }
    host.sync();
    assert_eq!(host.letter(), 'C');
    host.hear_only(1, vote(1, true));
    assert_eq!(host.letter(), 'L');
}

#[test]
fn the_durability_of_an_earlier_candidacy_does_not_count_for_a_later_one() {
    let mut host = Host::new(0, 1);
    host.step(Input::Campaign);
    host.step(Input::Campaign);
    host.step(Input::Persisted(PersistId(1)));
    assert_eq!((host.letter(), host.term()), ('C', 2));
    host.step(Input::Persisted(PersistId(2)));
    assert_eq!(host.letter(), 'L');
}

#[test]
fn a_node_restarts_from_what_was_durable_and_forgets_the_rest() {
    let mut host = Host::new(0, 3);
    host.hear(1, append(1, 0, 0, &[1, 1], 1));
    host.hear_only(1, append(1, 2, 1, &[1], 3));
    host.hear_only(2, request_vote(2, 9, 9));
    assert_eq!((host.term(), host.vote(), host.log().len()), (2, Some(2), 3));
    host.restart();
    assert_eq!((host.term(), host.vote(), host.log().len()), (1, None, 2));
    let out = host.hear_only(2, request_vote(2, 9, 9));
    assert!(matches!(out.last(), Some(Output::Persist { id: PersistId(1), .. })), "ids begin again");
}

/// One byte may rot: what stands in one copy only could be lost in the next crash.
#[test]
fn what_was_found_is_not_vouched_for_before_it_is_mended() {
    let mut host = Host::new(0, 3);
    host.hear(1, request_vote(1, 0, 0));
    host.restart_mending();
    assert_eq!(sends(&host.hear_only(1, request_vote(1, 0, 0))), NOTHING, "nor a vote that was given before");
    assert_eq!(sends(&host.mend()), ["1: RequestVoteResponse t1 granted"]);
    assert_eq!(sends(&host.mend()), NOTHING, "once");

    let mut host = Host::follower(1, &[1]);
    host.restart_mending();
    assert_eq!(sends(&host.hear_only(1, append(1, 1, 1, &[], 0))), NOTHING);
    // A later write that is done does not show that what it rests on is.
    host.hear_only(1, append(1, 1, 1, &[1], 0));
    assert_eq!(sends(&host.sync()), NOTHING);
    assert_eq!(
        sends(&host.mend()),
        ["1: AppendEntriesResponse t1 match 1", "1: AppendEntriesResponse t1 match 2"]
    );
}

#[test]
fn a_leaders_own_log_counts_only_when_it_is_mended() {
    let mut host = Host::with(0, 1, 1, None, &[1, 1], Options::default());
    host.restart_mending();
    host.step(Input::Campaign);
    assert_eq!(
        (sends(&host.sync()), host.letter()),
        (vec![], 'C'),
        "its candidacy rests on the term it found"
    );
    host.mend();
    assert_eq!((host.letter(), host.commit()), ('L', 0));
    host.propose("x");
    assert_eq!(host.commit(), 3);
}

#[test]
fn what_is_cut_while_it_is_mended_is_not_durable_afterwards() {
    let mut host = Host::follower(2, &[1, 1]);
    host.restart_mending();
    host.hear_only(1, append(2, 1, 1, &[2], 0));
    assert_eq!(sends(&host.mend()), NOTHING);
    assert_eq!(sends(&host.sync()), ["1: AppendEntriesResponse t2 match 2"]);
}

#[test]
fn a_step_asks_for_one_write_at_most_and_last() {
    let mut chance = Chance::new(11);
    let mut host =
        Host::with(0, 3, 1, None, &[1, 1, 1], Options { noop_on_election: true, ..Options::default() });
    for _ in 0..2000 {
        let input = crate::nonsense::input(&mut chance, &host);
        let out = host.step(input);
        let writes = out.iter().filter(|output| matches!(output, Output::Persist { .. })).count();
        assert!(writes <= 1);
        assert!(writes == 0 || matches!(out.last(), Some(Output::Persist { .. })));
        if chance.one_in(3) {
            host.sync();
        }
    }
}

/// Writes done in order, told in any order: at each moment, what is on its way to others is on the disk.
#[test]
fn whatever_is_sent_is_durable_for_every_order_of_completions() {
    for seed in 0..300 {
        let mut chance = Chance::new(seed);
        let mut host = Host::with(0, 5, 0, None, &[], Options::default());
        let mut told_late: Vec<PersistId> = Vec::new();
        for _ in 0..200 {
            let done = chance.index(host.writes.len() + 1);
            for (id, write) in host.writes.drain(..done) {
                host.disk.apply(write);
                told_late.push(id);
            }
            let input = if !told_late.is_empty() && chance.one_in(2) {
                Input::Persisted(told_late.swap_remove(chance.index(told_late.len())))
            } else {
                let message = crate::nonsense::plausible(&mut chance, &host);
                Input::Message { from: NodeId(u16::try_from(1 + chance.below(4)).unwrap()), message }
            };
            for output in host.step(input) {
                if let Output::Send { to, message } = output {
                    host.assert_promise_is_durable(to, &message);
                }
            }
        }
    }
}
