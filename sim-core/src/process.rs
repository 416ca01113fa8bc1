//! What a protocol must be to live in the world, and what it can do there.

use crate::{DiskError, DiskView, Effects, Encode, ProcessId, TimerId, WriteId};
use core::fmt::Debug;

/// What the world needs to know of a message to name it and to reckon its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// What sort of message, an index into [`Process::KINDS`].
    pub kind: u8,
    /// The phase of the protocol that it belongs to (a term, a view, a round, a transaction): messages are numbered
    /// within it. Up to 1,024 epochs may be in use on a link at a time; beyond that the lowest is counted anew.
    pub epoch: u64,
    /// Its size on the wire in bytes.
    pub bytes: u32,
}

/// A process of a protocol: a state machine that reacts to what reaches it and touches the world only through
/// [`Effects`].
///
/// It must be deterministic: no clock, no randomness, no input but what it is handed. It is plain data: cloning it
/// clones its whole state, so that a world can be copied, branched and gone back to.
///
/// A panic in any of its functions is caught, recorded and treated as a crash of the process.
pub trait Process: Clone + Debug + Sized {
    /// What it is started with, each life anew.
    type Config: Clone + Debug;
    /// What it sends.
    type Message: Clone + Debug;
    /// What is told of a message to whoever watches. It stands for the message in records and in the digest.
    type Facts: Clone + Debug + Encode;
    /// What it tells of itself to whoever watches.
    type Note: Clone + Debug + Encode;
    /// What its environment asks of it.
    type Request: Clone + Debug;

    /// The names of its timers; a [`TimerId`] is an index into them.
    const TIMERS: &'static [&'static str];
    /// The names of the files on its disk; a [`crate::FileId`] is an index into them.
    const FILES: &'static [&'static str];
    /// The names of its kinds of message; [`Label::kind`] is an index into them.
    const KINDS: &'static [&'static str];

    /// Kind, epoch and size of a message.
    fn label(message: &Self::Message) -> Label;

    /// What is told of a message.
    fn facts(message: &Self::Message) -> Self::Facts;

    /// Begins a life, the `life`-th from 1, from what the disk holds.
    fn boot(
        id: ProcessId,
        life: u32,
        config: &Self::Config,
        disk: &DiskView<'_>,
        fx: &mut Effects<'_, Self>,
    ) -> Self;

    /// A message has arrived.
    fn on_message(&mut self, from: ProcessId, message: Self::Message, fx: &mut Effects<'_, Self>);

    /// A timer has fired. It is disarmed now.
    fn on_timer(&mut self, timer: TimerId, fx: &mut Effects<'_, Self>);

    /// What was issued before a sync is durable. Data become durable in the order in which they were issued; the news of
    /// it comes in that order too, unless the disk's [notice](crate::DiskQuality::notice) varies.
    fn on_durable(&mut self, write: WriteId, fx: &mut Effects<'_, Self>);

    /// A sync has failed. What it was about may never become durable, even if a later sync succeeds
    /// ([`crate::Unsynced`]), so a process that does not know better stops.
    fn on_write_failed(&mut self, write: WriteId, error: DiskError, fx: &mut Effects<'_, Self>) {
        let _ = (write, error);
        fx.stop();
    }

    /// The environment asks for something.
    fn on_request(&mut self, request: Self::Request, fx: &mut Effects<'_, Self>);
}
