//! A small protocol for testing the world: every process beats at a steady pace, tells the others, and writes now and
//! then. What it does is simple enough to be foretold.

use sim_core::{
    Digest, DiskView, DropReason, Effects, Encode, Fault, FileId, Label, Latency, LinkQuality, MessageId,
    Observer, Process, ProcessId, Record, Settings, Simulation, Span, Stamp, TimerId, VirtualTime, WriteId,
};

pub(crate) const BEAT: TimerId = TimerId(0);
pub(crate) const ALARM: TimerId = TimerId(1);
pub(crate) const TELL: u8 = 0;
/// Holds the last beat, as eight bytes, little end first.
pub(crate) const LAST: FileId = FileId(0);

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Said {
    pub(crate) answer: bool,
    pub(crate) beat: u64,
}

impl Encode for Said {
    fn encode(&self, digest: &mut Digest) {
        digest.pair(u64::from(self.answer), self.beat);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Note {
    Began {
        from_disk: u64,
    },
    Heard {
        from: u16,
        beat: u64,
    },
    Durable {
        beat: u64,
    },
    Alarm,
    Asked(u32),
    /// What its clock shows, in nanoseconds.
    Clock(u64),
}

impl Encode for Note {
    fn encode(&self, digest: &mut Digest) {
        match self {
            Self::Began { from_disk } => digest.pair(0, *from_disk),
            Self::Heard { from, beat } => digest.pair(1 | u64::from(*from) << 8, *beat),
            Self::Durable { beat } => digest.pair(2, *beat),
            Self::Alarm => digest.word(3),
            Self::Asked(what) => digest.pair(4, u64::from(*what)),
            Self::Clock(nanos) => digest.pair(5, *nanos),
        }
    }
}

/// How a process behaves.
#[derive(Clone, Debug)]
pub(crate) struct Habits {
    /// Time between beats; zero: it never beats.
    pub(crate) beat: Span,
    /// Whether beats are answered.
    pub(crate) answers: bool,
    /// Whether each beat is written to disk.
    pub(crate) writes: bool,
    /// An alarm this long after the last message heard; zero: none.
    pub(crate) alarm: Span,
    /// Panics at this beat.
    pub(crate) panics_at: Option<u64>,
    /// Whether it notes what its clock shows at each beat.
    pub(crate) tells_clock: bool,
}

impl Default for Habits {
    fn default() -> Self {
        let beat = Span::from_millis(10);
        Self { beat, answers: true, writes: false, alarm: Span::ZERO, panics_at: None, tells_clock: false }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Beater {
    habits: Habits,
    pub(crate) beat: u64,
}

/// The number in a file: 0 if it is empty.
pub(crate) fn number(file: &[u8]) -> u64 {
    if file.is_empty() { 0 } else { u64::from_le_bytes(file.try_into().expect("eight bytes")) }
}

/// A request; 7 makes it panic, anything else is noted.
pub(crate) type Asked = u32;

impl Process for Beater {
    type Config = Habits;
    type Message = Said;
    type Facts = Said;
    type Note = Note;
    type Request = Asked;
    const TIMERS: &'static [&'static str] = &["beat", "alarm"];
    const FILES: &'static [&'static str] = &["last"];
    const KINDS: &'static [&'static str] = &["Tell", "Answer"];

    fn label(message: &Said) -> Label {
        Label { kind: u8::from(message.answer), epoch: message.beat / 16, bytes: 16 }
    }

    fn facts(message: &Said) -> Said {
        *message
    }

    fn boot(_: ProcessId, _: u32, habits: &Habits, disk: &DiskView<'_>, fx: &mut Effects<'_, Self>) -> Self {
        let beat = number(disk.read(LAST));
        fx.note(Note::Began { from_disk: beat });
        if habits.beat > Span::ZERO {
            fx.set_timer(BEAT, habits.beat);
        }
        if habits.alarm > Span::ZERO {
            fx.set_timer(ALARM, habits.alarm);
        }
        Self { habits: habits.clone(), beat }
    }

    fn on_message(&mut self, from: ProcessId, message: Said, fx: &mut Effects<'_, Self>) {
        fx.note(Note::Heard { from: from.0, beat: message.beat });
        if self.habits.alarm > Span::ZERO {
            fx.rearm_timer(ALARM);
        }
        if self.habits.answers && !message.answer {
            fx.send(from, Said { answer: true, ..message });
        }
    }

    fn on_timer(&mut self, timer: TimerId, fx: &mut Effects<'_, Self>) {
        if timer == ALARM {
            return fx.note(Note::Alarm);
        }
        self.beat += 1;
        assert!(Some(self.beat) != self.habits.panics_at, "beat {} is too much", self.beat);
        fx.broadcast(&Said { answer: false, beat: self.beat });
        if self.habits.tells_clock {
            fx.note(Note::Clock(fx.clock().0));
        }
        if self.habits.writes {
            fx.replace(LAST, &self.beat.to_le_bytes()).expect("nobody said that the disk fails");
            fx.sync(0);
        }
        fx.rearm_timer(BEAT);
    }

    fn on_durable(&mut self, write: WriteId, fx: &mut Effects<'_, Self>) {
        fx.note(Note::Durable { beat: write.0 });
    }

    fn on_request(&mut self, asked: Asked, fx: &mut Effects<'_, Self>) {
        assert!(asked != 7, "seven is not a question");
        fx.note(Note::Asked(asked));
    }
}

pub(crate) type Line = (Stamp, Record<Said, Note>);
pub(crate) type World = Simulation<Beater, Vec<Line>>;

pub(crate) const P: fn(u16) -> ProcessId = ProcessId;

pub(crate) const fn at(millis: u64) -> VirtualTime {
    VirtualTime::ZERO.after(Span::from_millis(millis))
}

pub(crate) const fn ms(millis: u64) -> Span {
    Span::from_millis(millis)
}

pub(crate) fn inject<T: Process, O: Observer<T::Facts, T::Note>>(world: &mut Simulation<T, O>, fault: Fault) {
    world.inject(&fault).expect("the fault is possible");
}

pub(crate) fn world(settings: &Settings, habits: &[Habits], seed: u64) -> World {
    let mut world = World::new(settings, habits.to_vec(), seed, Vec::new());
    world.boot_all();
    world
}

/// A speaker (process 0) who beats, and listeners who do not answer.
pub(crate) fn speaker(settings: &Settings, listeners: usize, seed: u64) -> World {
    let mut habits = vec![Habits { answers: false, ..Habits::default() }];
    habits.resize(1 + listeners, Habits { beat: Span::ZERO, answers: false, ..Habits::default() });
    world(settings, &habits, seed)
}

/// Links that take just so long.
pub(crate) fn steady(millis: u64) -> Settings {
    let link = LinkQuality { latency: Latency::Constant(ms(millis)), ..LinkQuality::default() };
    Settings { link, ..Settings::default() }
}

/// How many messages were lost for this reason.
pub(crate) fn dropped(world: &World, reason: DropReason) -> usize {
    let of =
        |record: &Record<_, _>| matches!(record, Record::Dropped { reason: found, .. } if *found == reason);
    world.observer().iter().filter(|(_, record)| of(record)).count()
}

/// What process `to` heard: when, and which beat.
pub(crate) fn heard(world: &World, to: u16) -> Vec<(u64, u64)> {
    let lines = world.observer().iter();
    lines
        .filter_map(|(stamp, record)| match record {
            Record::Noted { process, note: Note::Heard { beat, .. } } if process.0 == to => {
                Some((stamp.at.nanos() / 1_000_000, *beat))
            }
            _ => None,
        })
        .collect()
}

/// The last beat of process 0 that is durable.
pub(crate) fn durable(world: &World) -> u64 {
    number(&world.durable_file(P(0), LAST))
}

pub(crate) fn notes(world: &World, of: u16) -> Vec<(u64, Note)> {
    let lines = world.observer().iter();
    lines
        .filter_map(|(stamp, record)| match record {
            Record::Noted { process, note } if process.0 == of => Some((stamp.at.nanos() / 1_000_000, *note)),
            _ => None,
        })
        .collect()
}

/// What became of each message: its arrival, or none if it was lost.
pub(crate) fn fates(lines: &[Line]) -> std::collections::BTreeMap<MessageId, Option<Span>> {
    let mut sent = std::collections::BTreeMap::new();
    let mut fates = std::collections::BTreeMap::new();
    for (stamp, record) in lines {
        match record {
            Record::Sent { id, .. } => {
                sent.insert(*id, stamp.at);
            }
            Record::Delivered { id, .. } if id.copy == 0 => {
                fates.insert(*id, Some(stamp.at.since(sent[id])));
            }
            Record::Dropped { id, .. } if id.copy == 0 => {
                fates.insert(*id, None);
            }
            _ => {}
        }
    }
    fates
}
