//! One operation at somebody's word, and what came of an operation.
//!
//! Owns the words in which a client is told what to do and tells how it ended. Must not know how it goes about it.

use crate::kv::wire::{Asked, Returned};
use sim_core::Span;

/// One operation, as a scenario or a person wants it done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// What is asked. A write must be about a key: sessions are the client's own affair.
    pub asked: Asked,
    /// The one server that is asked, again and again until it answers; `None`: whoever answers.
    pub to: Option<u16>,
    /// How long after its call an operation without an answer is given up.
    pub within: Span,
}

/// What a client that does scripts must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScriptOptions {
    /// How many clients there are in all, those of workloads among them (see [`Client::among`](crate::kv::Client::among)):
    /// each has its own processes.
    pub clients: u16,
    /// How long it waits for an answer before it asks again; more than 0.
    pub timeout: Span,
    /// Whether the network may deliver a request twice. Then no refusal of a write that was sent is certain: a second
    /// copy may arrive when the server leads.
    pub doubles: bool,
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With an answer.
    Returned(Returned),
    /// Nobody knows whether it took or will take effect.
    Unknown,
    /// It did not happen and never will.
    Refused {
        /// Who leads, in the words of the server that refused; `None` also if no server refused: time was up, or the
        /// client was stopped, before the operation was sent.
        leader: Option<u16>,
    },
}

/// An operation that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Its number, unique within its client.
    pub number: u64,
    /// How it ended.
    pub outcome: Outcome,
}
