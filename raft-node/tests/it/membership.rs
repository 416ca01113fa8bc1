//! Memberships that change (Raft §6, thesis §4; etcd-io/raft `rafttest`).

use crate::world::{
    Host, accepted, accepted_in, append, entries, events, ids, request_vote, sends, vote, voters,
};
use raft_node::{
    BadChange, Change, ChangeRequest, Durable, Entries, Entry, EntryKind, Input, Membership, Message, NodeId,
    Options, Output, Outputs, Refusal, Term, Timer, Transition,
};
use std::sync::Arc;

fn add(id: u16) -> Change {
    Change::AddVoter(NodeId(id))
}

fn remove(id: u16) -> Change {
    Change::Remove(NodeId(id))
}

fn change(host: &mut Host, changes: &[Change]) -> Outputs {
    host.run(Input::Change(ChangeRequest::auto(changes)))
}

fn refusal(out: &[Output]) -> Option<Refusal> {
    out.iter().find_map(|output| if let Output::Refused { reason } = output { Some(*reason) } else { None })
}

/// A leader of three in term 2 that has committed its own first entry; its log is 1/1, 2/2.
fn settled() -> Host {
    settled_with(Options::default())
}

fn settled_with(options: Options) -> Host {
    let mut host = Host::leader_with(3, 2, &[1], options);
    host.propose("x=1");
    host.hear(1, accepted(2, 2));
    host.hear(2, accepted(2, 2));
    assert_eq!(host.commit(), 2);
    host
}

fn members(host: &Host) -> String {
    host.view().membership.to_string()
}

/// What AppendEntries looks like that carries a membership after `prev`.
fn carries(term: u64, prev: u64, prev_term: u64, membership: Membership, commit: u64) -> Message {
    let mut message = append(term, prev, prev_term, &[], commit);
    if let Message::AppendEntries { entries, .. } = &mut message {
        let kind = EntryKind::Change(Arc::new(membership));
        *entries = Entries::One(Entry { term: Term(term), kind });
    }
    message
}

/// etcd `confchange_v1_add_single.txt`.
#[test]
fn a_membership_is_in_force_when_it_is_appended_and_the_new_member_is_probed_at_once() {
    let mut host = settled();
    let out = change(&mut host, &[add(3)]);
    assert_eq!(events(&out), ["append 3 +1", "membership 3 voters=(0 1 2 3)"]);
    assert_eq!(
        sends(&out),
        [
            "1: AppendEntries t2 prev 2/2 +1 commit 2",
            "2: AppendEntries t2 prev 2/2 +1 commit 2",
            "3: AppendEntries t2 prev 3/2 +0 commit 2"
        ]
    );
    host.hear(1, accepted(2, 3));
    assert_eq!(host.commit(), 2, "two of four are no majority");
    host.hear(2, accepted(2, 3));
    assert_eq!(host.commit(), 3);
}

#[test]
fn a_change_is_refused_where_it_could_do_harm() {
    let mut follower = Host::follower(1, &[]);
    assert_eq!(refusal(&change(&mut follower, &[add(3)])), Some(Refusal::NotLeader { leader: None }));
    // raft-dev, 2015: nothing of this leader's own term is committed.
    let mut fresh = Host::leader(3, 2, &[1]);
    assert_eq!(refusal(&change(&mut fresh, &[add(3)])), Some(Refusal::NoCommitInTerm));
    let mut host = settled();
    assert_eq!(refusal(&change(&mut host, &[])), Some(Refusal::BadChange(BadChange::NotJoint)));
    assert_eq!(
        refusal(&change(&mut host, &[remove(0), remove(1), remove(2)])),
        Some(Refusal::BadChange(BadChange::NoVoters))
    );
    assert_eq!(refusal(&change(&mut host, &[add(3)])), None);
    assert_eq!(refusal(&change(&mut host, &[add(4)])), Some(Refusal::ChangePending));
    assert_eq!(host.log().len(), 3, "what is refused is not appended");
}

/// etcd `confchange_v2_add_double_auto.txt`.
#[test]
fn two_voters_change_jointly_and_the_leader_leaves_when_both_majorities_have_it() {
    let mut host = settled();
    change(&mut host, &[add(3), add(4)]);
    assert_eq!(members(&host), "voters=(0 1 2 3 4)&&(0 1 2) autoleave");
    host.hear(3, accepted_in(2, 2, 3, false));
    host.hear(4, accepted_in(2, 2, 3, false));
    assert_eq!(host.commit(), 2, "of the old voters only the leader has it");
    let out = host.hear(1, accepted(2, 3));
    assert_eq!(host.commit(), 3);
    assert_eq!(
        events(&out),
        ["commit 3", "apply 3", "append 4 +1", "membership 4 voters=(0 1 2 3 4)"],
        "it leaves by itself"
    );
}

/// etcd `confchange_v2_add_single_explicit.txt`.
#[test]
fn an_explicit_joint_membership_is_left_on_request_only() {
    let mut host = settled();
    let request = ChangeRequest { changes: vec![add(3)], transition: Transition::Explicit };
    host.run(Input::Change(request));
    host.hear(1, accepted(2, 3));
    host.hear(3, accepted_in(2, 2, 3, false));
    assert_eq!((host.commit(), members(&host)), (3, "voters=(0 1 2 3)&&(0 1 2)".to_owned()));
    assert_eq!(refusal(&change(&mut host, &[add(4)])), Some(Refusal::BadChange(BadChange::Joint)));
    assert_eq!(refusal(&change(&mut host, &[])), None);
    assert_eq!(members(&host), "voters=(0 1 2 3)");
}

#[test]
fn a_later_leader_leaves_a_joint_membership_that_another_began() {
    let joint = Membership::new(&ids(&[0, 1, 3]), &ids(&[0, 1, 2]), &[], &[], true).unwrap();
    let led = |commit: u64| {
        let mut host =
            Host::with(0, 3, 1, None, &[1], Options { noop_on_election: true, ..Options::default() });
        host.hear(1, carries(1, 1, 1, joint.clone(), commit));
        host.run(Input::Campaign);
        host.hear(1, vote(2, true));
        assert_eq!(host.letter(), 'L', "0 and 1 are a majority of both");
        host
    };
    let mut host = led(1);
    assert_eq!(members(&host), "voters=(0 1 3)&&(0 1 2) autoleave", "it may not be committed");
    host.hear(1, accepted(2, 3));
    assert_eq!((host.commit(), members(&host)), (3, "voters=(0 1 3)".to_owned()));
    // Nobody who lacks it can be elected any more, and all who have it leave it in the same way (Raft §6): it need not
    // be committed again in this term.
    let mut host = led(2);
    assert_eq!((host.commit(), members(&host)), (2, "voters=(0 1 3)".to_owned()));
    host.hear(2, accepted(2, 4));
    assert_eq!(host.commit(), 2, "who is left out does not count");
    host.hear(3, accepted_in(2, 2, 4, false));
    assert_eq!(host.commit(), 4);
}

/// etcd `confchange_v1_remove_leader.txt` and `_stepdown.txt`.
#[test]
fn a_removed_leader_does_not_count_itself_and_steps_down_when_that_is_committed() {
    for step_down_on_removal in [true, false] {
        let mut host = settled();
        host.config.options.step_down_on_removal = step_down_on_removal;
        let mut host = if step_down_on_removal { host } else { stays() };
        change(&mut host, &[remove(0)]);
        host.hear(1, accepted(2, 3));
        assert_eq!((host.commit(), host.letter()), (2, 'L'), "one of two others");
        let out = host.hear(2, accepted(2, 3));
        assert_eq!((host.commit(), host.letter()), (3, if step_down_on_removal { 'F' } else { 'L' }));
        assert_eq!(sends(&out).iter().any(|line| line.ends_with("commit 3")), step_down_on_removal);
        if step_down_on_removal {
            assert_eq!(host.run(Input::Campaign), [], "one who is known to be gone does not stand");
            assert_eq!(host.run(Input::TimerFired(Timer::Election)), []);
        }
    }
}

/// As `settled`, but it leads on without a vote.
fn stays() -> Host {
    settled_with(Options { step_down_on_removal: false, ..Options::default() })
}

#[test]
fn one_who_is_removed_is_told_once_that_it_is() {
    let mut host = settled();
    change(&mut host, &[remove(2)]);
    let out = host.hear(1, accepted(2, 3));
    assert_eq!(
        sends(&out),
        ["2: AppendEntries t2 prev 2/2 +1 commit 3"],
        "the entry that removes it, and that it is committed"
    );
    assert_eq!(sends(&host.heartbeat()), ["1: AppendEntries t2 prev 3/2 +0 commit 3"]);
}

#[test]
fn a_truncation_rolls_memberships_back_over_any_number_of_levels() {
    let mut host = Host::follower(1, &[1]);
    host.hear(1, carries(1, 1, 1, voters(&[0, 1, 2, 3]), 0));
    host.hear(1, carries(1, 2, 1, voters(&[0, 1, 2, 3, 4]), 0));
    assert_eq!(host.view().membership_index.0, 3);
    let out = host.hear(2, append(2, 1, 1, &[2, 2], 0));
    assert_eq!(
        events(&out),
        ["t2", "truncate 2", "membership 0 voters=(0 1 2)", "append 2 +2"],
        "the one before both is in force again"
    );
    host.restart();
    assert_eq!(members(&host), "voters=(0 1 2)");
}

#[test]
fn what_the_log_says_goes_before_what_the_cluster_began_with() {
    let mut host = Host::follower(1, &[1]);
    host.hear(1, carries(1, 1, 1, voters(&[0, 5]), 0));
    let out = host.restart();
    assert_eq!(events(&out), ["membership 2 voters=(0 5)"]);
}

#[test]
fn one_who_is_to_join_waits_to_be_contacted_and_then_belongs() {
    let mut host = Host::boot(9, Membership::default(), Durable::default(), Options::default());
    assert_eq!(host.run(Input::TimerFired(Timer::Election)), []);
    let mut message = append(3, 0, 0, &[], 2);
    if let Message::AppendEntries { entries: carried, .. } = &mut message {
        let kind = EntryKind::Change(Arc::new(voters(&[1, 9])));
        let change = Entry { term: Term(3), kind };
        *carried = [entries(&[3]), vec![change]].concat().into();
    }
    let out = host.hear(1, message);
    assert_eq!(sends(&out), ["1: AppendEntriesResponse t3 match 2"]);
    assert_eq!(members(&host), "voters=(1 9)");
    assert_eq!(sends(&host.run(Input::Campaign)), ["1: RequestVote t4 last 2/3"]);
}

/// etcd `campaign_learner_must_vote.txt` (#10998): it may be a voter that does not know it yet.
#[test]
fn a_learner_that_is_asked_for_its_vote_votes_and_does_not_stand() {
    let membership = Membership::new(&ids(&[1, 2]), &[], &ids(&[0]), &[], false).unwrap();
    let mut host = Host::boot(0, membership, Durable::default(), Options::default());
    assert_eq!(host.run(Input::Campaign), []);
    assert_eq!(sends(&host.hear(2, request_vote(1, 0, 0))), ["2: RequestVoteResponse t1 granted"]);
}

/// That the latest is not committed is a reason to stand only for one who voted before it.
#[test]
fn one_who_votes_in_no_membership_that_it_knows_does_not_stand_though_the_latest_is_not_committed() {
    let learns = |voters: &[u16]| Membership::new(&ids(voters), &[], &ids(&[7]), &[], false).unwrap();
    for (before, after) in [(learns(&[1, 2]), learns(&[1, 2, 3])), (voters(&[1, 2]), voters(&[1, 2, 3]))] {
        let mut host = Host::boot(7, before, Durable::default(), Options::default());
        host.hear(1, carries(1, 0, 0, after, 0));
        assert_eq!((host.view().membership_index.0, host.commit()), (1, 0));
        assert_eq!(host.run(Input::TimerFired(Timer::Election)), []);
    }
}

/// Thesis §4.2.2: the entry that took its vote may never be committed, and its log is the only one that can
/// win.
#[test]
fn one_whose_removal_is_not_committed_asks_first_and_may_lead_without_a_vote_of_its_own() {
    let mut host = Host::follower(1, &[1]);
    host.hear(1, carries(1, 1, 1, voters(&[1, 2]), 0));
    let asked = host.run(Input::TimerFired(Timer::Election));
    assert_eq!(sends(&asked), [1, 2].map(|to| format!("{to}: PreVote t2 last 2/1")));
    let granted = Message::PreVoteResponse { term: Term(2), granted: true };
    host.hear(1, granted.clone());
    host.hear(2, granted);
    assert_eq!(host.letter(), 'C');
    host.hear(1, vote(2, true));
    assert_eq!(host.letter(), 'C', "its own vote does not count");
    host.hear(2, vote(2, true));
    assert_eq!(host.letter(), 'L');
}

#[test]
fn leadership_is_handed_over_across_a_change_unless_the_successor_votes_no_more() {
    for (to, goes_on) in [(3, true), (1, false), (2, false)] {
        let mut host = settled();
        change(&mut host, &[add(3), add(4), Change::AddLearner(NodeId(1)), remove(2)]);
        host.run(Input::Transfer { to: NodeId(to) });
        host.hear(3, accepted_in(2, 2, 3, false));
        assert_eq!(members(&host), "voters=(0 3 4)&&(0 1 2) learners_next=(1) autoleave");
        assert_eq!(host.view().transferring_to, Some(NodeId(to)));
        host.hear(1, accepted(2, 3));
        assert_eq!(members(&host), "voters=(0 3 4) learners=(1)");
        assert_eq!(host.view().transferring_to, goes_on.then_some(NodeId(to)), "to {to}");
    }
}

/// drmingdrmer/raft-rejoin-bug: what was said in an earlier membership says nothing in this one.
#[test]
fn an_old_answer_does_not_speak_for_a_member_that_has_left_and_joined_again() {
    let mut host = settled();
    change(&mut host, &[remove(2)]);
    host.hear(1, accepted(2, 3));
    change(&mut host, &[add(2)]);
    assert_eq!(host.peer(2), (5, 0));
    host.hear(2, accepted(2, 3));
    assert_eq!(host.peer(2), (5, 0), "an answer to a round of before");
    host.hear(2, accepted_in(3, 2, 4, false));
    assert_eq!(host.peer(2), (5, 4));
}
