//! Settings of Raft nodes.

use crate::scenario::form::As;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::{Latency, Ratio, Span};

/// Settings of every Raft node. What is off by default is an extension of the algorithm of the paper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RaftOptions {
    /// How often a leader sends AppendEntries to an idle follower. Default 50ms; below the shortest election
    /// timeout.
    #[serde(with = "As::<Span>")]
    pub heartbeat: Span,
    /// The range election timeouts are drawn from, shortest and longest. Default 150ms to 300ms.
    #[serde(with = "As::<(Span, Span)>")]
    pub election_timeout: (Span, Span),
    /// Whether a new leader appends an empty entry at once. Default false: the first command has index 1, and a joint membership
    /// that was inherited is left once a command is committed, and not before.
    pub noop_on_election: bool,
    /// How many entries one AppendEntries carries at most, 1 to 10000. Default 64.
    #[schemars(range(min = 1, max = 10_000))]
    pub entries_per_append: u32,
    /// Whether a node asks if it would get votes before it raises its term (PreVote, thesis §9.6). Default false.
    pub pre_vote: bool,
    /// Whether a leader that hears from no quorum for an election timeout steps down, and nodes that hear a leader
    /// vote for nobody (thesis §6.2, §4.2.3). Default false.
    pub check_quorum: bool,
    /// Whether a leader serves reads by its lease (thesis §6.4.1); needs `check_quorum`. Default false: `lease`
    /// reads are confirmed like `read_index` ones.
    pub lease_reads: bool,
    /// By how much a clock may run fast or slow for leases to be safe, below 50%. Default 1%.
    #[serde(with = "As::<Ratio>")]
    pub clock_drift_max: Ratio,
    /// Whether a follower hands commands on to the leader. Default false: it refuses them.
    pub forward_proposals: bool,
    /// Whether a leader steps down when the configuration without it is committed (thesis §4.2.2). Default true.
    pub step_down_on_removal: bool,
    /// How much a node wants to lead: nodes of lower priority get no votes from those of higher, 0 to 1000000.
    /// Default 0.
    #[schemars(range(max = 1_000_000))]
    pub priority: u32,
    /// How many bytes of commands one AppendEntries carries at most (one command always fits), 1 to 2^30. Absent:
    /// no bound.
    #[schemars(range(min = 1, max = 1_073_741_824))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_per_append: Option<u64>,
    /// How many AppendEntries with entries a leader has on the way to one follower at most, 1 to 65536. Default
    /// 256.
    #[schemars(range(min = 1, max = 65_536))]
    pub in_flight_messages: u32,
    /// How many bytes of commands a leader has on the way to one follower at most (one message always may be), 1 to
    /// 2^30. Absent: no bound.
    #[schemars(range(min = 1, max = 1_073_741_824))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_flight_bytes: Option<u64>,
    /// How many bytes of commands a leader takes before they are committed (one command always is taken), 1 to
    /// 2^30. Absent: no bound.
    #[schemars(range(min = 1, max = 1_073_741_824))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uncommitted_bytes: Option<u64>,
    /// How long a leader gathers commands before it sends them. Default 0ns: not at all; below the shortest
    /// election timeout.
    #[serde(with = "As::<Span>")]
    pub batch_delay: Span,
    /// A node takes a snapshot when it has applied so many entries since the last one, 1 to 10^9. Absent: never on
    /// its own.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_after: Option<u64>,
    /// How many entries that a snapshot covers stay in the log, 0 to 10^9. Default 0.
    #[schemars(range(max = 1_000_000_000))]
    pub snapshot_keep: u64,
    /// How many bytes of a snapshot one InstallSnapshot carries, 1 to 1048576. Default 65536.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub snapshot_chunk: u32,
    /// How long it takes to apply a committed entry; meanwhile the node goes on, and what it commits is applied along
    /// with it. Absent: entries are applied at once.
    #[serde(with = "As::<Option<Latency>>", skip_serializing_if = "Option::is_none")]
    pub apply_delay: Option<Latency>,
    /// How many committed entries may be waiting to be applied before no more are handed over, 1 to 1000000.
    /// Absent: no bound.
    #[schemars(range(min = 1, max = 1_000_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apply_window: Option<u32>,
    /// How many sessions the key-value machine remembers; one more ends the one that was used least recently, 1 to
    /// 65536. Default 64. The same on all nodes, since it decides what commands do.
    #[schemars(range(min = 1, max = 65_536))]
    pub sessions_max: u32,
}

impl Default for RaftOptions {
    fn default() -> Self {
        Self {
            heartbeat: Span::from_millis(50),
            election_timeout: (Span::from_millis(150), Span::from_millis(300)),
            noop_on_election: false,
            entries_per_append: 64,
            pre_vote: false,
            check_quorum: false,
            lease_reads: false,
            clock_drift_max: Ratio::from_percent(1),
            forward_proposals: false,
            step_down_on_removal: true,
            priority: 0,
            bytes_per_append: None,
            in_flight_messages: 256,
            in_flight_bytes: None,
            uncommitted_bytes: None,
            batch_delay: Span::ZERO,
            snapshot_after: None,
            snapshot_keep: 0,
            snapshot_chunk: 65_536,
            apply_delay: None,
            apply_window: None,
            sessions_max: 64,
        }
    }
}

impl RaftOptions {
    /// These options with what `change` says put over them.
    #[must_use]
    pub fn with(&self, change: &RaftChange) -> Self {
        Self {
            heartbeat: change.heartbeat.unwrap_or(self.heartbeat),
            election_timeout: change.election_timeout.unwrap_or(self.election_timeout),
            noop_on_election: change.noop_on_election.unwrap_or(self.noop_on_election),
            entries_per_append: change.entries_per_append.unwrap_or(self.entries_per_append),
            pre_vote: change.pre_vote.unwrap_or(self.pre_vote),
            check_quorum: change.check_quorum.unwrap_or(self.check_quorum),
            lease_reads: change.lease_reads.unwrap_or(self.lease_reads),
            clock_drift_max: change.clock_drift_max.unwrap_or(self.clock_drift_max),
            forward_proposals: change.forward_proposals.unwrap_or(self.forward_proposals),
            step_down_on_removal: change.step_down_on_removal.unwrap_or(self.step_down_on_removal),
            priority: change.priority.unwrap_or(self.priority),
            bytes_per_append: change.bytes_per_append.or(self.bytes_per_append),
            in_flight_messages: change.in_flight_messages.unwrap_or(self.in_flight_messages),
            in_flight_bytes: change.in_flight_bytes.or(self.in_flight_bytes),
            uncommitted_bytes: change.uncommitted_bytes.or(self.uncommitted_bytes),
            batch_delay: change.batch_delay.unwrap_or(self.batch_delay),
            snapshot_after: change.snapshot_after.or(self.snapshot_after),
            snapshot_keep: change.snapshot_keep.unwrap_or(self.snapshot_keep),
            snapshot_chunk: change.snapshot_chunk.unwrap_or(self.snapshot_chunk),
            apply_delay: change.apply_delay.or(self.apply_delay),
            apply_window: change.apply_window.or(self.apply_window),
            sessions_max: self.sessions_max,
        }
    }
}

/// Settings of one Raft node that differ from those of the others. What is absent stays as in `raft`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RaftChange {
    /// How often this node, as leader, sends AppendEntries to an idle follower.
    #[serde(with = "As::<Option<Span>>", skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<Span>,
    /// The range its election timeouts are drawn from, shortest and longest.
    #[serde(with = "As::<Option<(Span, Span)>>", skip_serializing_if = "Option::is_none")]
    pub election_timeout: Option<(Span, Span)>,
    /// Whether it appends an empty entry when elected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noop_on_election: Option<bool>,
    /// How many entries one AppendEntries of it carries at most, 1 to 10000.
    #[schemars(range(min = 1, max = 10_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entries_per_append: Option<u32>,
    /// Whether it asks for pre-votes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_vote: Option<bool>,
    /// Whether it checks its quorum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check_quorum: Option<bool>,
    /// Whether it serves reads by its lease; needs `check_quorum`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_reads: Option<bool>,
    /// By how much it thinks that a clock may run fast or slow, below 50%.
    #[serde(with = "As::<Option<Ratio>>", skip_serializing_if = "Option::is_none")]
    pub clock_drift_max: Option<Ratio>,
    /// Whether it hands commands on to the leader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward_proposals: Option<bool>,
    /// Whether it steps down when the configuration without it is committed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_down_on_removal: Option<bool>,
    /// How much it wants to lead, 0 to 1000000.
    #[schemars(range(max = 1_000_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u32>,
    /// How many bytes of commands one AppendEntries of it carries at most, 1 to 2^30.
    #[schemars(range(min = 1, max = 1_073_741_824))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_per_append: Option<u64>,
    /// How many AppendEntries with entries it has on the way to one follower at most, 1 to 65536.
    #[schemars(range(min = 1, max = 65_536))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_flight_messages: Option<u32>,
    /// How many bytes of commands it has on the way to one follower at most, 1 to 2^30.
    #[schemars(range(min = 1, max = 1_073_741_824))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_flight_bytes: Option<u64>,
    /// How many bytes of commands it takes before they are committed, 1 to 2^30.
    #[schemars(range(min = 1, max = 1_073_741_824))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uncommitted_bytes: Option<u64>,
    /// How long it gathers commands before it sends them.
    #[serde(with = "As::<Option<Span>>", skip_serializing_if = "Option::is_none")]
    pub batch_delay: Option<Span>,
    /// It takes a snapshot when it has applied so many entries since the last one, 1 to 10^9.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_after: Option<u64>,
    /// How many entries that a snapshot covers stay in its log, 0 to 10^9.
    #[schemars(range(max = 1_000_000_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_keep: Option<u64>,
    /// How many bytes of a snapshot one InstallSnapshot of it carries, 1 to 1048576.
    #[schemars(range(min = 1, max = 1_048_576))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_chunk: Option<u32>,
    /// How long it takes to apply a committed entry.
    #[serde(with = "As::<Option<Latency>>", skip_serializing_if = "Option::is_none")]
    pub apply_delay: Option<Latency>,
    /// How many committed entries may be waiting to be applied, 1 to 1000000.
    #[schemars(range(min = 1, max = 1_000_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apply_window: Option<u32>,
}
