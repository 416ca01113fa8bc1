//! The leader's side of replication: what it sends (Raft §5.3). What it makes of the answers is in `answer`.

use std::sync::Arc;

use super::RaftNode;
use crate::config::Options;
use crate::entry::{Entries, Entry, EntryKind};
use crate::log::Log;
use crate::message::Message;
use crate::payload::Payload;
use crate::progress::{InFlightMax, Pace, Progress};
use crate::role::{Leader, Role};
use crate::roster::Roster;
use crate::step::{Output, Outputs, Timer};
use crate::storage::Snapshot;
use crate::types::{LogIndex, NodeId, Term};

impl RaftNode {
    /// A quorum has voted for this node.
    pub(super) fn become_leader(&mut self, out: &mut Outputs) {
        let mut leader = Leader::new(self.roster.len(), self.log.last_index(), self.now);
        if let Some(own) = self.position {
            leader.progress[own].matched = self.durability.log_durable();
        }
        self.set_role(Role::Leader(leader), out);
        if mutant!(self, LeaderDropsUncommitted) {
            self.truncate(self.commit.next(), out);
        }
        self.begin_round();
        if self.options.noop_on_election {
            self.append(Entries::One(Entry { term: self.hard.term, kind: EntryKind::Noop }), out);
        }
        self.broadcast(out, |_| Some(Content::Entries));
        // An earlier leader may have left a joint membership committed and not left.
        self.settle_membership(out);
    }

    pub(super) fn on_heartbeat_timeout(&mut self, out: &mut Outputs) {
        if !matches!(self.role, Role::Leader(_)) || !self.is_still_followed(out) {
            return;
        }
        out.push(Output::RearmTimer(Timer::Heartbeat));
        self.go_on_transferring(out);
        self.begin_round();
        self.broadcast(out, |progress| match progress.pace {
            Pace::Probe => Some(Content::Entries),
            Pace::Replicate => Some(Content::Nothing),
            Pace::Snapshot => Some(Content::Again),
        });
        self.round_answered(out);
    }

    pub(super) fn on_unreachable(&mut self, id: NodeId) {
        let Some(position) = self.roster.position(id) else { return };
        let Some((_, others)) = self.replication() else { return };
        let progress = &mut others[position];
        if progress.pace == Pace::Replicate {
            progress.probe_at(progress.matched.next());
        }
    }

    /// Sends to each other member what `content` says, if anything.
    #[inline]
    pub(super) fn broadcast(&mut self, out: &mut Outputs, content: impl Fn(&Progress) -> Option<Content>) {
        let Some((sender, others)) = self.replication() else { return };
        for (position, progress) in others.iter_mut().enumerate() {
            if sender.roster.ids()[position] != sender.id
                && let Some(content) = content(progress)
            {
                sender.send(position, progress, content, out);
            }
        }
    }

    /// A leader's means to send, and what it knows of whom: the two are used together. None if the node does
    /// not lead.
    #[inline]
    pub(super) fn replication(&mut self) -> Option<(Sender<'_>, &mut [Progress])> {
        let Self { id, options, roster, hard, log, role, commit, snapshot, .. } = self;
        let Role::Leader(leader) = role else { return None };
        let sender = Sender {
            id: *id,
            roster,
            term: hard.term,
            commit: *commit,
            round: leader.round,
            log,
            snapshot: snapshot.as_ref(),
            options,
        };
        Some((sender, &mut leader.progress))
    }
}

/// What a message is to carry.
#[derive(Clone, Copy)]
pub(super) enum Content {
    Nothing,
    /// What the other lacks, as far as the leader knows, a message holds, and the bounds let. Not for one who
    /// gets a snapshot.
    Entries,
    /// Nothing, and the part of the snapshot that has not been answered.
    Again,
}

/// What a leader needs to make a message, besides what it knows of the other.
pub(super) struct Sender<'a> {
    pub(super) id: NodeId,
    pub(super) roster: &'a Roster,
    pub(super) term: Term,
    pub(super) commit: LogIndex,
    pub(super) round: u64,
    pub(super) log: &'a Log,
    snapshot: Option<&'a Arc<Snapshot>>,
    options: &'a Options,
}

impl Sender<'_> {
    #[inline]
    pub(super) fn send(&self, position: usize, progress: &mut Progress, content: Content, out: &mut Outputs) {
        let prev = progress.next.prev();
        let Some(prev_term) = self.term_at(prev, progress) else {
            return self.begin_snapshot(position, progress, out);
        };
        let entries = match content {
            Content::Nothing => Entries::None,
            Content::Entries
                if progress.pace == Pace::Replicate && !progress.has_room(self.in_flight_max()) =>
            {
                return;
            }
            Content::Entries => self.run(progress.next),
            Content::Again => {
                self.send_part(position, progress, out);
                Entries::None
            }
        };
        if progress.pace == Pace::Replicate {
            progress.next = progress.next.advanced_by(entries.len());
            if self.in_flight_max().is_bound() && !entries.is_empty() {
                progress.sent(progress.next.prev(), bytes(&entries));
            }
        }
        self.append(self.roster.ids()[position], (prev, prev_term), entries, out);
    }

    /// Sends all that the other lacks and the bounds let; without bounds, one message of it.
    #[inline]
    pub(super) fn catch_up(&self, position: usize, progress: &mut Progress, out: &mut Outputs) {
        let max = self.in_flight_max();
        if progress.matched == self.log.last_index() {
            progress.caught_up();
        }
        while progress.pace == Pace::Replicate && progress.next <= self.log.last_index() {
            self.send(position, progress, Content::Entries, out);
            if !max.is_bound() || !progress.has_room(max) {
                return;
            }
        }
    }

    pub(super) fn append(
        &self,
        to: NodeId,
        (prev_log_index, prev_log_term): (LogIndex, Term),
        entries: Entries,
        out: &mut Outputs,
    ) {
        let (term, leader_commit, round) = (self.term, self.commit, self.round);
        let message =
            Message::AppendEntries { term, prev_log_index, prev_log_term, entries, leader_commit, round };
        out.push(Output::Send { to, message });
    }

    /// What one message may carry from `first` on.
    #[inline]
    pub(super) fn run(&self, first: LogIndex) -> Entries {
        let max = usize::try_from(self.options.entries_per_append_max).unwrap_or(usize::MAX);
        match self.options.bytes_per_append_max {
            0 => self.log.run(first, max),
            bytes => self.log.run_of_bytes(first, max, bytes),
        }
    }

    /// The term at the place before what the other lacks; none if only a snapshot holds that.
    #[inline]
    fn term_at(&self, prev: LogIndex, progress: &Progress) -> Option<Term> {
        match &progress.transfer {
            Some(transfer) => Some(transfer.meta.term),
            None => self.log.term_at(prev),
        }
    }

    #[inline]
    fn in_flight_max(&self) -> InFlightMax {
        let Options { in_flight_messages_max, in_flight_bytes_max, .. } = self.options;
        InFlightMax { messages: *in_flight_messages_max, bytes: *in_flight_bytes_max }
    }

    /// Sends the first part of the latest snapshot.
    pub(super) fn begin_snapshot(&self, position: usize, progress: &mut Progress, out: &mut Outputs) {
        // A log whose beginning is gone has a snapshot in its place.
        let Some(snapshot) = self.snapshot else { return };
        progress.send_snapshot(snapshot);
        self.send_part(position, progress, out);
    }

    /// Sends the part of the snapshot that is on its way, for the first time or again.
    pub(super) fn send_part(&self, position: usize, progress: &Progress, out: &mut Outputs) {
        let Some(transfer) = &progress.transfer else { return };
        if mutant!(self, SnapshotNotSent) {
            return;
        }
        let data = &transfer.snapshot.data;
        let start = usize::try_from(transfer.offset).unwrap_or(usize::MAX).min(data.len());
        let len = usize::try_from(self.options.snapshot_chunk_bytes).unwrap_or(usize::MAX);
        let chunk = &data[start..data.len().min(start.saturating_add(len))];
        let message = Message::InstallSnapshot {
            term: self.term,
            round: self.round,
            meta: Arc::clone(&transfer.meta),
            offset: transfer.offset,
            total: data.len() as u64,
            chunk: Payload::new(chunk),
        };
        out.push(Output::Send { to: self.roster.ids()[position], message });
    }
}

fn bytes(entries: &Entries) -> u64 {
    entries.as_slice().iter().fold(0, |sum, entry| sum + u64::from(entry.bytes()))
}
