//! Which voters something holds for, in words.

use crate::record::Members;
use sim_core::ProcessId;
use std::collections::BTreeSet;

/// See the head of this file.
pub(super) struct Share {
    /// How many of how many: "2 of 5 voters".
    pub(super) of: String,
    /// Who: "0, 1", or "none".
    pub(super) names: String,
}

impl Share {
    #[cold]
    pub(super) fn new(members: &Members, holds: impl Fn(ProcessId) -> bool) -> Self {
        let voters: BTreeSet<ProcessId> = members.voters.iter().chain(&members.outgoing).copied().collect();
        let names: Vec<String> =
            voters.iter().filter(|voter| holds(**voter)).map(ToString::to_string).collect();
        let joint = if members.is_joint() { "a joint configuration's " } else { "" };
        let of = format!("{} of {joint}{} voters", names.len(), voters.len());
        Self { of, names: if names.is_empty() { "none".to_string() } else { names.join(", ") } }
    }
}
