//! Seaworthy: a deterministic discrete-event simulator for Raft clusters.

pub mod adapter;
#[cfg(feature = "cli")]
pub mod campaign;
pub mod capsule;
pub mod chain;
#[cfg(feature = "cli")]
pub mod cli;
pub mod execute;
pub mod fuzz;
pub mod inevitable;
pub mod kv;
pub mod ledger;
pub mod linear;
pub mod mirror;
pub mod oracles;
pub mod record;
pub mod report;
pub mod scenario;
pub mod shrink;
#[cfg(feature = "strategy")]
pub mod strategy;
pub mod view;
pub mod violation;

/// The version of what a seed means. It is raised whenever the digest of any run changes, so that a seed and a digest
/// from another version are not taken for this one's.
pub const SIM_VERSION: u32 = 7;
