//! The voters of a cluster, each with a dense position.
//!
//! Owns: the way from a node's name to its position and back. Must not know: what is kept at a position.

use crate::types::NodeId;

/// The most voters that a cluster may have.
pub(crate) const VOTERS_MAX: usize = 255;

/// The voters in ascending order; a voter's position is its place in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Voters {
    ids: Box<[NodeId]>,
    /// Whether the ids follow each other without a gap, so that a subtraction finds a position.
    contiguous: bool,
}

impl Voters {
    /// # Panics
    ///
    /// If a voter occurs twice, or there are more than [`VOTERS_MAX`].
    pub(crate) fn new(mut ids: Vec<NodeId>) -> Self {
        assert!(ids.len() <= VOTERS_MAX, "{} voters are more than {VOTERS_MAX}", ids.len());
        ids.sort_unstable();
        for pair in ids.windows(2) {
            assert!(pair[0] != pair[1], "voter {} is listed twice", pair[0]);
        }
        let contiguous = ids.windows(2).all(|pair| pair[1].0 - pair[0].0 == 1);
        Self { ids: ids.into_boxed_slice(), contiguous }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    #[inline]
    pub(crate) fn ids(&self) -> &[NodeId] {
        &self.ids
    }

    /// Where `id` stands among the voters; none if it is not one.
    #[inline]
    pub(crate) fn position(&self, id: NodeId) -> Option<usize> {
        if self.contiguous {
            let position = usize::from(id.0.checked_sub(self.ids.first()?.0)?);
            (position < self.ids.len()).then_some(position)
        } else {
            self.ids.binary_search(&id).ok()
        }
    }

    /// Every voter but `id`, in ascending order, which is the order in which a node speaks to them.
    pub(crate) fn others(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.ids.iter().copied().filter(move |voter| *voter != id)
    }
}

#[cfg(test)]
mod tests {
    use super::Voters;
    use crate::types::NodeId;

    #[test]
    fn a_voter_is_found_by_its_name_dense_or_not() {
        for ids in [vec![0, 1, 2], vec![3, 1, 2], vec![9, 4, 700, u16::MAX], vec![5], vec![]] {
            let voters = Voters::new(ids.iter().copied().map(NodeId).collect());
            for id in 0..=u16::MAX {
                let position = voters.position(NodeId(id));
                assert_eq!(position.is_some(), ids.contains(&id));
                assert!(position.is_none_or(|position| voters.ids()[position] == NodeId(id)));
            }
        }
    }

    #[test]
    #[should_panic = "voter 1 is listed twice"]
    fn a_voter_that_is_listed_twice_is_refused() {
        drop(Voters::new(vec![NodeId(1), NodeId(0), NodeId(1)]));
    }

    #[test]
    #[should_panic = "256 voters are more than 255"]
    fn more_than_255_voters_are_refused() {
        drop(Voters::new((0..256).map(NodeId).collect()));
    }
}
