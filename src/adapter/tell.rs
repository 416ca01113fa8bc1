//! The node's own words in the neutral ones.

use super::Member;
use crate::record::{Effect, Hash64, Members, Note, ReadKind, Refusal, Role};
use raft_node::{Entry, EntryKind, Event, Membership, NodeId, RoleKind};
use sim_core::{Effects, ProcessId};

/// The process that a node is.
pub(super) const fn process(node: NodeId) -> ProcessId {
    ProcessId(node.0)
}

/// The node's name of a process.
#[must_use]
pub const fn node_id(process: ProcessId) -> NodeId {
    NodeId(process.0)
}

/// A configuration in neutral words.
#[must_use]
pub fn members(membership: &Membership) -> Members {
    let list = |ids: &[NodeId]| ids.iter().copied().map(process).collect();
    Members {
        voters: list(membership.voters()),
        outgoing: list(membership.outgoing()),
        learners: list(membership.learners()),
        learners_next: list(membership.learners_next()),
    }
}

/// The hash that stands for a configuration in a log.
#[cold]
#[inline(never)]
fn change_hash(membership: &Membership) -> Hash64 {
    let mut bytes = Vec::with_capacity(membership.encoded_len());
    membership.encode(&mut bytes);
    Hash64::of_command(&bytes)
}

/// The hash that stands for what an entry holds.
#[inline(always)]
#[must_use]
pub fn command_hash(entry: &Entry) -> Hash64 {
    match &entry.kind {
        EntryKind::Noop => Hash64::NOOP,
        EntryKind::Command(payload) => Hash64::of_command(payload.as_slice()),
        EntryKind::Change(membership) => change_hash(membership),
    }
}

/// Tells what is not told all the time, apart from what is: that stays small so.
#[cold]
pub(super) fn rarely(fx: &mut Effects<'_, Member>, note: Note) {
    fx.note(note);
}

#[inline]
pub(super) fn event(event: &Event, fx: &mut Effects<'_, Member>) {
    if let Event::Appended { first, entries } = event {
        for (index, entry) in (first.0..).zip(entries.as_slice()) {
            fx.note(Note::Append { index, term: entry.term.0, command: command_hash(entry) });
        }
    } else if let Event::Committed(index) = event {
        fx.note(Note::Commit { index: index.0 });
    } else {
        rare_event(event, fx);
    }
}

#[cold]
fn rare_event(event: &Event, fx: &mut Effects<'_, Member>) {
    match event {
        Event::Appended { .. } | Event::Committed(_) => {}
        Event::Role { role, term } => {
            let role = match role {
                RoleKind::Follower => Role::Follower,
                RoleKind::PreCandidate => Role::PreCandidate,
                RoleKind::Candidate => Role::Candidate,
                RoleKind::Leader => Role::Leader,
            };
            rarely(fx, Note::Role { role, term: term.0 });
        }
        Event::Term(term) => rarely(fx, Note::Term { term: term.0 }),
        Event::Vote { term, candidate } => {
            rarely(fx, Note::Vote { term: term.0, candidate: process(*candidate) });
        }
        Event::Truncated { from } => rarely(fx, Note::Truncate { from: from.0 }),
        Event::Membership { index, membership } => {
            rarely(fx, Note::Members { index: index.0, members: Box::new(members(membership)) });
        }
        Event::Compacted { base } => rarely(fx, Note::Compacted { base: base.0 }),
        // Whoever holds the state machine tells of snapshots: it knows what is in them.
        Event::SnapshotTaken { .. } | Event::SnapshotInstalled { .. } => {}
    }
}

pub(super) fn refusal(reason: raft_node::Refusal) -> (Option<ProcessId>, Refusal) {
    match reason {
        raft_node::Refusal::NotLeader { leader } => (leader.map(process), Refusal::NotLeader),
        raft_node::Refusal::Transferring => (None, Refusal::Transferring),
        raft_node::Refusal::TooMuchUncommitted => (None, Refusal::TooMuchUncommitted),
        raft_node::Refusal::ChangePending => (None, Refusal::ChangePending),
        raft_node::Refusal::NoCommitInTerm => (None, Refusal::NoCommitInTerm),
        raft_node::Refusal::BadChange(_) => (None, Refusal::BadChange),
        raft_node::Refusal::NotAVoter(_)
        | raft_node::Refusal::NotAMember(_)
        | raft_node::Refusal::NoSnapshot => (None, Refusal::Impossible),
    }
}

pub(super) const fn read_kind(kind: crate::kv::ReadKind) -> ReadKind {
    match kind {
        crate::kv::ReadKind::Log => ReadKind::Log,
        crate::kv::ReadKind::ReadIndex => ReadKind::ReadIndex,
        crate::kv::ReadKind::Lease => ReadKind::Lease,
        crate::kv::ReadKind::Follower => ReadKind::Follower,
        crate::kv::ReadKind::Local => ReadKind::Local,
    }
}

pub(super) const fn effect(effect: crate::kv::Effect) -> Effect {
    match effect {
        // To open a session twice is lawful: the client takes the first, and the other expires.
        crate::kv::Effect::Opaque | crate::kv::Effect::Opened { .. } => Effect::Carried,
        crate::kv::Effect::Executed { .. } => Effect::Done,
        crate::kv::Effect::Duplicate { .. } => Effect::Repeated,
        crate::kv::Effect::Stale { .. } | crate::kv::Effect::Expired { .. } => Effect::Ignored,
    }
}
