//! Values as small numbers.

use crate::linear::history::{Action, Outcome};
use crate::linear::part::Item;
use crate::linear::value::Value;

/// The number of a value, in the order of their bytes.
pub(super) type ValueId = u32;

/// The absent value.
pub(super) const ABSENT: ValueId = 0;

/// Who wrote a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    Nobody,
    /// This item, or the cell began with it if it is the number of items.
    One(usize),
    Several,
}

/// Which values a part is about.
pub(super) struct Table<'h> {
    /// By number; the absent value has none.
    values: Vec<Option<&'h [u8]>>,
    /// By item, what it saw or must have found.
    pub(super) observed: Vec<Option<ValueId>>,
    /// By value, who wrote exactly it; of an append that is the part which it adds.
    pub(super) writers: Vec<Writer>,
    /// The values that were written, in the order of their bytes, if there are appends.
    tokens: Vec<ValueId>,
    pub(super) appends: bool,
}

/// What an item writes: `None` if nothing, `Some(None)` if it deletes.
fn written<'h>(item: &Item<'h>) -> Option<Option<&'h Value>> {
    match (item.action, item.outcome) {
        (_, Outcome::Read(_) | Outcome::Mismatch(_) | Outcome::Failed) | (Action::Get, _) => None,
        (Action::Put(value) | Action::Append(value) | Action::Cas { new: value, .. }, _) => Some(Some(value)),
        (Action::Delete, _) => Some(None),
    }
}

/// Where a value is met.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    Written(usize),
    Observed(usize),
}

/// The first eight bytes, so that most comparisons need not follow a pointer.
fn prefix(bytes: &[u8]) -> u64 {
    let mut first = [0; 8];
    let length = bytes.len().min(8);
    first[..length].copy_from_slice(&bytes[..length]);
    u64::from_be_bytes(first)
}

impl<'h> Table<'h> {
    pub(super) fn new(items: &[Item<'h>], initial: Option<&'h Value>) -> Self {
        let mut table = Self {
            values: vec![None],
            observed: vec![None; items.len()],
            writers: vec![Writer::Nobody],
            tokens: Vec::new(),
            appends: items.iter().any(|item| matches!(item.action, Action::Append(_))),
        };
        let mut met: Vec<(u64, &'h [u8], Slot)> = Vec::with_capacity(items.len() + 1);
        let mut meet = |value: Option<&'h Value>, slot: Slot, table: &mut Self| match value {
            Some(value) => met.push((prefix(value.bytes()), value.bytes(), slot)),
            None => table.note(ABSENT, slot),
        };
        meet(initial, Slot::Written(items.len()), &mut table);
        for (place, item) in items.iter().enumerate() {
            if let Some(value) = written(item) {
                meet(value, Slot::Written(place), &mut table);
            }
            if let Some(value) = item.observed() {
                meet(value, Slot::Observed(place), &mut table);
            }
        }
        met.sort_unstable();
        for (_, bytes, slot) in met {
            if table.values.last().is_none_or(|last| *last != Some(bytes)) {
                table.values.push(Some(bytes));
                table.writers.push(Writer::Nobody);
            }
            let id = ValueId::try_from(table.values.len() - 1).expect("fewer than 2^32 values");
            table.note(id, slot);
        }
        if table.appends {
            let was_written = |id: &ValueId| table.writers[at(*id)] != Writer::Nobody;
            table.tokens = (1..).take(table.values.len() - 1).filter(was_written).collect();
        }
        table
    }

    fn note(&mut self, id: ValueId, slot: Slot) {
        match slot {
            Slot::Observed(place) => self.observed[place] = Some(id),
            Slot::Written(place) => {
                let writer = &mut self.writers[at(id)];
                *writer = if *writer == Writer::Nobody { Writer::One(place) } else { Writer::Several };
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn writer(&self, id: ValueId) -> Writer {
        self.writers[at(id)]
    }

    /// Whether a concatenation of written values can be taken apart in one way only, because none begins another.
    pub(super) fn can_be_taken_apart(&self) -> bool {
        let bytes = |id: ValueId| self.values[at(id)].unwrap_or_default();
        // In the order of bytes whatever begins with a value follows it at once.
        self.tokens.windows(2).all(|pair| !bytes(pair[1]).starts_with(bytes(pair[0])))
            && self.tokens.first().is_none_or(|first| !bytes(*first).is_empty())
    }

    /// The written values whose concatenation is the value, or nothing if there are none.
    pub(super) fn take_apart(&self, id: ValueId) -> Option<Vec<ValueId>> {
        let mut rest = self.values[at(id)]?;
        let mut found = Vec::new();
        while !rest.is_empty() {
            let bytes = |token: ValueId| self.values[at(token)].unwrap_or_default();
            // The only one that can begin it is the last that is not greater.
            let greater = self.tokens.partition_point(|token| bytes(*token) <= rest);
            let token = *self.tokens.get(greater.checked_sub(1)?)?;
            rest = rest.strip_prefix(bytes(token))?;
            found.push(token);
        }
        Some(found)
    }
}

/// A value's place in tables by value.
pub(super) fn at(id: ValueId) -> usize {
    usize::try_from(id).expect("a table of this length is in memory")
}
