//! **Monotonic durable term**: the term on a node's disk never goes back, and within a term the vote on it,
//! once given, never changes.
//!
//! Source: Raft Figure 2, "persistent state"; CCF's TLA+ `MonoTermInv`.
//!
//! Not asserted: anything about terms and votes in memory. A term that was not yet durable is lawfully
//! forgotten by a crash.
//!
//! Shown *after*: it compares what the disk has become with what it was.
//!
//! A recovery counts like a write: it may find writes that were under way.
//!
//! Cost: one comparison per durable write.

use super::{Found, Oracle, Seen};
use crate::record::{Note, Record};
use crate::violation::Property;
use sim_core::{Interest, ProcessId, RecordKind, Stamp};

/// See the head of this file.
#[derive(Clone, Debug)]
pub struct MonotonicDurableTerm {
    /// By node: the term and vote that were durable before.
    before: Vec<(u64, Option<ProcessId>)>,
}

impl MonotonicDurableTerm {
    pub(super) fn new(nodes: u16) -> Self {
        Self { before: vec![(0, None); usize::from(nodes)] }
    }
}

impl Oracle for MonotonicDurableTerm {
    const PROPERTY: Property = Property::MonotonicDurableTerm;
    const INTEREST: Interest = Interest::of(&[RecordKind::WriteDurable, RecordKind::Noted]);

    #[inline]
    fn observe(&mut self, stamp: Stamp, record: &Record, seen: Seen<'_>, found: &mut Found) {
        let (Record::WriteDurable { process, .. } | Record::Noted { process, note: Note::Recovered { .. } }) =
            record
        else {
            return;
        };
        let Some(durable) = seen.mirror.node(*process).map(|node| &node.durable) else { return };
        let now = (durable.term, durable.vote);
        let before = core::mem::replace(&mut self.before[process.index()], now);
        found.judged(Self::PROPERTY);
        if now == before {
            return;
        }
        if now.0 < before.0 {
            found.report(Self::PROPERTY, stamp, *process, || {
                format!("the term on {process}'s disk went back from {} to {}", before.0, now.0)
            });
        } else if let (true, Some(vote)) = (now.0 == before.0, before.1) {
            found.report(Self::PROPERTY, stamp, *process, || {
                let now = now.1.map_or_else(|| "nobody".to_string(), |vote| vote.to_string());
                format!("the vote on {process}'s disk for term {} changed from {vote} to {now}", before.0)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::oracles::testing::{Story, story};
    use crate::violation::Property::MonotonicDurableTerm;
    use sim_core::ProcessId;

    /// The disk of 1 holds term 2 and, in it, the vote for 0.
    fn voted() -> Story {
        story(3).boot_all().votes(1, 2, 0).holds()
    }

    fn write(story: Story, term: u64, vote: Option<u16>) -> Story {
        story.persist(1, Some((term, vote.map(ProcessId))), None).durable(1)
    }

    #[test]
    fn a_term_that_was_not_durable_may_be_forgotten() {
        let story = story(3).boot_all().term(1, 5).persist_hard(1).restart(1).votes(1, 2, 0);
        story.holds();
    }

    #[test]
    fn the_same_again_or_a_higher_term_without_a_vote_is_lawful() {
        write(write(voted(), 2, Some(0)), 3, None).keeps(MonotonicDurableTerm);
        write(write(story(3).boot_all(), 2, None), 2, Some(0)).keeps(MonotonicDurableTerm);
    }

    #[test]
    fn a_lower_term_on_the_disk_breaks_it() {
        let violation = write(voted(), 1, None).breaks_only(MonotonicDurableTerm);
        assert_eq!(violation.what, "the term on 1's disk went back from 2 to 1");
    }

    #[test]
    fn a_changed_or_forgotten_vote_on_the_disk_breaks_it() {
        let violation = write(voted(), 2, Some(2)).breaks_only(MonotonicDurableTerm);
        assert_eq!(violation.what, "the vote on 1's disk for term 2 changed from 0 to 2");
        let violation = write(voted(), 2, None).breaks_only(MonotonicDurableTerm);
        assert_eq!(violation.what, "the vote on 1's disk for term 2 changed from 0 to nobody");
    }

    #[test]
    fn a_write_that_is_lost_breaks_nothing() {
        voted().persist(1, Some((1, None)), None).crash(1).keeps(MonotonicDurableTerm);
    }

    #[test]
    fn a_lower_term_that_a_recovery_finds_breaks_it() {
        let story = voted().persist(1, Some((1, None)), None).crash(1);
        story.clone().boot_keeping(1, 0).keeps(MonotonicDurableTerm);
        let violation = story.boot_keeping(1, 1).breaks(MonotonicDurableTerm);
        assert_eq!(violation.what, "the term on 1's disk went back from 2 to 1");
    }
}
