//! The simulation: processes in a world, one event at a time.

use crate::panics::{PanicReport, catch};
use crate::queue::Key;
use crate::world::{Pending, SLAB, Stage, Status, TAG, TIMER, WRITE, World};
use crate::{
    Checkpoint, DropReason, Effects, Latency, LinkQuality, MessagePin, Observer, Process, ProcessId, Record,
    Span, Stats, TimerId, VirtualTime,
};

/// How the world is at the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How every link treats messages, until it is told otherwise.
    pub link: LinkQuality,
    /// How long a write takes to become durable.
    pub write: Latency,
}

impl Default for Settings {
    /// Links as [`LinkQuality::default`]; a write takes 100 µs to 1 ms.
    fn default() -> Self {
        let write = Latency::Uniform(Span::from_micros(100), Span::from_millis(1));
        Self { link: LinkQuality::default(), write }
    }
}

/// What [`Simulation::step`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It executed one event.
    Ran,
    /// Nothing is due any more, ever.
    Idle,
}

/// Processes of type `P` in a world of their own, watched by `O`.
///
/// Everything that happens is a function of the settings, the configurations, the seed, and what is asked of the world
/// from outside, in order. The whole of it is plain data: a clone goes on exactly as the original would.
#[derive(Clone, Debug)]
pub struct Simulation<P: Process, O = ()> {
    pub(crate) world: World<P>,
    pub(crate) processes: Vec<Option<P>>,
    configs: Vec<P::Config>,
    pub(crate) observer: O,
}

impl<P: Process, O: Observer<P::Facts, P::Note>> Simulation<P, O> {
    /// A world with one process for each of `configs`. Nothing has happened yet: [`Self::boot_all`] starts them.
    ///
    /// # Panics
    ///
    /// If there are no processes or more than [`ProcessId::COUNT_MAX`].
    #[must_use]
    pub fn new(settings: &Settings, configs: Vec<P::Config>, seed: u64, observer: O) -> Self {
        let count = u16::try_from(configs.len()).ok().filter(|n| (1..=ProcessId::COUNT_MAX).contains(n));
        let count = count.expect("a world holds 1 to 1,024 processes");
        let world = World::new(settings, seed, count, observer.interest());
        Self { world, processes: configs.iter().map(|_| None).collect(), configs, observer }
    }

    /// Starts every process that is down, in order of their numbers.
    pub fn boot_all(&mut self) {
        for process in ProcessId::all(self.world.count) {
            if !self.is_up(process) {
                self.boot(process);
            }
        }
    }

    /// How many processes there are.
    #[must_use]
    pub fn count(&self) -> u16 {
        self.world.count
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> VirtualTime {
        self.world.now
    }

    /// When the next event is due, at the earliest.
    #[must_use]
    pub fn next_due(&self) -> Option<VirtualTime> {
        self.world.queue.peek().map(Key::due)
    }

    /// A process that is up.
    #[must_use]
    pub fn process(&self, process: ProcessId) -> Option<&P> {
        self.processes.get(process.index())?.as_ref()
    }

    /// What a process's disk holds.
    ///
    /// # Panics
    ///
    /// If there is no such process.
    #[must_use]
    pub fn durable(&self, process: ProcessId) -> &P::Durable {
        &self.world.disks[process.index()].durable
    }

    /// Whether a process is up. A paused one is.
    #[must_use]
    pub fn is_up(&self, process: ProcessId) -> bool {
        self.world.status.get(process.index()).is_some_and(|status| status.up)
    }

    /// Whether a process is paused.
    #[must_use]
    pub fn is_paused(&self, process: ProcessId) -> bool {
        self.world.status.get(process.index()).is_some_and(|status| status.paused)
    }

    /// Whether a process is isolated.
    #[must_use]
    pub fn is_isolated(&self, process: ProcessId) -> bool {
        process.0 < self.world.count && self.world.network.is_isolated(process)
    }

    /// Whether a link carries messages: nothing cuts it.
    #[must_use]
    pub fn is_open(&self, from: ProcessId, to: ProcessId) -> bool {
        from.0.max(to.0) < self.world.count && self.world.network.link(from, to).open
    }

    /// How a link treats messages.
    ///
    /// # Panics
    ///
    /// If there is no such link.
    #[must_use]
    pub fn quality(&self, from: ProcessId, to: ProcessId) -> LinkQuality {
        self.world.network.link(from, to).quality
    }

    /// Whoever watches.
    #[must_use]
    pub fn observer(&self) -> &O {
        &self.observer
    }

    /// Whoever watches.
    pub fn observer_mut(&mut self) -> &mut O {
        &mut self.observer
    }

    /// Whoever watched, once the run is over.
    #[must_use]
    pub fn into_observer(self) -> O {
        self.observer
    }

    /// Counts of what happened.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.world.stats
    }

    /// How many records there are so far.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.world.records
    }

    /// The digest of everything that happened so far.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.world.digest.value()
    }

    /// The digest at earlier moments (see [`crate::Checkpoints`]).
    #[must_use]
    pub fn checkpoints(&self) -> &[Checkpoint] {
        self.world.checkpoints.as_slice()
    }

    /// Turns the digest off, to measure what it costs. Nothing else is a reason to.
    #[doc(hidden)]
    pub fn measure_without_digest(&mut self) {
        self.world.digest_on = false;
    }

    /// How long writes of a process take from now on.
    ///
    /// # Panics
    ///
    /// If there is no such process.
    pub fn set_write_latency(&mut self, process: ProcessId, latency: Latency) {
        self.world.disks[process.index()].latency = latency;
    }

    /// The delays that the next draws of a process's timer give, instead of chance. They come after those pinned
    /// before.
    ///
    /// # Panics
    ///
    /// If there is no such process or timer.
    pub fn pin_timer(&mut self, process: ProcessId, timer: TimerId, delays: impl IntoIterator<Item = Span>) {
        self.world.timers[World::<P>::timer_index(process, timer)].pins.extend(delays);
    }

    /// Decides what becomes of certain messages sent from now on. Newer pins come before older ones.
    pub fn pin_message(&mut self, pin: MessagePin) {
        self.world.network.pins.push(pin);
    }

    /// Leaves the fate of every message and the delay of every timer to chance again.
    pub fn unpin_all(&mut self) {
        self.world.network.pins.clear();
        for timer in &mut self.world.timers {
            timer.pins.clear();
        }
    }

    /// Sets a mark in the record of the run.
    pub fn mark(&mut self, text: impl Into<String>) {
        self.world.emit(&mut self.observer, Record::Marked { text: text.into() });
    }

    /// Asks something of a process now. A paused one will hear of it when it is resumed. Says whether it is up.
    pub fn request(&mut self, process: ProcessId, request: P::Request) -> bool {
        let Some(status) = self.world.status.get(process.index()) else { return false };
        if !status.up {
            return false;
        }
        if status.paused {
            let place = self.world.store(Pending::Request { process, request });
            self.world.wait(process, SLAB | place);
            return true;
        }
        if let Err(report) = catch(|| self.act(process, |p, fx| p.on_request(request, fx))) {
            self.panicked(report);
        }
        true
    }

    /// Asks something of a process at a later time. It is lost if the process is down then.
    ///
    /// # Panics
    ///
    /// If there is no such process.
    pub fn request_at(&mut self, at: VirtualTime, process: ProcessId, request: P::Request) {
        assert!(process.0 < self.world.count, "there is no process {process}");
        let at = at.max(self.world.now);
        let place = self.world.store(Pending::Request { process, request });
        self.world.requests += 1;
        // Each request has a tie-break of its own, or their places in memory would order them.
        let tie = self.world.chance.tie(process, SLAB | self.world.requests & !TAG, at);
        self.world.queue.push(Key::new(at, tie, SLAB | place));
    }

    /// Executes exactly one event: the next one due.
    pub fn step(&mut self) -> Step {
        if self.run(VirtualTime::MAX, |_| true) { Step::Ran } else { Step::Idle }
    }

    /// Executes every event due until `until`, included, and moves the clock there.
    pub fn run_until(&mut self, until: VirtualTime) {
        self.run(until, |_| false);
    }

    /// Executes events due until `until`, included, and after each one asks `stop` whether to stop there. Says
    /// whether it did; if not, the clock stands at `until`.
    pub fn run(&mut self, until: VirtualTime, mut stop: impl FnMut(&Self) -> bool) -> bool {
        loop {
            let outcome = catch(|| {
                while let Some(key) = self.world.queue.peek().filter(|key| key.due() <= until) {
                    self.world.queue.pop();
                    if self.execute(key) && stop(self) {
                        return true;
                    }
                }
                false
            });
            match outcome {
                Ok(true) => return true,
                Ok(false) => {
                    if until < VirtualTime::MAX {
                        self.world.now = self.world.now.max(until);
                    }
                    return false;
                }
                Err(report) => {
                    self.panicked(report);
                    if stop(self) {
                        return true;
                    }
                }
            }
        }
    }

    fn panicked(&mut self, report: PanicReport) {
        let Some(process) = self.world.acting.take() else {
            // No process was acting: the fault is the simulator's or the observer's, and must not pass for a finding.
            panic!("{} (at {})", report.message, report.place);
        };
        self.world.emit(&mut self.observer, Record::Panicked { process, report: Box::new(report) });
        self.stop(process);
    }

    /// Lets a process act.
    #[inline]
    fn act(&mut self, process: ProcessId, body: impl FnOnce(&mut P, &mut Effects<'_, P>)) {
        let Some(state) = &mut self.processes[process.index()] else { return };
        self.world.acting = Some(process);
        let mut fx = Effects { world: &mut self.world, watcher: &mut self.observer, process };
        body(state, &mut fx);
        self.world.acting = None;
    }

    pub(crate) fn boot(&mut self, process: ProcessId) {
        let status = &mut self.world.status[process.index()];
        status.up = true;
        status.paused = false;
        status.life += 1;
        let life = status.life;
        self.world.emit(&mut self.observer, Record::Booted { process, life });
        let Self { world, processes, configs, observer } = self;
        world.acting = Some(process);
        // The process may write while it boots, so it gets what the disk holds on loan.
        let durable = core::mem::take(&mut world.disks[process.index()].durable);
        let mut fx = Effects { world: &mut *world, watcher: observer, process };
        let booted = catch(|| P::boot(process, life, &configs[process.index()], &durable, &mut fx));
        world.disks[process.index()].durable = durable;
        match booted {
            Ok(state) => {
                processes[process.index()] = Some(state);
                world.acting = None;
            }
            Err(report) => self.panicked(report),
        }
    }

    /// Takes a process down: its memory, timers, backlog and unfinished writes are lost.
    pub(crate) fn stop(&mut self, process: ProcessId) -> u32 {
        let world = &mut self.world;
        self.processes[process.index()] = None;
        let status = &mut world.status[process.index()];
        status.up = false;
        status.paused = false;
        let backlog = core::mem::take(&mut status.backlog);
        let first = process.index() * P::TIMERS.len();
        for timer in &mut world.timers[first..first + P::TIMERS.len()] {
            timer.armed = false;
        }
        let lost = world.disks[process.index()].crash();
        for what in backlog {
            if what & TAG == SLAB
                && let Pending::Message { id, .. } = world.take(what)
            {
                world.lose(&mut self.observer, id, DropReason::Down);
            }
        }
        lost
    }

    /// Executes what `key` stands for. Says whether it was an event at all: a key may be out of date.
    #[inline]
    fn execute(&mut self, key: Key) -> bool {
        let what = key.what();
        let ran = match what & TAG {
            TIMER => self.timer_due(key, (what & !TAG) as usize),
            WRITE => self.write_due(key, ProcessId((what & 0xffff) as u16)),
            _ => self.pending_due(key, what),
        };
        self.world.stats.events += u64::from(ran);
        ran
    }

    #[inline]
    fn timer_due(&mut self, key: Key, index: usize) -> bool {
        let slot = &mut self.world.timers[index];
        if slot.queued != Some(key) {
            return false;
        }
        slot.queued = None;
        if !slot.armed {
            return false;
        }
        if slot.deadline > key.due() {
            self.world.enqueue_timer(index);
            return false;
        }
        slot.armed = false;
        self.world.now = key.due();
        let timers = P::TIMERS.len();
        let process = ProcessId(u16::try_from(index / timers).expect("timers belong to processes"));
        let timer = TimerId(u8::try_from(index % timers).expect("a process has at most 256 timers"));
        if self.world.status[process.index()].paused {
            self.world.wait(process, key.what());
            return true;
        }
        self.world.emit(&mut self.observer, Record::TimerFired { process, timer });
        self.act(process, |p, fx| p.on_timer(timer, fx));
        true
    }

    #[inline]
    fn write_due(&mut self, key: Key, process: ProcessId) -> bool {
        let disk = &mut self.world.disks[process.index()];
        let Some(issued) = disk.complete(key) else { return false };
        self.world.acting = Some(process);
        P::store(&mut disk.durable, issued.write);
        self.world.acting = None;
        self.world.now = key.due();
        // The disk goes on while its process is paused; only the news waits.
        self.world.emit(&mut self.observer, Record::WriteDurable { process, write: issued.id });
        let Status { paused, life, .. } = self.world.status[process.index()];
        if paused {
            let place = self.world.store(Pending::Durable { process, life, write: issued.id });
            self.world.wait(process, SLAB | place);
        } else {
            self.act(process, |p, fx| p.on_durable(issued.id, fx));
        }
        true
    }

    #[inline]
    fn pending_due(&mut self, key: Key, place: u32) -> bool {
        let world = &mut self.world;
        let (process, room) = match &world.slab[place as usize] {
            Pending::Vacant => unreachable!("the queue refers to a free place"),
            Pending::Cancelled => {
                world.take(place);
                return false;
            }
            Pending::Message { id, .. } => (id.to, world.has_room(id.to)),
            Pending::Durable { process, .. } | Pending::Request { process, .. } => (*process, true),
        };
        world.now = key.due();
        let Status { up, paused, life, .. } = world.status[process.index()];
        if paused && room {
            if let Pending::Message { stage, .. } = &mut world.slab[place as usize] {
                *stage = Stage::Waiting;
            }
            world.wait(process, SLAB | place);
            return true;
        }
        match world.take(place) {
            Pending::Message { id, message, .. } if up && !paused => {
                world.stats.delivered += 1;
                world.emit(&mut self.observer, Record::Delivered { id, facts: P::facts(&message) });
                self.act(process, |p, fx| p.on_message(id.from, message, fx));
            }
            Pending::Message { id, .. } => {
                let reason = if paused { DropReason::Overflow } else { DropReason::Down };
                world.lose(&mut self.observer, id, reason);
            }
            // News of an earlier life means nothing to this one.
            Pending::Durable { life: issued_in, write, .. } if up && issued_in == life => {
                self.act(process, |p, fx| p.on_durable(write, fx));
            }
            Pending::Request { request, .. } if up => self.act(process, |p, fx| p.on_request(request, fx)),
            Pending::Durable { .. } | Pending::Request { .. } => {}
            Pending::Vacant | Pending::Cancelled => unreachable!("both were dealt with above"),
        }
        true
    }
}
