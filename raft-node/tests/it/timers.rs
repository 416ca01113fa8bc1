//! When a timer is drawn anew, when it is armed as it was, and when it is not touched.

use crate::world::{Host, accepted, append, events, request_vote, timers, vote};
use raft_node::{Input, Message, Options, Output, Term, TimeoutRange, Timer};

#[test]
fn a_start_draws_an_election_timeout_and_nothing_else() {
    let mut host = Host::new(0, 3);
    let range = TimeoutRange { min_ns: 150_000_000, max_ns: 300_000_000 };
    let out = host.restart();
    assert_eq!(out.last(), Some(&Output::SetTimer { timer: Timer::Election, range }));
    assert_eq!(timers(&out).len(), 1);
    assert_eq!(events(&out), ["membership 0 voters=(0 1 2)"]);
}

#[test]
fn a_candidacy_draws_anew_each_time() {
    let mut host = Host::new(0, 3);
    for _ in 0..3 {
        assert_eq!(timers(&host.run(Input::TimerFired(Timer::Election))), ["set election"]);
    }
}

#[test]
fn a_leader_beats_at_a_fixed_interval_and_waits_for_nobody() {
    let mut host = Host::with(0, 3, 0, None, &[], Options { heartbeat_ns: 7, ..Options::default() });
    host.run(Input::Campaign);
    let out = host.hear(1, vote(1, true));
    assert_eq!(timers(&out), ["cancel election", "set heartbeat"]);
    let range = TimeoutRange { min_ns: 7, max_ns: 7 };
    assert!(out.contains(&Output::SetTimer { timer: Timer::Heartbeat, range }));
    for _ in 0..3 {
        assert_eq!(timers(&host.heartbeat()), ["rearm heartbeat"]);
    }
}

#[test]
fn a_follower_waits_anew_with_its_old_delay_when_it_hears_the_leader() {
    let mut host = Host::follower(1, &[]);
    assert_eq!(timers(&host.hear(1, append(1, 0, 0, &[], 0))), ["rearm election"]);
    assert_eq!(timers(&host.hear(1, append(1, 0, 0, &[1], 0))), ["rearm election"]);
    let mismatch = host.hear(1, append(1, 9, 1, &[], 0));
    assert_eq!(timers(&mismatch), ["rearm election"], "a leader lives, whether its log matches or not");
}

#[test]
fn a_new_term_draws_once_even_if_its_leader_is_heard_or_a_vote_is_granted() {
    for message in [append(2, 0, 0, &[], 0), append(2, 9, 1, &[], 0), request_vote(2, 0, 0)] {
        assert_eq!(timers(&Host::follower(1, &[]).hear(1, message)), ["set election"]);
    }
}

/// Else one whose log is behind, and who is impatient, could keep all others from standing for ever.
#[test]
fn a_new_term_without_a_leader_or_a_candidate_worth_a_vote_is_no_reason_to_wait_longer() {
    let mut host = Host::follower(1, &[1]);
    assert_eq!(timers(&host.hear(1, request_vote(2, 0, 0))), Vec::<String>::new());
    assert_eq!(timers(&host.hear(1, vote(3, false))), Vec::<String>::new());
    assert_eq!(timers(&host.hear(2, append(3, 1, 1, &[], 0))), ["set election"], "once there is one");
    assert_eq!(timers(&host.hear(2, append(3, 1, 1, &[], 0))), ["rearm election"]);
}

#[test]
fn a_vote_in_the_current_term_waits_anew_only_if_it_is_granted() {
    let mut host = Host::follower(1, &[1]);
    assert_eq!(timers(&host.hear(1, request_vote(1, 0, 0))), Vec::<String>::new());
    assert_eq!(timers(&host.hear(1, request_vote(1, 1, 1))), ["rearm election"]);
    assert_eq!(timers(&host.hear(1, request_vote(1, 1, 1))), ["rearm election"]);
    assert_eq!(timers(&host.hear(2, request_vote(1, 1, 1))), Vec::<String>::new());
}

#[test]
fn a_candidate_that_steps_down_in_its_term_draws_once() {
    let mut beaten = Host::new(0, 3);
    beaten.run(Input::Campaign);
    assert_eq!(timers(&beaten.hear(1, append(1, 0, 0, &[], 0))), ["set election"]);
    let mut refused = Host::new(0, 3);
    refused.run(Input::Campaign);
    assert_eq!(timers(&refused.hear(1, vote(1, false))), Vec::<String>::new());
    assert_eq!(timers(&refused.hear(2, vote(1, false))), ["set election"]);
}

#[test]
fn a_leader_that_steps_down_stops_beating_and_waits() {
    let mut host = Host::leader(3, 1, &[]);
    assert_eq!(timers(&host.hear(1, request_vote(2, 0, 0))), ["cancel heartbeat", "set election"]);
}

#[test]
fn messages_of_earlier_terms_and_answers_touch_no_timer() {
    let mut follower = Host::follower(4, &[]);
    for message in [append(3, 0, 0, &[], 0), request_vote(3, 9, 9), vote(3, true), accepted(3, 1)] {
        assert_eq!(timers(&follower.hear(1, message)), Vec::<String>::new());
    }
    let mut leader = Host::leader(3, 4, &[]);
    leader.propose("x=1");
    assert_eq!(timers(&leader.hear(1, accepted(4, 1))), Vec::<String>::new());
    assert_eq!(leader.commit(), 1);
}

#[test]
fn a_timer_that_is_not_waited_for_is_ignored() {
    let mut leader = Host::leader(3, 1, &[]);
    assert_eq!(leader.run(Input::TimerFired(Timer::Election)), []);
    let mut follower = Host::follower(1, &[]);
    assert_eq!(follower.run(Input::TimerFired(Timer::Heartbeat)), []);
    follower.run(Input::Campaign);
    assert_eq!(follower.run(Input::TimerFired(Timer::Heartbeat)), []);
}

/// Its predecessor told it to stand while its own word still held up the predecessor's lease.
#[test]
fn a_leader_that_was_told_to_stand_has_no_election_timer() {
    let options = Options { check_quorum: true, lease_reads: true, ..Options::default() };
    let mut host = Host::with(0, 3, 1, None, &[], options);
    host.hear(1, append(1, 0, 0, &[], 0));
    assert_eq!(
        timers(&host.run(Input::TimerFired(Timer::Election))),
        ["rearm election"],
        "it holds up a lease"
    );
    host.hear(1, Message::TimeoutNow { term: Term(1) });
    assert_eq!(timers(&host.hear(2, vote(2, true))), ["cancel election", "set heartbeat"]);
    assert_eq!(host.run(Input::TimerFired(Timer::Election)), [], "it ran out before it was cancelled");
}
