//! Steps about processes as such: crashes, pauses, clocks and timers.

use crate::adapter::{ELECTION, HEARTBEAT, Request};
use crate::execute::build::{clocks, disks};
use crate::execute::{Halt, Runner};
use crate::scenario::{
    Crash, CrashAt, CrashPoint, Keep, Nodes, OperationRef, SetClock, Step, Tick, TimerKind,
};
use sim_core::{ClockChange, CrashMode, Fault, ProcessId, Span, TimerId, Unsynced};

/// The timers of Raft itself, which steps hold and tick.
const TIMERS: [TimerId; 2] = [ELECTION, HEARTBEAT];

/// How long a node that is shut down may take to finish what it is writing.
const SHUTDOWN_MAX: Span = Span::from_secs(1);

impl Runner<'_> {
    pub(super) fn processes(&mut self, step: &Step) -> Result<(), Halt> {
        match step {
            Step::Crash(crash) => self.crash(step, crash),
            Step::CrashAt(crash) => self.crash_at(step, crash),
            Step::Disarm(nodes) => self.disarm(step, nodes),
            Step::SetCrashMode(set) => {
                for process in self.told_nodes(step, &set.nodes, "")? {
                    let mode = changed(self.sim.crash_mode(process), set.keep, set.torn);
                    self.inject(&Fault::SetCrashMode { process, mode })?;
                }
                Ok(())
            }
            Step::Restart(nodes) => self.restart(step, nodes),
            Step::Shutdown(nodes) => self.shutdown(step, nodes),
            Step::Pause(nodes) => self.each(step, &nodes.nodes, "", |process| Fault::Pause { process }),
            Step::Resume(nodes) => self.each(step, &nodes.nodes, "", |process| Fault::Resume { process }),
            Step::SetClock(set) => self.set_clock(step, set),
            Step::Tick(tick) => self.tick(step, tick),
            Step::HoldTimers(nodes) => {
                for node in self.told_nodes(step, &nodes.nodes, "")? {
                    TIMERS.into_iter().for_each(|timer| self.sim.hold_timer(node, timer));
                }
                Ok(())
            }
            Step::ReleaseTimers(nodes) => {
                for node in self.told_nodes(step, &nodes.nodes, "")? {
                    self.release_timers(node);
                }
                Ok(())
            }
            other => unreachable!("`{}` belongs to another room", other.verb()),
        }
    }

    /// What this crash keeps is said for this crash only.
    fn crash(&mut self, step: &Step, crash: &Crash) -> Result<(), Halt> {
        for process in self.told_nodes(step, &crash.nodes, "")? {
            let usual = self.sim.crash_mode(process);
            let mode = changed(usual, crash.keep, crash.torn);
            if mode != usual {
                self.inject(&Fault::SetCrashMode { process, mode })?;
            }
            self.inject(&Fault::Crash { process })?;
            if mode != usual {
                self.inject(&Fault::SetCrashMode { process, mode: usual })?;
            }
        }
        Ok(())
    }

    fn crash_at(&mut self, step: &Step, crash: &CrashAt) -> Result<(), Halt> {
        let process = self.one(step, &crash.node)?;
        let when = match crash.when {
            CrashPoint::Before => sim_core::CrashPoint::Before,
            CrashPoint::Torn => sim_core::CrashPoint::Torn,
            CrashPoint::After => sim_core::CrashPoint::After,
        };
        match crash.operation {
            OperationRef::Number(operation) => {
                self.say(format!("crash at {process}, storage operation {operation}"));
                self.inject(&Fault::CrashAt { process, operation, when })
            }
            OperationRef::Coming(coming) => {
                self.say(format!("crash at {process}, storage operation {coming} to come"));
                self.inject(&Fault::CrashAtComing { process, coming, when })
            }
        }
    }

    /// What has been ordered of a disk and has not come.
    fn disarm(&mut self, step: &Step, nodes: &Nodes) -> Result<(), Halt> {
        for process in self.told_nodes(step, &nodes.nodes, "")? {
            self.inject(&Fault::DisarmCrash { process })?;
            self.inject(&Fault::FailOperation { process, nth: 0 })?;
            self.inject(&Fault::FailSync { process, nth: 0, unsynced: Unsynced::Gone })?;
        }
        Ok(())
    }

    /// A state machine that is stalled stays so.
    fn restart(&mut self, step: &Step, nodes: &Nodes) -> Result<(), Halt> {
        for process in self.told_nodes(step, &nodes.nodes, "")? {
            let was_down = !self.sim.is_up(process);
            self.inject(&Fault::Restart { process })?;
            if was_down && self.held_applies.contains(&process) {
                self.ask(process, Request::HoldApplies(true));
            }
        }
        Ok(())
    }

    /// A paused node begins nothing more, and its disk goes on.
    fn shutdown(&mut self, step: &Step, nodes: &Nodes) -> Result<(), Halt> {
        let nodes = self.told_nodes(step, &nodes.nodes, "")?;
        for process in &nodes {
            self.inject(&Fault::Pause { process: *process })?;
        }
        let deadline = self.sim.now().after(SHUTDOWN_MAX);
        let writes = |sim: &crate::execute::Cluster<'_>| {
            nodes.iter().copied().find(|node| sim.is_up(*node) && sim.syncs_under_way(*node) > 0)
        };
        if writes(&self.sim).is_some() {
            self.run_to(deadline, |sim| writes(sim).is_none())?;
        }
        if let Some(node) = writes(&self.sim) {
            let what = format!("the disk of node {node} has not finished within {SHUTDOWN_MAX}");
            return Err(self.unmet(format!("{what}: `release_writes` it first, or `crash` the node")));
        }
        nodes.into_iter().try_for_each(|process| self.inject(&Fault::Crash { process }))
    }

    fn set_clock(&mut self, step: &Step, set: &SetClock) -> Result<(), Halt> {
        let rate = clocks::rate(set.drift, set.periodic);
        let jump = set.step.map(|jump| {
            let by = jump.span();
            if jump.is_back() { ClockChange::Back { by } } else { ClockChange::Ahead { by } }
        });
        for process in self.told_nodes(step, &set.nodes, "")? {
            for clock in rate.into_iter().chain(jump) {
                self.void_what_leases_promise(process, clock);
                self.inject(&Fault::SetClock { process, clock })?;
            }
        }
        Ok(())
    }

    /// Lets the timers of a node run again.
    pub(in crate::execute) fn release_timers(&mut self, node: ProcessId) {
        TIMERS.into_iter().for_each(|timer| self.sim.release_timer(node, timer));
    }

    fn tick(&mut self, step: &Step, tick: &Tick) -> Result<(), Halt> {
        let (timer, name) = match tick.timer {
            TimerKind::Election => (ELECTION, ", election"),
            TimerKind::Heartbeat => (HEARTBEAT, ", heartbeat"),
        };
        for node in self.told_nodes(step, &tick.nodes, name)? {
            self.sim.fire_timer(node, timer);
        }
        Ok(())
    }
}

/// `usual` with what a step says put over it.
fn changed(usual: CrashMode, keep: Option<Keep>, torn: Option<bool>) -> CrashMode {
    CrashMode { kept: keep.map_or(usual.kept, disks::kept), torn: torn.unwrap_or(usual.torn) }
}
