//! A history taken apart by cells.

use crate::linear::history::{Action, History, Outcome};
use crate::linear::model::{Kind, Model};
use crate::linear::value::Value;
use std::collections::BTreeMap;

/// The end of what does not end.
pub(crate) const NEVER: u64 = u64::MAX;

/// What matters of an operation when it is ordered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item<'h> {
    /// Its place in the history.
    pub(crate) index: usize,
    pub(crate) action: &'h Action,
    pub(crate) outcome: &'h Outcome,
    /// The number of the call.
    pub(crate) call: u64,
    /// The number of the return, or [`NEVER`]: then the operation may be left out.
    pub(crate) end: u64,
}

impl<'h> Item<'h> {
    /// What it saw, or found if it took effect.
    pub(crate) const fn observed(&self) -> Option<Option<&'h Value>> {
        match (self.action, self.outcome) {
            (_, Outcome::Read(seen) | Outcome::Mismatch(seen)) => Some(seen.as_ref()),
            (_, Outcome::Failed) => None,
            (Action::Cas { expected, .. }, Outcome::Done | Outcome::Unknown) => Some(expected.as_ref()),
            (
                Action::Get | Action::Put(_) | Action::Append(_) | Action::Delete,
                Outcome::Done | Outcome::Unknown,
            ) => None,
        }
    }

    /// Whether it changes nothing and only tells what it saw.
    pub(crate) const fn reads(&self) -> bool {
        matches!(self.outcome, Outcome::Read(_) | Outcome::Mismatch(_))
    }
}

/// The operations on one cell, in the order of their calls, without those that restrict nothing.
#[derive(Clone, Debug)]
pub(crate) struct Part<'h> {
    /// `None` if keys do not matter.
    pub(crate) key: Option<&'h Value>,
    pub(crate) items: Vec<Item<'h>>,
}

/// The parts of a history, in the order of their keys.
pub(crate) fn parts<'h>(history: &'h History, model: &Model) -> Vec<Part<'h>> {
    let mut places: BTreeMap<&Value, usize> = BTreeMap::new();
    let mut parts: Vec<Part<'h>> = Vec::new();
    for (index, operation) in history.operations().iter().enumerate() {
        let action = &operation.action;
        let restricts = match operation.outcome {
            Outcome::Failed => false,
            Outcome::Unknown => *action != Action::Get,
            Outcome::Read(_) | Outcome::Done | Outcome::Mismatch(_) => true,
        };
        if !restricts {
            continue;
        }
        let key = match model.kind {
            Kind::Register => None,
            Kind::Kv => Some(&operation.key),
        };
        let place = match key {
            None => 0,
            Some(key) => *places.entry(key).or_insert(parts.len()),
        };
        if place == parts.len() {
            parts.push(Part { key, items: Vec::new() });
        }
        let end = operation.end.map_or(NEVER, |end| end.number);
        let item = Item { index, action, outcome: &operation.outcome, call: operation.call.number, end };
        parts[place].items.push(item);
    }
    parts.sort_by_key(|part| part.key);
    parts
}
