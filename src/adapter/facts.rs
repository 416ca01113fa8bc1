//! What is told of messages.

use super::{Answered, Message};
use crate::kv::{Answer, Body};
use crate::record::{MessageFacts, Reply};
use raft_node::{AppendResult, Message as Raft, MessageKind};
use sim_core::{Label, ProcessId};

/// What a request of a client takes on the wire besides the command: ids and lengths.
const CLIENT_OVERHEAD_BYTES: u32 = 24;

/// Of what is sent all the time it is asked first what it is, here and below: a table of so many kinds is a jump that
/// nobody can guess.
#[inline(always)]
pub(super) fn label(message: &Message) -> Label {
    if let Message::Raft(append @ Raft::AppendEntries { term, .. }) = message {
        Label { kind: kind(MessageKind::AppendEntries), epoch: term.0, bytes: append.bytes() }
    } else if let Message::Raft(answer @ Raft::AppendEntriesResponse { term, .. }) = message {
        Label { kind: kind(MessageKind::AppendEntriesResponse), epoch: term.0, bytes: answer.bytes() }
    } else {
        rare_label(message)
    }
}

/// The number of a kind of message between nodes.
#[inline]
const fn kind(kind: MessageKind) -> u8 {
    match kind {
        MessageKind::RequestVote => 0,
        MessageKind::RequestVoteResponse => 1,
        MessageKind::AppendEntries => 2,
        MessageKind::AppendEntriesResponse => 3,
        MessageKind::PreVote => 4,
        MessageKind::PreVoteResponse => 5,
        MessageKind::InstallSnapshot => 6,
        MessageKind::InstallSnapshotResponse => 7,
        MessageKind::TimeoutNow => 8,
        MessageKind::ReadIndex => 9,
        MessageKind::ReadIndexResponse => 10,
        MessageKind::Forward => 11,
    }
}

#[inline(never)]
fn rare_label(message: &Message) -> Label {
    match message {
        Message::Raft(message) => {
            Label { kind: kind(message.kind()), epoch: message.term().0, bytes: message.bytes() }
        }
        Message::Asked(request) => {
            let bytes = match &request.body {
                Body::Log(command) => u32::try_from(command.encode().len()).unwrap_or(u32::MAX),
                Body::Read { .. } => 5,
            };
            Label { kind: 12, epoch: request.id.request, bytes: bytes.saturating_add(CLIENT_OVERHEAD_BYTES) }
        }
        Message::Answered(answered) => {
            Label { kind: 13, epoch: answered.id.request, bytes: CLIENT_OVERHEAD_BYTES }
        }
    }
}

#[inline(always)]
pub(super) fn facts(message: &Message) -> MessageFacts {
    if let Message::Raft(Raft::AppendEntries {
        term,
        prev_log_index,
        prev_log_term,
        entries,
        leader_commit,
        round: _,
    }) = message
    {
        MessageFacts::AppendEntries {
            term: term.0,
            prev_index: prev_log_index.0,
            prev_term: prev_log_term.0,
            entries: u32::try_from(entries.len()).unwrap_or(u32::MAX),
            commit: leader_commit.0,
        }
    } else if let Message::Raft(Raft::AppendEntriesResponse { term, result, round: _, holds: _ }) = message {
        answer(term.0, *result)
    } else {
        rare_facts(message)
    }
}

#[inline]
const fn answer(term: u64, result: AppendResult) -> MessageFacts {
    match result {
        AppendResult::Accepted { match_index } => {
            MessageFacts::AppendEntriesAccepted { term, match_index: match_index.0 }
        }
        AppendResult::Rejected { prev_log_index, conflict } => MessageFacts::AppendEntriesRefused {
            term,
            prev_index: prev_log_index.0,
            conflict_index: conflict.index.0,
            conflict_term: match conflict.term {
                Some(term) => Some(term.0),
                None => None,
            },
        },
    }
}

#[inline(never)]
fn rare_facts(message: &Message) -> MessageFacts {
    match message {
        Message::Raft(message) => raft(message),
        Message::Asked(request) => MessageFacts::ClientRequest {
            number: request.id.request,
            read: matches!(request.body, Body::Read { .. }),
        },
        Message::Answered(answered) => {
            let Answered { id, answer, index } = &**answered;
            let reply = match answer {
                Answer::Done(_) | Answer::Read { .. } => Reply::Done(*index),
                Answer::NotLeader { hint } => Reply::NotLeader(hint.map(ProcessId)),
                Answer::Unavailable => Reply::Unavailable,
                Answer::SessionExpired => Reply::SessionExpired,
            };
            MessageFacts::ClientReply { number: id.request, reply }
        }
    }
}

fn raft(message: &Raft) -> MessageFacts {
    match message {
        Raft::AppendEntries { .. } | Raft::AppendEntriesResponse { .. } => {
            unreachable!("what is sent all the time was dealt with before")
        }
        Raft::RequestVote { term, last_log_index, last_log_term, forced, priority: _ } => {
            MessageFacts::RequestVote {
                term: term.0,
                last_index: last_log_index.0,
                last_term: last_log_term.0,
                transfer: *forced,
            }
        }
        Raft::RequestVoteResponse { term, granted } => {
            MessageFacts::RequestVoteResponse { term: term.0, granted: *granted }
        }
        Raft::PreVote { term, last_log_index, last_log_term, priority: _ } => {
            MessageFacts::PreVote { term: term.0, last_index: last_log_index.0, last_term: last_log_term.0 }
        }
        Raft::PreVoteResponse { term, granted } => {
            MessageFacts::PreVoteResponse { term: term.0, granted: *granted }
        }
        Raft::InstallSnapshot { term, meta, offset, total, chunk, round: _ } => {
            MessageFacts::InstallSnapshot {
                term: term.0,
                index: meta.index.0,
                offset: *offset,
                bytes: u32::try_from(chunk.len()).unwrap_or(u32::MAX),
                done: offset.saturating_add(chunk.len() as u64) >= *total,
            }
        }
        Raft::InstallSnapshotResponse { term, index, received, done, round: _ } => {
            MessageFacts::InstallSnapshotResponse {
                term: term.0,
                index: index.0,
                received: *received,
                installed: *done,
            }
        }
        Raft::TimeoutNow { term } => MessageFacts::TimeoutNow { term: term.0 },
        Raft::ReadIndex { term, id } => MessageFacts::ReadIndex { term: term.0, read: id.0 },
        Raft::ReadIndexResponse { term, id, index } => {
            MessageFacts::ReadIndexResponse { term: term.0, read: id.0, index: index.map(|index| index.0) }
        }
        Raft::Forward { term, payload } => {
            MessageFacts::Forward { term: term.0, bytes: u32::try_from(payload.len()).unwrap_or(u32::MAX) }
        }
    }
}
