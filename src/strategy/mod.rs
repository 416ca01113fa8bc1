//! Strategies for your own property tests with proptest, and the checks that end them.
//!
//! proptest draws; the executor runs what was drawn. What breaks in a cluster is shrunk by us, not by proptest, which knows
//! nothing of what depends on what in a run: the failure is written as a capsule, and its message holds the line that replays
//! it.
//!
//! ```no_run
//! use proptest::prelude::*;
//! use seaworthy::strategy::{check, scenario};
//!
//! proptest! {
//!     #[test]
//!     fn my_cluster_is_seaworthy(scenario in scenario()) {
//!         check(&scenario)?;
//!     }
//! }
//! ```
//!
//! | to fuzz | draw | end with |
//! |---|---|---|
//! | a cluster of ours | [`scenario`], [`drawn`], or a scenario of yours with parts of it | [`check`] |
//! | parts of a scenario | [`fault_plan`], [`proposals`], [`workload`], [`raft_options`] | [`scenario_of`] |
//! | a state machine of yours | [`shrinking_scenario`] with its commands | [`check_machine`] |
//! | a node or a protocol of yours | a [`fault_plan`] | [`play`], and what you know of it |

mod check;
mod faults;
mod machine;
mod scenarios;

pub use check::{FOLDER, check, check_in};
pub use faults::{Disturbance, LASTING_MIN, disturbance, fault_plan, play};
pub use machine::{StateMachine, check_machine};
pub use scenarios::{
    HORIZON, Proposal, drawn, proposals, proposals_of, raft_options, scenario, scenario_of,
    shrinking_scenario, workload,
};
