//! Scenarios made of two earlier ones: steps left out, done again, moved in time or to another node, the end of one story put
//! behind the beginning of another, an option switched.
//!
//! What is mutated is the scenario and not the draws behind it, so that what is kept still means the same. What damages disks
//! or lies outside the model is left out: which of it may come together is known to whoever drew it only.

use crate::fuzz::portfolio::{Strategy, draw_by};
use crate::fuzz::room;
use crate::fuzz::swarm::MS;
use crate::scenario::{NodeKey, Predicate, Scenario, Sleep, Step, Target};
use sim_core::{Latency, Ratio, Span, Stream};

/// The strategies that draw what is spliced.
const PARENTS: [Strategy; 4] = [Strategy::Swarm, Strategy::Priority, Strategy::Race, Strategy::Aimed];

/// How many pins a scenario has at most before it gets those of another one.
const PINS_MAX: usize = 100;

/// The scenario of a seed.
#[must_use]
pub(super) fn draw(seed: u64) -> Scenario {
    let mut stream = room(seed, "splice");
    let mut parent = || draw_by(*stream.pick(&PARENTS), stream.bits());
    let (one, other) = (parent(), parent());
    put_together(seed, &mut stream, one, other)
}

/// Two drawn scenarios put together and varied, as the seed has it.
#[must_use]
pub fn splice(seed: u64, one: &Scenario, other: &Scenario) -> Scenario {
    put_together(seed, &mut room(seed, "splice of two"), one.clone(), other.clone())
}

fn put_together(seed: u64, stream: &mut Stream, mut scenario: Scenario, mut other: Scenario) -> Scenario {
    if other.nodes > scenario.nodes {
        // What the other names must be there.
        core::mem::swap(&mut scenario, &mut other);
    }
    scenario.seed = crate::scenario::Seed(seed);
    let mut steps = core::mem::take(&mut scenario.steps);
    let mut tail = other.steps;
    if stream.below(4) > 0 {
        steps.truncate(stream.index(steps.len() + 1));
        let begin = stream.index(tail.len() + 1);
        steps.append(&mut tail.split_off(begin));
    }
    // What is made of many would end with the pins of all of them.
    if stream.below(3) == 0 && scenario.pins.len() < PINS_MAX {
        scenario.pins.append(&mut other.pins);
    }
    let fits = |step: &Step| fits(step, &scenario);
    steps.retain(fits);
    let mut steps = varied(stream, steps, scenario.nodes);
    // Whatever the last of them is, its consequences belong to the story.
    steps.push(Step::Sleep(Sleep::For(stream.span(MS(50), MS(500)))));
    scenario.steps = steps;
    switch(stream, &mut scenario);
    scenario
}

/// Whether a step can stand in this scenario, wherever it came from.
fn fits(step: &Step, scenario: &Scenario) -> bool {
    let alone = match step {
        Step::Rot(_) | Step::MisdirectWrite(_) | Step::LieAboutFsync(_) | Step::Wipe(_) => false,
        // Nobody stops in good order whose writes are held up.
        Step::Shutdown(_) => false,
        Step::StartClients(_) | Step::StopClients(_) => scenario.workload.is_some(),
        // Where leases rest on clocks, only clocks that were drawn for them do.
        Step::SetClock(_) => !scenario.raft.lease_reads,
        _ => true,
    };
    alone && step.blocks().into_iter().flatten().all(|step| fits(step, scenario))
}

/// Some steps left out, some done twice, some of another node, some sleeps longer or shorter.
fn varied(stream: &mut Stream, steps: Vec<Step>, nodes: u16) -> Vec<Step> {
    let (dropped, doubled, moved, shifted) =
        (stream.below(20), stream.below(10), stream.below(15), stream.below(30));
    let mut varied = Vec::new();
    let mut happens = |hundredths: u64| stream.below(100) < hundredths;
    let mut draws = Vec::new();
    for _ in &steps {
        draws.push([happens(dropped), happens(doubled), happens(moved), happens(shifted)]);
    }
    for (mut step, [is_dropped, is_doubled, is_moved, is_shifted]) in steps.into_iter().zip(draws) {
        if is_dropped {
            continue;
        }
        if let Step::Sleep(Sleep::For(span)) = &mut step {
            if is_shifted {
                let tenths = stream.between(1, 25);
                *span = Span::from_nanos((span.nanos() / 10).max(1).saturating_mul(tenths));
            }
        } else if is_moved && nodes > 1 {
            let one = u16::try_from(stream.below(u64::from(nodes))).unwrap_or(0);
            let by = u16::try_from(stream.between(1, u64::from(nodes) - 1)).unwrap_or(1);
            swap(&mut step, one, (one + by) % nodes);
        }
        if is_doubled {
            varied.push(step.clone());
        }
        varied.push(step);
    }
    varied
}

/// Lets two nodes change places in a step.
fn swap(step: &mut Step, one: u16, other: u16) {
    if let Step::If(condition) = step
        && let Predicate::Count(_) = condition.that
    {
        // What is asked of one node first is done to that node.
        condition.then.iter_mut().for_each(|step| swap(step, one, other));
    }
    if can_move(step) {
        step.targets_mut().into_iter().for_each(|target| swap_in(target, one, other));
    }
}

fn swap_in(target: &mut Target, one: u16, other: u16) {
    match target {
        Target::Node(number) if *number == one => *number = other,
        Target::Node(number) if *number == other => *number = one,
        Target::List(items) => items.iter_mut().for_each(|item| swap_in(item, one, other)),
        Target::AllBut(inner) => swap_in(inner, one, other),
        _ => {}
    }
}

/// Whether a step means the same at another node. What else names nodes stays with them.
const fn can_move(step: &Step) -> bool {
    matches!(
        step,
        Step::Isolate(_)
            | Step::Crash(_)
            | Step::SlowDisk(_)
            | Step::Campaign(_)
            | Step::Propose(_)
            | Step::CrashAt(_)
            | Step::Reconnect(_)
            | Step::Restart(_)
            | Step::Pause(_)
            | Step::Resume(_)
            | Step::HoldWrites(_)
            | Step::ReleaseWrites(_)
            | Step::HoldApplies(_)
            | Step::ReleaseApplies(_)
            | Step::Cut(_)
            | Step::Join(_)
            | Step::Hold(_)
            | Step::Release(_)
            | Step::SetLink(_)
            | Step::Partition(_)
    )
}

/// One option the other way round, or none.
fn switch(stream: &mut Stream, scenario: &mut Scenario) {
    let raft = &mut scenario.raft;
    let own_quorums = scenario.node_options.values().any(|change| change.check_quorum.is_some());
    match stream.below(12) {
        0 => raft.noop_on_election = !raft.noop_on_election,
        1 => raft.pre_vote = !raft.pre_vote,
        2 if !own_quorums => {
            raft.check_quorum = !raft.check_quorum;
            raft.lease_reads = raft.check_quorum && stream.coin();
        }
        3 => raft.entries_per_append = if raft.entries_per_append == 1 { 64 } else { 1 },
        4 => raft.snapshot_after = if raft.snapshot_after.is_none() { Some(2) } else { None },
        5 => scenario.network.duplicate = Ratio::from_percent(20),
        6 => scenario.storage.write = Latency::Uniform(Span::ZERO, MS(30)),
        7 => {
            let node = NodeKey(u16::try_from(stream.below(u64::from(scenario.nodes))).unwrap_or(0));
            scenario.node_options.remove(&node);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::run_seed;

    /// However often what was made of others is put together with more.
    #[test]
    fn what_is_put_together_is_lawful_the_same_again_and_does_not_grow_for_ever() {
        let mut scenario = draw(run_seed(3, 0));
        for index in 1..400 {
            let seed = run_seed(3, index);
            let other = draw_by(Strategy::Aimed, seed);
            let made = splice(seed, &scenario, &other);
            assert_eq!(made, splice(seed, &scenario, &other));
            assert_eq!(made.check(), Ok(()), "{seed:#x}");
            assert!(made.pins.len() < 2 * PINS_MAX && made.nodes == scenario.nodes.max(other.nodes));
            scenario = made;
        }
        assert!(scenario.pins.len() >= PINS_MAX);
    }
}
