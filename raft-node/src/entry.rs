//! Log entries, and runs of them.
//!
//! Owns: what an entry is. Must not know: where in a log it stands; that is said beside it.

use std::sync::Arc;

use crate::membership::Membership;
use crate::payload::Payload;
use crate::types::Term;

/// What an entry is there for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// Nothing: a new leader appends it to commit what earlier terms left behind (Raft §8).
    Noop,
    /// A command for the replicated state machine.
    Command(Payload),
    /// A new membership, whole: it is in force from when this entry is appended (Raft §6, thesis §4.1).
    Change(Arc<Membership>),
}

/// One entry of the log (Raft §5.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The term of the leader that created the entry.
    pub term: Term,
    /// What the entry carries.
    pub kind: EntryKind,
}

/// Bytes that an entry takes on the wire besides its payload: term 8, kind 1, length 4.
const ENTRY_OVERHEAD_BYTES: usize = 13;

impl Entry {
    /// An entry that carries a command.
    #[must_use]
    pub const fn command(term: Term, payload: Payload) -> Self {
        Self { term, kind: EntryKind::Command(payload) }
    }

    /// The command's bytes; empty for an entry that carries none.
    #[inline]
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        match &self.kind {
            EntryKind::Noop | EntryKind::Change(_) => &[],
            EntryKind::Command(payload) => payload.as_slice(),
        }
    }

    /// An estimate of the entry's size on a wire or a disk, in bytes; saturates.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> u32 {
        u32::try_from(self.size()).unwrap_or(u32::MAX)
    }

    #[inline]
    fn size(&self) -> usize {
        let carried = match &self.kind {
            EntryKind::Noop => 0,
            EntryKind::Command(payload) => payload.len(),
            EntryKind::Change(membership) => membership.encoded_len(),
        };
        carried.saturating_add(ENTRY_OVERHEAD_BYTES)
    }
}

/// An estimate of the size of all of them; saturates.
#[inline]
pub(crate) fn bytes(entries: &[Entry]) -> usize {
    entries.iter().fold(0, |sum, entry| sum.saturating_add(entry.size()))
}

/// A run of consecutive entries. One entry lies in place, more behind a shared pointer: cloning never
/// allocates.
///
/// Two runs are equal when their entries are, however they lie.
#[derive(Clone, Debug, Default)]
pub enum Entries {
    /// No entry.
    #[default]
    None,
    /// One entry.
    One(Entry),
    /// Any number of entries, usually two or more.
    Many(Arc<[Entry]>),
}

impl Entries {
    /// Copies a run; allocates if it is longer than one.
    #[must_use]
    pub fn from_slice(entries: &[Entry]) -> Self {
        match entries {
            [] => Self::None,
            [entry] => Self::One(entry.clone()),
            many => Self::Many(Arc::from(many)),
        }
    }

    /// The entries, oldest first.
    #[inline]
    #[must_use]
    pub fn as_slice(&self) -> &[Entry] {
        match self {
            Self::None => &[],
            Self::One(entry) => core::slice::from_ref(entry),
            Self::Many(entries) => entries,
        }
    }

    /// How many entries there are.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// Whether there is no entry.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }

    /// The run without its first `count` entries; shares the allocation if nothing is left out.
    pub(crate) fn skip(self, count: usize) -> Self {
        if count == 0 { self } else { Self::from_slice(self.as_slice().get(count..).unwrap_or_default()) }
    }
}

impl From<Vec<Entry>> for Entries {
    fn from(mut entries: Vec<Entry>) -> Self {
        if entries.len() > 1 {
            Self::Many(Arc::from(entries))
        } else {
            entries.pop().map_or(Self::None, Self::One)
        }
    }
}

impl From<Entry> for Entries {
    fn from(entry: Entry) -> Self {
        Self::One(entry)
    }
}

impl PartialEq for Entries {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Entries {}

#[cfg(test)]
mod tests {
    use super::{Entries, Entry, EntryKind};
    use crate::payload::Payload;
    use crate::types::Term;

    fn noop(term: u64) -> Entry {
        Entry { term: Term(term), kind: EntryKind::Noop }
    }

    #[test]
    fn an_entry_and_a_run_are_32_bytes() {
        assert_eq!(size_of::<Entry>(), 32);
        assert_eq!(size_of::<Entries>(), 32);
    }

    #[test]
    fn a_run_keeps_its_entries_however_it_was_made() {
        for len in 0..4 {
            let entries: Vec<Entry> = (1..=len).map(noop).collect();
            let copied = Entries::from_slice(&entries);
            assert_eq!(copied.as_slice(), entries);
            assert_eq!(copied.len(), entries.len());
            assert_eq!(copied.is_empty(), entries.is_empty());
            assert_eq!(copied, Entries::from(entries.clone()));
            assert_eq!(copied, Entries::Many(entries.into()));
        }
        assert_eq!(Entries::from(noop(7)).as_slice(), [noop(7)]);
        assert!(matches!(Entries::from(vec![noop(7)]), Entries::One(_)), "one entry lies in place");
    }

    #[test]
    fn runs_differ_when_their_entries_or_lengths_differ() {
        let runs = [&[][..], &[1], &[2], &[1, 1], &[1, 2], &[1, 2, 3]]
            .map(|terms: &[u64]| Entries::from(terms.iter().copied().map(noop).collect::<Vec<_>>()));
        for (at, one) in runs.iter().enumerate() {
            for (other_at, other) in runs.iter().enumerate() {
                assert_eq!(one == other, at == other_at, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn skipping_leaves_the_newer_entries() {
        let run = Entries::from(vec![noop(1), noop(2), noop(3)]);
        assert_eq!(run.clone().skip(0), run);
        assert_eq!(run.clone().skip(2), Entries::One(noop(3)));
        assert_eq!(run.clone().skip(3), Entries::None);
        assert_eq!(run.skip(9), Entries::None);
    }

    #[test]
    fn a_noop_has_no_payload_and_a_command_has_its_bytes() {
        assert_eq!(noop(1).payload(), b"");
        let command = Entry::command(Term(1), Payload::from("x=1"));
        assert_eq!(command.payload(), b"x=1");
        assert_eq!(command.bytes(), noop(1).bytes() + 3);
    }
}
