//! What Raft promises, asked of the node through its public interface.
//!
//! Tables named T1 to T5c and tests named after etcd-io/raft come from its `raft_test.go` and
//! `raft_paper_test.go`.

mod chaos;
mod chunks;
mod durability;
mod election;
mod follower;
mod leader;
mod membership;
#[cfg(feature = "mutations")]
mod mutations;
mod nonsense;
mod options;
mod reads;
mod snapshot;
mod spec;
mod timers;
mod transfer;
mod world;
