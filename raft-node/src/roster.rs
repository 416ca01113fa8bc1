//! The members of a cluster, each with a dense position, and what majorities of them have said.
//!
//! Owns: the way from a node's name to its position and back; whose word counts in which majority. Must not
//! know: what is kept at a position.

use crate::membership::Membership;
use crate::quorum::{Tally, VoteOutcome, held_by_majority, vote_outcome};
use crate::types::NodeId;

/// The members in ascending order; a member's position is its place in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Roster {
    ids: Box<[NodeId]>,
    /// For each member, whether it votes in the incoming and in the outgoing half.
    halves: Box<[[bool; 2]]>,
    /// How many vote in each half.
    voters: [usize; 2],
    /// Whether the ids follow each other without a gap, so that a subtraction finds a position.
    contiguous: bool,
    /// Whether every member votes, and in the incoming half only.
    plain: bool,
}

impl Roster {
    pub(crate) fn new(membership: &Membership) -> Self {
        let ids: Box<[NodeId]> = membership.members().collect();
        let sets = [membership.voters(), membership.outgoing()];
        let halves: Box<[[bool; 2]]> =
            ids.iter().map(|id| sets.map(|set| set.binary_search(id).is_ok())).collect();
        Self {
            contiguous: ids.windows(2).all(|pair| pair[1].0 - pair[0].0 == 1),
            plain: halves.iter().all(|halves| *halves == [true, false]),
            voters: sets.map(<[NodeId]>::len),
            ids,
            halves,
        }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    #[inline]
    pub(crate) fn ids(&self) -> &[NodeId] {
        &self.ids
    }

    /// Whether two majorities must agree.
    #[inline]
    pub(crate) fn is_joint(&self) -> bool {
        self.voters[1] > 0
    }

    /// Where `id` stands among the members; none if it is not one.
    #[inline]
    pub(crate) fn position(&self, id: NodeId) -> Option<usize> {
        if self.contiguous {
            let position = usize::from(id.0.checked_sub(self.ids.first()?.0)?);
            (position < self.ids.len()).then_some(position)
        } else {
            self.ids.binary_search(&id).ok()
        }
    }

    /// Whether the word of the member at a position counts in any half.
    #[inline]
    pub(crate) fn votes(&self, position: usize) -> bool {
        self.halves[position] != [false; 2]
    }

    /// Every voter but `id`, in ascending order, which is the order in which a node speaks to them.
    pub(crate) fn other_voters(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        let voters = self.ids.iter().zip(&self.halves).filter(|(_, halves)| **halves != [false; 2]);
        voters.map(|(voter, _)| *voter).filter(move |voter| *voter != id)
    }

    /// Adds one answer of the member at a position to the tally of each half in which it votes.
    pub(crate) fn count(&self, tally: &mut Tally, position: usize, granted: bool) {
        for (half, votes) in self.halves[position].iter().enumerate() {
            tally.count(half, *votes, granted);
        }
    }

    /// Where an election stands: won in both halves, or lost in either (thesis §4.3). A half of nobody agrees
    /// with the other; a cluster of nobody elects nobody.
    pub(crate) fn outcome(&self, tally: &Tally) -> VoteOutcome {
        let half = |half: usize| vote_outcome(tally.granted[half], tally.refused[half], self.voters[half]);
        match (half(0), if self.voters[1] == 0 { VoteOutcome::Won } else { half(1) }) {
            (VoteOutcome::Lost, _) | (_, VoteOutcome::Lost) => VoteOutcome::Lost,
            (VoteOutcome::Won, VoteOutcome::Won) => VoteOutcome::Won,
            (VoteOutcome::Pending, VoteOutcome::Pending | VoteOutcome::Won)
            | (VoteOutcome::Won, VoteOutcome::Pending) => VoteOutcome::Pending,
        }
    }

    /// The largest value above `floor` that a quorum has reached; none if there is no such value. `values`
    /// has one for each member, by position. Does not allocate.
    #[inline]
    pub(crate) fn held_by_quorum<T: Copy + Ord + Default>(
        &self,
        values: impl Iterator<Item = T> + Clone,
        floor: T,
    ) -> Option<T> {
        if self.plain {
            return held_by_majority(values, self.voters[0], floor);
        }
        let half = |half: usize| {
            let of_half = values.clone().zip(&self.halves).filter(move |(_, halves)| halves[half]);
            held_by_majority(of_half.map(|(value, _)| value), self.voters[half], floor)
        };
        if self.voters[1] == 0 { half(0) } else { Some(half(0)?.min(half(1)?)) }
    }
}

#[cfg(test)]
mod tests {
    use super::Roster;
    use crate::membership::Membership;
    use crate::quorum::{Tally, VoteOutcome};
    use crate::types::NodeId;

    fn ids(ids: &[u16]) -> Vec<NodeId> {
        ids.iter().copied().map(NodeId).collect()
    }

    fn joint(voters: &[u16], outgoing: &[u16]) -> Roster {
        Roster::new(&Membership::new(&ids(voters), &ids(outgoing), &[], &[], false).unwrap())
    }

    #[test]
    fn a_member_is_found_by_its_name_dense_or_not() {
        for members in [&[0, 1, 2][..], &[3, 1, 2], &[9, 4, 700, u16::MAX], &[5], &[]] {
            let roster = joint(members, &[]);
            assert_eq!(roster.len(), members.len());
            for id in 0..=u16::MAX {
                let position = roster.position(NodeId(id));
                assert_eq!(position.is_some(), members.contains(&id));
                assert!(position.is_none_or(|position| roster.ids()[position] == NodeId(id)));
            }
        }
    }

    #[test]
    fn learners_are_members_whose_word_does_not_count() {
        let membership =
            Membership::new(&ids(&[1, 5]), &ids(&[1, 4]), &ids(&[2, 3]), &ids(&[4]), false).unwrap();
        let roster = Roster::new(&membership);
        let votes: Vec<bool> = (0..5).map(|position| roster.votes(position)).collect();
        assert_eq!(votes, [true, false, false, true, true]);
        assert_eq!(roster.other_voters(NodeId(1)).collect::<Vec<_>>(), ids(&[4, 5]));
        let held = |stored: [u64; 5]| roster.held_by_quorum(stored.into_iter(), 0);
        assert_eq!(held([9, 9, 9, 0, 9]), None, "of the outgoing half only one has anything");
        assert_eq!(held([9, 0, 0, 7, 8]), Some(7));
    }

    #[test]
    fn a_roster_is_joint_when_there_are_outgoing_voters() {
        assert_eq!(
            [&[][..], &[1], &[1, 2]].map(|outgoing| joint(&[1], outgoing).is_joint()),
            [false, true, true]
        );
    }

    /// Rows of etcd-io/raft `quorum/testdata/joint_commit.txt`: the halves, what each has stored, the
    /// outcome.
    #[test]
    fn a_joint_quorum_has_stored_what_both_majorities_have() {
        type Row = (&'static [u16], &'static [u16], &'static [u64], Option<u64>);
        let rows: [Row; 14] = [
            (&[1, 2, 3], &[], &[100, 101, 99], Some(100)),
            (&[1], &[2], &[100, 0], None),
            (&[1], &[2], &[100, 50], Some(50)),
            (&[1], &[2, 3], &[100, 50, 0], None),
            (&[1], &[2, 3], &[100, 50, 80], Some(50)),
            (&[1, 2], &[3, 4], &[100, 0, 0, 0], None),
            (&[1, 2], &[3, 4], &[13, 99, 100, 105], Some(13)),
            (&[1, 2], &[2, 3], &[13, 12, 100], Some(12)),
            (&[1, 2, 3], &[4, 5, 6], &[1, 2, 3, 4, 5, 6], Some(2)),
            (&[1, 2, 3], &[1, 2, 3], &[4, 5, 6], Some(5)),
            (&[1, 2, 3], &[3, 4, 5], &[100, 101, 103, 104, 106], Some(101)),
            (&[1, 2, 3, 4], &[4, 5], &[10, 20, 30, 40, 50], Some(20)),
            (&[1, 2, 3, 4], &[4, 5], &[10, 20, 30, 40, 0], None),
            (&[1, 2], &[1, 2], &[0, 10], None),
        ];
        for (voters, outgoing, stored, expected) in rows {
            let roster = joint(voters, outgoing);
            assert_eq!(
                roster.held_by_quorum(stored.iter().copied(), 0),
                expected,
                "{voters:?} {outgoing:?} {stored:?}"
            );
        }
    }

    /// etcd-io/raft `quorum/testdata/joint_vote.txt`: y has granted, n refused, - not answered.
    #[test]
    fn a_joint_election_is_won_in_both_halves_and_lost_in_either() {
        use VoteOutcome::{Lost, Pending, Won};
        type Row = (&'static [u16], &'static [u16], &'static str, VoteOutcome);
        let rows: [Row; 17] = [
            (&[1], &[], "y", Won),
            (&[1], &[1], "-", Pending),
            (&[1], &[2], "y-", Pending),
            (&[1], &[2], "yy", Won),
            (&[1], &[2], "ny", Lost),
            (&[1], &[2], "-n", Lost),
            (&[1, 2], &[3], "yy-", Pending),
            (&[1, 2], &[3], "yyn", Lost),
            (&[1, 2], &[3], "y-y", Pending),
            (&[1, 2], &[3], "yyy", Won),
            (&[1, 2], &[2, 3], "yy-", Pending),
            (&[1, 2], &[2, 3], "yyy", Won),
            (&[1, 2], &[2, 3], "n--", Lost),
            (&[1, 2, 3], &[1, 2, 3], "yy-", Won),
            (&[1, 2, 3], &[3, 4, 5], "yy-yy", Won),
            (&[1, 2, 3], &[3, 4, 5], "yyn-n", Lost),
            (&[], &[], "", Pending),
        ];
        for (voters, outgoing, votes, expected) in rows {
            let roster = joint(voters, outgoing);
            let mut tally = Tally::default();
            for (position, vote) in votes.chars().enumerate().filter(|(_, vote)| *vote != '-') {
                roster.count(&mut tally, position, vote == 'y');
            }
            let outcome = roster.outcome(&tally);
            if voters.is_empty() {
                assert_ne!(outcome, Won, "nobody elects nobody");
            } else {
                assert_eq!(outcome, expected, "{voters:?} {outgoing:?} {votes}");
            }
        }
    }
}
