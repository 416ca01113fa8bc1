//! What can be asked of the cluster.

use crate::record::Role;
use crate::scenario::bounds::{Count, TermRef};
use crate::scenario::form::{As, MessageKind};
use crate::scenario::name::Name;
use crate::scenario::shorthand::{or, or_word, shorthand, tagged};
use crate::scenario::target::Target;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::Span;

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
    or_word(schema, &["single_leader", "no_leader", "terms_agree", "logs_equal", "synced"]);
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

/// Exactly one leader in the highest term among the nodes asked about, and no two in any one term. Bound to a name,
/// the name stands for that leader and remembers its term at that moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SingleLeader {
    /// The leader is none of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not: Option<Target>,
    /// The leader is one of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is: Option<Target>,
    /// The nodes asked about. Default: connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub among: Option<Target>,
    /// Its term is above the one remembered under this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term_above: Option<Name>,
    /// Its term is the one remembered under this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_term_as: Option<Name>,
}

/// The nodes asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Among {
    /// The nodes asked about. Default: connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub among: Option<Target>,
}

/// The nodes asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Of {
    /// The nodes asked about: it must hold of each.
    pub of: Target,
}

/// The term of a node. At least one bound must be given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TermIs {
    /// The nodes asked about: it must hold of each. Default: the single leader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<Target>,
    /// The term is above this number or the term remembered under this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above: Option<TermRef>,
    /// The term is this number or the term remembered under this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equals: Option<TermRef>,
    /// The term is this or above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u64>,
}

/// The role of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleIs {
    /// The nodes asked about: it must hold of each.
    pub of: Target,
    /// What it is.
    #[serde(with = "As::<Role>")]
    pub is: Role,
    /// In this term.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<u64>,
}

/// Whom a node voted for in its term.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VoteIs {
    /// The nodes asked about: it must hold of each.
    pub of: Target,
    /// The candidate that has its vote, or null if none has.
    #[serde(with = "As::<Option<Target>>")]
    pub is: Option<Target>,
}

/// A command was applied by so many nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Committed {
    /// The command.
    pub command: String,
    /// On how many nodes. Default: on every node of `among`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Count>,
    /// The nodes asked about. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub among: Option<Target>,
}

/// A command was applied by none of the nodes: the command as text, or an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(rename = "NotCommitted", transform = command_text)]
pub struct NotCommitted {
    /// The command.
    pub command: String,
    /// The nodes asked about. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub among: Option<Target>,
}

shorthand!(
    NotCommitted,
    "a command as text, or an object with `command`",
    String,
    |command| NotCommitted { command, among: None },
    |full| full.among.is_none().then_some(&full.command)
);

fn command_text(schema: &mut schemars::Schema) {
    or(schema, &serde_json::json!({ "type": "string" }));
}

/// A command was applied at this index, by at least one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommittedAt {
    /// The command. Absent: any command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The index in the log, from 1.
    #[schemars(range(min = 1))]
    pub index: u64,
}

/// An index of a node's log. At least one bound must be given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IndexIs {
    /// The nodes asked about: it must hold of each.
    pub of: Target,
    /// The index is this or above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u64>,
    /// The index is this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<u64>,
}

/// A target stands for so many nodes. At least one bound must be given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CountOf {
    /// The target whose nodes are counted.
    pub of: Target,
    /// At least so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u64>,
    /// At most so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u64>,
    /// Exactly so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<u64>,
}

/// So many messages were sent. At least one bound must be given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Messages {
    /// Only messages of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<MessageKind>,
    /// Only messages from these nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Target>,
    /// Only messages since this mark. Default: since the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Name>,
    /// At least so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u64>,
    /// At most so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u64>,
}

/// So many bytes were sent in messages. At least one bound must be given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MessageBytes {
    /// Only messages since this mark. Default: since the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Name>,
    /// At least so many bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u64>,
    /// At most so many bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u64>,
}

/// So much virtual time has passed. At least one bound must be given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Elapsed {
    /// Since this mark. Default: since the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Name>,
    /// At least so long.
    #[serde(with = "As::<Option<Span>>", skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Span>,
    /// At most so long.
    #[serde(with = "As::<Option<Span>>", skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Span>,
}
