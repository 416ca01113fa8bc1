//! The safety oracles: one property of Raft each, judged record by record.
//!
//! An oracle reads records, the [`Mirror`] and the [`Canon`], and touches nothing but its own memory. It
//! costs what the record changed, never what the cluster holds. [`Judge`] owns them all and calls, for each
//! record, only those that it concerns; beside them stands [`audit`], the slow and obvious version of each,
//! that they are compared with.
//!
//! **Before or after?** What a record removes can be seen only before the mirror has taken it in, what it
//! makes of a node only after. An oracle is shown every record *before*, but for five that are shown theirs
//! *after*: log matching, monotonic durable term, durable vote, state order and durability, whose subject is what a log,
//! a node or a disk has become. For `Sent` the two are the same. The canon is extended last.
//!
//! **What is forgotten.** What is remembered of the log is remembered above the *floor*, the lowest base of any log in
//! memory or on disk that has entries, and what is remembered of terms, of the last few hundreds or thousands: so that a
//! cluster that compacts can be judged for as long as it runs. About what lies below, an oracle has no opinion.
//!
//! **What is not asserted**, though it looks right, because it is false of Raft: that two leaders never live
//! at once (they may, in different terms); that whoever got votes still has a log at least as good as its
//! voters'; that terms or commit indices in *memory* survive a crash; that a node votes once a term in memory
//! (a vote that was lost with a crash before it was durable, and so was never told to anybody, may be given
//! again to another); that nothing survives a crash but what was durable (writes that were under way may have
//! got there); that a configuration is in force only once it is committed (it is as soon as it is in the log),
//! or that all nodes have the same one in force; that a removed node falls silent, or that a leader is a member
//! (it manages a cluster without itself while it removes itself); that the entries of earlier terms are on a
//! quorum of the *present* configuration; that a quorum of an old configuration still holds what it committed,
//! once a later commit stands on another; that a PreVote that was granted is followed by a vote, or binds anybody; that a
//! snapshot on disk never reaches beyond the log there.

mod above;
#[cfg(test)]
mod agreement;
pub mod audit;
mod canon;
mod commit_legality;
mod commit_monotonic;
mod config_safety;
mod durability;
mod durable_vote;
mod election_safety;
mod exactly_once;
mod found;
mod judge;
mod leader_append_only;
mod leader_completeness;
mod linearizability;
mod log_matching;
mod message_sanity;
mod monotonic_durable_term;
mod no_panic;
mod no_truncation_below_commit;
mod read_safety;
mod share;
mod snapshot_consistency;
mod state_machine_safety;
mod state_order;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod walk;

pub use canon::{Applied, Canon, Committed};
pub use commit_legality::CommitLegality;
pub use commit_monotonic::CommitMonotonic;
pub use config_safety::ConfigSafety;
pub use durability::Durability;
pub use durable_vote::DurableVote;
pub use election_safety::ElectionSafety;
pub use exactly_once::ExactlyOnce;
pub use found::Found;
pub use judge::Judge;
pub use leader_append_only::LeaderAppendOnly;
pub use leader_completeness::LeaderCompleteness;
pub use linearizability::Linearizability;
pub use log_matching::LogMatching;
pub use message_sanity::MessageSanity;
pub use monotonic_durable_term::MonotonicDurableTerm;
pub use no_panic::NoPanic;
pub use no_truncation_below_commit::NoTruncationBelowCommit;
pub use read_safety::ReadSafety;
pub use snapshot_consistency::SnapshotConsistency;
pub use state_machine_safety::StateMachineSafety;
pub use state_order::StateOrder;

use crate::mirror::Mirror;
use crate::record::Record;
use crate::violation::Property;
use sim_core::{Interest, Stamp};

/// What an oracle may look at beside the record.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The cluster, before or after the record: see the head of this module.
    pub mirror: &'a Mirror,
    /// What was committed before the record.
    pub canon: &'a Canon,
}

/// A property that is judged record by record.
pub trait Oracle {
    /// The property.
    const PROPERTY: Property;
    /// The kinds of record that can break it, or that it must remember.
    const INTEREST: Interest;

    /// Is shown a record.
    fn observe(&mut self, stamp: Stamp, record: &Record, seen: Seen<'_>, found: &mut Found);
}
