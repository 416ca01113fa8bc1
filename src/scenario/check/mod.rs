//! Whether a scenario makes sense: everything that its types cannot say. All findings are collected.

mod clients;
mod disks;
mod ending;
mod flow;
mod initial;
mod members;
mod options;
mod predicates;
mod raft;
mod steps;
mod targets;

use crate::scenario::document::{EVENTS_MAX, NODES_MAX, Scenario, nodes_message};
use crate::scenario::name::Name;
use crate::scenario::path::{Path, Segment};
use crate::scenario::suggest::nearest;
use core::fmt;
use sim_core::Span;
use std::collections::BTreeSet;

/// One thing that makes no sense, and where.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) path: Path,
    /// Whether the key is at fault, not the value.
    pub(crate) at_key: bool,
    /// The first line says what is wrong, the others are help.
    pub(crate) message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// The longest span that a scenario may name: 100 days.
pub(crate) const SPAN_MAX: Span = Span::from_secs(100 * 24 * 60 * 60);

/// How many problems of one file are told. Nobody reads more, and each costs a walk through the file.
pub(crate) const TOLD_MAX: usize = 100;

/// What a name was given to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    Nodes(Name),
    Moment(Name),
}

/// What is known on the way through a scenario.
#[derive(Default)]
struct Checker {
    nodes: u16,
    /// How many clients the workload has.
    clients: u16,
    /// Whether there is a workload.
    has_workload: bool,
    /// The clients that make calls.
    callers: BTreeSet<Name>,
    path: Path,
    /// Names given so far on every way to here.
    known: BTreeSet<Known>,
    /// The same in the order in which they were given first, so that a branch can be undone.
    given: Vec<Known>,
    findings: Vec<Finding>,
    /// How many findings there are beyond [`TOLD_MAX`].
    untold: usize,
}

/// What makes no sense in `scenario`, and how many findings more there are than can be told.
pub(crate) fn check(scenario: &Scenario) -> (Vec<Finding>, usize) {
    let callers = scenario.callers().into_iter().collect();
    let has_workload = scenario.workload.is_some();
    let clients = scenario.workload.as_ref().map_or(0, |workload| workload.clients);
    let mut checker = Checker { nodes: scenario.nodes, clients, has_workload, callers, ..Checker::default() };
    checker.document(scenario);
    (checker.findings, checker.untold)
}

impl Checker {
    /// Checks what stands under `key`.
    fn under(&mut self, key: &str, check: impl FnOnce(&mut Self)) {
        self.path.0.push(Segment::Key(key.to_owned()));
        check(self);
        self.path.0.pop();
    }

    /// Checks each element of a list.
    fn each<T>(&mut self, items: &[T], mut check: impl FnMut(&mut Self, &T)) {
        for (index, item) in items.iter().enumerate() {
            self.path.0.push(Segment::Index(index));
            check(self, item);
            self.path.0.pop();
        }
    }

    fn wrong(&mut self, message: impl Into<String>) {
        self.find(message.into(), false);
    }

    fn wrong_if(&mut self, wrong: bool, message: impl FnOnce() -> String) {
        if wrong {
            self.wrong(message());
        }
    }

    fn wrong_key(&mut self, message: impl Into<String>) {
        self.find(message.into(), true);
    }

    fn find(&mut self, message: String, at_key: bool) {
        if self.findings.len() < TOLD_MAX {
            self.findings.push(Finding { path: self.path.clone(), at_key, message });
        } else {
            self.untold += 1;
        }
    }

    /// How many findings there are so far, told or not.
    fn found(&self) -> usize {
        self.findings.len() + self.untold
    }

    /// The known name nearest to `word`. Not looked for when nobody will be told.
    fn nearest<'a>(&'a self, word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        if self.findings.len() < TOLD_MAX { nearest(word, candidates) } else { None }
    }

    fn give(&mut self, known: Known) {
        if self.known.insert(known.clone()) {
            self.given.push(known);
        }
    }

    fn give_nodes(&mut self, name: &Name) {
        self.give(Known::Nodes(name.clone()));
    }

    fn names_nodes(&self, name: &Name) -> bool {
        self.known.contains(&Known::Nodes(name.clone()))
    }

    fn names_moment(&self, name: &Name) -> bool {
        self.known.contains(&Known::Moment(name.clone()))
    }

    fn document(&mut self, scenario: &Scenario) {
        self.under("name", |c| c.scenario_name(&scenario.name));
        self.under("shows", |c| c.line(&scenario.shows, 200));
        self.under("nodes", |c| {
            let nodes = scenario.nodes;
            c.wrong_if(nodes == 0 || nodes > NODES_MAX, || nodes_message(u64::from(nodes)));
        });
        self.beginning(scenario);
        self.options(scenario);
        self.under("steps", |c| {
            c.room_for_callers();
            c.whole_story(&scenario.steps);
        });
        self.ending(scenario);
        if let Some(events) = scenario.events_max {
            let is_bound = (1..=EVENTS_MAX).contains(&events);
            self.under("events_max", |c| {
                c.wrong_if(!is_bound, || format!("a bound of {events} events: expected 1 to {EVENTS_MAX}"));
            });
        }
        if let Some(mutation) = &scenario.mutation {
            self.under("mutation", |c| {
                let is_name = !mutation.is_empty()
                    && mutation.len() <= 80
                    && mutation.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
                c.wrong_if(!is_name, || {
                    "not the name of a planted bug: expected lower-case letters, digits and `_`".to_owned()
                });
                // A build without planted bugs knows none of them.
                #[cfg(feature = "mutations")]
                if let (true, Err(unknown)) = (is_name, mutation.parse::<crate::adapter::Mutation>()) {
                    c.wrong(unknown.to_string());
                }
            });
        }
    }

    fn scenario_name(&mut self, name: &str) {
        let length = name.chars().count();
        let is_name = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if name.is_empty() {
            self.wrong("an empty name: expected lower-case letters, digits and `_`");
        } else if !is_name {
            self.wrong("not a name for a scenario: expected lower-case letters, digits and `_`");
        } else if length > 80 {
            self.wrong(format!("a name of {length} characters: expected at most 80"));
        }
    }

    fn line(&mut self, text: &str, most: usize) {
        let length = text.chars().count();
        self.wrong_if(length > most, || format!("{length} characters: expected at most {most}"));
        self.wrong_if(text.contains(char::is_control), || {
            "more than a line: expected a single line".to_owned()
        });
    }

    /// A span that time must pass in.
    fn time(&mut self, span: Span) {
        self.wrong_if(span == Span::ZERO, || "no time at all: expected more than 0".to_owned());
        self.longest(span);
    }

    fn some_time(&mut self, span: Option<Span>) {
        if let Some(span) = span {
            self.time(span);
        }
    }

    fn longest(&mut self, span: Span) {
        self.wrong_if(span > SPAN_MAX, || format!("{span} is too long: expected at most {SPAN_MAX}"));
    }

    /// A whole number between two bounds.
    fn between(&mut self, number: u64, least: u64, most: u64) {
        self.wrong_if(number < least || number > most, || {
            format!("{number} is out of range: expected {least} to {most}")
        });
    }
}
