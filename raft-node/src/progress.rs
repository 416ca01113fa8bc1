//! What a leader knows of one follower's log (Raft, figure 2: nextIndex and matchIndex).
//!
//! Owns: how that knowledge grows and shrinks. Must not know: terms, messages, or the leader's log beyond an
//! index.

use crate::types::LogIndex;

/// How boldly a leader sends to a follower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// The leader looks for the place where the logs agree: it sends once, and waits for an answer or a
    /// heartbeat.
    Probe,
    /// The logs agreed: the leader sends what is new at once, and takes for granted that it arrives (thesis
    /// §10.2.1).
    Replicate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The next entry to send; above `matched`, at most one past the leader's last entry.
    pub(crate) next: LogIndex,
    /// Up to here the follower's durable log is the leader's. Never decreases within a term.
    pub(crate) matched: LogIndex,
    pub(crate) pace: Pace,
}

impl Progress {
    /// What a new leader knows: nothing (Raft §5.3).
    pub(crate) fn new(leader_last: LogIndex) -> Self {
        Self { next: leader_last.next(), matched: LogIndex::ZERO, pace: Pace::Probe }
    }

    /// The follower has stored all up to `index`, which the leader's log has. Returns whether that is news.
    #[inline]
    pub(crate) fn accepted(&mut self, index: LogIndex) -> bool {
        // Equal to what is known is news for a probe only: it got through.
        if index < self.matched || (index == self.matched && self.pace == Pace::Replicate) {
            return false;
        }
        let advanced = index > self.matched;
        self.matched = index;
        match self.pace {
            Pace::Probe => {
                self.pace = Pace::Replicate;
                self.next = index.next();
            }
            Pace::Replicate => self.next = self.next.max(index.next()),
        }
        advanced
    }

    /// Whether a refusal at `prev` answers what the leader still asks, rather than something that is settled.
    pub(crate) fn is_current(&self, prev: LogIndex) -> bool {
        match self.pace {
            Pace::Probe => prev > self.matched && prev.next() == self.next,
            Pace::Replicate => prev > self.matched && prev < self.next,
        }
    }

    /// The follower refused at `prev`, which is current: probe at `hint`, or wherever is possible and lower.
    pub(crate) fn rejected(&mut self, prev: LogIndex, hint: LogIndex) {
        // Not above `prev`, so that each refusal moves down; not below what is known to match.
        self.next = hint.min(prev).max(self.matched.next());
        self.pace = Pace::Probe;
    }
}

#[cfg(test)]
mod tests {
    use super::{Pace, Progress};
    use crate::types::LogIndex;

    fn progress(next: u64, matched: u64, pace: Pace) -> Progress {
        Progress { next: LogIndex(next), matched: LogIndex(matched), pace }
    }

    #[test]
    fn an_acceptance_never_lowers_what_is_known() {
        let rows = [
            (progress(6, 0, Pace::Probe), 5, progress(6, 5, Pace::Replicate), true),
            (progress(6, 0, Pace::Probe), 0, progress(1, 0, Pace::Replicate), false),
            (progress(6, 3, Pace::Probe), 2, progress(6, 3, Pace::Probe), false),
            (progress(6, 3, Pace::Probe), 3, progress(4, 3, Pace::Replicate), false),
            (progress(9, 5, Pace::Replicate), 7, progress(9, 7, Pace::Replicate), true),
            (progress(9, 5, Pace::Replicate), 5, progress(9, 5, Pace::Replicate), false),
            (progress(9, 5, Pace::Replicate), 4, progress(9, 5, Pace::Replicate), false),
            (progress(6, 5, Pace::Replicate), 8, progress(9, 8, Pace::Replicate), true),
        ];
        for (mut before, index, after, advanced) in rows {
            assert_eq!(before.accepted(LogIndex(index)), advanced, "{after:?}");
            assert_eq!(before, after);
        }
    }

    #[test]
    fn a_stale_refusal_is_recognised() {
        let probe = progress(6, 3, Pace::Probe);
        let replicate = progress(9, 5, Pace::Replicate);
        for prev in 0..12 {
            assert_eq!(probe.is_current(LogIndex(prev)), prev == 5, "probe {prev}");
            assert_eq!(replicate.is_current(LogIndex(prev)), (6..9).contains(&prev), "replicate {prev}");
        }
        assert!(!probe.is_current(LogIndex(u64::MAX)));
        assert!(!progress(4, 3, Pace::Probe).is_current(LogIndex(3)));
    }

    #[test]
    fn a_refusal_moves_down_but_not_below_what_matches() {
        for (hint, next) in [(0, 4), (3, 4), (4, 4), (6, 6), (7, 7), (8, 7), (u64::MAX, 7)] {
            let mut progress = progress(8, 3, Pace::Replicate);
            progress.rejected(LogIndex(7), LogIndex(hint));
            assert_eq!((progress.next, progress.pace), (LogIndex(next), Pace::Probe), "hint {hint}");
        }
    }
}
