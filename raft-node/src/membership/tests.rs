//! Memberships as etcd-io/raft's `confchange/testdata` has them.

use super::{BadChange, BadMembership, Change, ChangeRequest, Membership, Transition};
use crate::types::NodeId;

fn ids(ids: &[u16]) -> Vec<NodeId> {
    ids.iter().copied().map(NodeId).collect()
}

/// `v1 l2 r3` as etcd spells changes.
fn changes(text: &str) -> Vec<Change> {
    let change = |word: &str| {
        let id = NodeId(word[1..].parse().unwrap());
        match &word[..1] {
            "v" => Change::AddVoter(id),
            "l" => Change::AddLearner(id),
            "r" => Change::Remove(id),
            other => panic!("{other} is no change"),
        }
    };
    text.split_whitespace().map(change).collect()
}

fn request(text: &str, transition: Transition) -> ChangeRequest {
    ChangeRequest { changes: changes(text), transition }
}

/// Does the requests one after another, and says what each makes of the membership; one that fails changes
/// nothing.
fn story(voters: &[u16], steps: &[(&str, Transition, &str)]) {
    let mut membership = Membership::of_voters(&ids(voters)).unwrap();
    for (text, transition, expected) in steps {
        let said = match membership.changed(&request(text, *transition)) {
            Ok(changed) => {
                membership = changed;
                membership.to_string()
            }
            Err(error) => format!("{error:?}"),
        };
        assert_eq!(said, *expected, "{text} {transition:?} of {membership}");
    }
}

use Transition::{Auto, Explicit, Implicit};

/// `simple_safety.txt`, `simple_promote_demote.txt`, `simple_idempotency.txt`.
#[test]
fn one_voter_at_a_time_changes_in_one_step() {
    story(
        &[1],
        &[
            ("v2 l3", Auto, "voters=(1 2) learners=(3)"),
            ("v2", Auto, "voters=(1 2) learners=(3)"),
            ("l3", Auto, "voters=(1 2) learners=(3)"),
            ("r9", Auto, "voters=(1 2) learners=(3)"),
            ("r1 r2", Auto, "NoVoters"),
            ("l1 l2", Auto, "NoVoters"),
            ("v3", Auto, "voters=(1 2 3)"),
            ("l1 v1", Auto, "voters=(1 2 3)"),
            ("l2", Auto, "voters=(1 3) learners=(2)"),
            ("l3 l4 l5", Auto, "voters=(1) learners=(2 3 4 5)"),
            ("r1", Auto, "NoVoters"),
            ("r2 r3 r4 r5", Auto, "voters=(1)"),
            ("", Auto, "NotJoint"),
        ],
    );
}

/// `joint_safety.txt`, `joint_autoleave.txt`.
#[test]
fn more_than_one_voter_changes_jointly() {
    story(
        &[1],
        &[
            ("r1 v2 v3 l4", Explicit, "voters=(2 3)&&(1) learners=(4)"),
            ("v12", Explicit, "Joint"),
            ("l15", Auto, "Joint"),
            ("", Auto, "voters=(2 3) learners=(4)"),
            ("l9", Explicit, "voters=(2 3)&&(2 3) learners=(4 9)"),
            ("", Auto, "voters=(2 3) learners=(4 9)"),
            ("v9 r2", Auto, "voters=(3 9)&&(2 3) learners=(4) autoleave"),
            ("", Explicit, "voters=(3 9) learners=(4)"),
            ("v4", Implicit, "voters=(3 4 9)&&(3 9) autoleave"),
        ],
    );
}

#[test]
fn each_set_is_given_back_in_ascending_order() {
    let given = [&[2, 1][..], &[4, 3, 1], &[6, 5], &[4, 3]].map(ids);
    let membership = Membership::new(&given[0], &given[1], &given[2], &given[3], false).unwrap();
    let sets =
        [membership.voters(), membership.outgoing(), membership.learners(), membership.learners_next()];
    assert_eq!(sets.map(<[NodeId]>::to_vec), [&[1, 2][..], &[1, 3, 4], &[5, 6], &[3, 4]].map(ids));
}

#[test]
fn an_error_says_what_is_wrong() {
    let bad_memberships = [
        (BadMembership::Twice(NodeId(7)), "node 7 is listed twice"),
        (BadMembership::VoterAndLearner(NodeId(7)), "node 7 both votes and learns"),
        (
            BadMembership::NotOutgoing(NodeId(7)),
            "node 7 is to learn later, but it is not an outgoing voter only",
        ),
        (BadMembership::NoVoters, "there is no voter"),
        (BadMembership::LeavesWithoutJoint, "the membership is to be left by itself, but is not joint"),
        (BadMembership::TooMany(256), "256 members are more than 255"),
    ];
    for (error, said) in bad_memberships {
        assert_eq!(error.to_string(), said);
    }
    let bad_changes = [
        (BadChange::Joint, "the membership is joint and must be left first"),
        (BadChange::NotJoint, "there is nothing to change, and no joint membership to leave"),
        (BadChange::NoVoters, "there would be no voter"),
        (BadChange::TooMany, "there would be too many members"),
    ];
    for (error, said) in bad_changes {
        assert_eq!(error.to_string(), said);
    }
}

/// `joint_idempotency.txt`, `joint_learners_next.txt`.
#[test]
fn an_outgoing_voter_learns_only_when_the_joint_membership_is_left() {
    story(
        &[1],
        &[
            (
                "r1 r2 r9 v2 v3 v4 v2 v3 v4 l2 l2 r4 r4 l1 l1",
                Explicit,
                "voters=(3)&&(1) learners=(2) learners_next=(1)",
            ),
            ("", Auto, "voters=(3) learners=(1 2)"),
        ],
    );
    story(
        &[1],
        &[
            ("v2 l1", Explicit, "voters=(2)&&(1) learners_next=(1)"),
            ("", Explicit, "voters=(2) learners=(1)"),
        ],
    );
}

#[test]
fn a_membership_has_room_for_255_members() {
    let all: Vec<u16> = (0..255).collect();
    let full = Membership::of_voters(&ids(&all)).unwrap();
    let one_more = ChangeRequest::auto(&[Change::AddLearner(NodeId(255))]);
    assert_eq!(full.changed(&one_more), Err(BadChange::TooMany));
    let all: Vec<u16> = (0..256).collect();
    assert_eq!(Membership::of_voters(&ids(&all)), Err(BadMembership::TooMany(256)));
}

#[test]
fn sets_that_contradict_each_other_are_refused() {
    type Row = ([&'static [u16]; 4], bool, BadMembership);
    let rows: [Row; 7] = [
        ([&[1, 2, 1], &[], &[], &[]], false, BadMembership::Twice(NodeId(1))),
        ([&[1, 2], &[], &[2], &[]], false, BadMembership::VoterAndLearner(NodeId(2))),
        ([&[1, 2], &[3], &[3], &[]], false, BadMembership::VoterAndLearner(NodeId(3))),
        ([&[1, 2], &[1], &[], &[1]], false, BadMembership::NotOutgoing(NodeId(1))),
        ([&[1, 2], &[1], &[], &[3]], false, BadMembership::NotOutgoing(NodeId(3))),
        ([&[], &[], &[3], &[]], false, BadMembership::NoVoters),
        ([&[1], &[], &[], &[]], true, BadMembership::LeavesWithoutJoint),
    ];
    for ([voters, outgoing, learners, learners_next], auto_leave, expected) in rows {
        let [voters, outgoing, learners, learners_next] =
            [voters, outgoing, learners, learners_next].map(ids);
        let made = Membership::new(&voters, &outgoing, &learners, &learners_next, auto_leave);
        assert_eq!(made, Err(expected));
    }
    assert!(Membership::default().is_empty());
}

#[test]
fn a_quorum_is_a_majority_of_both_sets() {
    let joint = Membership::new(&ids(&[1, 2, 3]), &ids(&[3, 4]), &ids(&[5]), &[], true).unwrap();
    let rows: [(&[u16], bool); 7] = [
        (&[1, 2, 3, 4], true),
        (&[1, 3, 4], true),
        (&[1, 2, 3], false),
        (&[1, 2, 4], false),
        (&[3, 4], false),
        (&[3, 4, 5], false),
        (&[], false),
    ];
    for (agreeing, expected) in rows {
        assert_eq!(joint.is_quorum(|id| agreeing.contains(&id.0)), expected, "{agreeing:?}");
    }
    assert!(!Membership::default().is_quorum(|_| true), "nobody is no quorum");
    assert!(joint.contains(NodeId(5)) && !joint.is_voter(NodeId(5)) && joint.is_voter(NodeId(4)));
    assert!(!joint.contains(NodeId(6)));
    assert_eq!(joint.members().map(|id| id.0).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
}

#[test]
fn a_membership_is_read_back_from_its_bytes_and_from_no_others() {
    let joint = Membership::new(&ids(&[3, 1, 700]), &ids(&[3, 4]), &ids(&[5]), &ids(&[4]), true).unwrap();
    for membership in [joint, Membership::default(), Membership::of_voters(&ids(&[9])).unwrap()] {
        let mut bytes = Vec::new();
        membership.encode(&mut bytes);
        assert_eq!(bytes.len(), membership.encoded_len());
        assert_eq!(Membership::decode(&bytes), Some(membership));
        for len in 0..bytes.len() {
            assert_eq!(Membership::decode(&bytes[..len]), None);
        }
        bytes.push(0);
        assert_eq!(Membership::decode(&bytes), None);
    }
    for (voters, is_one) in [([1, 2], true), ([2, 1], false), ([1, 1], false)] {
        let bytes = [0, 2, 0, voters[0], 0, voters[1], 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(Membership::decode(&bytes).is_some(), is_one, "{voters:?}");
    }
    let neither_yes_nor_no = [2, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(Membership::decode(&neither_yes_nor_no), None);
}
