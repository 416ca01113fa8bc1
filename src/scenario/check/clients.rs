//! Clients: that they exist, and that what they do makes sense.

use super::Checker;
use crate::kv::Workload;
use crate::scenario::client::{Call, CallAnswer, Operation, OperationKind};
use crate::scenario::document::NODES_MAX;
use crate::scenario::path::Segment;
use crate::scenario::target::{Client, Target};
use sim_core::ProcessId;

/// The longest value that a call may write, in bytes.
const VALUE_MAX: usize = 1_000;

impl Checker {
    pub(super) fn workload(&mut self, workload: &Workload) {
        for wrong in workload.check() {
            let keys = wrong.path.iter().map(|key| Segment::Key((*key).to_owned()));
            self.path.0.extend(keys);
            self.wrong(wrong.problem);
            self.path.0.truncate(self.path.0.len() - wrong.path.len());
        }
    }

    /// Every name that calls is a process, and so is every node and every client of the workload.
    pub(super) fn room_for_callers(&mut self) {
        let (nodes, clients, callers) = (self.nodes, self.clients, self.callers.len());
        let taken = u32::from(nodes) + u32::from(clients);
        let Some(most) = u32::from(ProcessId::COUNT_MAX).checked_sub(taken) else { return };
        self.wrong_if(nodes <= NODES_MAX && callers > most as usize, || {
            format!(
                "{callers} clients that call beside {nodes} nodes and {clients} clients of a workload: expected at most {most}"
            )
        });
    }

    pub(super) fn client(&mut self, client: &Client) {
        match client {
            Client::Number(_) if !self.has_workload => {
                self.wrong(format!("there is no {client}: the scenario has no workload, so expected none"));
            }
            Client::Number(number) => {
                let clients = self.clients;
                self.wrong_if(*number >= clients, || {
                    format!("there is no {client}: the workload has {clients} clients, so expected less than {clients}")
                });
            }
            Client::Name(name) => {
                if self.callers.contains(name) {
                    return;
                }
                let hint =
                    self.nearest(name.as_str(), self.callers.iter().map(crate::scenario::Name::as_str));
                let hint = hint.map_or_else(String::new, |word| format!("\ndid you mean `client {word}`?"));
                self.wrong(format!("there is no {client}: expected a client that a `call` names{hint}"));
            }
        }
    }

    pub(super) fn any_clients(&mut self) {
        let nobody = !self.has_workload && self.callers.is_empty();
        self.wrong_if(nobody, || {
            "there are no clients: expected a `workload`, or steps that `call`".to_owned()
        });
    }

    /// A target that stands for clients.
    pub(super) fn client_target(&mut self, target: &Target) {
        match target {
            Target::Clients => self.any_clients(),
            Target::Client(client) => self.client(client),
            Target::List(items) => {
                self.wrong_if(items.is_empty(), || {
                    "an empty list names no client: expected at least one".to_owned()
                });
                self.each(items, Self::client_target);
            }
            other => {
                self.wrong(format!("`{other}` is no client: expected `clients`, or one, such as `client 0`"))
            }
        }
    }

    /// Clients of the workload; by default all.
    pub(super) fn workload_clients(&mut self, clients: Option<&Target>) {
        if !self.has_workload {
            self.wrong("there are no clients to start or stop: expected a `workload`");
            return;
        }
        if let Some(target) = clients {
            self.under("clients", |c| c.worker_target(target));
        }
    }

    /// A target that stands for clients of the workload alone. One that makes calls does what it is told, and would be
    /// through for good when it is stopped: the next call would never come back.
    fn worker_target(&mut self, target: &Target) {
        match target {
            Target::Client(Client::Name(name)) if self.callers.contains(name) => self.wrong(format!(
                "`{target}` makes calls, one at a time, when it is told to: expected clients of the workload, such as \
                 `client 0`"
            )),
            Target::Clients if !self.callers.is_empty() => self.wrong(
                "`clients` are also those that make calls: expected clients of the workload, such as `client 0`\nwithout \
                 a target all of the workload are meant",
            ),
            Target::List(items) if !items.is_empty() => self.each(items, Self::worker_target),
            target => self.client_target(target),
        }
    }

    /// Clients that a step or a predicate is about; by default all.
    pub(super) fn awaited_clients(&mut self, clients: Option<&Target>) {
        match clients {
            Some(target) => self.under("clients", |c| c.client_target(target)),
            None => self.any_clients(),
        }
    }

    pub(super) fn call(&mut self, call: &Call) {
        self.some_target("to", call.to.as_ref());
        self.under("op", |c| c.operation(&call.op));
        self.under("within", |c| c.time(call.within));
        let kind = call.op.kind();
        self.under("kind", |c| {
            c.wrong_if(call.kind.is_some() && kind != OperationKind::Get, || {
                "only a `get` is served in one way or another: expected no `kind`".to_owned()
            });
        });
        if let Some(answer) = &call.expect {
            self.under("expect", |c| c.call_answer(answer, call, kind));
        }
        if let Some(name) = &call.bind {
            self.under("bind", |c| {
                c.wrong_if(call.expect == Some(CallAnswer::Timeout), || {
                    "a call without an answer is answered by no node: expected `ok` with `bind`".to_owned()
                });
                c.wrong_if(!call.wait, || {
                    "a call that is not waited for has no answer yet: expected `wait` with `bind`".to_owned()
                });
            });
            self.give_nodes(name);
        }
    }

    fn operation(&mut self, operation: &Operation) {
        match operation {
            Operation::Get(_) | Operation::Delete(_) => {}
            Operation::Put(written) => self.under("put", |c| c.under("value", |c| c.value(&written.value))),
            Operation::Append(written) => {
                self.under("append", |c| c.under("value", |c| c.value(&written.value)));
            }
            Operation::Cas(cas) => self.under("cas", |c| {
                if let Some(expected) = &cas.expected {
                    c.under("expected", |c| c.value(expected));
                }
                c.under("value", |c| c.value(&cas.value));
            }),
        }
    }

    pub(super) fn value(&mut self, value: &str) {
        let length = value.len();
        self.wrong_if(length > VALUE_MAX, || {
            format!("a value of {length} bytes: expected at most {VALUE_MAX}")
        });
    }

    fn call_answer(&mut self, answer: &CallAnswer, call: &Call, kind: OperationKind) {
        let fits = match answer {
            CallAnswer::Ok | CallAnswer::Timeout => true,
            CallAnswer::NotLeader => {
                self.wrong_if(call.to.is_none(), || {
                    "a client that asks everybody is never sent away: expected `to` with `not_leader`"
                        .to_owned()
                });
                true
            }
            CallAnswer::Value(value) => {
                self.under("value", |c| c.value(value));
                matches!(kind, OperationKind::Get | OperationKind::Cas)
            }
            CallAnswer::Mismatch => kind == OperationKind::Cas,
            CallAnswer::NotFound => matches!(kind, OperationKind::Get | OperationKind::Delete),
        };
        self.wrong_if(!fits, || {
            "this operation never has that answer: expected `ok` or `timeout`\n`value` is of `get` and `cas`, `mismatch` \
             of `cas`, `not_found` of `get` and `delete`"
                .to_owned()
        });
    }
}
