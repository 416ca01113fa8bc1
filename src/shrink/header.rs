//! Switching off what the file sets up: whole domains first, then each setting on its own.

use super::lab::Lab;
use super::plan::Plan;
use crate::scenario::{NetworkOptions, RaftOptions, Scenario, StorageOptions, document};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sim_core::{Latency, Span, Stream};

/// Something that makes a file simpler. Says nothing about whether it was simple before.
type Simplify = fn(&mut Scenario);

const COARSE: [Simplify; 8] = [
    |file| file.workload = None,
    |file| file.members = None,
    |file| file.initial.clear(),
    |file| file.clocks.clear(),
    |file| file.node_options.clear(),
    |file| file.network = NetworkOptions::default(),
    |file| file.storage.nodes.clear(),
    |file| {
        let write = file.storage.write;
        file.storage = StorageOptions { write, ..StorageOptions::default() };
    },
];

const FINE: [Simplify; 10] = [
    |file| file.down.clear(),
    |file| file.pins.clear(),
    |file| file.network.links.clear(),
    |file| file.storage.write = Latency::Constant(Span::from_millis(1)),
    |file| change_work(file, |work| work.clients = 1),
    |file| change_work(file, |work| work.clients = work.clients.max(2) - 1),
    |file| change_work(file, |work| work.keys = 1),
    |file| change_work(file, |work| work.operations = (work.operations / 2).max(1)),
    |file| change_work(file, |work| work.operations = work.operations.max(2) - 1),
    |file| change_work(file, |work| work.start = Span::ZERO),
];

fn change_work(file: &mut Scenario, change: impl FnOnce(&mut crate::kv::Workload)) {
    if let Some(work) = &mut file.workload {
        change(work);
    }
}

/// Whole domains.
pub(super) fn coarse(lab: &mut Lab, plan: &mut Plan) -> bool {
    COARSE.into_iter().fold(false, |changed, simplify| changed | attempt(lab, plan, simplify))
}

/// Whole domains once more, then each setting.
pub(super) fn fine(lab: &mut Lab, plan: &mut Plan) -> bool {
    let mut changed = coarse(lab, plan);
    for simplify in FINE {
        changed |= attempt(lab, plan, simplify);
    }
    for key in unusual(&plan.header.raft, &RaftOptions::default()) {
        changed |= attempt(lab, plan, |file| reset(&mut file.raft, &RaftOptions::default(), &key));
    }
    let storage = unusual(&plan.header.storage, &StorageOptions::default());
    for key in storage.into_iter().filter(|key| key != "write") {
        changed |= attempt(lab, plan, |file| reset(&mut file.storage, &StorageOptions::default(), &key));
    }
    for key in unusual(&plan.header.network, &NetworkOptions::default()) {
        changed |= attempt(lab, plan, |file| reset(&mut file.network, &NetworkOptions::default(), &key));
    }
    changed
}

/// Switches off or simplifies some of what can be, as it is drawn.
pub(super) fn some(file: &mut Scenario, draws: &mut Stream) {
    for simplify in COARSE.into_iter().chain(FINE) {
        let mut simpler = file.clone();
        if draws.below(6) == 0 {
            simplify(&mut simpler);
        }
        if is_lawful(&simpler) {
            *file = simpler;
        }
    }
    for key in unusual(&file.raft, &RaftOptions::default()) {
        let mut simpler = file.clone();
        if draws.below(3) == 0 {
            reset(&mut simpler.raft, &RaftOptions::default(), &key);
        }
        if is_lawful(&simpler) {
            *file = simpler;
        }
    }
}

fn attempt(lab: &mut Lab, plan: &mut Plan, simplify: impl Fn(&mut Scenario)) -> bool {
    let mut candidate = plan.clone();
    simplify(&mut candidate.header);
    if candidate.header == plan.header || !is_lawful(&candidate.header) {
        return false;
    }
    // What the shortened file cannot do any more is gone with it.
    let found = lab.fails(&candidate);
    found.map(|done| *plan = done).is_some()
}

/// Whether a file with these settings and no steps is one that can be read.
fn is_lawful(header: &Scenario) -> bool {
    header.check().is_ok()
}

fn value(options: &impl Serialize) -> Value {
    serde_json::to_value(options).expect("options have a JSON form")
}

/// The names of the fields that are not as usual, in order.
fn unusual<O: Serialize>(options: &O, usual: &O) -> Vec<String> {
    let (own, usual) = (value(options), value(usual));
    let fields = own.as_object().into_iter().flatten();
    fields.filter(|(key, field)| usual.get(key) != Some(field)).map(|(key, _)| key.clone()).collect()
}

/// Makes one field as usual.
fn reset<O: Serialize + DeserializeOwned>(options: &mut O, usual: &O, key: &str) {
    let (mut own, usual) = (value(options), value(usual));
    if let Some(fields) = own.as_object_mut() {
        match usual.get(key) {
            Some(field) => fields.insert(key.to_string(), field.clone()),
            None => fields.remove(key),
        };
    }
    if let Ok(simpler) = document(&own.to_string()) {
        *options = simpler;
    }
}
