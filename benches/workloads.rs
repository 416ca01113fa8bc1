//! The workloads that speed is judged on, with digest and every safety oracle on, in one thread.
//!
//! `cargo bench --bench workloads` runs all; `-- w1`, `-- w3 1000` runs one as a plain process, so that it can be timed
//! beside others; `-- w1 --virtual-seconds 86400` lengthens one, `--snapshot-after 1000` lets its nodes take a snapshot
//! after so many entries. `-- w2 --clients` makes each proposal an operation of a client, so that linearizability is judged
//! too. `-- memory` shows that memory does not grow with time, and fails if it does (it takes some minutes), `-- sizes` runs
//! idle clusters of 3 to 51 nodes. `--bare` switches off the oracles, `--no-digest` the digest, to see what they cost.
//!
//! - W0: the scheduler alone: timers that fire and are set again, 20 pending, no messages.
//! - W1: 5 nodes, no faults, heartbeat 50 ms, election timeout 150..300 ms, one-way delay 1..5 ms, idle for 600 s.
//! - W2: the same with one 16-byte proposal every 1 ms for 60 s, replicated and committed.
//! - W3: 5 fresh nodes, 10 s, {0,1} cut from {2,3,4} from 2 s to 4 s, idle; the figure is seeds a second.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_types,
    clippy::float_arithmetic,
    reason = "a benchmark measures wall time and prints rates; nothing here decides a run"
)]

use raft_node::{Config, Membership, Options, Payload};
use seaworthy::adapter::{Member, MemberConfig, NodeConfig, Request, ServiceOptions, node_id};
use seaworthy::linear::Operation;
use seaworthy::oracles::Judge;
use seaworthy::record::{
    Action, Bytes, Call, Hash64, MessageFacts, Note, Outcome, ReadKind, Record as Told, Return,
};
use sim_core::{
    Digest, DiskQuality, DiskView, Effects, Encode, Fault, InFlight, Label, Latency, LinkQuality, Observer,
    Process, ProcessId, Settings, Simulation, Span, TimerId, VirtualTime, WriteId,
};
use std::collections::VecDeque;
use std::process::ExitCode;
use std::time::Instant;

fn settings() -> Settings {
    let latency = Latency::Uniform(Span::from_millis(1), Span::from_millis(5));
    let link = LinkQuality { latency, ..LinkQuality::default() };
    // The peers' disks are synchronous and take no time; so does ours, but through the same asynchronous path as ever.
    let none = Latency::Constant(Span::ZERO);
    let disk = DiskQuality { write: none, ..DiskQuality::default() };
    Settings { link, disk, ..Settings::default() }
}

struct Choice {
    what: String,
    seeds: Option<u64>,
    virtual_seconds: Option<u64>,
    snapshot_after: Option<u64>,
    judge: bool,
    digest: bool,
    clients: bool,
}

/// The oracles, or nobody, and what clients have called.
#[derive(Clone)]
struct Watcher {
    judge: Option<Judge>,
    clients: Option<Clients>,
}

/// The clients of W2. They stand beside the leader, as its proposer does: a call begins when its command is proposed, and
/// comes back when the node that took it has applied it.
#[derive(Clone, Default)]
struct Clients {
    /// The calls that are open, the oldest first: the command, who took it, and the client.
    open: VecDeque<(Hash64, ProcessId, u64)>,
    /// The clients that have no call open.
    idle: Vec<u64>,
    count: u64,
}

impl Clients {
    /// Their place among the processes: beyond the nodes.
    const PROCESS: ProcessId = ProcessId(5);

    fn call(&mut self, number: u64, command: &[u8], server: ProcessId) -> Note {
        let client = self.idle.pop().unwrap_or_else(|| {
            self.count += 1;
            self.count
        });
        self.open.push_back((Hash64::of_command(command), server, client));
        let action = Action::Put(Bytes(command.into()));
        Note::Call(Box::new(Call { client, number, key: number % 16, action, read: ReadKind::Log }))
    }

    /// What `record` brings back, if anything.
    fn hear(&mut self, record: &Told) -> Option<Note> {
        let Told::Noted { process, note: Note::Apply { index, command, .. } } = record else { return None };
        let (expected, server, client) = self.open.front()?;
        if (command, process) != (expected, server) {
            return None;
        }
        let back = Return { client: *client, number: 0, outcome: Outcome::Done, index: Some(*index) };
        self.idle.push(back.client);
        self.open.pop_front();
        Some(Note::Return(Box::new(back)))
    }
}

impl Observer<MessageFacts, Note> for Watcher {
    fn interest(&self) -> sim_core::Interest {
        self.judge.as_ref().map_or(sim_core::Interest::NONE, Observer::interest)
    }

    fn observe(&mut self, stamp: sim_core::Stamp, record: &Told) {
        match record {
            Told::Noted { note: Note::Apply { .. }, .. } if self.clients.is_some() => {
                self.hear(stamp, record)
            }
            _ => self.judge(stamp, record),
        }
    }
}

impl Watcher {
    #[inline]
    fn judge(&mut self, stamp: sim_core::Stamp, record: &Told) {
        if let Some(judge) = &mut self.judge {
            judge.observe(stamp, record);
        }
    }

    /// Lets the clients hear of what was judged, and the judge of what they say to it.
    #[inline(never)]
    fn hear(&mut self, stamp: sim_core::Stamp, record: &Told) {
        self.judge(stamp, record);
        if let Some(note) = self.clients.as_mut().and_then(|clients| clients.hear(record)) {
            self.judge(stamp, &Told::Noted { process: Clients::PROCESS, note });
        }
    }
}

fn cluster(nodes: u16, seed: u64, options: &Choice) -> Simulation<Member, Watcher> {
    let voters: Vec<_> = ProcessId::all(nodes).map(node_id).collect();
    let membership = Membership::of_voters(&voters).expect("each is there once");
    let config = |node| {
        let raft = Config { id: node_id(node), membership: membership.clone(), options: Options::default() };
        let service = ServiceOptions { snapshot_after: options.snapshot_after, ..ServiceOptions::default() };
        MemberConfig::Node(Box::new(NodeConfig { raft, service }))
    };
    let configs = ProcessId::all(nodes).map(config).collect();
    let watcher = Watcher {
        judge: options.judge.then(|| Judge::new(nodes)),
        clients: options.clients.then(Clients::default),
    };
    let mut sim = Simulation::new(&settings(), configs, seed, watcher);
    if !options.digest {
        sim.measure_without_digest();
    }
    sim.boot_all();
    sim
}

fn at(seconds: u64) -> VirtualTime {
    VirtualTime::ZERO.after(Span::from_secs(seconds))
}

#[derive(Default)]
struct Totals {
    delivered: u64,
    events: u64,
    virtual_seconds: u64,
    seeds: u64,
    committed: u64,
    operations: usize,
    digest: u64,
}

impl Totals {
    /// Takes in a run that is over, and lets what clients saw be judged.
    fn add(&mut self, sim: &mut Simulation<Member, Watcher>) {
        let stamp = now(sim);
        if let Some(judge) = &mut sim.observer_mut().judge {
            judge.conclude(stamp);
        }
        self.delivered += sim.stats().delivered;
        self.events += sim.stats().events;
        self.seeds += 1;
        self.virtual_seconds += sim.now().nanos() / 1_000_000_000;
        self.digest ^= sim.digest();
        if let Some(judge) = &sim.observer().judge {
            assert!(judge.violations().is_empty(), "{:?}", judge.violations());
            let done = |operation: &&Operation| operation.outcome == seaworthy::linear::Outcome::Done;
            self.operations += judge.clients().history().operations().iter().filter(done).count();
            self.committed += judge.mirror().nodes.iter().map(|node| node.applied).min().unwrap_or(0);
        }
    }
}

fn now(sim: &Simulation<Member, Watcher>) -> sim_core::Stamp {
    sim_core::Stamp { number: sim.records(), at: sim.now() }
}

fn w1(nodes: u16, options: &Choice) -> Totals {
    let mut totals = Totals::default();
    for seed in 0..options.seeds.unwrap_or(1) {
        let mut sim = cluster(nodes, seed, options);
        sim.run_until(at(options.virtual_seconds.unwrap_or(600)));
        totals.add(&mut sim);
    }
    totals
}

fn w2(options: &Choice) -> Totals {
    let mut totals = Totals::default();
    for seed in 0..options.seeds.unwrap_or(1) {
        let mut sim = cluster(5, seed, options);
        let mut number = 0u64;
        for millis in 1..=options.virtual_seconds.unwrap_or(60) * 1_000 {
            sim.run_until(VirtualTime::ZERO.after(Span::from_millis(millis)));
            let leads = |node: &ProcessId| {
                sim.process(*node).is_some_and(|p| p.node().is_some_and(|node| node.leads()))
            };
            if let Some(leader) = ProcessId::all(5).find(leads) {
                let mut command = [0; 16];
                command[..8].copy_from_slice(&number.to_le_bytes());
                number += 1;
                let stamp = now(&sim);
                let watcher = sim.observer_mut();
                if let Some(clients) = &mut watcher.clients {
                    let note = clients.call(number, &command, leader);
                    watcher.observe(stamp, &Told::Noted { process: Clients::PROCESS, note });
                }
                sim.request(leader, Request::Propose { command: Payload::new(&command), text: None });
            }
        }
        totals.add(&mut sim);
    }
    totals
}

fn w3(options: &Choice) -> Totals {
    let mut totals = Totals::default();
    let id = ProcessId;
    let groups = vec![vec![id(0), id(1)], vec![id(2), id(3), id(4)]];
    let cut = Fault::Partition { groups, in_flight: InFlight::Keep };
    for seed in 0..options.seeds.unwrap_or(300) {
        let mut sim = cluster(5, seed, options);
        sim.run_until(at(2));
        sim.inject(&cut).expect("the groups are disjoint");
        sim.run_until(at(4));
        sim.inject(&Fault::Heal).expect("healing always works");
        sim.run_until(at(10));
        totals.add(&mut sim);
    }
    totals
}

/// A process that does nothing but set its timers again.
#[derive(Clone, Debug)]
struct Ticker;

#[derive(Clone, Copy, Debug)]
struct Silence;

impl Encode for Silence {
    fn encode(&self, _: &mut Digest) {}
}

impl Process for Ticker {
    type Config = ();
    type Message = ();
    type Facts = Silence;
    type Note = Silence;
    type Request = ();
    const FILES: &'static [&'static str] = &[];
    const TIMERS: &'static [&'static str] = &["a", "b", "c", "d"];
    const KINDS: &'static [&'static str] = &["none"];

    fn label((): &()) -> Label {
        Label { kind: 0, epoch: 0, bytes: 0 }
    }
    fn facts((): &()) -> Silence {
        Silence
    }
    fn boot(_: ProcessId, _: u32, (): &(), _: &DiskView<'_>, fx: &mut Effects<'_, Self>) -> Self {
        for timer in 0..4 {
            fx.draw_timer(TimerId(timer), Span::from_micros(1), Span::from_micros(1_000), 0);
        }
        Self
    }
    fn on_message(&mut self, _: ProcessId, (): (), _: &mut Effects<'_, Self>) {}
    fn on_timer(&mut self, timer: TimerId, fx: &mut Effects<'_, Self>) {
        fx.rearm_timer(timer);
    }
    fn on_durable(&mut self, _: WriteId, _: &mut Effects<'_, Self>) {}
    fn on_request(&mut self, (): (), _: &mut Effects<'_, Self>) {}
}

fn w0(options: &Choice) -> Totals {
    let mut sim: Simulation<Ticker> = Simulation::new(&settings(), vec![(); 5], 1, ());
    if !options.digest {
        sim.measure_without_digest();
    }
    sim.boot_all();
    let seconds = options.virtual_seconds.unwrap_or(30);
    sim.run_until(at(seconds));
    Totals {
        events: sim.stats().events,
        virtual_seconds: seconds,
        seeds: 1,
        digest: sim.digest(),
        ..Totals::default()
    }
}

/// Peak resident memory of this process in KiB, where the system tells.
fn peak_memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
}

/// What the report says before the peak of memory.
const MEMORY: &str = "peak memory ";

fn report(name: &str, run: impl FnOnce() -> Totals) {
    let begin = Instant::now();
    let totals = run();
    let wall = begin.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "rates for people")]
    let rate = |count: u64| count as f64 / wall;
    println!(
        "{name:<4} wall {wall:.4} s | delivered {} ({:.0}/s) | events {} ({:.0}/s) | virtual/wall {:.0} | seeds {} \
         ({:.2}/s) | applied {} | operations judged {} | {MEMORY}{:.1} MiB | digest {:016x}",
        totals.delivered,
        rate(totals.delivered),
        totals.events,
        rate(totals.events),
        rate(totals.virtual_seconds),
        totals.seeds,
        rate(totals.seeds),
        totals.committed,
        totals.operations,
        rate(peak_memory_kib()) * wall / 1024.0,
        totals.digest,
    );
}

/// How much more memory, in percent, W2 with short logs may take after any time than after the first hour. It is 18 % in 24
/// hours; a byte kept of each entry would be 80 MiB, many times what there is.
const GROWTH_MAX_PERCENT: f64 = 25.0;

/// Runs long lives, each in a process of its own: what a process has needed at most it does not forget. Panics if memory
/// grows with time, or if there are no two times to compare.
fn memory(hours: &[u64]) {
    assert!(hours.len() > 1, "one time says nothing about growth");
    let run = |name: &str, hours: u64, snapshot_after: &[&str]| -> f64 {
        let seconds = (hours * 3_600).to_string();
        println!("{name} for {hours} virtual hours {}", snapshot_after.join(" "));
        let program = std::env::current_exe().expect("a program knows where it is");
        let mut command = std::process::Command::new(program);
        let output = command.args([name, "--virtual-seconds", &seconds]).args(snapshot_after).output();
        let output = output.expect("a program can run itself");
        let text = String::from_utf8_lossy(&output.stdout);
        print!("{text}");
        assert!(
            output.status.success(),
            "{name} for {hours} hours: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let mebibytes = text.split_once(MEMORY).and_then(|(_, rest)| rest.split_once(' '));
        mebibytes.and_then(|(number, _)| number.parse().ok()).expect("the report says how much")
    };
    run("w1", 24, &[]);
    let peaks: Vec<f64> =
        hours.iter().map(|hours| run("w2", *hours, &["--snapshot-after", "1000"])).collect();
    for (hours, peak) in hours.iter().zip(&peaks) {
        let growth = (peak / peaks[0] - 1.0) * 100.0;
        println!(
            "w2 after {hours} virtual hours: {peak:.1} MiB, {growth:+.1} % (at most {GROWTH_MAX_PERCENT} %)"
        );
        assert!(growth <= GROWTH_MAX_PERCENT, "memory grows with time");
    }
}

/// What may be asked for, for whoever asked for something else.
const USAGE: &str = "expected at most one of w0, w1, w2, w3, memory and sizes, a number of seeds for w3, and any of --bare, \
     --no-digest, --clients, --snapshot-after ENTRIES and --virtual-seconds SECONDS";

impl Choice {
    const WORDS: [&str; 6] = ["w0", "w1", "w2", "w3", "memory", "sizes"];

    /// What these words ask for. Nothing is guessed: a run that was not asked for would pass for the one that was.
    fn of(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            what: String::new(),
            seeds: None,
            virtual_seconds: None,
            snapshot_after: None,
            judge: true,
            digest: true,
            clients: false,
        };
        // `cargo bench` adds `--bench`.
        let mut arguments = arguments.filter(|argument| argument != "--bench");
        while let Some(argument) = arguments.next() {
            let mut number = || {
                let number = arguments.next().unwrap_or_default();
                number.parse().map_err(|_| format!("`{argument}` wants a number, found `{number}`"))
            };
            match argument.as_str() {
                "--bare" => options.judge = false,
                "--no-digest" => options.digest = false,
                "--clients" => options.clients = true,
                "--snapshot-after" => options.snapshot_after = Some(number()?),
                "--virtual-seconds" => options.virtual_seconds = Some(number()?),
                word if options.what.is_empty() && Self::WORDS.contains(&word) => {
                    options.what = word.to_string();
                }
                other => match other.parse() {
                    Ok(seeds) if options.seeds.is_none() => options.seeds = Some(seeds),
                    _ => return Err(format!("`{other}` means nothing here")),
                },
            }
        }
        match options.seeds {
            Some(_) if !["", "w3"].contains(&options.what.as_str()) => Err("seeds are for w3".to_string()),
            _ => Ok(options),
        }
    }
}

fn main() -> ExitCode {
    let options = match Choice::of(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(why) => {
            eprintln!("{why}: {USAGE}");
            return ExitCode::from(2);
        }
    };
    let wanted = |name: &str| options.what.is_empty() || options.what == name;
    if wanted("w0") {
        report("W0", || w0(&options));
    }
    if wanted("w1") {
        report("W1", || w1(5, &options));
    }
    if wanted("w2") {
        report("W2", || w2(&options));
    }
    if wanted("w3") {
        report("W3", || w3(&options));
    }
    if options.what.is_empty() {
        memory(&[1, 2]);
    }
    if options.what == "memory" {
        memory(&[1, 6, 24]);
    }
    if options.what == "sizes" {
        for nodes in [3, 5, 9, 25, 51] {
            report(&format!("n={nodes}"), || w1(nodes, &options));
        }
    }
    ExitCode::SUCCESS
}
