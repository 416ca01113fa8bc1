//! What was done to the bytes on disks, and how long it stays.
//!
//! Owns which files are damaged. Damage is there from when it reaches the disk, which a misdirected write may do long after
//! it was ordered or never, until its file is replaced as a whole.

use super::voided::KEPT_PROMISES;
use super::{Cluster, Runner};
use crate::adapter::{LOG, TAIL};
use sim_core::{FileId, ProcessId};
use std::collections::BTreeMap;

type Place = (ProcessId, FileId);

/// What is damaged.
#[derive(Default)]
pub(super) struct Damages {
    /// The files, and which replacement had made each what it was when it was damaged.
    files: BTreeMap<Place, u64>,
    /// The files that misdirected writes were ordered for, and how many had reached each by when they were last counted.
    ordered: BTreeMap<Place, u64>,
}

impl Damages {
    /// Whether both copies of what a node wrote last are damaged.
    fn are_both_copies(&self, node: ProcessId) -> bool {
        [LOG, TAIL].iter().all(|copy| self.files.contains_key(&(node, *copy)))
    }

    fn landed(&self, sim: &Cluster<'_>) -> impl Iterator<Item = Place> {
        let landed =
            self.ordered.iter().filter(|((node, file), seen)| sim.misdirected_appends(*node, *file) > **seen);
        landed.map(|(place, _)| *place)
    }

    fn gone(&self, sim: &Cluster<'_>) -> impl Iterator<Item = Place> {
        let is_gone = |(node, file), replacement| sim.last_replacement(node, file) > replacement;
        self.files.iter().filter(move |(place, of)| is_gone(**place, **of)).map(|(place, _)| *place)
    }
}

impl Runner<'_> {
    /// A file of a node is damaged. One copy of what it wrote is mended from the other, and most of what is bad in both is
    /// noticed; but the newest writes, bad in both, look like those that a crash took. A node that takes them for that is not
    /// to blame, whatever follows, unless it has written one of them anew in between.
    pub(super) fn note_damage(&mut self, node: ProcessId, file: FileId) {
        self.note_damage_of(node, file, self.sim.last_replacement(node, file));
    }

    /// The file is damaged as this replacement made it.
    fn note_damage_of(&mut self, node: ProcessId, file: FileId, replacement: u64) {
        self.damages.files.insert((node, file), replacement);
        let both = self.damages.are_both_copies(node);
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

    /// The disk of a node was emptied.
    pub(super) fn forget_damage(&mut self, node: ProcessId) {
        let places: Vec<Place> =
            self.damages.files.keys().filter(|(damaged, _)| *damaged == node).copied().collect();
        places.into_iter().for_each(|place| self.note_repair(place));
    }

    /// The damage that has come, or is gone, since this was last looked at.
    pub(super) fn follow_damage(&mut self) {
        let landed: Vec<Place> = self.damages.landed(&self.sim).collect();
        for (node, file) in landed {
            self.expect_damage(node, file);
            self.note_damage_of(node, file, self.sim.last_misdirected(node, file));
        }
        // After that: what has landed may be gone already.
        let gone: Vec<Place> = self.damages.gone(&self.sim).collect();
        gone.into_iter().for_each(|place| self.note_repair(place));
    }

    /// A file that was damaged holds what its node wrote, again.
    fn note_repair(&mut self, (node, file): Place) {
        self.damages.files.remove(&(node, file));
        let is_damaged = self.damages.files.keys().any(|(damaged, _)| *damaged == node);
        let both = self.damages.are_both_copies(node);
        let judge = &mut self.sim.observer_mut().0;
        if !both {
            judge.trust(node);
        }
        if !is_damaged {
            judge.undamaged(node);
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
        let torn = r#"{ "until": { "that": "synced" } },
            { "crash_at": { "node": 1, "operation": "+2", "when": "torn" } },
            { "propose": { "to": 0, "command": "x", "bytes": 500, "expect": "accepted" } },
            { "sleep": "100ms" }, { "restart": 1 },"#;
        broken("torn_end_refused", &format!("{steps} {torn}"))
    }

    /// What a planted bug breaks where three nodes with one leader do these steps.
    fn broken(mutation: &str, steps: &str) -> Vec<Property> {
        let text = format!(
            r#"{{ "name": "damaged", "nodes": 3, "mutation": "{mutation}",
            "raft": {{ "election_timeout": ["10s", "20s"], "noop_on_election": true }}, "steps": [
            {{ "campaign": 0 }}, {{ "until": {{ "that": {{ "commit_index": {{ "of": "all", "equals": 1 }} }} }} }},
            {steps} {{ "sleep": "1ms" }} ], "end": {{ "stop": "node 1 stays away" }} }}"#
        );
        let scenario = Scenario::parse("damaged.json", &text)
            .unwrap_or_else(|error| panic!("{}", error.render(false, 100)));
        let outcome = run(&scenario, 1, Limits::default(), ()).expect("this build has the bug").0;
        outcome.violations.iter().map(|violation| violation.property).collect()
    }

    const MISDIRECT: &str = r#"{ "misdirect_write": { "nodes": 1, "file": "log", "at": 20 } },"#;
    const MORE: &str = r#"{ "propose": { "to": 0, "command": "more", "expect": "accepted" } },
        { "until": { "that": { "committed": { "command": "more", "on": 3 } } } }, { "until": { "that": "synced" } },"#;
    /// A write of 1 that a crash takes away.
    const LOSE: &str = r#"{ "hold_writes": 1 }, { "propose": { "to": 0, "command": "lost", "expect": "accepted" } },
        { "until": { "that": "logs_equal" } }, { "crash": { "nodes": 1, "keep": "lose" } }, { "release_writes": 1 },
        { "restart": 1 }, { "until": { "that": { "committed": { "command": "lost", "on": 3 } } } },"#;
    const LIE: &str = r#"{ "lie_about_fsync": { "nodes": 1 } },"#;
    const TRUTH: &str = r#"{ "lie_about_fsync": { "nodes": 1, "on": false } },"#;
    const CRASH: &str =
        r#"{ "crash": { "nodes": 1, "keep": "lose" } }, { "restart": 1 }, { "sleep": "1s" },"#;
    const ROT: &str = r#"{ "rot": { "nodes": 1, "file": "tail", "at": 20 } },"#;
    const REPLACE: &str = r#"{ "snapshot": 1 }, { "compact": 1 }, { "sleep": "100ms" },"#;
    /// What is misdirected reaches the disk, and its file is replaced, while one step lasts.
    const AT_ONCE: &str = r#"{ "hold_writes": 1 }, { "propose": { "to": 0, "command": "more", "expect": "accepted" } },
        { "sleep": "100ms" }, { "release_writes": 1 }, { "snapshot": 1 }, { "compact": 1 }, { "sleep": "1s" },"#;
    /// More than a tail holds.
    const FILL: &str = r#"{ "repeat": { "times": 100, "steps": [
        { "propose": { "to": 0, "command": "x{round}", "bytes": 1000, "expect": "accepted" } }, { "sleep": "10ms" }
    ] } },"#;

    #[test]
    fn damage_excuses_from_when_it_lands_until_its_file_is_replaced() {
        let durability = vec![Property::Durability];
        let again = MORE.replace("more", "again");
        assert_eq!(broken_by_a_torn_end(""), durability);
        assert_eq!(broken_by_a_torn_end(&[MISDIRECT, LOSE].concat()), durability, "a crash took it");
        assert_eq!(broken_by_a_torn_end(&[MISDIRECT, MORE].concat()), []);
        assert_eq!(broken_by_a_torn_end(&[MISDIRECT, MORE, REPLACE, &again].concat()), durability);
        assert_eq!(broken_by_a_torn_end(&[MISDIRECT, AT_ONCE].concat()), durability);
        assert_eq!(broken_by_a_torn_end(ROT), []);
        assert_eq!(broken_by_a_torn_end(&[ROT, FILL].concat()), durability);
    }

    #[test]
    fn a_lie_excuses_once_it_has_cost_something() {
        let durability = vec![Property::Durability];
        assert_eq!(broken_by_a_torn_end(TRUTH), durability);
        assert_eq!(broken_by_a_torn_end(&[LIE, TRUTH].concat()), durability, "nothing was written");
        assert_eq!(broken("recovery_drops_last_entry", &[MORE, CRASH].concat()), durability);
        assert_eq!(broken("recovery_drops_last_entry", &[LIE, MORE, CRASH].concat()), []);
    }

    #[test]
    fn who_has_written_one_copy_anew_is_to_blame_for_what_it_forgets() {
        let broken = |between: &str| {
            let rot = [ROT, &ROT.replace("tail", "log")].concat();
            broken("recovery_drops_last_entry", &format!("{MORE} {rot} {between} {CRASH}"))
        };
        assert_eq!(broken(&[REPLACE, &MORE.replace("more", "again")].concat()), [Property::Durability]);
        assert_eq!(broken(""), []);
    }
}
