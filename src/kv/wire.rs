//! What passes between a client and its host.
//!
//! Owns inputs, outputs, requests and answers. Must not know what a client makes of them.

use crate::kv::command::{Command, Key, Operation};
use crate::kv::response::Response;
use crate::kv::script::Script;
use crate::kv::value::Value;
use sim_core::Span;

/// How a get is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReadKind {
    /// As a command through the log.
    Log,
    /// By the leader, once a majority confirmed that it leads (Ongaro §6.4).
    ReadIndex,
    /// By the leader, trusting its lease and the clocks (Ongaro §6.4.1).
    Lease,
    /// By any server, which has the leader tell it a read index (Ongaro §6.4).
    Follower,
    /// By any server at once, from what it has applied. Not linearizable: it shows how stale a server is.
    Local,
}

impl ReadKind {
    /// Whether it is all the same who is asked.
    pub(crate) const fn is_by_anybody(self) -> bool {
        match self {
            Self::Log | Self::ReadIndex | Self::Lease => false,
            Self::Follower | Self::Local => true,
        }
    }
}

/// What a client asks, as the history tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A get.
    Read {
        /// The key.
        key: Key,
        /// Which way.
        by: ReadKind,
    },
    /// A put, compare-and-set, append or delete.
    Write(Operation),
}

impl Asked {
    /// Whether it goes through the log, and so needs a session.
    pub(crate) const fn is_logged(&self) -> bool {
        matches!(self, Self::Write(_) | Self::Read { by: ReadKind::Log, .. })
    }
}

/// Names a request among those of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId {
    /// What is asked: counts from 1.
    pub request: u64,
    /// How often it was asked before: an answer to any attempt will do.
    pub attempt: u32,
}

/// What a client asks of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Comes back in the answer.
    pub id: RequestId,
    /// What is asked.
    pub body: Body,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// To take a command into the log and answer with what the machine said to it: [`Answer::Done`].
    Log(Command),
    /// To read outside the log: [`Answer::Read`].
    Read {
        /// The key.
        key: Key,
        /// How; never [`ReadKind::Log`].
        by: ReadKind,
    },
}

/// What a server says to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The command was applied, with this response.
    Done(Response),
    /// What was read outside the log.
    Read {
        /// What the key holds; `None`: nothing.
        value: Option<Value>,
        /// The index up to which the answering machine had applied the log.
        index: u64,
    },
    /// It does not lead, and did not take this copy of the request. A server that took one and lost its place since says
    /// [`Answer::Unavailable`].
    NotLeader {
        /// Who does, as far as it knows.
        hint: Option<u16>,
    },
    /// It cannot say now; the request may or may not be done some day.
    Unavailable,
    /// The session of the command is gone; the same as [`Response::SessionExpired`].
    SessionExpired,
}

/// A client's timers. To set one that is set replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClientTimer {
    /// The time between two operations.
    Think,
    /// The time until a server is asked again.
    Timeout,
    /// The time until an operation is given up.
    GiveUp,
}

/// What reaches a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The world begins, or what a stop has ended goes on where it was.
    Start,
    /// Do this, after all that waits already. For clients of scripts only; one that is stopped does it once it is started
    /// again.
    Do(Script),
    /// A timer fired.
    Fired(ClientTimer),
    /// A server answered.
    Reply {
        /// Which request.
        id: RequestId,
        /// What it said.
        answer: Answer,
    },
    /// Finish what was sent, begin nothing more. What was called and not sent is refused.
    Stop,
}

/// The outcome of an operation that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    /// What the machine said; [`Response::Value`] for every read, and never [`Response::Stale`] or
    /// [`Response::SessionExpired`].
    pub response: Response,
    /// For a read outside the log, the index up to which the answering machine had applied the log.
    pub served: Option<u64>,
}

/// What a client wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a request.
    Send {
        /// To this server.
        server: u16,
        /// The request.
        request: Request,
    },
    /// Set a timer to fire after a time that the host draws.
    SetTimer {
        /// Which.
        timer: ClientTimer,
        /// The shortest time.
        min: Span,
        /// The longest time.
        max: Span,
        /// The number of the operation that it is for, to key the draw by.
        epoch: u64,
    },
    /// Forget a timer. That it fires all the same does no harm.
    CancelTimer(ClientTimer),
    /// For the history: an operation begins.
    Call {
        /// Who calls: one process has one operation at a time.
        process: u32,
        /// The number of the operation, unique within its client, whatever its processes.
        number: u64,
        /// What is asked.
        asked: Asked,
    },
    /// For the history: the operation is over.
    Return {
        /// Who called.
        process: u32,
        /// The number of the operation.
        number: u64,
        /// The outcome.
        returned: Returned,
    },
    /// For the history: nobody knows whether the operation took or will take effect, at most once in any case. The
    /// process calls no more.
    Unknown {
        /// Who called.
        process: u32,
        /// The number of the operation.
        number: u64,
    },
    /// For the history: the operation did not take effect and never will. The process may go on. Clients of workloads
    /// never say this.
    Refused {
        /// Who called.
        process: u32,
        /// The number of the operation.
        number: u64,
        /// Who leads, as the server said that refused, whether or not that makes sense; `None` also if none did.
        leader: Option<u16>,
    },
    /// The client does nothing more. The last output, unless it is started again.
    Done,
}
