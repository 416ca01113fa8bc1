//! What a record is called, in the words of the field.

use crate::adapter::{ELECTION, HEARTBEAT};
use crate::record::{Hash64, MESSAGE_KINDS, MessageFacts, Note, Record};
use crate::view::entry::Phrase;
use crate::view::text::{columns, inert, quoted, width};
use sim_core::{
    DropReason, Fault, InFlight, MessageId, ProcessId, Span, Stamp, TimerId, VirtualTime, WriteId,
};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The columns that the text of a command may take in a folded table.
const COMMAND_COLUMNS: usize = 40;

/// The arrows and crosses.
#[derive(Clone, Copy)]
struct Glyphs {
    to: &'static str,
    from: &'static str,
    lost: &'static str,
}

/// Words for records, with what must be remembered to find them.
pub(super) struct Words {
    glyphs: Glyphs,
    count: u16,
    full: bool,
    ascii: bool,
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
                | Note::Refused { .. } => {}
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
            | Record::Marked { .. } => {}
        }
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

    fn facts(&self, facts: &MessageFacts) -> String {
        match *facts {
            MessageFacts::RequestVote { term, last_index, last_term } => {
                format!("RequestVote t{term} last {last_index}/{last_term}")
            }
            MessageFacts::RequestVoteResponse { term, granted: true } => format!("grants vote t{term}"),
            MessageFacts::RequestVoteResponse { term, granted: false } => format!("refuses vote t{term}"),
            MessageFacts::AppendEntries { term, entries: 0, .. } if !self.full => {
                format!("heartbeat t{term}")
            }
            MessageFacts::AppendEntries { term, prev_index, prev_term, entries, commit } => {
                let mut text = format!("AppendEntries t{term} +{entries} after {prev_index}/{prev_term}");
                if self.full {
                    let _ = write!(text, " commit {commit}");
                }
                text
            }
            MessageFacts::AppendEntriesAccepted { term, match_index } => {
                format!("accepts {match_index} (t{term})")
            }
            MessageFacts::AppendEntriesRefused { term, prev_index, conflict_index, conflict_term } => {
                let mut text = format!("refuses {prev_index} (t{term})");
                if !self.full {
                    return text;
                }
                let _ = write!(text, ", conflict at {conflict_index}");
                if let Some(conflict) = conflict_term {
                    let _ = write!(text, "/{conflict}");
                }
                text
            }
        }
    }

    /// What a receiver says of a message. Folded it leaves out what the sender's entry has said.
    fn received(&self, facts: &MessageFacts) -> String {
        match *facts {
            MessageFacts::RequestVote { term, .. } if !self.full => format!("RequestVote t{term}"),
            MessageFacts::AppendEntries { term, entries, .. } if !self.full && entries > 0 => {
                format!("AppendEntries t{term} +{entries}")
            }
            ref facts => self.facts(facts),
        }
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

    /// What a record says. Marks and faults have no phrase: they are bands.
    pub(super) fn phrase(&self, stamp: Stamp, record: &Record) -> Phrase {
        let Glyphs { to, from, lost } = self.glyphs;
        let text = match record {
            Record::Booted { life: 1, .. } => "boots".to_string(),
            Record::Booted { life, .. } => format!("restart, life {life}"),
            Record::Crashed { writes_lost: 0, .. } => "crash".to_string(),
            Record::Crashed { writes_lost, .. } => {
                format!("crash ({} lost)", many(u64::from(*writes_lost), "write"))
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
        };
        Phrase::Text(text)
    }

    fn note(&self, process: ProcessId, note: &Note) -> Phrase {
        let text = match note {
            Note::Recovered { term, vote, last_index, .. } => {
                format!("recovers {}", state(*term, *vote, Some(*last_index)))
            }
            Note::Role { role, term } => format!("becomes {} t{term}", role.name()),
            Note::Term { term } => format!("moves to t{term}"),
            Note::Vote { term, candidate } if *candidate == process => format!("votes for itself (t{term})"),
            Note::Vote { term, candidate } => format!("votes for {candidate} (t{term})"),
            Note::Append { index, term, command } => {
                let (verb, first, last, term) = ("append", *index, *index, *term);
                return Phrase::Entries { verb, first, last, term, commands: vec![*command] };
            }
            Note::Truncate { from } => format!("truncate from {from}"),
            Note::Persist { write, hard, log } => {
                format!("write {} holds {}", write.0, persisted(hard.as_ref(), log.as_ref()))
            }
            Note::Commit { index } => format!("commit {index}"),
            Note::Apply { index, term, command, .. } => {
                let (verb, first, last, term) = ("apply", *index, *index, *term);
                return Phrase::Entries { verb, first, last, term, commands: vec![*command] };
            }
            Note::Proposed { command, .. } => format!("proposed {}", self.command(*command)),
            Note::Accepted { index, term } => format!("takes it at {index} (t{term})"),
            Note::Refused { leader: Some(leader) } => format!("refuses it, {leader} leads"),
            Note::Refused { leader: None } => "refuses it, knows no leader".to_string(),
        };
        Phrase::Text(text)
    }

    /// What a fault does, beginning with its verb in scenarios.
    fn fault(&self, fault: &Fault) -> String {
        let link = |from: &ProcessId, to: &ProcessId| format!("{from}{}{to}", self.glyphs.to);
        let any = |process: &Option<ProcessId>| process.map_or_else(|| "*".to_string(), |p| p.to_string());
        let kind = |kind: &Option<u8>, none: &'static str| {
            kind.map_or(none, |kind| MESSAGE_KINDS.get(usize::from(kind)).copied().unwrap_or("unknown"))
        };
        let verb = verb(fault);
        match fault {
            Fault::Cut { from, to, in_flight } => format!("{verb} {}{}", link(from, to), spared(*in_flight)),
            Fault::Isolate { process, in_flight } => format!("{verb} {process}{}", spared(*in_flight)),
            Fault::Partition { groups, in_flight } => {
                let sides: Vec<String> = groups.iter().map(|group| listed(group)).collect();
                format!("{verb} {}{}", sides.join(" | "), spared(*in_flight))
            }
            Fault::Heal => verb.to_string(),
            Fault::Restore { from, to } | Fault::Release { from, to } => format!("{verb} {}", link(from, to)),
            Fault::Hold { from, to, capture } => {
                let captured = if *capture { ", with what is on the way" } else { "" };
                format!("{verb} {}{captured}", link(from, to))
            }
            Fault::DeliverOne { from, to, kind: k } => {
                format!("{verb} {} {}", kind(k, "message"), link(from, to))
            }
            Fault::DropPending { from, to, kind: k } => {
                format!("{verb} {} {}{}{}", kind(k, "messages"), any(from), self.glyphs.to, any(to))
            }
            Fault::Clog { from, to, span } => format!("{verb} {} for {span}", link(from, to)),
            Fault::SetQuality { from, to, .. } => format!("{verb} {}", link(from, to)),
            Fault::Crash { process }
            | Fault::Restart { process }
            | Fault::Pause { process }
            | Fault::Resume { process }
            | Fault::Reconnect { process } => format!("{verb} {process}"),
        }
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

/// The word that a scenario has for a fault.
pub(super) const fn verb(fault: &Fault) -> &'static str {
    match fault {
        Fault::Cut { .. } => "cut",
        Fault::Restore { .. } => "join",
        Fault::Isolate { .. } => "isolate",
        Fault::Reconnect { .. } => "reconnect",
        Fault::Partition { .. } => "partition",
        Fault::Heal => "heal",
        Fault::Hold { .. } => "hold",
        Fault::Release { .. } => "release",
        Fault::DeliverOne { .. } => "deliver one",
        Fault::DropPending { .. } => "drop pending",
        Fault::Clog { .. } => "clog",
        Fault::SetQuality { .. } => "set link",
        Fault::Crash { .. } => "crash",
        Fault::Restart { .. } => "restart",
        Fault::Pause { .. } => "pause",
        Fault::Resume { .. } => "resume",
    }
}

const fn why(reason: DropReason) -> &'static str {
    match reason {
        DropReason::Loss => "by chance",
        DropReason::Cut => "cut",
        DropReason::CutInFlight => "cut on the way",
        DropReason::Down => "receiver down",
        DropReason::Ordered => "by order",
        DropReason::Overflow => "receiver full",
    }
}

const fn spared(in_flight: InFlight) -> &'static str {
    match in_flight {
        InFlight::Drop => "",
        InFlight::Keep => ", sparing what is on the way",
    }
}

fn listed(nodes: &[ProcessId]) -> String {
    nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

fn many(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn timer_name(timer: TimerId) -> String {
    match timer {
        ELECTION => "election timeout".to_string(),
        HEARTBEAT => "heartbeat timer".to_string(),
        other => format!("timer {}", other.0),
    }
}

fn state(term: u64, vote: Option<ProcessId>, last: Option<u64>) -> String {
    let mut text = format!("t{term}");
    if let Some(vote) = vote {
        let _ = write!(text, " vote {vote}");
    }
    if let Some(last) = last {
        let _ = write!(text, " log {last}");
    }
    text
}

/// What a write holds: term and vote, and the index up to which the log is durable with it.
fn persisted(hard: Option<&(u64, Option<ProcessId>)>, log: Option<&(u64, u64)>) -> String {
    let last = log.map(|(first, count)| first.saturating_add(*count).saturating_sub(1));
    match (hard, last) {
        (Some((term, vote)), last) => state(*term, *vote, last),
        (None, Some(last)) => format!("log {last}"),
        (None, None) => "nothing".to_string(),
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
