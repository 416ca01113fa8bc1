//! What is drawn: cluster, options, network, disks, faults and proposals.
//!
//! Swarm testing: each run leaves a drawn part of everything out altogether (Groce et al., "Swarm testing", ISSTA 2012),
//! and there are many short runs with few commands rather than a few long ones. Part of the faults are aimed at
//! whoever leads, since what happens around a change of leaders is where Raft goes wrong.

use crate::fuzz::step_of;
use crate::fuzz::timeline::Timeline;
use crate::scenario::{
    CountOf, If, Isolate, NetworkOptions, Nodes, Predicate, Propose, RaftOptions, RoleIs, Scenario, Step,
    StorageOptions, Target,
};
use sim_core::{FaultMix, FaultPlan, InFlight, Latency, LinkQuality, Ratio, Span, Stream, VirtualTime};

const MS: fn(u64) -> Span = Span::from_millis;

/// The scenario of a seed: everything about it is drawn.
#[must_use]
pub fn draw(seed: u64) -> Scenario {
    let mut stream = Stream::new(seed, "swarm", 0);
    let nodes = [1, 2, 3, 4, 5, 7][stream.weighted(&[1, 3, 44, 6, 42, 4])];
    let mut scenario = Scenario::new("fuzz", nodes);
    scenario.seed = crate::scenario::Seed(seed);
    scenario.raft = raft(&mut stream);
    scenario.network = network(&mut stream);
    scenario.storage = StorageOptions { write: write(&mut stream), ..StorageOptions::default() };
    let horizon = MS(if stream.below(50) == 0 { 8_000 } else { stream.between(600, 2_500) });
    let mut timeline = Timeline::default();
    timeline.faults(&mut stream, &scenario, horizon, seed);
    if stream.coin() {
        timeline.storm(&mut stream, nodes, horizon);
    }
    if stream.below(3) > 0 {
        timeline.proposals(&mut stream, nodes, horizon);
    }
    if stream.coin() {
        timeline.campaigns(&mut stream, nodes, horizon);
    }
    scenario.steps = timeline.steps(horizon);
    scenario
}

fn raft(stream: &mut Stream) -> RaftOptions {
    let timeouts = [(150, 300), (150, 300), (100, 200), (150, 200), (300, 900)];
    let (min, max) = *stream.pick(&timeouts);
    // Two heartbeats fit into the shortest timeout, or the cluster could never be quiet.
    let heartbeat = (*stream.pick(&[50, 50, 25, 100])).min(min / 3);
    RaftOptions {
        heartbeat: MS(heartbeat),
        election_timeout: (MS(min), MS(max)),
        noop_on_election: stream.coin(),
        entries_per_append: *stream.pick(&[64, 64, 2, 1]),
    }
}

/// Off for half of the runs, else up to `percent_max`.
fn rate(stream: &mut Stream, percent_max: u64) -> Ratio {
    if stream.coin() {
        return Ratio::ZERO;
    }
    Ratio::from_ppm(u32::try_from(stream.between(1_000, percent_max * 10_000)).unwrap_or(0))
}

fn network(stream: &mut Stream) -> NetworkOptions {
    let latency = match stream.weighted(&[4, 2, 2, 1, 1]) {
        0 => Latency::Uniform(MS(1), MS(5)),
        1 => Latency::Uniform(MS(1), MS(stream.between(10, 60))),
        2 => Latency::HeavyTail { min: MS(1), typical: MS(3), max: MS(500) },
        3 => Latency::Bimodal {
            fast: (MS(1), MS(4)),
            slow: (MS(50), MS(400)),
            slow_share: Ratio::from_percent(10),
        },
        _ => Latency::Constant(MS(stream.between(1, 10))),
    };
    NetworkOptions {
        latency,
        loss: rate(stream, 20),
        duplicate: rate(stream, 30),
        reorder: rate(stream, 30),
        reorder_by: MS(stream.between(5, 200)),
        fifo: stream.below(5) == 0,
        links: Vec::new(),
    }
}

fn write(stream: &mut Stream) -> Latency {
    match stream.below(4) {
        0 => Latency::Constant(Span::ZERO),
        1 => Latency::Uniform(Span::ZERO, MS(20)),
        _ => Latency::Uniform(Span::from_micros(100), MS(1)),
    }
}

impl Timeline {
    fn faults(&mut self, stream: &mut Stream, scenario: &Scenario, horizon: Span, seed: u64) {
        let mut weight =
            |most: u64| if stream.coin() { 0 } else { u32::try_from(stream.between(1, most)).unwrap_or(1) };
        let (partition, isolate, cut_one_way) = (weight(3), weight(3), weight(3));
        let (clog, degrade, crash, pause) = (weight(2), weight(2), weight(5), weight(2));
        let lasting = *stream.pick(&[(MS(5), MS(60)), (MS(20), MS(400)), (MS(100), MS(1_000))]);
        let end = VirtualTime::ZERO.after(horizon);
        let mix = FaultMix {
            count: (0, 10),
            begin: VirtualTime::ZERO,
            end,
            lasting,
            // Now and then everybody may be down at once: what is durable must be enough.
            down_max: if stream.below(4) == 0 { scenario.nodes } else { (scenario.nodes - 1) / 2 },
            partition,
            isolate,
            cut_one_way,
            clog,
            degrade,
            crash,
            pause,
            keep_in_flight: Ratio::from_percent(*stream.pick(&[0, 50, 100])),
        };
        let usual: LinkQuality = scenario.network.quality();
        let plan = FaultPlan::draw(&mix, scenario.nodes, &usual, seed, 0);
        let at = |time: VirtualTime| time.since(VirtualTime::ZERO);
        // Beyond the horizon the end of the scenario mends what is still broken.
        let planned = plan.faults.iter().filter(|planned| planned.at <= end);
        for planned in planned {
            self.at(at(planned.at), step_of(&planned.fault));
        }
    }

    /// Leader after leader is given a command and taken away shortly after, and comes back later.
    fn storm(&mut self, stream: &mut Stream, nodes: u16, horizon: Span) {
        let (crash, gap) = (stream.coin(), stream.between(80, 500));
        let proposes = stream.below(4) > 0;
        let back = stream.between(1, 4);
        let mut at = MS(stream.between(150, 500));
        let mut number = 0;
        while at < horizon {
            number += 1;
            if proposes {
                self.on_leader(at, Step::Propose(Propose::to_leader(format!("storm{number}"))));
            }
            let gone = at.plus(MS(*stream.pick(&[0, 1, 3, 8, 30])));
            let leader = Nodes { nodes: Target::Leader };
            let in_flight = if stream.coin() { InFlight::Keep } else { InFlight::Drop };
            if crash {
                self.on_leader(gone, Step::Crash(leader));
            } else {
                self.on_leader(gone, Step::Isolate(Isolate { nodes: Target::Leader, in_flight }));
            }
            at = at.plus(MS(stream.between(gap / 2, gap)));
            if number % back == 0 {
                let node = u16::try_from(stream.below(u64::from(nodes))).unwrap_or(0);
                let who = if stream.coin() { Target::node(node) } else { Target::All };
                let nodes = Nodes { nodes: who };
                self.at(at, if crash { Step::Restart(nodes) } else { Step::Reconnect(nodes) });
            }
        }
    }

    /// Does `step` if somebody leads then.
    fn on_leader(&mut self, at: Span, step: Step) {
        let leads = CountOf { of: Target::Leader, at_least: Some(1), at_most: None, equals: None };
        let that = Predicate::Count(leads);
        self.at(at, Step::If(If { that, then: vec![step], otherwise: Vec::new() }));
    }

    fn proposals(&mut self, stream: &mut Stream, nodes: u16, horizon: Span) {
        for number in 1..=stream.between(1, 6) {
            let at = stream.span(MS(100), horizon);
            let command = format!("x{number}");
            if stream.below(3) == 0 {
                let node = u16::try_from(stream.below(u64::from(nodes))).unwrap_or(0);
                let propose = Propose { to: Target::node(node), ..Propose::to_leader(command) };
                let up = CountOf { of: Target::Up, at_least: Some(1), at_most: None, equals: None };
                let then = vec![Step::Propose(propose)];
                self.at(at, Step::If(If { that: Predicate::Count(up), then, otherwise: Vec::new() }));
            } else {
                self.on_leader(at, Step::Propose(Propose::to_leader(command)));
            }
        }
    }

    /// Elections out of turn, some of them two at a time: rivals in one term are what votes are about.
    fn campaigns(&mut self, stream: &mut Stream, nodes: u16, horizon: Span) {
        for _ in 0..stream.between(1, 8) {
            let at = stream.span(Span::ZERO, horizon);
            for _ in 0..stream.between(1, 2) {
                let node = u16::try_from(stream.below(u64::from(nodes))).unwrap_or(0);
                let is = crate::record::Role::Follower;
                let that = Predicate::Role(RoleIs { of: Target::node(node), is, term: None });
                let then = vec![Step::Campaign(Target::node(node))];
                self.at(at, Step::If(If { that, then, otherwise: Vec::new() }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execute::{Verdict, run};
    use crate::fuzz::{LIMITS, run_seed};

    #[test]
    fn a_seed_draws_one_scenario() {
        for index in 0..200 {
            let seed = run_seed(7, index);
            assert_eq!(draw(seed), draw(seed));
            assert_ne!(draw(seed).steps, draw(seed + 1).steps);
        }
    }

    #[test]
    fn a_drawn_scenario_is_an_ordinary_file() {
        for index in 0..200 {
            let scenario = draw(run_seed(1, index));
            let text = serde_json::to_string_pretty(&scenario).unwrap();
            let read = Scenario::parse("drawn.json", &text)
                .unwrap_or_else(|error| panic!("{}", error.render(false, 100)));
            assert_eq!(read, scenario);
        }
    }

    #[test]
    fn the_correct_node_survives_and_a_run_can_be_repeated() {
        for index in 0..300 {
            let seed = run_seed(2, index);
            let (one, ()) = run(&draw(seed), seed, LIMITS, ()).unwrap();
            assert_eq!(one.verdict, Verdict::Passed, "seed {seed:#x}: {:?}", one.violations);
            assert_eq!(run(&draw(seed), seed, LIMITS, ()).unwrap().0, one);
        }
    }
}
