//! Healing a core, and breaking all else for good.

use super::core::Core;
use crate::adapter::Request;
use crate::execute::build::disks;
use crate::execute::{Halt, Runner, everybody};
use crate::scenario::{Nodes, Step, Target};
use sim_core::{ClockChange, DiskQuality, Fault, InFlight, Latency, LinkQuality, ProcessId, Ratio, Span};

impl Runner<'_> {
    /// Heals the core: cuts, held messages, crashes, pauses, pins, disks, clocks, losses and slowness of its links, state
    /// machines that hold back. Clients are there for it alone, and begin nothing more. All else stays as broken as it is,
    /// and is cut off from everybody.
    pub(super) fn mend(&mut self, core: &Core) -> Result<(), Halt> {
        self.sim.unpin_all();
        self.inject(&Fault::Heal)?;
        self.cut_off(core)?;
        let clients: Vec<ProcessId> = self.memory.clients.everybody().collect();
        for process in core.nodes.iter().chain(&clients).copied() {
            self.mend_process(process)?;
        }
        let quality = self.healed();
        let healed: Vec<ProcessId> = core.nodes.iter().chain(&clients).copied().collect();
        for from in healed.iter().copied() {
            for to in healed.iter().copied().filter(|to| *to != from) {
                if self.sim.quality(from, to) != quality {
                    self.inject(&Fault::SetQuality { from, to, quality })?;
                }
            }
        }
        // Those who call for steps have been told what to do, and are waited for.
        for client in self.memory.clients.workers() {
            self.sim.request(client, Request::Stop);
        }
        Ok(())
    }

    /// Loses what is on its way, and lets who is paused take in what has arrived: it could bring the core a configuration
    /// that it is not chosen for.
    pub(super) fn settle(&mut self) -> Result<(), Halt> {
        let everything = Fault::DropPending { from: None, to: None, kind: None };
        self.inject(&everything)?;
        for process in everybody(&self.sim) {
            if self.sim.is_paused(process) {
                self.inject(&Fault::Resume { process })?;
            }
        }
        self.run_to(self.sim.now(), |_| false)?;
        self.inject(&everything)
    }

    /// Those outside the core are cut off, and half of those who run crash: one draw for each of them.
    fn cut_off(&mut self, core: &Core) -> Result<(), Halt> {
        let nodes: Vec<ProcessId> = everybody(&self.sim).collect();
        let speaks = |node: ProcessId| core.links.iter().any(|(from, to)| *from == node || *to == node);
        let outside: Vec<ProcessId> = nodes.iter().copied().filter(|node| !core.contains(*node)).collect();
        let in_flight = InFlight::Drop;
        let mut draws = self.draws(&"the end");
        for node in outside {
            if draws.coin() {
                self.inject(&Fault::Crash { process: node })?;
            }
            if !speaks(node) {
                self.inject(&Fault::Isolate { process: node, in_flight })?;
                continue;
            }
            for client in self.memory.clients.everybody() {
                self.inject(&Fault::Cut { from: client, to: node, in_flight })?;
                self.inject(&Fault::Cut { from: node, to: client, in_flight })?;
            }
        }
        // Who is alone in the core speaks to nobody, and is not cut off from its clients.
        for from in nodes.iter().copied().filter(|node| speaks(*node)) {
            for to in nodes.iter().copied().filter(|to| *to != from && speaks(*to)) {
                if !core.links.contains(&(from, to)) {
                    self.inject(&Fault::Cut { from, to, in_flight })?;
                }
            }
        }
        Ok(())
    }

    fn mend_process(&mut self, process: ProcessId) -> Result<(), Halt> {
        let is_node = process.0 < self.scenario.nodes;
        if is_node {
            self.release_timers(process);
            self.inject(&Fault::HealDisk { process })?;
            let quality = self.healed_disk(process);
            if self.sim.disk_quality(process) != quality {
                self.inject(&Fault::SetDisk { process, quality: Box::new(quality) })?;
            }
        }
        self.inject(&Fault::SetClock { process, clock: ClockChange::Drift { ppm: 0 } })?;
        if self.sim.is_paused(process) {
            self.inject(&Fault::Resume { process })?;
        }
        if !self.sim.is_up(process) {
            self.inject(&Fault::Restart { process })?;
        }
        let holds = self
            .sim
            .process(process)
            .and_then(|member| member.node())
            .is_some_and(|node| node.holds_applies());
        if holds {
            self.note_down(Step::ReleaseApplies(Nodes { nodes: Target::Node(process.0) }));
            self.sim.request(process, Request::HoldApplies(false));
        }
        Ok(())
    }

    /// A healed link: the usual one without its losses, and fast enough. Raft promises to live only where a message
    /// takes well below an election timeout (Raft §5.6), so no more than a tenth of the shortest.
    pub(super) fn healed(&self) -> LinkQuality {
        let usual = self.scenario.network.quality();
        let latency = fast_enough(usual.latency, self.fast());
        let never = Ratio::ZERO;
        LinkQuality { latency, loss: never, duplicate: never, reorder: never, corrupt: never, ..usual }
    }

    /// A healed disk: the usual one, and fast enough for the same reason.
    pub(super) fn healed_disk(&self, node: ProcessId) -> DiskQuality {
        let usual = disks::quality(&self.scenario.storage.of(node.0));
        let fast = self.fast();
        DiskQuality {
            write: fast_enough(usual.write, fast),
            notice: fast_enough(usual.notice, fast),
            ..usual
        }
    }

    /// How long a message or a write may take at most in a healed world: a tenth of the shortest election timeout, and a
    /// tenth of the range that timeouts are drawn from, or those who stand would mostly stand at once.
    pub(super) fn fast(&self) -> Span {
        let timeouts = || everybody(&self.sim).map(|node| self.scenario.options_of(node.0).election_timeout);
        let shortest = timeouts().map(|(min, _)| min).min().unwrap_or_default().nanos();
        let range = timeouts().map(|(min, max)| max.nanos() - min.nanos()).filter(|range| *range > 0).min();
        Span::from_nanos(shortest.min(range.unwrap_or(shortest)) / 10)
    }

    /// The longest that a message or a write that is under way may take yet.
    pub(super) fn longest_delay(&self) -> Span {
        let link = |from, to| {
            let quality = self.sim.quality(from, to);
            quality.latency.longest().plus(quality.reorder_by)
        };
        let all = || ProcessId::all(self.sim.count());
        let links = all().flat_map(|from| all().filter(move |to| *to != from).map(move |to| (from, to)));
        let link = links.map(|(from, to)| link(from, to)).max().unwrap_or_default();
        let disk = |node| {
            let quality = self.sim.disk_quality(node);
            quality.write.longest().plus(quality.notice.longest())
        };
        link.plus(everybody(&self.sim).map(disk).max().unwrap_or_default())
    }
}

/// `usual` if it is never longer than `bound`, else something that is.
fn fast_enough(usual: Latency, bound: Span) -> Latency {
    if usual.longest() <= bound { usual } else { Latency::Uniform(bound.min(Span::from_millis(1)), bound) }
}
