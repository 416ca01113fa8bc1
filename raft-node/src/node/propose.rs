//! Commands: taking them into the log, gathering them, handing them on.

use super::RaftNode;
use super::replicate::Content;
use crate::entry::{Entries, Entry};
use crate::message::Message;
use crate::payload::Payload;
use crate::progress::Pace;
use crate::role::{Follower, Leader, Role};
use crate::step::{Output, Outputs, Refusal, TimeoutRange, Timer};
use crate::types::{LogIndex, NodeId, Term};

impl RaftNode {
    pub(super) fn on_propose(&mut self, payload: Payload, out: &mut Outputs) {
        match self.role {
            Role::Follower(Follower { leader: Some(to) }) if self.options.forward_proposals => {
                let term = self.hard.term;
                self.durability.promise(to, Message::Forward { term, payload }, out);
                return out.push(Output::Forwarded { to });
            }
            Role::Follower(_) | Role::PreCandidate(_) | Role::Candidate(_) | Role::Leader(_) => {}
        }
        if let Err(reason) = self.may_propose(payload.len()) {
            return out.push(Output::Refused { reason });
        }
        let term = self.hard.term;
        self.append(Entries::One(Entry::command(term, payload)), out);
        out.push(Output::Accepted { index: self.log.last_index(), term });
        self.replicate_or_gather(out);
    }

    /// A follower hands on what it was asked. Whoever cannot take it drops it: the one who asked does not
    /// wait.
    pub(super) fn on_forward(&mut self, term: Term, payload: Payload, out: &mut Outputs) {
        if term == self.hard.term && self.may_propose(payload.len()).is_ok() {
            self.append(Entries::One(Entry::command(term, payload)), out);
            self.replicate_or_gather(out);
        }
    }

    /// Whether a command of so many bytes may be appended; if so, it is counted.
    #[inline]
    fn may_propose(&mut self, bytes: usize) -> Result<(), Refusal> {
        let leader = self.leading()?;
        if leader.transfer.is_some() {
            return Err(Refusal::Transferring);
        }
        let max = self.options.uncommitted_bytes_max;
        if max > 0
            && let Role::Leader(leader) = &mut self.role
        {
            let sum = leader.uncommitted_bytes.saturating_add(bytes as u64);
            if leader.uncommitted_bytes > 0 && sum > max {
                return Err(Refusal::TooMuchUncommitted);
            }
            leader.uncommitted_bytes = sum;
        }
        Ok(())
    }

    /// What the node knows as a leader; for others why it takes nothing into the log.
    #[inline]
    pub(super) fn leading(&self) -> Result<&Leader, Refusal> {
        match &self.role {
            Role::Leader(leader) => Ok(leader),
            Role::Follower(Follower { leader }) => Err(Refusal::NotLeader { leader: *leader }),
            Role::PreCandidate(_) | Role::Candidate(_) => Err(Refusal::NotLeader { leader: None }),
        }
    }

    /// Something was appended: sends it, or waits for more.
    #[inline]
    fn replicate_or_gather(&mut self, out: &mut Outputs) {
        let delay_ns = self.options.batch_delay_ns;
        if delay_ns == 0 {
            return self.replicate(out);
        }
        let last = self.log.last_index();
        let Role::Leader(leader) = &mut self.role else { return };
        let first = *leader.batch.get_or_insert(last);
        if last.0 - first.0 + 1 >= u64::from(self.options.entries_per_append_max) {
            leader.batch = None;
            out.push(Output::CancelTimer(Timer::Batch));
            self.replicate(out);
        } else if first == last {
            let range = TimeoutRange { min_ns: delay_ns, max_ns: delay_ns };
            out.push(Output::SetTimer { timer: Timer::Batch, range });
        }
    }

    pub(super) fn on_batch_timeout(&mut self, out: &mut Outputs) {
        if let Role::Leader(leader) = &mut self.role
            && leader.batch.take().is_some()
        {
            self.replicate(out);
        }
    }

    /// Sends what is new. A follower that is probed has been sent enough for now.
    #[inline]
    fn replicate(&mut self, out: &mut Outputs) {
        self.broadcast(out, |progress| (progress.pace == Pace::Replicate).then_some(Content::Entries));
    }

    /// All up to `index` is about to be committed, and an entry of this leader's own is among that. What
    /// earlier terms left was never counted: it is committed only along with a command that must be let in.
    #[inline]
    pub(super) fn count_committed(&mut self, index: LogIndex) {
        if self.options.uncommitted_bytes_max == 0 {
            return;
        }
        let left = self.log.rest(index.next()).iter().map(|entry| entry.payload().len() as u64).sum();
        if let Role::Leader(leader) = &mut self.role {
            leader.uncommitted_bytes = left;
        }
    }

    /// Who leads this term, as far as the node knows; the node itself if it leads.
    #[inline]
    pub(super) fn leader(&self) -> Option<NodeId> {
        match &self.role {
            Role::Follower(Follower { leader }) => *leader,
            Role::PreCandidate(_) | Role::Candidate(_) => None,
            Role::Leader(_) => Some(self.id),
        }
    }
}
