//! Clients that decide for themselves become steps: what a workload asks hangs on how many nodes there are, and on its draws.
//!
//! First as an operator would ask, of the node itself; where only a client can see what is wrong, as calls of named clients.

use super::lab::Lab;
use super::plan::{Event, Form, Plan, since_begin, told_to};
use crate::execute::build::clients::Clients;
use crate::execute::{Done, How, Outcome};
use crate::record::{self, Action, MessageFacts, Note, Record};
use crate::scenario::{
    Call, Client, CompareAndSwap, DeliverOne, Key, KeyValue, Keyed, Name, Operation, Propose, Read, ReadKind,
    Scenario, Step, Target,
};
use sim_core::{Interest, MessageId, Observer, ProcessId, RecordKind, Span, Stamp};
use std::collections::BTreeMap;

/// Which node a call with a name is made at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    First,
    Last,
}

/// What clients did in a run.
#[derive(Default)]
struct Heard {
    calls: Vec<(Stamp, ProcessId, record::Call)>,
    /// What nodes were asked: the message, whether it is a read past the log, and how it is to be served.
    asked: Vec<(Stamp, MessageId, bool, record::ReadKind)>,
    now: BTreeMap<ProcessId, record::ReadKind>,
}

impl Observer<MessageFacts, Note> for Heard {
    fn interest(&self) -> Interest {
        Interest::of(&[RecordKind::Delivered, RecordKind::Noted])
    }

    fn observe(&mut self, stamp: Stamp, record: &Record) {
        match record {
            Record::Noted { process, note: Note::Call(call) } => {
                self.now.insert(*process, call.read);
                self.calls.push((stamp, *process, (**call).clone()));
            }
            Record::Delivered { id, facts: MessageFacts::ClientRequest { read, .. } } => {
                let kind = self.now.get(&id.from).copied().unwrap_or(record::ReadKind::Log);
                self.asked.push((stamp, *id, *read, kind));
            }
            _ => {}
        }
    }
}

/// Puts steps in the place of the workload. Says whether it fails all the same.
pub(super) fn as_steps(lab: &mut Lab, plan: &mut Plan) -> bool {
    if plan.form != Form::ByHand || plan.header.workload.is_none() {
        return false;
    }
    let mut heard = Heard::default();
    let watcher: &mut dyn Observer<MessageFacts, Note> = &mut heard;
    let Some((outcome, done)) = lab.watched(plan, lab.left(), watcher) else { return false };
    let calls = |which| of_clients(plan, &heard, &done, &outcome, which);
    let candidates = [of_nodes(plan, &heard), calls(Which::First), calls(Which::Last)];
    for candidate in candidates.into_iter().flatten() {
        if let Some(done) = lab.fails(&candidate) {
            *plan = done;
            return true;
        }
    }
    false
}

/// Nodes are asked by steps, and no client hears of it.
fn of_nodes(plan: &Plan, heard: &Heard) -> Option<Plan> {
    let clients = Clients::of(&plan.header);
    let asked: Vec<(DeliverOne, bool, record::ReadKind)> =
        heard.asked.iter().map(|(_, id, read, kind)| (told_to(&clients, id), *read, *kind)).collect();
    let mut number = 0;
    let mut events = Vec::new();
    for event in &plan.events {
        let step = match &event.step {
            Step::DeliverOne(one) if one.kind.is_some_and(|kind| kind.name() == "ClientRequest") => {
                let is_it = |(other, ..): &&(DeliverOne, bool, record::ReadKind)| {
                    (&other.from, &other.to, other.term, other.nth) == (&one.from, &one.to, one.term, one.nth)
                };
                let Some((_, read, kind)) = asked.iter().find(is_it) else { continue };
                match read_kind(*kind).filter(|_| *read) {
                    Some(kind) => {
                        Step::Read(Read { at: one.to.clone(), within: Span::ZERO, ..Read::at_leader(kind) })
                    }
                    None => {
                        number += 1;
                        let command = format!("c{number}");
                        Step::Propose(Propose { to: one.to.clone(), ..Propose::to_leader(command.as_str()) })
                    }
                }
            }
            step if is_of_clients(step) => continue,
            step => step.clone(),
        };
        events.push(Event { at: event.at, step });
    }
    Some(Plan { header: Scenario { workload: None, ..plan.header.clone() }, events, ..plan.clone() })
}

/// Each call of a worker is a call of a client with a name, at the node that heard of it first, or last.
fn of_clients(plan: &Plan, heard: &Heard, done: &[Done], outcome: &Outcome, which: Which) -> Option<Plan> {
    let workers = plan.header.workload.as_ref()?.clients;
    let nodes = plan.header.nodes;
    let name = |worker: u16| format!("c{worker}").parse::<Name>().ok();
    let broke = outcome.violation()?.record;
    let mut events: Vec<(u64, Event)> = Vec::new();
    for done in done.iter().filter(|done| done.how != How::Not && done.after.number < broke) {
        let mut step = done.step.clone();
        if super::is_set_up(&step) || matches!(step, Step::StartClients(_) | Step::StopClients(_)) {
            continue;
        }
        for target in step.targets_mut() {
            if let Target::Client(Client::Number(worker)) = target {
                *target = Target::Client(Client::Name(name(*worker)?));
            }
        }
        events.push((done.after.number, Event { at: since_begin(done.after.at), step }));
    }
    for (place, (stamp, process, call)) in heard.calls.iter().enumerate() {
        let Some(worker) = process.0.checked_sub(nodes).filter(|worker| *worker < workers) else { continue };
        let next = heard.calls[place + 1..].iter().find(|(_, other, _)| other == process);
        let until = next.map_or(u64::MAX, |(stamp, ..)| stamp.number);
        let is_its =
            |at: &Stamp, id: &MessageId| id.from == *process && (stamp.number..until).contains(&at.number);
        let mut asked = heard.asked.iter().filter(|(at, id, ..)| is_its(at, id));
        let one = match which {
            Which::First => asked.next(),
            Which::Last => asked.next_back(),
        };
        let Some((_, id, ..)) = one else { continue };
        let call = Call {
            client: name(worker)?,
            to: Some(Target::Node(id.to.0)),
            kind: matches!(call.action, Action::Get).then(|| read_kind(call.read)).flatten(),
            wait: false,
            ..Call::of(operation(call)?)
        };
        events.push((stamp.number - 1, Event { at: since_begin(stamp.at), step: Step::Call(call) }));
    }
    events.sort_by_key(|(number, _)| *number);
    let events = events.into_iter().map(|(_, event)| event).collect();
    Some(Plan { header: Scenario { workload: None, ..plan.header.clone() }, events, ..plan.clone() })
}

fn operation(call: &record::Call) -> Option<Operation> {
    let key = || format!("k{}", call.key).parse::<Key>().ok();
    let text = |bytes: &record::Bytes| bytes.to_string();
    Some(match &call.action {
        Action::Get => Operation::Get(Keyed { key: key()? }),
        Action::Put(value) => Operation::Put(KeyValue { key: key()?, value: text(value) }),
        Action::Cas(expected, value) => Operation::Cas(CompareAndSwap {
            key: key()?,
            expected: expected.as_ref().map(text),
            value: text(value),
        }),
        Action::Append(value) => Operation::Append(KeyValue { key: key()?, value: text(value) }),
        Action::Delete => Operation::Delete(Keyed { key: key()? }),
    })
}

const fn read_kind(kind: record::ReadKind) -> Option<ReadKind> {
    match kind {
        record::ReadKind::Log => None,
        record::ReadKind::ReadIndex => Some(ReadKind::ReadIndex),
        record::ReadKind::Lease => Some(ReadKind::Lease),
        record::ReadKind::Follower => Some(ReadKind::Follower),
        record::ReadKind::Local => Some(ReadKind::Local),
    }
}

fn is_of_clients(step: &Step) -> bool {
    match step {
        Step::DeliverOne(one) => matches!(one.from, Target::Client(_)) || matches!(one.to, Target::Client(_)),
        Step::Call(_) | Step::StartClients(_) | Step::StopClients(_) => true,
        _ => false,
    }
}
