//! Handing leadership over (thesis §3.10).

use super::RaftNode;
use super::replicate::Content;
use crate::message::Message;
use crate::progress::Pace;
use crate::role::{Follower, Role, Transfer};
use crate::step::{Output, Outputs, Refusal};
use crate::types::{NodeId, Term};

impl RaftNode {
    pub(super) fn on_transfer(&mut self, to: NodeId, out: &mut Outputs) {
        let until = self.now.after(self.options.election_timeout_ns.1);
        let successor = self.roster.position(to).filter(|to| self.roster.votes(*to));
        let leader = match self.leading() {
            Ok(leader) => leader,
            Err(reason) => return out.push(Output::Refused { reason }),
        };
        let (Some(position), true) = (successor, to != self.id) else {
            return out.push(Output::Refused { reason: Refusal::NotAVoter(to) });
        };
        if leader.transfer.is_some_and(|transfer| transfer.to == to) {
            return;
        }
        if let Role::Leader(leader) = &mut self.role {
            leader.transfer = Some(Transfer { to, until });
        }
        let Some((sender, others)) = self.replication() else { return };
        let progress = &mut others[position];
        match progress.pace {
            Pace::Probe => sender.send(position, progress, Content::Entries, out),
            Pace::Replicate => sender.catch_up(position, progress, out),
            Pace::Snapshot => {}
        }
        self.hand_over_if_caught_up(to, out);
    }

    /// Tells the successor to stand, if `from` is that one and has the whole log.
    #[inline]
    pub(super) fn hand_over_if_caught_up(&mut self, from: NodeId, out: &mut Outputs) {
        let Role::Leader(leader) = &mut self.role else { return };
        if leader.transfer.is_none_or(|transfer| transfer.to != from) {
            return;
        }
        let Some(position) = self.roster.position(from) else { return };
        if leader.progress[position].matched == self.log.last_index() {
            leader.abdicated = true;
            out.push(Output::Send { to: from, message: Message::TimeoutNow { term: self.hard.term } });
        }
    }

    /// With each heartbeat: gives up in time, or asks again what may have been lost.
    pub(super) fn go_on_transferring(&mut self, out: &mut Outputs) {
        let Role::Leader(leader) = &mut self.role else { return };
        let Some(Transfer { to, until }) = leader.transfer else { return };
        if self.now >= until {
            leader.transfer = None;
        } else {
            self.hand_over_if_caught_up(to, out);
        }
    }

    /// The leader of this term wants a successor.
    pub(super) fn on_timeout_now(&mut self, from: NodeId, term: Term, out: &mut Outputs) {
        let follows = match &self.role {
            Role::Follower(Follower { leader }) => leader.is_none_or(|leader| leader == from),
            Role::PreCandidate(_) => true,
            Role::Candidate(_) | Role::Leader(_) => false,
        };
        if term == self.hard.term && follows && self.is_voter() && term.next() != term {
            self.campaign(true, out);
        }
    }
}
