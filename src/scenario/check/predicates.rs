//! Predicates: that what they ask about exists and can hold.

use super::Checker;
use crate::record::Role;
use crate::scenario::bounds::{Count, IndexRef, TermRef};
use crate::scenario::name::Name;
use crate::scenario::predicate::{
    Amount, Calls, CountOf, DiskBytes, Index, IndexIs, LastEntry, Predicate, Reads, SingleLeader, TermIs,
    ValueIs,
};
use core::fmt::Display;

impl Checker {
    pub(super) fn predicate(&mut self, predicate: &Predicate) {
        let name = predicate.name();
        self.under(name, |c| c.inner_predicate(predicate));
    }

    fn inner_predicate(&mut self, predicate: &Predicate) {
        match predicate {
            Predicate::SingleLeader(single) => self.single_leader(single),
            Predicate::NoLeader(among)
            | Predicate::TermsAgree(among)
            | Predicate::LogsEqual(among)
            | Predicate::Synced(among)
            | Predicate::MachineEqual(among) => {
                self.some_target("among", among.among.as_ref());
            }
            Predicate::LeaderIs(target) => self.target(target),
            Predicate::Term(term) => self.term(term),
            Predicate::Role(role) => {
                self.target_at("of", &role.of);
                self.under("term", |c| {
                    c.wrong_if(role.term == Some(0) && role.is != Role::Follower, || {
                        "in term 0 everybody follows: expected a term from 1".to_owned()
                    })
                });
            }
            Predicate::Vote(vote) => {
                self.target_at("of", &vote.of);
                self.some_target("is", vote.is.as_ref());
            }
            Predicate::Committed(committed) => {
                self.under("command", |c| c.command(&committed.command));
                self.some_target("among", committed.among.as_ref());
                if let Some(on) = &committed.on {
                    self.under("on", |c| c.node_count(on));
                }
            }
            Predicate::NotCommitted(not) => {
                self.under("command", |c| c.command(&not.command));
                self.some_target("among", not.among.as_ref());
            }
            Predicate::CommittedAt(at) => {
                if let Some(command) = &at.command {
                    self.under("command", |c| c.command(command));
                }
                self.under("index", |c| c.log_index(Some(at.index)));
            }
            Predicate::CommitIndex(index) | Predicate::LastIndex(index) => self.index(index),
            Predicate::Durable(of) | Predicate::Halted(of) | Predicate::Joint(of) => {
                self.target_at("of", &of.of)
            }
            Predicate::Up(count) => self.node_count(count),
            Predicate::Count(count) => {
                self.target_at("of", &count.of);
                let CountOf { at_least, at_most, equals, .. } = *count;
                self.node_count(&Count { at_least, at_most, equals });
            }
            Predicate::Messages(messages) => {
                self.some_link_target("from", messages.from.as_ref());
                self.since(messages.since.as_ref());
                self.bounds(messages.at_least, messages.at_most, None);
            }
            Predicate::MessageBytes(bytes) => {
                self.since(bytes.since.as_ref());
                self.bounds(bytes.at_least, bytes.at_most, None);
            }
            Predicate::Elapsed(elapsed) => {
                self.since(elapsed.since.as_ref());
                self.bounds(elapsed.at_least, elapsed.at_most, None);
                for (key, span) in [("at_least", elapsed.at_least), ("at_most", elapsed.at_most)] {
                    self.under(key, |c| c.longest(span.unwrap_or_default()));
                }
            }
            Predicate::Index(index) => self.one_index(index),
            Predicate::LastEntry(entry) => self.last_entry(entry),
            Predicate::LogLength(amount) | Predicate::StorageOperations(amount) => {
                let Amount { of, at_least, at_most, equals } = amount;
                self.target_at("of", of);
                self.bounds(*at_least, *at_most, *equals);
            }
            Predicate::DiskBytes(bytes) => {
                let DiskBytes { of, at_least, at_most, .. } = bytes;
                self.target_at("of", of);
                self.bounds(*at_least, *at_most, None);
            }
            Predicate::Members(members) => self.members_are(members),
            Predicate::InConfig(config) | Predicate::NotInConfig(config) => self.in_config(config),
            Predicate::Value(value) => self.value_is(value),
            Predicate::ClientsDone(done) => self.awaited_clients(done.clients.as_ref()),
            Predicate::Calls(calls) => self.calls(calls),
            Predicate::Reads(reads) => {
                let Reads { at, since, at_least, at_most, .. } = reads;
                self.some_target("at", at.as_ref());
                self.since(since.as_ref());
                self.bounds(*at_least, *at_most, None);
            }
            Predicate::All(predicates) | Predicate::Any(predicates) => {
                self.wrong_if(predicates.is_empty(), || {
                    "an empty list: expected at least one predicate".to_owned()
                });
                self.each(predicates, Self::predicate);
            }
            Predicate::Not(inner) => self.predicate(inner),
        }
    }

    fn single_leader(&mut self, single: &SingleLeader) {
        for (key, target) in [("not", &single.not), ("is", &single.is), ("among", &single.among)] {
            self.some_target(key, target.as_ref());
        }
        for (key, name) in [("term_above", &single.term_above), ("same_term_as", &single.same_term_as)] {
            if let Some(name) = name {
                self.under(key, |c| c.remembers_term(name));
            }
        }
        let both = single.term_above.is_some() && single.term_above == single.same_term_as;
        self.wrong_if(both, || {
            "the term cannot be the same and above: expected `term_above` or `same_term_as`".to_owned()
        });
        let both = single.is.is_some() && single.is == single.not;
        self.wrong_if(both, || {
            "the leader cannot be and not be one of these: expected `is` or `not`".to_owned()
        });
    }

    fn term(&mut self, term: &TermIs) {
        self.some_target("of", term.of.as_ref());
        for (key, bound) in [("above", &term.above), ("equals", &term.equals)] {
            if let Some(TermRef::Name(name)) = bound {
                self.under(key, |c| c.remembers_term(name));
            }
        }
        let given = [term.above.is_some(), term.equals.is_some(), term.at_least.is_some()];
        self.wrong_if(!given.contains(&true), || {
            "nothing is asked: expected `above`, `equals` or `at_least`".to_owned()
        });
        self.wrong_if(term.equals.is_some() && given != [false, true, false], || {
            "`equals` says it all: expected it alone, or `above` and `at_least`".to_owned()
        });
    }

    fn index(&mut self, index: &IndexIs) {
        self.target_at("of", &index.of);
        self.bounds(index.at_least, None, index.equals);
    }

    fn one_index(&mut self, index: &Index) {
        self.target_at("of", &index.of);
        let bounds = [("at_least", &index.at_least), ("at_most", &index.at_most), ("equals", &index.equals)];
        for (key, bound) in bounds {
            if let Some(IndexRef::Mark(mark)) = bound {
                self.under(key, |c| c.mark(mark));
            }
        }
        // What a mark stands for is known only when it is set: it is neither too low nor too high.
        let number = |bound: &Option<IndexRef>, unknown: u64| match bound {
            Some(IndexRef::Number(number)) => Some(*number),
            Some(IndexRef::Mark(_)) => Some(unknown),
            None => None,
        };
        self.bounds(number(&index.at_least, 0), number(&index.at_most, u64::MAX), number(&index.equals, 0));
    }

    fn last_entry(&mut self, entry: &LastEntry) {
        self.target_at("of", &entry.of);
        self.wrong_if(entry.index.is_none() && entry.term.is_none(), || {
            "nothing is asked: expected `index` or `term`".to_owned()
        });
        let empty = entry.index.map(|index| index == 0);
        let no_term = entry.term.map(|term| term == 0);
        self.wrong_if(empty.zip(no_term).is_some_and(|(empty, no_term)| empty != no_term), || {
            "only an empty log ends at index 0 and in term 0: expected both or neither to be 0".to_owned()
        });
    }

    fn value_is(&mut self, value: &ValueIs) {
        self.target_at("of", &value.of);
        if let Some(text) = &value.equals {
            self.under("equals", |c| c.value(text));
        }
        self.wrong_if(value.equals.is_none() && !value.absent, || {
            "nothing is asked: expected `equals` or `\"absent\": true`".to_owned()
        });
        self.wrong_if(value.equals.is_some() && value.absent, || {
            "what is absent equals nothing: expected `equals` or `absent`".to_owned()
        });
    }

    fn calls(&mut self, calls: &Calls) {
        match &calls.by {
            Some(target) => self.under("by", |c| c.client_target(target)),
            None => self.any_clients(),
        }
        self.since(calls.since.as_ref());
        self.bounds(calls.at_least, calls.at_most, None);
    }

    fn since(&mut self, mark: Option<&Name>) {
        if let Some(mark) = mark {
            self.under("since", |c| c.mark(mark));
        }
    }

    /// A number of nodes of the cluster.
    fn node_count(&mut self, count: &Count) {
        let nodes = u64::from(self.nodes);
        self.bounds(count.at_least, count.at_most, count.equals);
        for (key, bound) in [("at_least", count.at_least), ("equals", count.equals)] {
            let too_many = bound.is_some_and(|bound| bound > nodes);
            self.under(key, |c| {
                c.wrong_if(too_many, || {
                    format!(
                        "{} nodes can never be: the cluster has {nodes}, so expected at most {nodes}",
                        bound.unwrap_or(0)
                    )
                });
            });
        }
    }

    /// Bounds that bound something and do not exclude each other.
    fn bounds<T: Ord + Display>(&mut self, at_least: Option<T>, at_most: Option<T>, equals: Option<T>) {
        let none = at_least.is_none() && at_most.is_none() && equals.is_none();
        self.wrong_if(none, || "nothing is asked: expected a bound, such as `at_least`".to_owned());
        let both = equals.is_some() && (at_least.is_some() || at_most.is_some());
        self.wrong_if(both, || "an exact number needs no bounds: expected `equals`, or bounds".to_owned());
        if let Some((least, most)) = at_least.zip(at_most) {
            self.wrong_if(least > most, || {
                format!("nothing is at least {least} and at most {most}: expected bounds in order")
            });
        }
    }

    pub(super) fn command(&mut self, command: &str) {
        self.wrong_if(command.is_empty(), || "an empty command: expected at least one character".to_owned());
        self.wrong_if(command.len() > 1_000, || {
            format!(
                "a command of {} bytes: expected at most 1000\n`bytes` pads short commands",
                command.len()
            )
        });
    }
}
