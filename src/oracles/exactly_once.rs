//! **Exactly once**: a client's command has its effect once, however often it is in the log.
//!
//! - A command, known by its hash (a retry is the same bytes), has the effect `done` at no more than one index.
//! - What an entry does is the same for whoever applies it, in whichever life: so also for a node that started from a
//!   snapshot. A session table that is not in the snapshot shows here.
//!
//! Source: Raft §8 and thesis §6.3 (sessions); dragonboat and ra keep the sessions in the snapshot for this.
//!
//! Not asserted: anything of commands that are only carried along: without sessions a retry lawfully happens twice.
//! Nor that a retry is answered as the first time was: clients' histories tell that.
//!
//! Cost: one look-up per applied entry in what the canon remembers, one in a tree for each index where a command was
//! done; above the floor everything is remembered, below it the last 8,192 commands that were done.

use super::{Found, Oracle, Seen};
use crate::record::{Effect, Hash64, Note, Record};
use crate::violation::Property;
use sim_core::{Interest, ProcessId, RecordKind, Stamp};
use std::collections::{BTreeMap, VecDeque};

/// See the head of this file.
#[derive(Clone, Debug, Default)]
pub struct ExactlyOnce {
    /// Where a command was done.
    done: BTreeMap<Hash64, u64>,
    /// The same, in the order in which they were first seen to be done.
    order: VecDeque<(u64, Hash64)>,
}

impl ExactlyOnce {
    const DONE_MAX: usize = 8_192;

    fn finish(&mut self, process: ProcessId, index: u64, command: Hash64) -> Result<(), String> {
        let first = *self.done.entry(command).or_insert_with(|| {
            self.order.push_back((index, command));
            index
        });
        if first == index {
            return Ok(());
        }
        Err(format!("{process} did command {command} at {index}, which had its effect at {first} already"))
    }

    /// Forgets what was done up to `floor`, but for the last commands.
    pub(super) fn forget(&mut self, floor: u64) {
        while self.order.len() > Self::DONE_MAX
            && self.order.front().is_some_and(|(index, _)| *index <= floor)
        {
            if let Some((_, command)) = self.order.pop_front() {
                self.done.remove(&command);
            }
        }
    }
}

const fn name(effect: Effect) -> &'static str {
    match effect {
        Effect::Carried => "carried along",
        Effect::Done => "done",
        Effect::Repeated => "answered again",
        Effect::Ignored => "ignored",
    }
}

fn did(effect: Effect, command: Hash64) -> String {
    match effect {
        Effect::Carried => format!("carried {command} along"),
        Effect::Done => format!("did command {command}"),
        Effect::Repeated => format!("answered command {command} again"),
        Effect::Ignored => format!("ignored command {command}"),
    }
}

impl Oracle for ExactlyOnce {
    const PROPERTY: Property = Property::ExactlyOnce;
    const INTEREST: Interest = Interest::of(&[RecordKind::Noted]);

    #[inline]
    fn observe(&mut self, stamp: Stamp, record: &Record, seen: Seen<'_>, found: &mut Found) {
        let Record::Noted { process, note: Note::Apply { index, command, effect, .. } } = record else {
            return;
        };
        if seen.mirror.node(*process).is_none() {
            return;
        }
        let first = seen.canon.applied(*index);
        if *effect == Effect::Carried && first.is_none_or(|first| first.effect == Effect::Carried) {
            return;
        }
        let verdict = match first {
            Some(first) if first.effect != *effect => Err(format!(
                "{process} {} at {index}, where it was {} before",
                did(*effect, *command),
                name(first.effect)
            )),
            None if *effect == Effect::Done && *index >= seen.canon.base() => {
                self.finish(*process, *index, *command)
            }
            Some(_) | None => Ok(()),
        };
        found.verdict(Self::PROPERTY, stamp, *process, verdict);
    }
}

#[cfg(test)]
mod tests {
    use super::ExactlyOnce as Oracle;
    use crate::oracles::testing::{Story, compacted, story};
    use crate::record::{Effect, Hash64};
    use crate::violation::Property::ExactlyOnce;
    use sim_core::ProcessId;

    /// 0 and 1 know a, b and a again to be committed.
    fn retried() -> Story {
        let story = story(3).boot_all().elect(0, 1, &[1]).lead(0, "a").lead(0, "b").lead(0, "a");
        story.replicate(0, 1, 3).commit(0, 3).receive(0, 1, 3).commit(1, 3).holds()
    }

    #[test]
    fn a_retry_may_be_answered_again_or_ignored_by_all() {
        for other in [Effect::Repeated, Effect::Ignored] {
            let effects = [Effect::Done, Effect::Done, other];
            retried().apply_doing(0, effects).apply_doing(1, effects).holds();
        }
    }

    #[test]
    fn a_retry_that_is_done_again_breaks_it() {
        let violation = retried().apply_doing(0, [Effect::Done; 3]).breaks_only(ExactlyOnce);
        assert!(violation.what.starts_with("0 did command"), "{}", violation.what);
        assert!(violation.what.ends_with("at 3, which had its effect at 1 already"), "{}", violation.what);
    }

    #[test]
    fn what_is_only_carried_may_come_again() {
        retried().apply_doing(0, [Effect::Carried; 3]).apply_doing(1, [Effect::Carried; 3]).holds();
    }

    #[test]
    fn another_effect_of_the_same_entry_breaks_it() {
        let story = retried().apply_doing(0, [Effect::Done, Effect::Done, Effect::Repeated]);
        let story = story.apply_doing(1, [Effect::Done, Effect::Done]).holds();
        let violation = story.apply_doing(1, [Effect::Ignored]).breaks_only(ExactlyOnce);
        assert!(violation.what.starts_with("1 ignored command"), "{}", violation.what);
        assert!(violation.what.ends_with("at 3, where it was answered again before"), "{}", violation.what);
    }

    #[test]
    fn the_last_commands_that_were_done_are_remembered_below_the_floor() {
        let mut oracle = Oracle::default();
        let count = 3 * Oracle::DONE_MAX as u64;
        for index in 1..=count {
            assert_eq!(oracle.finish(ProcessId(0), index, Hash64(index)), Ok(()));
            oracle.forget(index);
        }
        assert_eq!((oracle.done.len(), oracle.order.len()), (Oracle::DONE_MAX, Oracle::DONE_MAX));
        let old = Hash64(count - 1_000);
        assert!(oracle.finish(ProcessId(0), count + 1, old).is_err());
    }

    #[test]
    fn where_the_others_begin_effects_are_compared_and_below_not() {
        let story = compacted(2).follows(2, 2).append(2, 2, "a").append(2, 2, "b").commit(2, 2);
        let story = story.apply_doing(2, [Effect::Ignored]).keeps(ExactlyOnce);
        let violation = story.apply_doing(2, [Effect::Repeated]).breaks(ExactlyOnce);
        assert!(violation.what.starts_with("2 answered command"), "{}", violation.what);
        assert!(
            violation.what.ends_with("again at 2, where it was carried along before"),
            "{}",
            violation.what
        );
    }
}
