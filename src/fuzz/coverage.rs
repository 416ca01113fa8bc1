//! How much of the protocol a run has seen: which states of the cluster, as far as Raft tells them apart.
//!
//! Owns what counts as one state: who is who, numbers of terms and indexes but for their order, and all that is not about
//! elections and logs are left out. Reads records only; whether somebody measures changes nothing in a run.

use crate::mirror::{LogMirror, Mirror, NodeMirror};
use crate::record::{MessageFacts, Note, Record};
use sim_core::{Digest, Interest, MessageId, Observer, RecordKind, Stamp};
use std::collections::{BTreeMap, BTreeSet};

/// Numbers beyond this are alike.
const MOST: u64 = 3;

/// The kinds of messages that are about terms: those between clients and nodes are not.
const KINDS: u8 = 12;

/// States of the protocol that were reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct States {
    /// All of them.
    pub reached: BTreeSet<u64>,
    /// Those in which something could go wrong: two nodes take themselves for leaders, a log differs from that of the
    /// leader, or a message of a term that is over is on its way.
    pub dangerous: BTreeSet<u64>,
}

impl States {
    /// Takes in what another run has reached.
    pub fn add(&mut self, other: &Self) {
        self.reached.extend(&other.reached);
        self.dangerous.extend(&other.dangerous);
    }
}

/// Watches a run and keeps the states that it reaches.
#[derive(Clone, Debug)]
pub struct Coverage {
    mirror: Mirror,
    /// How many messages of each term and kind are on their way.
    in_flight: BTreeMap<(u64, u8), u32>,
    states: States,
}

impl Coverage {
    /// Of a cluster of so many nodes, none of which has booted.
    #[must_use]
    pub fn new(nodes: u16) -> Self {
        Self { mirror: Mirror::new(nodes), in_flight: BTreeMap::new(), states: States::default() }
    }

    /// What was reached.
    #[must_use]
    pub fn states(self) -> States {
        self.states
    }

    fn sets_out(&mut self, id: MessageId) {
        if id.kind < KINDS {
            *self.in_flight.entry((id.epoch, id.kind)).or_default() += 1;
        }
    }

    fn is_over(&mut self, id: MessageId) {
        if let Some(count) = self.in_flight.get_mut(&(id.epoch, id.kind)) {
            *count -= 1;
            if *count == 0 {
                self.in_flight.remove(&(id.epoch, id.kind));
            }
        }
    }

    /// Looks at the state that the cluster is in now.
    fn look(&mut self) {
        let nodes = &self.mirror.nodes;
        let newest = nodes.iter().map(|node| node.term).max().unwrap_or(0);
        let terms = ranks(nodes.iter().map(|node| node.term));
        let ends = ranks(nodes.iter().map(|node| node.log.last_term()));
        let commit = nodes.iter().map(|node| node.commit).max().unwrap_or(0);
        let leads = |node: &&NodeMirror| node.up && node.leads();
        // Without a leader logs are compared with the one that could win against all.
        let leader = nodes.iter().filter(leads).max_by_key(|node| node.term);
        let best = nodes.iter().max_by_key(|node| (node.log.last_term(), node.log.last_index()));
        let mut dangerous = nodes.iter().filter(leads).count() > 1;
        let mut told: Vec<u64> = Vec::new();
        for node in nodes {
            let log = leader.or(best).map_or(0, |other| relation(&node.log, &other.log));
            dangerous |= log == CONFLICT && node.up;
            let rank = |ranks: &BTreeMap<u64, u64>, value| ranks.get(&value).copied().unwrap_or(MOST);
            let parts = [
                u64::from(node.up),
                u64::from(node.role.letter() as u32),
                rank(&terms, node.term),
                rank(&ends, node.log.last_term()),
                log,
                (commit - node.commit).min(MOST),
                u64::from(node.vote.is_some()),
            ];
            told.push(parts.into_iter().fold(0, |all, part| all << 8 | part));
        }
        told.sort_unstable();
        let stale = self.in_flight.keys().take_while(|(term, _)| *term < newest);
        let stale = stale.fold(0u64, |all, (_, kind)| all | 1 << kind);
        dangerous |= stale > 0;
        let mut digest = Digest::new();
        digest.word(stale);
        told.into_iter().for_each(|node| digest.word(node));
        self.states.reached.insert(digest.value());
        if dangerous {
            self.states.dangerous.insert(digest.value());
        }
    }
}

/// The different values, the highest first: which each is.
fn ranks(values: impl Iterator<Item = u64>) -> BTreeMap<u64, u64> {
    let different: BTreeSet<u64> = values.collect();
    different.into_iter().rev().zip((0..).map(|rank: u64| rank.min(MOST))).collect()
}

/// The log differs from the other where both have an entry.
const CONFLICT: u64 = 3;

/// Whether a log equals the other (0), is the beginning of it (1), goes on behind it (2), or differs from it.
fn relation(log: &LogMirror, other: &LogMirror) -> u64 {
    let (own, its) = (log.last_index(), other.last_index());
    let both = own.min(its);
    let (here, there) = (log.term_at(both), other.term_at(both));
    match (here, there) {
        // What a snapshot covers is committed, and so it is the same.
        (Some(here), Some(there)) if here != there => CONFLICT,
        _ if own == its => 0,
        _ => 1 + u64::from(own > its),
    }
}

impl Observer<MessageFacts, Note> for Coverage {
    fn interest(&self) -> Interest {
        Mirror::INTEREST.and(Interest::of(&[
            RecordKind::Sent,
            RecordKind::Duplicated,
            RecordKind::Delivered,
            RecordKind::Dropped,
        ]))
    }

    fn observe(&mut self, stamp: Stamp, record: &Record) {
        match record {
            Record::Sent { id, .. } | Record::Duplicated { id } => return self.sets_out(*id),
            Record::Dropped { id, .. } => return self.is_over(*id),
            // The state in which it arrives is the one that counts: it was looked at when it came about.
            Record::Delivered { id, .. } => return self.is_over(*id),
            _ => {}
        }
        let before = self.mirror.version();
        self.mirror.apply(stamp, record);
        if self.mirror.version() != before {
            self.look();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execute::run;
    use crate::fuzz::{LIMITS, draw, run_seed};
    use crate::oracles::testing::story;

    fn of(history: &[(Stamp, Record)], nodes: u16) -> States {
        let mut coverage = Coverage::new(nodes);
        history.iter().for_each(|(stamp, record)| coverage.observe(*stamp, record));
        coverage.states()
    }

    #[test]
    fn states_are_the_same_whoever_plays_which_part() {
        let told = |one: u16, other: u16| {
            let told = story(3).boot_all().elect(one, 1, &[other]).lead(one, "a").commit(one, 1);
            of(&told.history, 3)
        };
        assert_eq!(told(0, 1).reached.len(), told(2, 0).reached.len());
        assert_eq!(told(0, 1), told(2, 0));
        let more = story(3).boot_all().elect(0, 1, &[1]).lead(0, "a").lead(0, "b").commit(0, 2);
        assert!(of(&more.history, 3).reached.len() > 3);
    }

    #[test]
    fn two_leaders_are_dangerous_and_one_is_not() {
        let one = story(3).boot_all().elect(0, 1, &[1]);
        let two = one.clone().elect(1, 2, &[2]);
        assert!(of(&one.history, 3).dangerous.is_empty());
        assert!(!of(&two.history, 3).dangerous.is_empty());
    }

    #[test]
    fn who_measures_changes_nothing_and_measures_the_same_again() {
        let mut all = States::default();
        for index in 0..20 {
            let seed = run_seed(21, index);
            let scenario = draw(seed);
            let plain = run(&scenario, seed, LIMITS, ()).unwrap().0;
            let watched = || {
                let mut coverage = Coverage::new(scenario.nodes);
                let watcher: &mut dyn Observer<MessageFacts, Note> = &mut coverage;
                let outcome = run(&scenario, seed, LIMITS, watcher).unwrap().0;
                (outcome, coverage.states())
            };
            let (outcome, states) = watched();
            assert_eq!(outcome, plain);
            assert_eq!(watched().1, states);
            assert!(states.dangerous.is_subset(&states.reached));
            all.add(&states);
        }
        assert!(all.reached.len() > 500, "{}", all.reached.len());
    }
}
