//! Elections: who stands, who votes, who wins (Raft §5.2, §5.4.1).

use crate::world::{Host, accepted, append, events, rejected, request_vote, sends, vote};
use raft_node::{Input, Message, NodeId, Options, Timer};

/// The answer to a RequestVote, which goes to `from`.
fn answer(host: &mut Host, from: u16, request: Message) -> bool {
    let out = host.hear(from, request);
    let term = host.term();
    match sends(&out).as_slice() {
        [line] if *line == format!("{from}: RequestVoteResponse t{term} granted") => true,
        [line] if *line == format!("{from}: RequestVoteResponse t{term} refused") => false,
        lines => panic!("one answer is expected, not {lines:?}"),
    }
}

/// T1, followers: the log ends in 2/2.
#[test]
fn a_voter_grants_a_vote_to_a_log_that_is_up_to_date_if_it_has_none_given() {
    let rows = [
        ((0, 0), None, false),
        ((0, 1), None, false),
        ((0, 2), None, false),
        ((0, 3), None, true),
        ((1, 0), None, false),
        ((1, 1), None, false),
        ((1, 2), None, false),
        ((1, 3), None, true),
        ((2, 0), None, false),
        ((2, 1), None, false),
        ((2, 2), None, true),
        ((2, 3), None, true),
        ((3, 0), None, false),
        ((3, 1), None, false),
        ((3, 2), None, true),
        ((3, 3), None, true),
        ((3, 2), Some(2), true),
        ((3, 2), Some(1), false),
    ];
    for ((last_index, last_term), given, expected) in rows {
        let term = last_term.max(2);
        let mut host = Host::with(0, 3, term, given, &[2, 2], Options::default());
        let granted = answer(&mut host, 2, request_vote(term, last_index, last_term));
        assert_eq!(granted, expected, "{last_index}/{last_term}, vote given: {given:?}");
    }
}

/// T1, other roles.
#[test]
fn candidates_and_leaders_do_not_vote_for_another_in_their_own_term() {
    let mut candidate = Host::with(0, 3, 2, None, &[2, 2], Options::default());
    candidate.run(Input::Campaign);
    assert!(!answer(&mut candidate, 2, request_vote(3, 3, 3)));
    assert_eq!(candidate.letter(), 'C');
    let mut leader = Host::leader(3, 3, &[2, 2]);
    assert!(!answer(&mut leader, 2, request_vote(3, 3, 3)));
    assert_eq!(leader.letter(), 'L');
}

/// T2.
#[test]
fn a_voter_votes_once_in_a_term_and_repeats_itself_to_the_same_candidate() {
    let rows = [
        (None, 2, true),
        (None, 1, true),
        (Some(2), 2, true),
        (Some(1), 1, true),
        (Some(2), 1, false),
        (Some(1), 2, false),
    ];
    for (given, candidate, expected) in rows {
        let mut host = Host::with(0, 3, 1, given, &[], Options::default());
        assert_eq!(answer(&mut host, candidate, request_vote(1, 0, 0)), expected, "{given:?} {candidate}");
        assert_eq!(host.vote(), if expected { Some(candidate) } else { given });
        assert_eq!(host.disk.hard.vote, host.view().vote);
    }
}

/// T3.
#[test]
fn a_voter_refuses_a_log_that_lacks_what_it_has() {
    let rows: [(&[u64], u64, u64, bool); 9] = [
        (&[1], 1, 1, true),
        (&[1], 1, 2, true),
        (&[1, 1], 1, 1, false),
        (&[1], 2, 1, true),
        (&[1], 2, 2, true),
        (&[1, 1], 2, 1, true),
        (&[2], 1, 1, false),
        (&[2], 1, 2, false),
        (&[2, 2], 1, 1, false),
    ];
    for (log, last_term, last_index, expected) in rows {
        let mut host = Host::follower(2, log);
        let granted = answer(&mut host, 1, request_vote(3, last_index, last_term));
        assert_eq!(granted, expected, "{log:?} {last_index}/{last_term}");
        assert_eq!(host.term(), 3, "the term is adopted, whatever the vote");
    }
}

/// T4.
#[test]
fn an_election_is_decided_by_the_majority_of_the_votes() {
    type Row = (u16, &'static [(u16, bool)], char);
    let rows: [Row; 13] = [
        (1, &[], 'L'),
        (3, &[(1, true), (2, true)], 'L'),
        (3, &[(1, true)], 'L'),
        (5, &[(1, true), (2, true), (3, true), (4, true)], 'L'),
        (5, &[(1, true), (2, true), (3, true)], 'L'),
        (5, &[(1, true), (2, true)], 'L'),
        (3, &[(1, false), (2, false)], 'F'),
        (5, &[(1, false), (2, false), (3, false), (4, false)], 'F'),
        (5, &[(1, true), (2, false), (3, false), (4, false)], 'F'),
        (3, &[], 'C'),
        (5, &[(1, true)], 'C'),
        (5, &[(1, false), (2, false)], 'C'),
        (5, &[], 'C'),
    ];
    for (voters, votes, expected) in rows {
        let mut host = Host::new(0, voters);
        host.run(Input::TimerFired(Timer::Election));
        for (voter, granted) in votes {
            host.hear(*voter, vote(1, *granted));
        }
        assert_eq!((host.letter(), host.term()), (expected, 1), "{voters} voters: {votes:?}");
        assert_eq!(host.vote(), Some(0), "the vote of the term stays, whatever the outcome");
    }
}

#[test]
fn a_node_starts_as_a_follower_that_knows_nothing_but_what_is_durable() {
    let host = Host::with(1, 3, 4, Some(2), &[1, 3], Options::default());
    let view = host.view();
    assert_eq!((view.id, view.role.letter(), view.term.0, view.vote), (NodeId(1), 'F', 4, Some(NodeId(2))));
    assert_eq!((view.leader, view.last_log_index.0, view.log.len()), (None, 2, 2));
    assert_eq!((view.commit_index.0, view.applied_index.0, view.peers().count()), (0, 0, 0));
}

#[test]
fn one_who_hears_nobody_stands_in_the_next_term_votes_for_itself_and_asks_all_others() {
    for rounds in 1..4 {
        let mut host = Host::with(1, 3, 4, Some(2), &[1, 3], Options::default());
        let mut out = Vec::new();
        for _ in 0..rounds {
            out = host.run(Input::TimerFired(Timer::Election));
        }
        let term = 4 + rounds;
        assert_eq!((host.letter(), host.term(), host.vote()), ('C', term, Some(1)));
        assert_eq!(
            events(&out),
            [format!("t{term}"), format!("vote t{term} 1"), format!("candidate t{term}")]
        );
        assert_eq!(sends(&out), [0, 2].map(|to| format!("{to}: RequestVote t{term} last 2/3")));
    }
}

#[test]
fn a_new_leader_speaks_at_once_and_appends_an_empty_entry_only_if_told_to() {
    let lines = |noop_on_election| {
        let options = Options { noop_on_election, ..Options::default() };
        let mut host = Host::with(0, 3, 1, None, &[1], options);
        host.run(Input::Campaign);
        let out = host.hear(1, vote(2, true));
        (events(&out), sends(&out))
    };
    let (silent, empty) = lines(false);
    assert_eq!(silent, ["leader t2"]);
    assert_eq!(empty, [1, 2].map(|to| format!("{to}: AppendEntries t2 prev 1/1 +0 commit 0")));
    let (told, noop) = lines(true);
    assert_eq!(told, ["leader t2", "append 2 +1"]);
    assert_eq!(noop, [1, 2].map(|to| format!("{to}: AppendEntries t2 prev 1/1 +1 commit 0")));
}

#[test]
fn a_campaign_input_is_an_election_timeout_and_a_leader_ignores_both() {
    let mut told = Host::new(0, 3);
    let mut waited = told.clone();
    assert_eq!(told.run(Input::Campaign), waited.run(Input::TimerFired(Timer::Election)));
    let mut leader = Host::leader(3, 1, &[]);
    assert_eq!(leader.run(Input::Campaign), []);
    assert_eq!(leader.run(Input::TimerFired(Timer::Election)), []);
    assert_eq!((leader.letter(), leader.term()), ('L', 1));
}

#[test]
fn a_single_voter_leads_once_its_own_vote_is_durable() {
    let mut host = Host::new(0, 1);
    host.step(Input::Campaign);
    assert_eq!(host.letter(), 'C');
    host.sync();
    assert_eq!(host.letter(), 'L');
    host.propose("x=1");
    assert_eq!(host.commit(), 1);
}

#[test]
fn one_who_is_no_voter_answers_and_never_stands() {
    let mut host = Host::with(7, 3, 1, None, &[], Options::default());
    assert_eq!(host.run(Input::TimerFired(Timer::Election)), []);
    assert_eq!(host.run(Input::Campaign), []);
    assert!(answer(&mut host, 1, request_vote(2, 0, 0)));
    assert_eq!(sends(&host.hear(1, append(2, 0, 0, &[2], 0))), ["1: AppendEntriesResponse t2 match 1"]);
}

#[test]
fn there_is_no_election_after_the_last_term() {
    let mut host = Host::with(0, 3, u64::MAX, None, &[], Options::default());
    assert_eq!(host.run(Input::Campaign), []);
    assert_eq!((host.letter(), host.vote()), ('F', None));
}

#[test]
fn votes_count_once_per_voter_and_only_in_their_own_term() {
    let mut host = Host::new(0, 5);
    host.run(Input::Campaign);
    host.run(Input::Campaign);
    for message in [vote(1, true), vote(2, true), vote(2, true), vote(2, true)] {
        host.hear(1, message);
    }
    host.hear(2, vote(1, true));
    assert_eq!((host.letter(), host.term()), ('C', 2));
    host.hear(2, vote(2, true));
    assert_eq!(host.letter(), 'L');
}

#[test]
fn a_doubled_refusal_is_one_refusal() {
    let mut host = Host::new(0, 5);
    host.run(Input::Campaign);
    for _ in 0..5 {
        host.hear(1, vote(1, false));
    }
    assert_eq!(host.letter(), 'C');
}

#[test]
fn votes_that_come_after_the_election_change_nothing() {
    let mut leader = Host::leader(5, 3, &[]);
    for granted in [true, false] {
        assert_eq!(leader.hear(4, vote(3, granted)), []);
        assert_eq!(leader.hear(4, vote(2, granted)), []);
    }
    let mut follower = Host::follower(3, &[]);
    assert_eq!(follower.hear(1, vote(3, true)), []);
}

/// etcd `TestUpdateTermFromMessage`, `TestAllServerStepdown`.
#[test]
fn any_message_of_a_later_term_makes_a_follower_of_anybody() {
    let messages = [
        request_vote(5, 0, 0),
        vote(5, true),
        vote(5, false),
        append(5, 0, 0, &[], 0),
        accepted(5, 0),
        rejected(5, 1, None, 1),
    ];
    for message in messages {
        let mut candidate = Host::follower(2, &[1]);
        candidate.run(Input::Campaign);
        for mut host in [Host::follower(3, &[1]), candidate, Host::leader(3, 3, &[1])] {
            let before = host.letter();
            let out = host.hear(1, message.clone());
            assert_eq!((host.letter(), host.term(), host.vote()), ('F', 5, None), "{message}");
            let mut expected = vec!["t5".to_owned()];
            expected.extend((before != 'F').then(|| "follower t5".to_owned()));
            assert_eq!(events(&out), expected, "{message}");
            assert_eq!(host.disk.hard.term.0, 5, "{message}");
            let hint = matches!(message, Message::AppendEntries { .. }).then_some(NodeId(1));
            assert_eq!(host.view().leader, hint, "{message}");
        }
    }
}

/// etcd `TestCandidateFallback`; eliben `TestBecomeFollowerSameTermPreservesVotedFor`.
#[test]
fn a_candidate_falls_back_before_a_leader_of_its_own_term_and_keeps_its_vote() {
    let mut host = Host::new(0, 3);
    host.run(Input::Campaign);
    let out = host.hear(2, append(1, 0, 0, &[], 0));
    assert_eq!(events(&out), ["follower t1"]);
    assert_eq!((host.letter(), host.term(), host.vote()), ('F', 1, Some(0)));
    assert!(!answer(&mut host, 1, request_vote(1, 9, 9)));
}

/// etcd `TestRejectStaleTermMessage`.
#[test]
fn calls_of_an_earlier_term_are_refused_with_the_current_one_and_answers_ignored() {
    for mut host in [Host::follower(4, &[1, 2]), Host::leader(3, 4, &[1, 2])] {
        let before = host.node.clone();
        assert_eq!(sends(&host.hear(1, request_vote(3, 9, 9))), ["1: RequestVoteResponse t4 refused"]);
        let out = host.hear(1, append(3, 2, 2, &[3], 3));
        assert_eq!(sends(&out), ["1: AppendEntriesResponse t4 rejected prev 2 conflict 3/-"]);
        for message in [vote(3, true), vote(3, false), accepted(3, 2), rejected(3, 2, Some(1), 1)] {
            assert_eq!(host.hear(1, message), []);
        }
        assert_eq!(host.node, before, "nothing has changed");
    }
}

#[test]
fn an_even_cluster_gives_up_when_half_of_it_has_refused() {
    let mut host = Host::new(0, 4);
    host.run(Input::Campaign);
    host.hear(1, vote(1, false));
    assert_eq!(host.letter(), 'C');
    let out = host.hear(2, vote(1, false));
    assert_eq!(events(&out), ["follower t1"]);
}
