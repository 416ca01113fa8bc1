//! How nodes, network and disks behave when a scenario begins.

use crate::scenario::form::{As, MessageKind};
use crate::scenario::target::Target;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::{Latency, LinkQuality, Ratio, Span};
use std::collections::BTreeMap;

/// Settings of every Raft node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RaftOptions {
    /// How often a leader sends AppendEntries to an idle follower. Default 50ms; below the shortest election timeout.
    #[serde(with = "As::<Span>")]
    pub heartbeat: Span,
    /// The range election timeouts are drawn from, shortest and longest. Default 150ms to 300ms.
    #[serde(with = "As::<(Span, Span)>")]
    pub election_timeout: (Span, Span),
    /// Whether a new leader appends an empty entry at once. Default false: the first command has index 1.
    pub noop_on_election: bool,
    /// How many entries one AppendEntries carries at most, 1 to 10000. Default 64.
    #[schemars(range(min = 1, max = 10_000))]
    pub entries_per_append: u32,
}

impl Default for RaftOptions {
    fn default() -> Self {
        Self {
            heartbeat: Span::from_millis(50),
            election_timeout: (Span::from_millis(150), Span::from_millis(300)),
            noop_on_election: false,
            entries_per_append: 64,
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
}

/// How links treat messages when the scenario begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkOptions {
    /// One-way delay of each message. Default 1ms to 5ms.
    #[serde(with = "As::<Latency>")]
    pub latency: Latency,
    /// Share of messages that are lost. Default 0%.
    #[serde(with = "As::<Ratio>")]
    pub loss: Ratio,
    /// Share of messages that arrive twice. Default 0%.
    #[serde(with = "As::<Ratio>")]
    pub duplicate: Ratio,
    /// Share of messages that are held back by up to `reorder_by` more. Default 0%.
    #[serde(with = "As::<Ratio>")]
    pub reorder: Ratio,
    /// The longest extra delay of a reordered message. Default 20ms.
    #[serde(with = "As::<Span>")]
    pub reorder_by: Span,
    /// Whether messages on a link arrive in the order in which they were sent, as on a stream. Default false.
    pub fifo: bool,
    /// Links that differ from the others. Later rules go over earlier ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<LinkRule>,
}

impl Default for NetworkOptions {
    fn default() -> Self {
        let quality = LinkQuality {
            latency: Latency::Uniform(Span::from_millis(1), Span::from_millis(5)),
            ..LinkQuality::default()
        };
        let LinkQuality { latency, loss, duplicate, reorder, reorder_by, fifo } = quality;
        Self { latency, loss, duplicate, reorder, reorder_by, fifo, links: Vec::new() }
    }
}

impl NetworkOptions {
    /// The quality of a link that no rule names.
    #[must_use]
    pub const fn quality(&self) -> LinkQuality {
        let Self { latency, loss, duplicate, reorder, reorder_by, fifo, .. } = *self;
        LinkQuality { latency, loss, duplicate, reorder, reorder_by, fifo }
    }
}

/// What is different on the links from some nodes to others. What is absent stays as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkRule {
    /// Where the messages come from. In `network.links`: node numbers, lists of them, or `all`.
    pub from: Target,
    /// Where they go. A node has no link to itself: where `from` and `to` share nodes, those pairs are left out.
    pub to: Target,
    /// One-way delay of each message.
    #[serde(default, with = "As::<Option<Latency>>", skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
    /// Share of messages that are lost.
    #[serde(default, with = "As::<Option<Ratio>>", skip_serializing_if = "Option::is_none")]
    pub loss: Option<Ratio>,
    /// Share of messages that arrive twice.
    #[serde(default, with = "As::<Option<Ratio>>", skip_serializing_if = "Option::is_none")]
    pub duplicate: Option<Ratio>,
    /// Share of messages that are held back by up to `reorder_by` more.
    #[serde(default, with = "As::<Option<Ratio>>", skip_serializing_if = "Option::is_none")]
    pub reorder: Option<Ratio>,
    /// The longest extra delay of a reordered message.
    #[serde(default, with = "As::<Option<Span>>", skip_serializing_if = "Option::is_none")]
    pub reorder_by: Option<Span>,
    /// Whether messages arrive in the order in which they were sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fifo: Option<bool>,
}

impl LinkRule {
    /// A rule for the links from `from` to `to` that changes nothing yet.
    #[must_use]
    pub const fn new(from: Target, to: Target) -> Self {
        Self {
            from,
            to,
            latency: None,
            loss: None,
            duplicate: None,
            reorder: None,
            reorder_by: None,
            fifo: None,
        }
    }

    /// `quality` with what this rule says put over it.
    #[must_use]
    pub fn over(&self, quality: LinkQuality) -> LinkQuality {
        LinkQuality {
            latency: self.latency.unwrap_or(quality.latency),
            loss: self.loss.unwrap_or(quality.loss),
            duplicate: self.duplicate.unwrap_or(quality.duplicate),
            reorder: self.reorder.unwrap_or(quality.reorder),
            reorder_by: self.reorder_by.unwrap_or(quality.reorder_by),
            fifo: self.fifo.unwrap_or(quality.fifo),
        }
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::new(self.from.clone(), self.to.clone())
    }
}

/// How long writes take to become durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StorageOptions {
    /// How long a write takes to become durable. Default 100us to 1ms.
    #[serde(with = "As::<Latency>")]
    pub write: Latency,
    /// Nodes whose disks differ, by number: `{"3": {"write": {"constant": "20ms"}}}`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub nodes: BTreeMap<NodeKey, DiskOptions>,
}

impl Default for StorageOptions {
    fn default() -> Self {
        Self { write: Latency::Uniform(Span::from_micros(100), Span::from_millis(1)), nodes: BTreeMap::new() }
    }
}

/// The disk of one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiskOptions {
    /// How long a write takes to become durable.
    #[serde(with = "As::<Latency>")]
    pub write: Latency,
}

/// A node number as the key of an object: `"2"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeKey(pub u16);

impl core::fmt::Display for NodeKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

impl core::str::FromStr for NodeKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.parse().ok().map(Self);
        // One spelling each: "02" and "2" would be two keys for one node.
        number.filter(|key| key.to_string() == text).ok_or_else(|| {
            format!("`{text}` is not the number of a node: expected a number as text, such as \"2\"")
        })
    }
}

impl Serialize for NodeKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for NodeKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::scenario::form::read_text(deserializer, "the number of a node as text, such as \"2\"")
    }
}

impl JsonSchema for NodeKey {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "NodeKey".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        crate::scenario::form::text_form("^(0|[1-9][0-9]{0,2})$")
    }
}

/// A draw whose outcome is fixed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pin {
    /// Fixes the election timeouts of a node.
    ElectionTimeout(TimeoutPin),
    /// Fixes the delay or the fate of messages.
    Message(MessagePin),
}

/// Fixes the election timeouts of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeoutPin {
    /// The number of the node.
    pub node: u16,
    /// The first timeouts that it draws, in order, over all its lives (as a step: the next ones). Those after the
    /// list are drawn again.
    #[serde(with = "As::<Vec<Span>>")]
    #[schemars(length(min = 1))]
    pub delays: Vec<Span>,
}

/// Fixes the delay or the fate of messages: give either `latency` or `"drop": true`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "MessagePinFields", into = "MessagePinFields")]
pub struct MessagePin {
    /// The number of the node that sends it.
    pub from: u16,
    /// The number of the node that it goes to.
    pub to: u16,
    /// What kind of message.
    pub kind: MessageKind,
    /// Only those of this term.
    pub term: Option<u64>,
    /// Only the n-th, counted from 0 for each (from, to, kind, term).
    pub nth: Option<u32>,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of a pinned message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives after this long.
    Latency(Span),
    /// It is lost.
    Drop,
}

/// Fixes the delay or the fate of messages: give either `latency` or `"drop": true`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MessagePin", transform = latency_or_drop)]
struct MessagePinFields {
    /// The number of the node that sends it.
    from: u16,
    /// The number of the node that it goes to.
    to: u16,
    /// What kind of message.
    kind: MessageKind,
    /// Only those of this term. Absent: of every term.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    term: Option<u64>,
    /// Only the n-th, counted from 0 for each (from, to, kind, term). Absent: every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nth: Option<u32>,
    /// It arrives after this long.
    #[serde(default, with = "As::<Option<Span>>", skip_serializing_if = "Option::is_none")]
    latency: Option<Span>,
    /// It is lost.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    drop: bool,
}

fn latency_or_drop(schema: &mut schemars::Schema) {
    let dropped = serde_json::json!({ "required": ["drop"], "properties": { "drop": { "const": true } } });
    schema.insert("oneOf".to_owned(), serde_json::json!([{ "required": ["latency"] }, dropped]));
}

impl TryFrom<MessagePinFields> for MessagePin {
    type Error = &'static str;

    fn try_from(fields: MessagePinFields) -> Result<Self, &'static str> {
        let MessagePinFields { from, to, kind, term, nth, latency, drop } = fields;
        let fate = match (latency, drop) {
            (Some(latency), false) => Fate::Latency(latency),
            (None, true) => Fate::Drop,
            (Some(_), true) => {
                return Err("a message that is dropped has no latency: expected only one of the two");
            }
            (None, false) => return Err("a pin that fixes nothing: expected `latency` or `\"drop\": true`"),
        };
        Ok(Self { from, to, kind, term, nth, fate })
    }
}

impl From<MessagePin> for MessagePinFields {
    fn from(pin: MessagePin) -> Self {
        let MessagePin { from, to, kind, term, nth, fate } = pin;
        let (latency, drop) = match fate {
            Fate::Latency(latency) => (Some(latency), false),
            Fate::Drop => (None, true),
        };
        Self { from, to, kind, term, nth, latency, drop }
    }
}
