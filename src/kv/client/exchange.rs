//! What a client is at, and the request that is under way.
//!
//! Owns the state of asking. Must not know what becomes of the answers.

use crate::kv::script::Script;
use crate::kv::wire::RequestId;

/// A request that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exchange {
    pub(super) id: RequestId,
    pub(super) server: u16,
    /// How many hints were followed since the last wait.
    pub(super) hops: u32,
    /// Whether the last attempt was put off, and the next waits for its time.
    pub(super) waits: bool,
}

impl Exchange {
    /// Whether it was sent once and nothing was said to it yet.
    pub(super) const fn is_fresh(&self) -> bool {
        self.id.attempt == 0 && !self.waits
    }
}

/// How far the operation is for which a session is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It is called once there is a session.
    Planned,
    /// It was called, and sent to nobody.
    Called,
    /// It was sent, in a session that expired.
    Sent,
}

/// What a client is at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing, yet; or there is no script.
    Idle,
    /// It waits before the next operation.
    Thinking,
    /// It opens a session, to ask for something in it.
    Opening { script: Script, stage: Stage, exchange: Exchange },
    /// It called, and asks.
    Asking { script: Script, exchange: Exchange },
    /// Nothing, until it is started again.
    Done,
}

impl Phase {
    /// Whether an operation was called that is not over.
    pub(super) const fn has_called(&self) -> bool {
        match self {
            Self::Asking { .. } => true,
            Self::Opening { stage, .. } => !matches!(stage, Stage::Planned),
            Self::Idle | Self::Thinking | Self::Done => false,
        }
    }

    /// Whether a server may know of the operation.
    pub(super) const fn has_sent(&self) -> bool {
        match self {
            Self::Asking { .. } => true,
            Self::Opening { stage, .. } => matches!(stage, Stage::Sent),
            Self::Idle | Self::Thinking | Self::Done => false,
        }
    }

    /// The one server that is asked, if the script names one.
    pub(super) const fn only(&self) -> Option<u16> {
        match self {
            Self::Opening { script, .. } | Self::Asking { script, .. } => script.to,
            Self::Idle | Self::Thinking | Self::Done => None,
        }
    }

    pub(super) const fn exchange_mut(&mut self) -> Option<&mut Exchange> {
        match self {
            Self::Opening { exchange, .. } | Self::Asking { exchange, .. } => Some(exchange),
            Self::Idle | Self::Thinking | Self::Done => None,
        }
    }
}
