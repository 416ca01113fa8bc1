//! What happened in many runs: a campaign that never crashed anybody while a write was under way has shown nothing about
//! that.
//!
//! Owns the sums and how they are told. A sum over runs in order is the same for any number of threads.

use crate::execute::{DISK_FAULTS, Outcome};
use crate::oracles::Judge;
use crate::violation::Property;
use serde::{Deserialize, Serialize};
use sim_core::Digest;
use std::collections::BTreeMap;

/// Sums over runs.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// How many runs there were.
    pub runs: u64,
    /// How many events they took together.
    pub events: u64,
    /// In how many something was committed.
    pub committed: u64,
    /// In how many somebody was elected twice or more often.
    pub elected_again: u64,
    /// In how many somebody installed a snapshot.
    pub installed_snapshot: u64,
    /// In how many a change of the configuration was committed.
    pub changed_members: u64,
    /// In how many a crash took away something that a node had written and that was not durable.
    pub lost_unsynced: u64,
    /// In how many a node crashed at a storage operation.
    pub crashed_at_operation: u64,
    /// In how many each fault of a disk did something, by the verb that orders it.
    pub disk_faults: BTreeMap<String, u64>,
    /// In how many clients called.
    pub used_clients: u64,
    /// How many operations clients called.
    pub client_calls: u64,
    /// How many of them were answered.
    pub client_answers: u64,
    /// How many runs were not asked to live at their end, because what that would need was lost.
    pub excused: u64,
    /// How often each property was judged, by name. Of linearizability: how many operations; of convergence: how many runs.
    pub judged: BTreeMap<String, u64>,
    /// A hash of the digests of all runs, in order.
    #[serde(with = "hexadecimal")]
    pub digest: u64,
}

/// No campaign counts that far.
const SUM_MAX: u64 = 1 << 60;

mod hexadecimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
    pub(super) fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{value:016x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map_err(|_| D::Error::custom("expected 16 hexadecimal digits"))
    }
}

impl Tally {
    /// Takes in the next run, which was or was not asked to live at its end.
    pub fn add(&mut self, outcome: &Outcome, is_live: bool) {
        let happened = &outcome.happened;
        let one = u64::from;
        self.runs += 1;
        self.events += outcome.stats.events;
        self.committed += one(happened.committed > 0);
        self.elected_again += one(happened.elections > 1);
        self.installed_snapshot += one(happened.installed > 0);
        self.changed_members += one(happened.changes > 0);
        self.lost_unsynced += one(outcome.stats.unsynced_lost > 0);
        self.crashed_at_operation += one(happened.operation_crashes > 0);
        for (name, count) in DISK_FAULTS.into_iter().zip(happened.disk_faults) {
            *self.disk_faults.entry(name.to_string()).or_default() += one(count > 0);
        }
        self.used_clients += one(happened.calls > 0);
        self.client_calls += happened.calls;
        self.client_answers += happened.answers;
        self.excused += one(outcome.excused.is_some());
        let counts = Judge::SAFETY.into_iter().zip(happened.judged);
        let is_voided = outcome.voided.iter().any(|(property, _)| *property == Property::Convergence);
        let lives = is_live && outcome.excused.is_none() && !is_voided;
        let ends =
            [(Property::Linearizability, happened.operations_judged), (Property::Convergence, one(lives))];
        for (property, count) in counts.chain(ends) {
            *self.judged.entry(property.name().to_string()).or_default() += count;
        }
        let mut digest = Digest::new();
        digest.pair(self.digest, outcome.digest);
        self.digest = digest.value();
    }

    /// Takes in the runs that came after these.
    pub fn merge(&mut self, next: &Self) {
        let Self {
            runs,
            events,
            committed,
            elected_again,
            installed_snapshot,
            changed_members,
            lost_unsynced,
            crashed_at_operation,
            disk_faults,
            used_clients,
            client_calls,
            client_answers,
            excused,
            judged,
            digest,
        } = next;
        for (sum, next) in [
            (&mut self.runs, runs),
            (&mut self.events, events),
            (&mut self.committed, committed),
            (&mut self.elected_again, elected_again),
            (&mut self.installed_snapshot, installed_snapshot),
            (&mut self.changed_members, changed_members),
            (&mut self.lost_unsynced, lost_unsynced),
            (&mut self.crashed_at_operation, crashed_at_operation),
            (&mut self.used_clients, used_clients),
            (&mut self.client_calls, client_calls),
            (&mut self.client_answers, client_answers),
            (&mut self.excused, excused),
        ] {
            *sum = sum.saturating_add(*next);
        }
        for (sums, next) in [(&mut self.disk_faults, disk_faults), (&mut self.judged, judged)] {
            for (name, count) in next {
                let sum = sums.entry(name.clone()).or_default();
                *sum = sum.saturating_add(*count);
            }
        }
        let mut both = Digest::new();
        both.pair(self.digest, *digest);
        self.digest = both.value();
    }

    /// Whether more runs can be added to it: no sum is near the end of 64 bits, as none is that was counted.
    #[must_use]
    pub fn is_plausible(&self) -> bool {
        let of_runs = [
            self.committed,
            self.elected_again,
            self.installed_snapshot,
            self.changed_members,
            self.lost_unsynced,
            self.crashed_at_operation,
            self.used_clients,
            self.excused,
        ];
        let mut sums = vec![self.runs, self.events, self.client_calls, self.client_answers];
        sums.extend(self.judged.values());
        let of_runs = of_runs.iter().chain(self.disk_faults.values());
        of_runs.into_iter().all(|count| *count <= self.runs) && sums.into_iter().all(|sum| sum <= SUM_MAX)
    }

    /// The tally for people, a few lines.
    #[must_use]
    pub fn text(&self) -> String {
        let share = |count: u64| {
            let permille = count.saturating_mul(1_000).checked_div(self.runs).unwrap_or(0);
            format!("{count} ({}.{}%)", permille / 10, permille % 10)
        };
        let rows = [
            ("committed something", share(self.committed)),
            ("elected twice or more", share(self.elected_again)),
            ("installed a snapshot", share(self.installed_snapshot)),
            ("changed members", share(self.changed_members)),
            ("lost unsynced data", share(self.lost_unsynced)),
            ("crashed at a storage operation", share(self.crashed_at_operation)),
            ("used clients", share(self.used_clients)),
            ("client operations", format!("{} called, {} answered", self.client_calls, self.client_answers)),
            ("not asked to live", share(self.excused)),
        ];
        let mut lines: Vec<String> =
            rows.into_iter().map(|(name, value)| format!("  {name:<32}{value}")).collect();
        lines.push("  disks".to_string());
        let faults = DISK_FAULTS.iter().filter_map(|name| self.disk_faults.get_key_value(*name));
        lines.extend(faults.map(|(name, count)| format!("    {name:<30}{}", share(*count))));
        lines.push("  judged".to_string());
        let judged = Property::ALL.iter().filter_map(|property| self.judged.get_key_value(property.name()));
        lines.extend(judged.map(|(name, count)| format!("    {name:<30}{count}")));
        lines.push(format!("  {:<32}{:016x}", "digest of all runs", self.digest));
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execute::{Happened, run};
    use crate::fuzz::{LIMITS, draw, run_seed};

    fn tally(runs: core::ops::Range<u64>, mut from: Tally) -> Tally {
        for index in runs {
            let seed = run_seed(5, index);
            from.add(&run(&draw(seed), seed, LIMITS, ()).unwrap().0, true);
        }
        from
    }

    #[test]
    fn a_tally_goes_on_where_it_was_written_down() {
        let whole = tally(0..40, Tally::default());
        let half = serde_json::to_string(&tally(0..17, Tally::default())).unwrap();
        assert_eq!(tally(17..40, serde_json::from_str(&half).unwrap()), whole);
        assert_ne!(tally(1..41, Tally::default()).digest, whole.digest);
    }

    #[test]
    fn tallies_are_summed_in_order() {
        let (first, second) = (tally(0..17, Tally::default()), tally(17..40, Tally::default()));
        let merged = |one: &Tally, two: &Tally| {
            let mut sum = one.clone();
            sum.merge(two);
            sum
        };
        let (there, back) = (merged(&first, &second), merged(&second, &first));
        assert_ne!(there.digest, back.digest, "the digest tells the order");
        let whole = Tally { digest: there.digest, ..tally(0..40, Tally::default()) };
        assert_eq!(there, whole, "and the sums do not");
    }

    /// In how many of twenty runs something was lost, where a node crashes while a command is being written, once to the
    /// log and once beside it, and the disk keeps what it keeps; and how often the command is gone.
    fn lost(keep: &str) -> (u64, u64) {
        let text = format!(
            r#"{{ "name": "lost", "nodes": 1, "storage": {{ "crash": "{keep}", "write": {{ "constant": "50ms" }} }},
            "steps": [{{ "until": {{ "that": "single_leader" }} }}, {{ "propose": "x" }}, {{ "crash": 0 }},
            {{ "restart": 0 }}, {{ "assert": {{ "last_index": {{ "of": 0, "equals": 0 }} }} }}] }}"#
        );
        let scenario = crate::scenario::Scenario::parse("lost.json", &text).expect("it reads");
        let (mut tally, mut gone) = (Tally::default(), 0);
        for seed in 0..20 {
            let outcome = run(&scenario, seed, LIMITS, ()).unwrap().0;
            gone += u64::from(outcome.verdict.as_expected());
            tally.add(&outcome, true);
        }
        (tally.lost_unsynced, gone)
    }

    #[test]
    fn only_what_a_crash_took_away_counts_as_lost() {
        assert_eq!(lost("lose"), (20, 20));
        let (some, gone) = lost("prefix");
        assert!(0 < gone && gone < some && some < 20, "{some} {gone}");
    }

    /// A tally of one run in which this happened and nothing else, as lines.
    fn rows(happened: Happened, change: impl FnOnce(&mut Outcome)) -> Vec<String> {
        let (mut outcome, ()) = run(&draw(1), 1, LIMITS, ()).unwrap();
        (outcome.happened, outcome.excused, outcome.voided) = (happened, None, Vec::new());
        outcome.stats.unsynced_lost = 0;
        change(&mut outcome);
        let mut tally = Tally::default();
        tally.add(&outcome, true);
        tally.text().lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn whatever_happens_moves_its_own_row_and_no_other() {
        let quiet = rows(Happened::default(), |_| ());
        let moved = |happened: Happened, row: &str| {
            let rows = rows(happened, |_| ());
            let moved: Vec<&String> = rows.iter().filter(|row| !quiet.contains(row)).collect();
            assert_eq!(moved, [row]);
        };
        let none = Happened::default;
        moved(Happened { committed: 7, ..none() }, "committed something 1 (100.0%)");
        moved(Happened { elections: 2, ..none() }, "elected twice or more 1 (100.0%)");
        moved(Happened { installed: 2, ..none() }, "installed a snapshot 1 (100.0%)");
        moved(Happened { changes: 2, ..none() }, "changed members 1 (100.0%)");
        moved(Happened { operation_crashes: 2, ..none() }, "crashed at a storage operation 1 (100.0%)");
        moved(Happened { answers: 2, ..none() }, "client operations 0 called, 2 answered");
        moved(Happened { operations_judged: 2, ..none() }, "linearizability 2");
        for (sort, name) in DISK_FAULTS.into_iter().enumerate() {
            let mut happened = none();
            happened.disk_faults[sort] = 3;
            moved(happened, &format!("{name} 1 (100.0%)"));
        }
        for (place, property) in Judge::SAFETY.into_iter().enumerate() {
            let mut happened = none();
            happened.judged[place] = 3;
            moved(happened, &format!("{} 3", property.name()));
        }
        assert_eq!(rows(Happened { elections: 1, ..none() }, |_| ()), quiet);
        let lost = rows(none(), |outcome| outcome.stats.unsynced_lost = 2);
        let moved: Vec<&String> = lost.iter().filter(|row| !quiet.contains(row)).collect();
        assert_eq!(moved, ["lost unsynced data 1 (100.0%)"]);
    }

    #[test]
    fn who_is_not_asked_to_live_is_not_judged_to_converge() {
        let convergence = |change: fn(&mut Outcome)| {
            let rows = rows(Happened::default(), change);
            rows.iter().find_map(|row| row.strip_prefix("convergence ")).map(ToString::to_string)
        };
        assert_eq!(convergence(|_| ()).as_deref(), Some("1"));
        assert_eq!(convergence(|outcome| outcome.excused = Some(String::new())).as_deref(), Some("0"));
        let voided = |outcome: &mut Outcome| outcome.voided.push((Property::Convergence, String::new()));
        assert_eq!(convergence(voided).as_deref(), Some("0"));
    }
}
