//! Changing who belongs to the cluster (Raft §6, thesis §4).

use std::sync::Arc;

use super::RaftNode;
use super::replicate::Content;
use crate::entry::{Entries, Entry, EntryKind};
use crate::membership::{ChangeRequest, Membership};
use crate::progress::{Pace, Progress};
use crate::role::{Leaving, Role};
use crate::roster::Roster;
use crate::step::{Output, Outputs, Refusal};
use crate::types::NodeId;

impl RaftNode {
    pub(super) fn on_change(&mut self, request: &ChangeRequest, out: &mut Outputs) {
        match self.next_membership(request) {
            Ok(membership) => {
                self.append_membership(membership, out);
                out.push(Output::Accepted { index: self.log.last_index(), term: self.hard.term });
            }
            Err(reason) => out.push(Output::Refused { reason }),
        }
    }

    fn next_membership(&self, request: &ChangeRequest) -> Result<Membership, Refusal> {
        let leader = self.leading()?;
        if leader.transfer.is_some() {
            return Err(Refusal::Transferring);
        }
        if self.memberships.index() > self.commit && !mutant!(self, ChangesOverlap) {
            return Err(Refusal::ChangePending);
        }
        // Else a leader could begin from a membership that another one has replaced (raft-dev, 2015).
        if self.commit < leader.own_first && !mutant!(self, ChangeBeforeOwnCommit) {
            return Err(Refusal::NoCommitInTerm);
        }
        self.memberships.current().changed(request).map_err(Refusal::BadChange)
    }

    /// Appends a membership, which is in force from now on, and sends it.
    fn append_membership(&mut self, membership: Membership, out: &mut Outputs) {
        let kind = EntryKind::Change(Arc::new(membership));
        self.append(Entries::One(Entry { term: self.hard.term, kind }), out);
        // Those who are new are probed at once.
        self.broadcast(out, |progress| (progress.pace != Pace::Snapshot).then_some(Content::Entries));
    }

    /// Another membership is in force.
    #[cold]
    pub(super) fn membership_changed(&mut self, out: &mut Outputs) {
        let left = mutant!(self, JointIsNew).then(|| self.memberships.current().left());
        let roster = Roster::new(left.as_ref().unwrap_or_else(|| self.memberships.current()));
        let before = core::mem::replace(&mut self.roster, roster);
        self.position = self.roster.position(self.id);
        self.move_progress(&before);
        self.tell_membership(out);
    }

    /// What a leader knows of those who stay goes with them; of those who are new it knows nothing.
    fn move_progress(&mut self, before: &Roster) {
        let last = self.log.last_index();
        let Role::Leader(leader) = &mut self.role else { return };
        leader.round += 1;
        // A lease rests on a quorum of the membership in force.
        leader.rounds.clear();
        leader.lease_from = None;
        let mut progress = core::mem::take(&mut leader.progress);
        for (position, id) in before.ids().iter().enumerate() {
            if self.roster.position(*id).is_none() && *id != self.id {
                leader.leaving.push(Leaving { id: *id, next: progress[position].next });
            }
        }
        leader.leaving.retain(|leaving| self.roster.position(leaving.id).is_none());
        let keep = |id: &NodeId| match before.position(*id) {
            Some(position) => {
                let new = Progress::new(last, leader.round, self.now);
                core::mem::replace(&mut progress[position], new)
            }
            None => Progress::new(last, leader.round, self.now),
        };
        leader.progress = self.roster.ids().iter().map(keep).collect();
        if let Some(own) = self.position {
            leader.progress[own].round = leader.round;
            leader.progress[own].held = leader.round;
        }
        let successor_left = |to: NodeId| self.roster.position(to).is_none_or(|to| !self.roster.votes(to));
        leader.transfer = leader.transfer.filter(|transfer| !successor_left(transfer.to));
    }

    /// Does what is due when the membership in force is committed: a joint one is left, a leader without a
    /// vote steps down, and those who are gone are told.
    #[inline]
    pub(super) fn settle_membership(&mut self, out: &mut Outputs) {
        let Role::Leader(leader) = &self.role else { return };
        let at_rest = leader.leaving.is_empty() && !self.roster.is_joint() && self.is_voter();
        if at_rest || self.memberships.index() > self.commit {
            return;
        }
        self.tell_leaving(out);
        if self.memberships.current().auto_leave() {
            let left = self.memberships.current().left();
            self.append_membership(left, out);
        } else if !self.is_voter() && self.options.step_down_on_removal {
            // Whoever is left learns of the commit, and can elect another.
            self.broadcast(out, |_| Some(Content::Nothing));
            self.become_follower(None, out);
        }
    }

    /// Tells those who are gone, once, that they are: else they would stand for election (thesis §4.2.3).
    fn tell_leaving(&mut self, out: &mut Outputs) {
        let Role::Leader(leader) = &mut self.role else { return };
        let leaving = core::mem::take(&mut leader.leaving);
        let Some((sender, _)) = self.replication() else { return };
        for Leaving { id, next } in leaving {
            let prev = next.prev();
            if let Some(term) = sender.log.term_at(prev) {
                sender.append(id, (prev, term), sender.run(next), out);
            }
        }
    }
}
