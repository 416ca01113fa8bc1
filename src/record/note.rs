//! What a process tells of itself, at the moment it happens.

use crate::record::{Call, Hash64, Members, ReadKind, Return, Role};
use serde::{Deserialize, Serialize};
use sim_core::{Digest, Encode, ProcessId, WriteId};

/// What a node notes about itself, at the moment it happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// It took up work with this state, read back from its disk. Comes right after `Booted`.
    Recovered {
        /// The term it starts in.
        term: u64,
        /// The vote it remembers having given in that term.
        vote: Option<ProcessId>,
        /// The last index of its log.
        last_index: u64,
        /// The hash of its log up to there (see [`Hash64::then`]; 0 for an empty log).
        last_hash: Hash64,
        /// The snapshot that it starts from, if it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        snapshot: Option<Box<SnapshotFacts>>,
    },
    /// It changed its role.
    Role {
        /// The new role.
        role: Role,
        /// In this term.
        term: u64,
    },
    /// It moved to a new term, in memory. Its vote is forgotten with the old one.
    Term {
        /// The new term.
        term: u64,
    },
    /// It gave its vote, in memory.
    Vote {
        /// In this term.
        term: u64,
        /// To this node.
        candidate: ProcessId,
    },
    /// It appended an entry to its log, in memory.
    Append {
        /// At this index.
        index: u64,
        /// With this term.
        term: u64,
        /// The hash of its command.
        command: Hash64,
    },
    /// It removed the end of its log, in memory.
    Truncate {
        /// The first index removed.
        from: u64,
    },
    /// It issued a write. Once `WriteDurable` tells of it, a crash does not lose it.
    Persist {
        /// The write.
        write: WriteId,
        /// The term and vote written, if any.
        hard: Option<(u64, Option<ProcessId>)>,
        /// The part of the log written: first index, and how many entries of the log as it is in memory now. What
        /// was durable from the first index on is replaced.
        log: Option<(u64, u64)>,
    },
    /// It knows entries to be committed.
    Commit {
        /// Up to this index.
        index: u64,
    },
    /// It applied an entry to its state machine.
    Apply {
        /// The entry's index.
        index: u64,
        /// The entry's term.
        term: u64,
        /// The hash of its command.
        command: Hash64,
        /// The hash of the state machine after it.
        state: Hash64,
        /// What it did.
        effect: Effect,
    },
    /// A client handed it a command.
    Proposed {
        /// The hash of the command.
        command: Hash64,
        /// The command, as a person would write it.
        text: Box<str>,
    },
    /// It took a client's command into its log.
    Accepted {
        /// At this index.
        index: u64,
        /// In this term.
        term: u64,
    },
    /// It refused a client's command.
    Refused {
        /// The node that it thinks leads.
        leader: Option<ProcessId>,
        /// Why.
        why: Refusal,
    },
    /// It handed a client's command on to the leader.
    Forwarded {
        /// The leader, as far as it knows.
        to: ProcessId,
    },
    /// This configuration is in force for it now: because it began with it, appended it, went back to it when it removed
    /// a later one, or got it with a snapshot.
    Members {
        /// The index of the entry that holds it; 0 for the one that the cluster began with.
        index: u64,
        /// The configuration.
        members: Box<Members>,
    },
    /// It took a snapshot of its state machine, in memory.
    Snapshot(Box<SnapshotFacts>),
    /// It replaced its state by a snapshot that its leader sent, in memory. Its log up to there is gone, and after there
    /// too, unless it had the snapshot's last entry.
    Installed(Box<SnapshotFacts>),
    /// The write that it just issued holds the snapshot that it last took or installed.
    PersistSnapshot {
        /// The write.
        write: WriteId,
        /// The last index that the snapshot covers.
        index: u64,
    },
    /// It dropped the beginning of its log, in memory: a snapshot covers it.
    Compacted {
        /// The last index dropped.
        base: u64,
    },
    /// The write that it just issued drops the beginning of the log on its disk.
    PersistCompacted {
        /// The write.
        write: WriteId,
        /// The last index dropped.
        base: u64,
    },
    /// Somebody asked it for a read that bypasses the log.
    ReadAsked {
        /// Its name of the read, for this life.
        read: u64,
        /// How it is to be served.
        kind: ReadKind,
    },
    /// It may serve the read from a state that covers this index.
    ReadReady {
        /// Its name of the read.
        read: u64,
        /// The index.
        index: u64,
    },
    /// It will not serve the read.
    ReadRefused {
        /// Its name of the read.
        read: u64,
    },
    /// Its disk failed it. It has stopped.
    StorageFailed {
        /// What failed, in a sentence.
        what: Box<str>,
    },
    /// Its disk holds what it cannot trust. It has not started.
    StorageCorrupt {
        /// What is wrong, in a sentence.
        what: Box<str>,
    },
    /// Its disk held what a crash had left half done, or a rotten byte of which there was another copy. It mends it: what it
    /// says next that it found, beyond what was durable before, is durable by this write and no earlier.
    Mending {
        /// The write.
        write: WriteId,
        /// How many bytes it cuts off: nobody was told that they are durable.
        cut_bytes: u64,
        /// How many writes it reads from their second copy.
        repaired_frames: u64,
    },
    /// A client calls.
    Call(Box<Call>),
    /// The open call of a client goes through the log, as this command. Retries are the same command.
    Submitted {
        /// The client's name in the history.
        client: u64,
        /// Which of the client's calls it is.
        number: u64,
        /// The hash of the command.
        command: Hash64,
    },
    /// A client's call comes back, or is given up.
    Return(Box<Return>),
}

/// What a snapshot says that it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotFacts {
    /// The last index that it covers.
    pub index: u64,
    /// The term of the entry there.
    pub term: u64,
    /// The hash of the log up to there.
    pub log: Hash64,
    /// The hash of the state machine.
    pub state: Hash64,
    /// The configuration in force there.
    pub members: Members,
}

/// What an entry did to the state machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It is nothing that the machine understands: it was carried along.
    Carried,
    /// A client's command had its effect, now.
    Done,
    /// A client's command had had its effect before: the client was given the same answer again.
    Repeated,
    /// A client's command came too late to have an effect: its session has moved on, or is over.
    Ignored,
}

/// Why a command was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The node does not lead.
    NotLeader,
    /// The node is handing over its leadership.
    Transferring,
    /// Too much is waiting to be committed.
    TooMuchUncommitted,
    /// A change of the configuration is under way.
    ChangePending,
    /// The leader has not committed anything in its term.
    NoCommitInTerm,
    /// There can be no such change.
    BadChange,
    /// There is nobody, or nothing, to do it with.
    Impossible,
}

impl Encode for SnapshotFacts {
    fn encode(&self, digest: &mut Digest) {
        digest.pair(self.index, self.term);
        digest.pair(self.log.0, self.state.0);
        self.members.encode(digest);
    }
}

impl Encode for Note {
    #[inline(always)]
    fn encode(&self, digest: &mut Digest) {
        let some = |process: Option<ProcessId>| process.map_or(0, |p| u64::from(p.0) + 1);
        match self {
            Self::Role { role, term } => digest.pair(1 | (*role as u64) << 8, *term),
            Self::Term { term } => digest.pair(2, *term),
            Self::Vote { term, candidate } => digest.pair(3 | u64::from(candidate.0) << 8, *term),
            Self::Append { index, term, command } => {
                digest.pair(4 | index << 8, *term);
                digest.word(command.0);
            }
            Self::Truncate { from } => digest.pair(5, *from),
            Self::Persist { write, hard, log } => {
                let flags = u64::from(hard.is_some()) | u64::from(log.is_some()) << 1;
                digest.pair(6 | flags << 8, write.0);
                if let Some((term, vote)) = hard {
                    digest.pair(*term, some(*vote));
                }
                if let Some((first, count)) = log {
                    digest.pair(*first, *count);
                }
            }
            Self::Commit { index } => digest.pair(7, *index),
            Self::Apply { index, term, command, state, effect } => {
                digest.pair(8 | index << 8 | (*effect as u64) << 60, *term);
                digest.pair(command.0, state.0);
            }
            Self::Proposed { command, text } => {
                digest.pair(9, command.0);
                digest.text(text);
            }
            Self::Accepted { index, term } => digest.pair(10 | index << 8, *term),
            Self::Refused { leader, why } => digest.pair(11 | (*why as u64) << 8, some(*leader)),
            Self::Recovered { .. }
            | Self::Forwarded { .. }
            | Self::Members { .. }
            | Self::Snapshot(_)
            | Self::Installed(_)
            | Self::PersistSnapshot { .. }
            | Self::Compacted { .. }
            | Self::PersistCompacted { .. }
            | Self::ReadAsked { .. }
            | Self::ReadReady { .. }
            | Self::ReadRefused { .. }
            | Self::StorageFailed { .. }
            | Self::StorageCorrupt { .. }
            | Self::Call(_)
            | Self::Submitted { .. }
            | Self::Mending { .. }
            | Self::Return(_) => self.encode_rare(digest),
        }
    }

    #[inline(always)]
    fn owns_nothing(&self) -> bool {
        matches!(self, Self::Append { .. } | Self::Persist { .. } | Self::Commit { .. } | Self::Apply { .. })
    }
}

impl Note {
    /// The encoding of what is not noted all the time, apart from the hot loop. The numbers are those of `encode`.
    #[cold]
    #[inline(never)]
    fn encode_rare(&self, digest: &mut Digest) {
        match self {
            Self::Recovered { term, vote, last_index, last_hash, snapshot } => {
                digest.pair(
                    vote.map_or(0, |p| u64::from(p.0) + 1) << 8 | u64::from(snapshot.is_some()) << 40,
                    *term,
                );
                digest.pair(*last_index, last_hash.0);
                if let Some(snapshot) = snapshot {
                    snapshot.encode(digest);
                }
            }
            Self::Forwarded { to } => digest.pair(12, u64::from(to.0)),
            Self::Members { index, members } => {
                digest.pair(13, *index);
                members.encode(digest);
            }
            Self::Snapshot(facts) => {
                digest.word(14);
                facts.encode(digest);
            }
            Self::Installed(facts) => {
                digest.word(15);
                facts.encode(digest);
            }
            Self::PersistSnapshot { write, index } => {
                digest.pair(16, write.0);
                digest.word(*index);
            }
            Self::Compacted { base } => digest.pair(17, *base),
            Self::PersistCompacted { write, base } => {
                digest.pair(18, write.0);
                digest.word(*base);
            }
            Self::ReadAsked { read, kind } => digest.pair(19 | (*kind as u64) << 8, *read),
            Self::ReadReady { read, index } => {
                digest.pair(20, *read);
                digest.word(*index);
            }
            Self::ReadRefused { read } => digest.pair(21, *read),
            Self::StorageFailed { what } => {
                digest.word(22);
                digest.text(what);
            }
            Self::StorageCorrupt { what } => {
                digest.word(27);
                digest.text(what);
            }
            Self::Call(call) => {
                digest.word(23);
                call.encode(digest);
            }
            Self::Return(back) => {
                digest.word(24);
                back.encode(digest);
            }
            Self::Submitted { client, number, command } => {
                digest.pair(25 | client << 8, *number);
                digest.word(command.0);
            }
            Self::Mending { write, cut_bytes, repaired_frames } => {
                digest.pair(26, write.0);
                digest.pair(*cut_bytes, *repaired_frames);
            }
            Self::Role { .. }
            | Self::Term { .. }
            | Self::Vote { .. }
            | Self::Append { .. }
            | Self::Truncate { .. }
            | Self::Persist { .. }
            | Self::Commit { .. }
            | Self::Apply { .. }
            | Self::Proposed { .. }
            | Self::Accepted { .. }
            | Self::Refused { .. } => unreachable!("`encode` knows what is noted all the time"),
        }
    }
}
