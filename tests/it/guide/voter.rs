//! A node of one's own, judged by the oracles: here one that can do elections, and nothing else of Raft.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use seaworthy::oracles::Judge;
use seaworthy::record::{Hash64, MessageFacts, Note, Role};
use seaworthy::strategy::{Disturbance, HORIZON, fault_plan, play};
use seaworthy::violation::Violation;
use sim_core::{
    DiskQuality, DiskView, Effects, FileId, Label, Latency, LinkQuality, Process, ProcessId, Settings,
    Simulation, Span, TimerId, WriteId,
};

const ELECTION: TimerId = TimerId(0);
const HEARTBEAT: TimerId = TimerId(1);
const STATE: FileId = FileId(0);

#[derive(Clone, Copy, Debug)]
enum Message {
    RequestVote { term: u64 },
    Vote { term: u64, granted: bool },
    Heartbeat { term: u64 },
}

/// What the node has to say once its term and vote are durable.
#[derive(Clone, Copy, Debug)]
enum Then {
    Ask,
    Answer { to: ProcessId, granted: bool },
}

#[derive(Clone, Debug)]
struct Voter {
    /// Whether it answers before its vote is durable: a mistake.
    hurries: bool,
    term: u64,
    vote: Option<ProcessId>,
    role: Role,
    votes: u16,
    waiting: Vec<(WriteId, u64, Then)>,
}

impl Process for Voter {
    type Config = bool;
    type Message = Message;
    type Facts = MessageFacts;
    type Note = Note;
    type Request = ();
    const TIMERS: &'static [&'static str] = &["election", "heartbeat"];
    const FILES: &'static [&'static str] = &["state"];
    const KINDS: &'static [&'static str] = &["RequestVote", "RequestVoteResponse", "AppendEntries"];

    fn label(message: &Message) -> Label {
        let (kind, epoch) = match *message {
            Message::RequestVote { term } => (0, term),
            Message::Vote { term, .. } => (1, term),
            Message::Heartbeat { term } => (2, term),
        };
        Label { kind, epoch, bytes: 16 }
    }

    fn facts(message: &Message) -> MessageFacts {
        match *message {
            Message::RequestVote { term } => {
                MessageFacts::RequestVote { term, last_index: 0, last_term: 0, transfer: false }
            }
            Message::Vote { term, granted } => MessageFacts::RequestVoteResponse { term, granted },
            Message::Heartbeat { term } => {
                MessageFacts::AppendEntries { term, prev_index: 0, prev_term: 0, entries: 0, commit: 0 }
            }
        }
    }

    fn boot(_: ProcessId, _: u32, hurries: &bool, disk: &DiskView<'_>, fx: &mut Effects<'_, Self>) -> Self {
        let state: Option<(u64, Option<u16>)> = serde_json::from_slice(disk.read(STATE)).ok();
        let (term, vote) = state.map_or((0, None), |(term, vote)| (term, vote.map(ProcessId)));
        let last_hash = Hash64::default();
        fx.note(Note::Recovered { term, vote, last_index: 0, last_hash, snapshot: None });
        let mut voter =
            Self { hurries: *hurries, term, vote, role: Role::Follower, votes: 0, waiting: Vec::new() };
        voter.wait_for_leader(fx);
        voter
    }

    fn on_message(&mut self, from: ProcessId, message: Message, fx: &mut Effects<'_, Self>) {
        match message {
            Message::RequestVote { term } => {
                self.move_to(term, fx);
                let granted = term == self.term && self.vote.is_none_or(|vote| vote == from);
                if granted {
                    self.vote_for(from, fx);
                }
                self.save(Then::Answer { to: from, granted }, fx);
            }
            Message::Vote { term, granted } => {
                self.move_to(term, fx);
                if term == self.term && granted && self.role == Role::Candidate {
                    self.votes += 1;
                    if self.votes > fx.processes() / 2 {
                        self.become_(Role::Leader, fx);
                        self.send_heartbeats(fx);
                    }
                }
            }
            Message::Heartbeat { term } => {
                self.move_to(term, fx);
                if term == self.term && self.role != Role::Leader {
                    self.become_(Role::Follower, fx);
                    self.wait_for_leader(fx);
                }
            }
        }
    }

    fn on_timer(&mut self, timer: TimerId, fx: &mut Effects<'_, Self>) {
        match (timer, self.role) {
            (HEARTBEAT, Role::Leader) => self.send_heartbeats(fx),
            (ELECTION, Role::Follower | Role::Candidate) => {
                self.move_to(self.term + 1, fx);
                self.become_(Role::Candidate, fx);
                self.votes = 0;
                self.vote_for(fx.id(), fx);
                self.save(Then::Ask, fx);
                self.wait_for_leader(fx);
            }
            _ => {}
        }
    }

    fn on_durable(&mut self, write: WriteId, fx: &mut Effects<'_, Self>) {
        let done: Vec<_> = self.waiting.extract_if(.., |(issued, ..)| *issued <= write).collect();
        for (_, term, then) in done {
            self.say(term, then, fx);
        }
    }

    fn on_request(&mut self, (): (), _: &mut Effects<'_, Self>) {}
}

impl Voter {
    fn wait_for_leader(&mut self, fx: &mut Effects<'_, Self>) {
        fx.draw_timer(ELECTION, Span::from_millis(150), Span::from_millis(300), self.term);
    }

    fn send_heartbeats(&mut self, fx: &mut Effects<'_, Self>) {
        fx.broadcast(&Message::Heartbeat { term: self.term });
        fx.set_timer(HEARTBEAT, Span::from_millis(50));
    }

    fn become_(&mut self, role: Role, fx: &mut Effects<'_, Self>) {
        if self.role != role {
            self.role = role;
            fx.note(Note::Role { role, term: self.term });
        }
    }

    fn move_to(&mut self, term: u64, fx: &mut Effects<'_, Self>) {
        if term > self.term {
            (self.term, self.vote) = (term, None);
            fx.note(Note::Term { term });
            if self.role != Role::Follower {
                self.become_(Role::Follower, fx);
                self.wait_for_leader(fx);
            }
        }
    }

    fn vote_for(&mut self, candidate: ProcessId, fx: &mut Effects<'_, Self>) {
        self.vote = Some(candidate);
        fx.note(Note::Vote { term: self.term, candidate });
    }

    /// Writes term and vote, and says what rests on them when they are durable.
    fn save(&mut self, then: Then, fx: &mut Effects<'_, Self>) {
        let state = (self.term, self.vote.map(|vote| vote.0));
        let state = serde_json::to_vec(&state).expect("numbers are JSON");
        fx.replace(STATE, &state).expect("this disk has room");
        let write = fx.sync(self.term);
        fx.note(Note::Persist { write, hard: Some((self.term, self.vote)), log: None });
        if self.hurries {
            self.say(self.term, then, fx);
        } else {
            self.waiting.push((write, self.term, then));
        }
    }

    /// Says what was put off, unless another term has begun.
    fn say(&mut self, term: u64, then: Then, fx: &mut Effects<'_, Self>) {
        match then {
            _ if term != self.term => {}
            Then::Ask => {
                self.votes += 1;
                fx.broadcast(&Message::RequestVote { term });
            }
            Then::Answer { to, granted } => fx.send(to, Message::Vote { term, granted }),
        }
    }
}

/// Three of them, disturbed, and what is wrong then.
fn judged(plan: &[Disturbance], seed: u64, hurries: bool) -> (Vec<Violation>, u64) {
    let latency = Latency::Uniform(Span::from_millis(1), Span::from_millis(20));
    let settings = Settings {
        link: LinkQuality { latency, ..LinkQuality::default() },
        disk: DiskQuality { sync: latency, ..DiskQuality::default() },
        ..Settings::default()
    };
    let mut world: Simulation<Voter, Judge> =
        Simulation::new(&settings, vec![hurries; 3], seed, Judge::new(3));
    world.boot_all();
    play(&mut world, plan, HORIZON);
    (world.observer().violations().to_vec(), world.digest())
}

proptest! {
    #[test]
    fn my_voters_elect_one_leader_a_term(plan in fault_plan(3, HORIZON), seed: u64) {
        prop_assert_eq!(judged(&plan, seed, false).0, []);
    }
}

#[test]
fn a_voter_that_hurries_is_found() {
    let mut runner = TestRunner::new(crate::strategy::fixed(300));
    let result = runner.run(&(fault_plan(3, HORIZON), any::<u64>()), |(plan, seed)| {
        prop_assert_eq!(judged(&plan, seed, true).0, []);
        Ok(())
    });
    let told = result.expect_err("it answers before its vote is durable").to_string();
    assert!(told.contains("durable_vote") || told.contains("DurableVote"), "{told}");
}

#[test]
fn voters_elect_somebody_and_do_so_the_same_twice() {
    let (violations, digest) = judged(&[], 1, false);
    assert_eq!((violations, digest), judged(&[], 1, false));
}
