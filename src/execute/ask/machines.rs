//! Predicates about what stands around nodes: disks, state machines, clients.

use super::{Answer, Asking, no};
use crate::adapter::Member;
use crate::execute::steps::file_id;
use crate::kv;
use crate::record::Bytes;
use crate::scenario::{Amount, ClientsDone, Count, DiskBytes, Key, Target, ValueIs};
use sim_core::ProcessId;

impl Asking<'_> {
    pub(super) fn storage_operations(&self, asked: &Amount, explain: bool) -> Answer {
        let bounds = Count { at_least: asked.at_least, at_most: asked.at_most, equals: asked.equals };
        for node in self.somebody(&asked.of)? {
            let count = self.sim.storage_operations(node);
            if !bounds.holds(count) {
                no!(explain, "node {node} has done {count} storage operations, expected {bounds}");
            }
        }
        Ok(None)
    }

    pub(super) fn halted(&self, of: &Target, explain: bool) -> Answer {
        match self.somebody(of)?.into_iter().find(|node| !self.sim.observer().1.0.is_halted(*node)) {
            Some(node) => no!(explain, "the disk of node {node} has not failed it"),
            None => Ok(None),
        }
    }

    pub(super) fn machine_equal(&self, among: Option<&Target>, explain: bool) -> Answer {
        let nodes = self.running(among.unwrap_or(&Target::Connected), explain)?;
        self.alike(&nodes, explain, "state machines", |node| self.machine(node).map(kv::Machine::hash))
    }

    pub(super) fn disk_bytes(&self, asked: &DiskBytes, explain: bool) -> Answer {
        let bounds = Count { at_least: asked.at_least, at_most: asked.at_most, equals: None };
        for node in self.somebody(&asked.of)? {
            let bytes = match asked.file {
                Some(file) => self.sim.file(node, file_id(file)).len() as u64,
                None => self.sim.disk_bytes(node),
            };
            if !bounds.holds(bytes) {
                no!(explain, "the files of node {node} have {bytes} bytes, expected {bounds}");
            }
        }
        Ok(None)
    }

    fn machine(&self, node: ProcessId) -> Option<&kv::Machine> {
        self.sim.process(node).and_then(Member::node).map(|node| node.machine())
    }

    /// What the state machine of a node holds under a key; nothing if the node is down.
    fn held(&self, node: ProcessId, key: &Key) -> Option<Option<Bytes>> {
        let number = *self.memory.keys.get(key).expect("every key of the file has a number");
        let value = self.machine(node)?.read(number);
        Some(value.map(|value| Bytes(value.as_slice().into())))
    }

    /// What is read under a key at a node, to be told.
    pub(crate) fn value_read(&self, node: ProcessId, key: Option<&Key>) -> Option<String> {
        let key = key?;
        Some(match self.held(node, key)? {
            Some(value) => format!(", {key} is {:?}", value.to_string()),
            None => format!(", {key} is absent"),
        })
    }

    pub(super) fn value(&self, asked: &ValueIs, explain: bool) -> Answer {
        let wanted = asked.equals.as_ref().map(|text| Bytes(text.as_bytes().into()));
        for node in self.running(&asked.of, explain)? {
            let found = self.held(node, &asked.key).flatten();
            if found != wanted {
                let found =
                    found.map_or_else(|| "absent".to_string(), |found| format!("{:?}", found.to_string()));
                no!(explain, "{} at node {node} is {found}", asked.key);
            }
        }
        Ok(None)
    }

    pub(super) fn clients_done(&self, asked: &ClientsDone, explain: bool) -> Answer {
        let target = asked.clients.as_ref().unwrap_or(&Target::Clients);
        // Asked at every event: who only wants to hear yes or no need not wait for the list of those who are meant.
        if !explain && let Some(busy) = self.somebody_is_busy(target) {
            return if busy { Err(String::new()) } else { Ok(None) };
        }
        for client in self.resolve(target, None)? {
            let Some(process) = self.sim.process(client).and_then(Member::client) else { continue };
            let it = process.client();
            if it.has_more_to_do() {
                let open = if it.is_pending() { "has a call open" } else { "has more to do" };
                no!(explain, "client {} {open}", it.id());
            }
        }
        Ok(None)
    }

    /// Whether somebody has more to do of the clients that a target names, if it names clients and nothing else.
    fn somebody_is_busy(&self, target: &Target) -> Option<bool> {
        let is_busy = |client: ProcessId| {
            let process = self.sim.process(client).and_then(Member::client);
            process.is_some_and(|process| process.client().has_more_to_do())
        };
        if let Target::Clients = target {
            return Some(self.memory.clients.everybody().any(is_busy));
        }
        if let Target::Client(client) = target {
            return self.memory.clients.process(client).map(is_busy);
        }
        let Target::List(items) = target else { return None };
        let mut busy = false;
        for item in items {
            busy |= self.somebody_is_busy(item)?;
        }
        Some(busy)
    }
}
