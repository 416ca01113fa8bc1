//! Whom a step or a predicate is about.

mod parse;
#[cfg(test)]
mod tests;

use crate::scenario::form::Form;
use crate::scenario::name::Name;
use core::fmt;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A set of nodes, or of clients, found anew each time it is used. See [`Target::GRAMMAR`] for how it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The node of this number: `2`.
    Node(u16),
    /// All of these together: `[0, "leader"]`.
    List(Vec<Self>),
    /// `leader`: the leader of the highest term among the nodes that are up.
    Leader,
    /// `leader of term 2`: the node that was elected in this term.
    LeaderOfTerm(u64),
    /// `follower 0`: the k-th node, by number from 0, that is up and follows.
    Follower(u16),
    /// `followers`: every node that is up and follows.
    Followers,
    /// `candidates`: every node that is up and stands for election.
    Candidates,
    /// `all`: every node.
    All,
    /// `up`: every node that is not crashed. A paused node is up.
    Up,
    /// `crashed`: every node that is crashed.
    Crashed,
    /// `connected`: every node that is up and not isolated.
    Connected,
    /// `isolated`: every node that is isolated.
    Isolated,
    /// `voters`: every voter of the configuration in force, with those of the outgoing one if it is joint. That is the
    /// configuration of the leader of the highest term, or without a leader the one with the highest index.
    Voters,
    /// `learners`: every learner of the configuration in force.
    Learners,
    /// `members`: every voter and every learner of the configuration in force.
    Members,
    /// `halted`: every node that stopped because its disk failed it.
    Halted,
    /// `minority`: as many drawn nodes as can fail, `(nodes - 1) / 2`. `minority with leader`: the leader is one.
    Minority {
        /// Whether the leader must be one of them.
        with_leader: bool,
    },
    /// `majority`: a drawn smallest quorum. `majority with leader`: the leader is in it.
    Majority {
        /// Whether the leader must be one of them.
        with_leader: bool,
    },
    /// `all but leader`: every node that the inner target does not name.
    AllBut(Box<Self>),
    /// `random`: one drawn node of all.
    Random,
    /// `clients`: every client, of the workload and of calls.
    Clients,
    /// `client 0` or `client alice`: one client. Only links and counts know clients.
    Client(Client),
    /// Nodes bound to a name earlier.
    Named(Name),
}

/// One client.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Client {
    /// The client of the workload that has this number, from 0.
    Number(u16),
    /// The client that makes the calls under this name.
    Name(Name),
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "client {number}"),
            Self::Name(name) => write!(f, "client {name}"),
        }
    }
}

impl Target {
    /// What can be written for a target.
    pub const GRAMMAR: &str = "a node number, a list of targets, or one of: leader, leader of term 2, follower 0, \
        followers, candidates, all, up, crashed, connected, isolated, voters, learners, members, halted, \
        minority [with leader], majority [with leader], all but …, random, a bound name; where links are meant \
        also clients, client 0, client alice";
    /// How deep targets may stand inside each other in one text.
    const DEPTH_MAX: u32 = 16;

    /// The node of this number.
    #[must_use]
    pub const fn node(number: u16) -> Self {
        Self::Node(number)
    }

    /// All of these nodes.
    #[must_use]
    pub fn nodes(numbers: impl IntoIterator<Item = u16>) -> Self {
        Self::List(numbers.into_iter().map(Self::Node).collect())
    }

    /// Every node but those that `other` names.
    #[must_use]
    pub fn all_but(other: Self) -> Self {
        Self::AllBut(Box::new(other))
    }

    /// The numbers it stands for if they are the same in every state of every run: node numbers and lists of them.
    #[must_use]
    pub fn literal(&self) -> Option<Vec<u16>> {
        match self {
            Self::Node(number) => Some(vec![*number]),
            Self::List(items) => {
                let numbers: Option<Vec<Vec<u16>>> = items.iter().map(Self::literal).collect();
                numbers.map(|lists| lists.concat())
            }
            Self::Leader
            | Self::LeaderOfTerm(_)
            | Self::Follower(_)
            | Self::Followers
            | Self::Candidates
            | Self::All
            | Self::Up
            | Self::Crashed
            | Self::Connected
            | Self::Isolated
            | Self::Voters
            | Self::Learners
            | Self::Members
            | Self::Halted
            | Self::Minority { .. }
            | Self::Majority { .. }
            | Self::AllBut(_)
            | Self::Random
            | Self::Clients
            | Self::Client(_)
            | Self::Named(_) => None,
        }
    }
}

impl From<u16> for Target {
    fn from(number: u16) -> Self {
        Self::Node(number)
    }
}

impl From<Name> for Target {
    fn from(name: Name) -> Self {
        Self::Named(name)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(number) => write!(f, "{number}"),
            Self::List(items) => {
                f.write_str("[")?;
                for (place, item) in items.iter().enumerate() {
                    let comma = if place == 0 { "" } else { ", " };
                    write!(f, "{comma}{item}")?;
                }
                f.write_str("]")
            }
            Self::Leader => f.write_str("leader"),
            Self::LeaderOfTerm(term) => write!(f, "leader of term {term}"),
            Self::Follower(place) => write!(f, "follower {place}"),
            Self::Followers => f.write_str("followers"),
            Self::Candidates => f.write_str("candidates"),
            Self::All => f.write_str("all"),
            Self::Up => f.write_str("up"),
            Self::Crashed => f.write_str("crashed"),
            Self::Connected => f.write_str("connected"),
            Self::Isolated => f.write_str("isolated"),
            Self::Minority { with_leader: false } => f.write_str("minority"),
            Self::Minority { with_leader: true } => f.write_str("minority with leader"),
            Self::Majority { with_leader: false } => f.write_str("majority"),
            Self::Majority { with_leader: true } => f.write_str("majority with leader"),
            Self::AllBut(other) => write!(f, "all but {other}"),
            Self::Random => f.write_str("random"),
            Self::Voters => f.write_str("voters"),
            Self::Learners => f.write_str("learners"),
            Self::Members => f.write_str("members"),
            Self::Halted => f.write_str("halted"),
            Self::Clients => f.write_str("clients"),
            Self::Client(client) => client.fmt(f),
            Self::Named(name) => name.fmt(f),
        }
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Node(number) => serializer.serialize_u16(*number),
            Self::List(items) => serializer.collect_seq(items),
            Self::Leader
            | Self::LeaderOfTerm(_)
            | Self::Follower(_)
            | Self::Followers
            | Self::Candidates
            | Self::All
            | Self::Up
            | Self::Crashed
            | Self::Connected
            | Self::Isolated
            | Self::Voters
            | Self::Learners
            | Self::Members
            | Self::Halted
            | Self::Minority { .. }
            | Self::Majority { .. }
            | Self::AllBut(_)
            | Self::Random
            | Self::Clients
            | Self::Client(_)
            | Self::Named(_) => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TargetVisitor;
        impl<'de> Visitor<'de> for TargetVisitor {
            type Value = Target;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(Target::GRAMMAR)
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Target, E> {
                parse::node_number(&number.to_string()).map(Target::Node).map_err(E::custom)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Target, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Target, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Target::List(list))
            }
        }
        deserializer.deserialize_any(TargetVisitor)
    }
}

impl Form for Target {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        generator.subschema_for::<Self>()
    }
}

impl schemars::JsonSchema for Target {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Target".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let inner = generator.subschema_for::<Self>();
        schemars::json_schema!({
            "description": format!("Nodes: {}.", Self::GRAMMAR),
            "anyOf": [
                { "type": "integer", "minimum": 0, "maximum": 254 },
                { "type": "string", "minLength": 1 },
                { "type": "array", "items": inner },
            ],
        })
    }
}
