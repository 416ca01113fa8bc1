//! Fault plans: a run's faults drawn in one go, as data.
//!
//! A fault that flips on and off in no time tests nothing, so each drawn fault lasts at least a minimum. What a fault
//! breaks, the plan mends again, unless it says otherwise: at most so many processes are down or frozen at a time.
//!
//! A plan holds only what a protocol must bear that promises to bear crashes (see [`Fault`]): of the faults of disks those
//! that make them slow, stall them, crash a process in the midst of writing, and decide what a crash keeps of what was not
//! durable. Disks that lie, rot, fail or are wiped are for whoever asks for them by name.

#[cfg(test)]
mod tests;

use crate::{
    ClockChange, CrashMode, CrashPoint, DiskQuality, Fault, InFlight, Kept, Latency, LinkQuality, ProcessId,
    Ratio, Settings, Span, Stream, VirtualTime,
};

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
    /// Weight of making a disk slow.
    pub slow_disk: u32,
    /// Weight of stalling a disk.
    pub stall_disk: u32,
    /// Weight of crashing a process at one of its next storage operations and restarting it.
    pub crash_in_write: u32,
    /// Weight of deciding otherwise what a crash keeps of what is not durable.
    pub crash_mode: u32,
    /// Weight of letting a clock run wrong. It stays as far off as it is then.
    pub clock: u32,
    /// How much too fast or too slow a clock runs at most, in parts per million.
    pub clock_ppm_max: u32,
}

impl FaultMix {
    /// Every fault of the network and of processes as a whole, equally likely: up to six in the two seconds after
    /// `begin`, each lasting 20 to 800 ms, at most `down_max` processes down at a time. Disks and clocks are sound.
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
            slow_disk: 0,
            stall_disk: 0,
            crash_in_write: 0,
            crash_mode: 0,
            clock: 0,
            clock_ppm_max: 50_000,
        }
    }

    /// The same with the faults of disks and clocks, each as likely as any other.
    #[must_use]
    pub fn with_disks_and_clocks(self) -> Self {
        Self { slow_disk: 1, stall_disk: 1, crash_in_write: 1, crash_mode: 1, clock: 1, ..self }
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
    SlowDisk,
    StallDisk,
    CrashInWrite,
    CrashMode,
    Clock,
}

/// New sorts go to the end: a weight of 0 there leaves the draws of the others alone.
const SORTS: [Sort; 12] = [
    Sort::Partition,
    Sort::Isolate,
    Sort::CutOneWay,
    Sort::Clog,
    Sort::Degrade,
    Sort::Crash,
    Sort::Pause,
    Sort::SlowDisk,
    Sort::StallDisk,
    Sort::CrashInWrite,
    Sort::CrashMode,
    Sort::Clock,
];

impl Sort {
    fn weight(self, mix: &FaultMix) -> u32 {
        match self {
            Self::Partition => mix.partition,
            Self::Isolate => mix.isolate,
            Self::CutOneWay => mix.cut_one_way,
            Self::Clog => mix.clog,
            Self::Degrade => mix.degrade,
            Self::Crash => mix.crash,
            Self::Pause => mix.pause,
            Self::SlowDisk => mix.slow_disk,
            Self::StallDisk => mix.stall_disk,
            Self::CrashInWrite => mix.crash_in_write,
            Self::CrashMode => mix.crash_mode,
            Self::Clock => mix.clock,
        }
    }

    /// Whether it concerns the disk or the clock of one process and leaves it up.
    fn is_local(self) -> bool {
        match self {
            Self::SlowDisk | Self::StallDisk | Self::CrashMode | Self::Clock => true,
            Self::Partition
            | Self::Isolate
            | Self::CutOneWay
            | Self::Clog
            | Self::Degrade
            | Self::Crash
            | Self::Pause
            | Self::CrashInWrite => false,
        }
    }
}

impl FaultPlan {
    /// Draws a plan for `processes` processes whose links and disks are usually as `usual` says.
    ///
    /// Each fault is drawn from a stream of its own (`index` tells plans of one seed apart), so two mixes that differ
    /// only in `count` share their first faults.
    #[must_use]
    pub fn draw(mix: &FaultMix, processes: u16, usual: &Settings, seed: u64, index: u64) -> Self {
        let weights = SORTS.map(|sort| sort.weight(mix));
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
            if let Sort::Crash | Sort::Pause | Sort::CrashInWrite = sort {
                let overlapping =
                    |&&(_, from, to): &&(ProcessId, VirtualTime, VirtualTime)| from <= until && at <= to;
                let process = drawn_process(&mut stream, processes);
                let busy: Vec<ProcessId> = down.iter().filter(overlapping).map(|entry| entry.0).collect();
                if busy.len() >= usize::from(mix.down_max) || busy.contains(&process) {
                    continue;
                }
                down.push((process, at, until));
                plan.take_down(sort, &mut stream, process, (at, until));
            } else if sort.is_local() {
                let process = drawn_process(&mut stream, processes);
                let disturbance = Disturbance { sort, nodes: vec![process], begin: at, end: until };
                if !disturbed.iter().any(|other| disturbance.clashes(other)) {
                    disturbed.push(disturbance);
                    plan.disturb_locally(sort, &mut stream, mix, process, usual, (at, until));
                }
            } else if processes > 1 {
                let mut order: Vec<ProcessId> = ProcessId::all(processes).collect();
                stream.shuffle(&mut order);
                let disturbance = Disturbance::new(sort, &order, at, until);
                if !disturbed.iter().any(|other| disturbance.clashes(other)) {
                    disturbed.push(disturbance);
                    plan.disturb(sort, &mut stream, mix, &order, &usual.link, (at, until));
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

    fn take_down(
        &mut self,
        sort: Sort,
        stream: &mut Stream,
        process: ProcessId,
        (at, until): (VirtualTime, VirtualTime),
    ) {
        if let Sort::Pause = sort {
            self.push(at, Fault::Pause { process });
            return self.push(until, Fault::Resume { process });
        }
        if let Sort::CrashInWrite = sort {
            let coming = stream.between(1, 12);
            let when = *stream.pick(&[CrashPoint::Before, CrashPoint::Torn, CrashPoint::After]);
            self.push(at, Fault::CrashAtComing { process, coming, when });
            // If it has not come by then, it will not come any more.
            self.push(until, Fault::DisarmCrash { process });
        } else {
            self.push(at, Fault::Crash { process });
        }
        self.push(until, Fault::Restart { process });
    }

    /// What concerns one process and leaves it up.
    fn disturb_locally(
        &mut self,
        sort: Sort,
        stream: &mut Stream,
        mix: &FaultMix,
        process: ProcessId,
        usual: &Settings,
        (at, until): (VirtualTime, VirtualTime),
    ) {
        match sort {
            Sort::SlowDisk => {
                let quality = Box::new(slowed(stream, &usual.disk));
                self.push(at, Fault::SetDisk { process, quality });
                self.push(until, Fault::SetDisk { process, quality: Box::new(usual.disk) });
            }
            Sort::StallDisk => {
                self.push(at, Fault::StallDisk { process });
                self.push(until, Fault::UnstallDisk { process });
            }
            Sort::CrashMode => {
                let kept = *stream.pick(&[Kept::Nothing, Kept::Prefix, Kept::Any]);
                let mode = CrashMode { kept, torn: stream.coin() };
                self.push(at, Fault::SetCrashMode { process, mode });
                self.push(until, Fault::SetCrashMode { process, mode: usual.crash });
            }
            Sort::Clock => {
                let clock = wrong_clock(stream, mix.clock_ppm_max);
                self.push(at, Fault::SetClock { process, clock });
                self.push(until, Fault::SetClock { process, clock: ClockChange::Drift { ppm: 0 } });
            }
            Sort::Partition
            | Sort::Isolate
            | Sort::CutOneWay
            | Sort::Clog
            | Sort::Degrade
            | Sort::Crash
            | Sort::Pause
            | Sort::CrashInWrite => unreachable!("these concern more, or take a process down"),
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
            Sort::Crash | Sort::Pause | Sort::CrashInWrite => unreachable!("these take a process down"),
            Sort::SlowDisk | Sort::StallDisk | Sort::CrashMode | Sort::Clock => {
                unreachable!("these concern one process")
            }
        }
    }
}

/// A disturbance while it lasts.
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
            (Sort::Degrade, Sort::Degrade)
            | (Sort::SlowDisk, Sort::SlowDisk)
            | (Sort::StallDisk, Sort::StallDisk)
            | (Sort::CrashMode, Sort::CrashMode)
            | (Sort::Clock, Sort::Clock) => self.nodes == other.nodes,
            _ => false,
        };
        same && self.begin <= other.end && other.begin <= self.end
    }
}

fn drawn_process(stream: &mut Stream, processes: u16) -> ProcessId {
    ProcessId(u16::try_from(stream.below(u64::from(processes))).unwrap_or(0))
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

fn slowed(stream: &mut Stream, usual: &DiskQuality) -> DiskQuality {
    let mut quality = *usual;
    let more = |stream: &mut Stream, usual: Latency| {
        let least = usual.sample(0);
        Latency::Uniform(least, least.plus(Span::from_millis(stream.between(5, 200))))
    };
    if stream.coin() {
        quality.write = more(stream, usual.write);
    }
    quality.sync = more(stream, usual.sync);
    if stream.coin() {
        quality.notice = more(stream, usual.notice);
    }
    quality
}

/// A clock that drifts, or one that wanders about the right time; neither by more than `ppm_max`.
fn wrong_clock(stream: &mut Stream, ppm_max: u32) -> ClockChange {
    let ppm_max = ppm_max.min(ClockChange::PPM_MAX);
    let ppm = u32::try_from(stream.between(1, u64::from(ppm_max.max(1)))).unwrap_or(ppm_max);
    if stream.below(4) == 0 {
        return ClockChange::Wander { ppm, period: Span::from_millis(stream.between(10, 500)) };
    }
    let ppm = i32::try_from(ppm).unwrap_or(0);
    ClockChange::Drift { ppm: if stream.coin() { ppm } else { -ppm } }
}
