//! A deterministic discrete-event world for distributed protocols.
//!
//! The world runs processes in one thread on a virtual clock. It delivers their messages over a network that delays,
//! loses, doubles, reorders, holds and cuts; it keeps their disks, which lose what is not durable when they crash, and
//! fail; it fires their timers, by clocks that may drift. Everything that happens follows from a seed, is recorded, and
//! goes into a digest, so that a run can be had again anywhere. It knows nothing of any protocol.
//!
//! - A protocol is a [`Process`]: a plain, cloneable state machine that touches the world through [`Effects`] alone.
//! - A [`Simulation`] holds the processes and the world. [`Simulation::step`] executes exactly one event.
//! - A [`Fault`] is data, and [`Simulation::inject`] does it. A [`FaultPlan`] draws a whole run's faults from a seed.
//! - An [`Observer`] is shown [`Record`]s as they happen: an oracle, or a writer of traces (feature `serde`).
//!
//! # Chance
//!
//! A draw is a function of the seed and of *what is decided*: the latency of the third `AppendEntries` of epoch 7 from 1
//! to 2, the delay of the second election timeout of process 4 in epoch 9. It does not depend on how many draws came
//! before. So taking one fault or one message out of a run leaves the fate of all others as it was.
//!
//! # A whole program
//!
//! A client adds one to a counter on a server, five times. It asks again when it hears nothing. The server forgets to
//! check whether it has seen a request before. With seed 1 nothing goes wrong; with seed 5 the network loses an
//! answer, the client asks again, and the server counts twice.
//!
//! ```
//! use sim_core::{
//!     Digest, DiskView, Effects, Encode, Label, Latency, LinkQuality, Process, ProcessId, Ratio, Settings,
//!     Simulation, Span, TimerId, VirtualTime, WriteId,
//! };
//!
//! const SERVER: ProcessId = ProcessId(0);
//! const RETRY: TimerId = TimerId(0);
//!
//! #[derive(Clone, Copy, Debug)]
//! enum Message {
//!     Add { request: u64 },
//!     Done { request: u64 },
//! }
//!
//! impl Encode for Message {
//!     fn encode(&self, digest: &mut Digest) {
//!         match self {
//!             Self::Add { request } => digest.pair(0, *request),
//!             Self::Done { request } => digest.pair(1, *request),
//!         }
//!     }
//! }
//!
//! /// The server's counter, or the client's number of answered requests.
//! #[derive(Clone, Debug)]
//! struct Counter {
//!     count: u64,
//! }
//!
//! /// Notes are what an oracle reads; here they are the count after each change.
//! #[derive(Clone, Debug)]
//! struct Count(u64);
//!
//! impl Encode for Count {
//!     fn encode(&self, digest: &mut Digest) {
//!         digest.word(self.0);
//!     }
//! }
//!
//! impl Process for Counter {
//!     type Config = ();
//!     type Message = Message;
//!     type Facts = Message;
//!     type Note = Count;
//!     type Request = ();
//!     const TIMERS: &'static [&'static str] = &["retry"];
//!     const FILES: &'static [&'static str] = &[];
//!     const KINDS: &'static [&'static str] = &["Add", "Done"];
//!
//!     fn label(message: &Message) -> Label {
//!         let (kind, request) = match message {
//!             Message::Add { request } => (0, *request),
//!             Message::Done { request } => (1, *request),
//!         };
//!         Label { kind, epoch: request, bytes: 8 }
//!     }
//!
//!     fn facts(message: &Message) -> Message {
//!         *message
//!     }
//!
//!     fn boot(id: ProcessId, _: u32, _: &(), _: &DiskView<'_>, fx: &mut Effects<'_, Self>) -> Self {
//!         if id != SERVER {
//!             fx.set_timer(RETRY, Span::ZERO);
//!         }
//!         Self { count: 0 }
//!     }
//!
//!     fn on_message(&mut self, from: ProcessId, message: Message, fx: &mut Effects<'_, Self>) {
//!         match message {
//!             Message::Add { request } => {
//!                 self.count += 1; // The bug: this request may have been counted before.
//!                 fx.note(Count(self.count));
//!                 fx.send(from, Message::Done { request });
//!             }
//!             Message::Done { request } if request == self.count => {
//!                 self.count += 1;
//!                 fx.set_timer(RETRY, Span::ZERO);
//!             }
//!             Message::Done { .. } => {}
//!         }
//!     }
//!
//!     fn on_timer(&mut self, _: TimerId, fx: &mut Effects<'_, Self>) {
//!         if self.count < 5 {
//!             fx.send(SERVER, Message::Add { request: self.count });
//!             fx.set_timer(RETRY, Span::from_millis(30));
//!         }
//!     }
//!
//!     fn on_durable(&mut self, _: WriteId, _: &mut Effects<'_, Self>) {}
//!     fn on_request(&mut self, (): (), _: &mut Effects<'_, Self>) {}
//! }
//!
//! fn count_with(seed: u64) -> (u64, u64) {
//!     let link = LinkQuality {
//!         latency: Latency::Uniform(Span::from_millis(1), Span::from_millis(5)),
//!         loss: Ratio::from_percent(10),
//!         ..LinkQuality::default()
//!     };
//!     let settings = Settings { link, ..Settings::default() };
//!     let mut simulation: Simulation<Counter> = Simulation::new(&settings, vec![(), ()], seed, ());
//!     simulation.boot_all();
//!     simulation.run_until(VirtualTime::ZERO.after(Span::from_secs(10)));
//!     let server = simulation.process(SERVER).expect("nothing crashes it");
//!     (server.count, simulation.digest())
//! }
//!
//! assert_eq!(count_with(1).0, 5, "a quiet network hides the bug");
//! assert_eq!(count_with(5).0, 6, "a lost answer shows it");
//! assert_eq!(count_with(5), count_with(5), "and shows it again, to the last bit of the digest");
//! ```

mod chance;
mod clock;
mod digest;
mod disk;
mod effects;
mod fault;
mod id;
mod inject;
mod inspect;
mod latency;
mod network;
mod ordinals;
mod panics;
mod plan;
mod process;
mod queue;
mod ratio;
mod record;
mod redraw;
mod run;
mod simulation;
mod stats;
mod storage;
mod stream;
mod time;
mod timers;
mod world;

#[doc(hidden)]
pub mod measure;
#[cfg(feature = "serde")]
pub mod trace;

pub use clock::{ClockChange, LocalTime};
pub use digest::{Checkpoint, Checkpoints, Digest, Encode};
pub use disk::{CrashMode, CrashPoint, DiskError, DiskQuality, DiskView, Honesty, Kept, Unsynced};
pub use effects::Effects;
pub use fault::{Fault, InFlight};
pub use id::{FileId, MessageId, ProcessId, TimerId, WriteId};
pub use inject::FaultError;
pub use latency::{Latency, LinkQuality};
pub use network::{Fate, MessagePin};
pub use panics::{PanicReport, catch};
pub use plan::{FaultMix, FaultPlan, Planned};
pub use process::{Label, Process};
pub use ratio::{Ratio, RatioError};
pub use record::{DropReason, Interest, Observer, Record, RecordKind, Stamp};
pub use simulation::{Settings, Simulation, Step};
pub use stats::{Stats, Traffic};
pub use stream::Stream;
pub use time::{Span, SpanError, VirtualTime};
