//! A small storm: messages lost, doubled and out of order, late disks, crashes; and what must hold all the
//! same.

use std::collections::BTreeMap;

use crate::world::{Chance, Host};
use raft_node::{
    Entry, Event, Input, Message, NodeId, Options, Output, Outputs, Payload, PersistId, RoleKind, Timer,
};

/// A cluster, a network, and what was ever seen.
pub(crate) struct Storm {
    hosts: Vec<Host>,
    /// Writes that are on the disk and of which the node has not been told.
    done: Vec<Vec<PersistId>>,
    network: Vec<(NodeId, NodeId, Message)>,
    chance: Chance,
    leaders: BTreeMap<u64, NodeId>,
    /// What was applied at each index, by whoever was first.
    applied: Vec<Entry>,
    proposals: u64,
    /// The first property that did not hold.
    broken: Option<String>,
}

/// How stormy it is: one in so many.
#[derive(Clone, Copy)]
pub(crate) struct Weather {
    pub(crate) nodes: u16,
    pub(crate) crash: u64,
    pub(crate) election: u64,
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
}

pub(crate) const ROUGH: Weather = Weather { nodes: 5, crash: 150, election: 60, lost: 10, doubled: 5 };

impl Storm {
    pub(crate) fn new(seed: u64, weather: Weather, options: &Options) -> Self {
        let hosts = (0..weather.nodes).map(|id| Host::with(id, weather.nodes, 0, None, &[], options.clone()));
        Self {
            hosts: hosts.collect(),
            done: vec![Vec::new(); usize::from(weather.nodes)],
            network: Vec::new(),
            chance: Chance::new(seed),
            leaders: BTreeMap::new(),
            applied: Vec::new(),
            proposals: 0,
            broken: None,
        }
    }

    /// `steps` random things happen; the first property that breaks.
    pub(crate) fn rage(&mut self, weather: Weather, steps: u32) -> Option<String> {
        for _ in 0..steps {
            self.something_happens(weather);
            if self.broken.is_some() {
                break;
            }
        }
        self.broken.take()
    }

    fn something_happens(&mut self, weather: Weather) {
        let node = self.chance.index(self.hosts.len());
        if self.chance.one_in(weather.crash) {
            let kept = self.chance.index(self.hosts[node].writes.len() + 1);
            self.write(node, kept);
            self.done[node].clear();
            self.hosts[node].restart();
            return self.check_memory(node);
        }
        if self.chance.one_in(weather.election) {
            return self.tell(node, Input::TimerFired(Timer::Election));
        }
        match self.chance.below(10) {
            0 => self.tell(node, Input::TimerFired(Timer::Heartbeat)),
            1 => {
                self.proposals += 1;
                let command = Payload::new(&self.proposals.to_le_bytes());
                self.tell(node, Input::Propose(command));
            }
            2 | 3 => {
                let count = self.chance.index(self.hosts[node].writes.len() + 1);
                self.write(node, count);
                if !self.done[node].is_empty() {
                    let told = self.chance.index(self.done[node].len());
                    let id = self.done[node].swap_remove(told);
                    self.tell(node, Input::Persisted(id));
                }
            }
            _ if self.network.is_empty() => {}
            _ => {
                // Mostly in order, so that something comes about.
                let among =
                    if self.chance.one_in(4) { self.network.len() } else { self.network.len().min(4) };
                let position = self.chance.index(among);
                let (from, to, message) = if self.chance.one_in(weather.doubled) {
                    self.network[position].clone()
                } else {
                    self.network.remove(position)
                };
                if !self.chance.one_in(weather.lost) {
                    self.tell(usize::from(to.0), Input::Message { from, message });
                }
            }
        }
    }

    fn write(&mut self, node: usize, count: usize) {
        let Host { writes, disk, .. } = &mut self.hosts[node];
        for (id, write) in writes.drain(..count) {
            disk.apply(write);
            self.done[node].push(id);
        }
    }

    fn breaks(&mut self, what: String) {
        self.broken.get_or_insert(what);
    }

    fn tell(&mut self, node: usize, input: Input) {
        let before = self.hosts[node].view();
        let (role, commit) = (before.role, before.commit_index);
        let out = self.hosts[node].step(input);
        self.judge(node, role, commit.0, &out);
        let from = self.hosts[node].config.id;
        for output in out {
            if let Output::Send { to, message } = output {
                self.network.push((from, to, message));
            }
        }
    }

    fn judge(&mut self, node: usize, role: RoleKind, commit: u64, out: &Outputs) {
        let id = self.hosts[node].config.id;
        for output in out {
            match output {
                Output::Send { to, message } => {
                    if let Some(broken) = self.hosts[node].broken_promise(*to, message) {
                        self.breaks(broken);
                    }
                }
                Output::Event(Event::Role { role: RoleKind::Leader, term }) => {
                    let first = *self.leaders.entry(term.0).or_insert(id);
                    if first != id {
                        self.breaks(format!("election_safety: {first} and {id} lead term {term}"));
                    }
                    self.check_leader_completeness(node);
                }
                Output::Event(Event::Truncated { from }) => {
                    if role == RoleKind::Leader && self.hosts[node].view().role == RoleKind::Leader {
                        self.breaks(format!("leader_append_only: {id} removes {from}"));
                    }
                    if from.0 <= commit {
                        self.breaks(format!("no_truncation_below_commit: {id} removes {from} of {commit}"));
                    }
                }
                Output::Apply { index, entry } => self.check_applied(id, index.0, entry),
                Output::Event(Event::Committed(index)) => self.check_commit(node, index.0),
                Output::Event(_)
                | Output::Persist { .. }
                | Output::SetTimer { .. }
                | Output::RearmTimer(_)
                | Output::CancelTimer(_)
                | Output::Accepted { .. }
                | Output::Refused { .. } => {}
            }
        }
    }

    /// A leader decides only on entries of its own term.
    fn check_commit(&mut self, node: usize, index: u64) {
        let view = self.hosts[node].view();
        let position = usize::try_from(index - 1).expect("an index fits");
        let own = view.log[position].term == view.term;
        if view.role == RoleKind::Leader && !own {
            let (id, term) = (view.id, view.term);
            self.breaks(format!("commit_legality: {id} commits {index} of an earlier term in {term}"));
        }
    }

    fn check_applied(&mut self, id: NodeId, index: u64, entry: &Entry) {
        let position = usize::try_from(index - 1).expect("an index fits");
        match self.applied.get(position) {
            Some(first) if first == entry => {}
            Some(first) => {
                let (ours, theirs) = (entry.term, first.term);
                self.breaks(format!(
                    "state_machine_safety: {id} applies {index}/{ours}, not {index}/{theirs}"
                ));
            }
            None => {
                // Nobody can apply what no majority has stored.
                let stored =
                    self.hosts.iter().filter(|host| host.disk.log.get(position) == Some(entry)).count();
                if stored <= self.hosts.len() / 2 {
                    self.breaks(format!("commit_legality: {index}/{} is on {stored} disks", entry.term));
                }
                self.applied.push(entry.clone());
            }
        }
    }

    fn check_leader_completeness(&mut self, node: usize) {
        let view = self.hosts[node].view();
        let (id, term) = (view.id, view.term);
        let earlier = self.applied.iter().take_while(|entry| entry.term < term);
        let missing = earlier.zip(view.log).filter(|(applied, ours)| applied != ours).count();
        let too_short = self.applied.iter().filter(|entry| entry.term < term).count() > view.log.len();
        if missing > 0 || too_short {
            self.breaks(format!("leader_completeness: {id} leads term {term} without what is committed"));
        }
    }

    /// After a restart: what the new life remembers is what the old one promised.
    fn check_memory(&mut self, node: usize) {
        let host = &self.hosts[node];
        let (id, term) = (host.config.id, host.term());
        if host.disk.hard != (raft_node::HardState { term: host.view().term, vote: host.view().vote }) {
            self.breaks(format!("monotonic_durable_term: {id} wakes in term {term}"));
        }
    }

    /// Calm: every message arrives, every write is done, nobody crashes; what the cluster has come to.
    fn calm(&mut self) {
        for round in 0..40 {
            for node in 0..self.hosts.len() {
                let leads = self.hosts[node].view().role == RoleKind::Leader;
                if leads {
                    self.tell(node, Input::TimerFired(Timer::Heartbeat));
                } else if round % 8 == 0 && round / 8 == node {
                    self.tell(node, Input::TimerFired(Timer::Election));
                }
            }
            self.settle();
        }
        self.proposals += 1;
        let command = Payload::new(&self.proposals.to_le_bytes());
        let leader = self.hosts.iter().position(|host| host.view().role == RoleKind::Leader);
        let leader = leader.expect("a calm cluster has a leader");
        self.tell(leader, Input::Propose(command));
        for _ in 0..3 {
            self.settle();
            self.tell(leader, Input::TimerFired(Timer::Heartbeat));
        }
        self.settle();
    }

    fn settle(&mut self) {
        loop {
            for node in 0..self.hosts.len() {
                self.write(node, self.hosts[node].writes.len());
                for id in core::mem::take(&mut self.done[node]) {
                    self.tell(node, Input::Persisted(id));
                }
            }
            if self.network.is_empty() {
                if self.hosts.iter().all(|host| host.writes.is_empty()) {
                    return;
                }
                continue;
            }
            let (from, to, message) = self.network.remove(0);
            self.tell(usize::from(to.0), Input::Message { from, message });
        }
    }
}

#[test]
fn a_storm_breaks_nothing_and_a_calm_cluster_agrees() {
    let (mut committed, mut elected) = (0, 0);
    for seed in 0..400 {
        let weather = Weather { nodes: [3, 5, 4, 1, 7][usize::try_from(seed % 5).unwrap()], ..ROUGH };
        let options = Options {
            noop_on_election: seed % 2 == 0,
            entries_per_append_max: if seed % 3 == 0 { 2 } else { 64 },
            ..Options::default()
        };
        let mut storm = Storm::new(seed, weather, &options);
        assert_eq!(storm.rage(weather, 1500), None, "seed {seed}");
        (committed, elected) = (committed + storm.applied.len(), elected + storm.leaders.len());
        storm.calm();
        assert_eq!(storm.broken, None, "seed {seed}");
        for host in &storm.hosts {
            assert_eq!(host.view().log, storm.applied, "seed {seed}");
            assert_eq!(host.disk.log, storm.applied, "seed {seed}");
            assert_eq!(host.view().applied_index, host.view().last_log_index, "seed {seed}");
        }
    }
    assert!(elected > 1000, "{elected} leaders: the storm is too strong or too weak");
    assert!(committed > 1000, "{committed} entries: the storm is too strong or too weak");
}

#[test]
fn equal_inputs_give_equal_outputs() {
    let run = || {
        let mut storm = Storm::new(1, ROUGH, &Options::default());
        assert_eq!(storm.rage(ROUGH, 3000), None);
        storm.hosts.into_iter().map(|host| host.node).collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}
