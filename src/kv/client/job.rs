//! Where a client's operations come from.
//!
//! Owns what is to be done next. Must not know how it is asked.

use crate::kv::client::seen::Seen;
use crate::kv::script::Script;
use crate::kv::workload::Workload;
use std::collections::{BTreeSet, VecDeque};

/// Where a client's operations come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Job {
    /// From draws.
    Drawn(Drawn),
    /// From scripts.
    Scripted {
        /// Those that wait for their turn, first come first served.
        queue: VecDeque<Script>,
        /// See [`ScriptOptions::doubles`](crate::kv::ScriptOptions::doubles).
        doubles: bool,
    },
}

/// A client's part of a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Drawn {
    pub(super) workload: Workload,
    /// The numbers of the operations that are left out.
    pub(super) omitted: BTreeSet<u64>,
    pub(super) seen: Seen,
}

impl Drawn {
    /// The number of the operation that follows `number`.
    pub(super) fn after(&self, number: u64) -> Option<u64> {
        let last = u64::from(self.workload.operations);
        (number + 1..=last).find(|number| !self.omitted.contains(number))
    }
}
