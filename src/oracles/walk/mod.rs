//! Random histories: walks of a little lawful model of Raft, now and then led astray.
//!
//! The model's nodes see each other directly where real ones would send messages, but every record that they
//! tell is one that real ones might tell. A move that is not possible where it comes up tells nothing. So a
//! plan without [`Plan::rogues`] and [`Plan::edits`] breaks nothing, however it is shrunk.

mod astray;

use super::testing::{Story, accepted, grant, heartbeat, request_vote, story};
use crate::mirror::NodeMirror;
use crate::record::{Effect, Hash64, MessageFacts, Note, ReadKind, Record, Role};
use astray::Rogue;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use sim_core::{ProcessId, Stamp};
use std::collections::{BTreeMap, BTreeSet};

/// How a history comes about.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) nodes: u16,
    /// How many voters the cluster begins with, if it tells of its configurations.
    voters: Option<u16>,
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
    Snapshot,
    Compact,
    Install,
    Change,
    Read,
    Serve,
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
        28 => Just(Receive),
        3 => Just(Flush),
        18 => Just(Commit),
        14 => Just(Learn),
        14 => Just(Apply),
        2 => Just(Beat),
        1 => Just(Crash),
        2 => Just(Boot),
        3 => Just(Snapshot),
        2 => Just(Compact),
        4 => Just(Install),
        3 => Just(Change),
        2 => Just(Read),
        2 => Just(Serve),
    ];
    let rogue = astray::rogues();
    let edit = select(vec![Edit::Remove, Edit::Repeat, Edit::Swap]);
    let rogues = prop_oneof![
        2 => Just(Vec::new()).boxed(),
        3 => prop::collection::vec((any::<Index>(), moves(rogue)), 1..9).boxed(),
    ];
    let edits = prop_oneof![
        3 => Just(Vec::new()).boxed(),
        1 => prop::collection::vec((any::<Index>(), edit), 1..3).boxed(),
    ];
    let voters = prop_oneof![1 => Just(None), 2 => (2_u16..=4).prop_map(Some)];
    (3_u16..=5, voters, prop::collection::vec(moves(lawful), 1..240), rogues, edits)
        .prop_map(|(nodes, voters, moves, rogues, edits)| Plan { nodes, voters, moves, rogues, edits })
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
        let mut walk = Walk::new(self.nodes, self.voters);
        for (k, step) in self.moves.iter().enumerate() {
            for (_, rogue) in self.rogues.iter().filter(|(at, _)| at.index(self.moves.len()) == k) {
                let (a, b) = (rogue.a % self.nodes, rogue.b % self.nodes);
                walk.go(|story| astray::go(story, rogue.kind, a, b, rogue.x, rogue.y));
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
    /// What entries did, by index, as whoever got there first said.
    effects: BTreeMap<u64, Effect>,
    /// The commands that were done.
    done: BTreeSet<Hash64>,
    /// Reads under way: node, life, name.
    reads: Vec<(u16, u32, u64)>,
    /// How much was committed.
    committed: u64,
}

impl Walk {
    fn new(nodes: u16, voters: Option<u16>) -> Self {
        let story = story(nodes).boot_all();
        let story = match voters {
            Some(count) => story.begin(&(0..count.min(nodes)).collect::<Vec<_>>()),
            None => story,
        };
        let (effects, done) = (BTreeMap::new(), BTreeSet::new());
        Self { story, candidacies: Vec::new(), effects, done, reads: Vec::new(), committed: 0 }
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
            Lawful::Propose
                | Lawful::Receive
                | Lawful::Commit
                | Lawful::Learn
                | Lawful::Beat
                | Lawful::Install
                | Lawful::Change
                | Lawful::Read
        ) {
            // These are a leader's: the chosen node, or the next one that leads.
            a = (a..nodes).chain(0..a).find(|node| self.story.node(*node).leads()).unwrap_or(a);
        }
        let (from, to) = (self.story.node(a).clone(), self.story.node(b).clone());
        if matches!(step.kind, Lawful::Boot) {
            if !from.up {
                // As many of the writes that were under way as the move says got there.
                let kept = usize::try_from(step.x).unwrap();
                let mends = step.y == 1;
                self.go(
                    |story| if mends { story.boot_mending(a, kept) } else { story.boot_keeping(a, kept) },
                );
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
                // A client may try again what it tried before.
                let name =
                    if step.x == 0 { "again".to_string() } else { format!("{a}/{}/{last}", from.term) };
                let story = story.append(a, from.term, &name).persist_log(a, last);
                if step.y > 0 { settle(story, a) } else { story }
            }),
            Lawful::Receive if can_follow(&from, &to) && a != b => self.go(|story| {
                // A leader's term is durable, so whoever follows it in that term cannot be leading it.
                let upto =
                    from.log.last_index().saturating_sub(step.x / 2).max(shared(&from, &to).unwrap_or(0));
                let story = story.receive(a, b, upto);
                if step.y > 0 { settle(story, b).send(b, a, accepted(from.term, upto)) } else { story }
            }),
            Lawful::Flush => self.go(|story| story.durable(a)),
            Lawful::Commit if from.leads() => {
                let holds = |index: u64| {
                    from.members.is_quorum(|process| {
                        let node = self.story.mirror.node(process);
                        node.is_some_and(|n| n.durable.log.prefix_at(index) == from.log.prefix_at(index))
                    })
                };
                let is_own = |index: u64| from.log.get(index).is_some_and(|cell| cell.term == from.term);
                let next = (from.commit + 1..=from.log.last_index()).rfind(|i| is_own(*i) && holds(*i));
                if let Some(index) = next {
                    self.go(|story| story.commit(a, index));
                    self.committed = self.committed.max(index);
                }
            }
            Lawful::Learn if from.leads() && a != b && to.up && to.term == from.term => {
                let index = shared(&from, &to).unwrap_or(0).min(from.commit);
                if index > to.commit {
                    self.go(|story| story.send(a, b, heartbeat(from.term, from.commit)).commit(b, index));
                }
            }
            Lawful::Apply if from.applied < from.commit => self.apply(a, &from),
            Lawful::Snapshot if from.applied > from.snapshot.as_ref().map_or(0, |facts| facts.index) => {
                self.go(|story| {
                    let story = story.snapshot(a).save_snapshot(a);
                    if step.y > 0 { settle(story, a) } else { story }
                });
            }
            Lawful::Compact => {
                let covered = from.durable.snapshot.as_ref().map_or(0, |facts| facts.index);
                let base = covered.saturating_sub(step.x / 2);
                if base > from.log.base() {
                    self.go(|story| story.compacts(a, base).save_compaction(a, base));
                }
            }
            Lawful::Install if from.leads() && a != b && to.up && to.term <= from.term => {
                self.install(a, b, step.y > 0);
            }
            Lawful::Change if from.leads() => self.change(a, &from, step.b, step.x),
            Lawful::Read => {
                let read = u64::from(step.b);
                self.go(|story| story.note(a, Note::ReadAsked { read, kind: ReadKind::ReadIndex }));
                self.reads.push((a, from.life, read));
            }
            Lawful::Serve => self.serve(step.b),
            Lawful::Beat if from.leads() => {
                self.go(|story| story.send(a, b, heartbeat(from.term, from.commit)))
            }
            Lawful::Crash => self.go(|story| story.crash(a)),
            _ => {}
        }
    }

    fn apply(&mut self, node: u16, of: &NodeMirror) {
        let index = of.applied + 1;
        let Some(cell) = of.log.get(index).copied() else { return };
        let effect = *self.effects.entry(index).or_insert_with(|| match self.done.insert(cell.command) {
            true => Effect::Done,
            false => Effect::Repeated,
        });
        self.go(|story| story.apply_doing(node, [effect]));
    }

    /// A leader sends the snapshot that it has, if that is of any use.
    fn install(&mut self, leader: u16, to: u16, at_once: bool) {
        let (from, node) = (self.story.node(leader), self.story.node(to));
        let Some(facts) = from.snapshot.as_deref().cloned() else { return };
        let (term, index) = (from.term, facts.index);
        let has_it = node.log.term_at(index) == Some(facts.term);
        if index <= node.commit || has_it || from.durable.snapshot.as_deref() != Some(&facts) {
            return;
        }
        self.go(|story| {
            let piece = MessageFacts::InstallSnapshot { term, index, offset: 0, bytes: 9, done: true };
            let mut story = story.send(leader, to, piece).follows(to, term);
            if story.node(to).durable.term < term {
                story = story.persist_hard(to);
            }
            let story = story.install(to, facts);
            let done = MessageFacts::InstallSnapshotResponse { term, index, received: 9, installed: true };
            if at_once { settle(story, to).send(to, leader, done) } else { story }
        });
    }

    /// A leader that may do so changes the configuration, on the way to voters chosen by the move.
    fn change(&mut self, leader: u16, of: &NodeMirror, choice: u16, way: u64) {
        let may = of.members_index <= of.commit && of.log.term_at(of.commit) == Some(of.term);
        if !may || self.story.members_in(leader, 0).is_none() {
            return;
        }
        let before = &*of.members;
        let chosen = ProcessId(choice % self.story.nodes());
        let mut after = before.clone();
        if before.is_joint() {
            after.outgoing.clear();
        } else {
            match before.voters.iter().position(|voter| *voter == chosen) {
                Some(place) if before.voters.len() > 1 => drop(after.voters.remove(place)),
                Some(_) => return,
                None => {
                    after.voters.push(chosen);
                    after.voters.sort_unstable();
                }
            }
            match way {
                0 => after.outgoing.clone_from(&before.voters),
                1 => (after.voters, after.learners) = (before.voters.clone(), vec![chosen]),
                _ => {}
            }
        }
        self.go(|story| {
            let last = story.node(leader).log.last_index() + 1;
            story.configure_note(leader, after).persist_log(leader, last)
        });
    }

    /// A leader who is sure that nobody has committed more answers a read.
    fn serve(&mut self, choice: u16) {
        let Some(place) = self.reads.len().checked_sub(1 + usize::from(choice % 2)) else { return };
        let (node, life, read) = self.reads[place];
        let of = self.story.node(node);
        if of.up && of.life == life && of.leads() && of.commit == self.committed {
            let index = of.commit;
            self.reads.remove(place);
            self.go(|story| story.note(node, Note::ReadReady { read, index }));
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
        let members = &self.story.node(node).members;
        if stands && members.is_quorum(|process| voters.contains(&process.0)) {
            self.go(|story| story.role(node, Role::Leader, term));
        }
    }

    fn recent(&self, choice: u16) -> Option<usize> {
        let back = usize::from(choice % 4 / 2 * (choice % 3)) + 1;
        self.candidacies.len().checked_sub(back)
    }
}

/// The last place up to which two logs are known to be the same.
fn shared(from: &NodeMirror, to: &NodeMirror) -> Option<u64> {
    let (low, high) = (from.log.base().max(to.log.base()), from.log.last_index().min(to.log.last_index()));
    (low..=high).rfind(|index| from.log.prefix_at(*index) == to.log.prefix_at(*index))
}

/// Whether a node can take entries from a leader: it needs a place to put them.
fn can_follow(from: &NodeMirror, to: &NodeMirror) -> bool {
    from.leads() && to.up && to.term <= from.term && shared(from, to).is_some()
}

/// All that is on the way to the node's disk gets there.
fn settle(story: Story, node: u16) -> Story {
    story.settle(node)
}
