//! What a client makes of answers.
//!
//! Owns the way from an answer to an outcome. Must not know who is asked next when there is none.

use crate::kv::client::exchange::{Exchange, Phase, Stage};
use crate::kv::client::{Client, HOPS_MAX, Job};
use crate::kv::draws::Draws;
use crate::kv::response::Response;
use crate::kv::script::{Finished, Outcome, Script};
use crate::kv::wire::{Answer, Asked, ClientTimer, Output, ReadKind, RequestId, Returned};
use sim_core::Span;

impl Client {
    pub(super) fn reply(
        &mut self,
        id: RequestId,
        answer: Answer,
        draws: &mut impl Draws,
        out: &mut Vec<Output>,
    ) {
        let only = self.phase.only();
        let Some(exchange) =
            self.phase.exchange_mut().copied().filter(|exchange| exchange.id.request == id.request)
        else {
            return;
        };
        let is_last = exchange.id.attempt == id.attempt && !exchange.waits;
        match answer {
            Answer::NotLeader { hint } if only.is_some() => self.turned_away(exchange, hint, draws, out),
            // What an earlier attempt was refused is old news; what it was answered is an answer.
            Answer::NotLeader { hint } => {
                if is_last {
                    self.sent_on(exchange, hint, out);
                }
            }
            Answer::Unavailable => {
                if is_last {
                    self.wait(out);
                }
            }
            Answer::SessionExpired => self.done(Response::SessionExpired, draws, out),
            Answer::Done(response) => {
                if is_last {
                    self.leader = Some(exchange.server);
                }
                self.done(response, draws, out);
            }
            Answer::Read { value, index } => {
                if let Phase::Asking { script: Script { asked: Asked::Read { by, .. }, .. }, .. } =
                    &self.phase
                    && *by != ReadKind::Log
                {
                    if is_last && !by.is_by_anybody() {
                        self.leader = Some(exchange.server);
                    }
                    self.complete(Response::Value(value), Some(index), draws, out);
                }
            }
        }
    }

    /// Who leads, as far as a server that does not lead can tell.
    fn hinted(&mut self, exchange: Exchange, hint: Option<u16>) -> Option<u16> {
        if self.leader == Some(exchange.server) {
            self.leader = None;
        }
        hint.filter(|hint| *hint < self.servers && *hint != exchange.server)
    }

    /// Asks the server that was named, or waits.
    fn sent_on(&mut self, exchange: Exchange, hint: Option<u16>, out: &mut Vec<Output>) {
        match self.hinted(exchange, hint) {
            Some(hint) if exchange.hops < HOPS_MAX => {
                self.leader = Some(hint);
                self.again(hint, exchange.hops + 1, out);
            }
            Some(_) | None => self.wait(out),
        }
    }

    /// The one server that the script names does not lead. The operation surely did not happen if this was the answer to
    /// all that was ever sent of it.
    fn turned_away(
        &mut self,
        exchange: Exchange,
        hint: Option<u16>,
        draws: &mut impl Draws,
        out: &mut Vec<Output>,
    ) {
        self.leader = self.hinted(exchange, hint).or(self.leader);
        let is_certain = match &self.phase {
            Phase::Asking { script, exchange } => {
                let may_return = self.may_double() && matches!(script.asked, Asked::Write(_));
                exchange.is_fresh() && !may_return
            }
            phase @ Phase::Opening { .. } => !phase.has_sent(),
            Phase::Idle | Phase::Thinking | Phase::Done => unreachable!("somebody was asked"),
        };
        let outcome = if is_certain { Outcome::Refused { leader: hint } } else { Outcome::Unknown };
        self.end(outcome, draws, out);
    }

    const fn may_double(&self) -> bool {
        matches!(self.job, Job::Scripted { doubles: true, .. })
    }

    /// A command was applied.
    fn done(&mut self, response: Response, draws: &mut impl Draws, out: &mut Vec<Output>) {
        match (core::mem::replace(&mut self.phase, Phase::Idle), response) {
            (Phase::Opening { script, stage, .. }, Response::Opened { session }) => {
                self.session = Some(session);
                match stage {
                    Stage::Planned => self.call(script, draws, out),
                    Stage::Called | Stage::Sent => self.ask(script, draws, out),
                }
            }
            // To read again does no harm, so that the call can stand.
            (
                Phase::Asking { script: script @ Script { asked: Asked::Read { .. }, .. }, .. },
                Response::SessionExpired,
            ) => {
                self.session = None;
                self.open(script, Stage::Sent, draws, out);
            }
            (phase @ Phase::Asking { .. }, response) => {
                self.phase = phase;
                match response {
                    Response::SessionExpired | Response::Stale => self.end(Outcome::Unknown, draws, out),
                    Response::Value(_)
                    | Response::Written
                    | Response::Swapped
                    | Response::Unswapped(_)
                    | Response::Length(_)
                    | Response::Deleted { .. } => self.complete(response, None, draws, out),
                    Response::Opaque | Response::Opened { .. } | Response::Closed => {}
                }
            }
            (phase, _) => self.phase = phase,
        }
    }

    fn complete(
        &mut self,
        response: Response,
        served: Option<u64>,
        draws: &mut impl Draws,
        out: &mut Vec<Output>,
    ) {
        if let (Phase::Asking { script, .. }, Job::Drawn(drawn)) = (&self.phase, &mut self.job) {
            drawn.seen.learn(&script.asked, &response);
        }
        self.end(Outcome::Returned(Returned { response, served }), draws, out);
    }

    /// The operation is over. Who does not know how goes on as somebody else.
    pub(super) fn end(&mut self, outcome: Outcome, draws: &mut impl Draws, out: &mut Vec<Output>) {
        let (process, number) = (self.process, self.number);
        out.push(match outcome.clone() {
            Outcome::Returned(returned) => Output::Return { process, number, returned },
            Outcome::Unknown => Output::Unknown { process, number },
            Outcome::Refused { leader } => Output::Refused { process, number, leader },
        });
        if outcome == Outcome::Unknown {
            self.process += u32::from(self.clients);
            self.session = None;
        }
        self.last = Some(Finished { number, outcome });
        self.phase = Phase::Idle;
        out.push(Output::CancelTimer(ClientTimer::Timeout));
        out.push(Output::CancelTimer(ClientTimer::GiveUp));
        self.go_on(Span::ZERO, draws, out);
    }
}
