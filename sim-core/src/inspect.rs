//! What can be seen of the world from outside, for whoever drives it and has to say why something does not happen.
//!
//! Must not change anything: looking is no event.

use crate::disk::{Sync, Verdict};
use crate::inject::{age, matching};
use crate::simulation::Simulation;
use crate::world::{Pending, Stage, World};
use crate::{CrashMode, CrashPoint, FileId, MessageId, Observer, Process, ProcessId, TimerId, VirtualTime};

impl<P: Process, O: Observer<P::Facts, P::Note>> Simulation<P, O> {
    /// When an armed timer of a process will fire, unless it is re-armed or cancelled before. One that waits for a paused
    /// process is not armed any more.
    ///
    /// # Panics
    ///
    /// If there is no such process or timer.
    #[must_use]
    pub fn timer_deadline(&self, process: ProcessId, timer: TimerId) -> Option<VirtualTime> {
        let timer = &self.world.timers[World::<P>::timer_index(process, timer)];
        timer.armed.then_some(timer.deadline)
    }

    /// Whether a link is held ([`crate::Fault::Hold`]).
    ///
    /// # Panics
    ///
    /// If there is no such link.
    #[must_use]
    pub fn is_held(&self, from: ProcessId, to: ProcessId) -> bool {
        self.world.network.link(from, to).held
    }

    /// How many messages are held, of those that match.
    #[must_use]
    pub fn held_messages(&self, from: Option<ProcessId>, to: Option<ProcessId>, kind: Option<u8>) -> usize {
        self.pending(&[Stage::Held], matching(from, to, kind)).len()
    }

    /// The message that is held for longest, of those that match.
    #[must_use]
    pub fn oldest_held(&self, matches: impl Fn(&MessageId) -> bool) -> Option<MessageId> {
        let held = self.pending(&[Stage::Held], matches);
        let oldest = held.into_iter().min_by_key(|(id, place)| (age(&self.world.slab, *place), *id));
        oldest.map(|(id, _)| id)
    }

    /// The messages that a link holds, the oldest first.
    ///
    /// # Panics
    ///
    /// If there is no such link.
    pub fn held_on(&self, from: ProcessId, to: ProcessId) -> impl DoubleEndedIterator<Item = MessageId> + '_ {
        self.world.network.link(from, to).waiting.iter().map(|place| {
            let Pending::Message { id, .. } = &self.world.slab[*place as usize] else {
                unreachable!("only messages are held")
            };
            *id
        })
    }

    /// How many messages are in flight, of those that match. What waits at a paused receiver has arrived.
    #[must_use]
    pub fn messages_in_flight(
        &self,
        from: Option<ProcessId>,
        to: Option<ProcessId>,
        kind: Option<u8>,
    ) -> usize {
        self.pending(&[Stage::InFlight], matching(from, to, kind)).len()
    }

    /// How many more messages a process may send before a [`crate::Fault::DropAfter`] loses them; none if there is no
    /// such order.
    #[must_use]
    pub fn messages_left(&self, process: ProcessId) -> Option<u32> {
        self.world.network.allowance(process)
    }

    /// Whether a disk is stalled ([`crate::Fault::StallDisk`]).
    ///
    /// # Panics
    ///
    /// If there is no such process.
    #[must_use]
    pub fn is_stalled(&self, process: ProcessId) -> bool {
        self.world.disks[process.index()].stalled
    }

    /// How many syncs wait on a stalled disk: those that no [`crate::Fault::CompleteSync`] has told to complete. On a disk
    /// that is not stalled none waits.
    ///
    /// # Panics
    ///
    /// If there is no such process.
    #[must_use]
    pub fn syncs_stalled(&self, process: ProcessId) -> usize {
        let disk = &self.world.disks[process.index()];
        if disk.stalled { disk.syncs.len() - disk.released } else { 0 }
    }

    /// Whether a process will hear that a sync failed: the sync is under way, or the news of it is.
    ///
    /// # Panics
    ///
    /// If there is no such process.
    #[must_use]
    pub fn sync_will_fail(&self, process: ProcessId) -> bool {
        let world = &self.world;
        let present = world.status[process.index()].life;
        let fails = |sync: &Sync| matches!(sync.verdict, Verdict::Failure(_));
        let is_told = |pending: &Pending<P>| {
            matches!(pending, Pending::Synced { process: of, life, outcome: Err(_), .. }
                if (*of, *life) == (process, present))
        };
        world.disks[process.index()].syncs.iter().any(fails) || world.slab.iter().any(is_told)
    }

    /// The storage operation at which a process is to crash, and where within it, if a [`crate::Fault::CrashAt`] or
    /// [`crate::Fault::CrashAtComing`] has yet to come.
    ///
    /// # Panics
    ///
    /// If there is no such process.
    #[must_use]
    pub fn crash_point(&self, process: ProcessId) -> Option<(u64, CrashPoint)> {
        self.world.disks[process.index()].orders.crash
    }

    /// What crashes of a process make of what is not durable.
    ///
    /// # Panics
    ///
    /// If there is no such process.
    #[must_use]
    pub fn crash_mode(&self, process: ProcessId) -> CrashMode {
        self.world.disks[process.index()].mode
    }

    /// How many bytes the files of a process hold together, durable or not: what counts against
    /// [`Self::disk_capacity`].
    ///
    /// # Panics
    ///
    /// If there is no such process.
    #[must_use]
    pub fn disk_bytes(&self, process: ProcessId) -> u64 {
        self.world.disks[process.index()].used()
    }

    /// How many bytes the files of a process may hold together, if a [`crate::Fault::LimitDisk`] limits them.
    ///
    /// # Panics
    ///
    /// If there is no such process.
    #[must_use]
    pub fn disk_capacity(&self, process: ProcessId) -> Option<u64> {
        self.world.disks[process.index()].orders.capacity
    }

    /// How many appends to a file of a process have reached its disk in a wrong place ([`crate::Fault::Misdirect`]). One that
    /// was misdirected counts when it becomes durable, or when a crash keeps a part of it.
    ///
    /// # Panics
    ///
    /// If there is no such process or no such file.
    #[must_use]
    pub fn misdirected_appends(&self, process: ProcessId, file: FileId) -> u64 {
        self.world.disks[process.index()].misdirected(file).appends
    }

    /// Which replacement of a file of a process the last of its [`Simulation::misdirected_appends`] belongs to; 0 if to none
    /// or if there is no such append. If [`Simulation::last_replacement`] is higher, its damage is gone.
    ///
    /// # Panics
    ///
    /// If there is no such process or no such file.
    #[must_use]
    pub fn last_misdirected(&self, process: ProcessId, file: FileId) -> u64 {
        self.world.disks[process.index()].misdirected(file).of
    }

    /// Which durable replacement made a file of a process what it is: a number that grows with each; 0 if none has. Damage
    /// of before the last is gone.
    ///
    /// # Panics
    ///
    /// If there is no such process or no such file.
    #[must_use]
    pub fn last_replacement(&self, process: ProcessId, file: FileId) -> u64 {
        self.world.disks[process.index()].replaced(file)
    }
}
