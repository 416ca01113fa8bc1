//! How a client asks: whom, what, and whom next.
//!
//! Owns the way from an operation to requests. Must not know what answers mean.

use crate::kv::client::exchange::{Exchange, Phase, Stage};
use crate::kv::client::{Client, below};
use crate::kv::command::{Command, Operation, SessionId};
use crate::kv::draws::{Draws, Purpose};
use crate::kv::script::Script;
use crate::kv::wire::{Asked, Body, ClientTimer, Output, ReadKind, Request, RequestId};
use sim_core::Span;

impl Client {
    /// Tells the history, and asks, in a new session if there is none.
    pub(super) fn call(&mut self, script: Script, draws: &mut impl Draws, out: &mut Vec<Output>) {
        out.push(Output::Call { process: self.process, number: self.number, asked: script.asked.clone() });
        out.push(self.timer(ClientTimer::GiveUp, script.within, script.within));
        if self.session.is_none() && script.asked.is_logged() {
            self.open(script, Stage::Called, draws, out);
        } else {
            self.ask(script, draws, out);
        }
    }

    pub(super) fn open(
        &mut self,
        script: Script,
        stage: Stage,
        draws: &mut impl Draws,
        out: &mut Vec<Output>,
    ) {
        let exchange = self.first(script.to.or(self.leader), Purpose::OpenServer, draws);
        self.phase = Phase::Opening { script, stage, exchange };
        self.send(out);
    }

    pub(super) fn ask(&mut self, script: Script, draws: &mut impl Draws, out: &mut Vec<Output>) {
        let anywhere = matches!(script.asked, Asked::Read { by, .. } if by.is_by_anybody());
        let known = script.to.or_else(|| self.leader.filter(|_| !anywhere));
        let exchange = self.first(known, Purpose::Server, draws);
        self.phase = Phase::Asking { script, exchange };
        self.send(out);
    }

    /// The first attempt at something new.
    pub(super) fn first(&mut self, known: Option<u16>, purpose: Purpose, draws: &mut impl Draws) -> Exchange {
        self.requests += 1;
        let server = known.unwrap_or_else(|| below(draws, self.decision(purpose, 0), self.servers));
        Exchange { id: RequestId { request: self.requests, attempt: 0 }, server, hops: 0, waits: false }
    }

    /// Sends what the phase asks for and waits for the answer.
    fn send(&self, out: &mut Vec<Output>) {
        let (body, exchange) = match &self.phase {
            Phase::Opening { exchange, .. } => (self.opening(exchange.id.request), exchange),
            Phase::Asking { script, exchange } => (self.body(&script.asked), exchange),
            Phase::Idle | Phase::Thinking | Phase::Done => unreachable!("nothing is asked for"),
        };
        out.push(Output::Send { server: exchange.server, request: Request { id: exchange.id, body } });
        out.push(self.timer(ClientTimer::Timeout, self.timeout, self.timeout));
    }

    /// Bytes that no other client and no other opening has, or a server that waits for them to be applied would take one
    /// for the other and give two clients one session. All attempts have the same.
    fn opening(&self, request: u64) -> Body {
        assert!(request >> 32 == 0, "a client asks for less than 2^32 things");
        let number = u64::from(self.process) << 32 | request;
        Body::Log(Command { session: SessionId::NONE, number, operation: Operation::OpenSession })
    }

    fn body(&self, asked: &Asked) -> Body {
        let operation = match asked {
            Asked::Read { key, by: ReadKind::Log } => Operation::Get { key: *key },
            Asked::Read { key, by } => return Body::Read { key: *key, by: *by },
            Asked::Write(operation) => operation.clone(),
        };
        let session = self.session.expect("what goes through the log waits for a session");
        Body::Log(Command { session, number: self.number, operation })
    }

    /// The answer did not come, or one that was put off has had its time: asks the same again, of another server unless
    /// the script names one.
    pub(super) fn ask_another(&mut self, draws: &mut impl Draws, out: &mut Vec<Output>) {
        let purpose =
            if matches!(self.phase, Phase::Opening { .. }) { Purpose::OpenServer } else { Purpose::Server };
        let only = self.phase.only();
        let Some(exchange) = self.phase.exchange_mut() else {
            return;
        };
        let Exchange { id, server, .. } = *exchange;
        if self.leader == Some(server) {
            self.leader = None;
        }
        let attempt = id.attempt.saturating_add(1);
        let server = match only.or(self.leader) {
            Some(known) => known,
            None if self.servers == 1 => 0,
            None => {
                let step = below(draws, self.decision(purpose, attempt), self.servers - 1);
                (server + 1 + step) % self.servers
            }
        };
        self.again(server, 0, out);
    }

    pub(super) fn again(&mut self, server: u16, hops: u32, out: &mut Vec<Output>) {
        if let Some(exchange) = self.phase.exchange_mut() {
            exchange.id.attempt = exchange.id.attempt.saturating_add(1);
            *exchange = Exchange { id: exchange.id, server, hops, waits: false };
            self.send(out);
        }
    }

    /// Gives the cluster time to agree on a leader: an eighth to a quarter of the timeout.
    pub(super) fn wait(&mut self, out: &mut Vec<Output>) {
        if let Some(exchange) = self.phase.exchange_mut() {
            exchange.waits = true;
            let share = |parts: u64| Span::from_nanos((self.timeout.nanos() / parts).max(1));
            out.push(self.timer(ClientTimer::Timeout, share(8), share(4)));
        }
    }
}
