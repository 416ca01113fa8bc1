//! A client, input by input.

use super::channel::Seeded;
use super::value;
use crate::kv::{
    Answer, Asked, Body, Client, ClientTimer, Command, Decision, Draws, Input, Key, Mix, Operation, Output,
    Purpose, ReadKind, ReadMix, Request, RequestId, Response, Returned, SessionId, Value, Workload,
};
use sim_core::Span;
use std::collections::BTreeSet;

/// Draws always 0: key 0, server 0, the next server of those that are left.
#[derive(Debug)]
struct Zero;

impl Draws for Zero {
    fn below(&mut self, _: Decision, bound: u64) -> u64 {
        assert!(bound > 0, "there is something to draw from");
        0
    }
}

const NONE: Mix = Mix { get: 0, put: 0, cas: 0, append: 0, delete: 0 };
pub(super) const PUTS: Mix = Mix { put: 1, ..NONE };
const APPENDS: Mix = Mix { append: 1, ..NONE };
const CASES: Mix = Mix { cas: 1, ..NONE };
const GETS: Mix = Mix { get: 1, ..NONE };
pub(super) const TIMEOUT: Span = Span::from_millis(80);

/// A client, and hands to drive it with.
pub(super) struct Driven {
    pub(super) client: Client,
}

impl Driven {
    /// Client 1 of 4, of three servers.
    pub(super) fn new(mix: Mix, by: ReadKind, operations: u32) -> Self {
        let mut reads = ReadMix { log: 0, read_index: 0, lease: 0, follower: 0, local: 0 };
        match by {
            ReadKind::Log => reads.log = 1,
            ReadKind::ReadIndex => reads.read_index = 1,
            ReadKind::Lease => reads.lease = 1,
            ReadKind::Follower => reads.follower = 1,
            ReadKind::Local => reads.local = 1,
        }
        let (think, start) = ((Span::from_millis(1), Span::from_millis(2)), Span::from_millis(10));
        let workload =
            Workload { operations, mix, reads, timeout: TIMEOUT, think, start, ..Workload::default() };
        Self { client: Client::new(1, 3, workload) }
    }

    /// One that called its first put; the session is 5, the request is the second.
    fn calling(mix: Mix) -> Self {
        let mut driven = Self::new(mix, ReadKind::Log, 3);
        driven.step(Input::Start);
        driven.fire(ClientTimer::Think);
        driven.opened(1, 5);
        driven
    }

    pub(super) fn step(&mut self, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        self.client.step(input, &mut Zero, &mut out);
        out
    }

    pub(super) fn fire(&mut self, timer: ClientTimer) -> Vec<Output> {
        self.step(Input::Fired(timer))
    }

    pub(super) fn reply(&mut self, request: u64, attempt: u32, answer: Answer) -> Vec<Output> {
        self.step(Input::Reply { id: RequestId { request, attempt }, answer })
    }

    pub(super) fn opened(&mut self, request: u64, session: u64) -> Vec<Output> {
        self.reply(request, 0, Answer::Done(Response::Opened { session: SessionId(session) }))
    }

    pub(super) fn done(&mut self, request: u64, response: Response) -> Vec<Output> {
        self.reply(request, 0, Answer::Done(response))
    }

    /// The next operation, in the session that there is, answered like this.
    fn next(&mut self, request: u64, response: Response) -> Vec<Output> {
        let mut out = self.fire(ClientTimer::Think);
        out.extend(self.done(request, response));
        out
    }
}

pub(super) fn send(server: u16, (request, attempt): (u64, u32), body: Body) -> Output {
    Output::Send { server, request: Request { id: RequestId { request, attempt }, body } }
}

pub(super) fn command(session: u64, number: u64, operation: Operation) -> Body {
    Body::Log(Command { session: SessionId(session), number, operation })
}

pub(super) fn opening(process: u64, request: u64) -> Body {
    command(0, process << 32 | request, Operation::OpenSession)
}

fn put(number: u64) -> Operation {
    Operation::Put { key: Key(0), value: own(number) }
}

fn own(number: u64) -> Value {
    value(&format!("1.{number};"))
}

pub(super) fn timer(timer: ClientTimer, min: Span, max: Span, epoch: u64) -> Output {
    Output::SetTimer { timer, min, max, epoch }
}

pub(super) fn timeout(epoch: u64) -> Output {
    timer(ClientTimer::Timeout, TIMEOUT, TIMEOUT, epoch)
}

fn think(epoch: u64) -> Output {
    timer(ClientTimer::Think, Span::from_millis(1), Span::from_millis(2), epoch)
}

pub(super) fn over() -> [Output; 2] {
    [ClientTimer::Timeout, ClientTimer::GiveUp].map(Output::CancelTimer)
}

fn returned(number: u64, response: Response) -> Output {
    Output::Return { process: 1, number, returned: Returned { response, served: None } }
}

/// Where and what it sends, and the session.
pub(super) fn sent(out: &[Output]) -> Option<(u16, RequestId, &Body)> {
    out.iter().find_map(|output| match output {
        Output::Send { server, request } => Some((*server, request.id, &request.body)),
        Output::SetTimer { .. }
        | Output::CancelTimer(_)
        | Output::Call { .. }
        | Output::Return { .. }
        | Output::Unknown { .. }
        | Output::Refused { .. }
        | Output::Done => None,
    })
}

pub(super) fn to(out: &[Output]) -> Option<u16> {
    sent(out).map(|(server, ..)| server)
}

#[test]
fn a_client_thinks_opens_a_session_calls_and_thinks_again() {
    let mut driven = Driven::new(PUTS, ReadKind::Log, 2);
    let first = timer(ClientTimer::Think, Span::from_millis(11), Span::from_millis(12), 1);
    assert_eq!(driven.step(Input::Start), [first]);
    // To open a session is no operation: nothing is called yet.
    let open = opening(1, 1);
    assert_eq!(driven.fire(ClientTimer::Think), [send(0, (1, 0), open), timeout(1)]);
    assert!(!driven.client.is_pending());
    let call = |number| Output::Call { process: 1, number, asked: Asked::Write(put(number)) };
    let give_up = |number| timer(ClientTimer::GiveUp, Span::from_secs(2), Span::from_secs(2), number);
    let asks = |number, request| send(0, (request, 0), command(5, number, put(number)));
    assert_eq!(driven.opened(1, 5), [call(1), give_up(1), asks(1, 2), timeout(1)]);
    let [forget, give_up_no_more] = over();
    let answered = driven.done(2, Response::Written);
    assert_eq!(answered, [returned(1, Response::Written), forget, give_up_no_more, think(2)]);
    assert_eq!(driven.fire(ClientTimer::Think), [call(2), give_up(2), asks(2, 3), timeout(2)]);
    let [forget, give_up_no_more] = over();
    let close = send(0, (4, 0), command(5, 3, Operation::CloseSession));
    let last = [returned(2, Response::Written), forget, give_up_no_more, close, Output::Done];
    assert_eq!(driven.done(3, Response::Written), last);
    assert!(driven.client.is_done());
}

#[test]
fn a_retry_goes_to_another_server_with_the_same_session_and_number() {
    let mut driven = Driven::calling(PUTS);
    for (attempt, server) in [(1, 1), (2, 2), (3, 0)] {
        let again = send(server, (2, attempt), command(5, 1, put(1)));
        assert_eq!(driven.fire(ClientTimer::Timeout), [again, timeout(1)]);
    }
    // The answer to any attempt is the answer.
    assert_eq!(driven.done(2, Response::Written)[0], returned(1, Response::Written));
    // Who answered an old attempt is not known to lead.
    assert_eq!(to(&driven.fire(ClientTimer::Think)), Some(0));
}

#[test]
fn a_hint_is_followed_at_once_and_whoever_answers_is_asked_first_next_time() {
    let mut driven = Driven::calling(PUTS);
    let again = send(2, (2, 1), command(5, 1, put(1)));
    assert_eq!(driven.reply(2, 0, Answer::NotLeader { hint: Some(2) }), [again, timeout(1)]);
    driven.reply(2, 1, Answer::Done(Response::Written));
    assert_eq!(to(&driven.fire(ClientTimer::Think)), Some(2));
}

#[test]
fn hints_that_lead_in_circles_or_nowhere_are_not_followed_for_long() {
    let mut driven = Driven::calling(PUTS);
    let wait = [timer(ClientTimer::Timeout, Span::from_millis(10), Span::from_millis(20), 1)];
    for attempt in 0..3 {
        let hint = Some(if attempt % 2 == 0 { 1 } else { 0 });
        assert_eq!(to(&driven.reply(2, attempt, Answer::NotLeader { hint })), hint);
    }
    assert_eq!(driven.reply(2, 3, Answer::NotLeader { hint: Some(0) }), wait);
    // While it waits, refusals change nothing; answers do.
    assert_eq!(driven.reply(2, 3, Answer::NotLeader { hint: Some(2) }), []);
    assert_eq!(driven.reply(2, 3, Answer::Unavailable), []);
    assert_eq!(to(&driven.fire(ClientTimer::Timeout)), Some(2));
    // Nobody, itself, a server that does not exist.
    for (attempt, hint, next) in [(4, None, 0), (5, Some(0), 1), (6, Some(3), 2)] {
        assert_eq!(driven.reply(2, attempt, Answer::NotLeader { hint }), wait);
        assert_eq!(to(&driven.fire(ClientTimer::Timeout)), Some(next));
    }
    assert_eq!(driven.reply(2, 7, Answer::Unavailable), wait);
}

#[test]
fn late_answers_and_stray_timers_change_nothing() {
    let mut driven = Driven::calling(PUTS);
    driven.fire(ClientTimer::Timeout);
    let before = driven.client.clone();
    for input in [
        Input::Start,
        Input::Fired(ClientTimer::Think),
        // A refusal of an earlier attempt.
        Input::Reply {
            id: RequestId { request: 2, attempt: 0 },
            answer: Answer::NotLeader { hint: Some(2) },
        },
        // Answers to the request before, and to one that was never made.
        Input::Reply { id: RequestId { request: 1, attempt: 0 }, answer: Answer::SessionExpired },
        Input::Reply { id: RequestId { request: 9, attempt: 0 }, answer: Answer::Done(Response::Written) },
        // An answer to another question.
        Input::Reply {
            id: RequestId { request: 2, attempt: 0 },
            answer: Answer::Read { value: None, index: 1 },
        },
    ] {
        assert_eq!(driven.step(input), []);
    }
    assert_eq!(driven.client, before);
    driven.done(2, Response::Written);
    let before = driven.client.clone();
    for timer in [ClientTimer::Timeout, ClientTimer::GiveUp] {
        assert_eq!(driven.fire(timer), []);
    }
    assert_eq!(driven.done(2, Response::Written), []);
    assert_eq!(driven.client, before);
}

#[test]
fn who_gives_up_goes_on_as_somebody_else_in_another_session() {
    let mut driven = Driven::calling(PUTS);
    let [forget, give_up_no_more] = over();
    let unknown = Output::Unknown { process: 1, number: 1 };
    assert_eq!(driven.fire(ClientTimer::GiveUp), [unknown, forget, give_up_no_more, think(2)]);
    // The process is four further on: as many as there are clients.
    assert_eq!(driven.client.process(), 5);
    assert_eq!(driven.done(2, Response::Written), [], "too late");
    let open = driven.fire(ClientTimer::Think);
    assert_eq!(sent(&open).map(|(.., body)| body.clone()), Some(opening(5, 3)));
    let called = driven.opened(3, 9);
    assert_eq!(called[0], Output::Call { process: 5, number: 2, asked: Asked::Write(put(2)) });
    assert_eq!(sent(&called).map(|(.., body)| body.clone()), Some(command(9, 2, put(2))));
}

#[test]
fn a_write_whose_session_expired_is_unknown_and_not_tried_again() {
    for answer in
        [Answer::SessionExpired, Answer::Done(Response::SessionExpired), Answer::Done(Response::Stale)]
    {
        let mut driven = Driven::calling(APPENDS);
        let out = driven.reply(2, 0, answer);
        assert_eq!((&out[0], sent(&out)), (&Output::Unknown { process: 1, number: 1 }, None));
        assert_eq!(driven.client.process(), 5);
    }
}

#[test]
fn a_read_whose_session_expired_is_asked_again_in_another() {
    let mut driven = Driven::calling(GETS);
    let out = driven.reply(2, 0, Answer::SessionExpired);
    assert_eq!(out, [send(0, (3, 0), opening(1, 3)), timeout(1)]);
    assert!(driven.client.is_pending());
    // The call stands, and its time runs on.
    assert_eq!(
        driven.opened(3, 9),
        [send(0, (4, 0), command(9, 1, Operation::Get { key: Key(0) })), timeout(1)]
    );
    let value = Response::Value(Some(value("x")));
    assert_eq!(driven.done(4, value.clone())[0], returned(1, value));
    // Or it runs out.
    let mut driven = Driven::calling(GETS);
    driven.reply(2, 0, Answer::SessionExpired);
    assert_eq!(driven.fire(ClientTimer::GiveUp)[0], Output::Unknown { process: 1, number: 1 });
}

#[test]
fn to_open_a_session_is_tried_until_it_works() {
    let mut driven = Driven::new(PUTS, ReadKind::Log, 1);
    driven.step(Input::Start);
    driven.fire(ClientTimer::Think);
    for attempt in 1..100 {
        let out = driven.fire(ClientTimer::Timeout);
        let id = RequestId { request: 1, attempt };
        assert_eq!(sent(&out).map(|(_, id, _)| id), Some(id));
        assert_eq!(driven.fire(ClientTimer::GiveUp), [], "there is nothing to give up");
    }
    assert!(matches!(driven.opened(1, 5)[0], Output::Call { process: 1, number: 1, .. }));
}

#[test]
fn every_opening_has_bytes_of_its_own_and_all_its_attempts_have_the_same() {
    let mut openings = BTreeSet::new();
    for id in 0..4 {
        let workload = Workload { mix: PUTS, ..Workload::default() };
        let mut driven = Driven { client: Client::new(id, 3, workload) };
        driven.step(Input::Start);
        let bytes = |out: &[Output]| match sent(out) {
            Some((.., Body::Log(command))) => command.encode(),
            other => panic!("{other:?}"),
        };
        // As one process, and after it gave up as another.
        for _ in 0..2 {
            let first = driven.fire(ClientTimer::Think);
            let again = driven.fire(ClientTimer::Timeout);
            assert_eq!(bytes(&first), bytes(&again));
            assert!(openings.insert(bytes(&first)), "client {id}");
            let (_, RequestId { request, .. }, _) = sent(&first).expect("it asks");
            driven.opened(request, 5);
            driven.fire(ClientTimer::GiveUp);
        }
    }
    assert_eq!(openings.len(), 8);
}

#[test]
fn reads_outside_the_log_need_no_session() {
    for by in [ReadKind::ReadIndex, ReadKind::Lease, ReadKind::Follower, ReadKind::Local] {
        let mut driven = Driven::new(GETS, by, 1);
        driven.step(Input::Start);
        let out = driven.fire(ClientTimer::Think);
        let asked = Asked::Read { key: Key(0), by };
        assert_eq!(out[0], Output::Call { process: 1, number: 1, asked });
        assert_eq!(out[2], send(0, (1, 0), Body::Read { key: Key(0), by }));
        let again = driven.fire(ClientTimer::Timeout);
        assert_eq!(again[0], send(1, (1, 1), Body::Read { key: Key(0), by }));
        let out = driven.reply(1, 0, Answer::Read { value: Some(value("x")), index: 7 });
        let returned = Returned { response: Response::Value(Some(value("x"))), served: Some(7) };
        assert_eq!(out[0], Output::Return { process: 1, number: 1, returned });
        assert_eq!((sent(&out), out.last()), (None, Some(&Output::Done)), "there is no session to close");
    }
}

#[test]
fn a_compare_and_set_expects_what_was_seen_last() {
    let cas = |driven: &mut Driven, request, expected: Option<Value>, response| {
        let out = driven.next(request, response);
        let Some(Output::Call { number, asked: Asked::Write(operation), .. }) = out.first() else {
            panic!("{out:?}");
        };
        let value = own(*number);
        assert_eq!(*operation, Operation::Cas { key: Key(0), expected, value });
    };
    let mut driven = Driven::new(CASES, ReadKind::Log, 9);
    driven.step(Input::Start);
    driven.fire(ClientTimer::Think);
    // Never seen: expected to be absent.
    let called = driven.opened(1, 5);
    let absent = Operation::Cas { key: Key(0), expected: None, value: own(1) };
    assert_eq!(called[0], Output::Call { process: 1, number: 1, asked: Asked::Write(absent) });
    driven.done(2, Response::Unswapped(Some(value("x"))));
    cas(&mut driven, 3, Some(value("x")), Response::Swapped);
    cas(&mut driven, 4, Some(own(2)), Response::Unswapped(None));
    cas(&mut driven, 5, None, Response::Unswapped(Some(value("y"))));
    // What is unknown changes nothing about what was seen.
    driven.fire(ClientTimer::Think);
    driven.fire(ClientTimer::GiveUp);
    driven.fire(ClientTimer::Think);
    let called = driven.opened(7, 6);
    let Output::Call { asked: Asked::Write(Operation::Cas { expected, .. }), .. } = &called[0] else {
        panic!("{called:?}");
    };
    assert_eq!(*expected, Some(value("y")));
}

#[test]
fn a_stop_lets_what_was_called_finish_and_begins_nothing() {
    // Before the start, while thinking, while opening: done at once.
    let mut driven = Driven::new(PUTS, ReadKind::Log, 3);
    assert_eq!(driven.step(Input::Stop), [Output::Done]);
    let mut driven = Driven::new(PUTS, ReadKind::Log, 3);
    driven.step(Input::Start);
    assert_eq!(driven.step(Input::Stop), [Output::CancelTimer(ClientTimer::Think), Output::Done]);
    let mut driven = Driven::new(PUTS, ReadKind::Log, 3);
    driven.step(Input::Start);
    driven.fire(ClientTimer::Think);
    assert_eq!(driven.step(Input::Stop), [Output::CancelTimer(ClientTimer::Timeout), Output::Done]);
    assert_eq!(driven.opened(1, 5), [], "it is done");
    // With something called: when that is over, one way or the other.
    let mut driven = Driven::calling(PUTS);
    assert_eq!(driven.step(Input::Stop), []);
    assert_eq!(to(&driven.fire(ClientTimer::Timeout)), Some(1), "it is still tried");
    assert_eq!(driven.done(2, Response::Written).last(), Some(&Output::Done));
    let mut driven = Driven::calling(PUTS);
    driven.step(Input::Stop);
    let [forget, give_up_no_more] = over();
    let unknown = Output::Unknown { process: 1, number: 1 };
    assert_eq!(driven.fire(ClientTimer::GiveUp), [unknown, forget, give_up_no_more, Output::Done]);
    assert_eq!(driven.step(Input::Stop), [], "once is enough");
}

#[test]
fn a_client_that_was_stopped_goes_on_where_it_was() {
    let ends = |driven: &mut Driven| assert_eq!(driven.step(Input::Stop).last(), Some(&Output::Done));
    let mut driven = Driven::new(PUTS, ReadKind::Log, 2);
    driven.step(Input::Start);
    // Stopped while it thought, and while it opened a session: the first operation is still to come.
    ends(&mut driven);
    assert_eq!((driven.client.operation(), driven.client.is_done()), (0, true));
    assert_eq!(driven.step(Input::Start), [think(1)]);
    driven.fire(ClientTimer::Think);
    ends(&mut driven);
    assert_eq!(driven.step(Input::Start), [think(1)]);
    let open = driven.fire(ClientTimer::Think);
    assert_eq!(sent(&open).map(|(.., body)| body.clone()), Some(opening(1, 2)));
    assert!(matches!(driven.opened(2, 5)[0], Output::Call { process: 1, number: 1, .. }));
    // Stopped in the middle of an operation and started before that is over: as if nothing had been.
    driven.step(Input::Stop);
    assert_eq!(driven.step(Input::Start), []);
    assert_eq!(driven.done(3, Response::Written).last(), Some(&think(2)));
    // The session was closed, so that a new one is opened, by the same process.
    ends(&mut driven);
    driven.step(Input::Start);
    let open = driven.fire(ClientTimer::Think);
    assert_eq!(sent(&open).map(|(.., body)| body.clone()), Some(opening(1, 5)));
    assert!(matches!(driven.opened(5, 9)[0], Output::Call { process: 1, number: 2, .. }));
    assert_eq!(driven.done(6, Response::Written).last(), Some(&Output::Done));
    // There is nothing left to go on with.
    assert_eq!(driven.step(Input::Stop), []);
    assert_eq!(driven.step(Input::Start), []);
    assert!(driven.client.is_done());
}

#[test]
fn a_client_with_one_server_asks_it_again() {
    let workload = Workload { mix: PUTS, ..Workload::default() };
    let mut driven = Driven { client: Client::new(0, 1, workload) };
    driven.step(Input::Start);
    assert_eq!(to(&driven.fire(ClientTimer::Think)), Some(0));
    assert_eq!(to(&driven.fire(ClientTimer::Timeout)), Some(0));
}

#[test]
fn an_operation_is_drawn_from_its_number_alone() {
    let keyed = |client, operation, purpose, ordinal| Decision { client, operation, purpose, ordinal };
    let base = keyed(1, 2, Purpose::Key, 3);
    let others = [
        keyed(0, 2, Purpose::Key, 3),
        keyed(1, 3, Purpose::Key, 3),
        keyed(1, 2, Purpose::Server, 3),
        keyed(1, 2, Purpose::Key, 2),
    ];
    let number = |decision| Seeded(1).below(decision, u64::MAX);
    assert!(others.into_iter().all(|other| number(other) != number(base)));
    let purposes = [
        Purpose::Operation,
        Purpose::Key,
        Purpose::ReadKind,
        Purpose::Server,
        Purpose::OpenServer,
        Purpose::CloseServer,
    ];
    let codes: Vec<u32> = purposes.iter().map(|purpose| keyed(0, 0, *purpose, 0).purpose_code()).collect();
    assert_eq!(codes, [0, 1, 2, 3, 4, 5]);
}
