//! To whom which record is shown. What a process notes of itself, `judge.rs` hands out.

use super::{Judge, Seen};
use crate::oracles::Oracle;
use crate::record::{MessageFacts, Note, Record};
use sim_core::{Interest, Observer, Stamp};

impl Observer<MessageFacts, Note> for Judge {
    fn interest(&self) -> Interest {
        Self::INTEREST
    }

    #[inline]
    fn observe(&mut self, stamp: Stamp, record: &Record) {
        if let Record::Noted { process, note } = record {
            self.note(stamp, record, (*process, note));
        } else if let Record::Sent { facts, .. } = record {
            show!(self, stamp, record: message_sanity);
            if matches!(facts, MessageFacts::RequestVote { .. } | MessageFacts::RequestVoteResponse { .. }) {
                show!(self, stamp, record: durable_vote);
            }
        } else if let Record::WriteDurable { process, .. } = record {
            self.durable(stamp, record, *process);
        } else {
            self.observe_rare(stamp, record);
        }
    }
}

impl Judge {
    /// What does not happen all the time.
    #[inline(never)]
    fn observe_rare(&mut self, stamp: Stamp, record: &Record) {
        match record {
            Record::Panicked { .. } => {
                show!(self, stamp, record: no_panic);
                self.mirror.apply(stamp, record);
            }
            Record::Booted { .. } => {
                show!(self, stamp, record: no_panic, read_safety);
                self.mirror.apply(stamp, record);
            }
            Record::Crashed { .. } => {
                self.mirror.apply(stamp, record);
                show!(self, stamp, record: durability);
            }
            Record::Paused { .. } | Record::Resumed { .. } | Record::WriteFailed { .. } => {
                self.mirror.apply(stamp, record);
            }
            Record::OperationFailed { .. }
            | Record::Delivered { .. }
            | Record::Dropped { .. }
            | Record::Duplicated { .. }
            | Record::Held { .. }
            | Record::Released { .. }
            | Record::TimerSet { .. }
            | Record::TimerFired { .. }
            | Record::WriteIssued { .. }
            | Record::Injected { .. }
            | Record::Marked { .. }
            | Record::Sent { .. }
            | Record::Noted { .. }
            | Record::WriteDurable { .. } => {}
        }
    }
}
