//! A cluster that does not live, told by its disks: what its nodes held when it was asked to is what another run begins with.
//!
//! Who leads, hears whom and waits for what is gone with that, as if all had crashed at once. Where the cluster does not live
//! even so, nothing but the disks is at fault, and a story says that in fewest words.

use super::lab::Lab;
use super::plan::{Form, Plan};
use crate::execute::Limits;
use crate::execute::build::disks;
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
/// it is asked again. None if it lives then. `limits` bound each of its runs.
pub(super) fn as_beginning(
    lab: &mut Lab,
    scenario: &Scenario,
    ending: Stamp,
    limits: Limits,
) -> Option<Plan> {
    let mut mirror = Mirror::new(scenario.nodes);
    for (node, disk) in disks::beginnings(scenario) {
        mirror.begin_with(node, disk);
    }
    let until = lab.watch(scenario, Until { mirror, last: ending.number })?;
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
    candidates.into_iter().find_map(|header| {
        let plan = Plan { form: Form::Timed, header, events: Vec::new(), over: Span::ZERO };
        lab.fails_with_some_seed(&plan, limits)
    })
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
fn begins(scenario: &Scenario, nodes: &[NodeMirror], held: fn(&NodeMirror) -> Held<'_>) -> States {
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

/// How many entries and snapshots disks begin with.
pub(super) fn size(scenario: &Scenario) -> u64 {
    let of = |state: &InitialState| state.log.len() as u64 + u64::from(state.snapshot.is_some());
    scenario.initial.values().map(of).sum()
}

/// What disks begin with.
type States = BTreeMap<NodeKey, InitialState>;

/// Makes what nodes begin with simpler: nothing, less, on all disks together and on each alone, lower terms, no commands.
pub(super) fn simpler(lab: &mut Lab, plan: &mut Plan) -> bool {
    if plan.header.initial.is_empty() {
        return false;
    }
    let mut changed = attempt(lab, plan, low_terms) | attempt(lab, plan, without_commands);
    // Half of all logs, a quarter, … and one entry after the other.
    for shorten in [without_first, without_last] {
        let mut by = end(&plan.header.initial).div_ceil(2);
        while by > 0 {
            let went = attempt(lab, plan, |states| shorten(states, by));
            changed |= went;
            by = if went { by.min(end(&plan.header.initial)) } else { by / 2 };
        }
    }
    let once: [fn(&mut InitialState); 4] = [
        |state| *state = InitialState::default(),
        |state| state.vote = None,
        |state| state.term = None,
        |state| state.snapshot = None,
    ];
    let often: [fn(&mut InitialState); 2] =
        [|state| state.log.truncate(state.log.len() / 2), |state| drop(state.log.pop())];
    for key in plan.header.initial.keys().copied().collect::<Vec<_>>() {
        for change in once {
            changed |= attempt(lab, plan, at(key, change));
        }
        for change in often {
            while attempt(lab, plan, at(key, change)) {
                changed = true;
            }
        }
    }
    changed
}

/// The change of one disk.
fn at(key: NodeKey, change: fn(&mut InitialState)) -> impl FnOnce(&mut States) {
    move |states| {
        if let Some(state) = states.get_mut(&key) {
            change(state);
        }
    }
}

/// Tries other disks. Who is first to stand is chance, so that other seeds are tried with them.
fn attempt(lab: &mut Lab, plan: &mut Plan, change: impl FnOnce(&mut States)) -> bool {
    let mut candidate = plan.clone();
    change(&mut candidate.header.initial);
    candidate.header.initial.retain(|_, state| *state != InitialState::default());
    if candidate == *plan {
        return false;
    }
    let limits = lab.limits;
    lab.fails_with_some_seed(&candidate, limits).map(|done| *plan = done).is_some()
}

/// The last index of all logs.
fn end(states: &States) -> u64 {
    states.values().map(|state| state.base() + state.log.len() as u64).max().unwrap_or(0)
}

/// Takes the first entries from all logs; those behind them move up.
fn without_first(states: &mut States, count: u64) {
    for state in states.values_mut() {
        let of_log = usize::try_from(count.saturating_sub(state.base())).unwrap_or(usize::MAX);
        state.log.drain(..of_log.min(state.log.len()));
        state.snapshot =
            state.snapshot.and_then(|snapshot| up_to(snapshot, snapshot.index.checked_sub(count)?));
    }
}

/// Lets all logs end so many entries before the end of the longest.
fn without_last(states: &mut States, count: u64) {
    let last = end(states).saturating_sub(count);
    for state in states.values_mut() {
        let of_log = usize::try_from(last.saturating_sub(state.base())).unwrap_or(usize::MAX);
        state.log.truncate(of_log);
        state.snapshot = state.snapshot.and_then(|snapshot| up_to(snapshot, snapshot.index.min(last)));
    }
}

/// The snapshot with another end; none if that is the beginning.
fn up_to(snapshot: InitialSnapshot, index: u64) -> Option<InitialSnapshot> {
    (index > 0).then_some(InitialSnapshot { index, ..snapshot })
}

fn without_commands(states: &mut States) {
    states.values_mut().flat_map(|state| &mut state.log).for_each(|entry| entry.command = None);
}

/// Gives the terms that there are the numbers from 1 on.
fn low_terms(states: &mut States) {
    let mut terms = BTreeSet::new();
    each_term(states, |term| _ = terms.insert(*term));
    let ranks: BTreeMap<u64, u64> = terms.into_iter().filter(|term| *term > 0).zip(1..).collect();
    each_term(states, |term| *term = ranks.get(term).copied().unwrap_or(0));
}

fn each_term(states: &mut States, mut change: impl FnMut(&mut u64)) {
    for state in states.values_mut() {
        let own = state.term.iter_mut().chain(state.log.iter_mut().map(|entry| &mut entry.term));
        own.chain(state.snapshot.iter_mut().map(|snapshot| &mut snapshot.term)).for_each(&mut change);
    }
}
