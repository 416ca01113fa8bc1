//! What is drawn can be written, read, run and survived.

use super::*;
use crate::execute::{Verdict, run};
use crate::fuzz::{LIMITS, Tally, run_seed};

#[test]
fn a_seed_draws_one_scenario() {
    for index in 0..200 {
        let seed = run_seed(7, index);
        assert_eq!(draw(seed), draw(seed));
        assert_ne!(draw(seed).steps, draw(seed + 1).steps);
    }
}

#[test]
fn a_drawn_scenario_is_an_ordinary_file() {
    for index in 0..400 {
        let scenario = draw(run_seed(1, index));
        let text = serde_json::to_string_pretty(&scenario).unwrap();
        let read = Scenario::parse("drawn.json", &text)
            .unwrap_or_else(|error| panic!("{}\n{text}", error.render(false, 100)));
        assert_eq!(read, scenario);
    }
}

#[test]
fn the_correct_node_survives_and_a_run_can_be_repeated() {
    for index in 0..300 {
        let seed = run_seed(2, index);
        let (one, ()) = run(&draw(seed), seed, LIMITS, ()).unwrap();
        assert_eq!(one.verdict, Verdict::Passed, "seed {seed:#x}: {:?}", one.violations);
        assert_eq!(run(&draw(seed), seed, LIMITS, ()).unwrap().0, one);
    }
}

#[test]
fn everything_that_can_happen_does_in_enough_runs() {
    let mut tally = Tally::default();
    for index in 0..600 {
        let seed = run_seed(3, index);
        tally.add(&run(&draw(seed), seed, LIMITS, ()).unwrap().0, true);
    }
    let text = tally.text();
    assert!(tally.committed * 10 >= tally.runs * 9, "{text}");
    assert!(tally.elected_again * 2 >= tally.runs, "{text}");
    assert!(tally.used_clients * 3 >= tally.runs, "{text}");
    for rare in
        [tally.installed_snapshot, tally.changed_members, tally.lost_unsynced, tally.crashed_at_operation]
    {
        assert!(rare * 50 >= tally.runs, "{text}");
    }
    assert_eq!(tally.excused, 0, "{text}");
    let never: Vec<&String> =
        tally.judged.iter().filter(|(_, count)| **count == 0).map(|(name, _)| name).collect();
    assert!(never.is_empty(), "{never:?} was never judged");
}
