//! Times that can be read: as short as can be, and round.

use super::lab::Lab;
use super::plan::{Event, Form, Plan};
use crate::scenario::End;
use sim_core::Span;

/// What a pause may be, in milliseconds.
const ROUND: [u64; 13] = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000];

/// Makes the pauses between events short and round.
pub(super) fn shorter(lab: &mut Lab, plan: &mut Plan) -> bool {
    if plan.form == Form::Written {
        return false;
    }
    let before = plan.events.clone();
    for most in [1, 2, 5, 10].map(Span::from_millis) {
        let all: Vec<Span> = pauses(plan).iter().map(|pause| *pause.min(&most)).collect();
        if accept(lab, plan, &all) {
            break;
        }
    }
    let mut place = 0;
    while let Some(pause) = pauses(plan).get(place).copied() {
        for shorter in ROUND.map(Span::from_millis) {
            // One that is not round may become a little longer for it.
            if shorter >= pause && (is_round(pause) || shorter.nanos() / 10 > pause.nanos()) {
                break;
            }
            let mut some = pauses(plan);
            if some.get(place) != Some(&pause) {
                break;
            }
            some[place] = shorter;
            if accept(lab, plan, &some) {
                break;
            }
        }
        place += 1;
    }
    let mut changed = plan.events != before;
    // A cluster that must live at the end is asked when everything has been done, and no later. What goes on for ever needs time
    // to show it.
    while let (End::Live(_), None) = (&plan.header.end, plan.header.events_max) {
        let last = plan.events.last().map_or(Span::ZERO, |event| event.at);
        let rest = plan.over.nanos().saturating_sub(last.nanos());
        let tried = ROUND.map(|millis| last.plus(Span::from_millis(millis)));
        let shorter = tried.into_iter().filter(|over| over.nanos() < last.nanos() + rest);
        let found = shorter.into_iter().find_map(|over| lab.fails(&Plan { over, ..plan.clone() }));
        let Some(done) = found else { break };
        *plan = done;
        changed = true;
    }
    changed
}

fn is_round(pause: Span) -> bool {
    ROUND.iter().any(|millis| Span::from_millis(*millis) == pause)
}

/// The pauses before each event.
fn pauses(plan: &Plan) -> Vec<Span> {
    let mut now = 0;
    let pause = |event: &Event| {
        let pause = event.at.nanos().saturating_sub(now);
        now = now.max(event.at.nanos());
        Span::from_nanos(pause)
    };
    plan.events.iter().map(pause).collect()
}

/// Tries the plan with these pauses. What comes after the last event stays.
fn accept(lab: &mut Lab, plan: &mut Plan, pauses: &[Span]) -> bool {
    let last = plan.events.last().map_or(Span::ZERO, |event| event.at);
    let rest = Span::from_nanos(plan.over.nanos().saturating_sub(last.nanos()));
    let mut candidate = plan.clone();
    let mut now = Span::ZERO;
    for (Event { at, .. }, pause) in candidate.events.iter_mut().zip(pauses) {
        now = now.plus(*pause);
        *at = now;
    }
    candidate.over = now.plus(rest);
    if candidate.events == plan.events {
        return false;
    }
    let Some(done) = lab.fails(&candidate) else { return false };
    if done.events.len() > plan.events.len() {
        return false;
    }
    *plan = done;
    true
}
