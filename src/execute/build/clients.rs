//! The clients of a scenario: those of its workload, then one for each name that calls.

use crate::adapter::{ClientConfig, MemberConfig};
use crate::kv::ScriptOptions;
use crate::scenario::{Client, Name, Scenario, Step, Target};
use sim_core::{ProcessId, Ratio, Span};
use std::collections::BTreeMap;

/// How long a client that calls for a step waits for an answer before it asks again.
const CALL_TIMEOUT: Span = Span::from_millis(200);

/// Which processes are clients. Looked for in the file once: a predicate may ask at every event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clients {
    /// The process of the first.
    first: u16,
    /// How many the workload has.
    workers: u16,
    /// Those who call for steps, and how many come before each: a file may have thousands, and each call looks for one.
    callers: BTreeMap<Name, u16>,
}

impl Clients {
    pub(crate) fn of(scenario: &Scenario) -> Self {
        let workers = scenario.workload.as_ref().map_or(0, |workload| workload.clients);
        Self { first: scenario.nodes, workers, callers: scenario.callers().into_iter().zip(0..).collect() }
    }

    fn count(&self) -> u16 {
        let callers = u16::try_from(self.callers.len()).expect("a file has fewer names than that");
        self.workers + callers
    }

    /// The processes of the workload's clients.
    pub(crate) fn workers(&self) -> impl Iterator<Item = ProcessId> + use<> {
        (self.first..self.first + self.workers).map(ProcessId)
    }

    /// The processes of all clients.
    pub(crate) fn everybody(&self) -> impl Iterator<Item = ProcessId> + use<> {
        (self.first..self.first + self.count()).map(ProcessId)
    }

    /// Every client with its process.
    pub(crate) fn named(&self) -> impl Iterator<Item = (Client, ProcessId)> + '_ {
        let workers =
            (0..self.workers).map(|number| (Client::Number(number), ProcessId(self.first + number)));
        let first = self.first + self.workers;
        let callers = self.callers.iter();
        workers
            .chain(callers.map(move |(name, place)| (Client::Name(name.clone()), ProcessId(first + place))))
    }

    /// How a step names a process: a client, or else a node.
    pub(crate) fn name(&self, process: ProcessId) -> Target {
        let client = self.named().find(|(_, other)| *other == process);
        client.map_or(Target::Node(process.0), |(client, _)| Target::Client(client))
    }

    /// The process of a client.
    pub(crate) fn process(&self, client: &Client) -> Option<ProcessId> {
        match client {
            Client::Number(number) => self.workers().nth(usize::from(*number)),
            Client::Name(name) => self.caller(name),
        }
    }

    /// The process of the client that calls under this name.
    pub(crate) fn caller(&self, name: &Name) -> Option<ProcessId> {
        let place = *self.callers.get(name)?;
        Some(ProcessId(self.first + self.workers + place))
    }

    /// What they are started with, in the order of their processes.
    pub(super) fn configs(&self, scenario: &Scenario) -> impl Iterator<Item = MemberConfig> {
        let (servers, workers, clients) = (scenario.nodes, self.workers, self.count());
        let worker = move |id| {
            scenario.workload.clone().map(|workload| ClientConfig::Workload {
                id,
                servers,
                clients,
                workload,
            })
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
}

/// Whether a step wants to know who answered a call.
pub(super) fn asks_who_answers(steps: &[Step]) -> bool {
    let asks = |step: &Step| matches!(step, Step::Call(call) if call.bind.is_some());
    steps.iter().any(|step| asks(step) || step.blocks().into_iter().any(asks_who_answers))
}
