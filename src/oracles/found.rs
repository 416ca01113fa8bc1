//! The violations that were found: of each property the first.

use crate::violation::{Property, Violation};
use sim_core::{ProcessId, Stamp};

/// Where oracles report.
#[derive(Clone, Debug, Default)]
pub struct Found {
    violations: Vec<Violation>,
    /// The properties, as bits, that nothing more is taken of: broken before, or switched off.
    closed: u32,
}

impl Found {
    /// Every violation, in the order of the records that broke something.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Takes nothing of `property` from now on. What was found of it before stays.
    pub fn disable(&mut self, property: Property) {
        self.closed |= Self::bit(property);
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
        if self.closed & Self::bit(property) == 0 {
            self.closed |= Self::bit(property);
            let (what, cause) = say();
            self.violations.push(Violation { cause, ..Violation::new(property, stamp, node.into(), what) });
        }
    }

    const fn bit(property: Property) -> u32 {
        1 << property as u32
    }
}
