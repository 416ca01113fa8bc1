//! Whom a target means at this moment.

use crate::execute::Runner;
use crate::execute::ask::Asking;
use crate::execute::everybody;
use crate::record::Role;
use crate::scenario::Target;
use sim_core::{ProcessId, Stream};

impl Asking<'_> {
    /// The nodes that `target` means now, in order of their numbers and each once.
    ///
    /// `draws` decides what is left to chance; a target that needs it and does not get it is refused.
    pub(crate) fn resolve(
        &self,
        target: &Target,
        draws: Option<&mut Stream>,
    ) -> Result<Vec<ProcessId>, String> {
        let mut nodes = self.collect(target, draws)?;
        nodes.sort_unstable();
        nodes.dedup();
        Ok(nodes)
    }

    fn collect(&self, target: &Target, draws: Option<&mut Stream>) -> Result<Vec<ProcessId>, String> {
        let all = || everybody(self.sim);
        let having =
            |role: Role| all().filter(|node| self.node(*node).up && self.node(*node).role == role).collect();
        let chance = "only a step can leave a target to chance: bind it to a name with `bind` first";
        Ok(match target {
            Target::Node(number) => vec![ProcessId(*number)],
            Target::List(items) => {
                let mut nodes = Vec::new();
                let mut draws = draws;
                for item in items {
                    nodes.extend(self.collect(item, draws.as_deref_mut())?);
                }
                nodes
            }
            Target::Leader => vec![self.leader().ok_or("there is no leader now")?],
            Target::LeaderOfTerm(term) => {
                let leads = |node: &ProcessId| self.node(*node).leader_of == Some(*term);
                vec![all().find(leads).ok_or_else(|| format!("nobody leads term {term} now"))?]
            }
            Target::Follower(place) => {
                let followers: Vec<ProcessId> = having(Role::Follower);
                let found = followers.get(usize::from(*place)).copied();
                vec![found.ok_or_else(|| format!("there are only {} followers now", followers.len()))?]
            }
            Target::Followers => having(Role::Follower),
            Target::Candidates => having(Role::Candidate),
            Target::All => all().collect(),
            Target::Up => all().filter(|node| self.sim.is_up(*node)).collect(),
            Target::Crashed => all().filter(|node| !self.sim.is_up(*node)).collect(),
            Target::Connected => self.connected(),
            Target::Isolated => all().filter(|node| self.sim.is_isolated(*node)).collect(),
            Target::Minority { with_leader } => self.minority(*with_leader, draws.ok_or(chance)?)?,
            Target::Majority { with_leader } => self.majority(*with_leader, draws.ok_or(chance)?)?,
            Target::Voters => all().filter(|node| self.in_force().is_voter(*node)).collect(),
            Target::Learners => self.in_force().learners.clone(),
            Target::Members => all().filter(|node| self.in_force().contains(*node)).collect(),
            Target::Halted => all().filter(|node| self.sim.observer().1.0.is_halted(*node)).collect(),
            Target::Clients => self.memory.clients.everybody().collect(),
            Target::Client(client) => {
                let process = self.memory.clients.process(client);
                vec![process.ok_or_else(|| format!("there is no {client}"))?]
            }
            Target::AllBut(other) => {
                let but = self.collect(other, draws)?;
                all().filter(|node| !but.contains(node)).collect()
            }
            Target::Random => vec![*draws.ok_or(chance)?.pick(&all().collect::<Vec<_>>())],
            Target::Named(name) => {
                let bound =
                    self.memory.names.get(name).ok_or_else(|| format!("nothing is called `{name}` yet"))?;
                bound.nodes.clone()
            }
        })
    }

    /// As many drawn voters as can fail: the others are still a quorum.
    fn minority(&self, with_leader: bool, draws: &mut Stream) -> Result<Vec<ProcessId>, String> {
        let mut chosen: Vec<ProcessId> = Vec::new();
        for voter in self.drawn_voters(with_leader, draws)? {
            let is_left = |node: ProcessId| node != voter && !chosen.contains(&node);
            if self.in_force().is_quorum(is_left) {
                chosen.push(voter);
            }
        }
        Ok(chosen)
    }

    /// Drawn voters that are a quorum, none of whom can be spared but, if it must be there, the leader.
    fn majority(&self, with_leader: bool, draws: &mut Stream) -> Result<Vec<ProcessId>, String> {
        let order = self.drawn_voters(with_leader, draws)?;
        let leader = order.first().copied().filter(|_| with_leader);
        let mut chosen = order.clone();
        for voter in order.into_iter().rev().filter(|voter| Some(*voter) != leader) {
            if self.in_force().is_quorum(|node| node != voter && chosen.contains(&node)) {
                chosen.retain(|node| *node != voter);
            }
        }
        Ok(chosen)
    }

    /// The voters in force in a drawn order; with the leader first if it must be there.
    fn drawn_voters(&self, with_leader: bool, draws: &mut Stream) -> Result<Vec<ProcessId>, String> {
        let mut order: Vec<ProcessId> =
            everybody(self.sim).filter(|node| self.in_force().is_voter(*node)).collect();
        draws.shuffle(&mut order);
        if with_leader {
            let leader = self.leader().ok_or("there is no leader now")?;
            order.retain(|node| *node != leader);
            order.insert(0, leader);
        }
        Ok(order)
    }

    /// Nodes that are up and not isolated.
    pub(crate) fn connected(&self) -> Vec<ProcessId> {
        let all = everybody(self.sim);
        all.filter(|node| self.sim.is_up(*node) && !self.sim.is_isolated(*node)).collect()
    }

    /// The leader of the highest term.
    pub(crate) fn leader(&self) -> Option<ProcessId> {
        let all = everybody(self.sim);
        let leaders = all.filter_map(|node| Some((self.node(node).leader_of?, node)));
        // Of two in one term, which only a broken cluster has, the first.
        leaders.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, node)| node)
    }
}

impl Runner<'_> {
    /// The nodes that the target of a step means now. Draws belong to the step.
    pub(crate) fn nodes(
        &mut self,
        step: &impl serde::Serialize,
        target: &Target,
    ) -> Result<Vec<ProcessId>, crate::execute::Halt> {
        let mut draws = if has_chance(target) { Some(self.draws(step)) } else { None };
        self.asking().resolve(target, draws.as_mut()).map_err(|why| self.unmet(format!("`{target}`: {why}")))
    }

    /// The one node that the target of a step means now.
    pub(crate) fn one(
        &mut self,
        step: &impl serde::Serialize,
        target: &Target,
    ) -> Result<ProcessId, crate::execute::Halt> {
        match self.nodes(step, target)?.as_slice() {
            [node] => Ok(*node),
            nodes => Err(self.unmet(format!("`{target}` means {} nodes now, expected one", nodes.len()))),
        }
    }
}

/// Whether something in the target is left to chance.
fn has_chance(target: &Target) -> bool {
    match target {
        Target::Minority { .. } | Target::Majority { .. } | Target::Random => true,
        Target::List(items) => items.iter().any(has_chance),
        Target::AllBut(other) => has_chance(other),
        Target::Node(_)
        | Target::Leader
        | Target::LeaderOfTerm(_)
        | Target::Follower(_)
        | Target::Followers
        | Target::Candidates
        | Target::All
        | Target::Up
        | Target::Crashed
        | Target::Connected
        | Target::Isolated
        | Target::Voters
        | Target::Learners
        | Target::Members
        | Target::Halted
        | Target::Clients
        | Target::Client(_)
        | Target::Named(_) => false,
    }
}
