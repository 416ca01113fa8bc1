//! Clients: single calls, and those of the workload.

use crate::adapter::Request;
use crate::execute::told::Back;
use crate::execute::{Halt, Runner};
use crate::kv::{self, Asked, Script, Value};
use crate::record::{Bytes, Outcome};
use crate::scenario::{
    AwaitClients, Call, CallAnswer, CallOutcome, ClientSet, ClientsDone, Operation, Predicate, ReadKind,
    Step, Target,
};
use crate::violation::Property;
use sim_core::{ProcessId, Span};

/// A call that nobody waited for.
#[derive(Clone, Debug)]
pub(in crate::execute) struct OpenCall {
    client: ProcessId,
    number: u64,
    within: Span,
    expect: Option<CallAnswer>,
    /// Whether only one node was asked.
    to_one: bool,
    /// Where in the file it stands.
    place: String,
}

impl Runner<'_> {
    pub(super) fn clients(&mut self, step: &Step) -> Result<(), Halt> {
        match step {
            Step::Call(call) => self.call(step, call),
            Step::StartClients(set) => self.tell_clients(step, set, || Request::Start),
            Step::StopClients(set) => self.tell_clients(step, set, || Request::Stop),
            Step::AwaitClients(awaited) => self.await_clients(awaited),
            other => unreachable!("`{}` belongs to another room", other.verb()),
        }
    }

    fn tell_clients(
        &mut self,
        step: &Step,
        set: &ClientSet,
        request: impl Fn() -> Request,
    ) -> Result<(), Halt> {
        // Those who call for steps do what they are told, and neither start nor stop.
        let mut processes: Vec<ProcessId> = self.memory.clients.workers().collect();
        if let Some(target) = &set.clients {
            let asked = self.nodes(step, target)?;
            processes.retain(|process| asked.contains(process));
        }
        let named = set.clients.as_ref().map_or_else(|| "all".to_string(), Target::to_string);
        self.say(format!("{} {named}", step.verb().replace('_', " ")));
        for process in processes {
            self.sim.request(process, request());
        }
        Ok(())
    }

    fn await_clients(&mut self, awaited: &AwaitClients) -> Result<(), Halt> {
        let done = Predicate::ClientsDone(ClientsDone { clients: awaited.clients.clone() });
        let deadline = self.sim.now().after(awaited.within);
        if self.pass_until(&done, deadline)? {
            self.say("await clients: done".to_string());
            return Ok(());
        }
        let why = self.asking().explain(&done).err().unwrap_or_default();
        Err(self.unmet(format!("await_clients: not within {}: {why}", awaited.within)))
    }

    fn call(&mut self, step: &Step, call: &Call) -> Result<(), Halt> {
        let to = call.to.as_ref().map(|target| self.one(step, target)).transpose()?;
        let client = self.memory.clients.caller(&call.client).expect("every name that calls is a client");
        let made = self.made.entry(client).or_default();
        *made += 1;
        let open = OpenCall {
            client,
            number: *made,
            within: call.within,
            expect: call.expect.clone(),
            to_one: to.is_some(),
            place: self.place.join("."),
        };
        self.sim.observer_mut().1.0.make(client, open.number, call.within);
        let whom = to.map_or_else(String::new, |to| format!(" at {to}"));
        let op = serde_json::to_string(&call.op).unwrap_or_default().replace('"', "");
        self.say(format!("call of {}{whom}: {op}", call.client));
        let script = Script { asked: self.asked(call), to: to.map(|to| to.0), within: call.within };
        self.sim.request(client, Request::Call(Box::new(script)));
        if !call.wait {
            self.open_calls.push(open);
            return Ok(());
        }
        // Those that it was told to make before come first.
        let before = self.open_calls.iter().filter(|other| other.client == client);
        let longest = before.fold(call.within, |sum, other| sum.plus(other.within));
        self.wait_for(&open, longest)?;
        let back = self.came_back(&open)?;
        self.bind_found(call.bind.as_ref(), back.by.into_iter().collect(), "nobody answered the call")
    }

    fn asked(&self, call: &Call) -> Asked {
        let number = |key| *self.memory.keys.get(key).expect("every key of the file has a number");
        let value = |text: &String| Value::new(text.as_bytes());
        Asked::Write(match &call.op {
            Operation::Get(keyed) => {
                let by = call.kind.map_or(kv::ReadKind::Log, |kind| match kind {
                    ReadKind::ReadIndex => kv::ReadKind::ReadIndex,
                    ReadKind::Lease => kv::ReadKind::Lease,
                    ReadKind::Follower => kv::ReadKind::Follower,
                    ReadKind::Local => kv::ReadKind::Local,
                });
                return Asked::Read { key: number(&keyed.key), by };
            }
            Operation::Put(put) => kv::Operation::Put { key: number(&put.key), value: value(&put.value) },
            Operation::Cas(cas) => kv::Operation::Cas {
                key: number(&cas.key),
                expected: cas.expected.as_ref().map(value),
                value: value(&cas.value),
            },
            Operation::Append(more) => {
                kv::Operation::Append { key: number(&more.key), value: value(&more.value) }
            }
            Operation::Delete(keyed) => kv::Operation::Delete { key: number(&keyed.key) },
        })
    }

    /// Every call comes to an end in its time.
    fn wait_for(&mut self, open: &OpenCall, longest: Span) -> Result<(), Halt> {
        let (client, number) = (open.client, open.number);
        let deadline = self.sim.now().after(longest);
        if self.sim.observer().1.0.back(client, number).is_none() {
            self.run_to(deadline, |sim| sim.observer().1.0.back(client, number).is_some())?;
        }
        Ok(())
    }

    /// What came of a call, if that is what was expected.
    fn came_back(&self, open: &OpenCall) -> Result<Back, Halt> {
        let unmet = |what: String| self.failed_at(&open.place, Property::Expectation, None, what);
        let Some(back) = self.sim.observer().1.0.back(open.client, open.number) else {
            return Err(unmet("the call has not come back".to_string()));
        };
        match &open.expect {
            Some(expected) if !is_met(expected, back, open.to_one) => {
                let expected = serde_json::to_string(expected).unwrap_or_default();
                Err(unmet(format!("the call came back with {}, expected {expected}", words(back))))
            }
            _ => Ok(back.clone()),
        }
    }

    /// Looks at the calls that nobody waited for and that have come back.
    pub(in crate::execute) fn judge_calls(&mut self) -> Result<(), Halt> {
        if self.open_calls.is_empty() {
            return Ok(());
        }
        let told = &self.sim.observer().1.0;
        let is_back = |open: &OpenCall| told.back(open.client, open.number).is_some();
        let (back, open) = core::mem::take(&mut self.open_calls).into_iter().partition(is_back);
        self.open_calls = open;
        let back: Vec<OpenCall> = back;
        back.iter().try_for_each(|open| self.came_back(open).map(|_| ()))
    }

    /// At the end every call that something is expected of must have come back.
    pub(in crate::execute) fn all_calls_are_back(&mut self) -> Result<(), Halt> {
        self.open_calls.retain(|open| open.expect.is_some());
        let longest = self.open_calls.iter().fold(Span::ZERO, |sum, open| sum.plus(open.within));
        while let Some(open) = self.open_calls.first().cloned() {
            self.wait_for(&open, longest)?;
            self.judge_calls()?;
            if self.sim.observer().1.0.back(open.client, open.number).is_none() {
                self.came_back(&open)?;
            }
        }
        Ok(())
    }
}

/// Whether what came of a call is what was expected.
fn is_met(expected: &CallAnswer, back: &Back, to_one: bool) -> bool {
    let is_open = matches!(back.outcome, Outcome::Unknown | Outcome::Refused);
    match expected {
        CallAnswer::Timeout => is_open && back.is_late,
        CallAnswer::NotLeader => is_open && !back.is_late && to_one,
        CallAnswer::Ok => back.counts_as() == Some(CallOutcome::Ok),
        CallAnswer::Mismatch => back.counts_as() == Some(CallOutcome::Mismatch),
        CallAnswer::NotFound => back.counts_as() == Some(CallOutcome::NotFound),
        CallAnswer::Value(text) => matches!(
            &back.outcome,
            Outcome::Read(Some(found)) | Outcome::Mismatch(Some(found)) if *found.0 == *text.as_bytes()
        ),
    }
}

/// What came of a call, as a person would say it.
fn words(back: &Back) -> String {
    let value = |found: &Option<Bytes>| match found {
        Some(found) => format!("{:?}", found.to_string()),
        None => "nothing".to_string(),
    };
    match &back.outcome {
        Outcome::Read(Some(found)) => value(&Some(found.clone())),
        Outcome::Read(None) => "not_found".to_string(),
        Outcome::Done => "ok".to_string(),
        Outcome::Length(length) => format!("ok, {length} bytes"),
        Outcome::Deleted(true) => "ok, deleted".to_string(),
        Outcome::Deleted(false) => "not_found".to_string(),
        Outcome::Mismatch(found) => format!("mismatch: it found {}", value(found)),
        Outcome::Refused | Outcome::Unknown if back.is_late => "timeout".to_string(),
        Outcome::Refused => "not_leader".to_string(),
        Outcome::Unknown => "no answer that says whether it was done".to_string(),
    }
}
