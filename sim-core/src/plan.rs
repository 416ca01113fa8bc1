//! Fault plans: a run's faults drawn in one go, as data.
//!
//! A fault that flips on and off in no time tests nothing, so each drawn fault lasts at least a minimum. What a fault
//! breaks, the plan mends again, unless it says otherwise: at most so many processes are down or frozen at a time.

use crate::{Fault, InFlight, Latency, LinkQuality, ProcessId, Ratio, Span, Stream, VirtualTime};

/// Which faults a plan may hold, and how many. A weight of 0 switches a fault off altogether: swarm testing found that
/// leaving things out finds more than doing everything a little (Groce et al., ISSTA 2012).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultMix {
    /// How many faults.
    pub count: (u32, u32),
    /// Not before this time.
    pub begin: VirtualTime,
    /// Nothing begins after this time. What has begun is mended even so.
    pub end: VirtualTime,
    /// How long a fault lasts, at least and at most.
    pub lasting: (Span, Span),
    /// How many processes may be crashed or paused at a time.
    pub down_max: u16,
    /// Weight of partitions into two or three groups.
    pub partition: u32,
    /// Weight of isolating one process.
    pub isolate: u32,
    /// Weight of cutting one direction of a link.
    pub cut_one_way: u32,
    /// Weight of stalling a link.
    pub clog: u32,
    /// Weight of making a link slow, lossy or both.
    pub degrade: u32,
    /// Weight of crashing a process and restarting it.
    pub crash: u32,
    /// Weight of freezing a process.
    pub pause: u32,
    /// Share of cuts that let arrive what is on the way.
    pub keep_in_flight: Ratio,
}

impl FaultMix {
    /// Every fault, equally likely: up to six in the two seconds after `begin`, each lasting 20 to 800 ms, at most
    /// `down_max` processes down at a time.
    #[must_use]
    pub fn everything(begin: VirtualTime, down_max: u16) -> Self {
        Self {
            count: (1, 6),
            begin,
            end: begin.after(Span::from_secs(2)),
            lasting: (Span::from_millis(20), Span::from_millis(800)),
            down_max,
            partition: 1,
            isolate: 1,
            cut_one_way: 1,
            clog: 1,
            degrade: 1,
            crash: 1,
            pause: 1,
            keep_in_flight: Ratio::from_percent(50),
        }
    }
}

/// A fault and when it is to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// When.
    pub at: VirtualTime,
    /// What.
    pub fault: Fault,
}

/// Faults in order of their times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultPlan {
    /// What happens, earliest first.
    pub faults: Vec<Planned>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Partition,
    Isolate,
    CutOneWay,
    Clog,
    Degrade,
    Crash,
    Pause,
}

const SORTS: [Sort; 7] =
    [Sort::Partition, Sort::Isolate, Sort::CutOneWay, Sort::Clog, Sort::Degrade, Sort::Crash, Sort::Pause];

impl FaultPlan {
    /// Draws a plan for `processes` processes on links of quality `usual`.
    ///
    /// Each fault is drawn from a stream of its own (`index` tells plans of one seed apart), so two mixes that differ
    /// only in `count` share their first faults.
    #[must_use]
    pub fn draw(mix: &FaultMix, processes: u16, usual: &LinkQuality, seed: u64, index: u64) -> Self {
        let weights =
            [mix.partition, mix.isolate, mix.cut_one_way, mix.clog, mix.degrade, mix.crash, mix.pause];
        let mut plan = Self::default();
        if weights.iter().all(|weight| *weight == 0) || processes == 0 {
            return plan;
        }
        let mut stream = Stream::new(seed, "faults", index << 32);
        let count = stream.between(u64::from(mix.count.0), u64::from(mix.count.1));
        // When each process that was taken down is back, and when each disturbance of the network ends: two of the same
        // kind at a time would end each other early.
        let mut down: Vec<(ProcessId, VirtualTime, VirtualTime)> = Vec::new();
        let mut disturbed: Vec<Disturbance> = Vec::new();
        for number in 1..=count {
            let mut stream = Stream::new(seed, "faults", index << 32 | number);
            let at = mix.begin.after(stream.span(Span::ZERO, mix.end.since(mix.begin)));
            let until = at.after(stream.span(mix.lasting.0, mix.lasting.1));
            let sort = SORTS[stream.weighted(&weights)];
            if let Sort::Crash | Sort::Pause = sort {
                let overlapping =
                    |&&(_, from, to): &&(ProcessId, VirtualTime, VirtualTime)| from <= until && at <= to;
                let process = ProcessId(u16::try_from(stream.below(u64::from(processes))).unwrap_or(0));
                let busy: Vec<ProcessId> = down.iter().filter(overlapping).map(|entry| entry.0).collect();
                if busy.len() >= usize::from(mix.down_max) || busy.contains(&process) {
                    continue;
                }
                down.push((process, at, until));
                plan.take_down(sort, process, (at, until));
            } else if processes > 1 {
                let mut order: Vec<ProcessId> = ProcessId::all(processes).collect();
                stream.shuffle(&mut order);
                let disturbance = Disturbance::new(sort, &order, at, until);
                if !disturbed.iter().any(|other| disturbance.clashes(other)) {
                    disturbed.push(disturbance);
                    plan.disturb(sort, &mut stream, mix, &order, usual, (at, until));
                }
            }
        }
        // Stable: faults at the same time stay in the order in which they were drawn.
        plan.faults.sort_by_key(|planned| planned.at);
        plan
    }

    fn push(&mut self, at: VirtualTime, fault: Fault) {
        self.faults.push(Planned { at, fault });
    }

    fn take_down(&mut self, sort: Sort, process: ProcessId, (at, until): (VirtualTime, VirtualTime)) {
        if let Sort::Crash = sort {
            self.push(at, Fault::Crash { process });
            self.push(until, Fault::Restart { process });
        } else {
            self.push(at, Fault::Pause { process });
            self.push(until, Fault::Resume { process });
        }
    }

    fn disturb(
        &mut self,
        sort: Sort,
        stream: &mut Stream,
        mix: &FaultMix,
        order: &[ProcessId],
        usual: &LinkQuality,
        (at, until): (VirtualTime, VirtualTime),
    ) {
        let (from, to) = (order[0], order[1]);
        let in_flight = if stream.happens(mix.keep_in_flight) { InFlight::Keep } else { InFlight::Drop };
        match sort {
            Sort::Partition => {
                let groups = groups(stream, order);
                self.push(at, Fault::Partition { groups, in_flight });
                self.push(until, Fault::Partition { groups: Vec::new(), in_flight: InFlight::Keep });
            }
            Sort::Isolate => {
                self.push(at, Fault::Isolate { process: from, in_flight });
                self.push(until, Fault::Reconnect { process: from });
            }
            Sort::CutOneWay => {
                self.push(at, Fault::Cut { from, to, in_flight });
                self.push(until, Fault::Restore { from, to });
            }
            Sort::Clog => self.push(at, Fault::Clog { from, to, span: until.since(at) }),
            Sort::Degrade => {
                let quality = degraded(stream, usual);
                self.push(at, Fault::SetQuality { from, to, quality });
                self.push(until, Fault::SetQuality { from, to, quality: *usual });
            }
            Sort::Crash | Sort::Pause => unreachable!("these take a process down"),
        }
    }
}

/// A disturbance of the network while it lasts.
struct Disturbance {
    sort: Sort,
    nodes: Vec<ProcessId>,
    begin: VirtualTime,
    end: VirtualTime,
}

impl Disturbance {
    fn new(sort: Sort, order: &[ProcessId], begin: VirtualTime, end: VirtualTime) -> Self {
        let nodes = if sort == Sort::Isolate { order[..1].to_vec() } else { order[..2].to_vec() };
        Self { sort, nodes, begin, end }
    }

    /// Whether the end of one would end the other too.
    fn clashes(&self, other: &Self) -> bool {
        let same = match (self.sort, other.sort) {
            (Sort::Partition, Sort::Partition) => true,
            // Reconnecting a process joins its links too.
            (Sort::Isolate | Sort::CutOneWay, Sort::Isolate | Sort::CutOneWay) => {
                self.nodes.iter().any(|node| other.nodes.contains(node))
            }
            (Sort::Degrade, Sort::Degrade) => self.nodes == other.nodes,
            _ => false,
        };
        same && self.begin <= other.end && other.begin <= self.end
    }
}

/// Two groups, now and then three, none of them empty.
fn groups(stream: &mut Stream, order: &[ProcessId]) -> Vec<Vec<ProcessId>> {
    let first = 1 + stream.index(order.len() - 1);
    let (left, right) = order.split_at(first);
    let mut groups = vec![left.to_vec(), right.to_vec()];
    if right.len() > 1 && stream.below(4) == 0 {
        let third = groups[1].split_off(1 + stream.index(right.len() - 1));
        groups.push(third);
    }
    groups
}

fn degraded(stream: &mut Stream, usual: &LinkQuality) -> LinkQuality {
    let mut quality = *usual;
    if stream.coin() {
        let least = usual.latency.sample(0);
        quality.latency = Latency::Uniform(least, least.plus(Span::from_millis(stream.between(20, 400))));
    }
    if stream.coin() {
        quality.loss = Ratio::from_percent(u32::try_from(stream.between(5, 60)).unwrap_or(60));
    }
    if stream.coin() {
        quality.duplicate = Ratio::from_percent(30);
    }
    quality
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mix() -> FaultMix {
        FaultMix { count: (5, 20), ..FaultMix::everything(VirtualTime::ZERO, 2) }
    }

    fn plans() -> impl Iterator<Item = FaultPlan> {
        (0..500).map(|seed| FaultPlan::draw(&mix(), 5, &LinkQuality::default(), seed, 0))
    }

    #[test]
    fn the_same_seed_gives_the_same_plan_and_another_seed_another() {
        assert!(plans().eq(plans()));
        let distinct: Vec<FaultPlan> = plans().collect();
        assert!(distinct.iter().enumerate().all(|(k, plan)| !distinct[..k].contains(plan)));
    }

    #[test]
    fn every_fault_lasts_its_minimum_and_is_mended() {
        for plan in plans() {
            assert!(plan.faults.is_sorted_by_key(|planned| planned.at));
            for (k, Planned { at, fault }) in plan.faults.iter().enumerate() {
                let mended = |mends: &dyn Fn(&Fault) -> bool| {
                    let later = plan.faults[k..].iter().find(|planned| mends(&planned.fault));
                    let until = later.expect("what is broken is mended").at;
                    assert!(until.since(*at) >= mix().lasting.0, "{fault:?} lasts only {}", until.since(*at));
                };
                match fault {
                    Fault::Crash { process } => mended(&|f| *f == Fault::Restart { process: *process }),
                    Fault::Pause { process } => mended(&|f| *f == Fault::Resume { process: *process }),
                    Fault::Clog { span, .. } => assert!(*span >= mix().lasting.0),
                    Fault::Partition { groups, .. } if !groups.is_empty() => {
                        mended(&|f| matches!(f, Fault::Partition { groups, .. } if groups.is_empty()));
                    }
                    Fault::Isolate { process, .. } => {
                        mended(&|f| *f == Fault::Reconnect { process: *process })
                    }
                    Fault::Cut { from, to, .. } => {
                        mended(&|f| match f {
                            Fault::Restore { from: a, to: b } => (a, b) == (from, to),
                            Fault::Reconnect { process } => process == from || process == to,
                            _ => false,
                        });
                    }
                    Fault::SetQuality { from, to, quality } if *quality != LinkQuality::default() => {
                        let (from, to, quality) = (*from, *to, LinkQuality::default());
                        mended(&|f| *f == Fault::SetQuality { from, to, quality });
                    }
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn never_more_processes_are_down_than_allowed() {
        for plan in plans() {
            let mut down = std::collections::BTreeSet::new();
            for Planned { fault, .. } in &plan.faults {
                match fault {
                    Fault::Crash { process } | Fault::Pause { process } => assert!(down.insert(*process)),
                    Fault::Restart { process } | Fault::Resume { process } => assert!(down.remove(process)),
                    _ => {}
                }
                assert!(down.len() <= 2);
            }
        }
    }

    #[test]
    fn a_weight_of_zero_switches_a_fault_off() {
        let mix =
            FaultMix { partition: 0, isolate: 0, cut_one_way: 0, clog: 0, degrade: 0, crash: 0, ..mix() };
        for seed in 0..100 {
            let plan = FaultPlan::draw(&mix, 3, &LinkQuality::default(), seed, 0);
            assert!(
                plan.faults.iter().all(|p| matches!(p.fault, Fault::Pause { .. } | Fault::Resume { .. }))
            );
        }
        let nothing = FaultMix { pause: 0, ..mix };
        assert_eq!(FaultPlan::draw(&nothing, 3, &LinkQuality::default(), 1, 0), FaultPlan::default());
    }
}
