//! What can be asked of the cluster.

mod counts;
mod leaders;
mod logs;
mod machines;
mod members;

pub use counts::{Calls, CountOf, Elapsed, MessageBytes, Messages, Reads};
pub use leaders::{Among, Of, RoleIs, SingleLeader, TermIs, VoteIs};
pub use logs::{Amount, Committed, CommittedAt, DiskBytes, Index, IndexIs, LastEntry, NotCommitted, Which};
pub use machines::{ClientsDone, ValueIs};
pub use members::{InConfig, MembersAre, Membership};

use crate::scenario::bounds::Count;
use crate::scenario::shorthand::{or_word, tagged};
use crate::scenario::target::Target;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A question about the cluster at one moment. Those that need no options may be written as a bare word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", rename_all = "snake_case")]
#[schemars(rename = "Predicate", transform = words)]
pub enum Predicate {
    /// Exactly one leader in the highest term among the nodes asked about, and no two in any one term.
    SingleLeader(SingleLeader),
    /// None of the nodes asked about leads.
    NoLeader(Among),
    /// The single leader of the connected nodes is the target.
    LeaderIs(Target),
    /// The term of a node.
    Term(TermIs),
    /// All nodes asked about are in the same term.
    TermsAgree(Among),
    /// The role of a node.
    Role(RoleIs),
    /// Whom a node voted for in its term.
    Vote(VoteIs),
    /// A command was applied by so many nodes.
    Committed(Committed),
    /// A command was applied by none of the nodes.
    NotCommitted(NotCommitted),
    /// A command was applied at this index.
    CommittedAt(CommittedAt),
    /// The commit index of a node.
    CommitIndex(IndexIs),
    /// The index of the last entry of a node's log.
    LastIndex(IndexIs),
    /// The logs of all nodes asked about are equal.
    LogsEqual(Among),
    /// Logs, commit and applied indexes of all nodes asked about are equal, and nothing is in memory only.
    Synced(Among),
    /// Memory and disk of the nodes agree on term, vote and log.
    Durable(Of),
    /// So many nodes are up.
    Up(Count),
    /// A target stands for so many nodes.
    Count(CountOf),
    /// So many messages were sent.
    Messages(Messages),
    /// So many bytes were sent in messages.
    MessageBytes(MessageBytes),
    /// So much time has passed.
    Elapsed(Elapsed),
    /// One of the indexes of a node: commit, applied, last, base or snapshot.
    Index(Index),
    /// Index and term of the last entry of a node's log.
    LastEntry(LastEntry),
    /// How many entries the log of a node holds in memory, without those that a snapshot covers and that were dropped.
    LogLength(Amount),
    /// How many bytes a node's files have.
    DiskBytes(DiskBytes),
    /// How many operations on its files a node has done since the beginning, over all its lives.
    StorageOperations(Amount),
    /// The nodes have stopped because their disk failed them.
    Halted(Of),
    /// Who belongs to the configuration of a node.
    Members(MembersAre),
    /// The configuration in force for the nodes is joint.
    Joint(Of),
    /// Nodes belong to the configuration in force.
    InConfig(InConfig),
    /// Nodes do not belong to the configuration in force.
    NotInConfig(InConfig),
    /// The state machines of all nodes asked about are equal.
    MachineEqual(Among),
    /// What the state machine of a node holds under a key.
    Value(ValueIs),
    /// Clients have nothing left to do.
    ClientsDone(ClientsDone),
    /// So many calls of clients were made, or came out in some way.
    Calls(Calls),
    /// So many reads beside the log were asked for, or came out in some way.
    Reads(Reads),
    /// Each of these holds.
    All(Vec<Self>),
    /// At least one of these holds.
    Any(Vec<Self>),
    /// This does not hold.
    Not(Box<Self>),
}

tagged!(
    Predicate,
    "one predicate, such as \"single_leader\" or {\"committed\": {\"command\": \"x\", \"on\": 3}}"
);

/// The schema of a predicate, with those that need no options as bare words.
fn words(schema: &mut schemars::Schema) {
    or_word(
        schema,
        &[
            "single_leader",
            "no_leader",
            "terms_agree",
            "logs_equal",
            "synced",
            "machine_equal",
            "clients_done",
        ],
    );
}

impl Predicate {
    /// The names of all predicates in scenario files, in the order of the variants.
    pub const NAMES: &[&str] = &[
        "single_leader",
        "no_leader",
        "leader_is",
        "term",
        "terms_agree",
        "role",
        "vote",
        "committed",
        "not_committed",
        "committed_at",
        "commit_index",
        "last_index",
        "logs_equal",
        "synced",
        "durable",
        "up",
        "count",
        "messages",
        "message_bytes",
        "elapsed",
        "index",
        "last_entry",
        "log_length",
        "disk_bytes",
        "storage_operations",
        "halted",
        "members",
        "joint",
        "in_config",
        "not_in_config",
        "machine_equal",
        "value",
        "clients_done",
        "calls",
        "reads",
        "all",
        "any",
        "not",
    ];

    /// Its name in scenario files.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SingleLeader(_) => "single_leader",
            Self::NoLeader(_) => "no_leader",
            Self::LeaderIs(_) => "leader_is",
            Self::Term(_) => "term",
            Self::TermsAgree(_) => "terms_agree",
            Self::Role(_) => "role",
            Self::Vote(_) => "vote",
            Self::Committed(_) => "committed",
            Self::NotCommitted(_) => "not_committed",
            Self::CommittedAt(_) => "committed_at",
            Self::CommitIndex(_) => "commit_index",
            Self::LastIndex(_) => "last_index",
            Self::LogsEqual(_) => "logs_equal",
            Self::Synced(_) => "synced",
            Self::Durable(_) => "durable",
            Self::Up(_) => "up",
            Self::Count(_) => "count",
            Self::Messages(_) => "messages",
            Self::MessageBytes(_) => "message_bytes",
            Self::Elapsed(_) => "elapsed",
            Self::Index(_) => "index",
            Self::LastEntry(_) => "last_entry",
            Self::LogLength(_) => "log_length",
            Self::DiskBytes(_) => "disk_bytes",
            Self::StorageOperations(_) => "storage_operations",
            Self::Halted(_) => "halted",
            Self::Members(_) => "members",
            Self::Joint(_) => "joint",
            Self::InConfig(_) => "in_config",
            Self::NotInConfig(_) => "not_in_config",
            Self::MachineEqual(_) => "machine_equal",
            Self::Value(_) => "value",
            Self::ClientsDone(_) => "clients_done",
            Self::Calls(_) => "calls",
            Self::Reads(_) => "reads",
            Self::All(_) => "all",
            Self::Any(_) => "any",
            Self::Not(_) => "not",
        }
    }

    /// The first `single_leader` or `leader_is` that must hold for this to hold: the leader that `bind` names.
    #[must_use]
    pub fn subject(&self) -> Option<&Self> {
        match self {
            Self::SingleLeader(_) | Self::LeaderIs(_) => Some(self),
            Self::All(predicates) => predicates.iter().find_map(Self::subject),
            _ => None,
        }
    }

    /// `single_leader` without options.
    #[must_use]
    pub fn single_leader() -> Self {
        Self::SingleLeader(SingleLeader::default())
    }

    /// `no_leader` without options.
    #[must_use]
    pub fn no_leader() -> Self {
        Self::NoLeader(Among::default())
    }

    /// `committed`: `command` was applied by exactly `count` nodes.
    #[must_use]
    pub fn committed(command: impl Into<String>, count: u64) -> Self {
        Self::Committed(Committed { command: command.into(), on: Some(Count::exactly(count)), among: None })
    }

    /// `not_committed`: `command` was applied by no node.
    #[must_use]
    pub fn not_committed(command: impl Into<String>) -> Self {
        Self::NotCommitted(NotCommitted { command: command.into(), among: None })
    }

    /// The opposite of this.
    #[must_use]
    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }
}
