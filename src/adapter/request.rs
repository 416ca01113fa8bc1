//! What a scenario or a person asks of a process.

use crate::kv;
use crate::record::ReadKind;
use raft_node::{ChangeRequest, Payload};
use sim_core::ProcessId;

/// What a scenario asks of a process, past the network.
#[derive(Clone, Debug)]
pub enum Request {
    /// To take a command into the log.
    Propose {
        /// The command.
        command: Payload,
        /// The command as a person would write it, where somebody will read the record of it.
        text: Option<Box<str>>,
    },
    /// To start an election now.
    Campaign,
    /// To change who belongs to the cluster.
    Change(Box<ChangeRequest>),
    /// To hand leadership over.
    Transfer {
        /// To this node.
        to: ProcessId,
    },
    /// To forget who leads.
    ForgetLeader,
    /// To read, past the log.
    Read(Reading),
    /// To take a snapshot of the state machine now.
    Snapshot,
    /// To drop the beginning of the log, as far as a snapshot covers it.
    Compact {
        /// How many entries that it covers stay.
        keep: u64,
    },
    /// To send a snapshot, needed or not.
    SendSnapshot {
        /// To this node.
        to: ProcessId,
    },
    /// To take a node for unreachable.
    Unreachable {
        /// This node.
        node: ProcessId,
    },
    /// To apply nothing until told to, or to go on.
    HoldApplies(bool),
    /// To apply exactly one entry of those that are held.
    ApplyOne,
    /// A client without a workload is to do this, as soon as it is done with what it does.
    Call(Box<kv::Script>),
    /// A client is to begin its workload.
    Start,
    /// A client is to finish what it has begun and begin nothing more.
    Stop,
}

/// A read past the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The key, if anybody wants to know the value.
    pub key: Option<kv::Key>,
    /// How.
    pub kind: ReadKind,
}

impl Request {
    /// A proposal that is recorded with its text.
    #[must_use]
    pub fn propose(command: &str) -> Self {
        Self::propose_as(command.as_bytes(), command)
    }

    /// A proposal of these bytes that is recorded as `text`.
    #[must_use]
    pub fn propose_as(bytes: &[u8], text: &str) -> Self {
        Self::Propose { command: Payload::new(bytes), text: Some(text.into()) }
    }
}
