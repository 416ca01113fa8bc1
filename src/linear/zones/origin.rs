//! Which write each observation comes from, and which write stands right before which.

use crate::linear::explain::held;
use crate::linear::history::{Action, Outcome};
use crate::linear::part::{Item, NEVER};
use crate::linear::value::Value;
use crate::linear::zones::Stop;
use crate::linear::zones::intern::{ABSENT, Table, ValueId, Writer, at};

/// A state of the cell, by the item that wrote it; the number of items stands for what the cell began with. Every state
/// that matters occurs once.
pub(super) type State = usize;

/// Where everything comes from.
pub(super) struct Origins {
    /// By item, the state that it saw, if it reads.
    pub(super) seen: Vec<Option<State>>,
    /// By state, the one right before it, where that is known.
    pub(super) before: Vec<Option<State>>,
    /// By state, whether it occurs. A write whose end is unknown and that nobody observed may be left out.
    pub(super) occurs: Vec<bool>,
    /// By state that has one before it, the item that tells so.
    witness: Vec<usize>,
    /// By state of a write with an unknown end, the item that tells that it took effect.
    observer: Vec<Option<usize>>,
}

struct Tracer<'a, 'h> {
    items: &'a [Item<'h>],
    table: &'a Table<'h>,
    origins: Origins,
    /// By value, the state, once it is known.
    known: Vec<Option<State>>,
    /// Items that occur and must have found what they expected.
    found: Vec<usize>,
}

impl Origins {
    pub(super) fn trace(items: &[Item<'_>], table: &Table<'_>) -> Result<Self, Stop> {
        if table.appends && !table.can_be_taken_apart() {
            return Err(Stop::Ambiguous);
        }
        let origins = Self {
            seen: vec![None; items.len()],
            before: vec![None; items.len() + 1],
            occurs: items.iter().map(|item| item.end != NEVER).chain([true]).collect(),
            witness: vec![0; items.len() + 1],
            observer: vec![None; items.len() + 1],
        };
        let known = vec![None; table.len()];
        let mut tracer = Tracer { items, table, origins, known, found: Vec::new() };
        // What is ambiguous does not make what is impossible possible: the first impossibility is looked for to the end.
        let mut ambiguous = false;
        let mut go_on = |result: Result<(), Stop>| match result {
            Err(Stop::Ambiguous) => {
                ambiguous = true;
                Ok(())
            }
            other => other,
        };
        for (place, item) in items.iter().enumerate() {
            if item.end != NEVER {
                go_on(tracer.settle(place))?;
            }
        }
        while let Some(place) = tracer.found.pop() {
            go_on(tracer.settle(place))?;
        }
        if ambiguous { Err(Stop::Ambiguous) } else { Ok(tracer.origins) }
    }
}

/// How many operations are told at most so that a conflict can be followed without the rest of the history.
const CONTEXT_MAX: usize = 16;

impl Origins {
    /// The items with all that their values come from, if those are not many; else with the writers of what they saw.
    pub(super) fn with_context(&self, places: &[usize]) -> Vec<usize> {
        let beginning = self.seen.len();
        let mut found: Vec<usize> = places.iter().copied().filter(|place| *place < beginning).collect();
        let add = |place: Option<usize>, found: &mut Vec<usize>| {
            if let Some(place) = place.filter(|place| *place < beginning && !found.contains(place)) {
                found.push(place);
            }
        };
        for place in found.clone() {
            add(self.seen[place], &mut found);
        }
        let few = found.clone();
        let mut next = 0;
        while let Some(place) = found.get(next).copied() {
            next += 1;
            add(self.seen[place], &mut found);
            add(self.before[place], &mut found);
            add(self.before[place].map(|_| self.witness[place]), &mut found);
            add(self.observer[place], &mut found);
            if found.len() > CONTEXT_MAX {
                return few;
            }
        }
        found
    }
}

impl Tracer<'_, '_> {
    /// Traces what an item that occurs has observed.
    fn settle(&mut self, place: usize) -> Result<(), Stop> {
        let Some(id) = self.table.observed[place] else { return Ok(()) };
        let item = &self.items[place];
        if let (Action::Cas { expected, .. }, Outcome::Mismatch(seen)) = (item.action, item.outcome)
            && expected == seen
        {
            let why = format!("#{} failed, though it saw what it expected", item.call);
            return Err(Stop::conflict(&[place], why));
        }
        let state = self.state(id, place)?;
        if item.reads() {
            self.origins.seen[place] = Some(state);
            Ok(())
        } else {
            self.link(place, state, place)
        }
    }

    /// The state in which the cell held the value that `witness` observed.
    fn state(&mut self, id: ValueId, witness: usize) -> Result<State, Stop> {
        if let Some(state) = self.known[at(id)] {
            return Ok(state);
        }
        let state = match self.table.writer(id) {
            Writer::Several => return Err(Stop::Ambiguous),
            Writer::One(state) => {
                self.first(state, witness)?;
                state
            }
            Writer::Nobody => self.concatenation(id, witness)?,
        };
        self.known[at(id)] = Some(state);
        Ok(state)
    }

    /// The state is what the cell held first of all that a value was put together from.
    fn first(&mut self, state: State, witness: usize) -> Result<(), Stop> {
        self.occurs(state, witness);
        if self.appends(state) {
            let absent = self.state(ABSENT, witness)?;
            self.link(state, absent, witness)?;
        }
        Ok(())
    }

    fn concatenation(&mut self, id: ValueId, witness: usize) -> Result<State, Stop> {
        let never = |tracer: &Self| tracer.never(id, witness);
        let parts = if self.table.appends { self.table.take_apart(id) } else { None };
        let mut last = None;
        for part in parts.unwrap_or_default() {
            let state = match self.table.writer(part) {
                Writer::Several => return Err(Stop::Ambiguous),
                Writer::One(state) => state,
                Writer::Nobody => return Err(never(self)),
            };
            match last {
                None => self.first(state, witness)?,
                Some(last) if self.appends(state) => self.link(state, last, witness)?,
                Some(_) => return Err(never(self)),
            }
            last = Some(state);
        }
        last.ok_or_else(|| never(self))
    }

    fn appends(&self, state: State) -> bool {
        self.items.get(state).is_some_and(|item| matches!(item.action, Action::Append(_)))
    }

    fn occurs(&mut self, state: State, observer: usize) {
        if !core::mem::replace(&mut self.origins.occurs[state], true) {
            self.origins.observer[state] = Some(observer);
            self.found.push(state);
        }
    }

    /// `state` stands right after `before`: `witness` tells.
    fn link(&mut self, state: State, before: State, witness: usize) -> Result<(), Stop> {
        self.occurs(state, witness);
        match self.origins.before[state] {
            None => {
                self.origins.before[state] = Some(before);
                self.origins.witness[state] = witness;
                Ok(())
            }
            Some(other) if other == before => Ok(()),
            Some(_) => {
                let (call, first) = (self.items[state].call, self.origins.witness[state]);
                let (one, two) = (self.items[first].call, self.items[witness].call);
                let why = format!("#{one} and #{two} tell of different values right before #{call}");
                Err(Stop::conflict(&self.origins.with_context(&[state, first, witness]), why))
            }
        }
    }

    /// Nothing can have made the value that `witness` observed.
    fn never(&self, id: ValueId, witness: usize) -> Stop {
        let item = &self.items[witness];
        let value: Option<&Value> = match (item.action, item.outcome) {
            (_, Outcome::Read(seen) | Outcome::Mismatch(seen)) => seen.as_ref(),
            (Action::Cas { expected, .. }, _) => expected.as_ref(),
            (Action::Get | Action::Put(_) | Action::Append(_) | Action::Delete, _) => None,
        };
        let what = if id == ABSENT { None } else { value };
        let why = format!("#{} found {}, which the key can never have held", item.call, held(what));
        Stop::conflict(&self.origins.with_context(&[witness]), why)
    }
}
