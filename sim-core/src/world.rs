//! Everything but the processes: time, queue, network, disks, timers, digest, and what is recorded of them.

use crate::chance::{Block, Chance, Domain, lower, upper};
use crate::clock::Clocks;
use crate::disk::Disk;
use crate::latency::{between, multiply_high};
use crate::network::{Fate, Network};
use crate::queue::{Key, Queue};
use crate::record::{encode_of_message, encode_of_note, encode_of_sending};
use crate::simulation::Settings;
use crate::timers::Timer;
use crate::{
    Checkpoint, Checkpoints, Digest, DiskError, DropReason, Encode, Interest, LinkQuality, MessageId,
    Observer, Process, ProcessId, Record, RecordKind, Span, Stamp, Stats, VirtualTime, WriteId,
};

/// Whoever watches a process of type `P`.
pub(crate) type Watcher<'a, P> = &'a mut dyn Observer<<P as Process>::Facts, <P as Process>::Note>;

/// What a key of the queue stands for, in its two highest bits; the rest is an index.
pub(crate) const SLAB: u32 = 0;
pub(crate) const TIMER: u32 = 1 << 30;
pub(crate) const WRITE: u32 = 2 << 30;
pub(crate) const TAG: u32 = 3 << 30;

/// How much may wait for a paused process. Messages that come on top are lost, as in a full socket buffer.
pub(crate) const BACKLOG_MAX: usize = 65_536;

/// Something that waits in the slab until its time, or until somebody lets it go.
#[derive(Clone, Debug)]
pub(crate) enum Pending<P: Process> {
    /// A free place.
    Vacant,
    /// It was taken out while the queue still refers to it.
    Cancelled,
    Message {
        id: MessageId,
        message: P::Message,
        stage: Stage,
        /// The number of records when it came to the link: the oldest message has the lowest.
        since: u64,
        lot: Lot,
    },
    /// The news of a sync, for a process that was paused when it ended or whose disk is slow to tell.
    Synced {
        process: ProcessId,
        life: u32,
        write: WriteId,
        outcome: Result<(), DiskError>,
    },
    Request {
        process: ProcessId,
        request: P::Request,
    },
}

/// What chance has decided of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lot {
    /// Nothing yet: it may still be lost, doubled or damaged.
    Open,
    /// It arrives.
    Sound,
    /// It arrives damaged.
    Damaged,
}

/// Where a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    InFlight,
    Held,
    /// At its receiver, who is paused.
    Waiting,
}

#[derive(Clone, Debug)]
pub(crate) struct Status {
    pub(crate) up: bool,
    pub(crate) paused: bool,
    pub(crate) life: u32,
    /// What waits while it is paused: what the queue had for it, oldest first.
    pub(crate) backlog: Vec<u32>,
}

/// How a process came to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Halt {
    /// The storage operation at which it did.
    pub(crate) operation: Option<u64>,
    /// Whether that operation is torn.
    pub(crate) is_torn: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct World<P: Process> {
    pub(crate) count: u16,
    pub(crate) now: VirtualTime,
    pub(crate) queue: Queue,
    pub(crate) slab: Vec<Pending<P>>,
    free: Vec<u32>,
    pub(crate) chance: Chance,
    pub(crate) network: Network,
    pub(crate) disks: Vec<Disk>,
    pub(crate) clocks: Clocks,
    pub(crate) timers: Vec<Timer>,
    pub(crate) status: Vec<Status>,
    /// The process whose code is running: it is to blame for a panic.
    pub(crate) acting: Option<ProcessId>,
    /// Set when the acting process has stopped in the middle of what it does.
    pub(crate) halted: Option<Halt>,
    pub(crate) interest: Interest,
    pub(crate) stats: Stats,
    pub(crate) records: u64,
    pub(crate) digest: Digest,
    pub(crate) checkpoints: Checkpoints,
    pub(crate) digest_on: bool,
    /// How many requests were scheduled.
    pub(crate) requests: u32,
}

impl<P: Process> World<P> {
    pub(crate) fn new(settings: &Settings, seed: u64, count: u16, interest: Interest) -> Self {
        let processes = usize::from(count);
        let status = Status { up: false, paused: false, life: 0, backlog: Vec::new() };
        Self {
            count,
            now: VirtualTime::ZERO,
            queue: Queue::default(),
            slab: Vec::new(),
            free: Vec::new(),
            chance: Chance::new(seed),
            network: Network::new((count, settings.bystanders), P::KINDS.len(), settings.link),
            disks: vec![Disk::new(P::FILES.len(), settings.disk, settings.crash); processes],
            clocks: Clocks::default(),
            timers: vec![Timer::default(); processes * P::TIMERS.len()],
            status: vec![status; processes],
            acting: None,
            halted: None,
            interest,
            stats: Stats::new(count, P::KINDS.len()),
            records: 0,
            digest: Digest::new(),
            checkpoints: Checkpoints::default(),
            digest_on: true,
            requests: 0,
        }
    }

    /// Takes a record into the digest and shows it to whoever wants it.
    #[inline(always)]
    pub(crate) fn emit(&mut self, watcher: Watcher<'_, P>, record: Record<P::Facts, P::Note>) {
        let stamp = self.begin_record();
        if self.digest_on {
            record.encode(&mut self.digest);
            self.check(stamp);
        }
        self.show(watcher, stamp, record.owns_nothing(), record);
    }

    /// Does the same with what a process notes. Once it is in a record, the compiler does not know any more what sort of
    /// note it is, and would ask again for the digest; so it is taken in before.
    #[inline(always)]
    pub(crate) fn emit_noted(&mut self, watcher: Watcher<'_, P>, process: ProcessId, note: P::Note) {
        let owns_nothing = note.owns_nothing();
        let stamp = self.begin_record();
        if self.digest_on {
            encode_of_note(process, &note, &mut self.digest);
            self.check(stamp);
        }
        self.show(watcher, stamp, owns_nothing, Record::Noted { process, note });
    }

    /// Does the same with a message that is sent, for the same reason.
    #[inline(always)]
    fn emit_sent(&mut self, watcher: Watcher<'_, P>, id: MessageId, facts: P::Facts, bytes: u32) {
        let owns_nothing = facts.owns_nothing();
        let stamp = self.begin_record();
        if self.digest_on {
            encode_of_sending(&id, &facts, bytes, &mut self.digest);
            self.check(stamp);
        }
        self.show(watcher, stamp, owns_nothing, Record::Sent { id, facts, bytes });
    }

    /// Shows a record to whoever wants it.
    #[inline(always)]
    fn show(
        &mut self,
        watcher: Watcher<'_, P>,
        stamp: Stamp,
        owns_nothing: bool,
        record: Record<P::Facts, P::Note>,
    ) {
        if self.interest.has(record.kind()) {
            // A panic of the watcher is not the process's.
            let acting = self.acting.take();
            watcher.observe(stamp, &record);
            self.acting = acting;
        }
        if owns_nothing {
            // The compiler does not know any more what kind it was, and would ask.
            core::mem::forget(record);
        }
    }

    /// Begins one more record. Where the digest is on, its encoding comes next, and then [`Self::check`].
    #[inline(always)]
    fn begin_record(&mut self) -> Stamp {
        self.records += 1;
        let stamp = Stamp { number: self.records, at: self.now };
        if self.digest_on {
            self.digest.word(stamp.at.nanos());
        }
        stamp
    }

    /// Keeps a checkpoint if one is due after this record.
    #[inline(always)]
    fn check(&mut self, stamp: Stamp) {
        if self.checkpoints.due(stamp.number) {
            let value = self.digest.value();
            self.checkpoints.keep(Checkpoint { records: stamp.number, at: stamp.at, value });
        }
    }

    /// Records that a message reached its receiver. What was told of it when it was sent is told again only if somebody
    /// wants to hear it.
    #[inline]
    pub(crate) fn emit_delivered(&mut self, watcher: Watcher<'_, P>, id: MessageId, message: &P::Message) {
        if self.interest.has(RecordKind::Delivered) {
            self.emit(watcher, Record::Delivered { id, facts: P::facts(message) });
        } else {
            let stamp = self.begin_record();
            if self.digest_on {
                encode_of_message(RecordKind::Delivered, &id, &mut self.digest);
                self.check(stamp);
            }
        }
    }

    #[inline]
    pub(crate) fn store(&mut self, pending: Pending<P>) -> u32 {
        let place = self.vacant();
        self.slab[place as usize] = pending;
        place
    }

    /// A free place, that is free no more.
    #[inline(always)]
    fn vacant(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            let place = u32::try_from(self.slab.len()).ok().filter(|place| place & TAG == 0);
            self.slab.push(Pending::Vacant);
            place.expect("fewer than 2^30 events are pending")
        })
    }

    #[inline]
    pub(crate) fn take(&mut self, place: u32) -> Pending<P> {
        self.free.push(place);
        core::mem::replace(&mut self.slab[place as usize], Pending::Vacant)
    }

    /// Takes a message out of the slab whose place is known to be that of one.
    #[inline]
    pub(crate) fn take_message(&mut self, place: u32) -> (MessageId, P::Message, Lot) {
        let Pending::Message { id, message, lot, .. } = self.take(place) else {
            unreachable!("something else stands in the place of a message")
        };
        (id, message, lot)
    }

    /// A process hands a message to the network.
    #[inline(always)]
    pub(crate) fn send(
        &mut self,
        watcher: Watcher<'_, P>,
        from: ProcessId,
        to: ProcessId,
        message: P::Message,
    ) {
        assert!(to.0 < self.count, "process {from} sends to process {to}, but there are only {}", self.count);
        assert!(to != from, "process {from} sends to itself");
        if self.halted.is_some() {
            return;
        }
        let label = P::label(&message);
        assert!(usize::from(label.kind) < P::KINDS.len(), "message kind {} has no name", label.kind);
        let ordinal = self.network.ordinal(from, to, label.kind, label.epoch);
        let id = MessageId { from, to, kind: label.kind, copy: 0, ordinal, epoch: label.epoch };
        self.stats.sent(&id, label.bytes);
        self.emit_sent(watcher, id, P::facts(&message), label.bytes);
        if !self.network.lets_go(from) {
            return self.lose(watcher, id, DropReason::Ordered);
        }
        self.set_out(watcher, id, message);
    }

    /// Puts a message on its link: it is lost, held, or on its way.
    pub(crate) fn hand_over(&mut self, watcher: Watcher<'_, P>, id: MessageId, message: P::Message) {
        self.set_out(watcher, id, message);
    }

    /// The same where it is compiled into the place that sends: messages are large, and each call copies them.
    #[inline(always)]
    fn set_out(&mut self, watcher: Watcher<'_, P>, id: MessageId, message: P::Message) {
        let link = self.network.link(id.from, id.to);
        if !link.open {
            return self.lose(watcher, id, DropReason::Cut);
        }
        if link.held {
            return self.keep_back(watcher, (id, message, Lot::Open), None);
        }
        let fate = self.network.pinned(&id);
        let block = self.chance.message(Domain::Message, &id);
        let LinkQuality { fifo, corrupt, duplicate, reorder, .. } = link.quality;
        let (drawn, lost) = (link.quality.latency.sample(block.0), link.quality.loss.happens(upper(block.1)));
        let (mut extra, mut lot) = (Span::ZERO, Lot::Sound);
        if (duplicate.ppm() | reorder.ppm() | corrupt.ppm()) != 0 && fate.is_none() {
            (extra, lot) = self.twist(watcher, id, &message);
        }
        let latency = match fate {
            Some(Fate::Drop) => return self.lose(watcher, id, DropReason::Ordered),
            Some(Fate::Latency(latency)) => latency,
            None if lost => return self.lose(watcher, id, DropReason::Loss),
            None => drawn.plus(extra),
        };
        self.post((id, message, lot), latency, lower(block.1), fifo);
    }

    /// What few links do to a message: it may be doubled, delayed by so much that others overtake it, and damaged.
    #[cold]
    fn twist(&mut self, watcher: Watcher<'_, P>, id: MessageId, message: &P::Message) -> (Span, Lot) {
        let quality = self.network.link(id.from, id.to).quality;
        let (mut extra, mut lot) = (Span::ZERO, Lot::Sound);
        if quality.duplicate.ppm() | quality.reorder.ppm() != 0 {
            let Block(coins, delay) = self.chance.message(Domain::MessageTwist, &id);
            if id.copy == 0 && quality.duplicate.happens(upper(coins)) {
                let copy = MessageId { copy: 1, ..id };
                self.emit(watcher, Record::Duplicated { id: copy });
                self.stats.duplicated += 1;
                self.hand_over(watcher, copy, message.clone());
            }
            if quality.reorder.happens(lower(coins)) {
                extra = between(Span::ZERO, quality.reorder_by, delay);
            }
        }
        if quality.corrupt.ppm() != 0 {
            let coin = self.chance.message(Domain::Corruption, &id).0;
            lot = if quality.corrupt.happens(upper(coin)) { Lot::Damaged } else { lot };
        }
        (extra, lot)
    }

    /// Lets a message wait on its held link, behind all that waits there. It came to the link just now, or after so many
    /// records.
    pub(crate) fn keep_back(
        &mut self,
        watcher: Watcher<'_, P>,
        (id, message, lot): (MessageId, P::Message, Lot),
        since: Option<u64>,
    ) {
        self.emit(watcher, Record::Held { id });
        let (since, stage) = (since.unwrap_or(self.records), Stage::Held);
        let place = self.store(Pending::Message { id, message, stage, since, lot });
        self.network.link_mut(id.from, id.to).waiting.push_back(place);
    }

    #[inline(always)]
    fn post(
        &mut self,
        (id, message, lot): (MessageId, P::Message, Lot),
        latency: Span,
        tie: u32,
        fifo: bool,
    ) -> u32 {
        let now = self.now;
        let link = self.network.link_mut(id.from, id.to);
        let mut due = now.max(link.clogged_until).after(latency);
        if fifo {
            due = due.max(link.last_due.after(Span::from_nanos(1)));
            link.last_due = due;
        }
        self.post_at(due, (id, message, lot), tie)
    }

    #[inline(always)]
    fn post_at(
        &mut self,
        due: VirtualTime,
        (id, message, lot): (MessageId, P::Message, Lot),
        tie: u32,
    ) -> u32 {
        let (since, stage) = (self.records, Stage::InFlight);
        let place = self.vacant();
        self.slab[place as usize] = Pending::Message { id, message, stage, since, lot };
        self.queue.push(Key::new(due, tie, SLAB | place));
        place
    }

    /// The tie-break of a message.
    pub(crate) fn message_tie(&self, id: &MessageId) -> u32 {
        lower(self.chance.message(Domain::Message, id).1)
    }

    /// Delivers a held message now, whatever its link is like.
    pub(crate) fn post_now(&mut self, id: MessageId, message: P::Message, tie: u32) {
        self.post_at(self.now, (id, message, Lot::Sound), tie);
    }

    /// Sends a message on its way that was captured on it: its latency begins anew, nothing else is decided again.
    pub(crate) fn post_again(
        &mut self,
        watcher: Watcher<'_, P>,
        (id, message, lot): (MessageId, P::Message, Lot),
    ) {
        if self.network.link(id.from, id.to).open {
            self.post_anew((id, message, lot));
        } else {
            self.lose(watcher, id, DropReason::Cut);
        }
    }

    /// Puts a message of which everything but its latency is decided on its way, even where the link is cut. Says where it is.
    pub(crate) fn post_anew(&mut self, (id, message, lot): (MessageId, P::Message, Lot)) -> u32 {
        let quality = self.network.link(id.from, id.to).quality;
        let block = self.chance.message(Domain::Message, &id);
        self.post((id, message, lot), quality.latency.sample(block.0), lower(block.1), quality.fifo)
    }

    pub(crate) fn lose(&mut self, watcher: Watcher<'_, P>, id: MessageId, reason: DropReason) {
        self.stats.dropped += 1;
        self.emit(watcher, Record::Dropped { id, reason });
    }

    /// Something for a paused process: it waits.
    pub(crate) fn wait(&mut self, process: ProcessId, what: u32) {
        self.status[process.index()].backlog.push(what);
    }

    /// Whether one more message may wait for a process.
    #[inline]
    pub(crate) fn has_room(&self, process: ProcessId) -> bool {
        self.status[process.index()].backlog.len() < BACKLOG_MAX
    }

    /// The bits that a process draws for itself.
    pub(crate) fn draw(&self, process: ProcessId, purpose: u32, which: u64, bound: u64) -> u64 {
        multiply_high(self.chance.process(process, purpose, which), bound)
    }
}
