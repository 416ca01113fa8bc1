//! Raft as a pure state machine.
//!
//! The crate owns the rules of Raft and nothing else. It must not know of clocks, chance, networks, disks or
//! simulators: a host has those, and the same code can serve in a simulator and in a server.
//!
//! # The contract of a step
//!
//! A node changes only in [`RaftNode::step`], which takes the time and one [`Input`], cannot fail, and
//! appends to a list of [`Output`]s what the host is to do, in this order. Equal nodes given equal inputs
//! have equal outputs.
//!
//! * **Messages** may be lost, late, doubled and out of order.
//! * **Writes.** A step asks for at most one write, its last output. The host does the writes in order, each
//!   wholly or not at all, and says [`Input::Persisted`] of each when it is durable, in any order. A message
//!   that promises durable state leaves the node only then: a host cannot get this wrong. A promise whose
//!   term is over by then is dropped. [`wal`] does the writes for hosts whose disks have bytes.
//! * **Timers.** The node names a range and the host draws. A fresh delay is asked for at the start and
//!   whenever role or term change; hearing from the leader and granting a vote only arm the timer anew with
//!   the delay it had.
//! * **Time** is told, never read. It decides leases, quorum checks, the protection of a living leader and
//!   when a transfer is given up, and nothing else; with those options off any clock will do.
//! * **The state machine** is the host's. It applies what [`Output::Apply`] brings, in order, and becomes
//!   what [`Output::Install`] brings. Now and then the host writes it down and says [`Input::Snapshot`]; when
//!   that is durable the log goes.
//! * **Memberships** are entries, in force from when they are appended. [`Event::Membership`] tells of each
//!   that comes into force, or comes back when its successor is removed from the log.
//! * **Crash.** The host drops the node and boots another by [`RaftNode::start`] from what was durable.
//!   Writes and messages of the old life are not told to the new one: [`PersistId`]s begin again at one;
//!   [`ReadId`]s do not.
//!
//! # Example
//!
//! Three nodes elect a leader and commit a command; the host is a loop.
//!
//! ```
//! use raft_node::{
//!     Config, Durable, Input, LocalTime, Membership, NodeId, Options, Output, Outputs, Payload, RaftNode,
//!     RoleKind, Timer,
//! };
//!
//! let voters: Vec<NodeId> = (0..3).map(NodeId).collect();
//! let mut disks = vec![Durable::default(); 3];
//! let mut nodes: Vec<RaftNode> = Vec::new();
//! // Nothing here is measured by a clock.
//! let now = LocalTime(0);
//! for (id, disk) in voters.iter().zip(&disks) {
//!     let membership = Membership::of_voters(&voters).unwrap();
//!     let config = Config { id: *id, membership, options: Options::default() };
//!     nodes.push(RaftNode::start(config, disk, now, &mut Outputs::new()));
//! }
//!
//! let mut applied = Vec::new();
//! let mut inbox = vec![(0, Input::TimerFired(Timer::Election))];
//! let mut proposed = false;
//! loop {
//!     while let Some((node, input)) = inbox.pop() {
//!         let mut out = Outputs::new();
//!         nodes[node].step(now, input, &mut out);
//!         for output in out {
//!             match output {
//!                 Output::Send { to, message } => {
//!                     let from = NodeId(u16::try_from(node).unwrap());
//!                     inbox.insert(0, (usize::from(to.0), Input::Message { from, message }));
//!                 }
//!                 Output::Persist { id, write } => {
//!                     disks[node].apply(write);
//!                     inbox.insert(0, (node, Input::Persisted(id)));
//!                 }
//!                 Output::Apply { entry, .. } => applied.push((node, entry.payload().to_vec())),
//!                 Output::SetTimer { .. } | Output::RearmTimer(_) | Output::CancelTimer(_) => {}
//!                 Output::Accepted { .. } | Output::Refused { .. } | Output::Forwarded { .. } => {}
//!                 Output::ReadReady { .. } | Output::ReadRefused { .. } => {}
//!                 Output::Install { .. } | Output::Event(_) => {}
//!             }
//!         }
//!     }
//!     assert_eq!(nodes[0].view().role, RoleKind::Leader);
//!     if applied.len() == 3 {
//!         break;
//!     }
//!     // The followers learn what is committed with the next heartbeat.
//!     inbox.push((0, Input::TimerFired(Timer::Heartbeat)));
//!     if !proposed {
//!         inbox.push((0, Input::Propose(Payload::from("x=1"))));
//!         proposed = true;
//!     }
//! }
//! applied.sort();
//! assert_eq!(applied, [0, 1, 2].map(|node| (node, b"x=1".to_vec())));
//! ```

#[macro_use]
mod mutant;

mod config;
mod durability;
mod entry;
mod log;
mod membership;
mod memberships;
mod message;
#[cfg(feature = "mutations")]
mod mutations;
mod node;
mod payload;
mod progress;
mod quorum;
mod role;
mod roster;
mod step;
mod storage;
mod types;
pub mod wal;

pub use config::{Config, Options};
pub use entry::{Entries, Entry, EntryKind};
pub use membership::{BadChange, BadMembership, Change, ChangeRequest, MEMBERS_MAX, Membership, Transition};
pub use message::{AppendResult, Conflict, Message, MessageKind, ROUND_OVER};
#[cfg(feature = "mutations")]
pub use mutations::{Mutation, UnknownMutation};
pub use node::{NodeView, PeerProgress, RaftNode};
pub use payload::Payload;
pub use step::{Event, Input, Output, Outputs, ReadMode, ReadRefusal, Refusal, TimeoutRange, Timer};
pub use storage::{Durable, HardState, LogWrite, Snapshot, SnapshotMeta, Write};
pub use types::{LocalTime, LogIndex, NodeId, PersistId, ReadId, RoleKind, Term};
