//! The canonical log: what the cluster as a whole has committed, entry by entry, kept once for all oracles.
//!
//! It is extended by `Commit` notes alone, after commit legality has judged them, and never shrinks: an entry
//! belongs to it from the moment that the first node, a leader in any lawful Raft, takes it for committed.
//! Applying does not extend it.

use crate::mirror::NodeMirror;
use crate::record::Hash64;

/// An entry that was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The entry's term.
    pub term: u64,
    /// The hash of its command.
    pub command: Hash64,
    /// The hash of the log up to and including it.
    pub prefix: Hash64,
    /// The term of the node that first committed it, which may be higher than the entry's own.
    pub committed_in: u64,
}

/// Every entry that was committed, in order.
#[derive(Clone, Debug, Default)]
pub struct Canon {
    entries: Vec<Committed>,
}

impl Canon {
    /// The index of the last committed entry.
    #[inline]
    #[must_use]
    pub fn last_index(&self) -> u64 {
        self.entries.len() as u64
    }

    /// The committed entry at `index`.
    #[inline]
    #[must_use]
    pub fn get(&self, index: u64) -> Option<&Committed> {
        self.entries.get(usize::try_from(index.checked_sub(1)?).ok()?)
    }

    /// The hash of the committed log up to `index`, 0 for the empty log; nothing beyond its end.
    #[inline]
    #[must_use]
    pub fn prefix_at(&self, index: u64) -> Option<Hash64> {
        if index == 0 { Some(Hash64::default()) } else { self.get(index).map(|entry| entry.prefix) }
    }

    /// The last index that was committed in a term below `term`; 0 if none was.
    #[must_use]
    pub fn last_index_committed_below(&self, term: u64) -> u64 {
        // Commits come in the order of terms unless something is broken, so this looks at the last one
        // mostly.
        self.entries.iter().rposition(|entry| entry.committed_in < term).map_or(0, |place| place as u64 + 1)
    }

    /// Takes in that `node` has committed its log up to its commit index.
    ///
    /// A log that differs from what was committed before, or ends before its commit index, extends nothing
    /// beyond what it has: commit legality has told of it.
    #[inline]
    pub(super) fn extend(&mut self, node: &NodeMirror) {
        let length = self.last_index();
        if node.commit <= length || node.log.prefix_at(length) != self.prefix_at(length) {
            return;
        }
        let cells = node.log.slice(length + 1, node.commit - length);
        let committed_in = node.term;
        self.entries.extend(cells.iter().map(|cell| Committed {
            term: cell.term,
            command: cell.command,
            prefix: cell.prefix,
            committed_in,
        }));
    }
}
