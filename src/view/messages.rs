//! What a message says, in the words of the field.

use crate::record::{MessageFacts, Reply};
use crate::view::wording::Words;
use std::fmt::Write as _;

impl Words {
    /// What a message says.
    pub(super) fn facts(&self, facts: &MessageFacts) -> String {
        match *facts {
            MessageFacts::RequestVote { term, last_index, last_term, transfer } => {
                let told = if transfer { " by order" } else { "" };
                format!("RequestVote t{term} last {last_index}/{last_term}{told}")
            }
            MessageFacts::RequestVoteResponse { term, granted: true } => format!("grants vote t{term}"),
            MessageFacts::RequestVoteResponse { term, granted: false } => format!("refuses vote t{term}"),
            MessageFacts::AppendEntries { term, entries: 0, .. } if !self.full => {
                format!("heartbeat t{term}")
            }
            MessageFacts::AppendEntries { term, prev_index, prev_term, entries, commit } => {
                let mut text = format!("AppendEntries t{term} +{entries} after {prev_index}/{prev_term}");
                if self.full {
                    let _ = write!(text, " commit {commit}");
                }
                text
            }
            MessageFacts::AppendEntriesAccepted { term, match_index } => {
                format!("accepts {match_index} (t{term})")
            }
            MessageFacts::AppendEntriesRefused { term, prev_index, conflict_index, conflict_term } => {
                let mut text = format!("refuses {prev_index} (t{term})");
                if !self.full {
                    return text;
                }
                let _ = write!(text, ", conflict at {conflict_index}");
                if let Some(conflict) = conflict_term {
                    let _ = write!(text, "/{conflict}");
                }
                text
            }
            MessageFacts::PreVote { term, last_index, last_term } => {
                format!("PreVote t{term} last {last_index}/{last_term}")
            }
            MessageFacts::PreVoteResponse { term, granted: true } => format!("would vote t{term}"),
            MessageFacts::PreVoteResponse { term, granted: false } => format!("would not vote t{term}"),
            MessageFacts::InstallSnapshot { term, index, .. } if !self.full => {
                format!("InstallSnapshot {index} (t{term})")
            }
            MessageFacts::InstallSnapshot { term, index, offset, bytes, done } => {
                let last = if done { ", the last" } else { "" };
                format!("InstallSnapshot {index} (t{term}) bytes {offset} +{bytes}{last}")
            }
            MessageFacts::InstallSnapshotResponse { term, index, installed: true, .. } => {
                format!("has snapshot {index} (t{term})")
            }
            MessageFacts::InstallSnapshotResponse { term, index, received, installed: false } => {
                format!("has {received} bytes of snapshot {index} (t{term})")
            }
            MessageFacts::TimeoutNow { term } => format!("TimeoutNow t{term}"),
            MessageFacts::ReadIndex { term, read } => format!("ReadIndex for read {read} (t{term})"),
            MessageFacts::ReadIndexResponse { term, read, index: Some(index) } => {
                format!("read {read} must see {index} (t{term})")
            }
            MessageFacts::ReadIndexResponse { term, read, index: None } => {
                format!("refuses read {read} (t{term})")
            }
            MessageFacts::Forward { term, bytes } => format!("hands on {bytes} bytes (t{term})"),
            MessageFacts::ClientRequest { number, read } => {
                format!("{} {number}", if read { "reads, request" } else { "request" })
            }
            MessageFacts::ClientReply { number, reply } => format!("answers {number}: {}", replied(reply)),
        }
    }

    /// What a receiver says of a message. Folded it leaves out what the sender's entry has said.
    pub(super) fn received(&self, facts: &MessageFacts) -> String {
        match *facts {
            MessageFacts::RequestVote { term, .. } if !self.full => format!("RequestVote t{term}"),
            MessageFacts::AppendEntries { term, entries, .. } if !self.full && entries > 0 => {
                format!("AppendEntries t{term} +{entries}")
            }
            ref facts => self.facts(facts),
        }
    }
}

fn replied(reply: Reply) -> String {
    match reply {
        Reply::Done(index) => format!("done at {index}"),
        Reply::NotLeader(Some(leader)) => format!("not leading, {leader} may"),
        Reply::NotLeader(None) => "not leading".to_string(),
        Reply::Unavailable => "not now".to_string(),
        Reply::SessionExpired => "session over".to_string(),
    }
}
