//! The protocol: what is said and noted, the coordinator, the participant, and both as a process.

use sim_core::{
    Digest, DiskView, Effects, Encode, FileId, Label, Process, ProcessId, Span, TimerId, WriteId,
};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const COORDINATOR: ProcessId = ProcessId(0);
pub(crate) const PARTICIPANTS: u16 = 3;
pub(crate) const TRANSACTIONS: u64 = 30;

/// Everybody's only timer: time to say again what had no answer.
pub(crate) const RETRY: TimerId = TimerId(0);
/// Everybody's only file: records of [`RECORD`] bytes, of which a later one about the same transaction counts.
pub(crate) const LOG: FileId = FileId(0);
/// The transaction in eight bytes, little end first, and its state in one.
pub(crate) const RECORD: usize = 9;
/// How often the coordinator asks for votes before it aborts.
pub(crate) const ATTEMPTS_MAX: u32 = 6;
/// What a participant draws for: one transaction in sixteen it refuses, for reasons of its own.
pub(crate) const REFUSAL: u32 = 0;
pub(crate) const REFUSAL_ONE_IN: u64 = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Transaction(pub(crate) u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Commit,
    Abort,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Message {
    pub(crate) transaction: Transaction,
    pub(crate) word: Word,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Word {
    Prepare,
    Vote { yes: bool },
    Decision(Outcome),
    Inquiry,
}

impl Word {
    /// An index into [`Node::KINDS`].
    pub(crate) fn kind(self) -> u8 {
        match self {
            Self::Prepare => 0,
            Self::Vote { .. } => 1,
            Self::Decision(_) => 2,
            Self::Inquiry => 3,
        }
    }
}

impl Encode for Message {
    fn encode(&self, digest: &mut Digest) {
        let detail = match self.word {
            Word::Prepare | Word::Inquiry => 0,
            Word::Vote { yes } => u64::from(yes),
            Word::Decision(outcome) => outcome as u64,
        };
        digest.pair(u64::from(self.word.kind()) | detail << 8, self.transaction.0);
    }
}

/// How a transaction stands with a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It will do as the coordinator decides. Only participants say so.
    Prepared,
    /// It has decided, or has done what was decided. Nothing changes that any more.
    Ended(Outcome),
}

impl State {
    /// Never 0: that is what a disk reads where a record is missing.
    fn to_byte(self) -> u8 {
        match self {
            Self::Prepared => 1,
            Self::Ended(Outcome::Commit) => 2,
            Self::Ended(Outcome::Abort) => 3,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Prepared),
            2 => Some(Self::Ended(Outcome::Commit)),
            3 => Some(Self::Ended(Outcome::Abort)),
            _ => None,
        }
    }
}

/// What a process tells the oracle, which knows nothing else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Note {
    pub(crate) transaction: Transaction,
    pub(crate) state: State,
}

impl Encode for Note {
    fn encode(&self, digest: &mut Digest) {
        let state = match self.state {
            State::Prepared => 0,
            State::Ended(outcome) => 1 + outcome as u64,
        };
        digest.pair(state, self.transaction.0);
    }
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Config {
    /// The bug: a commit is told before it is durable.
    pub(crate) tells_early: bool,
}

/// A process of either sort. The coordinator logs commits alone; participants hold no ballots.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) config: Config,
    pub(crate) log: BTreeMap<Transaction, Entry>,
    /// What is being voted on. It is in memory alone: a crash aborts it.
    pub(crate) ballots: BTreeMap<Transaction, Ballot>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) state: State,
    /// The write that a crash would lose. Until it is durable, nobody may hear of it.
    pub(crate) pending: Option<WriteId>,
}

#[derive(Clone, Debug)]
pub(crate) struct Ballot {
    pub(crate) attempts: u32,
    pub(crate) yes: BTreeSet<ProcessId>,
}

/// What the coordinator does.
impl Node {
    pub(crate) fn on_vote(
        &mut self,
        from: ProcessId,
        transaction: Transaction,
        yes: bool,
        fx: &mut Effects<'_, Self>,
    ) {
        let Some(ballot) = self.ballots.get_mut(&transaction) else {
            // Too late to count, but whoever votes wants to know.
            return self.on_inquiry(from, transaction, fx);
        };
        if !yes {
            self.ballots.remove(&transaction);
            return Self::tell(transaction, Outcome::Abort, fx);
        }
        ballot.yes.insert(from);
        if ballot.yes.len() == usize::from(PARTICIPANTS) {
            self.ballots.remove(&transaction);
            self.write(transaction, State::Ended(Outcome::Commit), fx);
            if self.config.tells_early {
                Self::tell(transaction, Outcome::Commit, fx);
            }
        }
    }

    pub(crate) fn on_inquiry(&self, from: ProcessId, transaction: Transaction, fx: &mut Effects<'_, Self>) {
        let outcome = match self.log.get(&transaction) {
            Some(Entry { pending: Some(_), .. }) => return,
            Some(Entry { pending: None, .. }) => Outcome::Commit,
            None if self.ballots.contains_key(&transaction) => return,
            None => Outcome::Abort,
        };
        fx.send(from, Message { transaction, word: Word::Decision(outcome) });
    }

    pub(crate) fn tell(transaction: Transaction, outcome: Outcome, fx: &mut Effects<'_, Self>) {
        fx.note(Note { transaction, state: State::Ended(outcome) });
        fx.broadcast(&Message { transaction, word: Word::Decision(outcome) });
    }

    pub(crate) fn poll_again(&mut self, fx: &mut Effects<'_, Self>) {
        for (transaction, mut ballot) in core::mem::take(&mut self.ballots) {
            if ballot.attempts == ATTEMPTS_MAX {
                Self::tell(transaction, Outcome::Abort, fx);
                continue;
            }
            ballot.attempts += 1;
            for process in (1..=PARTICIPANTS).map(ProcessId).filter(|process| !ballot.yes.contains(process)) {
                fx.send(process, Message { transaction, word: Word::Prepare });
            }
            self.ballots.insert(transaction, ballot);
        }
    }
}

/// What a participant does.
impl Node {
    pub(crate) fn on_prepare(&mut self, transaction: Transaction, fx: &mut Effects<'_, Self>) {
        match self.log.get(&transaction) {
            None => {
                let refuses = fx.draw(REFUSAL, transaction.0, REFUSAL_ONE_IN) == 0;
                let state = if refuses { State::Ended(Outcome::Abort) } else { State::Prepared };
                self.write(transaction, state, fx);
            }
            Some(Entry { pending: Some(_), .. }) => {} // It will vote as soon as it may.
            Some(Entry { pending: None, state }) => Self::vote(transaction, *state, fx),
        }
    }

    pub(crate) fn on_decision(
        &mut self,
        transaction: Transaction,
        outcome: Outcome,
        fx: &mut Effects<'_, Self>,
    ) {
        match self.log.get(&transaction).map(|entry| entry.state) {
            Some(State::Ended(_)) => return,
            Some(State::Prepared) => {}
            None => assert!(outcome == Outcome::Abort, "a commit without a vote"),
        }
        self.write(transaction, State::Ended(outcome), fx);
    }

    pub(crate) fn vote(transaction: Transaction, state: State, fx: &mut Effects<'_, Self>) {
        let yes = state != State::Ended(Outcome::Abort);
        fx.send(COORDINATOR, Message { transaction, word: Word::Vote { yes } });
    }

    pub(crate) fn inquire(&self, fx: &mut Effects<'_, Self>) {
        for (transaction, entry) in &self.log {
            if entry.state == State::Prepared && entry.pending.is_none() {
                fx.send(COORDINATOR, Message { transaction: *transaction, word: Word::Inquiry });
            }
        }
    }
}

/// What both do.
impl Node {
    pub(crate) fn write(&mut self, transaction: Transaction, state: State, fx: &mut Effects<'_, Self>) {
        let mut record = [0; RECORD];
        record[..8].copy_from_slice(&transaction.0.to_le_bytes());
        record[8] = state.to_byte();
        if fx.append(LOG, &record).is_err() {
            return fx.stop(); // It cannot promise anything any more.
        }
        let pending = Some(fx.sync(transaction.0));
        self.log.insert(transaction, Entry { state, pending });
    }

    /// What the log says. Bytes at the end that are no whole record were never promised to be there.
    pub(crate) fn recover(log: &[[u8; RECORD]]) -> BTreeMap<Transaction, Entry> {
        let entry = |[transaction @ .., state]: &[u8; RECORD]| {
            let state = State::from_byte(*state)?;
            Some((Transaction(u64::from_le_bytes(*transaction)), Entry { state, pending: None }))
        };
        log.iter().filter_map(entry).collect()
    }
}

impl Process for Node {
    type Config = Config;
    type Message = Message;
    type Facts = Message;
    type Note = Note;
    type Request = Transaction;
    const TIMERS: &'static [&'static str] = &["retry"];
    const FILES: &'static [&'static str] = &["log"];
    const KINDS: &'static [&'static str] = &["Prepare", "Vote", "Decision", "Inquiry"];

    fn label(message: &Message) -> Label {
        // Numbered within its transaction, a message keeps its fate whatever becomes of other transactions.
        Label { kind: message.word.kind(), epoch: message.transaction.0, bytes: 16 }
    }

    fn facts(message: &Message) -> Message {
        *message
    }

    fn boot(
        _: ProcessId,
        life: u32,
        config: &Config,
        disk: &DiskView<'_>,
        fx: &mut Effects<'_, Self>,
    ) -> Self {
        fx.draw_timer(RETRY, Span::from_millis(40), Span::from_millis(60), u64::from(life));
        let (log, torn) = disk.read(LOG).as_chunks();
        // What is appended from now on must begin where a record begins.
        if !torn.is_empty() && fx.replace(LOG, log.as_flattened()).is_err() {
            fx.stop();
        }
        let log = Self::recover(log);
        // What was never promised may have survived all the same. Now it is a promise like the rest.
        for (transaction, entry) in &log {
            fx.note(Note { transaction: *transaction, state: entry.state });
        }
        Self { config: *config, log, ballots: BTreeMap::new() }
    }

    fn on_message(&mut self, from: ProcessId, message: Message, fx: &mut Effects<'_, Self>) {
        let Message { transaction, word } = message;
        match word {
            Word::Prepare => self.on_prepare(transaction, fx),
            Word::Vote { yes } => self.on_vote(from, transaction, yes, fx),
            Word::Decision(outcome) => self.on_decision(transaction, outcome, fx),
            Word::Inquiry => self.on_inquiry(from, transaction, fx),
        }
    }

    fn on_timer(&mut self, _: TimerId, fx: &mut Effects<'_, Self>) {
        fx.rearm_timer(RETRY);
        self.poll_again(fx);
        self.inquire(fx);
    }

    fn on_durable(&mut self, write: WriteId, fx: &mut Effects<'_, Self>) {
        let Some((transaction, entry)) = self.log.iter_mut().find(|(_, entry)| entry.pending == Some(write))
        else {
            return; // A decision has overtaken the vote: there is nothing left to vote on.
        };
        entry.pending = None;
        let (transaction, state) = (*transaction, entry.state);
        if fx.id() != COORDINATOR {
            fx.note(Note { transaction, state });
            Self::vote(transaction, state, fx);
        } else if !self.config.tells_early {
            Self::tell(transaction, Outcome::Commit, fx);
        }
    }

    /// The coordinator is asked to begin a transaction.
    fn on_request(&mut self, transaction: Transaction, fx: &mut Effects<'_, Self>) {
        self.ballots.insert(transaction, Ballot { attempts: 1, yes: BTreeSet::new() });
        fx.broadcast(&Message { transaction, word: Word::Prepare });
    }
}
