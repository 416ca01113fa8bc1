//! The calm after a storm: messages arrive, writes are done, timers run out when they should; and the cluster
//! must come to rest, whatever its options and whatever was left half done.

use super::{Storm, position};
use crate::world::MS;
use raft_node::{ChangeRequest, Input, NodeId, RoleKind, Timer};

/// How long a cluster may take to come to rest, in steps of [`STEP`].
const STEPS: u32 = 4_000;
const STEP: u64 = 5 * MS;

impl Storm {
    /// What breaks in the calm, or keeps the members from coming to rest.
    pub(crate) fn unrest(&mut self) -> Option<String> {
        self.calm();
        self.broken.take().or_else(|| self.disagreement().map(|what| format!("convergence: {what}")))
    }

    /// Runs until all members agree on what was proposed in the calm, or time is up.
    fn calm(&mut self) {
        let before = self.applied.len();
        for step in 0..STEPS {
            self.time += STEP;
            self.fire_timers();
            self.settle();
            if self.broken.is_some() {
                return;
            }
            let Some(leader) = self.only_leader() else { continue };
            if step % 200 == 100 {
                // Without an entry of its own term a leader commits nothing that others left.
                self.propose(leader);
            } else if step % 200 == 150 && self.hosts[leader].view().membership.is_joint() {
                self.tell(leader, Input::Change(ChangeRequest::leave()));
            } else if step % 200 == 199 && self.applied.len() > before && self.disagreement().is_none() {
                return;
            }
        }
    }

    /// The node that leads, if there is one and nobody else believes so.
    fn only_leader(&self) -> Option<usize> {
        let mut leaders =
            (0..self.hosts.len()).filter(|node| self.hosts[*node].view().role == RoleKind::Leader);
        leaders.next().filter(|_| leaders.next().is_none())
    }

    /// Those who are members still, by what was applied last and by what these know of. Others may never
    /// learn that they are none, and stand for election for ever.
    fn members(&self) -> Vec<bool> {
        let mut members = vec![false; self.hosts.len()];
        let mut found: Vec<NodeId> = self.membership.members().collect();
        while let Some(id) = found.pop() {
            if !core::mem::replace(&mut members[usize::from(id.0)], true) {
                found.extend(self.hosts[usize::from(id.0)].view().membership.members());
            }
        }
        members
    }

    fn fire_timers(&mut self) {
        let members = self.members();
        for (node, is_member) in members.into_iter().enumerate() {
            self.tick(node);
            for timer in Timer::ALL {
                let (deadline, _) = self.timers[node][timer as usize];
                if deadline.is_some_and(|deadline| deadline <= self.hosts[node].now) {
                    self.timers[node][timer as usize].0 = None;
                    if timer != Timer::Election || is_member {
                        self.tell(node, Input::TimerFired(timer));
                    }
                }
            }
        }
    }

    /// Delivers and writes until nothing is left to do.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            for node in 0..self.hosts.len() {
                self.write(node, self.hosts[node].writes.len());
                for id in core::mem::take(&mut self.done[node]) {
                    self.tell(node, Input::Persisted(id));
                }
                if self.hosts[node].config.options.apply_window > 0 {
                    let applied = self.machines[node].index;
                    self.tell(node, Input::Applied(applied));
                }
            }
            if self.network.is_empty() && self.hosts.iter().all(|host| host.writes.is_empty()) {
                return;
            }
            for (from, to, message) in core::mem::take(&mut self.network) {
                self.tell(usize::from(to.0), Input::Message { from, message });
            }
        }
        self.breaks("liveness: messages beget messages without end".to_owned());
    }

    /// What keeps the members from being at rest in the same state; none if they are.
    fn disagreement(&self) -> Option<String> {
        let Some(leader) = self.only_leader() else { return Some("not one leader".to_owned()) };
        let view = self.hosts[leader].view();
        if view.membership.is_joint() || view.membership != &self.membership {
            return Some(format!("{} is not settled", view.membership));
        }
        let last = view.last_log_index;
        for id in view.membership.members() {
            let other = self.hosts[usize::from(id.0)].view();
            if (other.last_log_index, other.applied_index, other.term) != (last, last, view.term) {
                let (at, applied) = (other.last_log_index, other.applied_index);
                return Some(format!("{id} is at {at}, has applied {applied}, and the leader is at {last}"));
            }
        }
        let known = position(last).is_none_or(|place| place < self.applied.len());
        (!known).then(|| "the last entry is not applied".to_owned())
    }
}
