//! The leader's side of replication (Raft §5.3, §5.4.2).

use crate::world::{Host, accepted, append, events, rejected, sends, vote};
use raft_node::{Input, LogIndex, Message, NodeId, Options, Output, Outputs, PeerProgress, Term};

/// A leader of three in term 2 whose log is 1/1, and whose followers have it too.
fn settled() -> Host {
    let mut host = Host::leader(3, 2, &[1]);
    host.hear(1, accepted(2, 1));
    host.hear(2, accepted(2, 1));
    host
}

fn strings(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

/// etcd `TestLeaderBcastBeat`.
#[test]
fn a_heartbeat_goes_to_all_with_no_entries_and_the_end_of_what_was_sent() {
    let mut host = settled();
    host.propose("x=1");
    let expected = [1, 2].map(|to| format!("{to}: AppendEntries t2 prev 2/2 +0 commit 0"));
    assert_eq!(sends(&host.heartbeat()), expected);
    assert_eq!(Host::follower(2, &[]).heartbeat(), []);
}

/// etcd `TestLeaderStartReplication`, `TestLeaderCommitEntry`.
#[test]
fn a_proposal_is_appended_written_and_sent_at_once_and_committed_by_a_majority() {
    let mut host = settled();
    let out = host.propose("x=1");
    assert!(out.contains(&Output::Accepted { index: LogIndex(2), term: Term(2) }));
    assert_eq!(events(&out), ["append 2 +1"]);
    assert_eq!(sends(&out), [1, 2].map(|to| format!("{to}: AppendEntries t2 prev 1/1 +1 commit 0")));
    assert_eq!(host.disk.log, host.view().log);
    let out = host.hear(2, accepted(2, 2));
    assert_eq!(
        events(&out),
        ["commit 2", "apply 1", "apply 2"],
        "what came before is committed along with it"
    );
    assert_eq!(sends(&out), strings(&[]), "followers learn of it with the next message");
    assert_eq!(
        sends(&host.heartbeat()),
        [1, 2].map(|to| format!("{to}: AppendEntries t2 prev 2/2 +0 commit 2"))
    );
}

#[test]
fn proposals_are_pipelined_to_followers_that_keep_up() {
    let mut host = settled();
    for index in 2..6 {
        let prev_term = if index == 2 { 1 } else { 2 };
        let expected =
            [1, 2].map(|to| format!("{to}: AppendEntries t2 prev {}/{prev_term} +1 commit 0", index - 1));
        assert_eq!(sends(&host.propose("x=1")), expected);
    }
    assert_eq!((host.peer(1), host.peer(2)), ((6, 1), (6, 1)));
    host.hear(1, accepted(2, 4));
    assert_eq!((host.peer(1), host.peer(2), host.commit()), ((6, 4), (6, 1), 4));
    host.hear(1, accepted(2, 3));
    assert_eq!((host.peer(1), host.commit()), ((6, 4), 4), "what is known never shrinks");
}

#[test]
fn a_follower_whose_log_is_not_known_to_match_is_probed_once_until_it_answers() {
    let mut host = Host::leader(3, 2, &[1]);
    assert_eq!(sends(&host.propose("x=1")), strings(&[]));
    assert_eq!(sends(&host.propose("x=2")), strings(&[]));
    let probe = |to: u16| format!("{to}: AppendEntries t2 prev 1/1 +2 commit 0");
    assert_eq!(sends(&host.heartbeat()), [1, 2].map(probe));
    assert_eq!(sends(&host.hear(1, accepted(2, 1))), [probe(1)], "it answered to the first probe: now send");
    assert_eq!(host.peer(1), (4, 1));
    assert_eq!(sends(&host.propose("x=3")), ["1: AppendEntries t2 prev 3/2 +1 commit 0"]);
}

#[test]
fn a_message_carries_no_more_entries_than_it_may_and_the_rest_follows_on_each_answer() {
    let options = Options { entries_per_append_max: 2, ..Options::default() };
    let mut host = Host::leader_with(3, 2, &[1, 1, 1, 1, 1], options);
    let out = host.hear(1, rejected(2, 5, None, 1));
    assert_eq!(sends(&out), ["1: AppendEntries t2 prev 0/0 +2 commit 0"]);
    let mut match_index = 2;
    for (count, prev) in [(2, 2), (1, 4)] {
        let out = host.hear(1, accepted(2, match_index));
        assert_eq!(sends(&out), [format!("1: AppendEntries t2 prev {prev}/1 +{count} commit 0")]);
        match_index += count;
    }
    assert_eq!(sends(&host.hear(1, accepted(2, 5))), strings(&[]));
    assert_eq!(host.peer(1), (6, 5));
}

#[test]
fn a_lost_append_is_found_by_the_next_heartbeat_and_sent_again() {
    let mut host = settled();
    host.propose("x=1");
    let mut follower = Host::with(1, 3, 2, None, &[1], Options::default());
    let Some(Output::Send { message, .. }) =
        host.heartbeat().into_iter().find(|output| matches!(output, Output::Send { to: NodeId(1), .. }))
    else {
        panic!("a heartbeat is sent")
    };
    assert_eq!(
        sends(&follower.hear(0, message)),
        ["0: AppendEntriesResponse t2 rejected prev 2 conflict 2/-"]
    );
    assert_eq!(sends(&host.hear(1, rejected(2, 2, None, 2))), ["1: AppendEntries t2 prev 1/1 +1 commit 0"]);
    host.hear(1, accepted(2, 2));
    assert_eq!((host.peer(1), host.commit()), ((3, 2), 2));
}

#[test]
fn stale_refusals_are_ignored() {
    let mut host = settled();
    for _ in 0..4 {
        host.propose("x=1");
    }
    host.hear(1, accepted(2, 3));
    let stale = [rejected(2, 3, Some(1), 1), rejected(2, 1, None, 1), rejected(2, 6, None, 1)];
    for message in stale {
        assert_eq!(host.hear(1, message.clone()), [], "{message}");
        assert_eq!(host.peer(1), (6, 3), "{message}");
    }
    assert_eq!(sends(&host.hear(1, rejected(2, 5, None, 5))), ["1: AppendEntries t2 prev 4/2 +1 commit 3"]);
    assert_eq!(host.peer(1), (5, 3));
    assert_eq!(host.hear(1, rejected(2, 5, None, 5)), [], "doubled");
    assert_eq!(host.hear(1, rejected(2, 3, None, 1)), [], "known to match");
    assert_eq!(
        sends(&host.hear(1, rejected(2, 4, Some(1), 1))),
        ["1: AppendEntries t2 prev 3/2 +2 commit 3"]
    );
    assert_eq!(host.peer(1), (4, 3), "never below what matches");
}

/// etcd `TestLeaderAppResp`, the acceptances.
#[test]
fn an_acceptance_of_more_than_the_leader_has_is_nonsense() {
    let mut host = settled();
    host.propose("x=1");
    for match_index in [3, u64::MAX] {
        assert_eq!(host.hear(1, accepted(2, match_index)), []);
    }
    assert_eq!((host.peer(1), host.commit()), ((3, 1), 0));
}

/// Raft §5.3, end: the leader's log is that of figure 7.
#[test]
fn a_refusal_leads_to_the_end_of_the_term_that_both_have_or_to_the_start_of_the_one_that_the_leader_lacks() {
    let rows = [
        ((Some(4), 4), 6),
        ((Some(1), 1), 4),
        ((Some(2), 4), 4),
        ((Some(3), 7), 7),
        ((Some(9), 9), 9),
        ((None, 5), 5),
        ((None, 1), 1),
        ((None, 0), 1),
        ((None, u64::MAX), 10),
        ((Some(6), 9), 10),
    ];
    for ((term, index), next) in rows {
        let mut host = Host::leader(3, 8, &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6]);
        let out = host.hear(1, rejected(8, 10, term, index));
        assert_eq!(host.peer(1), (next, 0), "{index}/{term:?}");
        assert_eq!(sends(&out).len(), 1);
    }
}

#[test]
fn a_heartbeat_carries_no_entries_to_a_follower_that_lags_and_answers() {
    let options = Options { entries_per_append_max: 1, ..Options::default() };
    let mut host = Host::leader_with(3, 2, &[1, 1, 1], options);
    host.hear(1, rejected(2, 3, None, 1));
    assert_eq!(sends(&host.hear(1, accepted(2, 1))), ["1: AppendEntries t2 prev 1/1 +1 commit 0"]);
    let heartbeat = sends(&host.heartbeat());
    assert_eq!(heartbeat[0], "1: AppendEntries t2 prev 2/1 +0 commit 0");
    // The answer to the heartbeat does for the answer to the entries, should that be lost.
    assert_eq!(sends(&host.hear(1, accepted(2, 2))), ["1: AppendEntries t2 prev 2/1 +1 commit 0"]);
}

/// T5b.
#[test]
fn an_entry_is_committed_when_a_majority_has_stored_it() {
    let rows: [(u16, &[u16], bool); 9] = [
        (1, &[], true),
        (3, &[], false),
        (3, &[1], true),
        (3, &[1, 2], true),
        (5, &[], false),
        (5, &[1], false),
        (5, &[1, 2], true),
        (5, &[1, 2, 3], true),
        (5, &[1, 2, 3, 4], true),
    ];
    for (voters, ackers, expected) in rows {
        let mut host = Host::leader(voters, 1, &[]);
        host.propose("x=1");
        for acker in ackers {
            host.hear(*acker, accepted(1, 1));
        }
        assert_eq!(host.commit() == 1, expected, "{voters} voters, {ackers:?}");
    }
}

/// T5c; etcd `TestLeaderOnlyCommitsLogFromCurrentTerm`.
#[test]
fn entries_of_earlier_terms_are_committed_only_along_with_one_of_the_leaders_own() {
    for (match_index, expected) in [(1, 0), (2, 0), (3, 3)] {
        let mut host = Host::leader(2, 3, &[1, 2]);
        host.propose("x=1");
        host.hear(1, accepted(3, match_index));
        assert_eq!(host.commit(), expected, "match {match_index}");
    }
}

/// etcd `TestCannotCommitWithoutNewTermEntry`.
#[test]
fn a_new_leader_of_five_commits_what_was_left_with_its_first_own_entry() {
    let mut host = Host::leader(5, 2, &[1, 1, 1, 1]);
    for peer in 1..5 {
        host.hear(peer, accepted(2, 4));
    }
    assert_eq!(host.commit(), 0);
    host.propose("x=1");
    host.hear(1, accepted(2, 5));
    assert_eq!(host.commit(), 0);
    host.hear(2, accepted(2, 5));
    assert_eq!(host.commit(), 5);
}

/// etcd `TestLeaderCommitPrecedingEntries`.
#[test]
fn preceding_entries_are_applied_in_order_whatever_their_terms() {
    for log in [&[][..], &[2], &[1, 2], &[1]] {
        let mut host = Host::leader(3, 3, log);
        host.propose("x=1");
        let last = u64::try_from(log.len()).unwrap() + 1;
        let out = host.hear(1, accepted(3, last));
        let mut expected = vec![format!("commit {last}")];
        expected.extend((1..=last).map(|index| format!("apply {index}")));
        assert_eq!(events(&out), expected, "{log:?}");
    }
}

#[test]
fn the_leaders_own_log_counts_only_as_far_as_it_is_durable() {
    let mut host = settled();
    host.step(Input::Propose("x=1".into()));
    host.hear_only(1, accepted(2, 2));
    assert_eq!(host.commit(), 0, "one of three has stored it");
    assert_eq!(events(&host.sync()), ["commit 2", "apply 1", "apply 2"]);
    host.step(Input::Propose("x=2".into()));
    host.hear_only(1, accepted(2, 3));
    host.hear_only(2, accepted(2, 3));
    assert_eq!(host.commit(), 3, "the two others are a majority");
}

/// Delivers what the two say to each other until they are silent; how many messages that took.
fn converse(leader: &mut Host, follower: &mut Host, first: Outputs) -> u32 {
    let id = follower.config.id;
    let mut inbox: Vec<(NodeId, Message)> = Vec::new();
    let mut count = 0;
    let post = |out: Outputs, inbox: &mut Vec<(NodeId, Message)>| {
        for output in out {
            if let Output::Send { to, message } = output
                && [id, NodeId(0)].contains(&to)
            {
                inbox.push((to, message));
            }
        }
    };
    post(first, &mut inbox);
    while !inbox.is_empty() {
        let (to, message) = inbox.remove(0);
        count += 1;
        assert!(count < 100, "they never come to an end");
        let out = if to == id { follower.hear(0, message) } else { leader.hear(id.0, message) };
        post(out, &mut inbox);
    }
    count
}

/// Raft figure 7; etcd `TestLeaderSyncFollowerLog` and `probe_and_replicate.txt`.
#[test]
fn the_logs_of_figure_7_become_the_leaders() {
    let leader_log = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    let rows: [(&[u64], u32); 7] = [
        (&[1, 1, 1, 4, 4, 5, 5, 6, 6], 6),
        (&[1, 1, 1, 4], 6),
        (&[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6], 4),
        (&[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7], 4),
        (&[1, 1, 1, 4, 4, 4, 4], 8),
        (&[1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3], 8),
        (&[], 6),
    ];
    for (log, messages) in rows {
        let mut leader = Host::leader(3, 8, &leader_log);
        let mut follower = Host::with(1, 3, 7, None, log, Options::default());
        let probe = leader.heartbeat();
        let mut count = converse(&mut leader, &mut follower, probe);
        let proposal = leader.propose("x=1");
        count += converse(&mut leader, &mut follower, proposal);
        assert_eq!(count, messages, "{log:?}");
        assert_eq!(follower.log(), [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 8], "{log:?}");
        assert_eq!(leader.commit(), 11);
        let expected = PeerProgress {
            id: NodeId(1),
            next_index: LogIndex(12),
            match_index: LogIndex(11),
            gets_snapshot: false,
        };
        assert_eq!(leader.view().peers().next(), Some(expected));
    }
}

#[test]
fn random_logs_become_the_leaders_within_a_refusal_per_term() {
    let mut chance = crate::world::Chance::new(3);
    for _ in 0..500 {
        let mut log = |len: u64| {
            let mut term = 1;
            let mut log = Vec::new();
            for _ in 0..chance.below(len) {
                term += u64::from(chance.one_in(4));
                log.push(term);
            }
            log
        };
        // Logs that no run of Raft would leave converge too: what matters is that each refusal moves down.
        let (ours, theirs) = (log(20), log(25));
        let options = Options { entries_per_append_max: 64, ..Options::default() };
        let mut leader = Host::leader_with(3, 20, &ours, options.clone());
        let mut follower = Host::with(1, 3, 19, None, &theirs, options);
        let proposal = leader.propose("x=1");
        converse(&mut leader, &mut follower, proposal);
        let probe = leader.heartbeat();
        converse(&mut leader, &mut follower, probe);
        assert_eq!(follower.view().log.len(), ours.len() + 1);
        assert_eq!(leader.commit(), u64::try_from(ours.len()).unwrap() + 1);
    }
}

#[test]
fn what_a_leader_knows_of_its_followers_dies_with_its_leadership() {
    let mut host = settled();
    host.propose("x=1");
    host.hear(1, accepted(2, 2));
    host.hear(1, append(3, 2, 2, &[], 0));
    assert_eq!(host.view().peers().count(), 0);
    host.run(Input::Campaign);
    host.hear(1, vote(4, true));
    assert_eq!((host.peer(1), host.peer(2)), ((3, 0), (3, 0)));
    host.hear(1, accepted(2, 2));
    assert_eq!(host.peer(1), (3, 0), "an answer to the leader it was before");
}

#[test]
fn many_commands_in_one_message_are_appended_and_applied_as_one_by_one() {
    let mut leader = Host::leader(3, 1, &[]);
    for command in ["a", "b", "a command that is too long to lie in place"] {
        leader.propose(command);
    }
    let mut follower = Host::with(1, 3, 1, None, &[], Options::default());
    let probe = leader.heartbeat();
    converse(&mut leader, &mut follower, probe);
    assert_eq!(follower.view().log, leader.view().log);
    assert_eq!(follower.disk, leader_disk_with_vote_of(&follower, &leader));
    let out = leader.heartbeat();
    converse(&mut leader, &mut follower, out);
    assert_eq!(follower.commit(), 3);
}

/// The leader's log with the follower's hard state: logs are equal on disk too.
fn leader_disk_with_vote_of(follower: &Host, leader: &Host) -> raft_node::Durable {
    raft_node::Durable {
        hard: follower.disk.hard,
        log: leader.disk.log.clone(),
        ..raft_node::Durable::default()
    }
}
