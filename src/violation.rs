//! The properties that are checked, and what is said when one is broken.

use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};
use sim_core::{ProcessId, Stamp, VirtualTime};

/// A property of a run.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Property {
    /// At most one leader in each term, ever (Raft §5.2).
    ElectionSafety,
    /// A node gives one vote a term, and not before it is durable (Raft §5.2, Figure 2 "persistent state").
    DurableVote,
    /// A leader never removes or overwrites entries of its own log (Raft §5.3).
    LeaderAppendOnly,
    /// Logs with an entry of the same index and term are identical up to it (Raft §5.3).
    LogMatching,
    /// A leader's log holds every entry committed in an earlier term (Raft §5.4).
    LeaderCompleteness,
    /// No two nodes apply different commands at the same index (Raft §5.4.3).
    StateMachineSafety,
    /// A leader commits only entries of its own term, which are durable on a quorum of its configuration (Raft §5.4.2).
    CommitLegality,
    /// The term and the vote on a node's disk never go back.
    MonotonicDurableTerm,
    /// A node's commit index never goes back within a life.
    CommitMonotonic,
    /// No node removes an entry that it knows to be committed.
    NoTruncationBelowCommit,
    /// A message promises nothing that its sender's disk does not hold.
    MessageSanity,
    /// Configurations change one at a time, and so that any two that follow each other overlap (Raft §6, thesis §4.1).
    ConfigSafety,
    /// A snapshot is what was committed up to its index (Raft §7).
    SnapshotConsistency,
    /// Compacted, snapshot, applied, committed and last index stand in this order, in memory and on disk.
    StateOrder,
    /// A client's command has its effect once, however often it is in the log (Raft §8, thesis §6.3).
    ExactlyOnce,
    /// A read that bypasses the log sees everything that was committed when it was asked (thesis §6.4).
    ReadSafety,
    /// A disk gives back what it promised to hold, and what was committed stays on a quorum's disks.
    Durability,
    /// To clients the cluster looks like one machine that does one thing at a time (Herlihy and Wing 1990).
    Linearizability,
    /// No process panics.
    NoPanic,
    /// Once healed, the cluster elects a leader, commits, and agrees.
    Convergence,
    /// What the scenario asserts.
    Expectation,
}

impl Property {
    /// Every property.
    pub const ALL: &[Self] = &[
        Self::ElectionSafety,
        Self::DurableVote,
        Self::LeaderAppendOnly,
        Self::LogMatching,
        Self::LeaderCompleteness,
        Self::StateMachineSafety,
        Self::CommitLegality,
        Self::MonotonicDurableTerm,
        Self::CommitMonotonic,
        Self::NoTruncationBelowCommit,
        Self::MessageSanity,
        Self::ConfigSafety,
        Self::SnapshotConsistency,
        Self::StateOrder,
        Self::ExactlyOnce,
        Self::ReadSafety,
        Self::Durability,
        Self::Linearizability,
        Self::NoPanic,
        Self::Convergence,
        Self::Expectation,
    ];

    /// What it demands, in a sentence, and where that is said.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::ElectionSafety => "At most one leader in each term, ever (Raft §5.2).",
            Self::DurableVote => {
                "A node gives one vote a term, and not before it is durable (Raft §5.2, Figure 2 \"persistent state\")."
            }
            Self::LeaderAppendOnly => {
                "A leader never removes or overwrites entries of its own log (Raft §5.3)."
            }
            Self::LogMatching => {
                "Logs with an entry of the same index and term are identical up to it (Raft §5.3)."
            }
            Self::LeaderCompleteness => {
                "A leader's log holds every entry committed in an earlier term (Raft §5.4)."
            }
            Self::StateMachineSafety => {
                "No two nodes apply different commands at the same index (Raft §5.4.3)."
            }
            Self::CommitLegality => {
                "A leader commits only entries of its own term, which are durable on a quorum of its configuration (Raft §5.4.2)."
            }
            Self::MonotonicDurableTerm => "The term and the vote on a node's disk never go back.",
            Self::CommitMonotonic => "A node's commit index never goes back within a life.",
            Self::NoTruncationBelowCommit => "No node removes an entry that it knows to be committed.",
            Self::MessageSanity => "A message promises nothing that its sender's disk does not hold.",
            Self::ConfigSafety => {
                "Configurations change one at a time, and so that any two that follow each other overlap (Raft §6, thesis §4.1)."
            }
            Self::SnapshotConsistency => "A snapshot is what was committed up to its index (Raft §7).",
            Self::StateOrder => {
                "Compacted, snapshot, applied, committed and last index stand in this order, in memory and on disk."
            }
            Self::ExactlyOnce => {
                "A client's command has its effect once, however often it is in the log (Raft §8, thesis §6.3)."
            }
            Self::ReadSafety => {
                "A read that bypasses the log sees everything that was committed when it was asked (thesis §6.4)."
            }
            Self::Durability => {
                "A disk gives back what it promised to hold, and what was committed stays on a quorum's disks."
            }
            Self::Linearizability => {
                "To clients the cluster looks like one machine that does one thing at a time (Herlihy and Wing 1990)."
            }
            Self::NoPanic => "No process panics.",
            Self::Convergence => "Once healed, the cluster elects a leader, commits, and agrees.",
            Self::Expectation => "What the scenario asserts.",
        }
    }

    /// Its name in scenario files, traces and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ElectionSafety => "election_safety",
            Self::DurableVote => "durable_vote",
            Self::LeaderAppendOnly => "leader_append_only",
            Self::LogMatching => "log_matching",
            Self::LeaderCompleteness => "leader_completeness",
            Self::StateMachineSafety => "state_machine_safety",
            Self::CommitLegality => "commit_legality",
            Self::MonotonicDurableTerm => "monotonic_durable_term",
            Self::CommitMonotonic => "commit_monotonic",
            Self::NoTruncationBelowCommit => "no_truncation_below_commit",
            Self::MessageSanity => "message_sanity",
            Self::ConfigSafety => "config_safety",
            Self::SnapshotConsistency => "snapshot_consistency",
            Self::StateOrder => "state_order",
            Self::ExactlyOnce => "exactly_once",
            Self::ReadSafety => "read_safety",
            Self::Durability => "durability",
            Self::Linearizability => "linearizability",
            Self::NoPanic => "no_panic",
            Self::Convergence => "convergence",
            Self::Expectation => "expectation",
        }
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Property {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .find(|property| property.name() == text)
            .copied()
            .ok_or_else(|| format!("there is no property `{text}`"))
    }
}

/// A property that was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// Which property.
    pub property: Property,
    /// The number of the record at which it broke.
    pub record: u64,
    /// When it broke, in nanoseconds.
    pub at: VirtualTime,
    /// The node that broke it, where one can be named.
    pub node: Option<ProcessId>,
    /// What is wrong, in a sentence: "two leaders in term 7: 1 (since 3.990s) and 3".
    pub what: String,
    /// How it came about, in a sentence, where the checker knows: "3 voted twice in term 7".
    pub cause: Option<String>,
}

/// What a violation is, without what is different from run to run: the property, and the words with numbers and names taken
/// out. Failures with one signature have most likely one cause.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Signature(String);

impl Signature {
    /// The signature as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text with `#` for every word that has a digit in it (`12`, `1.5ms`, `fb61`) and for every list of them, and `""` for what
/// is quoted.
fn without_numbers(text: &str) -> String {
    let mut plain = String::new();
    for (place, part) in text.split('"').enumerate() {
        if place > 0 {
            plain.push('"');
        }
        // Every second part stands in quotes.
        if place % 2 == 1 {
            continue;
        }
        for word in part.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || c == '.')) {
            let end = word.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).unwrap_or(word.len());
            let (letters, rest) = word.split_at(end);
            let has_number = letters.bytes().any(|b| b.is_ascii_digit());
            plain.push_str(if has_number { "#" } else { letters });
            plain.push_str(rest);
        }
    }
    for (list, one) in [("#, #", "#"), ("# and #", "#"), ("#,#", "#"), ("##", "#")] {
        while plain.contains(list) {
            plain = plain.replace(list, one);
        }
    }
    plain
}

impl Violation {
    /// What it is, without what is different from run to run.
    #[must_use]
    pub fn signature(&self) -> Signature {
        let Self { property, what, cause, .. } = self;
        let what = match property {
            // Which operations it is about is different each time.
            Property::Linearizability => return Signature(property.to_string()),
            // So is who keeps it from living; what it did not do is the same.
            Property::Convergence => what.split(" within ").next().unwrap_or(what),
            _ => what,
        };
        let mut text = format!("{property}: {}", without_numbers(what));
        if let Some(cause) = cause {
            text = format!("{text} ({})", without_numbers(cause));
        }
        Signature(text)
    }

    /// A violation at `stamp`, without a cause.
    #[must_use]
    pub fn new(property: Property, stamp: Stamp, node: Option<ProcessId>, what: String) -> Self {
        Self { property, record: stamp.number, at: stamp.at, node, what, cause: None }
    }
}
