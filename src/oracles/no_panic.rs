//! **No panic**: no process panics.
//!
//! Source: ours. A bad message is data, a full disk an input; only a broken promise of the program to itself
//! is a panic, and that is a finding whatever caused it.
//!
//! Not asserted: that a node never stops. To crash is lawful; that is the world's doing.
//!
//! It counts as judged for every life that begins.
//!
//! Cost: nothing until it happens.

use super::{Found, Oracle, Seen};
use crate::record::Record;
use crate::violation::Property;
use sim_core::{Interest, RecordKind, Stamp};

/// See the head of this file.
#[derive(Clone, Debug)]
pub struct NoPanic;

impl Oracle for NoPanic {
    const PROPERTY: Property = Property::NoPanic;
    const INTEREST: Interest = Interest::of(&[RecordKind::Booted, RecordKind::Panicked]);

    fn observe(&mut self, stamp: Stamp, record: &Record, _: Seen<'_>, found: &mut Found) {
        found.judged(Self::PROPERTY);
        if let Record::Panicked { process, report, .. } = record {
            found.report(Self::PROPERTY, stamp, *process, || {
                format!("{process} panicked: {} ({})", report.message, report.place)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::oracles::testing::story;
    use crate::violation::Property::NoPanic;

    #[test]
    fn to_crash_is_lawful() {
        story(3).boot_all().crash(1).boot(1).crash(1).holds();
    }

    #[test]
    fn to_panic_is_not() {
        let violation = story(3).boot_all().panic(1).breaks_only(NoPanic);
        assert_eq!(violation.what, "1 panicked: no progress for 3 (leader.rs:7:1)");
    }

    #[test]
    fn a_process_that_is_no_node_must_not_panic_either() {
        let story = story(4).panic(3);
        let mut judge = crate::oracles::Judge::new(3);
        for (stamp, record) in &story.history {
            sim_core::Observer::observe(&mut judge, *stamp, record);
        }
        assert_eq!(judge.violations().len(), 1);
    }
}
