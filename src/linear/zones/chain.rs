//! Whether clusters and chains can be ordered as real time wants.

use crate::linear::explain::held;
use crate::linear::history::{Action, Outcome};
use crate::linear::part::Item;
use crate::linear::zones::Stop;
use crate::linear::zones::origin::{Origins, State};

/// A number of an event and the item that it belongs to; the number of items for what the cell began with.
type Mark = (u64, usize);

/// From the first return to the last call of some operations.
#[derive(Clone, Copy)]
struct Zone {
    first_return: Mark,
    last_call: Mark,
}

impl Zone {
    fn take(&mut self, other: Self) {
        self.first_return = self.first_return.min(other.first_return);
        self.last_call = self.last_call.max(other.last_call);
    }

    /// Whether something in it must come before something in `other`.
    const fn before(&self, other: &Self) -> bool {
        self.first_return.0 < other.last_call.0
    }
}

/// The zones of the clusters, by state.
fn clusters(items: &[Item<'_>], origins: &Origins) -> Result<Vec<Zone>, Stop> {
    let zone = |(place, item): (usize, &Item<'_>)| Zone {
        first_return: (item.end, place),
        last_call: (item.call, place),
    };
    let beginning = Zone { first_return: (0, items.len()), last_call: (0, items.len()) };
    let mut zones: Vec<Zone> = items.iter().enumerate().map(zone).chain([beginning]).collect();
    for (place, item) in items.iter().enumerate() {
        let Some(state) = origins.seen[place] else { continue };
        if let Some(writer) = items.get(state)
            && item.end < writer.call
        {
            let why = format!(
                "#{} saw the value of #{} and returned before #{1} was called",
                item.call, writer.call
            );
            return Err(Stop::conflict(&origins.with_context(&[place, state]), why));
        }
        let reader = zones[place];
        zones[state].take(reader);
    }
    Ok(zones)
}

pub(super) fn order(items: &[Item<'_>], origins: &Origins) -> Result<(), Stop> {
    let clusters = clusters(items, origins)?;
    let judge = Judge { items, origins };
    let mut after: Vec<Option<State>> = vec![None; items.len() + 1];
    for (state, before) in origins.before.iter().enumerate() {
        let Some(before) = *before else { continue };
        if let Some(other) = after[before].replace(state) {
            return Err(judge.fork(before, other, state));
        }
    }
    let is_write =
        |state: State| origins.seen.get(state).is_none_or(Option::is_none) && origins.occurs[state];
    let mut reached: usize = 0;
    let mut blocks = Vec::new();
    for head in (0..=items.len()).filter(|head| is_write(*head) && origins.before[*head].is_none()) {
        let mut block = clusters[head];
        reached += 1;
        let mut last = head;
        while let Some(state) = after[last] {
            let cluster = clusters[state];
            if cluster.first_return.0 < block.last_call.0 {
                return Err(judge.chain(block.last_call.1, cluster.first_return.1));
            }
            block.take(cluster);
            reached += 1;
            last = state;
        }
        blocks.push(block);
    }
    if reached < (0..=items.len()).filter(|state| is_write(*state)).count() {
        return Err(judge.circle());
    }
    disjoint(&mut blocks).map_err(|(one, two)| judge.blocks(&one, &two))
}

/// Finds two blocks of which each must come before the other.
fn disjoint(blocks: &mut [Zone]) -> Result<(), (Zone, Zone)> {
    let is_forward = |zone: &Zone| zone.first_return.0 < zone.last_call.0;
    // Forward zones first, in the order of their beginnings.
    blocks.sort_unstable_by_key(|zone| (!is_forward(zone), zone.first_return));
    let (forward, backward) = blocks.split_at(blocks.partition_point(is_forward));
    for pair in forward.windows(2) {
        if pair[1].before(&pair[0]) {
            return Err((pair[0], pair[1]));
        }
    }
    for inner in backward {
        let begun = forward.partition_point(|outer| outer.before(inner));
        if let Some(outer) = begun.checked_sub(1).map(|last| &forward[last])
            && inner.before(outer)
        {
            return Err((*outer, *inner));
        }
    }
    Ok(())
}

/// Says what conflicts.
struct Judge<'a, 'h> {
    items: &'a [Item<'h>],
    origins: &'a Origins,
}

impl Judge<'_, '_> {
    fn name(&self, state: State) -> String {
        self.items.get(state).map_or_else(|| "the beginning".to_string(), |item| format!("#{}", item.call))
    }

    fn stop(&self, places: &[usize], why: String) -> Stop {
        Stop::conflict(&self.origins.with_context(places), why)
    }

    fn fork(&self, before: State, one: State, two: State) -> Stop {
        let (base, one_name, two_name) = (self.name(before), self.name(one), self.name(two));
        let what = if before == self.items.len() { "what the key began with" } else { "the value of " };
        let base = if before == self.items.len() { String::new() } else { base };
        let why = format!("{one_name} and {two_name} both replaced {what}{base}, which can be replaced once");
        self.stop(&[before, one, two], why)
    }

    /// The item `late` stands in a later cluster of a chain than `early`, and returned before `early` was called.
    fn chain(&self, early: usize, late: usize) -> Stop {
        let (early_name, late_name) = (self.name(early), self.name(late));
        let why = format!(
            "{late_name} returned before {early_name} was called, yet the values tell that {early_name} came first"
        );
        self.stop(&[early, late], why)
    }

    fn circle(&self) -> Stop {
        // From any state of a circle the way back never ends; one that leads out of it ends.
        let mut on_way = vec![0usize; self.items.len() + 1];
        for start in 0..self.items.len() {
            let mut state = start;
            while on_way[state] == 0 {
                on_way[state] = start + 1;
                match self.origins.before[state] {
                    Some(before) => state = before,
                    None => break,
                }
            }
            if on_way[state] == start + 1 && self.origins.before[state].is_some() {
                let mut circle = vec![state];
                while let Some(before) =
                    self.origins.before[circle[circle.len() - 1]].filter(|next| *next != state)
                {
                    circle.push(before);
                }
                let why = "each of these needs a value that only another of them can have made".to_string();
                return self.stop(&circle, why);
            }
        }
        unreachable!("states that no chain reaches stand in a circle")
    }

    /// What the operations of a block are about, as far as the conflict goes.
    fn about(&self, block: &Zone) -> String {
        let one = |place: usize| match self.items.get(place).map(|item| (item.action, item.outcome)) {
            None => "what the key began with".to_string(),
            Some((_, Outcome::Read(seen) | Outcome::Mismatch(seen))) => held(seen.as_ref()),
            Some((Action::Put(value) | Action::Cas { new: value, .. }, _)) => value.to_string(),
            Some((Action::Append(more), _)) => format!("what append {more} made"),
            Some((Action::Get | Action::Delete, _)) => held(None),
        };
        let (first, last) = (one(block.first_return.1), one(block.last_call.1));
        if first == last { first } else { format!("{first} and {last}") }
    }

    fn blocks(&self, one: &Zone, two: &Zone) -> Stop {
        let forced = |first: &Zone, second: &Zone| match first.first_return.1 {
            beginning if beginning == self.items.len() => "it was there first".to_string(),
            place => {
                format!("{} returned before {} was called", self.name(place), self.name(second.last_call.1))
            }
        };
        let why = format!(
            "{} must come before {} ({}), and after it ({})",
            self.about(one),
            self.about(two),
            forced(one, two),
            forced(two, one)
        );
        let marks = [one.first_return.1, one.last_call.1, two.first_return.1, two.last_call.1];
        self.stop(&marks, why)
    }
}
