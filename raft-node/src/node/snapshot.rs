//! Snapshots: taking one, compacting behind it, sending it, installing another's (Raft §7).

use std::sync::Arc;

use super::RaftNode;
use crate::memberships::Memberships;
use crate::message::{Message, ROUND_OVER};
use crate::payload::Payload;
use crate::progress::Pace;
use crate::step::{Event, Output, Outputs, Refusal};
use crate::storage::{Snapshot, SnapshotMeta};
use crate::types::{LogIndex, NodeId, Term};

/// A snapshot of which parts have come. They are of one leader: another one's snapshot of the same index may
/// have other bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Incoming {
    from: NodeId,
    term: Term,
    meta: Arc<SnapshotMeta>,
    total: u64,
    bytes: Vec<u8>,
}

impl RaftNode {
    /// The host has written down its state machine as of `index`.
    pub(super) fn on_snapshot(&mut self, index: LogIndex, data: Arc<[u8]>, out: &mut Outputs) {
        let newest = self.snapshot.as_ref().map_or(LogIndex::ZERO, |snapshot| snapshot.index);
        let (Some(term), true) = (self.log.term_at(index), index > newest && index <= self.applied) else {
            return;
        };
        let of = if mutant!(self, SnapshotOfLatestMembers) { self.memberships.index() } else { index };
        let membership = Arc::clone(self.memberships.at(of));
        // One who has joined may not know yet who belonged to the cluster then, and must not tell others that
        // nobody did.
        if membership.is_empty() {
            return;
        }
        let snapshot = Arc::new(Snapshot { index, term, membership, data });
        self.snapshot = Some(Arc::clone(&snapshot));
        self.durability.snapshot_taken(snapshot);
        out.push(Output::Event(Event::SnapshotTaken { index, term }));
        self.on_compact(self.options.snapshot_keep, out);
    }

    /// The log is to be short, but goes only when what replaces it cannot be lost.
    pub(super) fn on_compact(&mut self, keep: u64, out: &mut Outputs) {
        let Some(newest) = self.snapshot.as_ref().map(|snapshot| snapshot.index) else { return };
        let base = LogIndex(newest.0.saturating_sub(keep));
        let base = if mutant!(self, CompactedBeyondSnapshot) { self.applied } else { base };
        let promised = self.compactions.back().map_or_else(|| self.log.base().0, |(_, base)| *base);
        if base <= promised {
            return;
        }
        let write = self.durability.newest_write();
        if self.durability.is_done(write) {
            self.compact(base, out);
        } else {
            // Not in the place of the one before: were snapshots taken faster than they become durable, nothing would ever go.
            self.compactions.push_back((write, base));
        }
    }

    /// The snapshot is durable that holds all up to `base`.
    #[cold]
    pub(super) fn compact(&mut self, base: LogIndex, out: &mut Outputs) {
        if base > self.log.base().0 && self.log.term_at(base).is_some() {
            self.log.compact(base);
            self.memberships.compact(base);
            self.durability.log_compacted(base);
            out.push(Output::Event(Event::Compacted { base }));
        }
    }

    pub(super) fn on_send_snapshot(&mut self, to: NodeId, out: &mut Outputs) {
        let reason = match (self.leading(), self.roster.position(to)) {
            (Err(reason), _) => reason,
            (Ok(_), Some(position)) if to != self.id => {
                let has_snapshot = self.snapshot.is_some();
                let Some((sender, others)) = self.replication() else { return };
                if has_snapshot {
                    return sender.begin_snapshot(position, &mut others[position], out);
                }
                Refusal::NoSnapshot
            }
            (Ok(_), _) => Refusal::NotAMember(to),
        };
        out.push(Output::Refused { reason });
    }

    /// A part of a snapshot has come.
    pub(super) fn on_install_snapshot(
        &mut self,
        from: NodeId,
        term: Term,
        round: u64,
        part: (Arc<SnapshotMeta>, u64, u64, Payload),
        out: &mut Outputs,
    ) {
        let (meta, offset, total, chunk) = part;
        let index = meta.index;
        let is_over = term < self.hard.term;
        let (received, done) = if is_over {
            (0, false)
        } else if !self.recognise(from, out) {
            return;
        } else if self.log.term_at(index) == Some(meta.term)
            || (index <= self.commit && !mutant!(self, OldSnapshotInstalled))
        {
            // What a snapshot holds is committed, and here it is already (etcd
            // `snapshot_succeed_via_app_resp`). A newer one that is coming in goes on.
            self.incoming.take_if(|incoming| incoming.meta.index <= index);
            self.commit_to(index.min(self.log.last_index()), out);
            (total, true)
        } else {
            self.receive(from, meta, offset, total, &chunk, out)
        };
        let (term, round) = (self.hard.term, if is_over { ROUND_OVER } else { round });
        let answer = Message::InstallSnapshotResponse { term, round, index, received, done };
        self.durability.promise(from, answer, out);
    }

    /// Adds a part to those that have come, if it is the next one. Returns how many bytes there are, and
    /// whether that is all.
    fn receive(
        &mut self,
        from: NodeId,
        meta: Arc<SnapshotMeta>,
        offset: u64,
        total: u64,
        chunk: &Payload,
        out: &mut Outputs,
    ) -> (u64, bool) {
        let term = self.hard.term;
        let goes_on = |incoming: &Incoming| {
            (incoming.from, incoming.term, &incoming.meta, incoming.total) == (from, term, &meta, total)
        };
        if !self.incoming.as_ref().is_some_and(goes_on) {
            self.incoming = Some(Incoming { from, term, meta, total, bytes: Vec::new() });
        }
        let Some(incoming) = &mut self.incoming else { return (0, false) };
        let received = incoming.bytes.len() as u64;
        if (received == offset || mutant!(self, PartsInAnyOrder)) && (chunk.len() as u64) <= total - received
        {
            incoming.bytes.extend_from_slice(chunk.as_slice());
        }
        let received = incoming.bytes.len() as u64;
        if received < total {
            return (received, false);
        }
        if let Some(Incoming { meta, bytes, .. }) = self.incoming.take() {
            self.install(&meta, bytes, out);
        }
        (total, true)
    }

    /// Takes a snapshot in the place of the log, which lacks its last entry: what else there is conflicts
    /// with it, or is nothing.
    fn install(&mut self, meta: &SnapshotMeta, bytes: Vec<u8>, out: &mut Outputs) {
        let SnapshotMeta { index, term, membership } = meta.clone();
        let agreed = match mutant!(self, TailSurvivesInstall) {
            true => self.log.last_index(),
            false => self.commit.min(self.log.last_index()),
        };
        if agreed < self.log.last_index() {
            out.push(Output::Event(Event::Truncated { from: agreed.next() }));
        }
        let snapshot = Arc::new(Snapshot { index, term, membership, data: Arc::from(bytes) });
        self.log.reset(index, term);
        self.durability.log_replaced(Arc::clone(&snapshot), agreed);
        self.compactions.clear();
        (self.commit, self.applied, self.applied_by_host) = (index, index, index);
        out.push(Output::Event(Event::SnapshotInstalled { index, term }));
        if !mutant!(self, MembersNotInstalled) {
            self.memberships = Memberships::new(index, Arc::clone(&snapshot.membership));
        }
        self.snapshot = Some(Arc::clone(&snapshot));
        // Before anything is said of what the snapshot holds.
        out.push(Output::Install { snapshot });
        self.membership_changed(out);
    }

    /// A member says how much of a snapshot it has.
    pub(super) fn on_install_snapshot_response(
        &mut self,
        from: NodeId,
        (term, round): (Term, u64),
        index: LogIndex,
        received: u64,
        done: bool,
        out: &mut Outputs,
    ) {
        let Some(position) = self.heard_from(from, term, round) else { return };
        if done {
            self.on_accepted(from, position, index, out);
            self.send_newer_snapshot(from, out);
        } else if let Some((sender, others)) = self.replication() {
            let progress = &mut others[position];
            if let Some(transfer) = &mut progress.transfer
                && transfer.meta.index == index
                && received <= transfer.snapshot.data.len() as u64
            {
                let advanced = received > transfer.offset;
                // One who has lost what it had is sent it with the next heartbeat: an answer may also be
                // late.
                transfer.offset = received;
                if advanced {
                    sender.send_part(position, progress, out);
                }
            }
        }
        self.round_answered(out);
    }

    /// A snapshot has arrived of which the leader's log, compacted meanwhile, is not the continuation.
    fn send_newer_snapshot(&mut self, to: NodeId, out: &mut Outputs) {
        let Some(position) = self.roster.position(to) else { return };
        let Some((sender, others)) = self.replication() else { return };
        let progress = &mut others[position];
        if progress.pace == Pace::Snapshot
            && progress.transfer.as_ref().is_some_and(|transfer| transfer.meta.index <= progress.matched)
        {
            sender.begin_snapshot(position, progress, out);
        }
    }
}
