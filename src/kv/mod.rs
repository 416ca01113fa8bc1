//! A replicated key-value machine with sessions, its clients and their workloads.
//!
//! Owns what a command means, how a client asks, and what it is told. Must not know how commands are replicated, nor in
//! which world machine and clients live: both are plain data that is handed inputs and gives back values.

mod bytes;
mod client;
mod command;
mod draws;
mod effect;
mod machine;
mod response;
mod script;
mod session;
mod snapshot;
mod store;
#[cfg(test)]
mod tests;
mod value;
mod wire;
mod workload;

pub use client::Client;
pub use command::{Command, Key, Operation, SessionId};
pub use draws::{Decision, Draws, Purpose};
pub use effect::{Applied, Effect};
pub use machine::{Config, ConfigError, Machine, SESSIONS_MAX_DEFAULT, SESSIONS_MAX_LIMIT};
pub use response::Response;
pub use script::{Finished, Outcome, Script, ScriptOptions};
pub use snapshot::RestoreError;
pub use value::Value;
pub use wire::{Answer, Asked, Body, ClientTimer, Input, Output, ReadKind, Request, RequestId, Returned};
pub use workload::{Mix, ReadMix, Workload, Wrong};
