//! Steps about members, leadership and timers.

use crate::scenario::answer::Answer;
use crate::scenario::defaults::{is_leader, leader};
use crate::scenario::link::or_target;
use crate::scenario::shorthand::{or, shorthand};
use crate::scenario::target::Target;
use core::fmt;
use core::str::FromStr;
use schemars::JsonSchema;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One change of a configuration. Written `"+4"`, `"learner +5"` or `"-1"`; any target may stand after the sign, which
/// then changes each of its nodes: `"-old"`, `"+[3, 4]"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberChange {
    /// These become voters.
    AddVoter(Target),
    /// These become learners.
    AddLearner(Target),
    /// These leave.
    Remove(Target),
}

impl MemberChange {
    /// The nodes that it changes.
    #[must_use]
    pub const fn nodes(&self) -> &Target {
        match self {
            Self::AddVoter(nodes) | Self::AddLearner(nodes) | Self::Remove(nodes) => nodes,
        }
    }
}

impl fmt::Display for MemberChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddVoter(nodes) => write!(f, "+{nodes}"),
            Self::AddLearner(nodes) => write!(f, "learner +{nodes}"),
            Self::Remove(nodes) => write!(f, "-{nodes}"),
        }
    }
}

/// What can be written for a change.
const CHANGE: &str = "a change, such as \"+4\", \"learner +5\" or \"-1\"";

impl FromStr for MemberChange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(nodes) = text.strip_prefix('+') {
            return nodes.parse().map(Self::AddVoter);
        }
        if let Some(nodes) = text.strip_prefix('-') {
            return nodes.parse().map(Self::Remove);
        }
        match text.strip_prefix("learner").map(str::trim_start).and_then(|rest| rest.strip_prefix('+')) {
            Some(nodes) => nodes.parse().map(Self::AddLearner),
            None => Err(format!("`{text}` changes nothing: expected {CHANGE}")),
        }
    }
}

/// Changes of a configuration that are made together: one as text, or a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberChanges(pub Vec<MemberChange>);

impl Serialize for MemberChanges {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [only] => serializer.collect_str(only),
            all => serializer.collect_seq(all.iter().map(ToString::to_string)),
        }
    }
}

impl<'de> Deserialize<'de> for MemberChanges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ChangesVisitor;
        impl<'de> Visitor<'de> for ChangesVisitor {
            type Value = MemberChanges;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{CHANGE}, or a list of changes")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<MemberChanges, E> {
                text.parse().map(|change| MemberChanges(vec![change])).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<MemberChanges, A::Error> {
                let mut changes = Vec::new();
                while let Some(OneChange(change)) = items.next_element()? {
                    changes.push(change);
                }
                Ok(MemberChanges(changes))
            }
        }
        deserializer.deserialize_any(ChangesVisitor)
    }
}

/// A change as an element of a list.
struct OneChange(MemberChange);

impl<'de> Deserialize<'de> for OneChange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::scenario::form::read_text(deserializer, CHANGE).map(Self)
    }
}

impl JsonSchema for MemberChanges {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "MemberChanges".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let one = crate::scenario::form::text_form("^ *(\\+|-|learner *\\+).+$");
        schemars::json_schema!({
            "description": "Changes that are made together: \"+4\", \"learner +5\", \"-1\", or a list of these.",
            "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }],
        })
    }
}

/// How a cluster goes from one configuration to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transition {
    /// At once if one voter changes, else through a joint configuration that is left by itself.
    #[default]
    Auto,
    /// Through a joint configuration that is left by itself.
    Implicit,
    /// Through a joint configuration that `leave_joint` leaves.
    Explicit,
}

impl Transition {
    fn is_auto(&self) -> bool {
        *self == Self::Auto
    }
}

/// Asks for another configuration: the changes, which go to the leader, or an object with `changes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(rename = "Change", transform = or_changes)]
pub struct Change {
    /// Each of these nodes is asked. Default: leader.
    #[serde(default = "leader", skip_serializing_if = "is_leader")]
    pub to: Target,
    /// What changes.
    pub changes: MemberChanges,
    /// By which way: `auto` (default), `implicit` or `explicit`.
    #[serde(default, skip_serializing_if = "Transition::is_auto")]
    pub transition: Transition,
    /// What each node must answer. Default: any.
    #[serde(default, skip_serializing_if = "Answer::is_any")]
    pub expect: Answer,
}

shorthand!(
    Change,
    "a change, such as \"+4\", a list of changes, or an object with `changes`",
    MemberChanges,
    |changes| Change::of_leader(changes),
    |full| (*full == Change::of_leader(full.changes.clone())).then_some(&full.changes)
);

impl Change {
    /// These changes, asked of the leader, by the usual way.
    #[must_use]
    pub const fn of_leader(changes: MemberChanges) -> Self {
        Self { to: Target::Leader, changes, transition: Transition::Auto, expect: Answer::Any }
    }
}

fn or_changes(schema: &mut schemars::Schema) {
    or(schema, &serde_json::json!({ "$ref": "#/$defs/MemberChanges" }));
}

/// Asks to leave a joint configuration: the target that is asked, or an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(rename = "LeaveJoint", transform = or_target)]
pub struct LeaveJoint {
    /// Each of these nodes is asked. Default: leader.
    #[serde(default = "leader")]
    pub to: Target,
    /// What each node must answer. Default: any.
    #[serde(default, skip_serializing_if = "Answer::is_any")]
    pub expect: Answer,
}

shorthand!(
    LeaveJoint,
    "a target, or an object with `to` and `expect`",
    Target,
    |to| LeaveJoint { to, expect: Answer::Any },
    |full| full.expect.is_any().then_some(&full.to)
);

/// Asks a leader to hand over its leadership: the target that shall lead, or an object with `to`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(rename = "Transfer", transform = or_target)]
pub struct Transfer {
    /// Who is asked. Default: leader.
    #[serde(default = "leader", skip_serializing_if = "is_leader")]
    pub from: Target,
    /// Who shall lead. Must stand for one node.
    pub to: Target,
    /// What it must answer. Default: any.
    #[serde(default, skip_serializing_if = "Answer::is_any")]
    pub expect: Answer,
}

shorthand!(
    Transfer,
    "the target that shall lead, or an object with `to`",
    Target,
    |to| Transfer { from: Target::Leader, to, expect: Answer::Any },
    |full| (is_leader(&full.from) && full.expect.is_any()).then_some(&full.to)
);

/// A timer of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimerKind {
    /// The election timeout.
    Election,
    /// The heartbeat of a leader.
    Heartbeat,
}

/// Lets a timer fire now, as if its time were up. A node that has not set it does nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tick {
    /// The nodes.
    pub nodes: Target,
    /// Which timer: `election` or `heartbeat`.
    pub timer: TimerKind,
}

/// Tells nodes that others cannot be reached, as a transport would.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportUnreachable {
    /// Who is told.
    pub at: Target,
    /// Who cannot be reached.
    pub of: Target,
}
