//! The simulation: processes in a world, one event at a time.

use crate::panics::catch;
use crate::queue::Key;
use crate::world::{Pending, SLAB, TAG, World};
use crate::{
    Checkpoint, CrashMode, DiskQuality, FileId, LinkQuality, LocalTime, MessagePin, Observer, Process,
    ProcessId, Record, Span, Stats, TimerId, VirtualTime,
};

/// How the world is at the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Settings {
    /// How every link treats messages, until it is told otherwise.
    pub link: LinkQuality,
    /// How long every disk takes, until it is told otherwise.
    pub disk: DiskQuality,
    /// What a crash keeps of what is not durable, on every disk, until it is told otherwise.
    pub crash: CrashMode,
    /// How many of the last processes are bystanders, such as clients beside a cluster: a [`crate::Fault::Partition`] that
    /// does not name them separates them from nobody. In everything else they are like the others.
    pub bystanders: u16,
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
    pub(crate) configs: Vec<P::Config>,
    pub(crate) observer: O,
}

impl<P: Process, O: Observer<P::Facts, P::Note>> Simulation<P, O> {
    /// A world with one process for each of `configs`. Nothing has happened yet: [`Self::boot_all`] starts them.
    ///
    /// # Panics
    ///
    /// If there are no processes or more than [`ProcessId::COUNT_MAX`], or more bystanders than processes.
    #[must_use]
    pub fn new(settings: &Settings, configs: Vec<P::Config>, seed: u64, observer: O) -> Self {
        let count = u16::try_from(configs.len()).ok().filter(|n| (1..=ProcessId::COUNT_MAX).contains(n));
        let count = count.expect("a world holds 1 to 1,024 processes");
        assert!(settings.bystanders <= count, "{} of {count} processes are bystanders", settings.bystanders);
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

    /// What a file of a process holds, as the process would read it: durable or not. While the process is down, what it
    /// will boot from.
    ///
    /// # Panics
    ///
    /// If there is no such process or file.
    #[must_use]
    pub fn file(&self, process: ProcessId, file: FileId) -> &[u8] {
        &self.world.disks[process.index()].files()[file.index()]
    }

    /// Lets a file hold `bytes`, durably, when its process boots for the first time: a disk from another life. It is no
    /// storage operation, and like the configurations it is not recorded.
    ///
    /// # Panics
    ///
    /// If there is no such process or file, or the process has booted.
    pub fn put_file(&mut self, process: ProcessId, file: FileId, bytes: impl Into<Vec<u8>>) {
        assert!(self.world.status[process.index()].life == 0, "process {process} has booted already");
        self.world.disks[process.index()].preset(file, bytes.into());
    }

    /// What a file of a process would hold after a crash that keeps nothing but what is durable. It is worked out from a
    /// copy of the disk, so it is for tests and the curious.
    ///
    /// # Panics
    ///
    /// If there is no such process or file.
    #[must_use]
    pub fn durable_file(&self, process: ProcessId, file: FileId) -> Vec<u8> {
        self.world.durable_files(process).swap_remove(file.index())
    }

    /// How many storage operations there were of a process, over all its lives: appends and replacements, syncs issued,
    /// and syncs completed. Each has the number that this was when it had happened.
    ///
    /// # Panics
    ///
    /// If there is no such process.
    #[must_use]
    pub fn storage_operations(&self, process: ProcessId) -> u64 {
        self.world.disks[process.index()].operations
    }

    /// How many syncs of a process are under way.
    ///
    /// # Panics
    ///
    /// If there is no such process.
    #[must_use]
    pub fn syncs_under_way(&self, process: ProcessId) -> usize {
        self.world.disks[process.index()].syncs.len()
    }

    /// What the clock of a process shows.
    ///
    /// # Panics
    ///
    /// If there is no such process.
    #[must_use]
    pub fn clock(&self, process: ProcessId) -> LocalTime {
        assert!(process.0 < self.world.count, "there is no process {process}");
        self.world.clocks.shown(process, self.world.now)
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

    /// How long a process's disk takes.
    ///
    /// # Panics
    ///
    /// If there is no such process.
    #[must_use]
    pub fn disk_quality(&self, process: ProcessId) -> DiskQuality {
        self.world.disks[process.index()].quality
    }

    /// How long a process's disk takes from now on. Unlike a [`crate::Fault::SetDisk`], this is not recorded.
    ///
    /// # Panics
    ///
    /// If there is no such process.
    pub fn set_disk_quality(&mut self, process: ProcessId, quality: DiskQuality) {
        self.world.disks[process.index()].quality = quality;
    }

    /// The delays that the next draws of a process's timer give, instead of chance. They come after those pinned
    /// before, and are delays of the process's own clock.
    ///
    /// # Panics
    ///
    /// If there is no such process or timer.
    pub fn pin_timer(&mut self, process: ProcessId, timer: TimerId, delays: impl IntoIterator<Item = Span>) {
        self.world.timers[World::<P>::timer_index(process, timer)].pins.extend(delays);
    }

    /// Stalls a process's timer, in this life and those to come: it fires only by [`Self::fire_timer`].
    ///
    /// # Panics
    ///
    /// If there is no such process or timer.
    pub fn hold_timer(&mut self, process: ProcessId, timer: TimerId) {
        self.world.timers[World::<P>::timer_index(process, timer)].held = true;
    }

    /// Undoes [`Self::hold_timer`]. A timer that would have fired meanwhile is due now.
    ///
    /// # Panics
    ///
    /// If there is no such process or timer.
    pub fn release_timer(&mut self, process: ProcessId, timer: TimerId) {
        let now = self.world.now;
        let slot = &mut self.world.timers[World::<P>::timer_index(process, timer)];
        let was_held = core::mem::replace(&mut slot.held, false);
        if was_held && slot.armed {
            let due = slot.deadline.max(now);
            self.world.arm(process, timer, due);
        }
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

    /// Leaves the timers of a process and the fate of the messages that it sends to chance again.
    ///
    /// # Panics
    ///
    /// If there is no such process.
    pub fn unpin(&mut self, process: ProcessId) {
        self.world.network.pins.retain(|pin| pin.from != process);
        for timer in self.world.timers_of(process) {
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
}
