//! What nodes say to each other: the calls of Raft (figures 2 and 13) and of its extensions (thesis §3.10,
//! §6.4, §9.6), and their answers, as one-way messages.
//!
//! Owns: their fields and their size. Must not know: who sends them, and when.

mod kind;
mod text;

pub use kind::MessageKind;

use std::sync::Arc;

use crate::entry::Entries;
use crate::payload::Payload;
use crate::storage::SnapshotMeta;
use crate::types::{LogIndex, ReadId, Term};

/// The round in the answer to a request of an earlier term. Rounds are counted anew in each term, from 1: were that
/// of the request said again, one who leads once more would take it for one of its own, and a read or a lease would
/// rest on a member that had answered what was sent in another term.
pub const ROUND_OVER: u64 = 0;

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
        /// Whether the leader itself asked the candidate to stand: then nobody protects that leader (thesis
        /// §4.2.3).
        forced: bool,
        /// The candidate's [`crate::Options::priority`].
        priority: i64,
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
        /// The round of this term in which the leader sends. It begins one with each heartbeat and each read,
        /// and with each member that joins: an answer to an earlier round than that is to somebody of before.
        round: u64,
    },
    /// The answer to [`Message::AppendEntries`].
    AppendEntriesResponse {
        /// The follower's term.
        term: Term,
        /// The round of the request: the leader of that term was still followed after the round began.
        /// [`ROUND_OVER`] if the request was of an earlier term.
        round: u64,
        /// Whether the follower votes for nobody within the shortest election timeout of hearing a leader,
        /// not even after a restart: only on such followers can a lease rest. False with [`ROUND_OVER`].
        holds: bool,
        /// Whether the log matched.
        result: AppendResult,
    },
    /// Somebody asks whether it would get a vote, before it stands (thesis §9.6). Changes nothing at the
    /// receiver.
    PreVote {
        /// The term in which the sender would stand, one after its own. Nobody adopts it.
        term: Term,
        /// The index of the sender's last entry.
        last_log_index: LogIndex,
        /// The term of the sender's last entry.
        last_log_term: Term,
        /// The sender's [`crate::Options::priority`].
        priority: i64,
    },
    /// The answer to [`Message::PreVote`].
    PreVoteResponse {
        /// If granted, the term that was asked for, which nobody adopts; else the refuser's own, which one
        /// who lags behind adopts: else the two could refuse each other for good (openraft #1796).
        term: Term,
        /// Whether the sender would vote so.
        granted: bool,
    },
    /// A leader sends a part of a snapshot to one who lacks what the leader's log no longer has (Raft §7).
    InstallSnapshot {
        /// The leader's term.
        term: Term,
        /// As in AppendEntries.
        round: u64,
        /// Which snapshot.
        meta: Arc<SnapshotMeta>,
        /// Where in the snapshot's bytes the part begins.
        offset: u64,
        /// How many bytes the snapshot has.
        total: u64,
        /// The part.
        chunk: Payload,
    },
    /// The answer to [`Message::InstallSnapshot`].
    InstallSnapshotResponse {
        /// The follower's term.
        term: Term,
        /// As in AppendEntriesResponse.
        round: u64,
        /// The index of the snapshot that was sent.
        index: LogIndex,
        /// How many bytes of it the follower has, from the first on: where to go on.
        received: u64,
        /// Whether the follower needs no more: all up to `index` is durable there.
        done: bool,
    },
    /// A leader asks a follower to stand at once, for it has the leader's whole log (thesis §3.10).
    TimeoutNow {
        /// The leader's term.
        term: Term,
    },
    /// A follower asks the leader for a read index (thesis §6.4).
    ReadIndex {
        /// The follower's term.
        term: Term,
        /// Which read.
        id: ReadId,
    },
    /// The answer to [`Message::ReadIndex`].
    ReadIndexResponse {
        /// The sender's term.
        term: Term,
        /// Which read.
        id: ReadId,
        /// From what applied index on the read may be served; none if the sender cannot tell.
        index: Option<LogIndex>,
    },
    /// A follower hands a command on to the leader.
    Forward {
        /// The follower's term: a leader of another one drops the command.
        term: Term,
        /// The command.
        payload: Payload,
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

impl Message {
    /// The sender's term when it made the message; the one after it in a PreVote and a PreVoteResponse that
    /// grants.
    #[inline]
    #[must_use]
    pub const fn term(&self) -> Term {
        match self {
            Self::RequestVote { term, .. }
            | Self::RequestVoteResponse { term, .. }
            | Self::AppendEntries { term, .. }
            | Self::AppendEntriesResponse { term, .. }
            | Self::PreVote { term, .. }
            | Self::PreVoteResponse { term, .. }
            | Self::InstallSnapshot { term, .. }
            | Self::InstallSnapshotResponse { term, .. }
            | Self::TimeoutNow { term }
            | Self::ReadIndex { term, .. }
            | Self::ReadIndexResponse { term, .. }
            | Self::Forward { term, .. } => *term,
        }
    }

    /// Which of the messages this is.
    #[inline]
    #[must_use]
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::RequestVote { .. } => MessageKind::RequestVote,
            Self::RequestVoteResponse { .. } => MessageKind::RequestVoteResponse,
            Self::AppendEntries { .. } => MessageKind::AppendEntries,
            Self::AppendEntriesResponse { .. } => MessageKind::AppendEntriesResponse,
            Self::PreVote { .. } => MessageKind::PreVote,
            Self::PreVoteResponse { .. } => MessageKind::PreVoteResponse,
            Self::InstallSnapshot { .. } => MessageKind::InstallSnapshot,
            Self::InstallSnapshotResponse { .. } => MessageKind::InstallSnapshotResponse,
            Self::TimeoutNow { .. } => MessageKind::TimeoutNow,
            Self::ReadIndex { .. } => MessageKind::ReadIndex,
            Self::ReadIndexResponse { .. } => MessageKind::ReadIndexResponse,
            Self::Forward { .. } => MessageKind::Forward,
        }
    }

    /// Whether the receiver is to adopt the message's term if it is later than its own: a term in which
    /// somebody only might stand is nobody's yet (thesis §9.6).
    pub(crate) const fn is_of_its_term(&self) -> bool {
        !matches!(self, Self::PreVote { .. } | Self::PreVoteResponse { granted: true, .. })
    }

    /// An estimate of the size on a wire, in bytes: a kind of 1, numbers of 8, flags of 1, counts of 4, and
    /// what is carried; saturates.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> u32 {
        if let Self::AppendEntries { entries, .. } = self {
            sum(&[45, crate::entry::bytes(entries.as_slice())])
        } else if let Self::AppendEntriesResponse { result, .. } = self {
            match result {
                AppendResult::Accepted { .. } => 27,
                AppendResult::Rejected { .. } => 44,
            }
        } else {
            self.other_bytes()
        }
    }

    fn other_bytes(&self) -> u32 {
        match self {
            Self::RequestVote { .. } => 34,
            Self::RequestVoteResponse { .. } | Self::PreVoteResponse { .. } => 10,
            Self::AppendEntries { .. } | Self::AppendEntriesResponse { .. } => {
                unreachable!("what is sent all the time was measured before")
            }
            Self::PreVote { .. } => 33,
            Self::InstallSnapshot { meta, chunk, .. } => {
                sum(&[53, meta.membership.encoded_len(), chunk.len()])
            }
            Self::InstallSnapshotResponse { .. } => 34,
            Self::TimeoutNow { .. } => 9,
            Self::ReadIndex { .. } => 17,
            Self::ReadIndexResponse { .. } => 26,
            Self::Forward { payload, .. } => sum(&[13, payload.len()]),
        }
    }
}

fn sum(lengths: &[usize]) -> u32 {
    let sum = lengths.iter().fold(0_usize, |sum, len| sum.saturating_add(*len));
    u32::try_from(sum).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{AppendResult, Conflict, Message, MessageKind};
    use crate::entry::{Entries, Entry};
    use crate::membership::Membership;
    use crate::payload::Payload;
    use crate::storage::SnapshotMeta;
    use crate::types::{LogIndex, ReadId, Term};

    fn append(entries: Vec<Entry>) -> Message {
        Message::AppendEntries {
            term: Term(3),
            prev_log_index: LogIndex(4),
            prev_log_term: Term(2),
            entries: Entries::from(entries),
            leader_commit: LogIndex(4),
            round: 7,
        }
    }

    fn install(chunk: &[u8]) -> Message {
        let membership = Arc::new(Membership::default());
        let meta = Arc::new(SnapshotMeta { index: LogIndex(4), term: Term(2), membership });
        let chunk = Payload::new(chunk);
        Message::InstallSnapshot { term: Term(3), round: 7, meta, offset: 2, total: 9, chunk }
    }

    fn one_of_each() -> [Message; 15] {
        let (term, id) = (Term(3), ReadId(8));
        let (last_log_index, last_log_term) = (LogIndex(4), Term(2));
        let conflict = Conflict { term: Some(Term(1)), index: LogIndex(2) };
        let rejected = AppendResult::Rejected { prev_log_index: LogIndex(4), conflict };
        let accepted = AppendResult::Accepted { match_index: LogIndex(5) };
        let answer = |result| Message::AppendEntriesResponse { term, round: 7, holds: false, result };
        let received =
            |done| Message::InstallSnapshotResponse { term, round: 7, index: LogIndex(4), received: 5, done };
        [
            Message::RequestVote { term, last_log_index, last_log_term, forced: true, priority: 0 },
            Message::RequestVoteResponse { term, granted: true },
            append(vec![Entry::command(term, Payload::from("x=1"))]),
            answer(accepted),
            Message::PreVote { term, last_log_index, last_log_term, priority: -2 },
            Message::PreVoteResponse { term, granted: false },
            install(b"abc"),
            received(false),
            Message::TimeoutNow { term },
            Message::ReadIndex { term, id },
            Message::ReadIndexResponse { term, id, index: Some(LogIndex(4)) },
            Message::Forward { term, payload: Payload::from("x=1") },
            answer(rejected),
            received(true),
            Message::ReadIndexResponse { term, id, index: None },
        ]
    }

    #[test]
    fn a_message_is_at_most_72_bytes() {
        assert!(size_of::<Message>() <= 72, "{}", size_of::<Message>());
    }

    #[test]
    fn messages_read_well_in_a_trace() {
        assert_eq!(
            one_of_each().map(|message| message.to_string()),
            [
                "RequestVote t3 last 4/2 forced",
                "RequestVoteResponse t3 granted",
                "AppendEntries t3 prev 4/2 +1 commit 4",
                "AppendEntriesResponse t3 match 5",
                "PreVote t3 last 4/2 priority -2",
                "PreVoteResponse t3 refused",
                "InstallSnapshot t3 snapshot 4/2 bytes 2+3/9",
                "InstallSnapshotResponse t3 snapshot 4 received 5",
                "TimeoutNow t3",
                "ReadIndex t3 read 8",
                "ReadIndexResponse t3 read 8 at 4",
                "Forward t3 \"x=1\"",
                "AppendEntriesResponse t3 rejected prev 4 conflict 2/1",
                "InstallSnapshotResponse t3 snapshot 4 done",
                "ReadIndexResponse t3 read 8 refused",
            ]
        );
        let too_short = Conflict { term: None, index: LogIndex(2) };
        assert_eq!(too_short.to_string(), "2/-");
    }

    #[test]
    fn a_message_knows_its_kind_and_term() {
        let kinds = one_of_each().map(|message| message.kind());
        assert_eq!(kinds[..12], MessageKind::ALL);
        assert!(one_of_each().iter().all(|message| message.term() == Term(3)));
        for (number, kind) in (0..).zip(MessageKind::ALL) {
            assert_eq!(kind as u8, number);
        }
    }

    #[test]
    fn a_message_grows_by_what_it_carries() {
        let entry = Entry::command(Term(3), Payload::new(&[7; 5000]));
        let empty = append(vec![]).bytes();
        assert_eq!(append(vec![entry.clone(); 3]).bytes(), empty + 3 * entry.bytes());
        assert_eq!(install(&[1; 300]).bytes(), install(&[]).bytes() + 300);
    }
}
