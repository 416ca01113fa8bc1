//! A log that ShiViz reads with its own default pattern: the event, and below it who and its vector clock.
//!
//! ShiViz (Beschastnikh et al., "Visualizing distributed system executions", TOSEM 2020) draws happened-before, filters by cause
//! and compares two runs.

use crate::record::Record;
use crate::view::text::inert;
use crate::view::wording::Words;
use sim_core::{MessageId, ProcessId, Stamp};
use std::collections::BTreeMap;

/// How many events of each process another one knows of.
type Clock = BTreeMap<ProcessId, u64>;

/// The records as a log for ShiViz, one event on two lines. What no process does (steps, faults, losses) is left out.
#[must_use]
pub fn shiviz(nodes: u16, lines: &[(Stamp, Record)]) -> String {
    let name = |process: &ProcessId| {
        if process.0 < nodes { format!("node{process}") } else { format!("client{}", process.0 - nodes) }
    };
    let mut words = Words::new(nodes, false, true);
    let mut clocks: BTreeMap<ProcessId, Clock> = BTreeMap::new();
    let mut sent: BTreeMap<MessageId, Clock> = BTreeMap::new();
    let mut text = String::new();
    for (stamp, record) in lines {
        words.learn(record);
        let Some(process) = actor(record) else { continue };
        let clock = clocks.entry(process).or_default();
        *clock.entry(process).or_default() += 1;
        match record {
            // A second copy is of the same sending.
            Record::Sent { id, .. } => drop(sent.insert(id.as_sent(), clock.clone())),
            Record::Delivered { id, .. } => {
                for (process, known) in sent.get(&id.as_sent()).into_iter().flatten() {
                    let own = clock.entry(*process).or_default();
                    *own = (*own).max(*known);
                }
            }
            _ => {}
        }
        let what = inert(&words.phrase(*stamp, record).spell(&words), true);
        let known: Vec<String> =
            clock.iter().map(|(process, count)| format!("\"{}\":{count}", name(process))).collect();
        text.push_str(&format!("{} {what}\n{} {{{}}}\n", stamp.at, name(&process), known.join(",")));
    }
    text
}

/// Who does what the record tells, if it is worth an event.
const fn actor(record: &Record) -> Option<ProcessId> {
    match record {
        Record::Booted { process, .. }
        | Record::Crashed { process, .. }
        | Record::Paused { process }
        | Record::Resumed { process }
        | Record::Panicked { process, .. }
        | Record::TimerFired { process, .. }
        | Record::WriteDurable { process, .. }
        | Record::WriteFailed { process, .. }
        | Record::OperationFailed { process, .. }
        | Record::Noted { process, .. } => Some(*process),
        Record::Sent { id, .. } => Some(id.from),
        Record::Delivered { id, .. } => Some(id.to),
        Record::Dropped { .. }
        | Record::Duplicated { .. }
        | Record::Held { .. }
        | Record::Released { .. }
        | Record::TimerSet { .. }
        | Record::WriteIssued { .. }
        | Record::Injected { .. }
        | Record::Marked { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::tests::story::{Story, heartbeat};
    use std::collections::BTreeSet;

    /// The events, as the default pattern of ShiViz takes them apart: what, who, clock.
    fn read(text: &str) -> Vec<(String, String, BTreeMap<String, u64>)> {
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len() % 2, 0);
        let one = |pair: &[&str]| {
            let (host, clock) = pair[1].split_once(' ').expect("who, and a clock");
            let clock = serde_json::from_str(clock).expect("a clock is JSON");
            (pair[0].to_string(), host.to_string(), clock)
        };
        lines.chunks(2).map(one).collect()
    }

    #[test]
    fn clocks_tell_what_happened_before_what() {
        let mut story = Story::elected();
        story.beat(200_000, 1, 1);
        let events = read(&shiviz(3, &story.lines));
        let hosts: BTreeSet<&str> = events.iter().map(|(_, host, _)| host.as_str()).collect();
        assert_eq!(hosts.into_iter().collect::<Vec<_>>(), ["node0", "node1", "node2"]);
        // ShiViz demands that the own place of each grows by one.
        let mut own: BTreeMap<&str, u64> = BTreeMap::new();
        for (_, host, clock) in &events {
            let count = own.entry(host).or_default();
            *count += 1;
            assert_eq!(clock[host.as_str()], *count);
        }
        let place = |what: &str| events.iter().position(|(event, ..)| event.contains(what)).expect(what);
        let asked = &events[place("-> 0 RequestVote")].2;
        let heard = &events[place("<- 1 RequestVote")].2;
        assert!(asked.iter().all(|(host, count)| heard.get(host).is_some_and(|known| known >= count)));
        let led = &events[place("becomes leader")].2;
        assert!(heard.iter().all(|(host, count)| led.get(host).is_some_and(|known| known >= count)));
        assert!(!led.contains_key("node2"), "its vote came later");
    }

    #[test]
    fn two_copies_come_from_one_sending_and_no_text_breaks_a_line() {
        let mut story = Story::new(2);
        story.boot_all().panic(0, "a\nnode1 {\"node1\":99}\u{1b}[31m");
        let id = story.send(1, 0, heartbeat(1));
        story.deliver(id, heartbeat(1)).deliver(MessageId { copy: 1, ..id }, heartbeat(1));
        let events = read(&shiviz(2, &story.lines));
        let heard: Vec<u64> = events
            .iter()
            .filter(|(what, ..)| what.contains("<- 1"))
            .map(|(.., clock)| clock["node1"])
            .collect();
        assert_eq!(heard, [3, 3]);
        assert!(events.iter().all(|(what, ..)| !what.contains('\u{1b}')));
    }
}
