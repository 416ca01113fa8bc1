//! How links treat messages, at the beginning and as a step.

use crate::scenario::form::As;
use crate::scenario::target::Target;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::{Latency, LinkQuality, Ratio, Span};

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
    /// Share of messages that are damaged on the way: their checksum tells, and they are lost. Default 0%.
    #[serde(with = "As::<Ratio>", skip_serializing_if = "is_never")]
    pub corrupt: Ratio,
    /// Whether messages on a link arrive in the order in which they were sent, as on a stream. Default false.
    pub fifo: bool,
    /// Links that differ from the others. Later rules go over earlier ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<LinkRule>,
}

/// Whether nothing is damaged, which need not be written.
fn is_never(share: &Ratio) -> bool {
    *share == Ratio::ZERO
}

impl Default for NetworkOptions {
    fn default() -> Self {
        let quality = LinkQuality {
            latency: Latency::Uniform(Span::from_millis(1), Span::from_millis(5)),
            ..LinkQuality::default()
        };
        let LinkQuality { latency, loss, duplicate, reorder, reorder_by, corrupt, fifo } = quality;
        Self { latency, loss, duplicate, reorder, reorder_by, corrupt, fifo, links: Vec::new() }
    }
}

impl NetworkOptions {
    /// The quality of a link that no rule names.
    #[must_use]
    pub const fn quality(&self) -> LinkQuality {
        let Self { latency, loss, duplicate, reorder, reorder_by, corrupt, fifo, .. } = *self;
        LinkQuality { latency, loss, duplicate, reorder, reorder_by, corrupt, fifo }
    }
}

/// What is different on the links from some nodes to others. What is absent stays as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkRule {
    /// Where the messages come from. In `network.links`: numbers of nodes or clients, `all`, `clients`, `all but` numbers,
    /// or lists of these.
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
    /// Share of messages that are damaged on the way: their checksum tells, and they are lost.
    #[serde(default, with = "As::<Option<Ratio>>", skip_serializing_if = "Option::is_none")]
    pub corrupt: Option<Ratio>,
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
            corrupt: None,
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
            corrupt: self.corrupt.unwrap_or(quality.corrupt),
            fifo: self.fifo.unwrap_or(quality.fifo),
        }
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::new(self.from.clone(), self.to.clone())
    }
}
