//! The violations that were found: of each property the first.

use crate::violation::{Property, Violation};
use sim_core::{ProcessId, Stamp};

/// Where oracles report.
#[derive(Clone, Debug)]
pub struct Found {
    violations: Vec<Violation>,
    /// The properties, as bits, that nothing more is taken of: broken before, or switched off.
    closed: u64,
    /// By property: how often it was judged.
    judged: [u64; Property::ALL.len()],
}

impl Default for Found {
    fn default() -> Self {
        Self { violations: Vec::new(), closed: 0, judged: [0; Property::ALL.len()] }
    }
}

impl Found {
    /// Every violation, in the order of the records that broke something.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Counts that `property` was judged.
    #[inline]
    pub(super) fn judged(&mut self, property: Property) {
        self.judged[property as usize] += 1;
    }

    /// How often `property` was judged: an oracle that never had anything to judge proves nothing.
    #[must_use]
    pub const fn count(&self, property: Property) -> u64 {
        self.judged[property as usize]
    }

    /// Takes nothing of `property` from now on. What was found of it before stays.
    pub fn disable(&mut self, property: Property) {
        self.closed |= Self::bit(property);
    }

    /// Counts that `property` was judged, and reports what is wrong if anything is.
    #[inline]
    pub(super) fn verdict(
        &mut self,
        property: Property,
        stamp: Stamp,
        node: ProcessId,
        verdict: Result<(), String>,
    ) {
        self.judged(property);
        if let Err(what) = verdict {
            self.report(property, stamp, node, || what);
        }
    }

    /// Whether nothing more is taken of `property`.
    pub(super) const fn is_closed(&self, property: Property) -> bool {
        self.closed & Self::bit(property) != 0
    }

    /// Reports that the record at `stamp` breaks `property`, and what is wrong.
    ///
    /// Only the first report for a property counts: what follows from a broken rule may break it again and
    /// again.
    #[cold]
    pub fn report(
        &mut self,
        property: Property,
        stamp: Stamp,
        node: impl Into<Option<ProcessId>>,
        what: impl FnOnce() -> String,
    ) {
        self.report_with_cause(property, stamp, node, || (what(), None));
    }

    /// Does the same, with how it came about.
    #[cold]
    pub fn report_with_cause(
        &mut self,
        property: Property,
        stamp: Stamp,
        node: impl Into<Option<ProcessId>>,
        say: impl FnOnce() -> (String, Option<String>),
    ) {
        if !self.is_closed(property) {
            self.closed |= Self::bit(property);
            let (what, cause) = say();
            self.violations.push(Violation { cause, ..Violation::new(property, stamp, node.into(), what) });
        }
    }

    const fn bit(property: Property) -> u64 {
        const { assert!(Property::ALL.len() <= 64, "a bit for each property") };
        1 << property as u32
    }
}
