//! The proof that a cluster can still live: every fault is undone, then it must elect, commit and agree.

use crate::adapter::Request;
use crate::execute::build::options;
use crate::execute::{Halt, Runner};
use crate::record::{Hash64, MessageFacts, Note};
use crate::scenario::{Among, Committed, Count, End, NodeKey, Predicate, SingleLeader, Target};
use crate::violation::Property;
use sim_core::{Fault, Latency, LinkQuality, Observer, ProcessId, Ratio, Span};

impl<T: Observer<MessageFacts, Note>> Runner<'_, T> {
    pub(super) fn end(&mut self) -> Result<(), Halt> {
        match &self.scenario.end {
            End::Stop(_) => Ok(()),
            End::Live(live) => {
                self.place = vec!["end".to_string()];
                self.mend()?;
                let budget = live.within.unwrap_or_else(|| self.budget());
                self.live(budget)
            }
        }
    }

    /// Undoes everything: cuts, held messages, crashes, pauses, pins, losses of links, slowness of links and disks.
    fn mend(&mut self) -> Result<(), Halt> {
        self.say("end: heal everything, then live".to_string());
        self.sim.unpin_all();
        self.inject(&Fault::Heal)?;
        for process in ProcessId::all(self.sim.count()) {
            if self.sim.is_paused(process) {
                self.inject(&Fault::Resume { process })?;
            }
            if !self.sim.is_up(process) {
                self.inject(&Fault::Restart { process })?;
            }
        }
        for process in ProcessId::all(self.sim.count()) {
            let write = self.healed_write(process);
            self.sim.set_write_latency(process, write);
        }
        let quality = self.healed();
        for from in ProcessId::all(self.sim.count()) {
            for to in ProcessId::all(self.sim.count()).filter(|to| *to != from) {
                if self.sim.quality(from, to) != quality {
                    self.inject(&Fault::SetQuality { from, to, quality })?;
                }
            }
        }
        Ok(())
    }

    /// A healed link: the usual one without its losses, and fast enough. Raft promises to live only where a message
    /// takes well below an election timeout (Raft §5.6), so no more than a tenth of the shortest.
    fn healed(&self) -> LinkQuality {
        let usual = self.scenario.network.quality();
        let latency = fast_enough(usual.latency, self.fast());
        LinkQuality { latency, loss: Ratio::ZERO, duplicate: Ratio::ZERO, reorder: Ratio::ZERO, ..usual }
    }

    /// A healed disk: the usual one, and fast enough for the same reason.
    fn healed_write(&self, node: ProcessId) -> Latency {
        let storage = &self.scenario.storage;
        let usual = storage.nodes.get(&NodeKey(node.0)).map_or(storage.write, |disk| disk.write);
        fast_enough(usual, self.fast())
    }

    /// A tenth of the shortest election timeout.
    fn fast(&self) -> Span {
        let nodes = ProcessId::all(self.sim.count());
        let shortest = nodes.map(|node| options(self.scenario, node).election_timeout.0).min();
        Span::from_nanos(shortest.unwrap_or_default().nanos() / 10)
    }

    /// How long a correct cluster may take: sixty rounds of elections (even where every second one ends in a split vote,
    /// all sixty do so in less than one run in 10^18), and a round trip for each batch that a follower lacks.
    fn budget(&self) -> Span {
        let all = || ProcessId::all(self.sim.count());
        let election =
            all().map(|node| options(self.scenario, node).election_timeout.1).max().unwrap_or_default();
        let heartbeat = all().map(|node| options(self.scenario, node).heartbeat).max().unwrap_or_default();
        let write = all().map(|node| self.healed_write(node).longest()).max().unwrap_or_default();
        let trip = self.healed().latency.longest().plus(write).times(2);
        let longest =
            all().map(|node| self.asking().node(node).durable.log.last_index()).max().unwrap_or_default();
        let batch =
            all().map(|node| options(self.scenario, node).entries_per_append).min().unwrap_or(1).max(1);
        let batches = longest / u64::from(batch) + 20;
        election.plus(trip).times(60).plus(trip.times(batches)).plus(heartbeat.times(20))
    }

    fn live(&mut self, budget: Span) -> Result<(), Halt> {
        let deadline = self.sim.now().after(budget);
        let everybody = || Some(Target::All);
        let leader = Predicate::SingleLeader(SingleLeader { among: everybody(), ..SingleLeader::default() });
        let elected = Predicate::All(vec![leader, Predicate::TermsAgree(Among { among: everybody() })]);
        let count = u64::from(self.sim.count());
        for attempt in 0..u32::MAX {
            if !self.pass_until(&elected, deadline)? {
                return Err(self.dead("elect a leader that all follow", &elected, budget));
            }
            let leader = self.asking().leader().expect("one was just elected");
            let term = self.asking().node(leader).term;
            let command = self.probe(attempt);
            self.sim.request(leader, Request::propose(&command));
            let on = Some(Count::exactly(count));
            let committed =
                Predicate::Committed(Committed { command: command.clone(), on, among: everybody() });
            let synced = Predicate::Synced(Among { among: everybody() });
            let done = Predicate::All(vec![committed, synced]);
            // A new leader may have dropped the command: then it is given to that one.
            let still = Predicate::Term(crate::scenario::TermIs {
                of: everybody(),
                equals: Some(crate::scenario::TermRef::Number(term)),
                ..crate::scenario::TermIs::default()
            });
            let over = Predicate::Any(vec![done.clone(), still.negated()]);
            if !self.pass_until(&over, deadline)? {
                return Err(self.dead("commit a command everywhere and agree", &done, budget));
            }
            if self.asking().holds(&done) {
                self.say(format!("live: node {leader} leads term {term}, all agree"));
                return Ok(());
            }
        }
        unreachable!("each attempt takes time, and time runs out first")
    }

    /// A command that the scenario itself has not proposed.
    fn probe(&self, attempt: u32) -> String {
        let seen = |command: &str| {
            let hash = Hash64::of_command(command.as_bytes());
            let nodes = &self.sim.observer().0.mirror().nodes;
            let logs = nodes.iter().flat_map(|node| node.log.cells().iter().chain(node.durable.log.cells()));
            logs.into_iter().any(|cell| cell.command == hash)
        };
        let named = |suffix: &str| format!("seaworthy probe {attempt}{suffix}");
        let mut command = named("");
        let mut again = String::new();
        while seen(&command) {
            again.push('+');
            command = named(&again);
        }
        command
    }

    fn dead(&self, goal: &str, predicate: &Predicate, budget: Span) -> Halt {
        let pending = self.asking().explain(predicate).err().unwrap_or_default();
        let what = format!("healed, the cluster did not {goal} within {budget}: {pending}");
        self.failed(Property::Convergence, None, what)
    }
}

/// `usual` if it is never longer than `bound`, else something that is.
fn fast_enough(usual: Latency, bound: Span) -> Latency {
    if usual.longest() <= bound { usual } else { Latency::Uniform(bound.min(Span::from_millis(1)), bound) }
}
