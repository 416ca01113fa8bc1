//! From records to rows: what belongs together, what is routine, and what changes nothing.

use crate::adapter::ELECTION;
use crate::record::{MessageFacts, Note, Record, Role};
use crate::view::cluster::{Cluster, Mark, Standing};
use crate::view::draw::{Cell, Pen, Place, Row};
use crate::view::entry::{Phrase, add};
use crate::view::faults::verb;
use crate::view::letters::{self, Fate, Letter};
use crate::view::wording::{Beats, Words};
use crate::view::{Detail, TableOptions};
use sim_core::{Fault, ProcessId, Stamp, VirtualTime};
use std::collections::BTreeMap;

/// Draws all rows.
pub(super) fn draw(nodes: u16, lines: &[(Stamp, Record)], options: &TableOptions, pen: Pen) -> Pen {
    let full = options.detail == Detail::Full;
    let mut teller = Teller {
        lines,
        options,
        letters: if full { Vec::new() } else { letters::read(lines) },
        cluster: Cluster::new(nodes),
        words: Words::new(nodes, full, options.ascii),
        open: None,
        stretch: None,
        row: None,
        band: None,
        marked: None,
        pen,
    };
    for place in 0..lines.len() {
        if full { teller.full(place) } else { teller.folded(place) }
    }
    teller.close(lines.len());
    teller.flush_stretch();
    teller.flush();
    teller.pen
}

/// An event: what a process does at one instant for one cause. Its records stand next to each other.
#[derive(Clone, Copy)]
struct Open {
    process: ProcessId,
    at: VirtualTime,
    /// The place of its first record.
    begin: usize,
    /// What the process was before.
    before: Mark,
}

/// A time in which nothing but routine happens.
struct Stretch {
    place: Place,
    marks: Vec<Mark>,
    leaders: BTreeMap<ProcessId, (Mark, Beats)>,
}

/// A band that more faults may join.
struct Band {
    place: Place,
    text: String,
    /// How many faults it is about; 0 for a mark.
    faults: usize,
}

/// How many faults a band spells out: a rule about all links of a cluster is one fault for each.
const FAULTS_MAX: usize = 6;

struct Teller<'a> {
    lines: &'a [(Stamp, Record)],
    options: &'a TableOptions,
    letters: Vec<Letter>,
    cluster: Cluster,
    words: Words,
    // At most one of the row and the band waits; the stretch is later than both, the event later than all.
    open: Option<Open>,
    stretch: Option<Stretch>,
    row: Option<Row>,
    band: Option<Band>,
    /// The last mark: the faults of its step need no words of their own.
    marked: Option<(VirtualTime, &'a str)>,
    pen: Pen,
}

impl<'a> Teller<'a> {
    fn place(&self, place: usize) -> Place {
        let stamp = self.lines[place].0;
        Place { at: stamp.at, number: stamp.number, violation: self.options.violation == Some(stamp.number) }
    }

    fn in_window(&self, place: usize) -> bool {
        let number = self.lines[place].0.number;
        self.options.window.as_ref().is_none_or(|window| window.contains(&number))
    }

    /// Every record is an entry.
    fn full(&mut self, place: usize) {
        let (stamp, record) = &self.lines[place];
        self.cluster.apply(record);
        self.words.learn(record);
        if !self.in_window(place) {
            return;
        }
        let phrase = self.words.phrase(*stamp, record).spell(&self.words);
        let place = self.place(place);
        match record.process() {
            Some(process) => {
                self.entry(place, process, vec![phrase], None);
                self.flush();
            }
            None => self.pen.band(place, &phrase),
        }
    }

    fn folded(&mut self, place: usize) {
        let (stamp, record) = &self.lines[place];
        let process = record.process();
        let goes_on = self
            .open
            .is_some_and(|open| Some(open.process) == process && open.at == stamp.at && !is_cause(record));
        if !goes_on {
            self.close(place);
            if let Some(process) = process {
                let before = self.cluster.mark(process);
                self.open = Some(Open { process, at: stamp.at, begin: place, before });
            }
        }
        self.cluster.apply(record);
        self.words.learn(record);
        if let Record::Marked { text } = record {
            self.marked = Some((stamp.at, text));
            self.set_band(place, false);
        } else if let Record::Injected { fault } = record {
            self.fault(place, fault);
        }
    }

    fn fault(&mut self, place: usize, fault: &Fault) {
        let at = self.lines[place].0.at;
        let told = self.marked.is_some_and(|(then, text)| then == at && text.starts_with(verb(fault)));
        if !told {
            self.set_band(place, true);
        } else if self.place(place).violation {
            self.set_band(place, false);
        }
    }

    fn set_band(&mut self, place: usize, fault: bool) {
        if !self.in_window(place) {
            return;
        }
        let (stamp, record) = &self.lines[place];
        let text = self.words.phrase(*stamp, record).spell(&self.words);
        let place = self.place(place);
        self.flush_stretch();
        match &mut self.band {
            Some(band) if fault && band.faults > 0 && band.place.at == place.at => {
                band.place.violation |= place.violation;
                band.faults += 1;
                if band.faults <= FAULTS_MAX || place.violation {
                    band.text.push_str("; ");
                    band.text.push_str(&text);
                }
            }
            Some(_) | None => {
                self.flush();
                self.band = Some(Band { place, text, faults: usize::from(fault) });
            }
        }
    }

    /// Ends the open event, whose records end before `end`.
    fn close(&mut self, end: usize) {
        let Some(open) = self.open.take() else { return };
        let mut begin = open.begin;
        while begin < end && !self.in_window(begin) {
            begin += 1;
        }
        let mut last = end;
        while last > begin && !self.in_window(last - 1) {
            last -= 1;
        }
        if begin == last {
            return;
        }
        let violation = (begin..last).find(|place| self.place(*place).violation);
        if violation.is_some() || (begin..last).any(|place| self.is_told(place, &open)) {
            let phrases = self.story(begin, last);
            let sender =
                if let Record::Delivered { id, .. } = &self.lines[begin].1 { Some(id.from) } else { None };
            // Whoever looks for the number of the violation finds it.
            let place = self.place(violation.unwrap_or(begin));
            self.entry(place, open.process, phrases, sender);
        } else {
            for place in begin..last {
                self.count(place);
            }
        }
    }

    /// Whether a record makes its event worth telling.
    fn is_told(&self, place: usize, open: &Open) -> bool {
        match &self.lines[place].1 {
            Record::Booted { .. }
            | Record::Crashed { .. }
            | Record::Paused { .. }
            | Record::Resumed { .. }
            | Record::Panicked { .. }
            | Record::Injected { .. }
            | Record::Marked { .. }
            | Record::WriteFailed { .. }
            | Record::OperationFailed { .. } => true,
            Record::TimerFired { timer, .. } => *timer == ELECTION,
            Record::TimerSet { .. } | Record::WriteIssued { .. } | Record::WriteDurable { .. } => false,
            Record::Dropped { .. }
            | Record::Duplicated { .. }
            | Record::Held { .. }
            | Record::Released { .. } => self.letters[place] == Letter::Told,
            Record::Sent { facts, .. } => match facts {
                MessageFacts::RequestVote { .. }
                | MessageFacts::RequestVoteResponse { .. }
                | MessageFacts::AppendEntriesRefused { .. }
                | MessageFacts::PreVote { .. }
                | MessageFacts::PreVoteResponse { .. }
                | MessageFacts::InstallSnapshot { .. }
                | MessageFacts::TimeoutNow { .. }
                | MessageFacts::ReadIndex { .. }
                | MessageFacts::ReadIndexResponse { .. } => true,
                MessageFacts::AppendEntries { .. } => self.letters[place] == Letter::Told,
                // Whom the acceptance helps to commit says so; the notes tell of commands and clients.
                MessageFacts::AppendEntriesAccepted { .. }
                | MessageFacts::InstallSnapshotResponse { .. }
                | MessageFacts::Forward { .. }
                | MessageFacts::ClientRequest { .. }
                | MessageFacts::ClientReply { .. } => false,
            },
            Record::Delivered { facts, .. } => match facts {
                MessageFacts::RequestVoteResponse { term, .. } => {
                    open.before.standing == Standing::Candidate && open.before.term == *term
                }
                MessageFacts::PreVoteResponse { .. } => open.before.standing == Standing::PreCandidate,
                MessageFacts::AppendEntriesRefused { term, .. } => {
                    open.before.standing == Standing::Leader && open.before.term == *term
                }
                MessageFacts::RequestVote { .. }
                | MessageFacts::AppendEntries { .. }
                | MessageFacts::AppendEntriesAccepted { .. }
                | MessageFacts::PreVote { .. }
                | MessageFacts::InstallSnapshot { .. }
                | MessageFacts::InstallSnapshotResponse { .. }
                | MessageFacts::TimeoutNow { .. }
                | MessageFacts::ReadIndex { .. }
                | MessageFacts::ReadIndexResponse { .. }
                | MessageFacts::Forward { .. }
                | MessageFacts::ClientRequest { .. }
                | MessageFacts::ClientReply { .. } => false,
            },
            Record::Noted { note, .. } => match note {
                Note::Role { .. }
                | Note::Term { .. }
                | Note::Vote { .. }
                | Note::Append { .. }
                | Note::Truncate { .. }
                | Note::Commit { .. }
                | Note::Apply { .. }
                | Note::Proposed { .. }
                | Note::Refused { .. }
                | Note::Forwarded { .. }
                | Note::Snapshot(_)
                | Note::Installed(_)
                | Note::Compacted { .. }
                | Note::ReadAsked { .. }
                | Note::ReadReady { .. }
                | Note::ReadRefused { .. }
                | Note::StorageFailed { .. }
                | Note::StorageCorrupt { .. }
                | Note::Mending { .. }
                | Note::Call(_)
                | Note::Return(_) => true,
                // The configuration that a cluster begins with is no news.
                Note::Members { index, .. } => *index > 0,
                Note::Recovered { .. }
                | Note::Persist { .. }
                | Note::Accepted { .. }
                | Note::PersistSnapshot { .. }
                | Note::PersistCompacted { .. }
                | Note::Submitted { .. } => false,
            },
        }
    }

    /// The phrases of an event that is worth telling.
    fn story(&self, begin: usize, end: usize) -> Vec<String> {
        let mut phrases = Vec::new();
        let notes = || self.lines[begin..end].iter().filter_map(|(_, record)| note_of(record));
        let campaigns = notes().any(|note| matches!(note, Note::Role { role: Role::Candidate, .. }));
        let names = |of: u64| {
            notes()
                .any(|note| matches!(note, Note::Role { term, .. } | Note::Vote { term, .. } if *term == of))
        };
        for place in begin..end {
            let (stamp, record) = &self.lines[place];
            let implied = match note_of(record) {
                Some(Note::Term { term }) => names(*term),
                // A candidate votes for itself.
                Some(Note::Vote { .. }) => campaigns,
                Some(Note::Recovered { term, last_index, .. }) => *term == 0 && *last_index == 0,
                Some(Note::Members { index, .. }) => *index == 0,
                Some(note) => matches!(
                    note,
                    Note::Persist { .. }
                        | Note::PersistSnapshot { .. }
                        | Note::PersistCompacted { .. }
                        | Note::Accepted { .. }
                ),
                // The new role says why a timer fired.
                None if matches!(record, Record::TimerFired { .. }) => campaigns,
                None => is_upkeep(record),
            };
            if !implied || self.place(place).violation {
                add(&mut phrases, self.words.phrase(*stamp, record));
            }
        }
        phrases.iter().map(|phrase: &Phrase| phrase.spell(&self.words)).collect()
    }

    /// Counts a routine message.
    fn count(&mut self, place: usize) {
        let (fate, resend) = match self.letters[place] {
            Letter::Heartbeat(fate) => (fate, false),
            Letter::Resend(fate) => (fate, true),
            Letter::Told | Letter::Routine => return,
        };
        let (stamp, Record::Sent { id, facts, .. }) = &self.lines[place] else {
            unreachable!("only what is sent is a heartbeat")
        };
        let begin = self.place(place);
        let (cluster, own_lanes) = (&self.cluster, self.pen.own_lanes());
        let stretch = self.stretch.get_or_insert_with(|| Stretch {
            place: begin,
            // Nothing in a stretch changes them.
            marks: if own_lanes { cluster.marks().collect() } else { Vec::new() },
            leaders: BTreeMap::new(),
        });
        let fresh = || {
            let mark = cluster.mark(id.from);
            (mark, Beats { term: facts.term(), from: stamp.at, until: stamp.at, ..Beats::default() })
        };
        let (_, beats) = stretch.leaders.entry(id.from).or_insert_with(fresh);
        beats.until = stamp.at;
        if resend {
            beats.resends += 1;
        } else {
            beats.heartbeats += 1;
        }
        match fate {
            Fate::Lost => beats.lost += 1,
            Fate::Unanswered => beats.unanswered += 1,
            Fate::UnderWay => beats.under_way += 1,
            Fate::Answered => {}
        }
    }

    /// Adds what a process did to the row of that instant, or begins a row. `sender` sent it the message that made it
    /// act, if it was one.
    fn entry(&mut self, place: Place, process: ProcessId, phrases: Vec<String>, sender: Option<ProcessId>) {
        self.flush_stretch();
        let cell = Cell { mark: self.cluster.mark(process), phrases };
        let joins = self.row.as_ref().is_some_and(|row| {
            // An effect must not stand beside its cause, as if it came from nowhere.
            let free =
                !row.cells.contains_key(&process) && sender.is_none_or(|node| !row.cells.contains_key(&node));
            self.pen.own_lanes()
                && row.place.at == place.at
                && free
                && !row.place.violation
                && !place.violation
        });
        if !joins || self.band.is_some() {
            self.flush();
        }
        let row = self.row.get_or_insert_with(|| Row {
            place,
            marks: Vec::new(),
            cells: BTreeMap::new(),
            routine: false,
        });
        if self.pen.own_lanes() {
            // What others did in this row stays as it was after it.
            let mut marks: Vec<Mark> = self.cluster.marks().collect();
            for (node, cell) in &row.cells {
                if let Some(mark) = marks.get_mut(node.index()) {
                    *mark = cell.mark;
                }
            }
            row.marks = marks;
        }
        row.cells.insert(process, cell);
    }

    fn flush_stretch(&mut self) {
        let Some(stretch) = self.stretch.take() else { return };
        self.flush();
        let cells = stretch.leaders.iter().map(|(leader, (mark, beats))| {
            (*leader, Cell { mark: *mark, phrases: vec![self.words.heartbeats(beats)] })
        });
        let row = Row { place: stretch.place, marks: stretch.marks, cells: cells.collect(), routine: true };
        self.pen.row(&row);
    }

    /// Draws the row or the band that waits.
    fn flush(&mut self) {
        if let Some(row) = self.row.take() {
            self.pen.row(&row);
        }
        if let Some(mut band) = self.band.take() {
            if band.faults > FAULTS_MAX {
                band.text.push_str(&format!("; {} faults in all", band.faults));
            }
            self.pen.band(band.place, &band.text);
        }
    }
}

fn note_of(record: &Record) -> Option<&Note> {
    if let Record::Noted { note, .. } = record { Some(note) } else { None }
}

/// Whether a record is about work that every node does all the time, which a story leaves out.
fn is_upkeep(record: &Record) -> bool {
    match record {
        Record::TimerSet { timer, .. } => *timer != ELECTION,
        Record::WriteIssued { .. } | Record::WriteDurable { .. } => true,
        Record::Sent { facts, .. } => matches!(
            facts,
            MessageFacts::AppendEntriesAccepted { .. }
                | MessageFacts::InstallSnapshotResponse { .. }
                | MessageFacts::Forward { .. }
                | MessageFacts::ClientRequest { .. }
                | MessageFacts::ClientReply { .. }
        ),
        Record::Booted { .. }
        | Record::Crashed { .. }
        | Record::Paused { .. }
        | Record::Resumed { .. }
        | Record::Panicked { .. }
        | Record::Delivered { .. }
        | Record::Dropped { .. }
        | Record::Duplicated { .. }
        | Record::Held { .. }
        | Record::Released { .. }
        | Record::TimerFired { .. }
        | Record::Noted { .. }
        | Record::Injected { .. }
        | Record::Marked { .. }
        | Record::WriteFailed { .. }
        | Record::OperationFailed { .. } => false,
    }
}

/// Whether a record begins an event of its process.
fn is_cause(record: &Record) -> bool {
    match record {
        Record::Booted { .. }
        | Record::Crashed { .. }
        | Record::Paused { .. }
        | Record::Resumed { .. }
        | Record::Delivered { .. }
        | Record::TimerFired { .. }
        | Record::WriteDurable { .. }
        | Record::WriteFailed { .. }
        | Record::Injected { .. }
        | Record::Marked { .. } => true,
        Record::Noted { note, .. } => matches!(note, Note::Proposed { .. }),
        Record::Panicked { .. }
        | Record::Sent { .. }
        | Record::Dropped { .. }
        | Record::Duplicated { .. }
        | Record::Held { .. }
        | Record::Released { .. }
        | Record::TimerSet { .. }
        | Record::WriteIssued { .. }
        | Record::OperationFailed { .. } => false,
    }
}
