//! A cluster that does not live, told by its disks: what its nodes held when it was asked to is what another run begins with.
//!
//! Who leads, hears whom and waits for what is gone with that, as if all had crashed at once. Where the cluster does not live
//! even so, nothing but the disks is at fault, and a story says that in fewest words.

use super::lab::{Lab, SEEDS};
use super::plan::{Form, Plan};
use crate::mirror::{LogMirror, Mirror, NodeMirror};
use crate::record::{Hash64, MessageFacts, Note, Record};
use crate::scenario::{InitialEntry, InitialMembers, InitialSnapshot, InitialState, NodeKey, Scenario};
use sim_core::{Interest, Observer, ProcessId, Span, Stamp};
use std::collections::{BTreeMap, BTreeSet};

/// A cluster as it was at a record.
struct Until {
    mirror: Mirror,
    last: u64,
}

impl Observer<MessageFacts, Note> for Until {
    fn interest(&self) -> Interest {
        Mirror::INTEREST
    }

    fn observe(&mut self, stamp: Stamp, record: &Record) {
        if stamp.number < self.last {
            self.mirror.apply(stamp, record);
        }
    }
}

/// The plan that begins with what nodes held at `ending`, when the cluster was asked to live, and in which nothing happens before
/// it is asked again. None if it lives then.
pub(super) fn as_beginning(lab: &mut Lab, scenario: &Scenario, ending: Stamp) -> Option<Plan> {
    let mut until = Until { mirror: Mirror::new(scenario.nodes), last: ending.number };
    lab.watch(scenario, &mut until)?;
    let nodes = &until.mirror.nodes;
    let (in_memory, on_disk) = (begins(scenario, nodes, in_memory), begins(scenario, nodes, on_disk));
    let who = [members(nodes), scenario.members.clone()];
    let mut candidates = Vec::new();
    for initial in [in_memory, on_disk] {
        for members in &who {
            let header = Scenario { initial: initial.clone(), members: members.clone(), ..quiet(scenario) };
            if !candidates.contains(&header) {
                candidates.push(header);
            }
        }
    }
    // Who is first to stand is chance, and was decided before that.
    lab.seeds = SEEDS;
    let found = candidates.into_iter().find_map(|header| {
        lab.fails(&Plan { form: Form::Timed, header, events: Vec::new(), over: Span::ZERO })
    });
    lab.seeds = 0;
    found
}

/// Term, vote and log.
type Held<'a> = (u64, Option<ProcessId>, &'a LogMirror);

/// What a node holds, were nothing on its way to its disk.
const fn in_memory(node: &NodeMirror) -> Held<'_> {
    if node.up { (node.term, node.vote, &node.log) } else { on_disk(node) }
}

const fn on_disk(node: &NodeMirror) -> Held<'_> {
    (node.durable.term, node.durable.vote, &node.durable.log)
}

/// The scenario without anything that happens.
fn quiet(scenario: &Scenario) -> Scenario {
    Scenario {
        steps: Vec::new(),
        pins: Vec::new(),
        down: Vec::new(),
        clocks: BTreeMap::new(),
        workload: None,
        ..scenario.clone()
    }
}

/// What each node begins with, if it held that. Commands are told apart, and have lost their words.
fn begins(
    scenario: &Scenario,
    nodes: &[NodeMirror],
    held: fn(&NodeMirror) -> Held<'_>,
) -> BTreeMap<NodeKey, InitialState> {
    let mut commands: BTreeMap<Hash64, usize> = BTreeMap::new();
    let mut states = BTreeMap::new();
    for (number, node) in (0..).zip(nodes) {
        let key = NodeKey(number);
        if node.life == 0 {
            // It never told: it has what the file gave it.
            states.extend(scenario.initial.get(&key).map(|state| (key, state.clone())));
            continue;
        }
        let (term, vote, log) = held(node);
        let entry = |(term, command): (u64, Hash64)| {
            let count = commands.len() + 1;
            let name = |number: &mut usize| format!("e{number}");
            let command = (command != Hash64::NOOP).then(|| name(commands.entry(command).or_insert(count)));
            InitialEntry { term, command }
        };
        let state = InitialState {
            term: (term > 0).then_some(term),
            vote: vote.map(|vote| vote.0),
            snapshot: log
                .term_at(log.base())
                .filter(|_| log.base() > 0)
                .map(|term| InitialSnapshot { index: log.base(), term }),
            log: log.cells().map(|cell| (cell.term, cell.command)).map(entry).collect(),
        };
        if state != InitialState::default() {
            states.insert(key, state);
        }
    }
    states
}

/// Who belongs to the cluster by the log that tells of it last, if that is one that it could begin with.
fn members(nodes: &[NodeMirror]) -> Option<InitialMembers> {
    let latest = nodes.iter().max_by_key(|node| node.members_index).filter(|node| node.members_index > 0)?;
    let numbers = |list: &[ProcessId]| list.iter().map(|process| process.0).collect();
    let members = &latest.members;
    (!members.is_joint())
        .then(|| InitialMembers { voters: numbers(&members.voters), learners: numbers(&members.learners) })
}

/// Makes what nodes begin with simpler: nothing, less, lower terms.
pub(super) fn simpler(lab: &mut Lab, plan: &mut Plan) -> bool {
    let mut changed = low_terms(lab, plan);
    for key in plan.header.initial.keys().copied().collect::<Vec<_>>() {
        changed |= attempt(lab, plan, key, |_| None);
        changed |= attempt(lab, plan, key, |state| Some(InitialState { vote: None, ..state }));
        changed |= attempt(lab, plan, key, |state| Some(InitialState { term: None, ..state }));
        changed |= attempt(lab, plan, key, |state| Some(InitialState { snapshot: None, ..state }));
        // Half of it as often as that goes, and then one entry after the other.
        let half: fn(usize) -> usize = |length| length / 2;
        for shorter in [half, |length| length.saturating_sub(1)] {
            while attempt(lab, plan, key, |mut state| {
                state.log.truncate(shorter(state.log.len()));
                Some(state)
            }) {
                changed = true;
            }
        }
    }
    changed
}

fn attempt(
    lab: &mut Lab,
    plan: &mut Plan,
    key: NodeKey,
    change: impl FnOnce(InitialState) -> Option<InitialState>,
) -> bool {
    let Some(state) = plan.header.initial.get(&key) else { return false };
    let mut candidate = plan.clone();
    match change(state.clone()) {
        Some(other) if other == *state => return false,
        Some(other) if other != InitialState::default() => candidate.header.initial.insert(key, other),
        _ => candidate.header.initial.remove(&key),
    };
    lab.fails(&candidate).map(|done| *plan = done).is_some()
}

/// Gives the terms that there are the numbers from 1 on.
fn low_terms(lab: &mut Lab, plan: &mut Plan) -> bool {
    let mut terms = BTreeSet::new();
    let mut candidate = plan.clone();
    candidate.header.initial.values_mut().for_each(|state| each_term(state, |term| _ = terms.insert(*term)));
    let ranks: BTreeMap<u64, u64> = terms.into_iter().filter(|term| *term > 0).zip(1..).collect();
    let rank = |term: &mut u64| *term = ranks.get(term).copied().unwrap_or(0);
    candidate.header.initial.values_mut().for_each(|state| each_term(state, rank));
    candidate != *plan && lab.fails(&candidate).map(|done| *plan = done).is_some()
}

fn each_term(state: &mut InitialState, mut change: impl FnMut(&mut u64)) {
    let own = state.term.iter_mut().chain(state.log.iter_mut().map(|entry| &mut entry.term));
    own.chain(state.snapshot.iter_mut().map(|snapshot| &mut snapshot.term)).for_each(&mut change);
}
