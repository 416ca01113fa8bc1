//! The proof that a cluster can still live: everybody is healed, or a core of it while all else breaks for good; then
//! it must elect, commit, agree, answer and come to rest.
//!
//! `core.rs` draws the core, `mend.rs` heals it, `live.rs` asks what must come, `budget.rs` says within what time.

mod budget;
mod core;
mod live;
mod mend;

use crate::adapter::{self, LOG, SNAPSHOT, TAIL, found};
use crate::execute::build::membership;
use crate::execute::{Halt, Runner, everybody};
use crate::record::Members;
use crate::scenario::{Connectivity, Core as Asked, End, Live};
use crate::violation::Property;
use core::{Cluster, Core, Standing};
use sim_core::{Fault, ProcessId};
use std::sync::Arc;

impl Runner<'_> {
    pub(super) fn end(&mut self) -> Result<(), Halt> {
        let scenario = self.scenario;
        let committed = self.sim.observer().0.canon().last_index();
        self.sim.observer_mut().1.1.0.steps_done(committed);
        match &scenario.end {
            End::Stop(_) => Ok(()),
            End::Live(live) => {
                self.place = vec!["end".to_string()];
                self.stop_who_was_failed()?;
                let core = self.core(live)?;
                // What is slow now is on its way yet when all is fast.
                let stragglers = self.longest_delay();
                self.mend(&core)?;
                let refused: Vec<ProcessId> =
                    core.nodes.iter().copied().filter(|node| !self.sim.is_up(*node)).collect();
                if self.is_excused(&core, &refused) {
                    return Ok(());
                }
                let budget = live.within.unwrap_or_else(|| self.budget().plus(stragglers));
                match self.live(&core, &refused, budget) {
                    // What had waited at a paused node may have been a configuration that needs whom its disk refuses. Who
                    // has stopped since is not excused.
                    Err(Halt::Failed(dead)) if dead.property == Property::Convergence => {
                        if self.is_excused(&core, &refused) { Ok(()) } else { Err(Halt::Failed(dead)) }
                    }
                    lived => lived,
                }
            }
        }
    }

    /// Whom its disk has failed, and who has not heard of it, stops when it hears: now, before it is counted on.
    fn stop_who_was_failed(&mut self) -> Result<(), Halt> {
        for process in everybody(&self.sim) {
            if self.sim.is_up(process) && self.sim.sync_will_fail(process) {
                self.inject(&Fault::Crash { process })?;
            }
        }
        // A disk that lied has lost it now, and the node starts again at once.
        self.void_what_was_lost();
        Ok(())
    }

    fn core(&mut self, live: &Live) -> Result<Core, Halt> {
        match live.core {
            Asked::All => {
                self.say("end: heal everything, then live".to_string());
                Ok(self.surveyed().everybody())
            }
            Asked::Quorum(quorum) => {
                self.settle()?;
                // Who was paused has heard of it by now, or is about to.
                self.stop_who_was_failed()?;
                let mut draws = self.draws(live);
                let core = self.surveyed().draw(quorum.connectivity, &mut draws);
                let names: Vec<String> = core.nodes.iter().map(ToString::to_string).collect();
                let shape = match core.connectivity {
                    Connectivity::Full | Connectivity::Any => "every link",
                    Connectivity::Bridge => "a bridge",
                    Connectivity::Chain => "a chain",
                    Connectivity::Ring => "a ring",
                    Connectivity::OneWayExtras => "every link, and some one way to others or from there",
                };
                let instead = core.instead.map(|why| format!(" ({why})")).unwrap_or_default();
                self.say(format!("end: heal {} over {shape}{instead}, then live", names.join(",")));
                Ok(core)
            }
        }
    }

    /// What is known of every node.
    fn surveyed(&self) -> Cluster {
        let canon = self.sim.observer().0.canon();
        let committed = canon.last_index();
        let in_force = canon.members_at(committed).cloned();
        let settled = in_force.into_iter().chain((committed > 0).then(|| canon.committed_under().clone()));
        let mut settled: Vec<Members> = settled.filter(|members| !members.voters.is_empty()).collect();
        if settled.is_empty() {
            // Nobody told of any, or nothing was committed: the one that the cluster began with.
            settled.extend(
                everybody(&self.sim)
                    .map(|node| self.first_members(node))
                    .find(|members| !members.voters.is_empty()),
            );
        }
        settled.dedup();
        Cluster { nodes: everybody(&self.sim).map(|node| self.standing(node)).collect(), committed, settled }
    }

    fn first_members(&self, node: ProcessId) -> Members {
        adapter::members(&membership(self.scenario, node))
    }

    fn standing(&self, node: ProcessId) -> Standing {
        let raft = self.scenario.options_of(node.0);
        let mut standing = Standing {
            members: Arc::default(),
            members_index: 0,
            last: (0, 0),
            priority: raft.priority,
            is_guarded: raft.pre_vote && raft.check_quorum,
            leads: false,
            boots: true,
        };
        let mirror = &self.sim.observer().0.mirror().nodes[node.index()];
        if mirror.up {
            standing.leads = mirror.leads();
            standing.members = Arc::clone(&mirror.members);
            standing.members_index = mirror.members_index;
            standing.last = (mirror.log.last_term(), mirror.log.last_index());
            return standing;
        }
        let file = |file| self.sim.file(node, file);
        match found(file(LOG), file(TAIL), file(SNAPSHOT)) {
            Ok(found) => {
                standing.members = Arc::new(found.members.unwrap_or_else(|| self.first_members(node)));
                standing.members_index = found.members_index;
                standing.last = found.last;
            }
            Err(_) => standing.boots = false,
        }
        standing
    }

    fn is_excused(&mut self, core: &Core, refused: &[ProcessId]) -> bool {
        let why = self.excuse(core, refused);
        if let Some(why) = &why {
            self.say(format!("end: the cluster is not asked to live: {why}"));
        }
        self.excused = why;
        self.excused.is_some()
    }

    /// Why the core cannot be asked to live: its disks do not let a quorum of it run, those of the `refused`, or have lost what
    /// was committed. Within the fault model neither can be (the oracle of durability sees to that), so nothing is excused
    /// there.
    fn excuse(&self, core: &Core, refused: &[ProcessId]) -> Option<String> {
        let cluster = self.surveyed();
        let runs: Vec<ProcessId> =
            core.nodes.iter().copied().filter(|node| !refused.contains(node)).collect();
        let refused: Vec<String> = refused.iter().map(ToString::to_string).collect();
        if let Some(members) = cluster.without_quorum(&runs)
            && !refused.is_empty()
        {
            let voters: Vec<String> = members.voters.iter().map(ToString::to_string).collect();
            let (refused, voters) = (refused.join(","), voters.join(","));
            return Some(format!(
                "the disks of {refused} let them not run, and no quorum of {voters} is left"
            ));
        }
        let canon = self.sim.observer().0.canon();
        let end = canon.last_index();
        let holds = |node: ProcessId| {
            self.asking().node(node).log.last_index() >= end
                && canon.agrees(&self.asking().node(node).log, end)
        };
        let anywhere = |node: ProcessId| {
            if self.sim.is_up(node) {
                holds(node)
            } else {
                canon.agrees(&self.asking().node(node).durable.log, end)
            }
        };
        if end > 0 && !canon.committed_under().is_quorum(anywhere) {
            return Some(format!("what was committed up to {end} is on the disks of no quorum any more"));
        }
        None
    }
}
