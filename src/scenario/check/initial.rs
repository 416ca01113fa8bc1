//! What is there when a scenario begins: members, nodes that are down, disks, clocks.

use super::Checker;
use crate::scenario::clocks::{ClockOptions, Periodic, SetClock};
use crate::scenario::document::Scenario;
use crate::scenario::initial::{InitialMembers, InitialSnapshot, InitialState};
use crate::scenario::node_key::NodeKey;
use crate::scenario::signed::Drift;
use sim_core::Ratio;
use std::collections::BTreeMap;

/// How many entries a log may begin with.
const LOG_MAX: usize = 10_000;

/// The highest index and the highest term that a disk may begin with: what JSON numbers say exactly. No run comes near the
/// end of 64 bits from there.
const NUMBER_MAX: u64 = 1 << 53;

/// By how much a clock may run fast or slow: sim-core's bound.
const DRIFT_MAX: Ratio = Ratio::from_percent(50);

impl Checker {
    pub(super) fn beginning(&mut self, scenario: &Scenario) {
        if let Some(members) = &scenario.members {
            self.under("members", |c| c.initial_members(members));
        }
        self.under("down", |c| c.distinct(&scenario.down, &mut BTreeMap::new(), "down"));
        self.under("initial", |c| {
            let before = c.found();
            for (key, state) in &scenario.initial {
                c.under(&key.to_string(), |c| {
                    c.node_key(*key);
                    c.initial_state(state);
                });
            }
            // Of numbers out of range there is nothing to compare.
            if c.found() == before {
                c.one_history(&scenario.initial);
                c.one_snapshot_of_an_index(&scenario.initial);
            }
            if c.found() == before {
                c.what_is_covered_is_committed(scenario);
            }
            if c.found() == before {
                c.who_can_win_holds_what_is_covered(scenario);
            }
        });
        self.under("clocks", |c| {
            for (key, clock) in &scenario.clocks {
                c.under(&key.to_string(), |c| {
                    c.node_key(*key);
                    c.clock(clock);
                });
            }
        });
    }

    fn initial_members(&mut self, members: &InitialMembers) {
        let mut roles = BTreeMap::new();
        self.under("voters", |c| {
            c.wrong_if(members.voters.is_empty(), || "no voters: expected at least one".to_owned());
            c.distinct(&members.voters, &mut roles, "voters");
        });
        self.under("learners", |c| c.distinct(&members.learners, &mut roles, "learners"));
    }

    /// Numbers of nodes, each of which may stand once in all the lists that share `seen`.
    fn distinct(&mut self, nodes: &[u16], seen: &mut BTreeMap<u16, &'static str>, list: &'static str) {
        self.each(nodes, |c, node| {
            c.node(*node);
            if let Some(earlier) = seen.insert(*node, list) {
                c.wrong(format!("node {node} stands in `{earlier}` already: expected every node once"));
            }
        });
    }

    fn initial_state(&mut self, state: &InitialState) {
        let (term, seen) = (state.current_term(), state.term_seen());
        if let Some(term) = state.term {
            self.under("term", |c| {
                c.between(term, 0, NUMBER_MAX);
                c.wrong_if(term < seen, || {
                    format!("term {term} is below term {seen} of the last entry: expected at least {seen}")
                });
            });
        }
        if let Some(vote) = state.vote {
            self.under("vote", |c| {
                c.node(vote);
                c.wrong_if(term == 0, || "nobody votes in term 0: expected `term` with it".to_owned());
            });
        }
        if let Some(snapshot) = state.snapshot {
            self.under("snapshot", |c| {
                c.under("index", |c| c.between(snapshot.index, 1, NUMBER_MAX));
                c.under("term", |c| c.between(snapshot.term, 1, NUMBER_MAX));
            });
        }
        let snapshot = state.snapshot.map_or(0, |snapshot| snapshot.term);
        let mut before = snapshot;
        self.under("log", |c| {
            let length = state.log.len();
            c.wrong_if(length > LOG_MAX, || format!("{length} entries: expected at most {LOG_MAX}"));
            c.each(&state.log, |c, entry| {
                c.under("term", |c| {
                    let term = entry.term;
                    if term == 0 {
                        c.wrong("an entry of term 0: expected a term from 1");
                    } else {
                        c.between(term, 1, NUMBER_MAX);
                        c.wrong_if(term < before, || {
                            format!("term {term} after term {before}: expected terms that do not go down along a log")
                        });
                    }
                });
                before = before.max(entry.term);
                if let Some(command) = &entry.command {
                    c.under("command", |c| c.command(command));
                }
            });
        });
    }

    /// What a snapshot covers is committed: two that end at one index end with the same entry.
    fn one_snapshot_of_an_index(&mut self, states: &BTreeMap<NodeKey, InitialState>) {
        let snapshots: Vec<_> = snapshots(states).collect();
        for (place, (key, own)) in snapshots.iter().enumerate() {
            let differs = |other: InitialSnapshot| other.index == own.index && other.term != own.term;
            let Some((other, twin)) = snapshots[..place].iter().find(|(_, other)| differs(*other)) else {
                continue;
            };
            self.under(&key.to_string(), |c| {
                c.under("snapshot", |c| {
                    c.under("term", |c| {
                        c.wrong(format!(
                            "the snapshot of node {other} has the same index and term {term}: expected {term}",
                            term = twin.term
                        ));
                    });
                });
            });
        }
    }

    /// What a snapshot covers is committed: a majority of the voters begins with the last of it, or the cluster would have
    /// lost something before it began. Whose snapshot it is does not matter.
    fn what_is_covered_is_committed(&mut self, scenario: &Scenario) {
        let voters = voters(scenario);
        let Some((key, last)) =
            snapshots(&scenario.initial).max_by_key(|(key, own)| (own.index, core::cmp::Reverse(**key)))
        else {
            return;
        };
        let begins = |voter: &&u16| {
            scenario.initial.get(&NodeKey(**voter)).is_some_and(|state| holds_last_of(state, last))
        };
        let (count, majority) = (voters.iter().filter(begins).count(), voters.len() / 2 + 1);
        self.under(&key.to_string(), |c| {
            c.under("snapshot", |c| {
                c.wrong_if(count < majority, || {
                    format!(
                        "what a snapshot covers is committed, but {count} of {of} voters begin with the last entry of this one: \
                         expected at least {majority}\ngive them this snapshot, or logs that reach index {index} in term \
                         {term}",
                        of = voters.len(),
                        index = last.index,
                        term = last.term,
                    )
                });
            });
        });
    }

    /// Whoever a majority would elect holds all that is committed (leader completeness, Raft §5.4.3), so all that a snapshot
    /// covers.
    fn who_can_win_holds_what_is_covered(&mut self, scenario: &Scenario) {
        let voters = voters(scenario);
        let none = InitialState::default();
        let state = |node: &u16| scenario.initial.get(&NodeKey(*node)).unwrap_or(&none);
        if snapshots(&scenario.initial).next().is_none() {
            return;
        }
        let mut lasts: Vec<_> = voters.iter().map(|voter| last_of(state(voter))).collect();
        lasts.sort_unstable();
        // Who begins with nothing comes last: all of them are alike.
        let beginning = voters.iter().filter(|voter| scenario.initial.contains_key(&NodeKey(**voter)));
        let empty = voters.iter().find(|voter| !scenario.initial.contains_key(&NodeKey(**voter)));
        for candidate in beginning.chain(empty) {
            let own = state(candidate);
            let votes = lasts.partition_point(|last| *last <= last_of(own));
            let lacks = |(_, snapshot): &(&NodeKey, InitialSnapshot)| {
                let covers = |own: InitialSnapshot| own.index > snapshot.index && own.term >= snapshot.term;
                !own.snapshot.is_some_and(covers) && !holds_last_of(own, *snapshot)
            };
            let Some((key, snapshot)) =
                snapshots(&scenario.initial).find(lacks).filter(|_| votes > voters.len() / 2)
            else {
                continue;
            };
            let what = format!(
                "{votes} of {of} voters would elect node {candidate}, which begins without the entry of index {index} and term \
                 {term} that the snapshot of node {key} covers: expected that it has that, or that fewer have a last entry no \
                 later than its own (Raft §5.4.3)",
                of = voters.len(),
                index = snapshot.index,
                term = snapshot.term,
            );
            let place = if scenario.initial.contains_key(&NodeKey(*candidate)) { *candidate } else { key.0 };
            return self.under(&NodeKey(place).to_string(), |c| c.wrong(what));
        }
    }

    /// Logs with an entry of the same index and term are identical up to it (Raft §5.3): no cluster gets elsewhere.
    fn one_history(&mut self, states: &BTreeMap<NodeKey, InitialState>) {
        let states: Vec<_> = states.iter().collect();
        for (place, (key, state)) in states.iter().enumerate() {
            let contradicted = states[..place].iter().find_map(|(earlier, other)| {
                let index = contradiction(other, state)?;
                Some((earlier.0, index))
            });
            if let Some((earlier, index)) = contradicted {
                self.under(&key.to_string(), |c| {
                    c.wrong(format!(
                        "this log agrees with that of node {earlier} on a later entry, but not at index {index}: expected \
                         logs that are equal up to every entry of the same term (Raft §5.3)"
                    ));
                });
            }
        }
    }

    fn clock(&mut self, clock: &ClockOptions) {
        let nothing = *clock == ClockOptions::default();
        self.wrong_if(nothing, || {
            "this clock is like any other: expected `drift`, `periodic` or `offset`".to_owned()
        });
        self.rates(clock.drift, clock.periodic);
        if let Some(offset) = clock.offset {
            self.under("offset", |c| c.longest(offset));
        }
    }

    pub(super) fn set_clock(&mut self, set: &SetClock) {
        self.target_at("nodes", &set.nodes);
        let nothing = set.drift.is_none() && set.periodic.is_none() && set.step.is_none();
        self.wrong_if(nothing, || "this changes nothing: expected `drift`, `periodic` or `step`".to_owned());
        self.rates(set.drift, set.periodic);
        if let Some(step) = set.step {
            self.under("step", |c| c.longest(step.span()));
        }
    }

    fn rates(&mut self, drift: Option<Drift>, periodic: Option<Periodic>) {
        self.wrong_if(drift.is_some() && periodic.is_some(), || {
            "a clock has one rate: expected `drift` or `periodic`".to_owned()
        });
        if let Some(drift) = drift {
            self.under("drift", |c| {
                c.wrong_if(drift.ppm().unsigned_abs() > DRIFT_MAX.ppm(), || {
                    format!("{drift} is out of range: expected -{DRIFT_MAX} to {DRIFT_MAX}")
                });
            });
        }
        if let Some(Periodic { amplitude, period }) = periodic {
            self.under("periodic", |c| {
                c.under("amplitude", |c| {
                    c.wrong_if(amplitude > DRIFT_MAX, || {
                        format!("{amplitude} is out of range: expected at most {DRIFT_MAX}")
                    });
                });
                c.under("period", |c| c.time(period));
            });
        }
    }
}

/// Who votes when the scenario begins.
fn voters(scenario: &Scenario) -> Vec<u16> {
    let members = scenario.members.as_ref();
    members.map_or_else(|| (0..scenario.nodes).collect(), |members| members.voters.clone())
}

/// The snapshots that nodes begin with.
fn snapshots(states: &BTreeMap<NodeKey, InitialState>) -> impl Iterator<Item = (&NodeKey, InitialSnapshot)> {
    states.iter().filter_map(|(key, state)| Some((key, state.snapshot?)))
}

/// Whether a node that begins like this has the last entry that the snapshot covers.
fn holds_last_of(state: &InitialState, snapshot: InitialSnapshot) -> bool {
    if state.snapshot == Some(snapshot) {
        return true;
    }
    let place = snapshot.index.checked_sub(state.base() + 1).and_then(|place| usize::try_from(place).ok());
    place.and_then(|place| state.log.get(place)).is_some_and(|entry| entry.term == snapshot.term)
}

/// Term and index of the last entry of a node that begins like this.
fn last_of(state: &InitialState) -> (u64, u64) {
    let covered = state.snapshot.map_or(0, |snapshot| snapshot.term);
    (state.log.last().map_or(covered, |entry| entry.term), state.base() + state.log.len() as u64)
}

/// The lowest index at which two logs differ although they agree on a later entry.
fn contradiction(one: &InitialState, other: &InitialState) -> Option<u64> {
    let base = one.base().max(other.base());
    let end = |state: &InitialState| state.base() + state.log.len() as u64;
    let entry = |state: &InitialState, index: u64| {
        let place = usize::try_from(index - state.base() - 1).ok()?;
        state.log.get(place).cloned()
    };
    let indexes = base + 1..=end(one).min(end(other));
    let agreed = indexes.clone().rev().find(|index| {
        let terms = entry(one, *index).zip(entry(other, *index));
        terms.is_some_and(|(one, other)| one.term == other.term)
    })?;
    indexes.take_while(|index| *index <= agreed).find(|index| entry(one, *index) != entry(other, *index))
}
