//! What a node is told once, at its start.
//!
//! Owns: the settings and what makes them impossible. Must not know: where they were read from.

use crate::membership::Membership;
#[cfg(feature = "mutations")]
use crate::mutations::Mutation;
use crate::types::NodeId;

/// How a node behaves. May differ from node to node, so that a cluster can be changed one node at a time; the
/// range of election timeouts should not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How often a leader shows that it lives, in nanoseconds; at least one. Well below the election timeout
    /// (Raft §5.6).
    pub heartbeat_ns: u64,
    /// The range from which the host draws election timeouts, in nanoseconds, both ends included; the lower
    /// at least one. Its width decides how rarely votes split (Raft §9.3).
    pub election_timeout_ns: (u64, u64),
    /// Whether a new leader appends an empty entry, to commit what earlier terms left behind without waiting
    /// for a client (Raft §8). Without one a joint membership that was inherited is left once something that the
    /// leader itself appended is committed, and not before.
    pub noop_on_election: bool,
    /// How many entries one AppendEntries carries at most; at least one.
    pub entries_per_append_max: u32,
    /// How many bytes of entries one AppendEntries carries at most, but for its first entry; zero for no
    /// bound (etcd-io/raft `MaxSizePerMsg`).
    pub bytes_per_append_max: u64,
    /// How many AppendEntries with entries may be on their way to one follower; zero for no bound
    /// (etcd-io/raft `MaxInflightMsgs`).
    pub in_flight_messages_max: u32,
    /// How many bytes of entries may be on their way to one follower when another is sent; zero for no bound
    /// (etcd-io/raft `MaxInflightBytes`).
    pub in_flight_bytes_max: u64,
    /// How many bytes of commands of its own term may be in a leader's log and not committed; zero for no
    /// bound. One command always may, so that a large one is possible (etcd-io/raft
    /// `MaxUncommittedEntriesSize`).
    pub uncommitted_bytes_max: u64,
    /// How long a leader gathers proposals before it sends them, in nanoseconds; zero to send each at once
    /// (thesis §10.2.2). They are in its log meanwhile.
    pub batch_delay_ns: u64,
    /// How many entries the log keeps below its own snapshot, for followers that lag a little (thesis
    /// §5.1.3).
    pub snapshot_keep: u64,
    /// How many bytes of a snapshot one message carries at most; at least one (Raft §7).
    pub snapshot_chunk_bytes: u32,
    /// Whether the node asks if it would win before it stands, so that one who was cut off disturbs nobody
    /// when it comes back (thesis §9.6).
    pub pre_vote: bool,
    /// Whether a leader steps down when it has not heard from a quorum for the longest election timeout, and
    /// whether votes are neither given nor refused within the shortest election timeout of hearing a leader
    /// (thesis §6.2, §4.2.3).
    pub check_quorum: bool,
    /// Whether [`crate::ReadMode::Lease`] trusts clocks (thesis §6.4.1). Needs `check_quorum`. A node with
    /// this option does not vote within the shortest election timeout of its start.
    ///
    /// Sound while the clocks of all nodes run at rates within `clock_drift_max_ppm` of true time, and do not
    /// jump; a clock that went back ends the lease.
    pub lease_reads: bool,
    /// How far from true time a clock's rate may be, in millionths; below one million.
    pub clock_drift_max_ppm: u32,
    /// Whether a follower hands a command on to the leader rather than refuse it.
    pub forward_proposals: bool,
    /// Whether a leader steps down when the membership in which it has no vote is committed (thesis §4.2.2).
    pub step_down_on_removal: bool,
    /// A voter refuses a candidate of lower priority unless that one's log is longer (tikv/raft-rs
    /// `priority`).
    pub priority: i64,
    /// How many committed entries may be handed to the state machine before it says
    /// [`crate::Input::Applied`]; zero for no bound, and then it need not say so (etcd-io/raft
    /// `MaxCommittedSizePerReady`).
    pub apply_window: u32,
    /// The planted bug, if any.
    #[cfg(feature = "mutations")]
    pub mutation: Option<Mutation>,
}

impl Default for Options {
    /// Heartbeats every 50 ms, election timeouts of 150 to 300 ms (Raft §9.3), no empty entry, 64 entries a
    /// message, snapshots in parts of 64 KiB that replace the whole log, a leader that steps down when it is
    /// removed; no other bound, and no extension.
    fn default() -> Self {
        Self {
            heartbeat_ns: 50_000_000,
            election_timeout_ns: (150_000_000, 300_000_000),
            noop_on_election: false,
            entries_per_append_max: 64,
            bytes_per_append_max: 0,
            in_flight_messages_max: 0,
            in_flight_bytes_max: 0,
            uncommitted_bytes_max: 0,
            batch_delay_ns: 0,
            snapshot_keep: 0,
            snapshot_chunk_bytes: 1 << 16,
            pre_vote: false,
            check_quorum: false,
            lease_reads: false,
            clock_drift_max_ppm: 0,
            forward_proposals: false,
            step_down_on_removal: true,
            priority: 0,
            apply_window: 0,
            #[cfg(feature = "mutations")]
            mutation: None,
        }
    }
}

const MILLION: u32 = 1_000_000;

impl Options {
    /// # Panics
    ///
    /// If no host could follow these options; see [`crate::RaftNode::start`].
    pub(crate) fn assert_possible(&self) {
        let (min_ns, max_ns) = self.election_timeout_ns;
        assert!(self.heartbeat_ns > 0, "a heartbeat interval of zero would never let time pass");
        assert!(min_ns > 0, "an election timeout of zero would never let time pass");
        assert!(min_ns <= max_ns, "the election timeout range {min_ns}..={max_ns} ns is empty");
        assert!(self.entries_per_append_max > 0, "a message of no entries replicates nothing");
        assert!(self.snapshot_chunk_bytes > 0, "a part of no bytes brings no snapshot over");
        assert!(self.check_quorum || !self.lease_reads, "a lease rests on check_quorum");
        assert!(self.clock_drift_max_ppm < MILLION, "a clock that may stand still is none");
    }

    /// How long a lease lasts by the leader's clock, counted from when it asked, in nanoseconds: the shortest
    /// election timeout, should the leader's clock be as slow and a follower's as fast as it may.
    pub(crate) fn lease_ns(&self) -> u64 {
        let drift = u128::from(self.clock_drift_max_ppm);
        let million = u128::from(MILLION);
        let lease = u128::from(self.election_timeout_ns.0) * (million - drift) / (million + drift);
        u64::try_from(lease).expect("a lease is no longer than the timeout")
    }
}

/// A node, its cluster and its options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The node itself. Need not be a member: then it answers, and never campaigns.
    pub id: NodeId,
    /// The membership with which the cluster began: the one before the first entry of the log. Whatever the
    /// durable state says of a later one goes before it. Empty for a node that is to join.
    pub membership: Membership,
    /// How the node behaves.
    pub options: Options,
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn a_lease_is_shorter_than_the_shortest_timeout_by_what_clocks_may_drift_apart() {
        let lease = |drift| {
            Options { clock_drift_max_ppm: drift, election_timeout_ns: (1_001_000, 9), ..Options::default() }
                .lease_ns()
        };
        assert_eq!([0, 1_000, 500_000, 999_999].map(lease), [1_001_000, 999_000, 333_666, 0]);
        let longest = Options { election_timeout_ns: (u64::MAX, u64::MAX), ..Options::default() };
        assert_eq!(longest.lease_ns(), u64::MAX);
    }
}
