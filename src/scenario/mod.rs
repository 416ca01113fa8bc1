//! Scenario files: what they can say, how they are read, and what is said about a bad one.
//!
//! Owns the format and its checks. Knows nothing of how a scenario is carried out.

mod bounds;
mod check;
mod document;
mod error;
mod excerpt;
mod flow;
mod form;
mod link;
mod name;
mod options;
mod path;
mod predicate;
mod read;
#[cfg(test)]
mod round_trip;
mod schema;
mod seed;
mod shorthand;
mod step;
mod suggest;
#[cfg(test)]
mod suites;
mod target;

pub use bounds::{Count, TermRef};
pub use document::{End, Expect, Live, NODES_MAX, Scenario};
pub use error::{Problem, ScenarioError};
pub use flow::{Answer, Assert, Branch, If, Propose, Repeat};
pub use form::MessageKind;
pub use link::{Clog, Cut, DeliverOne, DropPending, Ends, Held, HeldLinks, Hold, Isolate, Links, Partition};
pub use name::{Name, RESERVED};
pub use options::{
    DiskOptions, Fate, LinkRule, MessagePin, NetworkOptions, NodeKey, Pin, RaftChange, RaftOptions,
    StorageOptions, TimeoutPin,
};
pub use predicate::{
    Among, Committed, CommittedAt, CountOf, Elapsed, IndexIs, MessageBytes, Messages, NotCommitted, Of,
    Predicate, RoleIs, SingleLeader, TermIs, VoteIs,
};
pub use read::SIZE_MAX;
pub use schema::schema;
pub use seed::Seed;
pub use step::{Always, Bind, Nodes, Pick, Sleep, Step, Until, WITHIN_DEFAULT};
pub use target::Target;
