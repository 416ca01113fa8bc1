//! Whom a target means at this moment.

use crate::execute::Runner;
use crate::execute::ask::Asking;
use crate::record::{MessageFacts, Note, Role};
use crate::scenario::Target;
use sim_core::{Observer, ProcessId, Stream};

impl<T: Observer<MessageFacts, Note>> Asking<'_, T> {
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
        let all = || ProcessId::all(self.sim.count());
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
            Target::Minority { with_leader } => {
                let size = usize::from(self.sim.count() - 1) / 2;
                self.some(size, *with_leader, draws.ok_or(chance)?)?
            }
            Target::Majority { with_leader } => {
                let size = usize::from(self.sim.count()) / 2 + 1;
                self.some(size, *with_leader, draws.ok_or(chance)?)?
            }
            Target::AllBut(other) => {
                let but = self.collect(other, draws)?;
                all().filter(|node| !but.contains(node)).collect()
            }
            Target::Random => vec![*draws.ok_or(chance)?.pick(&all().collect::<Vec<_>>())],
            Target::Named(name) => {
                let bound = self.names.get(name).ok_or_else(|| format!("nothing is called `{name}` yet"))?;
                bound.nodes.clone()
            }
        })
    }

    /// `size` drawn nodes; with the leader among them, or left to chance.
    fn some(&self, size: usize, with_leader: bool, draws: &mut Stream) -> Result<Vec<ProcessId>, String> {
        let mut order: Vec<ProcessId> = ProcessId::all(self.sim.count()).collect();
        draws.shuffle(&mut order);
        if with_leader {
            let leader = self.leader().ok_or("there is no leader now")?;
            order.retain(|node| *node != leader);
            order.insert(0, leader);
        }
        order.truncate(size);
        Ok(order)
    }

    /// Nodes that are up and not isolated.
    pub(crate) fn connected(&self) -> Vec<ProcessId> {
        let all = ProcessId::all(self.sim.count());
        all.filter(|node| self.sim.is_up(*node) && !self.sim.is_isolated(*node)).collect()
    }

    /// The leader of the highest term.
    pub(crate) fn leader(&self) -> Option<ProcessId> {
        let all = ProcessId::all(self.sim.count());
        let leaders = all.filter_map(|node| Some((self.node(node).leader_of?, node)));
        // Of two in one term, which only a broken cluster has, the first.
        leaders.rev().max_by_key(|(term, _)| *term).map(|(_, node)| node)
    }
}

impl<T: Observer<MessageFacts, Note>> Runner<'_, T> {
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
        | Target::Named(_) => false,
    }
}
