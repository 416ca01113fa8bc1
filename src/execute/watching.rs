//! Whoever watches a run beside the judge. It is asked through a table, so that the simulator is compiled once and not again for
//! everybody who watches; what it wants to see is asked once, so that it costs nothing where nobody does.

use crate::record::{MessageFacts, Note, Record};
use sim_core::{Interest, Observer, Stamp};

/// Whoever watches.
pub(crate) struct Watching<'w> {
    interest: Interest,
    watcher: Box<dyn Observer<MessageFacts, Note> + 'w>,
}

impl<'w> Watching<'w> {
    pub(super) fn of(watcher: impl Observer<MessageFacts, Note> + 'w) -> Self {
        Self { interest: watcher.interest(), watcher: Box::new(watcher) }
    }
}

/// A clone of a world is watched by nobody.
impl Clone for Watching<'_> {
    fn clone(&self) -> Self {
        Self::of(())
    }
}

impl Observer<MessageFacts, Note> for Watching<'_> {
    #[inline]
    fn interest(&self) -> Interest {
        self.interest
    }

    fn observe(&mut self, stamp: Stamp, record: &Record) {
        self.watcher.observe(stamp, record);
    }
}
