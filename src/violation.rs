//! The properties that are checked, and what is said when one is broken.

use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};
use sim_core::{ProcessId, Stamp, VirtualTime};

/// The properties: how each is called here and in files, what it demands, and where that is said.
macro_rules! properties {
    ($($property:ident, $name:literal, $rule:literal;)*) => {
        /// A property of a run.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum Property {
            $(#[doc = $rule] $property,)*
        }

        impl Property {
            /// Every property.
            pub const ALL: &[Self] = &[$(Self::$property,)*];

            /// What it demands, in a sentence, and where that is said.
            #[must_use]
            pub const fn rule(self) -> &'static str {
                match self {
                    $(Self::$property => $rule,)*
                }
            }

            /// Its name in scenario files, traces and reports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$property => $name,)*
                }
            }
        }
    };
}

properties! {
    ElectionSafety, "election_safety",
        "At most one leader in each term, ever, and none without the votes of a quorum (Raft §5.2).";
    DurableVote, "durable_vote",
        "A node gives one vote a term, and not before it is durable (Raft §5.2, Figure 2 \"persistent state\").";
    LeaderAppendOnly, "leader_append_only",
        "A leader never removes or overwrites entries of its own log (Raft §5.3).";
    LogMatching, "log_matching",
        "Logs with an entry of the same index and term are identical up to it (Raft §5.3).";
    LeaderCompleteness, "leader_completeness",
        "A leader's log holds every entry committed in an earlier term (Raft §5.4).";
    StateMachineSafety, "state_machine_safety",
        "No two nodes apply different commands at the same index (Raft §5.4.3).";
    CommitLegality, "commit_legality",
        "A leader commits only entries of its own term, which are durable on a quorum of its configuration \
         (Raft §5.4.2).";
    MonotonicDurableTerm, "monotonic_durable_term",
        "The term and the vote on a node's disk never go back.";
    CommitMonotonic, "commit_monotonic",
        "A node's commit index never goes back within a life.";
    NoTruncationBelowCommit, "no_truncation_below_commit",
        "No node removes an entry that it knows to be committed.";
    MessageSanity, "message_sanity",
        "A message promises nothing that its sender's disk does not hold.";
    ConfigSafety, "config_safety",
        "Configurations change one at a time, and so that any two that follow each other overlap (Raft §6, \
         thesis §4.1).";
    SnapshotConsistency, "snapshot_consistency",
        "A snapshot is what was committed up to its index (Raft §7).";
    StateOrder, "state_order",
        "Compacted, snapshot, applied, committed and last index stand in this order, in memory and on disk.";
    ExactlyOnce, "exactly_once",
        "A client's command has its effect once, however often it is in the log (Raft §8, thesis §6.3).";
    ReadSafety, "read_safety",
        "A read that bypasses the log sees everything that was committed when it was asked (thesis §6.4).";
    Durability, "durability",
        "A disk gives back what it promised to hold, and what was committed stays on a quorum's disks.";
    Linearizability, "linearizability",
        "To clients the cluster looks like one machine that does one thing at a time (Herlihy and Wing 1990).";
    NoPanic, "no_panic",
        "No process panics.";
    Convergence, "convergence",
        "Once healed, the cluster elects a leader, commits, and agrees.";
    Expectation, "expectation",
        "What the scenario asserts.";
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
#[serde(deny_unknown_fields)]
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

/// A text with `#` for every word that has a digit in it (`12`, `1.5ms`, `fb61`), for `none`, and for every list of them, and
/// `""` for what is quoted.
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
            // Nobody is a list of nodes too.
            let varies = letters.bytes().any(|b| b.is_ascii_digit()) || letters == "none";
            plain.push_str(if varies { "#" } else { letters });
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

    /// The first line of what is wrong, without what drives a terminal.
    #[must_use]
    pub fn first_line(&self) -> String {
        let line = self.what.lines().next().unwrap_or_default();
        line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    }

    /// A violation at `stamp`, without a cause.
    #[must_use]
    pub fn new(property: Property, stamp: Stamp, node: Option<ProcessId>, what: String) -> Self {
        Self { property, record: stamp.number, at: stamp.at, node, what, cause: None }
    }
}
