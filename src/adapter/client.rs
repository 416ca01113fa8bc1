//! A client as a process of the world.

use super::{Answered, GIVE_UP, Member, Message, Request, THINK, TIMEOUT, tell};
use crate::kv::{
    Asked, Body, Client, ClientTimer, Decision, Draws, Input, Operation, Output, Response, Returned,
    ScriptOptions, Value, Workload,
};
use crate::record::{Action, Bytes, Call, Hash64, Note, Outcome, ReadKind, Return};
use sim_core::{Effects, ProcessId, Span, TimerId};

/// What a client is started with.
#[derive(Clone, Debug)]
pub enum ClientConfig {
    /// It does what a workload says.
    Workload {
        /// Its number among the clients.
        id: u16,
        /// How many nodes there are to ask.
        servers: u16,
        /// How many clients there are in all.
        clients: u16,
        /// What it does.
        workload: Workload,
    },
    /// It does what it is told to, call by call.
    Scripted {
        /// Its number among the clients.
        id: u16,
        /// How many nodes there are to ask.
        servers: u16,
        /// How it goes about it.
        options: ScriptOptions,
    },
}

/// A client as a process of the world.
#[derive(Clone, Debug)]
pub struct ClientProcess {
    client: Client,
    outputs: Vec<Output>,
    /// The call that is open: process, number, and whether its command was told.
    told: Option<(u32, u64)>,
}

/// The world's draws, keyed by what the client decides.
struct Keyed<'a, 'w>(&'a Effects<'w, Member>);

impl Draws for Keyed<'_, '_> {
    fn below(&mut self, which: Decision, bound: u64) -> u64 {
        self.0.draw(which.purpose_code(), which.which(), bound)
    }
}

const fn timer_id(timer: ClientTimer) -> TimerId {
    match timer {
        ClientTimer::Think => THINK,
        ClientTimer::Timeout => TIMEOUT,
        ClientTimer::GiveUp => GIVE_UP,
    }
}

impl ClientProcess {
    /// The client.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn boot(config: &ClientConfig, fx: &mut Effects<'_, Member>) -> Self {
        let (client, starts) = match config {
            ClientConfig::Workload { id, servers, clients, workload } => {
                (Client::new(*id, *servers, workload.clone()).among(*clients), true)
            }
            ClientConfig::Scripted { id, servers, options } => {
                (Client::scripted(*id, *servers, *options), false)
            }
        };
        let mut booted = Self { client, outputs: Vec::new(), told: None };
        if starts {
            booted.step(Input::Start, fx);
        }
        booted
    }

    fn step(&mut self, input: Input, fx: &mut Effects<'_, Member>) {
        let mut outputs = core::mem::take(&mut self.outputs);
        self.client.step(input, &mut Keyed(fx), &mut outputs);
        for output in outputs.drain(..) {
            self.perform(output, fx);
        }
        self.outputs = outputs;
    }

    fn perform(&mut self, output: Output, fx: &mut Effects<'_, Member>) {
        match output {
            Output::Send { server, request } => {
                if let (Body::Log(command), Some((client, number))) = (&request.body, self.told)
                    && command.operation.key().is_some()
                {
                    let command = Hash64::of_command(&command.encode());
                    tell::rarely(fx, Note::Submitted { client: u64::from(client), number, command });
                    self.told = None;
                }
                fx.send(ProcessId(server), Message::Asked(Box::new(request)));
            }
            Output::SetTimer { timer, min, max, epoch } => {
                fx.draw_timer(timer_id(timer), at_least_a_moment(min), at_least_a_moment(max), epoch);
            }
            Output::CancelTimer(timer) => fx.cancel_timer(timer_id(timer)),
            Output::Call { process, number, asked } => {
                self.told = Some((process, number));
                tell::rarely(fx, Note::Call(Box::new(call(process, number, asked))));
            }
            Output::Return { process, number, returned } => {
                self.told = None;
                tell::rarely(fx, Note::Return(Box::new(returned_of(process, number, returned))));
            }
            Output::Unknown { process, number } => {
                self.told = None;
                let (client, outcome) = (u64::from(process), Outcome::Unknown);
                tell::rarely(fx, Note::Return(Box::new(Return { client, number, outcome, index: None })));
            }
            Output::Refused { process, number, .. } => {
                self.told = None;
                let (client, outcome) = (u64::from(process), Outcome::Refused);
                tell::rarely(fx, Note::Return(Box::new(Return { client, number, outcome, index: None })));
            }
            Output::Done => {}
        }
    }

    pub(super) fn on_answer(&mut self, answered: Answered, fx: &mut Effects<'_, Member>) {
        let Answered { id, answer, .. } = answered;
        self.step(Input::Reply { id, answer }, fx);
    }

    pub(super) fn on_timer(&mut self, timer: TimerId, fx: &mut Effects<'_, Member>) {
        let timer = match timer {
            THINK => ClientTimer::Think,
            TIMEOUT => ClientTimer::Timeout,
            GIVE_UP => ClientTimer::GiveUp,
            _ => return,
        };
        self.step(Input::Fired(timer), fx);
    }

    pub(super) fn on_request(&mut self, request: &Request, fx: &mut Effects<'_, Member>) {
        match request {
            Request::Start => self.step(Input::Start, fx),
            Request::Stop => self.step(Input::Stop, fx),
            Request::Call(script) => self.step(Input::Do((**script).clone()), fx),
            Request::Propose { .. }
            | Request::Campaign
            | Request::Change(_)
            | Request::Transfer { .. }
            | Request::ForgetLeader
            | Request::Read(_)
            | Request::Snapshot
            | Request::Compact { .. }
            | Request::SendSnapshot { .. }
            | Request::Unreachable { .. }
            | Request::HoldApplies(_)
            | Request::ApplyOne => {}
        }
    }
}

/// A thought takes time, or two clients could keep the clock from ever moving.
fn at_least_a_moment(span: Span) -> Span {
    span.max(Span::from_nanos(1))
}

fn bytes(value: &Value) -> Bytes {
    Bytes(value.as_slice().into())
}

fn call(process: u32, number: u64, asked: Asked) -> Call {
    let (client, log) = (u64::from(process), ReadKind::Log);
    let (key, action, read) = match asked {
        Asked::Read { key, by } => (key.0, Action::Get, tell::read_kind(by)),
        Asked::Write(operation) => match operation {
            Operation::Put { key, value } => (key.0, Action::Put(bytes(&value)), log),
            Operation::Cas { key, expected, value } => {
                (key.0, Action::Cas(expected.as_ref().map(bytes), bytes(&value)), log)
            }
            Operation::Append { key, value } => (key.0, Action::Append(bytes(&value)), log),
            Operation::Delete { key } => (key.0, Action::Delete, log),
            Operation::Get { key } => (key.0, Action::Get, log),
            Operation::OpenSession | Operation::CloseSession => {
                unreachable!("sessions are no operations of the history")
            }
        },
    };
    Call { client, number, key: u64::from(key), action, read }
}

fn returned_of(process: u32, number: u64, returned: Returned) -> Return {
    let outcome = match returned.response {
        Response::Value(value) => Outcome::Read(value.as_ref().map(bytes)),
        Response::Unswapped(saw) => Outcome::Mismatch(saw.as_ref().map(bytes)),
        Response::Length(length) => Outcome::Length(length),
        Response::Deleted { existed } => Outcome::Deleted(existed),
        Response::Written | Response::Swapped => Outcome::Done,
        Response::Opaque
        | Response::Opened { .. }
        | Response::Closed
        | Response::Stale
        | Response::SessionExpired => unreachable!("no client returns with that"),
    };
    Return { client: u64::from(process), number, outcome, index: returned.served }
}
