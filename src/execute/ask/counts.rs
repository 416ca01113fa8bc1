//! Predicates that count: nodes, messages, time, calls, reads.

use super::{Answer, Asking, no};
use crate::execute::steps::read_kind;
use crate::execute::{Marked, everybody};
use crate::record::MESSAGE_KINDS;
use crate::scenario::{Calls, Count, Elapsed, MessageBytes, Messages, Name, Reads, Target};
use sim_core::{ProcessId, Span, Traffic, VirtualTime};

impl Asking<'_> {
    pub(super) fn counted(&self, target: &Target, bounds: &Count, explain: bool) -> Answer {
        let count = self.resolve(target, None)?.len() as u64;
        if bounds.holds(count) {
            return Ok(None);
        }
        no!(explain, "`{target}` means {count} nodes, expected {bounds}")
    }

    pub(super) fn mark(&self, since: Option<&Name>) -> Result<Option<&Marked>, String> {
        let find = |name| self.memory.marks.get(name).ok_or_else(|| format!("there is no mark `{name}` yet"));
        since.map(find).transpose()
    }

    /// What was sent since a mark, or since the beginning.
    fn sent(&self, from: &[ProcessId], kind: Option<u8>, since: Option<&Name>) -> Result<Traffic, String> {
        let mark = self.mark(since)?;
        let kinds = MESSAGE_KINDS.len();
        let mut total = Traffic::default();
        for node in from {
            for (index, _) in
                (0u8..).zip(MESSAGE_KINDS).filter(|(index, _)| kind.is_none_or(|kind| kind == *index))
            {
                let now = self.sim.stats().traffic(Some(*node), Some(index));
                let then = mark
                    .map(|mark| mark.traffic[node.index() * kinds + usize::from(index)])
                    .unwrap_or_default();
                total.messages += now.messages - then.messages;
                total.bytes += now.bytes - then.bytes;
            }
        }
        Ok(total)
    }

    pub(super) fn messages(&self, asked: &Messages, explain: bool) -> Answer {
        let from = self.resolve(asked.from.as_ref().unwrap_or(&Target::All), None)?;
        let bounds = Count { at_least: asked.at_least, at_most: asked.at_most, equals: None };
        let sent = self.sent(&from, asked.kind.map(|kind| kind.index()), asked.since.as_ref())?.messages;
        if bounds.holds(sent) {
            return Ok(None);
        }
        no!(explain, "{sent} messages were sent, expected {bounds}")
    }

    pub(super) fn bytes(&self, asked: &MessageBytes, explain: bool) -> Answer {
        let all: Vec<ProcessId> = everybody(self.sim).collect();
        let bounds = Count { at_least: asked.at_least, at_most: asked.at_most, equals: None };
        let sent = self.sent(&all, None, asked.since.as_ref())?.bytes;
        if bounds.holds(sent) {
            return Ok(None);
        }
        no!(explain, "{sent} bytes were sent, expected {bounds}")
    }

    pub(super) fn elapsed(&self, asked: &Elapsed, explain: bool) -> Answer {
        let mark = self.mark(asked.since.as_ref())?;
        let elapsed = self.sim.now().since(mark.map(|mark| mark.at).unwrap_or_default());
        if asked.at_least.unwrap_or(Span::ZERO) <= elapsed && elapsed <= asked.at_most.unwrap_or(Span::MAX) {
            return Ok(None);
        }
        let least = asked.at_least.map(|span| format!("at least {span}"));
        let most = asked.at_most.map(|span| format!("at most {span}"));
        let expected: Vec<String> = least.into_iter().chain(most).collect();
        // As every time in a report.
        let passed = VirtualTime::ZERO.after(elapsed);
        no!(explain, "{passed} have passed, expected {}", expected.join(" and "))
    }

    /// How many marks there were when this one was set.
    fn era(&self, since: Option<&Name>) -> Result<u32, String> {
        Ok(self.mark(since)?.map_or(0, |mark| mark.era))
    }

    pub(super) fn calls(&self, asked: &Calls, explain: bool) -> Answer {
        let by = asked.by.as_ref().map(|target| self.resolve(target, None)).transpose()?;
        let bounds = Count { at_least: asked.at_least, at_most: asked.at_most, equals: None };
        let era = self.era(asked.since.as_ref())?;
        let count = self.sim.observer().1.0.calls(|sort| {
            sort.era >= era
                && by.as_ref().is_none_or(|by| by.contains(&sort.client))
                && asked.op.is_none_or(|op| op == sort.kind)
                && asked.outcome.is_none_or(|outcome| Some(outcome) == sort.outcome)
        });
        if bounds.holds(count) {
            return Ok(None);
        }
        no!(explain, "there are {count} such calls, expected {bounds}")
    }

    pub(super) fn reads(&self, asked: &Reads, explain: bool) -> Answer {
        let at = asked.at.as_ref().map(|target| self.resolve(target, None)).transpose()?;
        let bounds = Count { at_least: asked.at_least, at_most: asked.at_most, equals: None };
        let (era, kind) = (self.era(asked.since.as_ref())?, asked.kind.map(read_kind));
        let count = self.sim.observer().1.0.reads(|sort| {
            sort.era >= era
                && at.as_ref().is_none_or(|at| at.contains(&sort.node))
                && kind.is_none_or(|kind| kind == sort.kind)
                && asked.outcome.is_none_or(|outcome| outcome == sort.outcome)
        });
        if bounds.holds(count) {
            return Ok(None);
        }
        no!(explain, "there are {count} such reads, expected {bounds}")
    }
}
