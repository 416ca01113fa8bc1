//! The clients of a scenario: those of its workload, then one for each name that calls.

use crate::adapter::{ClientConfig, MemberConfig};
use crate::kv::ScriptOptions;
use crate::scenario::{Client, Name, Scenario, Step};
use sim_core::{ProcessId, Ratio, Span};

/// What the clients are started with, in the order of their processes.
pub(super) fn configs(scenario: &Scenario) -> impl Iterator<Item = MemberConfig> {
    let (servers, workers) = (scenario.nodes, workers_of(scenario));
    let callers = u16::try_from(scenario.callers().len()).expect("a file has fewer names than that");
    let clients = workers + callers;
    let worker = move |id| {
        scenario.workload.clone().map(|workload| ClientConfig::Workload { id, servers, clients, workload })
    };
    // What the network may deliver twice, a client must reckon with.
    let doubles = scenario.network.duplicate > Ratio::ZERO
        || scenario.network.links.iter().any(|rule| rule.duplicate.is_some());
    let caller = move |id| {
        let options = ScriptOptions { clients, timeout: CALL_TIMEOUT, doubles };
        ClientConfig::Scripted { id, servers, options }
    };
    let configs = (0..workers).filter_map(worker).chain((workers..clients).map(caller));
    configs.map(|config| MemberConfig::Client(Box::new(config)))
}

/// How long a client that calls for a step waits for an answer before it asks again.
const CALL_TIMEOUT: Span = Span::from_millis(200);

fn workers_of(scenario: &Scenario) -> u16 {
    scenario.workload.as_ref().map_or(0, |workload| workload.clients)
}

/// Whether a step wants to know who answered a call.
pub(super) fn asks_who_answers(steps: &[Step]) -> bool {
    let asks = |step: &Step| matches!(step, Step::Call(call) if call.bind.is_some());
    steps.iter().any(|step| asks(step) || step.blocks().into_iter().any(asks_who_answers))
}

/// The processes of the workload's clients.
pub(crate) fn workers(scenario: &Scenario) -> impl Iterator<Item = ProcessId> + use<> {
    let first = scenario.nodes;
    (first..first + workers_of(scenario)).map(ProcessId)
}

/// The processes of all clients.
pub(crate) fn everybody(scenario: &Scenario) -> impl Iterator<Item = ProcessId> + use<> {
    let callers = u16::try_from(scenario.callers().len()).expect("a file has fewer names than that");
    let first = scenario.nodes;
    (first..first + workers_of(scenario) + callers).map(ProcessId)
}

/// The process of a client.
pub(crate) fn process(scenario: &Scenario, client: &Client) -> Option<ProcessId> {
    match client {
        Client::Number(number) => workers(scenario).nth(usize::from(*number)),
        Client::Name(name) => caller(scenario, name),
    }
}

/// The process of the client that calls under this name.
pub(crate) fn caller(scenario: &Scenario, name: &Name) -> Option<ProcessId> {
    let place = scenario.callers().iter().position(|caller| caller == name)?;
    let first = scenario.nodes + workers_of(scenario);
    u16::try_from(place).ok().map(|place| ProcessId(first + place))
}
