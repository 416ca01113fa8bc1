//! A small storm: messages lost, doubled and out of order, late disks, crashes, memberships that change,
//! clocks that drift; and what must hold all the same.

mod calm;
mod judge;
mod machine;
mod tape;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::world::{Chance, Host, MS};
use machine::Machine;
use raft_node::{
    Change, ChangeRequest, Durable, Entry, Event, Input, LocalTime, LogIndex, Membership, Message, NodeId,
    Options, Output, Payload, PersistId, ReadId, ReadMode, Timer, Transition,
};
use tape::Tape;

/// A cluster, a network, and what was ever seen.
pub(crate) struct Storm {
    hosts: Vec<Host>,
    /// The state machine of each host.
    machines: Vec<Machine>,
    /// The disks of bytes of those who have one; the others' disks do each write wholly.
    tapes: Vec<Option<Tape>>,
    /// Writes that are on the disk and of which the node has not been told.
    done: Vec<Vec<PersistId>>,
    /// When each timer of each host runs out, and the delay that was last drawn for it; only the calm looks.
    timers: Vec<[(Option<LocalTime>, u64); 3]>,
    /// How many millionths faster than true time each clock runs, and one million.
    rates: Vec<u64>,
    /// True time, in nanoseconds.
    time: u64,
    network: Vec<(NodeId, NodeId, Message)>,
    /// Who is cut off: nothing that goes to it or comes from it arrives.
    cut: Option<NodeId>,
    chance: Chance,
    leaders: BTreeMap<u64, NodeId>,
    /// What was applied at each index, by whoever was first; and the machine after it.
    applied: Vec<Entry>,
    machine_after: Vec<Machine>,
    /// Up to here somebody knew all to be committed.
    committed: u64,
    /// Whether nobody asks for another membership.
    membership_is_fixed: bool,
    /// The membership that was applied last.
    membership: Arc<Membership>,
    /// Reads that were not answered, and what was committed when each began.
    reads: BTreeMap<ReadId, u64>,
    pub(crate) counts: Counts,
    proposals: u64,
    read_ids: u64,
    /// The first property that did not hold.
    broken: Option<String>,
}

/// What a storm has come to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) installed: u32,
    pub(crate) taken: u32,
    pub(crate) reads: u32,
    pub(crate) lease_reads: u32,
    pub(crate) changes: u32,
    pub(crate) joint: u32,
    pub(crate) handed_over: u32,
}

/// How stormy it is: one in so many.
#[derive(Clone, Copy)]
pub(crate) struct Weather {
    /// How many vote at first.
    pub(crate) nodes: u16,
    /// How many wait to be contacted.
    pub(crate) joiners: u16,
    pub(crate) crash: u64,
    pub(crate) election: u64,
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    /// Requests beyond proposals; zero for none.
    pub(crate) requests: u64,
}

pub(crate) const ROUGH: Weather =
    Weather { nodes: 5, joiners: 0, crash: 150, election: 60, lost: 10, doubled: 5, requests: 0 };

impl Storm {
    /// A storm in which all nodes are alike.
    pub(crate) fn new(seed: u64, weather: Weather, options: &Options) -> Self {
        Self::mixed(seed, weather, |_| options.clone())
    }

    /// A storm in which each node has its own options.
    pub(crate) fn mixed(
        seed: u64,
        weather: Weather,
        mut options: impl FnMut(&mut Chance) -> Options,
    ) -> Self {
        let mut chance = Chance::new(seed);
        let has_bytes = draws(seed, 1).one_in(2);
        let founders = crate::world::voters(&(0..weather.nodes).collect::<Vec<_>>());
        let count = weather.nodes + weather.joiners;
        let hosts: Vec<Host> = (0..count)
            .map(|id| {
                let founds = id < weather.nodes;
                let membership = if founds { founders.clone() } else { Membership::default() };
                Host::boot(id, membership, Durable::default(), options(&mut chance))
            })
            .collect();
        let drift =
            u64::from(hosts.iter().map(|host| host.config.options.clock_drift_max_ppm).min().unwrap_or(0));
        let count = usize::from(count);
        let mut storm = Self {
            machines: vec![Machine::default(); count],
            // One storm in two is on disks of bytes.
            tapes: (0..count).map(|_| (weather.requests > 0 && has_bytes).then(Tape::new)).collect(),
            done: vec![Vec::new(); count],
            timers: vec![[(None, 0); 3]; count],
            rates: (0..count).map(|_| 1_000_000 - drift + chance.below(2 * drift + 1)).collect(),
            time: 1_000_000 * MS,
            network: Vec::new(),
            cut: None,
            chance,
            leaders: BTreeMap::new(),
            applied: Vec::new(),
            machine_after: Vec::new(),
            committed: 0,
            membership_is_fixed: weather.requests == 0,
            membership: Arc::new(founders),
            reads: BTreeMap::new(),
            counts: Counts::default(),
            proposals: 0,
            read_ids: 0,
            broken: None,
            hosts,
        };
        for node in 0..count {
            storm.tick(node);
            let out = storm.hosts[node].restart();
            storm.note_timers(node, &out);
            storm.note_writes(node, &out);
        }
        storm
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
        if weather.requests > 0 {
            self.time += self.chance.below(6 * MS);
            if self.chance.one_in(100) {
                let other = self.chance.index(self.hosts.len());
                self.cut = self.chance.one_in(2).then(|| self.hosts[other].config.id);
            }
            // Much that is on its way is much that is late: let some be lost instead.
            while self.network.len() > 30 {
                self.network.remove(0);
            }
        }
        if self.chance.one_in(weather.crash) {
            return self.crash(node);
        }
        if self.chance.one_in(weather.election) {
            return self.tell(node, Input::TimerFired(Timer::Election));
        }
        if weather.requests > 0 && self.chance.one_in(weather.requests) {
            return self.request(node);
        }
        match self.chance.below(10) {
            0 => self.tell(node, Input::TimerFired(Timer::Heartbeat)),
            1 => self.propose(node),
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
                let is_cut = self.cut.is_some_and(|cut| cut == from || cut == to);
                if !self.chance.one_in(weather.lost) && !is_cut {
                    self.tell(usize::from(to.0), Input::Message { from, message });
                }
            }
        }
    }

    fn crash(&mut self, node: usize) {
        let kept = self.chance.index(self.hosts[node].writes.len() + 1);
        self.write(node, kept);
        if let Some(tape) = &mut self.tapes[node] {
            let Host { disk, writes, .. } = &mut self.hosts[node];
            match tape.crash(disk, writes, &mut self.chance) {
                Ok(recovered) => *disk = recovered,
                Err(broken) => return self.breaks(broken),
            }
        }
        self.done[node].clear();
        self.machines[node] = Machine::default();
        self.tick(node);
        let out = self.hosts[node].restart();
        self.machines[node].follow(&out);
        self.note_timers(node, &out);
        self.note_writes(node, &out);
        self.check_memory(node);
    }

    fn propose(&mut self, node: usize) {
        self.proposals += 1;
        let command = Payload::new(&self.proposals.to_le_bytes());
        self.tell(node, Input::Propose(command));
    }

    /// One of the requests beyond proposals.
    fn request(&mut self, node: usize) {
        let other = NodeId(u16::try_from(self.chance.index(self.hosts.len())).expect("an id fits"));
        let input = match self.chance.below(12) {
            0 | 1 => Input::Change(self.draw_change()),
            2 => Input::Transfer { to: other },
            3 => Input::ForgetLeader,
            4 | 5 => return self.read(node, ReadMode::Index),
            6 | 7 => return self.read(node, ReadMode::Lease),
            8 | 9 => Input::Snapshot { index: self.machines[node].index, data: self.machines[node].bytes() },
            10 => Input::Unreachable(other),
            _ => Input::SendSnapshot { to: other },
        };
        self.tell(node, input);
        let handed_out = self.machines[node].index;
        self.tell(node, Input::Applied(handed_out));
        if self.chance.one_in(2) {
            self.tell(node, Input::TimerFired(Timer::Batch));
        }
    }

    fn draw_change(&mut self) -> ChangeRequest {
        let mut changes = Vec::new();
        for _ in 0..[0, 1, 1, 1, 2, 3][self.chance.index(6)] {
            let id = NodeId(u16::try_from(self.chance.index(self.hosts.len())).expect("an id fits"));
            changes.push(match self.chance.below(5) {
                0 | 1 => Change::AddVoter(id),
                2 | 3 => Change::AddLearner(id),
                _ => Change::Remove(id),
            });
        }
        let transition = [Transition::Auto, Transition::Implicit, Transition::Explicit][self.chance.index(3)];
        ChangeRequest { changes, transition }
    }

    fn read(&mut self, node: usize, mode: ReadMode) {
        self.read_ids += 1;
        let id = ReadId(self.read_ids);
        self.reads.insert(id, self.committed);
        self.tell(node, Input::Read { id, mode });
    }

    /// Makes durable: so many writes, or what so many syncs cover.
    fn write(&mut self, node: usize, count: usize) {
        let Host { writes, disk, .. } = &mut self.hosts[node];
        let count = match &mut self.tapes[node] {
            Some(tape) => (0..count).map(|_| tape.sync().len()).sum(),
            None => count,
        };
        for (id, write) in writes.drain(..count) {
            disk.apply(write);
            self.done[node].push(id);
        }
    }

    fn note_writes(&mut self, node: usize, out: &[Output]) {
        if let Some(tape) = &mut self.tapes[node] {
            tape.take(&self.hosts[node], out);
        }
    }

    fn breaks(&mut self, what: String) {
        self.broken.get_or_insert(what);
    }

    /// Sets the clock of a host.
    fn tick(&mut self, node: usize) {
        let now = u128::from(self.time) * u128::from(self.rates[node]) / 1_000_000;
        self.hosts[node].now = LocalTime(u64::try_from(now).expect("a storm is short"));
    }

    fn tell(&mut self, node: usize, input: Input) {
        self.tick(node);
        let before = judge::Before::of(&self.hosts[node]);
        let by_clock = matches!(input, Input::Read { mode: ReadMode::Lease, .. });
        let out = self.hosts[node].step(input);
        self.judge(node, &before, by_clock, &out);
        self.machines[node].follow(&out);
        self.check_machine(node);
        self.note_timers(node, &out);
        self.note_writes(node, &out);
        let from = self.hosts[node].config.id;
        for output in out {
            if let Output::Send { to, message } = output {
                self.network.push((from, to, message));
            }
        }
    }

    fn note_timers(&mut self, node: usize, out: &[Output]) {
        let now = self.hosts[node].now;
        for output in out {
            match output {
                Output::SetTimer { timer, range } => {
                    let delay = range.min_ns + self.chance.below(range.max_ns - range.min_ns + 1);
                    self.timers[node][*timer as usize] = (Some(now.after(delay)), delay);
                }
                Output::RearmTimer(timer) => {
                    let (deadline, delay) = &mut self.timers[node][*timer as usize];
                    *deadline = Some(now.after(*delay));
                }
                Output::CancelTimer(timer) => self.timers[node][*timer as usize].0 = None,
                Output::Send { .. }
                | Output::Persist { .. }
                | Output::Apply { .. }
                | Output::Accepted { .. }
                | Output::Refused { .. }
                | Output::Forwarded { .. }
                | Output::Install { .. }
                | Output::ReadReady { .. }
                | Output::ReadRefused { .. }
                | Output::Event(_) => {}
            }
        }
    }
}

/// What is drawn before a storm, apart from what happens in it: each purpose has draws of its own, so that all
/// of what they decide meets.
fn draws(seed: u64, purpose: u64) -> Chance {
    Chance::new(Chance::new(seed).bits() ^ purpose)
}

/// One of several values.
fn one_of<T: Copy>(values: &[T], chance: &mut Chance) -> T {
    values[chance.index(values.len())]
}

/// A storm with drawn weather and options, which `change` may alter; and what it broke.
pub(crate) fn mixed_storm(
    seed: u64,
    steps: u32,
    change: impl Fn(Options) -> Options,
) -> (Storm, Option<String>) {
    let draw = &mut draws(seed, 2);
    let weather = Weather {
        nodes: one_of(&[3, 5, 4, 1, 3], draw),
        joiners: one_of(&[2, 0, 1, 3], draw),
        requests: 15,
        lost: one_of(&[10, 40, 1000], draw),
        election: one_of(&[60, 200], draw),
        ..ROUGH
    };
    let drift = one_of(&[0, 1_000], draw);
    let alike = draw.one_in(3).then(|| crate::nonsense::options(&mut Chance::new(seed)));
    let mut storm = Storm::mixed(seed, weather, |chance| {
        let drawn = crate::nonsense::options(chance);
        change(Options { clock_drift_max_ppm: drift, ..alike.clone().unwrap_or(drawn) })
    });
    let broken = storm.rage(weather, steps);
    (storm, broken)
}

/// Many storms: how they ended is asserted, what they came to is added up.
pub(crate) fn storms(seeds: std::ops::Range<u64>, steps: u32) -> (Counts, usize, usize) {
    let (mut sum, mut committed, mut elected) = (Counts::default(), 0, 0);
    for seed in seeds {
        let (mut storm, broken) = mixed_storm(seed, steps, |options| options);
        assert_eq!(broken, None, "seed {seed}");
        let (applied, leaders) = (storm.applied.len(), storm.leaders.len());
        assert_eq!(storm.unrest(), None, "seed {seed}");
        let Counts { installed, taken, reads, lease_reads, changes, joint, handed_over } = storm.counts;
        sum.installed += installed;
        sum.taken += taken;
        sum.reads += reads;
        sum.lease_reads += lease_reads;
        sum.changes += changes;
        sum.joint += joint;
        sum.handed_over += handed_over;
        (committed, elected) = (committed + applied, elected + leaders);
    }
    (sum, committed, elected)
}

#[test]
fn a_storm_breaks_nothing_and_a_calm_cluster_agrees() {
    let (mut committed, mut elected) = (0, 0);
    for seed in 0..300 {
        let draw = &mut draws(seed, 2);
        let weather = Weather { nodes: one_of(&[3, 5, 4, 1, 7], draw), ..ROUGH };
        let options = Options {
            noop_on_election: draw.one_in(2),
            entries_per_append_max: one_of(&[2, 64, 64], draw),
            ..Options::default()
        };
        let mut storm = Storm::new(seed, weather, &options);
        assert_eq!(storm.rage(weather, 1500), None, "seed {seed}");
        (committed, elected) = (committed + storm.applied.len(), elected + storm.leaders.len());
        assert_eq!(storm.unrest(), None, "seed {seed}");
        for host in &storm.hosts {
            assert_eq!(host.view().log, storm.applied, "seed {seed}");
            assert_eq!(host.disk.log, storm.applied, "seed {seed}");
        }
    }
    assert!(elected > 1000, "{elected} leaders: the storm is too strong or too weak");
    assert!(committed > 1000, "{committed} entries: the storm is too strong or too weak");
}

#[test]
fn no_mixture_of_options_breaks_anything_and_all_of_them_come_to_rest() {
    let (counts, committed, elected) = storms(0..300, 1500);
    assert!(elected > 500, "{elected} leaders: the storm is too strong or too weak");
    assert!(committed > 2000, "{committed} entries: the storm is too strong or too weak");
    let Counts { installed, taken, reads, lease_reads, changes, joint, handed_over } = counts;
    assert!(installed > 30 && taken > 100, "{counts:?}");
    assert!(reads > 300 && lease_reads > 30, "{counts:?}");
    assert!(changes > 100 && joint > 30 && handed_over > 30, "{counts:?}");
}

#[test]
fn equal_inputs_give_equal_outputs() {
    let weather = Weather { joiners: 2, requests: 15, ..ROUGH };
    let run = || {
        let mut storm = Storm::mixed(1, weather, crate::nonsense::options);
        assert_eq!(storm.rage(weather, 3000), None);
        storm.hosts.into_iter().map(|host| host.node).collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}

/// For soaking by hand: `SOAK=20000 cargo test --release -p raft-node --test it the_storms_go_on`.
#[test]
fn the_storms_go_on_as_long_as_one_likes() {
    let seeds = option_env!("SOAK").map_or(4, |seeds| seeds.parse().expect("SOAK is a number"));
    let (counts, committed, elected) = storms(1_000..1_000 + seeds, 3000);
    assert!(committed > 0 && elected > 0 && counts.reads > 0, "{counts:?}");
}

fn index(at: usize) -> LogIndex {
    LogIndex(u64::try_from(at).expect("an index fits"))
}

fn position(index: LogIndex) -> Option<usize> {
    usize::try_from(index.0.checked_sub(1)?).ok()
}

/// Whether a disk holds what was applied at `index`, in its log or in its snapshot.
fn holds(disk: &Durable, index: LogIndex, entry: &Entry) -> bool {
    let base = disk.base.0.0;
    match index.0.checked_sub(base + 1) {
        Some(offset) => disk.log.get(usize::try_from(offset).expect("an index fits")) == Some(entry),
        None => true,
    }
}

fn is_membership(event: &Event) -> bool {
    matches!(event, Event::Membership { .. })
}
