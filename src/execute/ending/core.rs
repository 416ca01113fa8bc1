//! Who must live at the end, and over which links.
//!
//! Owns the choice: which nodes can be spared for good, and which links. Works on plain facts about nodes; must not know
//! the world that it is carried out in.
//!
//! A core can live if a quorum of every configuration that may come into force there is in it, and somebody in it can be
//! elected. Where only some of its links carry messages, that somebody must also be linked both ways with a quorum, and
//! nobody in the core may disturb a leader that it does not hear: all have pre_vote and check_quorum (thesis §9.6; H. Howard
//! and I. Abraham, "Raft does not guarantee liveness in the face of network faults", 2020).

use crate::record::Members;
use crate::scenario::Connectivity;
use sim_core::{ProcessId, Stream};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is known of a node when its core is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// The configuration in force for it: in memory, or on its disk if it is down.
    pub(super) members: Arc<Members>,
    /// The index of the entry that holds it.
    pub(super) members_index: u64,
    /// Term and index of its last entry.
    pub(super) last: (u64, u64),
    /// How much it wants to lead.
    pub(super) priority: u32,
    /// Whether it has pre_vote and check_quorum.
    pub(super) is_guarded: bool,
    /// Whether it leads.
    pub(super) leads: bool,
    /// Whether its disk lets it run.
    pub(super) boots: bool,
}

/// What all nodes together are.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    /// The nodes, by their numbers.
    pub(super) nodes: Vec<Standing>,
    /// The index of the last entry that was committed.
    pub(super) committed: u64,
    /// The configurations of which a quorum is needed whatever comes: the one in force there, and the one that it was
    /// committed under.
    pub(super) settled: Vec<Members>,
}

/// Who must live, and which links carry messages for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Core {
    /// The nodes, in ascending order.
    pub(super) nodes: Vec<ProcessId>,
    /// The links between nodes that carry messages. All others are cut.
    pub(super) links: BTreeSet<(ProcessId, ProcessId)>,
    /// What its links are like: never `any`.
    pub(super) connectivity: Connectivity,
    /// Why it is not what was asked for, if it is not.
    pub(super) instead: Option<&'static str>,
}

impl Cluster {
    fn standing(&self, node: ProcessId) -> &Standing {
        &self.nodes[node.index()]
    }

    pub(super) fn all(&self) -> impl Iterator<Item = ProcessId> + Clone + use<> {
        ProcessId::all(u16::try_from(self.nodes.len()).unwrap_or(u16::MAX))
    }

    /// The configurations that may come into force while only `core` runs.
    fn relevant<'a>(&'a self, core: &'a [ProcessId]) -> impl Iterator<Item = &'a Members> {
        // What stands lower in a log is in force for good, or will be replaced by what is.
        let later = core.iter().map(|node| self.standing(*node));
        let later = later.filter(|standing| standing.members_index > self.committed);
        self.settled.iter().chain(later.map(|standing| &*standing.members))
    }

    /// The first configuration that may come into force of which `core` holds no quorum.
    pub(super) fn without_quorum<'a>(&'a self, core: &'a [ProcessId]) -> Option<&'a Members> {
        self.relevant(core).find(|members| !members.is_quorum(|node| core.contains(&node)))
    }

    /// Whether `one` would vote for `other`, as far as their logs and priorities go.
    fn votes_for(&self, one: ProcessId, other: ProcessId) -> bool {
        let (one, other) = (self.standing(one), self.standing(other));
        one.last < other.last || (one.last == other.last && one.priority <= other.priority)
    }

    /// Whether `node` can be elected by `electors` alone, itself among them.
    fn can_win(&self, node: ProcessId, electors: &[ProcessId]) -> bool {
        let members = &self.standing(node).members;
        let votes = |voter: ProcessId| electors.contains(&voter) && self.votes_for(voter, node);
        members.is_voter(node) && members.is_quorum(votes)
    }

    fn lives(&self, core: &[ProcessId]) -> bool {
        self.without_quorum(core).is_none() && core.iter().any(|node| self.can_win(*node, core))
    }

    /// Whether somebody in the core can be elected and followed over its links, whoever leads now. Who leads and could not be
    /// elected steps down once it knows (check_quorum), but spreads entries until then, and nobody whose log lacks them could
    /// win any more: so it must be linked with nobody but the one who can do without it, and have nothing now that this one
    /// lacks, a configuration least of all. And nobody else who could win may ruin what another would keep.
    fn lives_over(&self, core: &Core) -> bool {
        let leaders = core.nodes.iter().copied().filter(|node| self.standing(*node).leads);
        let deposed: Vec<ProcessId> = leaders.filter(|node| !self.reigns_over(*node, core, &[])).collect();
        if core.nodes.iter().any(|node| !deposed.contains(node) && self.ruins(*node, core)) {
            return false;
        }
        core.nodes.iter().any(|heir| {
            let spreads_to_it =
                |leader: &ProcessId| core.near(*leader).all(|one| one == *leader || one == *heir);
            !deposed.contains(heir)
                && deposed.iter().all(spreads_to_it)
                && deposed.iter().all(|leader| self.standing(*leader).last == self.standing(*heir).last)
                && self.reigns_over(*heir, core, &deposed)
        })
    }

    /// Whether a node could be elected over the links with a configuration of which it has no quorum there, or which it leaves as
    /// soon as that is in force: then those who are left may not be linked with a quorum of it.
    fn ruins(&self, node: ProcessId, core: &Core) -> bool {
        let near: Vec<ProcessId> = core.near(node).collect();
        let stays = self.standing(node).members.voters.contains(&node);
        self.can_win(node, &near) && !(stays && self.without_quorum(&near).is_none())
    }

    /// Whether a node can be elected by those alone with whom it is linked both ways and who are not `deposed`, has a quorum
    /// of every configuration among them, and does not step down when a joint one is left. None of them may want to lead
    /// more: once they have its entries, they would not elect it again.
    fn reigns_over(&self, node: ProcessId, core: &Core, deposed: &[ProcessId]) -> bool {
        let near: Vec<ProcessId> = core.near(node).filter(|one| !deposed.contains(one)).collect();
        let stays = self.standing(node).members.voters.contains(&node);
        let wants = |one: ProcessId| self.standing(one).priority;
        let all_vote = near.iter().all(|one| self.votes_for(*one, node) && wants(*one) <= wants(node));
        stays && all_vote && self.without_quorum(&near).is_none() && self.can_win(node, &near)
    }

    /// Whether `core` can live with all that `node`, outside of it, spreads until it steps down.
    fn may_tell(&self, node: ProcessId, core: &[ProcessId]) -> bool {
        let standing = self.standing(node);
        let is_in_force = standing.members_index <= self.committed;
        !standing.leads || is_in_force || standing.members.is_quorum(|one| core.contains(&one))
    }

    /// Everybody, over every link.
    pub(super) fn everybody(&self) -> Core {
        Core::full(self.all().collect())
    }

    /// Draws a core: starts from all who may be members and leaves drawn ones out for as long as the rest can live.
    pub(super) fn draw(&self, asked: Connectivity, stream: &mut Stream) -> Core {
        let mut nodes: Vec<ProcessId> = self.candidates();
        if !self.lives(&nodes) {
            return Core { instead: Some("nobody can be spared"), ..self.everybody() };
        }
        let mut order = nodes.clone();
        stream.shuffle(&mut order);
        let mut spare = stream.between(1, order.len() as u64);
        for node in order {
            let rest: Vec<ProcessId> = nodes.iter().copied().filter(|other| *other != node).collect();
            if spare > 0 && self.lives(&rest) {
                nodes = rest;
                spare -= 1;
            }
        }
        let asked = match asked {
            Connectivity::Any => *stream.pick(&[
                Connectivity::Full,
                Connectivity::Bridge,
                Connectivity::Chain,
                Connectivity::Ring,
                Connectivity::OneWayExtras,
            ]),
            asked => asked,
        };
        match asked {
            Connectivity::Full | Connectivity::Any => Core::full(nodes),
            Connectivity::Bridge | Connectivity::Chain | Connectivity::Ring => {
                self.sparse(nodes, asked, stream)
            }
            Connectivity::OneWayExtras => self.with_extras(nodes, stream),
        }
    }

    /// Those whose disks let them run and who are members somewhere that counts.
    fn candidates(&self) -> Vec<ProcessId> {
        let runs: Vec<ProcessId> = self.all().filter(|node| self.standing(*node).boots).collect();
        let belongs = |node: &ProcessId| self.relevant(&runs).any(|members| members.contains(*node));
        runs.iter().copied().filter(belongs).collect()
    }

    /// The core over fewer links, if it can live so; over all of them if not.
    fn sparse(&self, nodes: Vec<ProcessId>, shape: Connectivity, stream: &mut Stream) -> Core {
        /// How many orders are tried.
        const TRIES: u32 = 8;
        let full = Core::full(nodes.clone());
        if !nodes.iter().all(|node| self.standing(*node).is_guarded) {
            return Core { instead: Some("somebody has no pre_vote or no check_quorum"), ..full };
        }
        let mut order = nodes;
        for _ in 0..TRIES {
            stream.shuffle(&mut order);
            let mut pairs: Vec<(ProcessId, ProcessId)> = if shape == Connectivity::Bridge {
                order[1..].iter().map(|node| (order[0], *node)).collect()
            } else {
                order.windows(2).map(|pair| (pair[0], pair[1])).collect()
            };
            if shape == Connectivity::Ring {
                pairs.extend((order.len() > 2).then(|| (order[order.len() - 1], order[0])));
            }
            let links = pairs.into_iter().flat_map(|(one, other)| [(one, other), (other, one)]).collect();
            let core = Core { links, connectivity: shape, ..full.clone() };
            if self.lives_over(&core) {
                return core;
            }
        }
        Core { instead: Some("nobody could be elected over fewer links"), ..full }
    }

    /// The core over all of its links, and over drawn ones to nodes outside or from there, one way.
    ///
    /// Whom one who cannot hear speaks to, he could disturb for good: by asking for votes again and again, or by leading on
    /// without followers. So links from outside are drawn only where both ends, and all of the core, have pre_vote and
    /// check_quorum. And who leads on must have no configuration to tell of that the core has no quorum in.
    fn with_extras(&self, nodes: Vec<ProcessId>, stream: &mut Stream) -> Core {
        let mut core = Core::full(nodes);
        let guarded = core.nodes.iter().all(|node| self.standing(*node).is_guarded);
        core.connectivity = Connectivity::OneWayExtras;
        for outside in self.all().filter(|node| !core.nodes.contains(node)).collect::<Vec<_>>() {
            let inside = core.nodes[stream.index(core.nodes.len())];
            match stream.below(3) {
                0 if guarded && self.standing(outside).is_guarded && self.may_tell(outside, &core.nodes) => {
                    core.links.insert((outside, inside));
                }
                0 | 1 => {
                    core.links.insert((inside, outside));
                }
                _ => {}
            }
        }
        core
    }
}

impl Core {
    fn full(nodes: Vec<ProcessId>) -> Self {
        let pairs = nodes.iter().flat_map(|from| nodes.iter().map(move |to| (*from, *to)));
        let links = pairs.filter(|(from, to)| from != to).collect();
        Self { nodes, links, connectivity: Connectivity::Full, instead: None }
    }

    pub(super) fn contains(&self, node: ProcessId) -> bool {
        self.nodes.binary_search(&node).is_ok()
    }

    /// A node of the core and those of the core with whom it is linked both ways.
    pub(super) fn near(&self, node: ProcessId) -> impl Iterator<Item = ProcessId> + use<'_> {
        self.nodes.iter().copied().filter(move |other| {
            let linked = |from, to| self.links.contains(&(from, to));
            *other == node || (linked(node, *other) && linked(*other, node))
        })
    }
}

#[cfg(test)]
mod tests;
