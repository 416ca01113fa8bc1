//! The one place that knows both the node and the world: it lends our Raft node the world's hands.
//!
//! It turns what reaches a process into inputs of the node, and the node's outputs into effects and neutral notes. Beside
//! the node it holds what a server has around one: a state machine (`service.rs`) and files (`store.rs`); and it brings
//! clients into the same world (`client.rs`). It decides nothing about Raft.

mod client;
mod facts;
mod found;
#[cfg(feature = "mutations")]
mod mutations;
mod node;
mod request;
mod service;
mod store;
mod tell;

pub use client::{ClientConfig, ClientProcess};
pub use found::{Found, found};
pub use node::{NodeConfig, RaftProcess};
pub use request::{Reading, Request};
pub use service::{ServiceOptions, bytes as snapshot_bytes, facts as snapshot_facts};
pub use store::{LOG, SNAPSHOT, TAIL, files};
pub use tell::{command_hash, members, node_id};

#[cfg(feature = "mutations")]
pub use mutations::{HostMutation, Mutation, NoSuchMutation};
// What others need of the node they get from here, so that no other file knows it.
pub use raft_node::{
    Change, ChangeRequest, Config, Durable, Entry, EntryKind, HardState, LogIndex, Membership, NodeId,
    Options as NodeOptions, Payload, Snapshot, Term, Transition,
};

use crate::kv;
use crate::record::{MESSAGE_KINDS, MessageFacts, Note};
use sim_core::{DiskError, DiskView, Effects, Label, Process, ProcessId, TimerId, WriteId};

/// The election timer of a node.
pub const ELECTION: TimerId = TimerId(0);
/// The heartbeat timer of a node.
pub const HEARTBEAT: TimerId = TimerId(1);
/// The timer of a leader that gathers proposals.
pub const BATCH: TimerId = TimerId(2);
/// The timer of a state machine that applies with delay.
pub const APPLY: TimerId = TimerId(3);
/// The time between two operations of a client.
pub const THINK: TimerId = TimerId(4);
/// The time until a client asks again.
pub const TIMEOUT: TimerId = TimerId(5);
/// The time until a client gives up.
pub const GIVE_UP: TimerId = TimerId(6);

/// What passes between processes.
#[derive(Clone, Debug)]
pub enum Message {
    /// Between nodes.
    Raft(raft_node::Message),
    /// From a client to a node.
    Asked(Box<kv::Request>),
    /// From a node to a client.
    Answered(Box<Answered>),
}

/// What a node answers to a client.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Which request.
    pub id: kv::RequestId,
    /// What it says.
    pub answer: kv::Answer,
    /// The index of the log at which it was done or read; 0 where nothing was.
    pub index: u64,
}

/// What a process is started with, each life anew.
#[derive(Clone, Debug)]
pub enum MemberConfig {
    /// A node.
    Node(Box<NodeConfig>),
    /// A client.
    Client(Box<ClientConfig>),
}

/// Whoever lives in the world: nodes first, then clients.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are nodes, and what reaches one should not go a detour"
)]
pub enum Member {
    /// A node.
    Node(RaftProcess),
    /// A node whose disk holds what it cannot trust: it does nothing.
    Refused,
    /// A client.
    Client(Box<ClientProcess>),
}

impl Member {
    /// The node that it is, if it is one.
    #[must_use]
    pub const fn node(&self) -> Option<&RaftProcess> {
        match self {
            Self::Node(node) => Some(node),
            Self::Refused | Self::Client(_) => None,
        }
    }

    /// The client that it is, if it is one.
    #[must_use]
    pub const fn client(&self) -> Option<&ClientProcess> {
        match self {
            Self::Client(client) => Some(client),
            Self::Node(_) | Self::Refused => None,
        }
    }
}

impl Process for Member {
    type Config = MemberConfig;
    type Message = Message;
    type Facts = MessageFacts;
    type Note = Note;
    type Request = Request;

    const TIMERS: &'static [&'static str] =
        &["election", "heartbeat", "batch", "apply", "think", "timeout", "give_up"];
    const FILES: &'static [&'static str] = &["log", "tail", "snapshot"];
    const KINDS: &'static [&'static str] = MESSAGE_KINDS;

    #[inline(always)]
    fn label(message: &Message) -> Label {
        facts::label(message)
    }

    #[inline(always)]
    fn facts(message: &Message) -> MessageFacts {
        facts::facts(message)
    }

    fn boot(
        _: ProcessId,
        life: u32,
        config: &MemberConfig,
        disk: &DiskView<'_>,
        fx: &mut Effects<'_, Self>,
    ) -> Self {
        match config {
            MemberConfig::Node(config) => {
                RaftProcess::boot(life, config, disk, fx).map_or(Self::Refused, Self::Node)
            }
            MemberConfig::Client(config) => Self::Client(Box::new(ClientProcess::boot(config, fx))),
        }
    }

    #[inline]
    fn on_message(&mut self, from: ProcessId, message: Message, fx: &mut Effects<'_, Self>) {
        // Whatever is sent to somebody for whom it means nothing is dropped. A node hears a message where it lies: it is
        // large, and to move it costs as much as to hear it.
        let mut message = message;
        if let Message::Raft(message) = &mut message {
            if let Self::Node(node) = self {
                node.on_message(from, message, fx);
            }
            return;
        }
        match message {
            Message::Raft(_) => {}
            Message::Asked(request) => {
                if let Self::Node(node) = self {
                    node.on_client(from, *request, fx);
                }
            }
            Message::Answered(answered) => {
                if let Self::Client(client) = self {
                    client.on_answer(*answered, fx);
                }
            }
        }
    }

    fn on_timer(&mut self, timer: TimerId, fx: &mut Effects<'_, Self>) {
        match self {
            Self::Node(node) => node.on_timer(timer, fx),
            Self::Client(client) => client.on_timer(timer, fx),
            Self::Refused => {}
        }
    }

    #[inline]
    fn on_durable(&mut self, write: WriteId, fx: &mut Effects<'_, Self>) {
        if let Self::Node(node) = self {
            node.on_durable(write, fx);
        }
    }

    /// What a failed sync makes of the data nobody can know, so a node stops (PostgreSQL's "fsyncgate", 2018; etcd does
    /// the same).
    fn on_write_failed(&mut self, _: WriteId, error: DiskError, fx: &mut Effects<'_, Self>) {
        tell::rarely(fx, Note::StorageFailed { what: format!("a sync failed: {error}").into() });
        fx.stop();
    }

    fn on_request(&mut self, request: Request, fx: &mut Effects<'_, Self>) {
        match self {
            Self::Node(node) => node.on_request(request, fx),
            Self::Client(client) => client.on_request(&request, fx),
            Self::Refused => {}
        }
    }
}
