//! What is done, in order.

use crate::scenario::flow::{Assert, Branch, If, Propose, Repeat};
use crate::scenario::form::{As, PairVisitor, with_expected};
use crate::scenario::link::{
    Clog, Cut, DeliverOne, DropPending, HeldLinks, Hold, Isolate, Links, Partition, or_target,
};
use crate::scenario::name::Name;
use crate::scenario::options::{LinkRule, Pin};
use crate::scenario::predicate::Predicate;
use crate::scenario::shorthand::{or_word, shorthand, tagged};
use crate::scenario::target::Target;
use core::fmt;
use schemars::JsonSchema;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sim_core::{Span, SpanError};

/// One step: an object whose only key is the verb.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", rename_all = "snake_case")]
#[schemars(rename = "Step", transform = bare_verbs)]
pub enum Step {
    /// Lets time pass.
    Sleep(Sleep),
    /// Lets time pass until the predicate holds. The scenario fails if it does not in time.
    Until(Until),
    /// The scenario fails unless the predicate holds now.
    Assert(Assert),
    /// Lets time pass. The scenario fails if the predicate does not hold throughout.
    Always(Always),
    /// Gives the nodes of a target, as they are now, a name.
    Bind(Bind),
    /// Draws distinct nodes and gives them a name.
    Pick(Pick),
    /// Remembers time, counters and the highest term under a name, for `since` and terms in later steps.
    Mark(Name),
    /// Cuts every link from and to each of the nodes.
    Isolate(Isolate),
    /// Undoes `isolate` and every `cut` that touches the nodes.
    Reconnect(Nodes),
    /// Stops the nodes: they lose their memory and their writes that are not durable.
    Crash(Nodes),
    /// Starts crashed nodes from their durable state.
    Restart(Nodes),
    /// Freezes the nodes: what reaches them waits, their timers fire late.
    Pause(Nodes),
    /// Lets paused nodes go on.
    Resume(Nodes),
    /// Cuts links.
    Cut(Cut),
    /// Undoes a `cut` of the same links.
    Join(Links),
    /// Lets messages through only within each group. Replaces an earlier partition.
    Partition(Partition),
    /// Undoes every cut, isolation, partition, hold and clog. Crashed and paused nodes stay as they are.
    Heal,
    /// Keeps what is sent over the links from now on until it is released.
    Hold(Hold),
    /// Lets go of what is held on the links, each message with its own latency from now on.
    Release(HeldLinks),
    /// Delivers one held message at once: the oldest, or the oldest of a kind.
    DeliverOne(DeliverOne),
    /// Loses every message in flight or held that matches.
    DropPending(DropPending),
    /// Stalls links: what is sent meanwhile sets out at the end.
    Clog(Clog),
    /// Changes how links treat messages sent from now on.
    SetLink(LinkRule),
    /// Hands commands to nodes.
    Propose(Propose),
    /// Makes nodes stand for election now.
    Campaign(Target),
    /// Fixes the outcome of later draws.
    Pin(Pin),
    /// Does steps several times.
    Repeat(Repeat),
    /// Draws one of several branches and does its steps.
    Choose(Vec<Branch>),
    /// Does one branch or the other.
    If(If),
}

tagged!(Step, "one step with one verb, such as {\"sleep\": \"300ms\"}");

impl Step {
    /// Its verb in scenario files.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Sleep(_) => "sleep",
            Self::Until(_) => "until",
            Self::Assert(_) => "assert",
            Self::Always(_) => "always",
            Self::Bind(_) => "bind",
            Self::Pick(_) => "pick",
            Self::Mark(_) => "mark",
            Self::Isolate(_) => "isolate",
            Self::Reconnect(_) => "reconnect",
            Self::Crash(_) => "crash",
            Self::Restart(_) => "restart",
            Self::Pause(_) => "pause",
            Self::Resume(_) => "resume",
            Self::Cut(_) => "cut",
            Self::Join(_) => "join",
            Self::Partition(_) => "partition",
            Self::Heal => "heal",
            Self::Hold(_) => "hold",
            Self::Release(_) => "release",
            Self::DeliverOne(_) => "deliver_one",
            Self::DropPending(_) => "drop_pending",
            Self::Clog(_) => "clog",
            Self::SetLink(_) => "set_link",
            Self::Propose(_) => "propose",
            Self::Campaign(_) => "campaign",
            Self::Pin(_) => "pin",
            Self::Repeat(_) => "repeat",
            Self::Choose(_) => "choose",
            Self::If(_) => "if",
        }
    }
}

fn bare_verbs(schema: &mut schemars::Schema) {
    or_word(schema, &["heal", "drop_pending"]);
    // The one verb that takes nothing may be written like the others.
    let nothing = serde_json::json!({ "type": "object", "additionalProperties": false });
    if let Some(forms) = schema.get_mut("anyOf").and_then(serde_json::Value::as_array_mut) {
        forms.push(serde_json::json!({
            "type": "object",
            "properties": { "heal": nothing },
            "required": ["heal"],
            "additionalProperties": false,
        }));
    }
}

/// How long to sleep: a duration, or the shortest and the longest of a range to draw from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sleep {
    /// This long.
    For(Span),
    /// From the first to the second, both included, drawn.
    Between(Span, Span),
}

impl Serialize for Sleep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::For(span) => span.serialize(serializer),
            Self::Between(shortest, longest) => (shortest, longest).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Sleep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const EXPECTED: &str =
            "a duration with its unit, such as \"150ms\", or a range, such as [\"10ms\", \"500ms\"]";
        struct SleepVisitor;
        impl<'de> Visitor<'de> for SleepVisitor {
            type Value = Sleep;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a duration with its unit, such as \"150ms\", or a range, such as [\"10ms\", \"500ms\"]",
                )
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Sleep, E> {
                text.parse()
                    .map(Sleep::For)
                    .map_err(|error: SpanError| E::custom(with_expected(&error, EXPECTED)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Sleep, A::Error> {
                PairVisitor.visit_seq(items).map(|(shortest, longest)| Sleep::Between(shortest, longest))
            }
        }
        deserializer.deserialize_any(SleepVisitor)
    }
}

impl JsonSchema for Sleep {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Sleep".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (one, pair) = (As::<Span>::json_schema(generator), As::<(Span, Span)>::json_schema(generator));
        schemars::json_schema!({
            "description": "A duration, or the shortest and the longest of a range to draw from.",
            "anyOf": [one, pair],
        })
    }
}

/// How long `until` waits unless it says so.
pub const WITHIN_DEFAULT: Span = Span::from_secs(5);

fn within_default() -> Span {
    WITHIN_DEFAULT
}

fn is_within_default(within: &Span) -> bool {
    *within == WITHIN_DEFAULT
}

/// Lets time pass until the predicate holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Until {
    /// What must come to hold.
    pub that: Predicate,
    /// For how long to wait at most. Default 5s.
    #[serde(default = "within_default", with = "As::<Span>", skip_serializing_if = "is_within_default")]
    pub within: Span,
    /// Gives the node that the predicate is about (the leader of `single_leader`) a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bind: Option<Name>,
}

/// What must hold throughout, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Always {
    /// What must hold.
    pub that: Predicate,
    /// For how long.
    #[serde(with = "As::<Span>")]
    pub during: Span,
}

/// Gives the nodes of a target, as they are now, a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bind {
    /// The name. Bound again, it forgets what it stood for.
    pub name: Name,
    /// The nodes. A single leader's term is remembered with it.
    pub to: Target,
}

/// Draws distinct nodes and gives them a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pick {
    /// The name.
    pub name: Name,
    /// How many, 1 to 255. Fewer nodes to draw from than this are an unmet expectation.
    #[schemars(range(min = 1, max = 255))]
    pub count: u16,
    /// The nodes to draw from.
    pub from: Target,
}

/// Nodes: a target, or an object with `nodes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(rename = "Nodes", transform = or_target)]
pub struct Nodes {
    /// The nodes.
    pub nodes: Target,
}

shorthand!(Nodes, "a target, or an object with `nodes`", Target, |nodes| Nodes { nodes }, |full| Some(
    &full.nodes
));
