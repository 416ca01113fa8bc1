//! What must come once a core is healed.

use super::core::Core;
use crate::adapter::Request;
use crate::execute::{Cluster, Halt, Runner};
use crate::mirror::NodeMirror;
use crate::record::{Hash64, Role};
use crate::scenario::{Propose, Step, Target};
use crate::violation::Property;
use core::fmt;
use sim_core::{Fault, ProcessId, Span, VirtualTime};

/// A leader of the core, in its term.
#[derive(Clone, Copy, Debug)]
struct Reign<'a> {
    core: &'a Core,
    /// Whom their disks did not let run when this began.
    refused: &'a [ProcessId],
    leader: ProcessId,
    term: u64,
}

/// Until when something must have come, and how long that is.
#[derive(Clone, Copy, Debug)]
struct Due {
    at: VirtualTime,
    within: Span,
}

/// What is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pending {
    Nobody,
    Rival(ProcessId),
    Down(ProcessId),
    Term(ProcessId, u64),
    Standing(ProcessId),
    Command,
    Joint,
    Log(ProcessId),
    Commit(ProcessId, u64),
    Applied(ProcessId, u64),
    State(ProcessId),
    Disk(ProcessId),
    Client(ProcessId),
    Noise(u64),
    Over,
}

impl fmt::Display for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("nobody leads"),
            Self::Down(node) => write!(f, "node {node} has stopped"),
            Self::Rival(node) => write!(f, "node {node} leads too"),
            Self::Term(node, term) => write!(f, "node {node} is in term {term}, not in the leader's"),
            Self::Standing(node) => write!(f, "node {node} stands for election"),
            Self::Command => f.write_str("the leader has not applied the command"),
            Self::Joint => f.write_str("the joint configuration is not left"),
            Self::Log(node) => write!(f, "the log of node {node} is not the leader's"),
            Self::Commit(node, index) => write!(f, "node {node} knows only {index} entries to be committed"),
            Self::Applied(node, index) => write!(f, "node {node} has applied only {index} entries"),
            Self::State(node) => write!(f, "the state machine of node {node} is not like the leader's"),
            Self::Disk(node) => write!(f, "node {node} has something in memory that is not on its disk"),
            Self::Client(client) => write!(f, "process {client} still waits for an answer"),
            Self::Noise(count) => write!(f, "{count} messages other than heartbeats in the last moments"),
            Self::Over => f.write_str("the leader has lost its term"),
        }
    }
}

fn mirror<'a>(sim: &'a Cluster<'_>, node: ProcessId) -> &'a NodeMirror {
    &sim.observer().0.mirror().nodes[node.index()]
}

/// Who leads the highest term.
fn leading(sim: &Cluster<'_>, core: &Core) -> Option<ProcessId> {
    let leads = |node: &ProcessId| mirror(sim, *node).up && mirror(sim, *node).leads();
    core.nodes.iter().copied().filter(leads).max_by_key(|node| mirror(sim, *node).term)
}

/// Who is switched off and a member again: by a change that a leader had been asked for and got to only now.
fn missed(sim: &Cluster<'_>, core: &Core, off: &[ProcessId]) -> Option<ProcessId> {
    if off.is_empty() {
        return None;
    }
    let leader = leading(sim, core)?;
    core.near(leader).find(|node| off.contains(node) && mirror(sim, leader).members.contains(*node))
}

impl<'a> Reign<'a> {
    /// The leader whom all follow who must.
    fn of(sim: &Cluster<'_>, core: &'a Core, refused: &'a [ProcessId]) -> Result<Self, Pending> {
        let leader = leading(sim, core).ok_or(Pending::Nobody)?;
        let reign = Self { core, refused, leader, term: mirror(sim, leader).term };
        reign.is_followed(sim).map(|()| reign)
    }

    /// Who must follow: the members of the configuration in force for the leader that are in the core, are linked with it both
    /// ways and began to live.
    fn followers(&self, sim: &Cluster<'_>) -> impl Iterator<Item = ProcessId> {
        let (leader, members) = (self.leader, &mirror(sim, self.leader).members);
        let must = move |node: &ProcessId| {
            *node != leader && members.contains(*node) && !self.refused.contains(node)
        };
        self.core.near(leader).filter(must)
    }

    fn is_followed(&self, sim: &Cluster<'_>) -> Result<(), Pending> {
        if !self.lasts(sim) {
            return Err(Pending::Over);
        }
        for node in self.followers(sim) {
            let follower = mirror(sim, node);
            if !follower.up {
                return Err(Pending::Down(node));
            }
            match follower.role {
                Role::Leader => return Err(Pending::Rival(node)),
                Role::Candidate | Role::PreCandidate => return Err(Pending::Standing(node)),
                Role::Follower if follower.term != self.term => {
                    return Err(Pending::Term(node, follower.term));
                }
                Role::Follower => {}
            }
        }
        Ok(())
    }

    /// Whether the leader still leads its term.
    fn lasts(&self, sim: &Cluster<'_>) -> bool {
        mirror(sim, self.leader).leader_of == Some(self.term) && mirror(sim, self.leader).leads()
    }

    /// Whether the command at `probe` is applied and all who follow are as the leader is.
    fn agrees(&self, sim: &Cluster<'_>, probe: u64) -> Result<(), Pending> {
        self.is_followed(sim)?;
        let leader = mirror(sim, self.leader);
        if leader.applied < probe {
            return Err(Pending::Command);
        }
        let last = leader.log.last_index();
        let is_joint = leader.members.is_joint();
        if is_joint
            && sim
                .process(self.leader)
                .and_then(|member| member.node())
                .is_some_and(|node| node.leaves_joint())
        {
            return Err(Pending::Joint);
        }
        for node in [self.leader].into_iter().chain(self.followers(sim)) {
            let one = mirror(sim, node);
            if (one.log.last_index(), one.log.last_prefix()) != (last, leader.log.last_prefix()) {
                return Err(Pending::Log(node));
            }
            if one.commit != last {
                return Err(Pending::Commit(node, one.commit));
            }
            if one.applied != last {
                return Err(Pending::Applied(node, one.applied));
            }
            if one.state != leader.state {
                return Err(Pending::State(node));
            }
            let disk = &one.durable;
            if (disk.term, disk.vote, disk.log.last_index()) != (one.term, one.vote, last)
                || disk.log.last_prefix() != leader.log.last_prefix()
            {
                return Err(Pending::Disk(node));
            }
        }
        Ok(())
    }
}

/// Whether every client that runs has nothing left to do.
fn are_served(clients: &[ProcessId], sim: &Cluster<'_>) -> Result<(), Pending> {
    let waits = |process: &&ProcessId| {
        let client = sim.process(**process).and_then(|member| member.client());
        client.is_some_and(|client| client.client().has_more_to_do())
    };
    clients.iter().find(waits).map_or(Ok(()), |client| Err(Pending::Client(*client)))
}

impl Runner<'_> {
    /// Lets time pass until a leader is followed, a fresh command is committed, all agree and every client is answered,
    /// within `budget`; and then until that leader has reigned for long and there is nothing but heartbeats.
    pub(super) fn live(&mut self, core: &Core, refused: &[ProcessId], budget: Span) -> Result<(), Halt> {
        let clients: Vec<ProcessId> = self.memory.clients.everybody().collect();
        let due = Due { at: self.sim.now().after(budget), within: budget };
        let (long, rest) = (self.reign(), self.rest());
        let rested = due.at.after(long.times(2)).after(rest.times(8));
        let is_calm = self.heartbeats_suffice();
        let mut attempt = 0;
        let mut off = Vec::new();
        loop {
            let mut seen = None;
            self.run_to(due.at, |sim| {
                changed(sim, &mut seen)
                    && (missed(sim, core, &off).is_some() || Reign::of(sim, core, refused).is_ok())
            })?;
            if let Some(node) = missed(&self.sim, core, &off) {
                self.take_back(node, &mut off)?;
                continue;
            }
            let reign = match Reign::of(&self.sim, core, refused) {
                Ok(reign) => reign,
                Err(pending) => return Err(self.dead("elect a leader that all follow", budget, pending)),
            };
            let since = self.sim.now();
            // Now, if that is committed: to bring all up may take long, and must not be disturbed.
            self.retire(core, &reign, &mut off)?;
            if !self.commit(&reign, &clients, &off, &mut attempt, due)? {
                continue;
            }
            self.retire(core, &reign, &mut off)?;
            if !is_calm {
                self.say(format!("live: node {} leads term {}, all agree", reign.leader, reign.term));
                return Ok(());
            }
            let until = since.after(long);
            if self.lasts_until(&reign, until)? && self.come_to_rest(&reign, rest, rested)? {
                self.say(format!(
                    "live: node {} leads term {}, all agree and rest",
                    reign.leader, reign.term
                ));
                return Ok(());
            }
            if self.sim.now() >= due.at {
                return Err(self.dead("come to rest under one leader", budget.plus(long), Pending::Over));
            }
        }
    }

    /// A command of its own under this reign: until it is applied, all agree and clients are served. False if the reign
    /// ended first, or one who is switched off is missed.
    fn commit(
        &mut self,
        reign: &Reign<'_>,
        clients: &[ProcessId],
        off: &[ProcessId],
        attempt: &mut u32,
        due: Due,
    ) -> Result<bool, Halt> {
        let is_over = |sim: &Cluster<'_>| !reign.lasts(sim) || missed(sim, reign.core, off).is_some();
        let patience = self.scenario.options_of(reign.leader.0).election_timeout.1.times(2);
        loop {
            let Some(probe) = self.probe(reign, attempt) else {
                // It hands over its leadership, or waits for others to be committed: it will take one yet.
                let retry = self.sim.now().after(patience).min(due.at);
                let mut seen = None;
                self.run_to(retry, |sim| changed(sim, &mut seen) && is_over(sim))?;
                if is_over(&self.sim) {
                    return Ok(false);
                }
                if self.sim.now() >= due.at {
                    return Err(self.dead("take a command", due.within, Pending::Command));
                }
                continue;
            };
            let goal = |sim: &Cluster<'_>| reign.agrees(sim, probe).and_then(|()| are_served(clients, sim));
            let mut seen = None;
            let timed = !clients.is_empty();
            self.run_to(due.at, |sim| {
                (changed(sim, &mut seen) || timed) && (is_over(sim) || goal(sim).is_ok())
            })?;
            return match goal(&self.sim) {
                Ok(()) => Ok(true),
                Err(_) if is_over(&self.sim) => Ok(false),
                Err(pending) => {
                    Err(self.dead("commit a command, agree and serve its clients", due.within, pending))
                }
            };
        }
    }

    /// Proposes a command to the leader; where it stands in the leader's log, if it was taken.
    fn probe(&mut self, reign: &Reign<'_>, attempt: &mut u32) -> Option<u64> {
        let command = self.fresh(*attempt);
        *attempt += 1;
        let asked = Propose { to: Target::Node(reign.leader.0), ..Propose::to_leader(command.as_str()) };
        self.note_down(Step::Propose(asked));
        self.sim.request(reign.leader, Request::propose(&command));
        let log = &mirror(&self.sim, reign.leader).log;
        let taken = log.get(log.last_index())?.command == Hash64::of_command(command.as_bytes());
        taken.then(|| log.last_index())
    }

    /// Who is no member any more and does not know it is switched off, as an operator would (thesis §4.2.3), unless the
    /// members do not let themselves be disturbed, or have not committed yet that they are without it.
    fn retire(&mut self, core: &Core, reign: &Reign<'_>, off: &mut Vec<ProcessId>) -> Result<(), Halt> {
        let (leader, canon) = (mirror(&self.sim, reign.leader), self.sim.observer().0.canon());
        // One who was deposed and does not know may have another entry there than the one that is committed.
        let at = leader.members_index;
        if at > canon.last_index() || !canon.agrees(&leader.log, at) {
            return Ok(());
        }
        let members = leader.members.clone();
        let raft = |node: ProcessId| self.scenario.options_of(node.0);
        let undisturbed = core.near(reign.leader).all(|node| raft(node).check_quorum);
        let disturbs = |node: &ProcessId| {
            let own = &mirror(&self.sim, *node).members;
            !members.contains(*node) && own.is_voter(*node) && !raft(*node).pre_vote && *node != reign.leader
        };
        let gone: Vec<ProcessId> =
            core.nodes.iter().copied().filter(|node| self.sim.is_up(*node)).filter(disturbs).collect();
        for process in gone.into_iter().filter(|_| !undisturbed) {
            self.say(format!(
                "end: node {process} is no member any more and does not know it: it is switched off"
            ));
            self.inject(&Fault::Crash { process })?;
            off.push(process);
        }
        Ok(())
    }

    /// Who was switched off and is a member again is switched on again.
    fn take_back(&mut self, process: ProcessId, off: &mut Vec<ProcessId>) -> Result<(), Halt> {
        off.retain(|node| *node != process);
        self.say(format!("end: node {process} is a member again: it is switched on"));
        self.inject(&Fault::Restart { process })
    }

    fn lasts_until(&mut self, reign: &Reign<'_>, until: VirtualTime) -> Result<bool, Halt> {
        let mut seen = None;
        self.run_to(until, |sim| changed(sim, &mut seen) && reign.is_followed(sim).is_err())?;
        Ok(reign.is_followed(&self.sim).is_ok())
    }

    /// Waits until for `rest` nothing but heartbeats is heard among those who agree. False if the reign ended.
    fn come_to_rest(&mut self, reign: &Reign<'_>, rest: Span, deadline: VirtualTime) -> Result<bool, Halt> {
        let followers = reign.followers(&self.sim);
        let among: Vec<ProcessId> = [reign.leader].into_iter().chain(followers).collect();
        loop {
            self.sim.observer_mut().1.1.0.listen(among.clone());
            let lasts = self.lasts_until(reign, self.sim.now().after(rest))?;
            let noise = self.sim.observer_mut().1.1.0.heard();
            if !lasts {
                return Ok(false);
            }
            let pending = match reign.agrees(&self.sim, 0) {
                Ok(()) if noise == 0 => return Ok(true),
                Ok(()) => Pending::Noise(noise),
                Err(pending) => pending,
            };
            if self.sim.now() >= deadline {
                return Err(self.dead("come to rest", rest.times(8), pending));
            }
        }
    }

    /// A command that the scenario itself has not proposed.
    fn fresh(&self, attempt: u32) -> String {
        let seen = |command: &str| {
            let hash = Hash64::of_command(command.as_bytes());
            let nodes = &self.sim.observer().0.mirror().nodes;
            let mut logs = nodes.iter().flat_map(|node| node.log.cells().chain(node.durable.log.cells()));
            logs.any(|cell| cell.command == hash)
        };
        let mut command = format!("seaworthy probe {attempt}");
        while seen(&command) {
            command.push('+');
        }
        command
    }

    fn dead(&self, goal: &str, within: Span, pending: Pending) -> Halt {
        let what = format!("healed, the cluster did not {goal} within {within}: {pending}");
        self.failed(Property::Convergence, None, what)
    }
}

/// Whether anything can be read of the cluster that could not when this was asked last.
fn changed(sim: &Cluster<'_>, seen: &mut Option<u64>) -> bool {
    let version = sim.observer().0.mirror().version();
    seen.replace(version) != Some(version)
}

#[cfg(test)]
mod tests;
