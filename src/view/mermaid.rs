//! A sequence diagram in Mermaid's language, for issue threads: those show it where it stands in a block called `mermaid`.
//!
//! A diagram of more than some hundred arrows cannot be read, so only the last of them are told, up to what broke.

use crate::record::{MessageFacts, Note, Record, Role};
use crate::view::wording::Words;
use core::ops::RangeInclusive;
use sim_core::{ProcessId, Stamp};
use std::collections::VecDeque;

/// How many arrows and notes are told.
const TOLD_MAX: usize = 120;

/// What stands in the diagram: a message, a crash or a step, and what came of it.
struct Event {
    head: Option<String>,
    /// Whose notes follow.
    actor: Option<ProcessId>,
    notes: Vec<String>,
    /// Whether it is told though nothing came of it.
    stands: bool,
}

/// The records within the window, up to what broke, as the text of a Mermaid sequence diagram. Heartbeats that change nothing are
/// left out. Processes beyond the nodes are clients.
#[must_use]
pub fn mermaid(
    nodes: u16,
    lines: &[(Stamp, Record)],
    window: Option<&RangeInclusive<u64>>,
    violation: Option<u64>,
) -> String {
    let mut words = Words::new(nodes, false, true);
    let mut events: VecDeque<Event> = VecDeque::new();
    let mut left_out = 0;
    let is_in = |number: u64| {
        window.is_none_or(|window| window.contains(&number)) && violation.is_none_or(|last| number <= last)
    };
    for (stamp, record) in lines {
        words.learn(record);
        if is_in(stamp.number) {
            tell(&words, nodes, *stamp, record, &mut events);
        }
        while events.len() > TOLD_MAX {
            left_out += u64::from(events.pop_front().is_some_and(|event| event.is_told()));
        }
    }
    let mut text = String::from("sequenceDiagram\n");
    let band = band(nodes);
    for node in 0..nodes {
        text.push_str(&format!("    participant {}\n", name(nodes, ProcessId(node))));
    }
    if left_out > 0 {
        text.push_str(&format!("    Note over {band}: {left_out} earlier events are left out\n"));
    }
    for event in events.iter().filter(|event| event.is_told()) {
        text.extend(event.head.iter().map(|head| format!("    {head}\n")));
        if let Some(actor) = event.actor.filter(|_| !event.notes.is_empty()) {
            text.push_str(&format!("    Note over {}: {}\n", name(nodes, actor), event.notes.join("<br/>")));
        }
    }
    if let Some(violation) = violation {
        text.push_str(&format!("    Note over {band}: here, at record {violation}, it is wrong\n"));
    }
    text
}

impl Event {
    fn is_told(&self) -> bool {
        self.stands || !self.notes.is_empty()
    }
}

/// How a process is called in the diagram.
fn name(nodes: u16, process: ProcessId) -> String {
    if process.0 < nodes { format!("n{process}") } else { format!("c{}", process.0 - nodes) }
}

/// What stands over all nodes.
fn band(nodes: u16) -> String {
    if nodes <= 1 { "n0".to_string() } else { format!("n0,n{}", nodes - 1) }
}

/// A text that means nothing to Mermaid, nor to HTML.
fn inert(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        match c {
            '#' | ';' | '<' | '>' | '&' | '"' | '%' | '\\' | '{' | '}' => {
                plain.push_str(&format!("#{};", u32::from(c)));
            }
            c if c.is_control() => plain.push(' '),
            c => plain.push(c),
        }
    }
    plain
}

fn tell(words: &Words, nodes: u16, stamp: Stamp, record: &Record, events: &mut VecDeque<Event>) {
    let mut begin = |head: String, actor: Option<ProcessId>, stands: bool| {
        let head = Some(head).filter(|head| !head.is_empty());
        events.push_back(Event { head, actor, notes: Vec::new(), stands });
    };
    let arrow = |from: ProcessId, arrow: &str, to: ProcessId, what: &str| {
        format!("{}{arrow}{}: {}", name(nodes, from), name(nodes, to), inert(what))
    };
    let over =
        |process: ProcessId, what: &str| format!("Note over {}: {}", name(nodes, process), inert(what));
    match record {
        Record::Delivered { id, facts } => {
            let is_quiet = matches!(
                facts,
                MessageFacts::AppendEntries { entries: 0, .. } | MessageFacts::AppendEntriesAccepted { .. }
            );
            begin(arrow(id.from, "->>", id.to, &words.facts(facts)), Some(id.to), !is_quiet);
        }
        Record::Dropped { id, .. } => {
            let what = words.phrase(stamp, record).spell(words);
            begin(arrow(id.from, "-x", id.to, what.trim_start_matches("x ")), None, true);
        }
        Record::TimerFired { process, .. } => begin(String::new(), Some(*process), false),
        Record::Booted { process, life: 1 } => begin(String::new(), Some(*process), false),
        Record::Booted { process, .. }
        | Record::Crashed { process, .. }
        | Record::Panicked { process, .. }
        | Record::Paused { process }
        | Record::Resumed { process }
        | Record::WriteFailed { process, .. } => {
            begin(over(*process, &words.phrase(stamp, record).spell(words)), Some(*process), true);
        }
        Record::WriteDurable { process, .. } => begin(String::new(), Some(*process), false),
        Record::Marked { text } => {
            begin(format!("Note over {}: {}", band(nodes), inert(text)), None, true);
        }
        Record::Noted { process, note } if is_worth(note) => {
            let what = inert(&words.note(*process, note).spell(words));
            match events.back_mut().filter(|event| event.actor == Some(*process)) {
                Some(event) => event.notes.push(what),
                None => events.push_back(Event {
                    head: None,
                    actor: Some(*process),
                    notes: vec![what],
                    stands: false,
                }),
            }
        }
        Record::Noted { .. }
        | Record::Sent { .. }
        | Record::Duplicated { .. }
        | Record::Held { .. }
        | Record::Released { .. }
        | Record::TimerSet { .. }
        | Record::WriteIssued { .. }
        | Record::Injected { .. }
        | Record::OperationFailed { .. } => {}
    }
}

/// Whether a note changes what a node is, knows or holds.
const fn is_worth(note: &Note) -> bool {
    match note {
        Note::Role { role: Role::Follower, .. }
        | Note::Persist { .. }
        | Note::PersistSnapshot { .. }
        | Note::PersistCompacted { .. }
        | Note::Accepted { .. }
        | Note::Submitted { .. } => false,
        Note::Recovered { term, last_index, .. } => *term > 0 || *last_index > 0,
        Note::Members { index, .. } => *index > 0,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::tests::story::{Story, heartbeat};
    use sim_core::DropReason;

    #[test]
    fn an_election_is_a_diagram() {
        let mut story = Story::elected();
        story.beat(200_000, 1, 1);
        let lost = story.send(1, 0, heartbeat(1));
        story.lose(lost, DropReason::Loss);
        let drawn = mermaid(3, &story.lines, None, Some(story.lines.len() as u64));
        let expected = "\
sequenceDiagram
    participant n0
    participant n1
    participant n2
    Note over n1: moves to t1<br/>becomes candidate t1<br/>votes for itself (t1)
    n1->>n0: RequestVote t1 last 0/0
    Note over n0: moves to t1<br/>votes for 1 (t1)
    n1->>n2: RequestVote t1 last 0/0
    Note over n2: moves to t1<br/>votes for 1 (t1)
    n0->>n1: grants vote t1
    Note over n1: becomes leader t1
    n2->>n1: grants vote t1
    n1-xn0: AppendEntries to 0 lost (by chance)
    Note over n0,n2: here, at record 46, it is wrong
";
        assert_eq!(drawn, expected);
    }

    #[test]
    fn what_is_outside_of_the_window_or_too_much_is_left_out() {
        let mut story = Story::elected();
        for step in 0..TOLD_MAX {
            story.mark(&format!("step {step}"));
        }
        let drawn = mermaid(3, &story.lines, None, None);
        assert!(drawn.contains("earlier events are left out") && !drawn.contains("RequestVote"), "{drawn}");
        assert_eq!(drawn.matches("Note over").count(), TOLD_MAX + 1);
        let window = 1..=story.lines.len() as u64 - TOLD_MAX as u64;
        let drawn = mermaid(3, &story.lines, Some(&window), None);
        assert!(
            !drawn.contains("left out") && !drawn.contains("step") && drawn.contains("RequestVote"),
            "{drawn}"
        );
    }

    #[test]
    fn what_a_text_says_stays_a_text() {
        let mut story = Story::new(2);
        story.boot_all().mark("a; n0->>n1: forged\n<script>alert(1)</script> %%{init}%% #quot;");
        let drawn = mermaid(2, &story.lines, None, None);
        assert_eq!(drawn.lines().count(), 4, "{drawn}");
        let forbidden = ["<", "%%", "{", "; n0->>"];
        assert!(forbidden.iter().all(|part| !drawn.contains(part)), "{drawn}");
        assert!(drawn.contains("a#59; n0-#62;#62;n1: forged #60;script#62;"), "{drawn}");
    }
}
