//! Scenario files: what they can say, how they are read, and what is said about a bad one.
//!
//! Owns the format and its checks. Knows nothing of how a scenario is carried out.

mod answer;
mod bounds;
mod check;
mod client;
mod clocks;
mod defaults;
mod disk;
mod document;
mod end;
mod error;
mod excerpt;
mod flow;
pub(crate) mod form;
mod initial;
mod link;
mod membership;
mod name;
mod network;
mod node_key;
mod path;
mod pending;
mod pin;
mod predicate;
mod raft;
mod read;
mod read_step;
#[cfg(test)]
mod round_trip;
mod schema;
mod seed;
mod shorthand;
mod signed;
mod sleep;
mod snapshot_step;
mod step;
mod step_family;
mod step_targets;
mod storage;
pub(crate) mod suggest;
#[cfg(test)]
mod suites;
mod target;
mod write;

pub use answer::Answer;
pub use bounds::{Count, IndexRef, TermRef};
pub(crate) use check::SPAN_MAX;
pub use client::{
    AwaitClients, Call, CallAnswer, CallOutcome, ClientSet, CompareAndSwap, Key, KeyValue, Keyed, Operation,
    OperationKind,
};
pub use clocks::{ClockOptions, Periodic, SetClock};
pub use disk::{
    Crash, CrashAt, CrashPoint, DiskOperation, FailWrite, File, FilePlace, FillDisk, LieAboutFsync,
    MisdirectWrite, OperationRef, Rot, SetCrashMode, SlowDisk,
};
pub use document::{EVENTS_MAX, Expect, NODES_MAX, Scenario};
pub use end::{Connectivity, Core, End, Live, Quorum};
pub use error::{Problem, ScenarioError};
pub(crate) use excerpt::Excerpt;
pub use flow::{Assert, Branch, If, Propose, Repeat};
pub use form::MessageKind;
pub use initial::{InitialEntry, InitialMembers, InitialSnapshot, InitialState};
pub use link::{Clog, Cut, Ends, Held, HeldLinks, Hold, Isolate, Links, Partition};
pub use membership::{
    Change, LeaveJoint, MemberChange, MemberChanges, ReportUnreachable, Tick, TimerKind, Transfer, Transition,
};
pub use name::{Name, RESERVED};
pub use network::{LinkRule, NetworkOptions};
pub use node_key::NodeKey;
pub use pending::{Deliver, DeliverOne, DropAfter, HowMany, Pending, Unpin};
pub use pin::{Fate, MessagePin, Pin, TimeoutPin};
pub use predicate::{
    Among, Amount, Calls, ClientsDone, Committed, CommittedAt, CountOf, DiskBytes, Elapsed, InConfig, Index,
    IndexIs, LastEntry, MembersAre, Membership, MessageBytes, Messages, NotCommitted, Of, Predicate, Reads,
    RoleIs, SingleLeader, TermIs, ValueIs, VoteIs, Which,
};
pub use raft::{RaftChange, RaftOptions};
pub use read::SIZE_MAX;
pub(crate) use read::{document, without_mark};
pub use read_step::{Read, ReadAnswer, ReadKind, ReadOutcome};
pub use schema::schema;
pub use seed::Seed;
pub use signed::{Drift, Jump};
pub use sleep::Sleep;
pub use snapshot_step::{Compact, SendSnapshot};
pub use step::{Always, Bind, Nodes, Pick, Step, Stop, Until, WITHIN_DEFAULT};
pub(crate) use step_family::Family;
pub use storage::{DiskOptions, Keep, StorageOptions};
pub(crate) use suggest::did_you_mean;
pub use target::{Client, Target};
