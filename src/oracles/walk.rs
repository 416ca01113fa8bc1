//! Random histories: walks of a little lawful model of Raft, now and then led astray.
//!
//! The model's nodes see each other directly where real ones would send messages, but every record that they
//! tell is one that real ones might tell. A move that is not possible where it comes up tells nothing. So a
//! plan without [`Plan::rogues`] and [`Plan::edits`] breaks nothing, however it is shrunk.

use super::testing::{Story, accepted, command, grant, heartbeat, request_vote, story};
use crate::mirror::NodeMirror;
use crate::record::{Hash64, MessageFacts, Note, Record, Role};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use sim_core::{ProcessId, Stamp};

/// How a history comes about.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) nodes: u16,
    moves: Vec<Move<Lawful>>,
    /// What breaks the rules, or nearly does, and before which move.
    rogues: Vec<(Index, Move<Rogue>)>,
    /// What is done to the finished history.
    edits: Vec<(Index, Edit)>,
}

/// Somebody does something to somebody, by some numbers.
#[derive(Clone, Copy, Debug)]
struct Move<K> {
    kind: K,
    a: u16,
    b: u16,
    x: u64,
    y: u64,
}

#[derive(Clone, Copy, Debug)]
enum Lawful {
    Elect,
    Campaign,
    Vote,
    Win,
    StepDown,
    Propose,
    Receive,
    Flush,
    Commit,
    Learn,
    Apply,
    Beat,
    Crash,
    Boot,
}

#[derive(Clone, Copy, Debug)]
enum Rogue {
    Lead,
    LeadOfOld,
    Vote,
    Grant,
    Ask,
    Truncate,
    Append,
    Commit,
    Apply,
    WriteHard,
    WriteSomeOfTheLog,
    FlushYoungest,
    Recover,
    Beat,
    Accept,
    Refuse,
    TermBack,
    Panic,
}

#[derive(Clone, Copy, Debug)]
enum Edit {
    Remove,
    Repeat,
    Swap,
}

pub(super) fn plans() -> impl Strategy<Value = Plan> {
    use Lawful::*;
    let lawful = prop_oneof![
        4 => Just(Elect),
        1 => Just(Campaign),
        4 => Just(Vote),
        2 => Just(Win),
        1 => Just(StepDown),
        8 => Just(Propose),
        20 => Just(Receive),
        3 => Just(Flush),
        12 => Just(Commit),
        10 => Just(Learn),
        8 => Just(Apply),
        2 => Just(Beat),
        1 => Just(Crash),
        2 => Just(Boot),
    ];
    let rogue = select(vec![
        // What matters only once something is committed comes up more often.
        Rogue::Lead,
        Rogue::Lead,
        Rogue::Lead,
        Rogue::Commit,
        Rogue::Commit,
        Rogue::Commit,
        Rogue::Truncate,
        Rogue::Truncate,
        Rogue::LeadOfOld,
        Rogue::Vote,
        Rogue::Grant,
        Rogue::Ask,
        Rogue::Truncate,
        Rogue::Append,
        Rogue::Commit,
        Rogue::Apply,
        Rogue::WriteHard,
        Rogue::WriteSomeOfTheLog,
        Rogue::FlushYoungest,
        Rogue::Recover,
        Rogue::Beat,
        Rogue::Accept,
        Rogue::Refuse,
        Rogue::TermBack,
        Rogue::Panic,
    ]);
    let edit = select(vec![Edit::Remove, Edit::Repeat, Edit::Swap]);
    let rogues = prop_oneof![
        2 => Just(Vec::new()).boxed(),
        3 => prop::collection::vec((any::<Index>(), moves(rogue)), 1..6).boxed(),
    ];
    let edits = prop_oneof![
        3 => Just(Vec::new()).boxed(),
        1 => prop::collection::vec((any::<Index>(), edit), 1..3).boxed(),
    ];
    (3_u16..=5, prop::collection::vec(moves(lawful), 1..180), rogues, edits)
        .prop_map(|(nodes, moves, rogues, edits)| Plan { nodes, moves, rogues, edits })
}

fn moves<K: Clone + Copy + std::fmt::Debug>(
    kinds: impl Strategy<Value = K>,
) -> impl Strategy<Value = Move<K>> {
    (kinds, 0_u16..60, 0_u16..60, 0_u64..4, 0_u64..4).prop_map(|(kind, a, b, x, y)| Move { kind, a, b, x, y })
}

impl Plan {
    pub(super) fn is_lawful(&self) -> bool {
        self.rogues.is_empty() && self.edits.is_empty()
    }

    /// The same walk without whatever leads it astray.
    pub(super) fn lawful(self) -> Self {
        Self { rogues: Vec::new(), edits: Vec::new(), ..self }
    }

    pub(super) fn history(&self) -> Vec<(Stamp, Record)> {
        let mut walk = Walk::new(self.nodes);
        for (k, step) in self.moves.iter().enumerate() {
            for (_, rogue) in self.rogues.iter().filter(|(at, _)| at.index(self.moves.len()) == k) {
                let (a, b) = (rogue.a % self.nodes, rogue.b % self.nodes);
                walk.go(|story| astray(story, rogue.kind, a, b, rogue.x, rogue.y));
            }
            walk.lawful(step);
        }
        let mut history = walk.story.history;
        for (at, edit) in &self.edits {
            let at = at.index(history.len());
            match edit {
                Edit::Remove => {
                    history.remove(at);
                }
                Edit::Repeat => history.insert(at, history[at].clone()),
                Edit::Swap => history.swap(at, at.saturating_sub(1)),
            }
        }
        for (number, (stamp, _)) in (1..).zip(&mut history) {
            stamp.number = number;
        }
        history
    }
}

/// A candidacy: who, in which term, with which last entry, and who gave a vote.
#[derive(Clone, Debug)]
struct Candidacy {
    node: u16,
    term: u64,
    last: (u64, u64),
    voters: Vec<u16>,
}

struct Walk {
    story: Story,
    candidacies: Vec<Candidacy>,
}

impl Walk {
    fn new(nodes: u16) -> Self {
        Self { story: story(nodes).boot_all(), candidacies: Vec::new() }
    }

    fn go(&mut self, tell: impl FnOnce(Story) -> Story) {
        self.story = tell(std::mem::replace(&mut self.story, story(0)));
    }

    fn is_led(&self) -> bool {
        self.story.mirror.nodes.iter().any(NodeMirror::leads)
    }

    fn last(&self, node: u16) -> (u64, u64) {
        let log = &self.story.node(node).log;
        (log.last_term(), log.last_index())
    }

    fn lawful(&mut self, step: &Move<Lawful>) {
        let nodes = self.story.nodes();
        let (mut a, b) = (step.a % nodes, step.b % nodes);
        if matches!(
            step.kind,
            Lawful::Propose | Lawful::Receive | Lawful::Commit | Lawful::Learn | Lawful::Beat
        ) {
            // These are a leader's: the chosen node, or the next one that leads.
            a = (a..nodes).chain(0..a).find(|node| self.story.node(*node).leads()).unwrap_or(a);
        }
        let (from, to) = (self.story.node(a).clone(), self.story.node(b).clone());
        if matches!(step.kind, Lawful::Boot) {
            if !from.up {
                self.go(|story| story.boot(a));
            }
            return;
        }
        if !from.up {
            return;
        }
        match step.kind {
            // Where somebody leads, elections are rare: else nothing would get committed.
            Lawful::Elect if from.role != Role::Leader && (step.y == 0 || !self.is_led()) => {
                self.campaign(a, from.term + 1, true);
                // Sometimes nobody answers, sometimes half of them.
                let voters = nodes * u16::try_from(step.x.min(2)).unwrap() / 2;
                for voter in (0..nodes).map(|k| (b + k) % nodes).take(usize::from(voters)) {
                    if self.story.node(voter).up {
                        self.vote(voter, 0, true);
                    }
                }
                self.win(0);
            }
            Lawful::Campaign if from.role != Role::Leader => self.campaign(a, from.term + 1, step.x > 0),
            Lawful::Vote => self.vote(a, step.b, step.y > 0),
            Lawful::Win => self.win(step.b),
            Lawful::StepDown => self.go(|story| {
                let story = story.follows(a, from.term + 1).persist_hard(a);
                if step.x > 0 { settle(story, a) } else { story }
            }),
            Lawful::Propose if from.leads() => self.go(|story| {
                let last = from.log.last_index() + 1;
                let story =
                    story.append(a, from.term, &format!("{a}/{}/{last}", from.term)).persist_log(a, last);
                if step.y > 0 { settle(story, a) } else { story }
            }),
            Lawful::Receive if from.leads() && a != b && to.up && to.term <= from.term => self.go(|story| {
                // A leader's term is durable, so whoever follows it in that term cannot be leading it.
                let upto = from.log.last_index().saturating_sub(step.x / 2);
                let story = story.receive(a, b, upto);
                if step.y > 0 { settle(story, b).send(b, a, accepted(from.term, upto)) } else { story }
            }),
            Lawful::Flush => self.go(|story| story.durable(a)),
            Lawful::Commit if from.leads() => {
                let holds = |index: u64| {
                    let all = self.story.mirror.nodes.iter();
                    all.filter(|node| node.durable.log.prefix_at(index) == from.log.prefix_at(index)).count()
                };
                let quorum = self.story.mirror.quorum();
                let is_own = |index: u64| from.log.get(index).is_some_and(|cell| cell.term == from.term);
                let next =
                    (from.commit + 1..=from.log.last_index()).rfind(|i| is_own(*i) && holds(*i) >= quorum);
                if let Some(index) = next {
                    self.go(|story| story.commit(a, index));
                }
            }
            Lawful::Learn if from.leads() && a != b && to.up && to.term == from.term => {
                let same =
                    (0..=to.log.last_index()).rfind(|i| to.log.prefix_at(*i) == from.log.prefix_at(*i));
                let index = same.unwrap_or(0).min(from.commit);
                if index > to.commit {
                    self.go(|story| story.send(a, b, heartbeat(from.term, from.commit)).commit(b, index));
                }
            }
            Lawful::Apply if from.applied < from.commit && from.log.get(from.applied + 1).is_some() => {
                self.go(|story| story.apply(a));
            }
            Lawful::Beat if from.leads() => {
                self.go(|story| story.send(a, b, heartbeat(from.term, from.commit)))
            }
            Lawful::Crash => self.go(|story| story.crash(a)),
            _ => {}
        }
    }

    fn campaign(&mut self, node: u16, term: u64, asks: bool) {
        let (last_term, last_index) = self.last(node);
        self.go(|story| {
            story.term(node, term).role(node, Role::Candidate, term).vote(node, term, node).persist_hard(node)
        });
        if asks {
            self.go(|story| {
                let to = (node + 1) % story.nodes();
                settle(story, node).send(node, to, request_vote(term, last_index, last_term))
            });
            self.candidacies.push(Candidacy {
                node,
                term,
                last: (last_term, last_index),
                voters: vec![node],
            });
        }
    }

    /// The voter answers one of the last candidacies, not always the newest: messages may be late.
    fn vote(&mut self, voter: u16, choice: u16, tells: bool) {
        let Some(place) = self.recent(choice) else { return };
        let Candidacy { node: candidate, term, last, .. } = self.candidacies[place];
        let node = self.story.node(voter);
        let is_free = term > node.term || node.vote.is_none_or(|vote| vote == ProcessId(candidate));
        if voter == candidate || term < node.term || !is_free || last < self.last(voter) {
            return;
        }
        let is_decided = term == node.term && node.vote.is_some();
        self.go(|story| {
            let story = if is_decided { story } else { story.decides(voter, term, candidate) };
            let story = story.persist_hard(voter);
            if tells { settle(story, voter).send(voter, candidate, grant(term)) } else { story }
        });
        if tells {
            self.candidacies[place].voters.push(voter);
        }
    }

    fn win(&mut self, choice: u16) {
        let Some(place) = self.recent(choice) else { return };
        let Candidacy { node, term, ref mut voters, .. } = self.candidacies[place];
        voters.sort_unstable();
        voters.dedup();
        let stands = self.story.node(node).role == Role::Candidate && self.story.node(node).term == term;
        if stands && voters.len() >= self.story.mirror.quorum() {
            self.go(|story| story.role(node, Role::Leader, term));
        }
    }

    fn recent(&self, choice: u16) -> Option<usize> {
        let back = usize::from(choice % 4 / 2 * (choice % 3)) + 1;
        self.candidacies.len().checked_sub(back)
    }
}

/// All that is on the way to the node's disk gets there.
fn settle(story: Story, node: u16) -> Story {
    (0..story.pending(node)).fold(story, |story, _| story.durable(node))
}

/// Who does it: often somebody for whom it matters, else the one that was drawn.
fn culprit(story: &Story, kind: Rogue, a: u16, y: u64) -> u16 {
    let matters = |node: &u16| match kind {
        Rogue::Truncate | Rogue::Append if y.is_multiple_of(2) => story.node(*node).leads(),
        Rogue::Truncate | Rogue::Append | Rogue::Commit => story.node(*node).commit > 0,
        Rogue::Lead => {
            story.mirror.nodes.iter().any(|other| other.commit > story.node(*node).log.last_index())
        }
        _ => false,
    };
    (a..story.nodes()).chain(0..a).find(matters).unwrap_or(a)
}

/// Something that a node should not do, or that is close to it.
fn astray(story: Story, kind: Rogue, a: u16, b: u16, x: u64, y: u64) -> Story {
    let a = culprit(&story, kind, a, y);
    let node = story.node(a).clone();
    let (last, term) = (node.log.last_index(), node.term);
    let off = |base: u64| (base + x).saturating_sub(1);
    match kind {
        Rogue::Lead => story.role(a, Role::Leader, term + x / 2),
        Rogue::LeadOfOld => story.role(a, Role::Leader, term.saturating_sub(x)),
        Rogue::Vote => story.vote(a, term + x / 3, b),
        Rogue::Grant => story.send(a, b, grant(term.saturating_sub(x / 2))),
        Rogue::Ask => story.send(a, b, request_vote(term, off(last), 0)),
        Rogue::Truncate if y.is_multiple_of(2) => story.truncate(a, (last + 1).saturating_sub(x)),
        Rogue::Truncate => story.truncate(a, node.commit + 1 - x / 2 * node.commit.min(1)),
        Rogue::Append => story.append_at(a, (last + 2).saturating_sub(x), off(term), &format!("rogue {y}")),
        Rogue::Commit => story.commit(a, off(node.commit)),
        Rogue::Apply => {
            let index = node.applied + 1 + x / 3;
            let cell = node.log.get(index).copied();
            let (term, name) =
                cell.map_or_else(|| (term, command("rogue")), |cell| (cell.term, cell.command));
            let name = if y == 0 { command("rogue") } else { name };
            let state = cell.filter(|_| y > 1).map_or(Hash64(y), |cell| cell.prefix);
            story.note(
                a,
                Note::Apply { index, term: term + u64::from(y == 3 && x == 2), command: name, state },
            )
        }
        Rogue::WriteHard => {
            let vote = [None, Some(ProcessId(b)), node.durable.vote, node.durable.vote];
            let hard = (off(node.durable.term), vote[usize::try_from(y).unwrap()]);
            settle(story.persist(a, Some(hard), None), a)
        }
        Rogue::WriteSomeOfTheLog => {
            settle(story.persist(a, None, Some(((last + 1).saturating_sub(x), y))), a).crash(a).boot(a)
        }
        Rogue::FlushYoungest if story.pending(a) > 0 => story.durable_youngest(a),
        Rogue::FlushYoungest => story,
        Rogue::Recover => {
            let durable = &node.durable.log;
            let last = durable.last_index().saturating_sub(x / 2);
            let hash = durable.prefix_at(last).filter(|_| y > 0).unwrap_or(Hash64(y));
            story.crash(a).boot_with(a, last, hash)
        }
        Rogue::Beat => story.send(a, b, heartbeat(term.saturating_sub(y / 2), off(node.commit))),
        Rogue::Accept => story.send(a, b, accepted(node.durable.term, off(node.durable.log.last_index()))),
        Rogue::Refuse => {
            let term = off(node.durable.term);
            let (prev_index, conflict_index) = (last + 1, last);
            let facts =
                MessageFacts::AppendEntriesRefused { term, prev_index, conflict_index, conflict_term: None };
            story.send(a, b, facts)
        }
        Rogue::TermBack => story.term(a, term.saturating_sub(x)),
        Rogue::Panic => story.panic(a),
    }
}
