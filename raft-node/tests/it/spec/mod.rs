//! The node against a small executable specification of Raft: clusters in which messages are lost, doubled and late, disks
//! slow, and nodes crash; after each step the node is what the specification is, says only what that may say, and leaves
//! nothing unsaid for good.

mod cluster;
mod rules;

use std::cell::Cell;

use cluster::{Action, Cluster};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use raft_node::Options;

/// What may happen. Mostly what has waited longest comes first, so that something comes about.
fn action() -> impl Strategy<Value = Action> {
    let node = || 0..5_u16;
    // Half of the time whoever leads, if anybody does.
    let leader = || 0..10_u16;
    let next = prop_oneof![3 => 0..3_usize, 1 => 0..64_usize];
    prop_oneof![
        100 => next.clone().prop_map(Action::Deliver),
        2 => next.clone().prop_map(Action::Double),
        3 => next.prop_map(Action::Lose),
        50 => (node(), 0..3_usize).prop_map(|(node, write)| Action::Written(node, write)),
        2 => node().prop_map(Action::ElectionTimeout),
        6 => leader().prop_map(Action::Heartbeat),
        12 => leader().prop_map(Action::Propose),
        1 => (node(), 0..4_usize).prop_map(|(node, kept)| Action::Crash(node, kept)),
        1 => prop::option::of(leader()).prop_map(Action::CutOff),
    ]
}

/// What changes how much is sent, and not what is allowed.
fn options() -> impl Strategy<Value = Options> {
    let per_append = prop_oneof![Just(64), 1..4_u32];
    let bytes = prop_oneof![Just(0), 1..64_u64];
    let in_flight = prop_oneof![Just((0, 0)), (0..3_u32, 0..40_u64)];
    (any::<bool>(), per_append, bytes, in_flight).prop_map(|(noop, entries, bytes, in_flight)| Options {
        noop_on_election: noop,
        entries_per_append_max: entries,
        bytes_per_append_max: bytes,
        in_flight_messages_max: in_flight.0,
        in_flight_bytes_max: in_flight.1,
        ..Options::default()
    })
}

fn runs() -> impl Strategy<Value = (u16, Options, Vec<Action>)> {
    (1..=5_u16, options(), prop::collection::vec(action(), 0..600))
}

/// The same cases in every run.
fn runner(config: Config, seed: u8) -> TestRunner {
    let config = Config { failure_persistence: None, ..config };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]))
}

fn follows(nodes: u16, options: &Options, actions: &[Action]) -> Result<(), TestCaseError> {
    let mut cluster = Cluster::new(nodes, options);
    actions.iter().try_for_each(|action| cluster.act(*action)).map_err(TestCaseError::fail)?;
    cluster.settle().map_err(TestCaseError::fail)
}

#[test]
fn a_node_becomes_and_says_what_the_specification_lets_it() {
    let check = |(nodes, options, actions): (u16, Options, Vec<Action>)| follows(nodes, &options, &actions);
    if let Err(broken) = runner(Config::with_cases(600), 1).run(&runs(), check) {
        panic!("{broken}");
    }
}

#[test]
fn what_is_drawn_comes_to_elections_commits_conflicts_and_crashes() {
    let counts = Cell::new(cluster::Counts::default());
    let count = |(nodes, options, actions): (u16, Options, Vec<Action>)| {
        let mut cluster = Cluster::new(nodes, &options);
        actions.iter().try_for_each(|action| cluster.act(*action)).map_err(TestCaseError::fail)?;
        counts.set(counts.get().and(cluster.counts));
        Ok(())
    };
    runner(Config::with_cases(200), 2).run(&runs(), count).unwrap();
    let counts = counts.into_inner();
    assert!(counts.elected > 200, "{counts:?}");
    assert!(counts.committed > 1_000, "{counts:?}");
    assert!(counts.cut > 10, "{counts:?}");
    assert!(counts.lost_writes > 10, "{counts:?}");
}

#[cfg(feature = "mutations")]
mod planted {
    use super::{Action, follows, runner, runs};
    use proptest::test_runner::Config;
    use raft_node::{Mutation, Options};

    /// What goes wrong only where there is more than figure 2: asking before standing, leases, reads, members, snapshots.
    const BEYOND: [Mutation; 24] = [
        Mutation::NoVoteForItself,
        Mutation::VotesOfPreVoteKept,
        Mutation::PreVoteNotRefused,
        Mutation::LeaseNotHeldUp,
        Mutation::ReadNotConfirmed,
        Mutation::ReadBeforeOwnCommit,
        Mutation::ReadJoinsOldRound,
        Mutation::FollowerReadsAlone,
        Mutation::LeaseNeverEnds,
        Mutation::LeaseFromAnswer,
        Mutation::LeaseOutlivesTransfer,
        Mutation::ChangeBeforeOwnCommit,
        Mutation::ChangesOverlap,
        Mutation::JointIsNew,
        Mutation::MembersNotTakenBack,
        Mutation::LearnerRefusesVote,
        Mutation::SnapshotOfLatestMembers,
        Mutation::MembersNotInstalled,
        Mutation::CompactedBeyondSnapshot,
        Mutation::OldSnapshotInstalled,
        Mutation::PartsInAnyOrder,
        Mutation::TailSurvivesInstall,
        Mutation::SnapshotNeverDone,
        Mutation::SnapshotNotSent,
    ];

    #[test]
    fn every_bug_in_figure_2_is_caught_by_the_specification() {
        let is_missed = |bug: &Mutation, cases: u32| {
            let check = |(nodes, options, actions): (u16, Options, Vec<Action>)| {
                follows(nodes, &Options { mutation: Some(*bug), ..options }, &actions)
            };
            runner(Config { max_shrink_iters: 0, ..Config::with_cases(cases) }, 1).run(&runs(), check).is_ok()
        };
        let (beyond, within): (Vec<Mutation>, Vec<Mutation>) =
            Mutation::ALL.into_iter().partition(|bug| BEYOND.contains(bug));
        let missed: Vec<Mutation> = within.into_iter().filter(|bug| is_missed(bug, 400)).collect();
        assert_eq!(missed, []);
        let caught: Vec<Mutation> = beyond.into_iter().filter(|bug| !is_missed(bug, 100)).collect();
        assert_eq!(caught, [], "they lie within");
    }
}
