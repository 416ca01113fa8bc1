//! Clients and machine together, over a channel that loses, delays and doubles.

use super::channel::{CALM, Channel, SCRIPTED, STORM, Told, Weather};
use super::model::Model;
use crate::kv::{
    Asked, Effect, Key, Mix, Operation, ReadMix, Response, Returned, SessionId, Value, Workload,
};
use sim_core::Span;
use std::collections::{BTreeMap, BTreeSet};

/// Appends and gets: what took effect, how often and in which order can be read off the values.
fn appends() -> Workload {
    Workload {
        clients: 5,
        operations: 40,
        keys: 3,
        mix: Mix { get: 1, put: 0, cas: 0, append: 3, delete: 0 },
        timeout: Span::from_millis(250),
        give_up: Span::from_millis(1_500),
        ..Workload::default()
    }
}

/// Everything, in every way.
fn everything() -> Workload {
    Workload {
        mix: Mix { get: 4, put: 2, cas: 4, append: 2, delete: 1 },
        reads: ReadMix { log: 1, read_index: 1, lease: 1, follower: 1, local: 1 },
        ..appends()
    }
}

/// The appends in a value, as `client.operation`.
fn tokens(value: Option<&Value>) -> Vec<String> {
    let text = value.map_or(String::new(), ToString::to_string);
    text.split_terminator(';').map(ToOwned::to_owned).collect()
}

/// Whether each acknowledged append is in its value once, each other one at most once, and two of which one returned
/// before the other was called are in that order. Says what is not.
fn appended_once(run: &Channel) -> Result<(), String> {
    // Value, key, place of the call in the history, and place of the return.
    let mut appends: Vec<(String, Key, usize, Option<usize>)> = Vec::new();
    let (mut called, mut refused) = (BTreeMap::new(), BTreeSet::new());
    for (place, told) in run.history.iter().enumerate() {
        match told {
            Told::Call { process, asked: Asked::Write(Operation::Append { key, value }), .. } => {
                called.insert(*process, appends.len());
                appends.push((value.to_string().trim_end_matches(';').to_owned(), *key, place, None));
            }
            Told::Return { process, .. } => {
                if let Some(append) = called.remove(process) {
                    appends[append].3 = Some(place);
                }
            }
            Told::Refused { process, .. } => {
                if let Some(append) = called.remove(process) {
                    refused.insert(append);
                }
            }
            Told::Call { .. } | Told::Unknown { .. } | Told::Stop => {}
        }
    }
    let mut places = BTreeMap::new();
    for key in (0..3).map(Key) {
        for (place, token) in tokens(run.machine.read(key)).into_iter().enumerate() {
            if places.insert((key, token.clone()), place).is_some() {
                return Err(format!("{token} is in {key} twice"));
            }
        }
    }
    for (token, key, _, returned) in &appends {
        if returned.is_some() && !places.contains_key(&(*key, token.clone())) {
            return Err(format!("{token} was acknowledged and is not in {key}"));
        }
    }
    for (place, (token, key, ..)) in appends.iter().enumerate() {
        if refused.contains(&place) && places.contains_key(&(*key, token.clone())) {
            return Err(format!("{token} was refused and is in {key}"));
        }
    }
    for (first, key, _, returned) in &appends {
        for (second, _, called, _) in appends.iter().filter(|(_, other, ..)| other == key) {
            let at = |token: &String| places.get(&(*key, token.clone()));
            if returned.is_some_and(|returned| returned < *called)
                && at(second).is_some_and(|second| at(first) > Some(second))
            {
                return Err(format!("{first} came after {second} although it was over before"));
            }
        }
    }
    let asked: BTreeSet<_> = appends.into_iter().map(|(token, key, ..)| (key, token)).collect();
    match places.keys().find(|place| !asked.contains(place)) {
        Some(place) => Err(format!("nobody appended {place:?}")),
        None => Ok(()),
    }
}

/// Whether the history is one: a process has one operation at a time, each call is over once, and a process that gave
/// up calls no more.
fn assert_well_formed(run: &Channel) {
    let mut pending = BTreeMap::new();
    let mut retired = BTreeSet::new();
    let mut calls = BTreeSet::new();
    for told in &run.history {
        match told {
            Told::Call { process, number, .. } => {
                assert!(!retired.contains(process), "{process} had given up");
                assert_eq!(pending.insert(*process, *number), None, "{process} has two operations");
                let client = process % u32::try_from(run.clients.len()).expect("it is small");
                assert!(calls.insert((client, *number)), "client {client} called {number} twice");
            }
            Told::Return { process, number, .. } | Told::Refused { process, number } => {
                assert_eq!(pending.remove(process), Some(*number));
            }
            Told::Unknown { process, number } => {
                assert_eq!(pending.remove(process), Some(*number));
                retired.insert(*process);
            }
            Told::Stop => {}
        }
    }
    assert_eq!(pending, BTreeMap::new(), "every call is over");
    assert!(run.clients.iter().all(|client| client.is_done() && !client.is_pending()));
}

/// Whether every response and every value read is what the slow machine says of the same log.
fn assert_right(run: &Channel, weather: &Weather) {
    let mut model = Model::new(weather.sessions_max);
    let mut reads: BTreeMap<u64, Vec<Option<Value>>> = BTreeMap::new();
    let keys = |model: &Model| (0..3).map(|key| model.read(Key(key))).collect::<Vec<_>>();
    reads.insert(0, keys(&model));
    for ((index, bytes), applied) in (1..).zip(&run.log).zip(&run.applied) {
        assert_eq!(&model.apply(index, bytes), applied, "at {index}");
        reads.insert(index, keys(&model));
    }
    assert_eq!(run.machine.hash(), run.machine.hash_from_scratch());
    let executed: BTreeMap<(SessionId, u64), Response> = model
        .executed
        .iter()
        .map(|(session, number, response)| ((*session, *number), response.clone()))
        .collect();
    assert_eq!(executed.len(), model.executed.len(), "no command took effect twice");
    let mut called = BTreeMap::new();
    for told in &run.history {
        match told {
            Told::Call { process, number, asked, applied } => {
                called.insert((*process, *number), (asked.clone(), *applied));
            }
            Told::Return { process, number, returned: Returned { response, served: Some(index) } } => {
                let (asked, applied) = &called[&(*process, *number)];
                let Asked::Read { key, .. } = asked else { panic!("{asked:?} went through the log") };
                assert!(index >= applied, "what was served is as new as the call");
                let place = usize::try_from(key.0).expect("it is small");
                assert_eq!(*response, Response::Value(reads[index][place].clone()), "{key} at {index}");
            }
            Told::Return { process, number, returned: Returned { response, served: None } } => {
                let sent = &run.sent[&(*process, *number)];
                assert!(sent.iter().any(|command| executed.get(command) == Some(response)), "{response}");
            }
            Told::Refused { process, number } => {
                let (asked, _) = &called[&(*process, *number)];
                let mut sent = run.sent.get(&(*process, *number)).into_iter().flatten();
                // A second copy of a read may have been answered, to nobody.
                let is_read = matches!(asked, Asked::Read { .. });
                assert!(is_read || sent.all(|command| !executed.contains_key(command)), "{asked:?}");
            }
            Told::Unknown { .. } | Told::Stop => {}
        }
    }
}

fn count(runs: &[Channel], is: impl Fn(&Channel) -> usize) -> usize {
    runs.iter().map(is).sum()
}

fn unknown(run: &Channel) -> usize {
    run.history.iter().filter(|told| matches!(told, Told::Unknown { .. })).count()
}

fn effects(run: &Channel, is: impl Fn(&Effect) -> bool) -> usize {
    run.applied.iter().filter(|applied| is(&applied.effect)).count()
}

#[test]
fn each_append_takes_effect_once_in_a_storm() {
    let workload = appends();
    let runs: Vec<_> = (0..40).map(|seed| Channel::run(&workload, &STORM, seed)).collect();
    for (seed, run) in runs.iter().enumerate() {
        assert_eq!(appended_once(run), Ok(()), "seed {seed}");
        assert_well_formed(run);
        assert_right(run, &STORM);
    }
    // The storm was one.
    assert!(count(&runs, unknown) > 40);
    assert!(count(&runs, |run| effects(run, |effect| matches!(effect, Effect::Duplicate { .. }))) > 1_000);
    assert!(count(&runs, |run| effects(run, |effect| matches!(effect, Effect::Stale { .. }))) > 100);
}

#[test]
fn to_forget_who_asked_shows_in_the_values() {
    let forgetful = Weather { forgets: true, ..STORM };
    let seen = (0..10).filter(|seed| appended_once(&Channel::run(&appends(), &forgetful, *seed)).is_err());
    assert_eq!(seen.count(), 10);
}

#[test]
fn every_response_is_right_for_the_order_in_which_commands_were_applied() {
    let workload = everything();
    let runs: Vec<_> = (0..40).map(|seed| Channel::run(&workload, &STORM, seed)).collect();
    for run in &runs {
        assert_well_formed(run);
        assert_right(run, &STORM);
    }
    // Everything came about.
    let answered = |is: fn(&Returned) -> bool| {
        count(&runs, |run| {
            let told = run.history.iter();
            told.filter(|told| matches!(told, Told::Return { returned, .. } if is(returned))).count()
        })
    };
    assert!(answered(|returned| returned.response == Response::Swapped) > 100);
    assert!(answered(|returned| matches!(returned.response, Response::Unswapped(_))) > 100);
    assert!(answered(|returned| returned.response == Response::Deleted { existed: true }) > 100);
    assert!(answered(|returned| returned.served.is_some()) > 1_000);
    assert!(answered(|returned| returned.served.is_none()) > 1_000);
}

/// Outcomes of scripts: returned, unknown, refused.
fn outcomes(run: &Channel) -> [usize; 3] {
    let clients = run.clients.len();
    let mut outcomes = [0; 3];
    for told in &run.history {
        let (process, outcome) = match told {
            Told::Return { process, .. } => (*process, 0),
            Told::Unknown { process, .. } => (*process, 1),
            Told::Refused { process, .. } => (*process, 2),
            Told::Call { .. } | Told::Stop => continue,
        };
        let client = usize::try_from(process).expect("it is small") % clients;
        outcomes[outcome] += usize::from(client + usize::from(SCRIPTED) >= clients);
    }
    outcomes
}

#[test]
fn scripts_at_any_server_keep_to_the_rules_of_workloads() {
    let doubling = Weather { scripts: 60, ..STORM };
    let single = Weather { duplicate: 0, knows_doubles: false, ..doubling };
    for weather in [doubling, single] {
        let runs: Vec<_> = (0..20).map(|seed| Channel::run(&appends(), &weather, seed)).collect();
        for (seed, run) in runs.iter().enumerate() {
            assert_eq!(appended_once(run), Ok(()), "seed {seed}");
            assert_well_formed(run);
            assert_right(run, &weather);
            let [returned, unknown, refused] = outcomes(run);
            assert_eq!(returned + unknown + refused, 120, "every script has its outcome");
        }
        let total = |outcome| count(&runs, |run| outcomes(run)[outcome]);
        assert!([0, 1, 2].map(total).into_iter().all(|total| total > 100), "{:?}", [0, 1, 2].map(total));
    }
}

#[test]
fn to_believe_each_refusal_where_requests_are_doubled_shows_in_the_values() {
    // A second copy does harm where its server came to lead in between.
    let credulous = Weather { scripts: 60, knows_doubles: false, reign: 150, ..STORM };
    let told = (0..40).filter_map(|seed| appended_once(&Channel::run(&appends(), &credulous, seed)).err());
    let told: Vec<String> = told.collect();
    assert!(told.len() > 1 && told.iter().all(|error| error.contains("was refused and is in")), "{told:?}");
}

#[test]
fn sessions_that_expire_under_clients_cost_answers_and_nothing_else() {
    let few = Weather { sessions_max: 4, ..STORM };
    let workload = appends();
    let runs: Vec<_> = (0..40).map(|seed| Channel::run(&workload, &few, seed)).collect();
    for (seed, run) in runs.iter().enumerate() {
        assert_eq!(appended_once(run), Ok(()), "seed {seed}");
        assert_well_formed(run);
        assert_right(run, &few);
        assert!(run.machine.sessions() <= 4);
    }
    assert!(count(&runs, |run| effects(run, |effect| matches!(effect, Effect::Expired { .. }))) > 100);
    assert!(count(&runs, unknown) > 100);
}

#[test]
fn in_calm_weather_everything_is_answered_and_nothing_is_asked_twice() {
    let workload = everything();
    let run = Channel::run(&workload, &CALM, 1);
    assert_well_formed(&run);
    assert_right(&run, &CALM);
    assert_eq!(run.history.len(), 2 * 5 * 40);
    assert_eq!(unknown(&run), 0);
    assert_eq!(effects(&run, |effect| matches!(effect, Effect::Duplicate { .. } | Effect::Stale { .. })), 0);
}

#[test]
fn a_run_can_be_had_again() {
    for seed in 0..5 {
        let [one, other] = [(); 2].map(|()| Channel::run(&everything(), &STORM, seed));
        assert_eq!((&one.history, &one.log, &one.clients), (&other.history, &other.log, &other.clients));
        assert_eq!((one.machine.hash(), &one.machine), (other.machine.hash(), &other.machine));
        let next = Channel::run(&everything(), &STORM, seed + 1);
        assert_ne!(one.history, next.history, "another seed is another run");
    }
}

#[test]
fn snapshots_on_the_way_change_nothing() {
    let often = Channel::run(&everything(), &Weather { snapshot_every: 1, ..STORM }, 3);
    let never = Channel::run(&everything(), &Weather { snapshot_every: usize::MAX, ..STORM }, 3);
    assert_eq!((often.history, often.machine), (never.history, never.machine));
}

#[test]
fn to_leave_out_an_operation_leaves_all_others_as_they_were() {
    // Without compare-and-sets, which expect what was seen on the way.
    let workload = appends();
    let asked = |weather: &Weather| {
        let run = Channel::run(&workload, weather, 9);
        assert_well_formed(&run);
        let mut calls = BTreeMap::new();
        for told in run.history {
            if let Told::Call { process, number, asked, .. } = told {
                calls.insert((process % u32::from(workload.clients), number), asked);
            }
        }
        calls
    };
    let mut whole = asked(&STORM);
    let part = asked(&Weather { without: &[1, 7, 8, 40], ..STORM });
    whole.retain(|(_, number), _| ![1, 7, 8, 40].contains(number));
    assert_eq!((part.len(), part), (5 * 36, whole));
}

#[test]
fn after_a_stop_nothing_is_called_and_what_was_called_is_over() {
    let (mut returned, mut unknown) = (0, 0);
    for seed in 0..20 {
        let run = Channel::run(&appends(), &Weather { stop_at: Some(5_000), ..STORM }, seed);
        assert_well_formed(&run);
        let stop = run.history.iter().position(|told| *told == Told::Stop).expect("it came");
        for told in &run.history[stop..] {
            match told {
                Told::Call { .. } => panic!("seed {seed}: {told:?}"),
                Told::Return { .. } => returned += 1,
                Told::Refused { .. } => panic!("no workload is refused"),
                Told::Unknown { .. } => unknown += 1,
                Told::Stop => {}
            }
        }
        assert!(run.history.len() < 5 * 40, "it was in the middle");
    }
    assert!(returned > 20 && unknown > 5, "{returned} and {unknown}");
}
