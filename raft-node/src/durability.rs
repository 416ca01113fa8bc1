//! Writes that are under way, and the messages that wait for them.
//!
//! Owns: what of memory is durable, and the rule that a promise leaves only when what it promises cannot be
//! lost (Raft §5: "updated on stable storage before responding"). Must not know: what is promised, or to
//! whom.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::entry::Entries;
use crate::log::Log;
use crate::message::Message;
use crate::step::{Output, Outputs};
use crate::storage::{HardState, LogWrite, Snapshot, Write};
use crate::types::{LogIndex, NodeId, PersistId, Term};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Durability {
    /// What was found at the boot is still being made durable again: up to here the log in memory is what will be.
    /// Until then nothing is done.
    mending: Option<LogIndex>,
    /// The last write that was asked for.
    asked: PersistId,
    /// All writes up to this one are durable.
    done: PersistId,
    /// The writes between the two, oldest first.
    under_way: VecDeque<WriteUnderWay>,
    /// Messages that wait, in the order of the writes that they wait for.
    withheld: VecDeque<Withheld>,
    /// Up to here the durable log is the log in memory.
    log_durable: LogIndex,
    /// Whether the step that runs has changed anything durable.
    changed: bool,
    /// Whether the step that runs has changed the hard state.
    hard_changed: bool,
    /// What the step that runs has changed of the log.
    log_changed: Option<LogWrite>,
    /// The snapshot that the step that runs has taken or installed.
    snapshot_changed: Option<Arc<Snapshot>>,
    /// Up to where the step that runs wants the durable log compacted; zero if it does not.
    compacted: LogIndex,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct WriteUnderWay {
    /// Up to here the log in memory is what the durable log will be once this write and all before it are
    /// done. Lowered when memory is truncated: an old completion must not confirm what has come in the place
    /// of what it wrote.
    log_last: LogIndex,
    /// Done, but not all before it.
    done: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Withheld {
    after: PersistId,
    to: NodeId,
    message: Message,
}

impl Durability {
    /// Nothing is under way, and the durable log ends at `log_durable`.
    pub(crate) fn new(log_durable: LogIndex) -> Self {
        Self {
            mending: None,
            asked: PersistId(0),
            done: PersistId(0),
            under_way: VecDeque::new(),
            withheld: VecDeque::new(),
            log_durable,
            changed: false,
            hard_changed: false,
            log_changed: None,
            snapshot_changed: None,
            compacted: LogIndex::ZERO,
        }
    }

    /// Nothing may rest on what was found, up to `log_last`, before write 0 is done.
    pub(crate) fn mending(log_last: LogIndex) -> Self {
        Self { mending: Some(log_last), ..Self::new(LogIndex::ZERO) }
    }

    /// Up to here the durable log is the log in memory.
    #[inline]
    pub(crate) fn log_durable(&self) -> LogIndex {
        self.log_durable
    }

    /// The hard state has changed.
    #[inline]
    pub(crate) fn hard_changed(&mut self) {
        self.changed = true;
        self.hard_changed = true;
    }

    /// Entries were appended at `first`.
    pub(crate) fn log_appended(&mut self, first: LogIndex, entries: Entries) {
        // If an earlier change of this step began lower, the entries are too few, which `flush` sees.
        let first = self.log_changed.as_ref().map_or(first, |earlier| earlier.first.min(first));
        self.changed = true;
        self.log_changed = Some(LogWrite { first, entries });
    }

    /// All from `first` on was removed.
    pub(crate) fn log_truncated(&mut self, first: LogIndex) {
        self.unconfirm(first);
        self.log_appended(first, Entries::None);
    }

    /// What writes of before hold from `first` on is no more what memory holds.
    fn unconfirm(&mut self, first: LogIndex) {
        let kept = first.prev();
        self.log_durable = self.log_durable.min(kept);
        self.mending = self.mending.map(|log_last| log_last.min(kept));
        for write in &mut self.under_way {
            write.log_last = write.log_last.min(kept);
        }
    }

    /// There is a new snapshot, of which the log has the last entry.
    pub(crate) fn snapshot_taken(&mut self, snapshot: Arc<Snapshot>) {
        self.changed = true;
        self.snapshot_changed = Some(snapshot);
    }

    /// A snapshot has come in the place of the whole log, of which all after `agreed` was other than what the
    /// snapshot holds.
    pub(crate) fn log_replaced(&mut self, snapshot: Arc<Snapshot>, agreed: LogIndex) {
        self.unconfirm(agreed.next());
        self.changed = true;
        self.snapshot_changed = Some(snapshot);
    }

    /// All up to `base` has left the log in memory, and may leave the durable one.
    pub(crate) fn log_compacted(&mut self, base: LogIndex) {
        self.changed = true;
        self.compacted = base;
    }

    /// The write that now holds all that has changed so far, in this step or before.
    #[inline]
    pub(crate) fn newest_write(&self) -> PersistId {
        if self.changed { self.asked.next() } else { self.asked }
    }

    /// Whether a write and all before it are done.
    #[inline]
    pub(crate) fn is_done(&self, id: PersistId) -> bool {
        id <= self.done && self.mending.is_none()
    }

    /// Sends a message once all that has changed so far is durable: at once, if it is.
    #[inline]
    pub(crate) fn promise(&mut self, to: NodeId, message: Message, out: &mut Outputs) {
        let after = self.newest_write();
        if self.is_done(after) {
            out.push(Output::Send { to, message });
        } else {
            self.withheld.push_back(Withheld { after, to, message });
        }
    }

    /// At the end of a step: asks for one write of all that the step has changed, if anything.
    #[inline]
    pub(crate) fn flush(&mut self, hard: HardState, log: &Log, out: &mut Outputs) {
        if self.changed {
            self.ask(hard, log, out);
        }
    }

    fn ask(&mut self, hard: HardState, log: &Log, out: &mut Outputs) {
        self.changed = false;
        let hard = core::mem::take(&mut self.hard_changed).then_some(hard);
        let mut change = self.log_changed.take();
        let log_last = log.last_index();
        if let Some(LogWrite { first, entries }) = &mut change
            && first.advanced_by(entries.len()) != log_last.next()
        {
            *entries = log.run(*first, usize::MAX);
        }
        let snapshot = self.snapshot_changed.take();
        let compact = core::mem::take(&mut self.compacted);
        self.asked = self.asked.next();
        self.under_way.push_back(WriteUnderWay { log_last, done: false });
        out.push(Output::Persist { id: self.asked, write: Write { hard, snapshot, log: change, compact } });
    }

    /// A write is done. Sends what waited for it, unless the promise was made in a term that is over: then
    /// nobody can use it, and a later write may have undone what it says. Returns whether anything became
    /// durable.
    pub(crate) fn completed(&mut self, id: PersistId, term: Term, out: &mut Outputs) -> bool {
        let (done, mending) = (self.done, self.mending);
        if id == PersistId(0) {
            if let Some(log_last) = self.mending.take() {
                self.log_durable = log_last;
            }
        } else {
            let position = id.0.checked_sub(self.done.0.saturating_add(1));
            let Some(write) = position
                .and_then(|position| usize::try_from(position).ok())
                .and_then(|position| self.under_way.get_mut(position))
            else {
                return false;
            };
            write.done = true;
        }
        if self.mending.is_some() {
            return false;
        }
        while self.under_way.front().is_some_and(|write| write.done) {
            let write = self.under_way.pop_front().expect("the front was just seen");
            self.done = self.done.next();
            self.log_durable = self.log_durable.max(write.log_last);
        }
        while self.withheld.front().is_some_and(|withheld| withheld.after <= self.done) {
            let Withheld { to, message, .. } = self.withheld.pop_front().expect("the front was just seen");
            if message.term() == term {
                out.push(Output::Send { to, message });
            }
        }
        self.done > done || self.mending != mending
    }
}

#[cfg(test)]
mod tests {
    use super::Durability;
    use crate::entry::{Entries, Entry, EntryKind};
    use crate::log::Log;
    use crate::step::Output;
    use crate::storage::{Durable, HardState};
    use crate::types::{LogIndex, Term};

    fn entries(terms: &[u64]) -> Vec<Entry> {
        terms.iter().map(|term| Entry { term: Term(*term), kind: EntryKind::Noop }).collect()
    }

    /// A step that finds a conflict cuts and appends. Whatever else one may do, it must not leave the disk behind.
    #[test]
    fn several_changes_in_one_step_make_one_write_that_holds_them_all() {
        // Each change: the first index, and what follows from there.
        let rows: [&[(u64, &[u64])]; 6] = [
            &[(4, &[2])],
            &[(4, &[2]), (5, &[2, 2])],
            &[(4, &[2]), (3, &[])],
            &[(4, &[2, 2]), (3, &[3])],
            &[(2, &[]), (2, &[3, 3]), (3, &[4])],
            &[(1, &[2, 2, 2]), (4, &[2]), (2, &[])],
        ];
        for changes in rows {
            let mut durable = Durable { log: entries(&[1, 1, 1]), ..Durable::default() };
            let mut log = Log::new(durable.base, durable.log.clone());
            let mut durability = Durability::new(log.last_index());
            for (first, new) in changes {
                let first = LogIndex(*first);
                if first <= log.last_index() {
                    log.truncate(first);
                    durability.log_truncated(first);
                }
                log.append(&entries(new));
                durability.log_appended(first, Entries::from(entries(new)));
            }
            let mut out = Vec::new();
            durability.flush(durable.hard, &log, &mut out);
            let Some(Output::Persist { id, write }) = out.pop() else { panic!("a write is asked for") };
            durable.apply(write);
            assert_eq!(durable.log, log.entries(), "{changes:?}");
            assert!(durability.completed(id, Term(0), &mut out));
            assert_eq!(durability.log_durable(), log.last_index(), "{changes:?}");
        }
    }

    #[test]
    fn a_step_that_changes_nothing_asks_for_no_write() {
        let mut out = Vec::new();
        Durability::new(LogIndex(0)).flush(HardState::default(), &Log::default(), &mut out);
        assert_eq!(out, []);
    }
}
