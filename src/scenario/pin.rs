//! Draws whose outcome is fixed.

use crate::scenario::form::{As, MessageKind};
use crate::scenario::target::Target;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::Span;

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
    /// Who sends it. In `pins`: numbers of nodes or clients, `all`, `clients`, `all but` numbers, or lists of these.
    pub from: Target,
    /// Whom it goes to.
    pub to: Target,
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
    /// Who sends it. In `pins`: numbers of nodes or clients, `all`, `clients`, `all but` numbers, or lists of these.
    from: Target,
    /// Whom it goes to. Every link from one to the other is meant, but none from a node to itself.
    to: Target,
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
