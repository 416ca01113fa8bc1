//! What a node is told once, at its start.
//!
//! Owns: the settings and what makes them impossible. Must not know: where they were read from.

#[cfg(feature = "mutations")]
use crate::mutations::Mutation;
use crate::types::NodeId;

/// How a node behaves; the same for every node of a cluster, usually.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How often a leader shows that it lives, in nanoseconds; at least one. Well below the election timeout
    /// (Raft §5.6).
    pub heartbeat_ns: u64,
    /// The range from which the host draws election timeouts, in nanoseconds, both ends included; the lower
    /// at least one. Its width decides how rarely votes split (Raft §9.3).
    pub election_timeout_ns: (u64, u64),
    /// Whether a new leader appends an empty entry, to commit what earlier terms left behind without waiting
    /// for a client (Raft §8).
    pub noop_on_election: bool,
    /// How many entries one AppendEntries carries at most; at least one.
    pub entries_per_append_max: u32,
    /// The planted bug, if any.
    #[cfg(feature = "mutations")]
    pub mutation: Option<Mutation>,
}

impl Default for Options {
    /// Heartbeats every 50 ms, election timeouts of 150 to 300 ms (Raft §9.3), no empty entry, 64 entries a
    /// message.
    fn default() -> Self {
        Self {
            heartbeat_ns: 50_000_000,
            election_timeout_ns: (150_000_000, 300_000_000),
            noop_on_election: false,
            entries_per_append_max: 64,
            #[cfg(feature = "mutations")]
            mutation: None,
        }
    }
}

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
    }
}

/// A node, its cluster and its options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The node itself. Need not be a voter: then it answers, and never campaigns.
    pub id: NodeId,
    /// Those whose votes and logs count, in any order; at most 255, each once.
    pub voters: Vec<NodeId>,
    /// How the node behaves.
    pub options: Options,
}
