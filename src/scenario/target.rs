//! Whom a step or a predicate is about.

use crate::scenario::form::Form;
use crate::scenario::name::{Name, RESERVED, is_identifier};
use crate::scenario::suggest::did_you_mean;
use core::fmt;
use core::str::FromStr;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A set of nodes, found anew each time it is used. See [`Target::GRAMMAR`] for how it is written.
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
    /// Nodes bound to a name earlier.
    Named(Name),
}

impl Target {
    /// What can be written for a target.
    pub const GRAMMAR: &str = "a node number, a list of targets, or one of: leader, leader of term 2, follower 0, \
        followers, candidates, all, up, crashed, connected, isolated, minority [with leader], \
        majority [with leader], all but …, random, a bound name";
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
            | Self::Minority { .. }
            | Self::Majority { .. }
            | Self::AllBut(_)
            | Self::Random
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
            Self::Named(name) => name.fmt(f),
        }
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let tokens = tokens(text)?;
        let mut rest = tokens.as_slice();
        let target = parse(&mut rest, 0)?;
        match rest {
            [] => Ok(target),
            [extra, ..] => {
                Err(format!("`{extra}` does not belong after `{target}`: expected the end of the target"))
            }
        }
    }
}

/// Words, numbers, brackets and commas.
fn tokens(text: &str) -> Result<Vec<&str>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if "[],".contains(first) {
            1
        } else {
            rest.find(|c: char| c.is_whitespace() || "[],".contains(c)).unwrap_or(rest.len())
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    if tokens.is_empty() { Err(format!("an empty target: expected {}", Target::GRAMMAR)) } else { Ok(tokens) }
}

fn parse(rest: &mut &[&str], depth: u32) -> Result<Target, String> {
    if depth > Target::DEPTH_MAX {
        return Err(format!("a target nested too deeply: expected at most {} levels", Target::DEPTH_MAX));
    }
    let Some((&word, after)) = rest.split_first() else {
        return Err(format!("the target ends too early: expected {}", Target::GRAMMAR));
    };
    *rest = after;
    Ok(match word {
        "leader" if take(rest, &["of", "term"]) => {
            Target::LeaderOfTerm(number(rest, "the number of a term")?)
        }
        "leader" => Target::Leader,
        "follower" => Target::Follower(number(rest, "the place of a follower, such as `follower 0`")?),
        "followers" => Target::Followers,
        "candidates" => Target::Candidates,
        "all" if take(rest, &["but"]) => Target::all_but(parse(rest, depth + 1)?),
        "all" => Target::All,
        "up" => Target::Up,
        "crashed" => Target::Crashed,
        "connected" => Target::Connected,
        "isolated" => Target::Isolated,
        "minority" => Target::Minority { with_leader: take(rest, &["with", "leader"]) },
        "majority" => Target::Majority { with_leader: take(rest, &["with", "leader"]) },
        "random" => Target::Random,
        "[" => list(rest, depth + 1)?,
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => Target::Node(node_number(digits)?),
        "others" => return Err("`others` needs to know of whom: expected `all but` and a target".to_owned()),
        "candidate" => {
            return Err(
                "unknown target `candidate`: expected a target\ndid you mean `candidates`?".to_owned()
            );
        }
        name if is_identifier(name) && !RESERVED.contains(&name) => Target::Named(name.parse()?),
        other => {
            let hint = did_you_mean(other, RESERVED.iter().copied());
            return Err(format!("unknown target `{other}`: expected {}{hint}", Target::GRAMMAR));
        }
    })
}

/// Takes `words` from the front if they stand there.
fn take(rest: &mut &[&str], words: &[&str]) -> bool {
    let found = rest.starts_with(words);
    if found {
        *rest = &rest[words.len()..];
    }
    found
}

fn number<T: FromStr>(rest: &mut &[&str], what: &str) -> Result<T, String> {
    let Some((first, after)) = rest.split_first() else {
        return Err(format!("the target ends too early: expected {what}"));
    };
    let number = if first.bytes().all(|b| b.is_ascii_digit()) { first.parse().ok() } else { None };
    *rest = after;
    number.ok_or_else(|| format!("`{first}` is no number that fits: expected {what}"))
}

fn node_number(digits: &str) -> Result<u16, String> {
    digits.parse().map_err(|_| format!("there is no node {digits}: expected 0 to at most 254"))
}

fn list(rest: &mut &[&str], depth: u32) -> Result<Target, String> {
    let mut items = Vec::new();
    while !take(rest, &["]"]) {
        if !items.is_empty() && !take(rest, &[","]) {
            return Err("a list of targets that is not closed: expected `,` or `]`".to_owned());
        }
        items.push(parse(rest, depth)?);
    }
    Ok(Target::List(items))
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
            | Self::Minority { .. }
            | Self::Majority { .. }
            | Self::AllBut(_)
            | Self::Random
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
                node_number(&number.to_string()).map(Target::Node).map_err(E::custom)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Target {
        Target::Named(text.parse().unwrap())
    }

    #[test]
    fn every_spelling_of_a_target_is_read_and_written_back() {
        for (text, target) in [
            ("2", Target::Node(2)),
            ("leader", Target::Leader),
            ("leader of term 2", Target::LeaderOfTerm(2)),
            ("follower 0", Target::Follower(0)),
            ("followers", Target::Followers),
            ("candidates", Target::Candidates),
            ("all", Target::All),
            ("up", Target::Up),
            ("crashed", Target::Crashed),
            ("connected", Target::Connected),
            ("isolated", Target::Isolated),
            ("minority", Target::Minority { with_leader: false }),
            ("minority with leader", Target::Minority { with_leader: true }),
            ("majority", Target::Majority { with_leader: false }),
            ("majority with leader", Target::Majority { with_leader: true }),
            ("random", Target::Random),
            ("old", named("old")),
            ("all but old", Target::all_but(named("old"))),
            ("all but [0, leader, all but 2]", {
                Target::all_but(Target::List(vec![
                    Target::Node(0),
                    Target::Leader,
                    Target::all_but(Target::Node(2)),
                ]))
            }),
            ("[]", Target::List(vec![])),
        ] {
            assert_eq!(text.parse(), Ok(target.clone()), "{text}");
            assert_eq!(target.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_target_is_told_with_what_was_expected() {
        for (text, part) in [
            ("", "an empty target"),
            ("  ", "an empty target"),
            ("Leader", "did you mean `leader`?"),
            ("leader of", "does not belong after `leader`"),
            ("leader of term", "the number of a term"),
            ("leader of term x", "the number of a term"),
            ("leader of term 99999999999999999999", "the number of a term"),
            ("follower", "the place of a follower"),
            ("follower -1", "the place of a follower"),
            ("candidate", "did you mean `candidates`?"),
            ("others", "`all but`"),
            ("all but", "ends too early"),
            ("[0, 1", "expected `,` or `]`"),
            ("[0 1]", "expected `,` or `]`"),
            ("0 1", "does not belong after `0`"),
            ("70000", "there is no node 70000"),
            ("old!", "unknown target `old!`"),
        ] {
            let error = text.parse::<Target>().unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn a_target_nested_without_end_is_refused_and_does_not_overflow() {
        let deep = format!("{}0", "all but ".repeat(100_000));
        assert!(deep.parse::<Target>().unwrap_err().contains("nested too deeply"));
        assert!("[".repeat(100_000).parse::<Target>().unwrap_err().contains("nested too deeply"));
    }

    #[test]
    fn only_numbers_are_literal() {
        assert_eq!(Target::nodes([0, 2]).literal(), Some(vec![0, 2]));
        assert_eq!(Target::List(vec![Target::Node(0), Target::Leader]).literal(), None);
        assert_eq!(Target::All.literal(), None);
    }
}
