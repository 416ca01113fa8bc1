//! Majorities: what they have elected and what they have stored (Raft §5.2, §5.3).
//!
//! Owns: counting. Must not know: terms, or what is done with a result. Joint majorities (thesis §4.3) have
//! their place beside: the lower of two commit indexes, the worse of two outcomes.

use crate::membership::MEMBERS_MAX;

/// How many of `voters` are more than half.
#[inline]
pub(crate) const fn majority(voters: usize) -> usize {
    voters / 2 + 1
}

/// How an election stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VoteOutcome {
    Pending,
    Won,
    /// Those who have not refused are too few to win.
    Lost,
}

/// Where an election stands in which `granted` and `refused` of `voters` have answered.
pub(crate) const fn vote_outcome(granted: usize, refused: usize, voters: usize) -> VoteOutcome {
    if granted >= majority(voters) {
        VoteOutcome::Won
    } else if voters.saturating_sub(refused) < majority(voters) {
        VoteOutcome::Lost
    } else {
        VoteOutcome::Pending
    }
}

/// The largest value above `floor` that a majority has reached; none if there is no such value.
///
/// `values` yields one for each voter: the last index that its log shares with the leader's, say. Does not
/// allocate.
#[inline]
pub(crate) fn held_by_majority<T: Copy + Ord + Default>(
    values: impl Iterator<Item = T> + Clone,
    voters: usize,
    floor: T,
) -> Option<T> {
    // Most acknowledgements complete no majority, and counting them is all that happens.
    let above = values.filter(|value| *value > floor);
    if above.clone().count() < majority(voters) {
        return None;
    }
    if voters <= SMALL {
        quorum_value(&mut [T::default(); SMALL], above, voters)
    } else {
        quorum_value(&mut [T::default(); MEMBERS_MAX], above, voters)
    }
}

/// Clusters up to this size do not pay for clearing the room that the largest would need.
const SMALL: usize = 9;

/// The `majority(voters)`-th largest of `values`; `room` has a place for each.
fn quorum_value<T: Copy + Ord>(room: &mut [T], values: impl Iterator<Item = T>, voters: usize) -> Option<T> {
    let mut len = 0;
    for (place, value) in room.iter_mut().zip(values) {
        *place = value;
        len += 1;
    }
    let held = &mut room[..len];
    held.sort_unstable();
    held.len().checked_sub(majority(voters)).map(|position| held[position])
}

/// How many have answered what, in each half of a membership.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) granted: [usize; 2],
    pub(crate) refused: [usize; 2],
}

impl Tally {
    /// Counts an answer in a half, if it `votes` there.
    pub(crate) const fn count(&mut self, half: usize, votes: bool, granted: bool) {
        let counter = if granted { &mut self.granted[half] } else { &mut self.refused[half] };
        *counter += votes as usize;
    }
}

/// A set of voters, by position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct VoterSet([u64; MEMBERS_MAX.div_ceil(64)]);

impl VoterSet {
    /// Adds a voter; false if it was there already.
    pub(crate) const fn insert(&mut self, position: usize) -> bool {
        let bit = 1 << (position % 64);
        let word = &mut self.0[position / 64];
        let fresh = *word & bit == 0;
        *word |= bit;
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::{VoteOutcome, VoterSet, held_by_majority, majority, vote_outcome};

    fn committed(stored: &[u64], floor: u64) -> u64 {
        held_by_majority(stored.iter().copied(), stored.len(), floor).unwrap_or(floor)
    }

    #[test]
    fn a_majority_is_more_than_half() {
        assert_eq!([0, 1, 2, 3, 4, 5, 254, 255].map(majority), [1, 1, 2, 2, 3, 3, 128, 128]);
    }

    /// The rows of etcd-io/raft `quorum/testdata/majority_commit.txt`; a voter that said nothing has stored
    /// nothing.
    #[test]
    fn the_commit_index_is_the_largest_that_a_majority_has_stored() {
        let rows: [(&[u64], u64); 16] = [
            (&[0], 0),
            (&[12], 12),
            (&[0, 0], 0),
            (&[12, 0], 0),
            (&[12, 5], 5),
            (&[12, 12], 12),
            (&[0, 0, 0], 0),
            (&[12, 0, 0], 0),
            (&[12, 5, 0], 5),
            (&[12, 5, 6], 6),
            (&[12, 5, 5], 5),
            (&[12, 12, 5], 12),
            (&[5, 0, 0], 0),
            (&[101, 104, 103, 103], 103),
            (&[101, 102, 0, 103, 104], 102),
            (&[101, 102, 103, 103, 0, 0], 101),
        ];
        for (stored, expected) in rows {
            assert_eq!(committed(stored, 0), expected, "{stored:?}");
        }
    }

    #[test]
    fn the_commit_index_agrees_with_its_definition_for_every_cluster_size() {
        let mut state = 7_u64;
        for voters in 1..=255 {
            let stored: Vec<u64> = (0..voters)
                .map(|_| {
                    state =
                        state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (state >> 33) % 40
                })
                .collect();
            let stored_at = |n: u64| stored.iter().filter(|index| **index >= n).count();
            for floor in [0, 10, 20, 39] {
                let expected = (floor + 1..=40).filter(|n| 2 * stored_at(*n) > voters).max().unwrap_or(floor);
                assert_eq!(committed(&stored, floor), expected, "{voters} voters above {floor}");
            }
        }
    }

    #[test]
    fn an_election_is_won_by_a_majority_and_lost_when_none_can_come() {
        use VoteOutcome::{Lost, Pending, Won};
        let rows = [
            ((1, 0, 1), Won),
            ((1, 0, 3), Pending),
            ((2, 0, 3), Won),
            ((1, 1, 3), Pending),
            ((1, 2, 3), Lost),
            ((2, 1, 4), Pending),
            ((2, 2, 4), Lost),
            ((3, 0, 4), Won),
            ((2, 3, 5), Lost),
            ((2, 2, 5), Pending),
            ((3, 2, 5), Won),
        ];
        for ((granted, refused, voters), expected) in rows {
            assert_eq!(vote_outcome(granted, refused, voters), expected, "{granted} {refused} {voters}");
        }
    }

    #[test]
    fn a_set_of_voters_says_whether_a_voter_is_new() {
        let mut set = VoterSet::default();
        for position in [0, 63, 64, 254] {
            assert!(set.insert(position));
            assert!(!set.insert(position));
        }
    }
}
