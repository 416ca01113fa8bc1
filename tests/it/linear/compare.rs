//! Every tier against the definition, on random histories.

use super::brute;
use super::lines::read_back;
use super::random::{Drawn, Shape, draw};
use seaworthy::linear::{
    Action, History, OperationId, Outcome, Verdict, certify, check, check_by_search, check_by_zones,
};
use sim_core::Stream;

/// What was met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) linearizable: u64,
    pub(crate) not: u64,
    /// Those that the zones decided, by verdict.
    pub(crate) by_zones: [u64; 2],
    /// Those whose true order was accepted.
    pub(crate) certified: u64,
    pub(crate) unknown: u64,
    pub(crate) mismatches: u64,
    pub(crate) deletes: u64,
    pub(crate) appends: u64,
}

/// A small history of a drawn shape.
fn small(stream: &mut Stream) -> Drawn {
    let weights = match stream.below(5) {
        0 => [4, 4, 0, 0, 0],
        1 => [3, 2, 4, 0, 0],
        2 => [4, 1, 1, 4, 0],
        3 => [3, 2, 2, 0, 1],
        _ => [4, 2, 2, 2, 1],
    };
    let initial = (stream.below(4) == 0).then(|| "0;".into());
    let shape = Shape {
        clients: stream.index(4) + 2,
        operations: stream.index(10) + 2,
        keys: 1 + u64::from(stream.below(10) == 0),
        unique: stream.below(3) > 0,
        weights,
        lost: *stream.pick(&[0, 0, 200, 500]),
        failed: *stream.pick(&[0, 100]),
        lies: *stream.pick(&[0, 100, 300]),
        initial,
    };
    draw(&shape, stream)
}

/// How a history gets to the tiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// As it was drawn.
    Drawn,
    /// Written as a file, and read from it as the tool does.
    Read,
}

/// Draws history number `index` and compares what each tier says of it.
pub(crate) fn compare(index: u64, way: Way, tally: &mut Tally) {
    let mut stream = Stream::new(7, "linear", index);
    let Drawn { history, positions, model, initial, honest } = small(&mut stream);
    let history = match way {
        Way::Drawn => history,
        Way::Read => read_back(&history, &model),
    };
    let truth = brute::is_linearizable(&history, initial.as_ref());
    let told = |verdict: &Verdict, tier: &str| match verdict {
        Verdict::Linearizable => assert!(truth, "history {index}, {tier}: missed\n{history:#?}"),
        Verdict::Violation(explanation) => {
            assert!(!truth, "history {index}, {tier}: {}\n{history:#?}", explanation.render(&history));
            let few = only(&history, &explanation.operations);
            let is_enough = !brute::is_linearizable(&few, initial.as_ref());
            assert!(is_enough, "history {index}, {tier}: explains nothing: {}", explanation.render(&history));
        }
        Verdict::Undecided { .. } => panic!("history {index}, {tier}: undecided"),
    };
    if let Some(verdict) = check_by_zones(&history, &model) {
        told(&verdict, "zones");
        tally.by_zones[usize::from(truth)] += 1;
    }
    told(&check_by_search(&history, &model, 1_000_000).verdict, "search");
    told(&check(&history, &model, 1_000_000).verdict, "check");
    match certify(&history, &model, &positions) {
        Ok(()) => {
            assert!(truth, "history {index}: certified\n{history:#?}");
            tally.certified += 1;
        }
        Err(wrong) => assert!(!honest, "history {index}: {}", wrong.render(&history, &positions)),
    }
    let count = |wanted: fn(&Action, &Outcome) -> bool| {
        u64::from(history.operations().iter().any(|operation| wanted(&operation.action, &operation.outcome)))
    };
    tally.linearizable += u64::from(truth);
    tally.not += u64::from(!truth);
    tally.unknown += count(|_, outcome| *outcome == Outcome::Unknown);
    tally.mismatches += count(|_, outcome| matches!(outcome, Outcome::Mismatch(_)));
    tally.deletes += count(|action, _| *action == Action::Delete);
    tally.appends += count(|action, _| matches!(action, Action::Append(_)));
}

/// The history without all other operations.
pub(crate) fn only(history: &History, wanted: &[OperationId]) -> History {
    let mut events = Vec::new();
    for OperationId(place) in wanted {
        let operation = &history.operations()[*place];
        events.push((operation.call.number, operation, false));
        events.extend(operation.end.map(|end| (end.number, operation, true)));
    }
    events.sort_by_key(|(number, _, _)| *number);
    let mut few = History::default();
    for (number, operation, ends) in events {
        few.number_next(number);
        if ends {
            let outcome = operation.outcome.clone();
            few.end(operation.process, outcome, operation.call.at).expect("it has called");
        } else {
            let (key, action) = (operation.key.clone(), operation.action.clone());
            few.call(operation.process, key, action, operation.call.at).expect("it is idle");
        }
    }
    few
}

/// Draws history number `index`, too long for the definition, and compares the tiers with each other. Returns whether the
/// zones applied and whether the history is linearizable; nothing if the search would take long.
pub(crate) fn compare_long(index: u64) -> Option<(bool, bool)> {
    let mut stream = Stream::new(7, "long", index);
    let unique = stream.below(4) > 0;
    let weights = *stream.pick(&[[4, 2, 2, 0, 0], [4, 0, 0, 3, 0], [5, 1, 1, 2, 0], [4, 2, 2, 0, 1]]);
    let shape = Shape {
        clients: stream.index(5) + 2,
        operations: stream.index(80) + 20,
        keys: stream.between(1, 3),
        unique,
        weights,
        lost: *stream.pick(&[0, 0, 50]),
        failed: 20,
        lies: *stream.pick(&[0, 10, 30]),
        initial: None,
    };
    let Drawn { history, positions, model, honest, .. } = draw(&shape, &mut stream);
    let is_linearizable = |history: &History| match check_by_search(history, &model, 100_000).verdict {
        Verdict::Linearizable => Some((true, None)),
        Verdict::Violation(explanation) => Some((false, Some(explanation))),
        Verdict::Undecided { .. } => None,
    };
    let (truth, explanation) = is_linearizable(&history)?;
    if let Some(explanation) = explanation {
        let few = is_linearizable(&only(&history, &explanation.operations));
        assert!(few.is_some_and(|(truth, _)| !truth), "long history {index}: explains nothing");
    }
    let told = check_by_zones(&history, &model).map(|verdict| verdict == Verdict::Linearizable);
    assert!(told.is_none_or(|told| told == truth), "long history {index}: zones say {told:?}");
    let certified = certify(&history, &model, &positions).is_ok();
    assert!(truth || !certified, "long history {index}: certified");
    assert!(certified || !honest, "long history {index}: an honest order is refused");
    Some((told.is_some(), truth))
}
