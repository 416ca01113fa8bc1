//! The search of Wing and Gong (1993), with the memory of configurations that Lowe added (2017), in steps that can be
//! counted and resumed.
//!
//! An operation can come next if no other returned before it was called. One that only reads and fits what the cell holds
//! is taken at once and for good: whatever order follows, it could as well come first.

use crate::linear::part::{Item, NEVER};
use crate::linear::search::configs::{Configs, Done};
use crate::linear::search::states::{Effect, StateId, States};
use crate::linear::value::Value;

/// What is on the list of events that are not carried out yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Call(usize),
    Return(usize),
    /// The ring closes here.
    Border,
}

/// An operation that was carried out, and how to take it back.
#[derive(Clone, Copy, Debug)]
struct Taken {
    operation: usize,
    before: StateId,
    /// Whether there was no choice.
    forced: bool,
}

/// How far a search is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It goes on.
    Open,
    /// There is a linearization, or none.
    Decided(bool),
}

/// A search on one cell, between two steps.
#[derive(Clone, Debug)]
pub(crate) struct Search<'h> {
    effects: Vec<Effect>,
    states: States<'h>,
    /// The ring of events in their order; the border is the first.
    events: Vec<Event>,
    next: Vec<usize>,
    previous: Vec<usize>,
    /// By operation, its events; without a return, the border.
    places: Vec<(usize, usize)>,
    done: Done,
    configs: Configs,
    state: StateId,
    taken: Vec<Taken>,
    /// How many operations are left that have returned.
    missing: usize,
    /// Where to look next.
    cursor: usize,
    /// Whether the configuration is new, so that what only reads comes first.
    fresh: bool,
    progress: Progress,
    looks: u64,
}

/// How many bytes of a state cost a step.
const STEP_BYTES: u64 = 32;

const BORDER: usize = 0;

impl<'h> Search<'h> {
    /// A search on `items`, which are in the order of their calls. It is short only on those that are relevant.
    pub(crate) fn new(items: &[Item<'h>], initial: Option<&Value>) -> Self {
        let mut states = States::new();
        let state = states.number(initial);
        let effects: Vec<Effect> = items.iter().map(|item| states.effect(item)).collect();
        let mut order: Vec<(u64, Event)> = Vec::with_capacity(2 * items.len());
        for (place, item) in items.iter().enumerate() {
            order.push((item.call, Event::Call(place)));
            if item.end != NEVER {
                order.push((item.end, Event::Return(place)));
            }
        }
        order.sort_unstable_by_key(|(number, _)| *number);
        let events: Vec<Event> =
            core::iter::once(Event::Border).chain(order.into_iter().map(|(_, event)| event)).collect();
        let count = events.len();
        let mut places = vec![(BORDER, BORDER); items.len()];
        for (at, event) in events.iter().enumerate() {
            match *event {
                Event::Call(operation) => places[operation].0 = at,
                Event::Return(operation) => places[operation].1 = at,
                Event::Border => {}
            }
        }
        Self {
            effects,
            states,
            events,
            next: (0..count).map(|at| (at + 1) % count).collect(),
            previous: (0..count).map(|at| (at + count - 1) % count).collect(),
            places,
            done: Done::new(items.len()),
            configs: Configs::new(),
            state,
            taken: Vec::new(),
            missing: items.iter().filter(|item| item.end != NEVER).count(),
            cursor: BORDER,
            fresh: true,
            progress: Progress::Open,
            looks: 0,
        }
    }

    /// How many steps were taken: looks at an event, and bytes of what appends made. So the memory that a search takes is
    /// bounded along with its steps.
    pub(crate) const fn steps(&self) -> u64 {
        self.looks + self.states.grown_bytes() / STEP_BYTES
    }

    /// Goes on until there is a verdict, for about `more` steps: it may look on to the next return.
    pub(crate) fn run(&mut self, more: u64) -> Progress {
        let limit = self.steps().saturating_add(more);
        while self.progress == Progress::Open && self.steps() < limit {
            if self.missing == 0 {
                self.progress = Progress::Decided(true);
            } else if self.fresh {
                self.take_reads();
            } else {
                self.look();
            }
        }
        self.progress
    }

    /// Carries out what only reads; then the configuration is either new or has been seen to lead nowhere.
    fn take_reads(&mut self) {
        let mut at = self.next[BORDER];
        // A return that is taken off the list opens the view on what was called after it: the walk just goes on.
        while let Event::Call(operation) = self.events[at] {
            self.looks += 1;
            if matches!(self.effects[operation], Effect::Sees(seen) if seen == self.state) {
                let before = self.state;
                self.take(Taken { operation, before, forced: true });
                at = self.next[self.previous[at]];
            } else {
                at = self.next[at];
            }
        }
        self.looks += 1;
        if self.missing == 0 {
            return;
        }
        if self.configs.insert(&self.done, self.state) {
            self.cursor = self.next[BORDER];
            self.fresh = false;
        } else {
            self.back();
        }
    }

    /// Tries the event under the cursor as the next write.
    fn look(&mut self) {
        self.looks += 1;
        let Event::Call(operation) = self.events[self.cursor] else { return self.back() };
        match self.states.write(self.state, self.effects[operation]) {
            None => self.cursor = self.next[self.cursor],
            Some(after) => {
                self.take(Taken { operation, before: self.state, forced: false });
                self.state = after;
                self.fresh = true;
            }
        }
    }

    fn take(&mut self, taken: Taken) {
        let (call, end) = self.places[taken.operation];
        self.unlink(call);
        if end != BORDER {
            self.unlink(end);
            self.missing -= 1;
        }
        self.done.insert(taken.operation);
        self.taken.push(taken);
    }

    /// Takes back the last choice and looks at the next.
    fn back(&mut self) {
        while let Some(Taken { operation, before, forced }) = self.taken.pop() {
            let (call, end) = self.places[operation];
            if end != BORDER {
                self.link(end);
                self.missing += 1;
            }
            self.link(call);
            self.done.remove(operation);
            self.state = before;
            if !forced {
                self.cursor = self.next[call];
                self.fresh = false;
                return;
            }
        }
        self.progress = Progress::Decided(false);
    }

    fn unlink(&mut self, at: usize) {
        let (previous, next) = (self.previous[at], self.next[at]);
        self.next[previous] = next;
        self.previous[next] = previous;
    }

    /// Puts back what was taken out last.
    fn link(&mut self, at: usize) {
        let (previous, next) = (self.previous[at], self.next[at]);
        self.next[previous] = at;
        self.previous[next] = at;
    }
}
