//! A protocol of one's own: a lock that a server lends for a while.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use seaworthy::strategy::{Disturbance, HORIZON, fault_plan, play};
use sim_core::{
    Digest, DiskView, Effects, Encode, Fault, Interest, Label, Latency, LinkQuality, LocalTime, Observer,
    Process, ProcessId, Record, RecordKind, Settings, Simulation, Span, Stamp, TimerId, WriteId,
};
use std::collections::BTreeSet;

const SERVER: ProcessId = ProcessId(0);
const LEASE: Span = Span::from_millis(100);
/// The server's: the lock is free again. A client's: its lease is over.
const OVER: TimerId = TimerId(0);
/// A client wants the lock.
const WANT: TimerId = TimerId(1);

#[derive(Clone, Copy, Debug)]
enum Message {
    Ask { round: u64 },
    Granted { round: u64 },
}

/// What a client tells of itself: whether it thinks that it has the lock.
#[derive(Clone, Copy, Debug)]
struct Holds(bool);

#[derive(Clone, Debug)]
struct Locker {
    /// How the client counts its lease: from when it asked, or (a mistake) from when it was answered.
    counts_from_answer: bool,
    lent: bool,
    round: u64,
    asked: LocalTime,
}

impl Process for Locker {
    type Config = bool;
    type Message = Message;
    type Facts = Message;
    type Note = Holds;
    type Request = ();
    const TIMERS: &'static [&'static str] = &["over", "want"];
    const FILES: &'static [&'static str] = &[];
    const KINDS: &'static [&'static str] = &["Ask", "Granted"];

    fn label(message: &Message) -> Label {
        let (kind, epoch) = match *message {
            Message::Ask { round } => (0, round),
            Message::Granted { round } => (1, round),
        };
        Label { kind, epoch, bytes: 8 }
    }

    fn facts(message: &Message) -> Message {
        *message
    }

    fn boot(id: ProcessId, life: u32, wrong: &bool, _: &DiskView<'_>, fx: &mut Effects<'_, Self>) -> Self {
        // A server that starts again does not know whether somebody has the lock.
        let lent = id == SERVER && life > 1;
        match (id == SERVER, lent) {
            (false, _) => fx.set_timer(WANT, Span::from_millis(1)),
            (true, true) => fx.set_timer(OVER, LEASE),
            (true, false) => {}
        }
        // Answers to an earlier life have another round.
        let round = u64::from(life) << 32;
        Self { counts_from_answer: *wrong, lent, round, asked: fx.clock() }
    }

    fn on_message(&mut self, from: ProcessId, message: Message, fx: &mut Effects<'_, Self>) {
        match message {
            Message::Ask { round } if !self.lent => {
                self.lent = true;
                fx.set_timer(OVER, LEASE);
                fx.send(from, Message::Granted { round });
            }
            Message::Granted { round } if round == self.round => {
                let passed = if self.counts_from_answer { 0 } else { fx.clock().0 - self.asked.0 };
                if let Some(left) = LEASE.nanos().checked_sub(passed).filter(|left| *left > 0) {
                    fx.note(Holds(true));
                    fx.set_timer(OVER, Span::from_nanos(left));
                    fx.cancel_timer(WANT);
                }
            }
            Message::Ask { .. } | Message::Granted { .. } => {}
        }
    }

    fn on_timer(&mut self, timer: TimerId, fx: &mut Effects<'_, Self>) {
        match timer {
            WANT => {
                (self.round, self.asked) = (self.round + 1, fx.clock());
                fx.send(SERVER, Message::Ask { round: self.round });
                fx.set_timer(WANT, Span::from_millis(30));
            }
            _ if fx.id() == SERVER => self.lent = false,
            _ => {
                fx.note(Holds(false));
                fx.set_timer(WANT, Span::from_millis(10));
            }
        }
    }

    fn on_durable(&mut self, _: WriteId, _: &mut Effects<'_, Self>) {}
    fn on_request(&mut self, (): (), _: &mut Effects<'_, Self>) {}
}

impl Encode for Message {
    fn encode(&self, digest: &mut Digest) {
        match *self {
            Self::Ask { round } => digest.pair(0, round),
            Self::Granted { round } => digest.pair(1, round),
        }
    }
}

impl Encode for Holds {
    fn encode(&self, digest: &mut Digest) {
        digest.word(self.0.into());
    }
}

/// Knows who has the lock, and when two have.
#[derive(Clone, Debug, Default)]
struct Holders {
    now: BTreeSet<ProcessId>,
    ever: u32,
    wrong: Option<String>,
}

impl Observer<Message, Holds> for Holders {
    fn interest(&self) -> Interest {
        Interest::of(&[RecordKind::Noted, RecordKind::Crashed])
    }

    fn observe(&mut self, stamp: Stamp, record: &Record<Message, Holds>) {
        match record {
            Record::Noted { process, note: Holds(true) } => {
                self.now.insert(*process);
                self.ever += 1;
                if self.now.len() > 1 && self.wrong.is_none() {
                    self.wrong = Some(format!("at {} {:?} have the lock", stamp.at, self.now));
                }
            }
            Record::Noted { process, .. } | Record::Crashed { process, .. } => {
                self.now.remove(process);
            }
            _ => {}
        }
    }
}

/// A server and two clients, disturbed.
fn disturbed(plan: &[Disturbance], seed: u64, wrong: bool) -> Simulation<Locker, Holders> {
    let latency = Latency::Uniform(Span::from_millis(1), Span::from_millis(20));
    let settings =
        Settings { link: LinkQuality { latency, ..LinkQuality::default() }, ..Settings::default() };
    let mut world = Simulation::new(&settings, vec![wrong; 3], seed, Holders::default());
    world.boot_all();
    play(&mut world, plan, HORIZON);
    world
}

/// Who is paused cannot let go in time: against that helps no lease, but a number that grows with each (a fencing token).
fn without_pauses() -> impl Strategy<Value = Vec<Disturbance>> {
    let is_pause = |disturbance: &Disturbance| matches!(disturbance.fault, Fault::Pause { .. });
    fault_plan(3, HORIZON).prop_map(move |mut plan| {
        plan.retain(|disturbance| !is_pause(disturbance));
        plan
    })
}

proptest! {
    #[test]
    fn my_lock_has_one_holder(plan in without_pauses(), seed: u64) {
        let world = disturbed(&plan, seed, false);
        prop_assert_eq!(&world.observer().wrong, &None);
    }
}

#[test]
fn a_lock_with_a_mistake_is_found_and_made_short() {
    let mut runner = TestRunner::new(crate::strategy::fixed(300));
    let result = runner.run(&(without_pauses(), any::<u64>()), |(plan, seed)| {
        let world = disturbed(&plan, seed, true);
        prop_assert_eq!(&world.observer().wrong, &None);
        Ok(())
    });
    let told =
        result.expect_err("a client that counts from the answer has the lock for too long").to_string();
    assert!(told.contains("have the lock"), "{told}");
    // It takes no fault to find that.
    assert!(told.contains("minimal failing input: (\n    [],"), "{told}");
}

#[test]
fn the_lock_is_lent_and_a_run_of_it_is_the_same_twice() {
    let runs = [(); 2].map(|()| disturbed(&[], 3, false));
    assert!(runs[0].observer().ever > 10, "{:?}", runs[0].observer());
    assert_eq!(runs[0].digest(), runs[1].digest());
}
