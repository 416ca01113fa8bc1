//! Other runs of the same kind. Chance has made this failure long, and makes it shorter elsewhere: with fewer nodes, some of the
//! steps, another seed. What fails in the same way there takes less to be made short, and comes to less.

use super::lab::Lab;
use super::plan::Plan;
use super::{Recorded, Size, header, nodes, plan};
use crate::execute::Limits;
use crate::scenario::{Scenario, Seed};
use crate::violation::Property;
use sim_core::{Span, Stream};

/// How many runs are tried at most.
const TRIES: u64 = 2_000;

/// How many events they may take together.
const EVENTS_MAX: u64 = 1_000_000;

/// How many are worth making short.
const KEPT: usize = 3;

/// Other runs that fail in the same way and are less than half as long, or just shorter where a cluster does not live: the
/// shortest of them, shortest first, each with its seed. `limits` bound each of them.
pub(super) fn runs(
    lab: &mut Lab,
    scenario: &Scenario,
    limits: Limits,
    before: Size,
) -> Vec<(Scenario, Recorded)> {
    let mut found: Vec<Shorter> = Vec::new();
    // Who does not live needs few steps, or none: it is asked to at the end.
    let worth = if lab.property == Property::Convergence { 1 } else { 2 };
    let longest = before.events().div_ceil(worth);
    let enough = lab.events + EVENTS_MAX;
    let mut idle = 0;
    for number in 0..TRIES {
        // The longer the shortest is, the longer is it worth to look for one that is shorter.
        let shortest = found.first().map_or(longest, |one| one.events);
        if shortest == 0 || lab.events + limits.events_max > enough || idle >= 100 + 10 * shortest {
            break;
        }
        idle += 1;
        let draws = &mut Stream::new(scenario.seed.0, "again", number);
        // What is shorter yet is most likely near to what is short already.
        let base = draws.index(2 * KEPT);
        let base = found.get(base).map_or(scenario, |one| &one.scenario);
        let other = drawn(base, lab.property, draws);
        if other.check().is_err() {
            continue;
        }
        let Ok(run) = Recorded::run(&other, other.seed.0, limits) else { break };
        lab.replays += 1;
        lab.events += run.outcome.stats.events;
        let events = run.size().events();
        let is_known = || found.iter().any(|one| one.events == events && one.scenario.seed == other.seed);
        let is_short = events < found.get(KEPT - 1).map_or(longest, |one| one.events);
        if is_short && lab.found(&run.outcome).is_some() && !is_known() {
            let place = found.partition_point(|one| one.events <= events);
            found.insert(place, Shorter { events, scenario: other, run });
            found.truncate(KEPT);
            idle = 0;
        }
    }
    found.into_iter().map(|one| (one.scenario, one.run)).collect()
}

/// A run of which so much is left out at its end is tried: all but a 64th of the time, then all but a 32nd, and so on.
const HALVES: core::ops::RangeInclusive<u32> = 1..=6;

/// How long a run of a cluster that does not live must be for it to be worth while to ask it sooner, in events.
const LONG: u64 = 1_000;

/// The same run, but the cluster is asked to live much sooner: what was wrong by then is wrong all the same, and takes less to be
/// told. None if it was not wrong yet, or if the run is short, or so long that these six would take more events than a shrink
/// may.
pub(super) fn sooner(
    lab: &mut Lab,
    scenario: &Scenario,
    run: &Recorded,
    limits: Limits,
) -> Option<(Scenario, Recorded)> {
    let violation = run.outcome.violation().filter(|found| found.property == Property::Convergence)?;
    if run.is_endless() || run.size().events() < LONG {
        return None;
    }
    // A livelock is one by its whole bound, and nothing else needs to go on for much longer than this run did.
    let longest = scenario.events_max.map_or(2 * run.outcome.stats.events + 1_000, |_| u64::MAX);
    let limits = Limits { events_max: limits.events_max.min(longest) };
    if limits.events_max > super::EVENTS_MAX / u64::from(*HALVES.end()) {
        return None;
    }
    let whole = plan::timed(scenario, &run.told(violation));
    HALVES.rev().find_map(|half| {
        let over = Span::from_nanos(whole.over.nanos() >> half);
        let mut plan = Plan { over, ..whole.clone() };
        plan.events.retain(|event| event.at < over);
        let other = plan.scenario();
        other.check().ok()?;
        let run = Recorded::run(&other, other.seed.0, limits).ok()?;
        lab.replays += 1;
        lab.events += run.outcome.stats.events;
        lab.found(&run.outcome).is_some().then_some((other, run))
    })
}

/// A run that is shorter, and how many events it has.
struct Shorter {
    events: u64,
    scenario: Scenario,
    run: Recorded,
}

/// The scenario with another seed or its own, and mostly with fewer nodes and steps.
fn drawn(scenario: &Scenario, property: Property, draws: &mut Stream) -> Scenario {
    let mut plan = plan::written(scenario);
    let other = Seed(draws.bits());
    if draws.below(4) > 0 {
        plan.header.seed = other;
    }
    if property != Property::Convergence {
        plan.header.end = plan::over();
    }
    let count = draws.between(1, u64::from(scenario.nodes));
    while u64::from(plan.header.nodes) > count {
        let gone = draws.below(u64::from(plan.header.nodes));
        plan = nodes::without(&plan, u16::try_from(gone).expect("there are no more nodes"));
    }
    if draws.coin() {
        header::some(&mut plan.header, draws);
    }
    // None of the steps, all, or something between.
    let quarters = draws.below(5);
    plan.events.retain(|_| draws.below(4) < quarters);
    if plan.scenario().check().is_err() {
        // What asks after a node that is gone, or tells it something.
        let header = plan.header.clone();
        plan.events
            .retain(|event| Scenario { steps: vec![event.step.clone()], ..header.clone() }.check().is_ok());
    }
    plan.scenario()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execute::Nearest;
    use crate::scenario::{RaftOptions, Sleep, Step};
    use crate::shrink::lab::End;
    use crate::violation::Violation;
    use sim_core::{Span, Stamp, VirtualTime};

    /// Three nodes with settings of their own, of which nothing ever happens.
    fn scenario() -> Scenario {
        let text = r#"{ "name": "again", "nodes": 3, "down": [2], "raft": { "pre_vote": true, "check_quorum": true },
            "storage": { "torn": true }, "steps": [{ "sleep": "1s" }, { "crash": 0 }, { "crash": 1 }] }"#;
        Scenario::parse("again", text).unwrap_or_else(|error| panic!("{}", error.render(false, 100)))
    }

    fn others() -> impl Iterator<Item = Scenario> {
        (0..200)
            .map(|number| drawn(&scenario(), Property::ElectionSafety, &mut Stream::new(1, "again", number)))
    }

    #[test]
    fn others_have_less_of_everything_and_none_has_more() {
        let own = scenario();
        let raft = RaftOptions::default();
        assert!(others().any(|other| other.raft == own.raft) && others().any(|other| other.raft == raft));
        assert!(others().any(|other| other.down.is_empty() && other.storage == own.storage));
        assert!(others().any(|other| other.storage != own.storage));
        assert!((1..=3).all(|nodes| others().any(|other| other.nodes == nodes)));
        assert!((0..=3).all(|steps| others().any(|other| other.steps.len() == steps)));
        assert!(others().any(|other| other.seed == own.seed) && others().any(|other| other.seed != own.seed));
        assert!(others().all(|other| other.nodes <= 3 && other.steps.len() <= 3));
    }

    /// A lab that looks for what breaks first in a run.
    fn lab(violation: &Violation, limits: Limits) -> Lab {
        Lab {
            limits,
            property: violation.property,
            signature: violation.signature(),
            is_endless: None,
            needs_bug: false,
            nearest: Nearest::Oldest,
            from: End::Last,
            replays: 0,
            events: 0,
        }
    }

    #[test]
    fn who_does_not_live_is_asked_as_soon_as_it_does_not() {
        // Who leads answers within the tenth of a second, and nobody is elected in it.
        let asked = |steps: &str| {
            let end = r#"{ "live": { "within": "100ms" } }"#;
            let text = format!(r#"{{ "name": "dead", "nodes": 3, "steps": [{steps}], "end": {end} }}"#);
            let scenario = Scenario::parse("dead", &text).unwrap_or_else(|error| panic!("{error:?}"));
            let limits = Limits::default();
            let run = Recorded::run(&scenario, 1, limits).expect("no bug is named");
            let mut lab = lab(run.outcome.violation().expect("nobody leads"), limits);
            let found = sooner(&mut lab, &scenario, &run, limits);
            let over = |run: &Recorded| run.outcome.ending.expect("it comes to its end").at.nanos();
            let found = found.map(|(other, found)| (over(&found) * 64 / over(&run), other.steps.len()));
            (found, lab.replays)
        };
        let dies = |at: u64| {
            format!(
                r#"{{ "sleep": "{at}0s" }}, {{ "crash": "all" }}, {{ "sleep": "{}0s" }}, {{ "note": "over" }}"#,
                64 - at
            )
        };
        assert_eq!(
            asked(&dies(3)),
            (Some((4, 3)), 3),
            "neither after ten seconds nor after twenty, but after forty"
        );
        assert_eq!(asked(&dies(20)), (Some((32, 3)), 6));
        assert_eq!(asked(&dies(40)), (None, 6), "at the half all is well");
        assert_eq!(
            asked(r#"{ "sleep": "1s" }, { "crash": "all" }"#),
            (None, 0),
            "what is short is not asked"
        );
    }

    #[test]
    fn no_more_events_are_spent_than_there_are_to_spend() {
        let looked = |limits: Limits| {
            let never = Stamp { number: 0, at: VirtualTime::ZERO };
            let violation = Violation::new(Property::ElectionSafety, never, None, "never".into());
            let mut lab = lab(&violation, limits);
            let size = Size { deliveries: 1_000_000, externals: 0 };
            let mut long = scenario();
            long.steps[0] = Step::Sleep(Sleep::For(Span::from_secs(360_000)));
            assert_eq!(runs(&mut lab, &long, limits, size).len(), 0);
            (lab.replays, lab.events)
        };
        // The next run might be longer than what is left.
        let (replays, events) = looked(Limits { events_max: EVENTS_MAX / 2 });
        assert!(replays > 0 && (EVENTS_MAX / 2 + 1..=EVENTS_MAX).contains(&events), "{replays} {events}");
        assert_eq!(looked(Limits { events_max: EVENTS_MAX + 1 }), (0, 0));
    }
}
