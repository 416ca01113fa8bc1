//! What nodes say to each other: the two calls of Raft (§5, figure 2) and their answers, as four one-way
//! messages.
//!
//! Owns: their fields, their size, how they read in a trace. Must not know: who sends them, and when.

use core::fmt;

use crate::entry::{Entries, Entry};
use crate::types::{LogIndex, Term};

/// A message from one node to another. A wrong one is data: no message makes a node panic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A candidate asks for a vote (Raft §5.2).
    RequestVote {
        /// The candidate's term.
        term: Term,
        /// The index of the candidate's last entry.
        last_log_index: LogIndex,
        /// The term of the candidate's last entry.
        last_log_term: Term,
    },
    /// The answer to [`Message::RequestVote`].
    RequestVoteResponse {
        /// The voter's term, by which a candidate learns that its own is over.
        term: Term,
        /// Whether the voter's vote of this term is the candidate's.
        granted: bool,
    },
    /// A leader replicates entries, or none to show that it lives (Raft §5.3).
    AppendEntries {
        /// The leader's term.
        term: Term,
        /// The index before the first of `entries`.
        prev_log_index: LogIndex,
        /// The term of the leader's entry at `prev_log_index`; zero at index zero.
        prev_log_term: Term,
        /// The entries that follow `prev_log_index`.
        entries: Entries,
        /// The leader's commit index. May lie beyond what this message carries.
        leader_commit: LogIndex,
    },
    /// The answer to [`Message::AppendEntries`].
    AppendEntriesResponse {
        /// The follower's term.
        term: Term,
        /// Whether the log matched.
        result: AppendResult,
    },
}

/// How a follower took an AppendEntries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AppendResult {
    /// The follower's log equals the leader's up to `match_index`.
    Accepted {
        /// The last index that the request vouched for, never the follower's last index.
        match_index: LogIndex,
    },
    /// The follower's log differs at `prev_log_index`, or the request's term was over.
    Rejected {
        /// That of the refused request, so that the leader recognises a stale refusal.
        prev_log_index: LogIndex,
        /// Where the leader may try next.
        conflict: Conflict,
    },
}

/// Why a follower's log did not match, told so that one refusal skips a whole term (Raft §5.3, end).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conflict {
    /// The term of the follower's entry at the refused index; none if its log is shorter.
    pub term: Option<Term>,
    /// The first index of that term in the follower's log; or, without a term, its last index plus one.
    pub index: LogIndex,
}

/// The kinds of message, in the order of [`Message`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum MessageKind {
    /// [`Message::RequestVote`].
    RequestVote,
    /// [`Message::RequestVoteResponse`].
    RequestVoteResponse,
    /// [`Message::AppendEntries`].
    AppendEntries,
    /// [`Message::AppendEntriesResponse`].
    AppendEntriesResponse,
}

impl MessageKind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [Self; 4] =
        [Self::RequestVote, Self::RequestVoteResponse, Self::AppendEntries, Self::AppendEntriesResponse];

    /// The kind's name as the paper spells it.
    #[inline]
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RequestVote => "RequestVote",
            Self::RequestVoteResponse => "RequestVoteResponse",
            Self::AppendEntries => "AppendEntries",
            Self::AppendEntriesResponse => "AppendEntriesResponse",
        }
    }
}

impl fmt::Display for MessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Message {
    /// The sender's term when it made the message.
    #[inline]
    #[must_use]
    pub const fn term(&self) -> Term {
        match self {
            Self::RequestVote { term, .. }
            | Self::RequestVoteResponse { term, .. }
            | Self::AppendEntries { term, .. }
            | Self::AppendEntriesResponse { term, .. } => *term,
        }
    }

    /// Which of the four messages this is.
    #[inline]
    #[must_use]
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::RequestVote { .. } => MessageKind::RequestVote,
            Self::RequestVoteResponse { .. } => MessageKind::RequestVoteResponse,
            Self::AppendEntries { .. } => MessageKind::AppendEntries,
            Self::AppendEntriesResponse { .. } => MessageKind::AppendEntriesResponse,
        }
    }

    /// An estimate of the size on a wire, in bytes: a kind of 1, numbers of 8, a count of 4, and the entries;
    /// saturates.
    #[must_use]
    pub fn bytes(&self) -> u32 {
        match self {
            Self::RequestVote { .. } => 25,
            Self::RequestVoteResponse { .. } => 10,
            Self::AppendEntries { entries, .. } => {
                entries.as_slice().iter().map(Entry::bytes).fold(37, u32::saturating_add)
            }
            Self::AppendEntriesResponse { result: AppendResult::Accepted { .. }, .. } => 18,
            Self::AppendEntriesResponse { result: AppendResult::Rejected { .. }, .. } => 35,
        }
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} t{}", self.kind(), self.term())?;
        match self {
            Self::RequestVote { last_log_index, last_log_term, .. } => {
                write!(f, " last {last_log_index}/{last_log_term}")
            }
            Self::RequestVoteResponse { granted: true, .. } => f.write_str(" granted"),
            Self::RequestVoteResponse { granted: false, .. } => f.write_str(" refused"),
            Self::AppendEntries { prev_log_index, prev_log_term, entries, leader_commit, .. } => {
                write!(f, " prev {prev_log_index}/{prev_log_term} +{} commit {leader_commit}", entries.len())
            }
            Self::AppendEntriesResponse { result, .. } => write!(f, " {result}"),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::{AppendResult, Conflict, Message, MessageKind};
    use crate::entry::{Entries, Entry};
    use crate::payload::Payload;
    use crate::types::{LogIndex, Term};

    fn append(entries: Vec<Entry>) -> Message {
        Message::AppendEntries {
            term: Term(3),
            prev_log_index: LogIndex(4),
            prev_log_term: Term(2),
            entries: Entries::from(entries),
            leader_commit: LogIndex(4),
        }
    }

    fn one_of_each() -> [Message; 5] {
        let term = Term(3);
        let conflict = Conflict { term: Some(Term(1)), index: LogIndex(2) };
        let rejected = AppendResult::Rejected { prev_log_index: LogIndex(4), conflict };
        let accepted = AppendResult::Accepted { match_index: LogIndex(5) };
        [
            Message::RequestVote { term, last_log_index: LogIndex(4), last_log_term: Term(2) },
            Message::RequestVoteResponse { term, granted: true },
            append(vec![Entry::command(term, Payload::from("x=1"))]),
            Message::AppendEntriesResponse { term, result: accepted },
            Message::AppendEntriesResponse { term, result: rejected },
        ]
    }

    #[test]
    fn a_message_is_at_most_64_bytes() {
        assert!(size_of::<Message>() <= 64, "{}", size_of::<Message>());
    }

    #[test]
    fn messages_read_well_in_a_trace() {
        assert_eq!(
            one_of_each().map(|message| message.to_string()),
            [
                "RequestVote t3 last 4/2",
                "RequestVoteResponse t3 granted",
                "AppendEntries t3 prev 4/2 +1 commit 4",
                "AppendEntriesResponse t3 match 5",
                "AppendEntriesResponse t3 rejected prev 4 conflict 2/1",
            ]
        );
        let too_short = Conflict { term: None, index: LogIndex(2) };
        assert_eq!(too_short.to_string(), "2/-");
    }

    #[test]
    fn a_message_knows_its_kind_and_term() {
        let kinds = one_of_each().map(|message| message.kind());
        assert_eq!(kinds[..4], MessageKind::ALL);
        assert!(one_of_each().iter().all(|message| message.term() == Term(3)));
        for (number, kind) in (0..).zip(MessageKind::ALL) {
            assert_eq!(kind as u8, number);
        }
    }

    #[test]
    fn a_message_grows_by_the_entries_it_carries() {
        let entry = Entry::command(Term(3), Payload::new(&[7; 5000]));
        let empty = append(vec![]).bytes();
        assert_eq!(append(vec![entry.clone(); 3]).bytes(), empty + 3 * entry.bytes());
    }
}
