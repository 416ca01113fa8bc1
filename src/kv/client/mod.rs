//! A client: one operation at a time, retried until it is answered or given up.
//!
//! Owns what a client does next. Must not know time, chance, the network or the machine: it is handed inputs and draws
//! and gives back outputs.
//!
//! A retry of a command keeps its session and number, so that it takes effect once however often it arrives. When a
//! session expired, or time is up, nobody can tell whether a write took effect; then its outcome is unknown, the process
//! that called it calls no more, and the client goes on as a new process with a new session (as clients of Jepsen do).

mod ask;
mod choice;
mod exchange;
mod hear;
mod job;
mod seen;

use crate::kv::client::choice::choose;
use crate::kv::client::exchange::{Phase, Stage};
use crate::kv::client::job::{Drawn, Job};
use crate::kv::client::seen::Seen;
use crate::kv::command::{Command, Operation, SessionId};
use crate::kv::draws::{Decision, Draws, Purpose};
use crate::kv::script::{Finished, Outcome, Script, ScriptOptions};
use crate::kv::wire::{Asked, Body, ClientTimer, Input, Output, Request};
use crate::kv::workload::Workload;
use sim_core::Span;
use std::collections::{BTreeSet, VecDeque};

/// How many hints are followed before a client waits for things to settle.
const HOPS_MAX: u32 = 3;

/// A client as a pure state machine.
///
/// One of a [workload](Self::new) draws what it asks. It comes to an end by itself if the cluster answers; to open a
/// session it tries forever, so that a host whose cluster may be dead must [stop](Input::Stop) it. One of
/// [scripts](Self::scripted) does what it is told, and ends when it is stopped; every script comes to an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    id: u16,
    servers: u16,
    /// How many clients there are in all.
    clients: u16,
    timeout: Span,
    job: Job,
    phase: Phase,
    stops: bool,
    /// The name under which it calls: its id, and the number of clients more for each time that it gave up.
    process: u32,
    /// The operation that it is at; 0 before the first.
    number: u64,
    /// How many things it has asked of servers.
    requests: u64,
    session: Option<SessionId>,
    leader: Option<u16>,
    last: Option<Finished>,
}

impl Client {
    /// Client `id` of the workload, which asks servers 0 to `servers` - 1.
    ///
    /// # Panics
    ///
    /// If there is no server, no such client, or the workload makes no sense (see [`Workload::check`]).
    #[must_use]
    pub fn new(id: u16, servers: u16, workload: Workload) -> Self {
        assert_eq!(workload.check(), [], "the workload makes sense");
        let (clients, timeout) = (workload.clients, workload.timeout);
        let job = Job::Drawn(Drawn { workload, omitted: BTreeSet::new(), seen: Seen::default() });
        Self::with(id, servers, clients, timeout, job)
    }

    /// Client `id`, which asks servers 0 to `servers` - 1 for what it is told to [do](Input::Do), one script at a time.
    ///
    /// Other than a client of a workload it calls before it opens a session, so that a script takes no longer than it
    /// may.
    ///
    /// # Panics
    ///
    /// If there is no server, no such client, or no time to wait for an answer.
    #[must_use]
    pub fn scripted(id: u16, servers: u16, options: ScriptOptions) -> Self {
        let ScriptOptions { clients, timeout, doubles } = options;
        assert!(timeout > Span::ZERO, "there is time to wait for an answer");
        Self::with(id, servers, clients, timeout, Job::Scripted { queue: VecDeque::new(), doubles })
    }

    fn with(id: u16, servers: u16, clients: u16, timeout: Span, job: Job) -> Self {
        assert!(servers > 0, "there is somebody to ask");
        assert!(id < clients, "client {id} of {clients}");
        Self {
            id,
            servers,
            clients,
            timeout,
            job,
            phase: Phase::Idle,
            stops: false,
            process: u32::from(id),
            number: 0,
            requests: 0,
            session: None,
            leader: None,
            last: None,
        }
    }

    /// The same client among `clients` in all, of which others do scripts: no two ever call as the same process.
    ///
    /// # Panics
    ///
    /// If there were more already.
    #[must_use]
    pub fn among(mut self, clients: u16) -> Self {
        assert!(clients >= self.clients, "{clients} clients in all, {} of them of one kind", self.clients);
        self.clients = clients;
        self
    }

    /// The same client, which leaves out the operations of these numbers. What is drawn for the others stays as it was.
    /// Scripts are never left out.
    #[must_use]
    pub fn without(mut self, numbers: impl IntoIterator<Item = u64>) -> Self {
        if let Job::Drawn(drawn) = &mut self.job {
            drawn.omitted.extend(numbers);
        }
        self
    }

    /// Its number among the clients.
    #[must_use]
    pub const fn id(&self) -> u16 {
        self.id
    }

    /// The process as which it calls now. No two clients ever call as the same one.
    #[must_use]
    pub const fn process(&self) -> u32 {
        self.process
    }

    /// The number of the operation that it is at or was at last; 0 before the first.
    #[must_use]
    pub const fn operation(&self) -> u64 {
        self.number
    }

    /// Whether it called an operation that is not over.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        self.phase.has_called()
    }

    /// Whether there is something left that it does by itself: until it is done, or if it does scripts, until it has come to
    /// the end of those that it was handed.
    #[must_use]
    pub fn has_more_to_do(&self) -> bool {
        match &self.job {
            Job::Drawn(_) => !self.is_done(),
            Job::Scripted { queue, .. } => self.is_pending() || !self.is_done() && !queue.is_empty(),
        }
    }

    /// How many scripts wait for their turn.
    #[must_use]
    pub fn queued(&self) -> usize {
        match &self.job {
            Job::Drawn(_) => 0,
            Job::Scripted { queue, .. } => queue.len(),
        }
    }

    /// The operation that was over last, and how it ended; `None` before the first is.
    #[must_use]
    pub const fn last(&self) -> Option<&Finished> {
        self.last.as_ref()
    }

    /// Whether it does nothing more, unless it is started again.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self.phase, Phase::Done)
    }

    /// Takes in one input and says at the end of `out` what is to be done. Inputs that do not belong to what the client
    /// is at (late answers, timers that were cancelled) change nothing.
    ///
    /// # Panics
    ///
    /// If a client of a workload is handed a script, or the script asks a server that does not exist or for something
    /// about no key.
    pub fn step(&mut self, input: Input, draws: &mut impl Draws, out: &mut Vec<Output>) {
        match input {
            Input::Start => self.start(draws, out),
            Input::Do(script) => self.take(script, draws, out),
            Input::Fired(ClientTimer::Think) => {
                if self.phase == Phase::Thinking {
                    self.begin(draws, out);
                }
            }
            Input::Fired(ClientTimer::Timeout) => self.ask_another(draws, out),
            Input::Fired(ClientTimer::GiveUp) => {
                if self.phase.has_sent() {
                    self.end(Outcome::Unknown, draws, out);
                } else if self.is_pending() {
                    self.end(Outcome::Refused { leader: None }, draws, out);
                }
            }
            Input::Reply { id, answer } => self.reply(id, answer, draws, out),
            Input::Stop => self.stop(draws, out),
        }
    }

    fn start(&mut self, draws: &mut impl Draws, out: &mut Vec<Output>) {
        self.stops = false;
        match (&self.phase, &self.job) {
            (Phase::Idle, Job::Drawn(drawn)) => self.go_on(drawn.workload.start, draws, out),
            (Phase::Done, Job::Drawn(drawn)) => {
                if drawn.after(self.number).is_some() {
                    self.go_on(Span::ZERO, draws, out);
                }
            }
            (Phase::Idle | Phase::Done, Job::Scripted { .. }) => self.go_on(Span::ZERO, draws, out),
            (Phase::Thinking | Phase::Opening { .. } | Phase::Asking { .. }, _) => {}
        }
    }

    /// What was sent may have taken effect and is finished; all else ends here.
    fn stop(&mut self, draws: &mut impl Draws, out: &mut Vec<Output>) {
        self.stops = true;
        if self.is_done() || self.phase.has_sent() {
            return;
        }
        if self.is_pending() {
            self.end(Outcome::Refused { leader: None }, draws, out);
        } else {
            self.finish(draws, out);
        }
    }

    fn take(&mut self, script: Script, draws: &mut impl Draws, out: &mut Vec<Output>) {
        let Job::Scripted { queue, .. } = &mut self.job else {
            panic!("client {} has a workload, and was handed {script:?}", self.id);
        };
        assert!(script.to.is_none_or(|to| to < self.servers), "one of {} servers: {script:?}", self.servers);
        if let Asked::Write(operation) = &script.asked {
            assert!(operation.key().is_some(), "about a key: {script:?}");
        }
        queue.push_back(script);
        if self.phase == Phase::Idle {
            self.go_on(Span::ZERO, draws, out);
        }
    }

    /// Nothing is under way. Does what comes next, if anything does; waits `pause` and the time of thought before an
    /// operation that it draws.
    fn go_on(&mut self, pause: Span, draws: &mut impl Draws, out: &mut Vec<Output>) {
        if self.stops {
            return self.finish(draws, out);
        }
        match &mut self.job {
            Job::Drawn(drawn) => {
                let Some(next) = drawn.after(self.number) else {
                    return self.finish(draws, out);
                };
                let (min, max) = drawn.workload.think;
                self.number = next;
                self.phase = Phase::Thinking;
                out.push(self.timer(ClientTimer::Think, pause.plus(min), pause.plus(max)));
            }
            Job::Scripted { queue, .. } => match queue.pop_front() {
                Some(script) => {
                    self.number += 1;
                    self.call(script, draws, out);
                }
                None => self.phase = Phase::Idle,
            },
        }
    }

    /// Draws an operation, and calls it once there is a session for it.
    fn begin(&mut self, draws: &mut impl Draws, out: &mut Vec<Output>) {
        let Job::Drawn(Drawn { workload, seen, .. }) = &self.job else {
            unreachable!("scripts need no thought");
        };
        let asked = choose(workload, seen, self.decision(Purpose::Operation, 0), draws);
        let script = Script { asked, to: None, within: workload.give_up };
        if self.session.is_none() && script.asked.is_logged() {
            self.open(script, Stage::Planned, draws, out);
        } else {
            self.call(script, draws, out);
        }
    }

    /// Ends. A session is closed on the way out; if that is lost, the machine lets it expire. An operation that was not
    /// called is left for the next start.
    fn finish(&mut self, draws: &mut impl Draws, out: &mut Vec<Output>) {
        let is_ahead = match self.phase {
            Phase::Thinking => {
                out.push(Output::CancelTimer(ClientTimer::Think));
                true
            }
            Phase::Opening { .. } => {
                out.push(Output::CancelTimer(ClientTimer::Timeout));
                true
            }
            Phase::Idle | Phase::Asking { .. } | Phase::Done => false,
        };
        self.phase = Phase::Done;
        if let Some(session) = self.session.take() {
            let exchange = self.first(self.leader, Purpose::CloseServer, draws);
            let command = Command { session, number: self.number + 1, operation: Operation::CloseSession };
            let request = Request { id: exchange.id, body: Body::Log(command) };
            out.push(Output::Send { server: exchange.server, request });
        }
        self.number -= u64::from(is_ahead);
        out.push(Output::Done);
    }

    const fn timer(&self, timer: ClientTimer, min: Span, max: Span) -> Output {
        Output::SetTimer { timer, min, max, epoch: self.number }
    }

    const fn decision(&self, purpose: Purpose, ordinal: u32) -> Decision {
        Decision { client: self.id, operation: self.number, purpose, ordinal }
    }
}

fn below(draws: &mut impl Draws, which: Decision, bound: u16) -> u16 {
    u16::try_from(draws.below(which, u64::from(bound))).expect("it is below a number of 16 bits")
}
