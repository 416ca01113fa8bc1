//! How messages read in a trace.
//!
//! Owns: their short form, one line each. Must not know: what a message does.

use core::fmt;

use super::{AppendResult, Conflict, Message};

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} t{}", self.kind(), self.term())?;
        match self {
            Self::RequestVote { last_log_index, last_log_term, forced, priority, .. } => {
                write!(f, " last {last_log_index}/{last_log_term}")?;
                write_priority(f, *priority)?;
                f.write_str(if *forced { " forced" } else { "" })
            }
            Self::PreVote { last_log_index, last_log_term, priority, .. } => {
                write!(f, " last {last_log_index}/{last_log_term}")?;
                write_priority(f, *priority)
            }
            Self::RequestVoteResponse { granted, .. } | Self::PreVoteResponse { granted, .. } => {
                f.write_str(if *granted { " granted" } else { " refused" })
            }
            Self::AppendEntries { prev_log_index, prev_log_term, entries, leader_commit, .. } => {
                write!(f, " prev {prev_log_index}/{prev_log_term} +{} commit {leader_commit}", entries.len())
            }
            Self::AppendEntriesResponse { result, .. } => write!(f, " {result}"),
            Self::InstallSnapshot { meta, offset, total, chunk, .. } => {
                write!(f, " snapshot {}/{} bytes {offset}+{}/{total}", meta.index, meta.term, chunk.len())
            }
            Self::InstallSnapshotResponse { index, done: true, .. } => write!(f, " snapshot {index} done"),
            Self::InstallSnapshotResponse { index, received, .. } => {
                write!(f, " snapshot {index} received {received}")
            }
            Self::TimeoutNow { .. } => Ok(()),
            Self::ReadIndex { id, .. } => write!(f, " read {id}"),
            Self::ReadIndexResponse { id, index: Some(index), .. } => write!(f, " read {id} at {index}"),
            Self::ReadIndexResponse { id, index: None, .. } => write!(f, " read {id} refused"),
            Self::Forward { payload, .. } => write!(f, " {payload:?}"),
        }
    }
}

/// Nothing for the priority that everybody has unless told otherwise.
fn write_priority(f: &mut fmt::Formatter<'_>, priority: i64) -> fmt::Result {
    if priority == 0 { Ok(()) } else { write!(f, " priority {priority}") }
}

impl fmt::Display for AppendResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted { match_index } => write!(f, "match {match_index}"),
            Self::Rejected { prev_log_index, conflict } => {
                write!(f, "rejected prev {prev_log_index} conflict {conflict}")
            }
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.term {
            Some(term) => write!(f, "{}/{term}", self.index),
            None => write!(f, "{}/-", self.index),
        }
    }
}
