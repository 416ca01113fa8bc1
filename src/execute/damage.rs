//! What was done to the bytes on disks, and how long it stays.
//!
//! Owns which files are damaged. Damage is there from when it reaches the disk, which a misdirected write may do long after
//! it was ordered or never, until its file is replaced as a whole.

use super::voided::KEPT_PROMISES;
use super::{Cluster, Runner};
use crate::adapter::{LOG, TAIL};
use crate::record::{MessageFacts, Note};
use sim_core::{FileId, Observer, ProcessId};
use std::collections::{BTreeMap, BTreeSet};

type Place = (ProcessId, FileId);

/// The damage to a file.
#[derive(Clone, Copy)]
struct Damage {
    /// The replacement that had made the file what it was.
    replacement: u64,
    /// How often its node had mended its disk by then.
    mended: u32,
}

/// What is damaged.
#[derive(Default)]
pub(super) struct Damages {
    files: BTreeMap<Place, Damage>,
    /// The files that misdirected writes were ordered for, and how many had reached each by when they were last counted.
    ordered: BTreeMap<Place, u64>,
    /// The nodes whose disks have lied: what is missing may be the middle of any file, for ever.
    lied: BTreeSet<ProcessId>,
}

impl Damages {
    /// Whether [`Runner::follow_damage`] has something to do.
    #[inline]
    pub(super) fn are_stale<T>(&self, sim: &Cluster<T>) -> bool
    where
        T: Observer<MessageFacts, Note>,
    {
        (!self.ordered.is_empty() || !self.files.is_empty())
            && (self.landed(sim).next().is_some() || self.gone(sim).next().is_some())
    }

    fn landed<T: Observer<MessageFacts, Note>>(&self, sim: &Cluster<T>) -> impl Iterator<Item = Place> {
        let landed =
            self.ordered.iter().filter(|((node, file), seen)| sim.misdirected_appends(*node, *file) > **seen);
        landed.map(|(place, _)| *place)
    }

    fn gone<T: Observer<MessageFacts, Note>>(&self, sim: &Cluster<T>) -> impl Iterator<Item = Place> {
        let is_gone = |(node, file), damage: &Damage| sim.last_replacement(node, file) > damage.replacement;
        self.files.iter().filter(move |(place, damage)| is_gone(**place, damage)).map(|(place, _)| *place)
    }
}

impl<T: Observer<MessageFacts, Note>> Runner<'_, T> {
    /// A file of a node is damaged. One copy of what it wrote is mended from the other, and most of what is bad in both is
    /// noticed; but the newest writes, bad in both, look like those that a crash took. A node that takes them for that is not
    /// to blame, whatever follows, unless it has written them anew in between.
    pub(super) fn note_damage(&mut self, node: ProcessId, file: FileId) {
        let damage = Damage {
            replacement: self.sim.last_replacement(node, file),
            mended: self.asking().node(node).mended(),
        };
        self.damages.files.insert((node, file), damage);
        let copies = [LOG, TAIL].map(|copy| self.damages.files.get(&(node, copy)));
        let both = copies.iter().all(|copy| copy.is_some_and(|copy| copy.mended == damage.mended));
        let judge = &mut self.sim.observer_mut().0;
        judge.damaged(node);
        if both {
            judge.doubt(node, &KEPT_PROMISES);
        }
    }

    /// An append to a file of a node was ordered to be misdirected.
    pub(super) fn expect_damage(&mut self, node: ProcessId, file: FileId) {
        let landed = self.sim.misdirected_appends(node, file);
        self.damages.ordered.insert((node, file), landed);
    }

    /// The disk of a node is going to lie.
    pub(super) fn expect_lies(&mut self, node: ProcessId) {
        self.damages.lied.insert(node);
        self.sim.observer_mut().0.damaged(node);
    }

    /// The damage that has come, or is gone, since this was last looked at.
    #[inline]
    pub(super) fn follow_damage(&mut self) {
        if self.damages.are_stale(&self.sim) {
            self.follow_changed_damage();
        }
    }

    #[cold]
    fn follow_changed_damage(&mut self) {
        let gone: Vec<Place> = self.damages.gone(&self.sim).collect();
        for place in &gone {
            self.damages.files.remove(place);
        }
        let landed: Vec<Place> = self.damages.landed(&self.sim).collect();
        for (node, file) in landed {
            self.expect_damage(node, file);
            self.note_damage(node, file);
        }
        for (node, _) in gone {
            let is_damaged = self.damages.files.keys().any(|(other, _)| *other == node);
            if !is_damaged && !self.damages.lied.contains(&node) {
                self.sim.observer_mut().0.undamaged(node);
            }
        }
    }
}

#[cfg(all(test, feature = "mutations"))]
mod tests {
    use crate::execute::{Limits, run};
    use crate::scenario::Scenario;
    use crate::violation::Property;

    /// What is broken where node 1, which does not start from a log with a torn end, crashes in the middle of a write after
    /// these steps.
    fn broken_by_a_torn_end(steps: &str) -> Vec<Property> {
        let text = format!(
            r#"{{ "name": "torn", "nodes": 3, "mutation": "torn_end_refused",
            "raft": {{ "election_timeout": ["10s", "20s"], "noop_on_election": true }}, "steps": [
            {{ "campaign": 0 }}, {{ "until": {{ "that": {{ "commit_index": {{ "of": "all", "equals": 1 }} }} }} }}, {steps}
            {{ "until": {{ "that": "synced" }} }},
            {{ "crash_at": {{ "node": 1, "operation": "+2", "when": "torn" }} }},
            {{ "propose": {{ "to": 0, "command": "x", "bytes": 500, "expect": "accepted" }} }},
            {{ "sleep": "100ms" }}, {{ "restart": 1 }} ],
            "end": {{ "stop": "node 1 stays away" }} }}"#
        );
        let scenario = Scenario::parse("torn.json", &text)
            .unwrap_or_else(|error| panic!("{}", error.render(false, 100)));
        let outcome = run(&scenario, 1, Limits::default(), ()).expect("this build has the bug").0;
        outcome.violations.iter().map(|violation| violation.property).collect()
    }

    const MISDIRECT: &str = r#"{ "misdirect_write": { "nodes": 1, "file": "log", "at": 20 } },"#;
    const MORE: &str = r#"{ "propose": { "to": 0, "command": "more", "expect": "accepted" } },
        { "until": { "that": { "committed": { "command": "more", "on": 3 } } } }, { "until": { "that": "synced" } },"#;
    const TRUTH: &str = r#"{ "lie_about_fsync": { "nodes": 1, "on": false } },"#;
    const ROT: &str = r#"{ "rot": { "nodes": 1, "file": "tail", "at": 20 } },"#;
    /// More than a tail holds.
    const FILL: &str = r#"{ "repeat": { "times": 100, "steps": [
        { "propose": { "to": 0, "command": "x{round}", "bytes": 1000, "expect": "accepted" } }, { "sleep": "10ms" }
    ] } },"#;
    const REPLACE: &str = r#"{ "snapshot": 1 }, { "compact": 1 }, { "sleep": "100ms" },"#;

    #[test]
    fn damage_excuses_from_when_it_lands_until_its_file_is_replaced() {
        let durability = vec![Property::Durability];
        let again = MORE.replace("more", "again");
        assert_eq!(broken_by_a_torn_end(""), durability);
        // Ordered, and nothing is written that it could meet before the end is torn.
        assert_eq!(broken_by_a_torn_end(&MISDIRECT.replace("log", "snapshot")), durability);
        assert_eq!(broken_by_a_torn_end(TRUTH), durability);
        assert_eq!(broken_by_a_torn_end(&[MISDIRECT, MORE].concat()), []);
        assert_eq!(broken_by_a_torn_end(&[MISDIRECT, MORE, REPLACE, &again].concat()), durability);
        assert_eq!(broken_by_a_torn_end(ROT), []);
        assert_eq!(broken_by_a_torn_end(&[ROT, FILL].concat()), durability);
    }
}
