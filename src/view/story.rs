//! A run in sentences: who did what, one event after the other, and where it became wrong.
//!
//! Meant for a story that was made short: of a long run it tells the beginning and the end.

use crate::record::{BEGINNINGS, Note, Record};
use crate::view::entry::{self, Phrase};
use crate::view::wording::{Words, timer_name};
use crate::violation::Violation;
use sim_core::{ProcessId, Stamp, VirtualTime};

/// Whether a step tells itself by what it brings about, or holds back messages or timers, so that nothing happens but what is
/// told.
fn tells_itself(step: &str) -> bool {
    let begins = |words: &str| step.starts_with(words);
    begins("deliver ") || begins("tick ") || begins("hold timers ") || (begins("hold ") && step.contains('→'))
}

/// An event and what it brought about.
struct Sentence {
    /// The record with which it begins.
    number: u64,
    at: VirtualTime,
    head: String,
    /// Who acts; nobody for what is done from outside.
    actor: Option<ProcessId>,
    phrases: Vec<Phrase>,
    /// Whether it is worth telling even if nothing comes of it.
    stands: bool,
}

/// How many sentences are told of the beginning of a long run, and how many of its end.
const TOLD_MAX: usize = 200;

/// Tells the records of a run with `nodes` nodes, up to the first violation, in sentences of a line each; then what is wrong,
/// how it came about where the checker knows, and which rule that breaks. Of more than 400 sentences the middle is left out.
#[must_use]
pub fn story(nodes: u16, lines: &[(Stamp, Record)], violation: Option<&Violation>) -> String {
    let last = violation.map_or(u64::MAX, |violation| violation.record);
    let (words, sentences) = sentences(nodes, lines, last);
    let mut text = Vec::new();
    let worth: Vec<&Sentence> =
        sentences.iter().filter(|sentence| sentence.stands || !sentence.phrases.is_empty()).collect();
    let left_out = TOLD_MAX..worth.len().saturating_sub(TOLD_MAX);
    for (place, sentence) in worth.iter().enumerate() {
        if !left_out.contains(&place) {
            let told = sentence.spell(&words);
            text.push(format!("{:>4}. {:>12}  {told}.", place + 1, sentence.at.to_string()));
        } else if place == left_out.start {
            text.push(format!("      … {} more …", left_out.len()));
        }
    }
    match violation {
        Some(Violation { property, at, what, cause, .. }) => {
            text.push(format!("Here, at {at}, it is wrong: {}.", what.trim_end()));
            text.extend(cause.iter().map(|cause| format!("How it came about: {cause}.")));
            text.push(format!("The rule that this breaks, {property}: {}", property.rule()));
        }
        None => text.push("Nothing is wrong in it.".to_string()),
    }
    text.push(String::new());
    text.join("\n")
}

/// The event of a run that begins with this record, in a sentence without its full stop.
#[must_use]
pub fn sentence(nodes: u16, lines: &[(Stamp, Record)], number: u64) -> Option<String> {
    let after =
        lines.iter().find(|(stamp, record)| stamp.number > number && BEGINNINGS.contains(&record.kind()));
    let last = after.map_or(u64::MAX, |(stamp, _)| stamp.number - 1);
    let (words, sentences) = sentences(nodes, lines, last);
    sentences.iter().find(|sentence| sentence.number == number).map(|sentence| sentence.spell(&words))
}

/// Everything up to a record.
fn sentences(nodes: u16, lines: &[(Stamp, Record)], last: u64) -> (Words, Vec<Sentence>) {
    let mut words = Words::new(nodes, false, false);
    let mut sentences = Vec::new();
    for (stamp, record) in lines.iter().filter(|(stamp, _)| stamp.number <= last) {
        words.learn(record);
        tell(&words, *stamp, record, &mut sentences);
    }
    (words, sentences)
}

impl Sentence {
    fn spell(&self, words: &Words) -> String {
        let phrases: Vec<String> = self.phrases.iter().map(|phrase| phrase.spell(words)).collect();
        let rest = if phrases.is_empty() { String::new() } else { format!(": {}", phrases.join(", ")) };
        format!("{}{rest}", self.head)
    }
}

fn tell(words: &Words, stamp: Stamp, record: &Record, sentences: &mut Vec<Sentence>) {
    let all_begin = sentences.last().is_some_and(|last| last.head.is_empty());
    let mut begin = |head: String, actor: Option<ProcessId>, stands: bool| {
        sentences.push(Sentence {
            number: stamp.number,
            at: stamp.at,
            head,
            actor,
            phrases: Vec::new(),
            stands,
        });
    };
    match record {
        // All do at the beginning, with what is in the file.
        Record::Booted { life: 1, .. } if stamp.at == VirtualTime::ZERO => begin(String::new(), None, false),
        Record::Booted { process, life: 1 } => begin(format!("{process} starts"), Some(*process), true),
        Record::Booted { process, life } => {
            begin(format!("{process} starts again (life {life})"), Some(*process), true);
        }
        Record::Crashed { process, .. } => begin(format!("{process} crashes"), None, true),
        Record::Panicked { process, report, .. } => {
            begin(format!("{process} panics: {}", report.message), None, true);
        }
        Record::Paused { process } => begin(format!("{process} is paused"), None, true),
        Record::Resumed { process } => begin(format!("{process} goes on"), Some(*process), true),
        Record::TimerFired { process, timer } => {
            begin(format!("the {} of {process} fires", timer_name(*timer)), Some(*process), false);
        }
        Record::Delivered { id, facts } => {
            begin(format!("{} hears from {}: {}", id.to, id.from, words.facts(facts)), Some(id.to), true);
        }
        Record::WriteDurable { process, write } => {
            begin(format!("write {} of {process} is durable", write.0), Some(*process), false);
        }
        Record::WriteFailed { process, write, error } => {
            begin(format!("write {} of {process} fails ({error:?})", write.0), Some(*process), true);
        }
        // What is done from outside is said by its step; deliveries and timers tell themselves.
        Record::Marked { text } if tells_itself(text) => {}
        Record::Marked { text } => begin(text.clone(), None, true),
        Record::Noted { process, note } if all_begin => {
            if let Some(head) = begins_with(*process, note) {
                begin(head, None, true);
                // What else it tells of itself then follows from that.
                begin(String::new(), None, false);
            }
        }
        Record::Noted { process, note } => add(sentences, stamp, *process, words.note(*process, note)),
        Record::Sent { id, facts, .. } => {
            let phrase = Phrase::Toward {
                before: format!("sends {} to ", words.facts(facts)),
                others: vec![id.to],
                after: String::new(),
            };
            add(sentences, stamp, id.from, phrase);
        }
        Record::Dropped { .. }
        | Record::Duplicated { .. }
        | Record::Held { .. }
        | Record::Released { .. }
        | Record::TimerSet { .. }
        | Record::WriteIssued { .. }
        | Record::Injected { .. }
        | Record::OperationFailed { .. } => {}
    }
}

/// What a node has on its disk when all begins, if there is anything.
fn begins_with(process: ProcessId, note: &Note) -> Option<String> {
    let Note::Recovered { term, vote, last_index, snapshot, .. } = note else { return None };
    let up_to = snapshot.as_ref().map(|snapshot| format!("a snapshot up to {}", snapshot.index));
    let covered = snapshot.as_ref().map_or(0, |snapshot| snapshot.index);
    let log = (*last_index > covered).then(|| format!("a log up to {last_index}"));
    let vote = vote.map(|vote| format!("its vote for {vote}"));
    let held: Vec<String> = [up_to, log, vote].into_iter().flatten().collect();
    let with = if held.is_empty() { String::new() } else { format!(" with {}", held.join(", ")) };
    (*term > 0 || !held.is_empty()).then(|| format!("{process} begins in term {term}{with}"))
}

/// Adds what a process did to the sentence of its event, or begins one where it was asked from outside.
fn add(sentences: &mut Vec<Sentence>, stamp: Stamp, process: ProcessId, phrase: Phrase) {
    let is_its = |sentence: &&mut Sentence| sentence.at == stamp.at && sentence.actor == Some(process);
    if let Some(sentence) = sentences.last_mut().filter(is_its) {
        return entry::add(&mut sentence.phrases, phrase);
    }
    let head = format!("{process}");
    sentences.push(Sentence {
        number: stamp.number,
        at: stamp.at,
        head,
        actor: Some(process),
        phrases: vec![phrase],
        stands: false,
    });
}
