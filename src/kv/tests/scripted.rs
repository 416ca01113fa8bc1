//! A client that does scripts, input by input.

use super::client::{Driven, PUTS, TIMEOUT, command, opening, over, send, sent, timeout, timer, to};
use super::value;
use crate::kv::{
    Answer, Asked, Body, Client, ClientTimer, Finished, Input, Key, Operation, Outcome, Output, ReadKind,
    RequestId, Response, Returned, Script, ScriptOptions, SessionId, Workload,
};
use sim_core::Span;

const OPTIONS: ScriptOptions = ScriptOptions { clients: 4, timeout: TIMEOUT, doubles: false };
const WITHIN: Span = Span::from_secs(5);
const EVERYWHERE: [ReadKind; 2] = [ReadKind::Follower, ReadKind::Local];

/// Client 3 of 4, of three servers.
fn idle() -> Driven {
    Driven { client: Client::scripted(3, 3, OPTIONS) }
}

/// One that has session 5, opened at server 0 with its first request, and has returned its first put.
fn ready(options: ScriptOptions) -> Driven {
    let mut driven = Driven { client: Client::scripted(3, 3, options) };
    driven.put(Some(0));
    driven.opened(1, 5);
    driven.done(2, Response::Written);
    driven
}

fn put() -> Operation {
    Operation::Put { key: Key(1), value: value("x") }
}

fn script(asked: Asked, to: Option<u16>) -> Script {
    Script { asked, to, within: WITHIN }
}

fn read(by: ReadKind) -> Asked {
    Asked::Read { key: Key(1), by }
}

impl Driven {
    fn put(&mut self, to: Option<u16>) -> Vec<Output> {
        self.step(Input::Do(script(Asked::Write(put()), to)))
    }

    fn read(&mut self, by: ReadKind, to: Option<u16>) -> Vec<Output> {
        self.step(Input::Do(script(read(by), to)))
    }

    /// How the operation ended that is over.
    fn outcome(&self) -> Outcome {
        self.client.last().expect("something is over").outcome.clone()
    }
}

fn call(number: u64) -> Output {
    Output::Call { process: 3, number, asked: Asked::Write(put()) }
}

fn give_up(number: u64) -> Output {
    timer(ClientTimer::GiveUp, WITHIN, WITHIN, number)
}

fn refused(number: u64, leader: Option<u16>) -> Output {
    Output::Refused { process: 3, number, leader }
}

fn not_leader(hint: Option<u16>) -> Answer {
    Answer::NotLeader { hint }
}

fn written() -> Outcome {
    Outcome::Returned(Returned { response: Response::Written, served: None })
}

#[test]
fn a_script_is_called_at_once_and_waits_for_the_one_before() {
    let mut driven = idle();
    assert_eq!(driven.step(Input::Start), []);
    assert_eq!((driven.client.is_pending(), driven.client.queued(), driven.client.last()), (false, 0, None));
    assert!(!driven.client.has_more_to_do());
    // The call comes before the session, so that the time it may take counts from here.
    let open = send(0, (1, 0), opening(3, 1));
    assert_eq!(driven.put(None), [call(1), give_up(1), open, timeout(1)]);
    assert_eq!((driven.put(None), driven.read(ReadKind::Lease, Some(2))), (vec![], vec![]));
    assert_eq!((driven.client.is_pending(), driven.client.queued()), (true, 2));
    assert!(driven.client.has_more_to_do());
    assert_eq!(driven.opened(1, 5), [send(0, (2, 0), command(5, 1, put())), timeout(1)]);
    let [forget, give_up_no_more] = over();
    let returned = Returned { response: Response::Written, served: None };
    let told = Output::Return { process: 3, number: 1, returned };
    let asks = send(0, (3, 0), command(5, 2, put()));
    let next = [told, forget, give_up_no_more, call(2), give_up(2), asks, timeout(2)];
    assert_eq!(driven.done(2, Response::Written), next);
    assert_eq!(driven.client.last(), Some(&Finished { number: 1, outcome: written() }));
    // A lease is asked of the server that the script names.
    assert_eq!(to(&driven.done(3, Response::Written)), Some(2));
    let out = driven.reply(4, 0, Answer::Read { value: Some(value("x")), index: 9 });
    let returned = Returned { response: Response::Value(Some(value("x"))), served: Some(9) };
    assert_eq!(out[0], Output::Return { process: 3, number: 3, returned });
    assert_eq!((out.len(), driven.client.is_pending(), driven.client.is_done()), (3, false, false));
}

#[test]
fn without_a_server_a_script_is_asked_as_a_workload_asks() {
    let mut driven = ready(OPTIONS);
    driven.put(None);
    assert_eq!(to(&driven.reply(3, 0, not_leader(Some(2)))), Some(2));
    assert_eq!(to(&driven.fire(ClientTimer::Timeout)), Some(0));
    let [forget, give_up_no_more] = over();
    let unknown = Output::Unknown { process: 3, number: 2 };
    assert_eq!(driven.fire(ClientTimer::GiveUp), [unknown, forget, give_up_no_more]);
    // As many further on as there are clients, and in a session of its own.
    assert_eq!((driven.client.process(), driven.outcome()), (7, Outcome::Unknown));
    assert_eq!(sent(&driven.put(None)).map(|(.., body)| body.clone()), Some(opening(7, 4)));
}

#[test]
fn a_script_at_a_server_asks_nobody_else() {
    let mut driven = idle();
    let open = opening(3, 1);
    assert_eq!(sent(&driven.put(Some(2))).map(|(server, _, body)| (server, body.clone())), Some((2, open)));
    assert_eq!(driven.fire(ClientTimer::Timeout)[0], send(2, (1, 1), opening(3, 1)));
    driven.opened(1, 5);
    for attempt in 1..4 {
        let again = send(2, (2, attempt), command(5, 1, put()));
        assert_eq!(driven.fire(ClientTimer::Timeout), [again, timeout(1)]);
    }
    // A server that cannot say is asked again when it had its time.
    let wait = timer(ClientTimer::Timeout, Span::from_millis(10), Span::from_millis(20), 1);
    assert_eq!(driven.reply(2, 3, Answer::Unavailable), [wait]);
    assert_eq!(to(&driven.fire(ClientTimer::Timeout)), Some(2));
    driven.reply(2, 1, Answer::Done(Response::Written));
    assert_eq!(driven.outcome(), written());
}

#[test]
fn a_refusal_of_all_that_was_sent_is_certain_and_the_process_goes_on() {
    let mut driven = ready(OPTIONS);
    driven.put(Some(1));
    let [forget, give_up_no_more] = over();
    let out = driven.reply(3, 0, not_leader(Some(2)));
    assert_eq!(out, [refused(2, Some(2)), forget, give_up_no_more]);
    assert_eq!(
        driven.client.last(),
        Some(&Finished { number: 2, outcome: Outcome::Refused { leader: Some(2) } })
    );
    assert_eq!(driven.fire(ClientTimer::Timeout), []);
    // In the same session, with the next number; and whoever was named is asked first.
    let asks = send(2, (4, 0), command(5, 3, put()));
    assert_eq!(driven.put(None), [call(3), give_up(3), asks, timeout(3)]);
    // What is named is told as it was, and believed only if it makes sense.
    driven.done(4, Response::Written);
    for hint in [None, Some(9), Some(1)] {
        driven.read(ReadKind::ReadIndex, Some(1));
        let (request, number) = (driven.client.operation() + 1, driven.client.operation());
        assert_eq!(driven.reply(request, 0, not_leader(hint))[0], refused(number, hint));
    }
    assert_eq!(to(&driven.put(None)), Some(2));
}

#[test]
fn a_refusal_after_anything_else_is_not_certain() {
    let unknown = Output::Unknown { process: 3, number: 2 };
    // To the second attempt; late, to the first; after it was put off.
    for (input, attempt) in [
        (Input::Fired(ClientTimer::Timeout), 1),
        (Input::Fired(ClientTimer::Timeout), 0),
        (Input::Reply { id: RequestId { request: 3, attempt: 0 }, answer: Answer::Unavailable }, 0),
    ] {
        let mut driven = ready(OPTIONS);
        driven.put(Some(1));
        driven.step(input);
        assert_eq!(driven.reply(3, attempt, not_leader(None))[0], unknown);
        assert_eq!((driven.client.process(), driven.outcome()), (7, Outcome::Unknown));
    }
}

#[test]
fn where_requests_are_doubled_no_refusal_of_a_write_that_was_sent_is_certain() {
    let doubling = ScriptOptions { doubles: true, ..OPTIONS };
    let mut driven = ready(doubling);
    driven.put(Some(1));
    assert_eq!(driven.reply(3, 0, not_leader(Some(0)))[0], Output::Unknown { process: 3, number: 2 });
    // A read takes no effect however often it arrives.
    for by in [ReadKind::Log, ReadKind::ReadIndex] {
        let mut driven = ready(doubling);
        driven.read(by, Some(1));
        assert_eq!(driven.reply(3, 0, not_leader(Some(0)))[0], refused(2, Some(0)));
    }
    // What waited for a session was not sent.
    let mut driven = Driven { client: Client::scripted(3, 3, doubling) };
    driven.put(Some(1));
    assert_eq!(driven.reply(1, 0, not_leader(Some(0)))[0], refused(1, Some(0)));
}

#[test]
fn a_server_that_opens_no_session_refuses_what_was_to_be_done_in_it() {
    let mut driven = idle();
    driven.put(Some(1));
    // However often it was asked: a session that nobody uses is no effect.
    driven.fire(ClientTimer::Timeout);
    driven.reply(1, 1, Answer::Unavailable);
    driven.fire(ClientTimer::Timeout);
    assert_eq!(driven.reply(1, 0, not_leader(None))[0], refused(1, None));
    assert_eq!(driven.opened(1, 5), [], "too late");
    assert_eq!(sent(&driven.put(Some(1))).map(|(.., body)| body.clone()), Some(opening(3, 2)));
}

#[test]
fn time_ends_what_waits_for_a_session_as_if_it_had_not_been() {
    for to in [None, Some(1)] {
        let mut driven = idle();
        driven.put(to);
        driven.fire(ClientTimer::Timeout);
        let [forget, give_up_no_more] = over();
        assert_eq!(driven.fire(ClientTimer::GiveUp), [refused(1, None), forget, give_up_no_more]);
        assert_eq!((driven.client.process(), driven.client.is_pending()), (3, false));
        assert_eq!(driven.fire(ClientTimer::GiveUp), []);
    }
    // A read that was sent before its session expired was sent.
    let mut driven = ready(OPTIONS);
    driven.read(ReadKind::Log, None);
    driven.reply(3, 0, Answer::SessionExpired);
    assert_eq!(driven.fire(ClientTimer::GiveUp)[0], Output::Unknown { process: 3, number: 2 });
}

#[test]
fn a_read_by_anybody_is_asked_of_anybody_and_says_nothing_about_who_leads() {
    for by in EVERYWHERE {
        // The leader is known to be 2; whoever is drawn is asked all the same.
        let mut driven = ready(OPTIONS);
        driven.put(Some(2));
        driven.done(3, Response::Written);
        let out = driven.read(by, None);
        assert_eq!(out[2], send(0, (4, 0), Body::Read { key: Key(1), by }));
        driven.reply(4, 0, Answer::Read { value: None, index: 1 });
        assert_eq!(to(&driven.read(by, Some(1))), Some(1));
        driven.reply(5, 0, Answer::Read { value: None, index: 1 });
        assert_eq!(to(&driven.put(None)), Some(2));
    }
}

#[test]
fn a_stop_refuses_what_was_not_sent_and_a_start_goes_on_with_what_waits() {
    // With nothing to do: the session is closed.
    let mut driven = ready(OPTIONS);
    let close = send(0, (3, 0), command(5, 2, Operation::CloseSession));
    assert_eq!(driven.step(Input::Stop), [close, Output::Done]);
    assert_eq!(driven.put(None), [], "it waits");
    assert_eq!((driven.client.queued(), driven.client.is_done()), (1, true));
    assert!(!driven.client.has_more_to_do(), "until it is started again");
    // Waiting for a session: refused at once, and what waits stays.
    assert_eq!(driven.step(Input::Start)[0], call(2));
    driven.put(Some(1));
    let [forget, give_up_no_more] = over();
    assert_eq!(driven.step(Input::Stop), [refused(2, None), forget, give_up_no_more, Output::Done]);
    assert_eq!(driven.client.queued(), 1);
    // Sent: it is finished, and nothing else begun.
    assert_eq!(driven.step(Input::Start)[0], call(3));
    driven.opened(5, 9);
    driven.put(None);
    assert_eq!(driven.step(Input::Stop), []);
    assert_eq!(driven.done(6, Response::Written).last(), Some(&Output::Done));
    assert_eq!((driven.outcome(), driven.client.queued()), (written(), 1));
    // Started with nothing that waits, it is there for more.
    driven.step(Input::Start);
    driven.fire(ClientTimer::GiveUp);
    driven.step(Input::Stop);
    assert_eq!((driven.step(Input::Start), driven.client.is_done()), (vec![], false));
    assert!(matches!(driven.put(None)[0], Output::Call { number: 5, .. }));
}

#[test]
fn clients_of_scripts_and_of_workloads_are_never_the_same_process() {
    let workload = Workload { clients: 3, ..Workload::default() };
    let mut drawn = Client::new(0, 3, workload.clone()).among(4);
    let mut out = Vec::new();
    let mut processes = vec![drawn.process()];
    let mut request = 0;
    drawn.step(Input::Start, &mut super::channel::Seeded(1), &mut out);
    while processes.len() < 3 {
        let session = SessionId(processes.len() as u64);
        let mut step = |input| drawn.step(input, &mut super::channel::Seeded(1), &mut out);
        step(Input::Fired(ClientTimer::Think));
        request += 1;
        let id = RequestId { request, attempt: 0 };
        step(Input::Reply { id, answer: Answer::Done(Response::Opened { session }) });
        request += 1;
        step(Input::Fired(ClientTimer::GiveUp));
        processes.push(drawn.process());
    }
    assert_eq!(processes, [0, 4, 8]);
    assert_eq!(Client::scripted(3, 3, OPTIONS).process(), 3);
}

#[test]
#[should_panic(expected = "one of 3 servers")]
fn a_script_at_a_server_that_does_not_exist_is_a_mistake() {
    idle().put(Some(3));
}

#[test]
#[should_panic(expected = "about a key")]
fn a_script_that_closes_a_session_is_a_mistake() {
    idle().step(Input::Do(script(Asked::Write(Operation::CloseSession), None)));
}

#[test]
#[should_panic(expected = "client 1 has a workload")]
fn a_script_for_a_client_with_a_workload_is_a_mistake() {
    Driven::new(PUTS, ReadKind::Log, 1).put(None);
}
