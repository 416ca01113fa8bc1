//! The kinds of message, without what they carry.
//!
//! Owns: their names and numbers. Must not know: fields.

use core::fmt;

/// The kinds of message, in the order of [`super::Message`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum MessageKind {
    /// [`super::Message::RequestVote`].
    RequestVote,
    /// [`super::Message::RequestVoteResponse`].
    RequestVoteResponse,
    /// [`super::Message::AppendEntries`].
    AppendEntries,
    /// [`super::Message::AppendEntriesResponse`].
    AppendEntriesResponse,
    /// [`super::Message::PreVote`].
    PreVote,
    /// [`super::Message::PreVoteResponse`].
    PreVoteResponse,
    /// [`super::Message::InstallSnapshot`].
    InstallSnapshot,
    /// [`super::Message::InstallSnapshotResponse`].
    InstallSnapshotResponse,
    /// [`super::Message::TimeoutNow`].
    TimeoutNow,
    /// [`super::Message::ReadIndex`].
    ReadIndex,
    /// [`super::Message::ReadIndexResponse`].
    ReadIndexResponse,
    /// [`super::Message::Forward`].
    Forward,
}

impl MessageKind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [Self; 12] = [
        Self::RequestVote,
        Self::RequestVoteResponse,
        Self::AppendEntries,
        Self::AppendEntriesResponse,
        Self::PreVote,
        Self::PreVoteResponse,
        Self::InstallSnapshot,
        Self::InstallSnapshotResponse,
        Self::TimeoutNow,
        Self::ReadIndex,
        Self::ReadIndexResponse,
        Self::Forward,
    ];

    /// The kind's name as the paper or the thesis spells it.
    #[inline]
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RequestVote => "RequestVote",
            Self::RequestVoteResponse => "RequestVoteResponse",
            Self::AppendEntries => "AppendEntries",
            Self::AppendEntriesResponse => "AppendEntriesResponse",
            Self::PreVote => "PreVote",
            Self::PreVoteResponse => "PreVoteResponse",
            Self::InstallSnapshot => "InstallSnapshot",
            Self::InstallSnapshotResponse => "InstallSnapshotResponse",
            Self::TimeoutNow => "TimeoutNow",
            Self::ReadIndex => "ReadIndex",
            Self::ReadIndexResponse => "ReadIndexResponse",
            Self::Forward => "Forward",
        }
    }
}

impl fmt::Display for MessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
