//! What a record is called, in the words of the field.

use crate::adapter::{APPLY, BATCH, ELECTION, HEARTBEAT};
use crate::record::{Hash64, MESSAGE_KINDS, Note, Record};
use crate::view::entry::Phrase;
use crate::view::notes::{NOTHING, persisted};
use crate::view::text::{columns, inert, quoted, width};
use sim_core::{DropReason, InFlight, MessageId, ProcessId, Span, Stamp, TimerId, VirtualTime, WriteId};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The columns that the text of a command may take in a folded table.
const COMMAND_COLUMNS: usize = 40;

/// The arrows and crosses.
#[derive(Clone, Copy)]
pub(super) struct Glyphs {
    pub(super) to: &'static str,
    from: &'static str,
    lost: &'static str,
}

/// Words for records, with what must be remembered to find them.
pub(super) struct Words {
    pub(super) glyphs: Glyphs,
    count: u16,
    pub(super) full: bool,
    pub(super) ascii: bool,
    /// The texts of commands, quoted, by their hashes.
    commands: BTreeMap<Hash64, String>,
    /// What writes hold, for the record of their becoming durable.
    writes: BTreeMap<(ProcessId, WriteId), String>,
}

impl Words {
    pub(super) fn new(count: u16, full: bool, ascii: bool) -> Self {
        let glyphs = if ascii {
            Glyphs { to: "->", from: "<-", lost: "x" }
        } else {
            Glyphs { to: "→", from: "←", lost: "×" }
        };
        Self { glyphs, count, full, ascii, commands: BTreeMap::new(), writes: BTreeMap::new() }
    }

    /// Remembers what later records only hint at.
    pub(super) fn learn(&mut self, record: &Record) {
        match record {
            Record::Noted { process, note } => match note {
                Note::Proposed { command, text } => {
                    if !self.commands.contains_key(command) {
                        let text = self.cut_short(quoted(text, self.ascii));
                        self.commands.insert(*command, text);
                    }
                }
                Note::Persist { write, hard, log } if self.full => {
                    let text = persisted(hard.as_ref(), log.as_ref());
                    self.writes.insert((*process, *write), text);
                }
                Note::PersistSnapshot { write, index } if self.full => {
                    self.holds_too(*process, *write, &format!("snapshot {index}"));
                }
                Note::PersistCompacted { write, base } if self.full => {
                    self.holds_too(*process, *write, &format!("log without {base} and below"));
                }
                Note::Persist { .. }
                | Note::Recovered { .. }
                | Note::Role { .. }
                | Note::Term { .. }
                | Note::Vote { .. }
                | Note::Append { .. }
                | Note::Truncate { .. }
                | Note::Commit { .. }
                | Note::Apply { .. }
                | Note::Accepted { .. }
                | Note::Refused { .. }
                | Note::Forwarded { .. }
                | Note::Members { .. }
                | Note::Snapshot(_)
                | Note::Installed(_)
                | Note::PersistSnapshot { .. }
                | Note::Compacted { .. }
                | Note::PersistCompacted { .. }
                | Note::ReadAsked { .. }
                | Note::ReadReady { .. }
                | Note::ReadRefused { .. }
                | Note::StorageFailed { .. }
                | Note::StorageCorrupt { .. }
                | Note::Mending { .. }
                | Note::Submitted { .. }
                | Note::Call(_)
                | Note::Return(_) => {}
            },
            Record::Crashed { process, .. } => {
                let lost = (*process, WriteId(0))..=(*process, WriteId(u64::MAX));
                let lost: Vec<_> = self.writes.range(lost).map(|(key, _)| *key).collect();
                for key in lost {
                    self.writes.remove(&key);
                }
            }
            Record::Booted { .. }
            | Record::Paused { .. }
            | Record::Resumed { .. }
            | Record::Panicked { .. }
            | Record::Sent { .. }
            | Record::Delivered { .. }
            | Record::Dropped { .. }
            | Record::Duplicated { .. }
            | Record::Held { .. }
            | Record::Released { .. }
            | Record::TimerSet { .. }
            | Record::TimerFired { .. }
            | Record::WriteIssued { .. }
            | Record::WriteDurable { .. }
            | Record::Injected { .. }
            | Record::Marked { .. }
            | Record::WriteFailed { .. }
            | Record::OperationFailed { .. } => {}
        }
    }

    /// A write holds this beside what was told of it.
    fn holds_too(&mut self, process: ProcessId, write: WriteId, what: &str) {
        let text = self.writes.entry((process, write)).or_default();
        if text.is_empty() || text == NOTHING {
            text.clear();
        } else {
            text.push_str(", ");
        }
        text.push_str(what);
    }

    fn cut_short(&self, text: String) -> String {
        if self.full || width(&text) <= COMMAND_COLUMNS {
            return text;
        }
        let mut used = 0;
        let fits = |c: &char| {
            used += columns(*c);
            used + 4 <= COMMAND_COLUMNS
        };
        let mut short: String = text.chars().take_while(fits).collect();
        short.push_str(if self.ascii { "...\"" } else { "…\"" });
        short
    }

    /// A command, by its text if anybody told it.
    pub(super) fn command(&self, hash: Hash64) -> String {
        match self.commands.get(&hash) {
            _ if hash == Hash64::NOOP => "no-op".to_string(),
            Some(text) => text.clone(),
            None => format!("#{}", &hash.to_string()[..6]),
        }
    }

    /// Nodes as a person would list them, seen from one that is not among them.
    pub(super) fn nodes(&self, nodes: &[ProcessId]) -> String {
        if nodes.len() > 1 && nodes.len() + 1 == usize::from(self.count) {
            return "all".to_string();
        }
        let mut text = String::new();
        let mut rest = nodes;
        while let [first, ..] = rest {
            let run = (first.0..=u16::MAX).zip(rest).take_while(|(number, node)| *number == node.0).count();
            let (run, after) = rest.split_at(run);
            rest = after;
            let comma = if text.is_empty() { "" } else { "," };
            // Writing to a string cannot fail.
            let _ = match run {
                [first, _, .., last] => write!(text, "{comma}{first}-{last}"),
                [first, second] => write!(text, "{comma}{first},{second}"),
                _ => write!(text, "{comma}{first}"),
            };
        }
        text
    }

    /// A quiet stretch of one leader.
    pub(super) fn heartbeats(&self, beats: &Beats) -> String {
        let Beats { term, heartbeats, resends, lost, unanswered, under_way, from, until } = *beats;
        let mut text = match (heartbeats, resends) {
            (0, resends) => many(resends, "resend"),
            (heartbeats, 0) => many(heartbeats, "heartbeat"),
            (heartbeats, resends) => {
                format!("{}, {}", many(heartbeats, "heartbeat"), many(resends, "resend"))
            }
        };
        if from < until {
            let _ = write!(text, " in {}", milliseconds(until.since(from)));
        }
        let _ = write!(text, " (t{term})");
        let all = heartbeats + resends;
        let whole = if all == 1 { "" } else { "all " };
        let mut rest = [(lost, "lost"), (unanswered, "unanswered"), (under_way, "under way")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .peekable();
        if rest.peek().is_none() {
            let _ = write!(text, ", {whole}answered");
        }
        for (count, what) in rest {
            let _ =
                if count == all { write!(text, ", {whole}{what}") } else { write!(text, ", {count} {what}") };
        }
        text
    }

    /// The name of a message of which only the id is known.
    fn named(&self, id: &MessageId) -> String {
        let kind = MESSAGE_KINDS.get(usize::from(id.kind)).copied().unwrap_or("message");
        if self.full { format!("{kind} {id}") } else { kind.to_string() }
    }

    fn mishap(&self, before: &str, id: &MessageId, after: &str) -> Phrase {
        let before = format!("{before}{} to ", self.named(id));
        Phrase::Toward { before, others: vec![id.to], after: after.to_string() }
    }

    /// What a record says: in the cell of its process, or, of marks and faults, in a band over all lanes.
    pub(super) fn phrase(&self, stamp: Stamp, record: &Record) -> Phrase {
        let Glyphs { to, from, lost } = self.glyphs;
        let text = match record {
            Record::Booted { life: 1, .. } => "boots".to_string(),
            Record::Booted { life, .. } => format!("restart, life {life}"),
            Record::Crashed { writes_lost, synced_lost, operation, .. } => {
                crashed(*writes_lost, *synced_lost, *operation)
            }
            Record::Paused { .. } => "paused".to_string(),
            Record::Resumed { .. } => "resumed".to_string(),
            Record::Panicked { report, .. } => {
                let (message, place) = (inert(&report.message, self.ascii), inert(&report.place, self.ascii));
                format!("panicked: {message} (at {place})")
            }
            Record::Sent { id, facts, .. } => {
                let after = format!(" {}", self.facts(facts));
                return Phrase::Toward { before: format!("{to} "), others: vec![id.to], after };
            }
            Record::Delivered { id, facts } => format!("{from} {} {}", id.from, self.received(facts)),
            Record::Dropped { id, reason } => {
                return self.mishap(&format!("{lost} "), id, &format!(" lost ({})", why(*reason)));
            }
            Record::Duplicated { id } => return self.mishap("", id, " duplicated"),
            Record::Held { id } => return self.mishap("", id, " held"),
            Record::Released { id } => return self.mishap("", id, " released"),
            Record::TimerSet { timer, due, .. } => {
                let delay = due.since(stamp.at);
                if self.full {
                    format!("{} drawn: {}", timer_name(*timer), exactly(delay))
                } else {
                    // Every vote draws one: short enough for the lanes of five nodes.
                    format!("timeout in {}", milliseconds(delay))
                }
            }
            Record::TimerFired { timer, .. } => timer_name(*timer),
            Record::WriteIssued { write, .. } => format!("write {} issued", write.0),
            Record::WriteDurable { process, write } => match self.writes.get(&(*process, *write)) {
                Some(what) => format!("durable {what}"),
                None => format!("write {} durable", write.0),
            },
            Record::Noted { process, note } => return self.note(*process, note),
            Record::Injected { fault } => self.fault(fault),
            Record::Marked { text } => inert(text, self.ascii),
            Record::WriteFailed { write, error, .. } => format!("write {} fails: {error}", write.0),
            Record::OperationFailed { operation, error, .. } => {
                format!("storage operation {operation} fails: {error}")
            }
        };
        Phrase::Text(text)
    }
}

/// What the heartbeats of one leader came to in a quiet stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Beats {
    pub(super) term: u64,
    pub(super) heartbeats: u64,
    pub(super) resends: u64,
    pub(super) lost: u64,
    pub(super) unanswered: u64,
    pub(super) under_way: u64,
    pub(super) from: VirtualTime,
    pub(super) until: VirtualTime,
}

fn crashed(writes_lost: u32, synced_lost: u32, operation: Option<u64>) -> String {
    let mut text = "crash".to_string();
    if let Some(operation) = operation {
        let _ = write!(text, " at storage operation {operation}");
    }
    if writes_lost > 0 {
        let _ = write!(text, " ({} lost)", many(u64::from(writes_lost), "write"));
    }
    if synced_lost > 0 {
        let _ = write!(text, " ({synced_lost} lost that were called durable)");
    }
    text
}

const fn why(reason: DropReason) -> &'static str {
    match reason {
        DropReason::Loss => "by chance",
        DropReason::Cut => "cut",
        DropReason::CutInFlight => "cut on the way",
        DropReason::Down => "receiver down",
        DropReason::Ordered => "by order",
        DropReason::Corrupt => "damaged on the way",
        DropReason::Overflow => "receiver full",
    }
}

pub(super) const fn spared(in_flight: InFlight) -> &'static str {
    match in_flight {
        InFlight::Drop => "",
        InFlight::Keep => ", sparing what is on the way",
    }
}

pub(super) fn listed(nodes: &[ProcessId]) -> String {
    nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

pub(super) fn many(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

pub(super) fn timer_name(timer: TimerId) -> String {
    match timer {
        ELECTION => "election timeout".to_string(),
        HEARTBEAT => "heartbeat timer".to_string(),
        BATCH => "batch timer".to_string(),
        APPLY => "apply timer".to_string(),
        other => format!("timer {}", other.0),
    }
}

/// A span to the millisecond.
fn milliseconds(span: Span) -> String {
    format!("{}ms", (span.nanos() + 500_000) / 1_000_000)
}

/// A span in milliseconds with all its digits.
fn exactly(span: Span) -> String {
    let (whole, rest) = (span.nanos() / 1_000_000, span.nanos() % 1_000_000);
    match rest {
        0 => format!("{whole}ms"),
        rest if rest % 1_000 == 0 => format!("{whole}.{:03}ms", rest / 1_000),
        rest => format!("{whole}.{rest:06}ms"),
    }
}
