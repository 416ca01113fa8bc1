//! A small world for clients: servers of which one leads, a single machine behind them, and a channel that loses, delays
//! and doubles. Everything follows from a seed.

use crate::kv::{
    Answer, Applied, Asked, Body, Client, ClientTimer, Command, Config, Decision, Draws, Input, Key, Machine,
    Operation, Output, ReadKind, Request, RequestId, Returned, Script, ScriptOptions, SessionId, Value,
    Workload,
};
use sim_core::{Digest, Span, Stream};
use std::collections::BTreeMap;

/// Draws that are a function of the decision and a seed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seeded(pub(super) u64);

impl Draws for Seeded {
    fn below(&mut self, which: Decision, bound: u64) -> u64 {
        assert!(bound > 0, "there is something to draw from");
        let mut digest = Digest::new();
        digest.pair(self.0, u64::from(which.client) << 32 | u64::from(which.purpose_code()));
        digest.word(which.which());
        digest.value() % bound
    }
}

/// What the channel does, and how the servers are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weather {
    /// Messages that are lost, of 100.
    pub(super) loss: u64,
    /// Messages that arrive twice, of 100.
    pub(super) duplicate: u64,
    /// The longest delay of a message, in milliseconds.
    pub(super) delay: u64,
    /// The longest time that a server leads, in milliseconds.
    pub(super) reign: u64,
    pub(super) sessions_max: u32,
    /// After how many entries the machine is replaced by what its snapshot restores.
    pub(super) snapshot_every: usize,
    /// When all are told to stop, in milliseconds.
    pub(super) stop_at: Option<u64>,
    /// The bug that sessions are there against: each arrival of a command counts as a new one.
    pub(super) forgets: bool,
    /// The operations that every client leaves out.
    pub(super) without: &'static [u64],
    /// How many scripts each of two further clients does.
    pub(super) scripts: u64,
    /// Whether those know that requests may arrive twice.
    pub(super) knows_doubles: bool,
}

/// How many clients do scripts, if any do.
pub(super) const SCRIPTED: u16 = 2;

pub(super) const CALM: Weather = Weather {
    loss: 0,
    duplicate: 0,
    delay: 5,
    reign: 100_000,
    sessions_max: 64,
    snapshot_every: usize::MAX,
    stop_at: None,
    forgets: false,
    without: &[],
    scripts: 0,
    knows_doubles: true,
};

pub(super) const STORM: Weather =
    Weather { loss: 15, duplicate: 20, delay: 400, reign: 700, sessions_max: 64, snapshot_every: 7, ..CALM };

/// What the history tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// With the index applied at the time.
    Call {
        process: u32,
        number: u64,
        asked: Asked,
        applied: u64,
    },
    Return {
        process: u32,
        number: u64,
        returned: Returned,
    },
    Unknown {
        process: u32,
        number: u64,
    },
    Refused {
        process: u32,
        number: u64,
    },
    Stop,
}

enum Event {
    Request { client: usize, server: u16, request: Request },
    Reply { client: usize, id: RequestId, answer: Answer },
    Fire { client: usize, timer: ClientTimer, set: u64 },
    Do { client: usize, script: Script },
    Lead,
    Stop,
}

/// A run, and what is left of it.
pub(super) struct Channel {
    weather: Weather,
    stream: Stream,
    draws: Seeded,
    now: u64,
    events: BTreeMap<(u64, u64), Event>,
    ordinal: u64,
    leader: u16,
    pub(super) clients: Vec<Client>,
    timers: BTreeMap<(usize, ClientTimer), u64>,
    pub(super) machine: Machine,
    pub(super) log: Vec<Vec<u8>>,
    pub(super) applied: Vec<Applied>,
    pub(super) history: Vec<Told>,
    /// Which commands were sent for an operation.
    pub(super) sent: BTreeMap<(u32, u64), Vec<(SessionId, u64)>>,
    /// How many scripts are still to be handed out.
    ahead: u64,
}

const SERVERS: u16 = 3;
const MS: u64 = 1_000_000;
/// No run takes longer, in milliseconds.
const END: u64 = 600_000;

impl Channel {
    /// Runs `workload` in `weather` until every client is done.
    pub(super) fn run(workload: &Workload, weather: &Weather, seed: u64) -> Self {
        let scripted = if weather.scripts > 0 { SCRIPTED } else { 0 };
        let clients = workload.clients + scripted;
        let options = ScriptOptions { clients, timeout: workload.timeout, doubles: weather.knows_doubles };
        let client = |id| {
            if id >= workload.clients {
                return Client::scripted(id, SERVERS, options);
            }
            let client = Client::new(id, SERVERS, workload.clone()).among(clients);
            client.without(weather.without.iter().copied())
        };
        let mut channel = Self {
            weather: *weather,
            stream: Stream::new(seed, "channel", 0),
            draws: Seeded(seed),
            now: 0,
            events: BTreeMap::new(),
            ordinal: 0,
            leader: 0,
            clients: (0..clients).map(client).collect(),
            timers: BTreeMap::new(),
            machine: Machine::new(Config::new(weather.sessions_max).expect("it is within the limit")),
            log: Vec::new(),
            applied: Vec::new(),
            history: Vec::new(),
            sent: BTreeMap::new(),
            ahead: 0,
        };
        channel.later(0, Event::Lead);
        if let Some(at) = weather.stop_at {
            channel.later(at * MS, Event::Stop);
        }
        for client in 0..channel.clients.len() {
            channel.tell(client, Input::Start);
        }
        for id in workload.clients..clients {
            channel.hand_out(id, workload);
        }
        while let Some(((now, _), event)) = channel.events.pop_first() {
            if channel.is_over(usize::from(workload.clients)) {
                break;
            }
            assert!(now < END * MS, "the clients come to an end");
            channel.now = now;
            channel.handle(event);
        }
        for client in usize::from(workload.clients)..channel.clients.len() {
            channel.tell(client, Input::Stop);
        }
        channel
    }

    /// Whether the workload is done, and so are the scripts.
    fn is_over(&self, drawn: usize) -> bool {
        let (drawn, scripted) = self.clients.split_at(drawn);
        let is_idle = |client: &Client| !client.is_pending() && client.queued() == 0;
        drawn.iter().all(Client::is_done) && self.ahead == 0 && scripted.iter().all(is_idle)
    }

    /// Plans a client's scripts: everything, at any server or a certain one.
    fn hand_out(&mut self, id: u16, workload: &Workload) {
        let mut stream = Stream::new(self.draws.0, "scripts", u64::from(id));
        for number in 1..=self.weather.scripts {
            let key = Key(u32::try_from(stream.below(u64::from(workload.keys))).expect("it is small"));
            let value = Value::from(format!("{id}.{number};").as_str());
            let by =
                [ReadKind::Log, ReadKind::ReadIndex, ReadKind::Lease, ReadKind::Follower, ReadKind::Local];
            let kind = usize::try_from(stream.below(10)).expect("it is small");
            let asked = match by.get(kind) {
                Some(by) => Asked::Read { key, by: *by },
                None => Asked::Write(Operation::Append { key, value }),
            };
            let to = u16::try_from(stream.below(u64::from(SERVERS) + 1)).expect("it is small");
            let within = Span::from_millis(stream.between(1, 2_000));
            let script = Script { asked, to: Some(to).filter(|to| *to < SERVERS), within };
            self.later(
                stream.below(self.weather.scripts * 500 * MS),
                Event::Do { client: id.into(), script },
            );
            self.ahead += 1;
        }
    }

    fn later(&mut self, delay: u64, event: Event) {
        self.ordinal += 1;
        self.events.insert((self.now + delay, self.ordinal), event);
    }

    fn happens(&mut self, percent: u64) -> bool {
        self.stream.below(100) < percent
    }

    /// Sends a message: it arrives never, once or twice.
    fn deliver(&mut self, event: impl Fn() -> Event) {
        let copies = if self.happens(self.weather.duplicate) { 2 } else { 1 };
        for _ in 0..copies {
            let delay = self.stream.between(MS, self.weather.delay * MS);
            if !self.happens(self.weather.loss) {
                self.later(delay, event());
            }
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Request { client, server, request } => self.serve(client, server, &request),
            Event::Reply { client, id, answer } => self.tell(client, Input::Reply { id, answer }),
            Event::Fire { client, timer, set } => {
                if self.timers.get(&(client, timer)) == Some(&set) {
                    self.timers.remove(&(client, timer));
                    self.tell(client, Input::Fired(timer));
                }
            }
            Event::Do { client, script } => {
                self.ahead -= 1;
                self.tell(client, Input::Do(script));
            }
            Event::Lead => {
                self.leader = u16::try_from(self.stream.below(u64::from(SERVERS))).expect("it is a server");
                let reign = self.stream.between(1, self.weather.reign * MS);
                self.later(reign, Event::Lead);
            }
            Event::Stop => {
                self.history.push(Told::Stop);
                for client in 0..self.clients.len() {
                    self.tell(client, Input::Stop);
                }
            }
        }
    }

    fn serve(&mut self, client: usize, server: u16, request: &Request) {
        let anywhere = matches!(request.body, Body::Read { by: ReadKind::Follower | ReadKind::Local, .. });
        let answer = if server != self.leader && !anywhere {
            // A hint may be right, wrong or missing.
            let hint = match self.stream.below(4) {
                0 => None,
                1 => u16::try_from(self.stream.below(9)).ok(),
                _ => Some(self.leader),
            };
            Answer::NotLeader { hint }
        } else if self.weather.loss > 0 && self.happens(5) {
            Answer::Unavailable
        } else {
            match &request.body {
                Body::Log(command) => {
                    let response = self.apply(command).response;
                    // The leader may have lost its place by the time that it could say.
                    if self.weather.loss > 0 && self.happens(5) {
                        Answer::Unavailable
                    } else {
                        Answer::Done(response)
                    }
                }
                Body::Read { key, .. } => {
                    Answer::Read { value: self.machine.read(*key).cloned(), index: self.machine.applied() }
                }
            }
        };
        let id = request.id;
        self.deliver(|| Event::Reply { client, id, answer: answer.clone() });
    }

    fn apply(&mut self, command: &Command) -> Applied {
        let mut command = command.clone();
        let index = self.log.len() as u64 + 1;
        if self.weather.forgets && command.operation != Operation::OpenSession {
            command.number = index;
        }
        let bytes = command.encode();
        let applied = self.machine.apply(index, &bytes);
        self.log.push(bytes);
        self.applied.push(applied.clone());
        if self.log.len().is_multiple_of(self.weather.snapshot_every) {
            self.machine = Machine::restore(&self.machine.snapshot()).expect("a machine wrote it");
        }
        applied
    }

    fn tell(&mut self, client: usize, input: Input) {
        let mut out = Vec::new();
        self.clients[client].step(input, &mut self.draws, &mut out);
        for output in out {
            match output {
                Output::Send { server, request } => {
                    assert!(server < SERVERS, "the server exists");
                    self.remember(client, &request);
                    self.deliver(|| Event::Request { client, server, request: request.clone() });
                }
                Output::SetTimer { timer, min, max, .. } => {
                    let delay = self.stream.span(min, max);
                    assert!(delay >= min && max < Span::from_secs(END), "the range is a range");
                    self.later(delay.nanos(), Event::Fire { client, timer, set: self.ordinal + 1 });
                    self.timers.insert((client, timer), self.ordinal);
                }
                Output::CancelTimer(timer) => {
                    self.timers.remove(&(client, timer));
                }
                Output::Call { process, number, asked } => {
                    let applied = self.machine.applied();
                    self.history.push(Told::Call { process, number, asked, applied });
                }
                Output::Return { process, number, returned } => {
                    self.history.push(Told::Return { process, number, returned });
                }
                Output::Unknown { process, number } => self.history.push(Told::Unknown { process, number }),
                Output::Refused { process, number, .. } => {
                    self.history.push(Told::Refused { process, number });
                }
                Output::Done => assert!(self.clients[client].is_done()),
            }
        }
    }

    fn remember(&mut self, client: usize, request: &Request) {
        if let Body::Log(command) = &request.body
            && self.clients[client].is_pending()
            && command.operation != Operation::OpenSession
        {
            let operation = (self.clients[client].process(), command.number);
            let sent = self.sent.entry(operation).or_default();
            if sent.last() != Some(&(command.session, command.number)) {
                sent.push((command.session, command.number));
            }
        }
    }
}
