//! What a disk is like and what can be wrong with it, as data.

use crate::{Digest, Encode, Latency, Span};
use core::fmt;

/// How long a disk takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
pub struct DiskQuality {
    /// How long the data of a sync take to reach the disk.
    pub write: Latency,
    /// How long the disk then takes to make them durable. Both together are the time of a sync.
    pub sync: Latency,
    /// How much later the process hears of it. The data become durable in order of issue; with a notice that varies
    /// the news of them does not come in order.
    pub notice: Latency,
}

impl Default for DiskQuality {
    /// A sync takes 100 µs to 1 ms, all of it for writing, and is heard of at once.
    fn default() -> Self {
        let none = Latency::Constant(Span::ZERO);
        let write = Latency::Uniform(Span::from_micros(100), Span::from_millis(1));
        Self { write, sync: none, notice: none }
    }
}

impl Encode for DiskQuality {
    fn encode(&self, digest: &mut Digest) {
        self.write.encode(digest);
        self.sync.encode(digest);
        self.notice.encode(digest);
    }
}

/// Which operations a crash keeps of those that are not durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Kept {
    /// None.
    #[default]
    Nothing,
    /// A drawn number of them, the oldest: the disk was a little ahead of what it had promised.
    Prefix,
    /// Each with an even chance, whatever becomes of the others: the disk writes in an order of its own. Where an append
    /// is missing below one that was kept, there are zeros. What was appended to a replacement is lost with it.
    Any,
}

/// What a crash makes of the operations that are not durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
pub struct CrashMode {
    /// Which of them survive.
    pub kept: Kept,
    /// Whether the last survivor, if it is an append, survives only in a drawn, proper prefix of its bytes every other
    /// time. A replacement is never torn.
    pub torn: bool,
}

/// Where a crash point stands within its operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum CrashPoint {
    /// The operation does not happen.
    Before,
    /// It is under way. Everything before an append reached the disk, and a drawn, proper prefix of its bytes did.
    /// Everything before a replacement did, but not the replacement. At the issue or completion of a sync a drawn
    /// number of the operations that are not durable did, the last of them torn every other time. All this whatever the
    /// disk's [`CrashMode`].
    Torn,
    /// It has happened, but the process does not live to hear of it.
    After,
}

/// What a failed sync makes of the operations that it was to make durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Unsynced {
    /// They can be read until the next crash, which loses them whatever is synced in the meantime. So did Linux for
    /// years ("fsyncgate", PostgreSQL, 2018).
    #[default]
    Gone,
    /// They stay as they are: a later sync makes them durable.
    Kept,
}

/// Whether a disk that says "durable" means it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Honesty {
    /// It does.
    #[default]
    Honest,
    /// Syncs complete when they are due and do nothing.
    LiesWhenDue,
    /// Syncs complete at once and do nothing.
    LiesAtOnce,
}

/// Why a disk did not do what it was asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum DiskError {
    /// There is no room for it.
    NoSpace,
    /// The device failed.
    Device,
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSpace => "no space left on the disk",
            Self::Device => "the disk failed",
        })
    }
}

impl core::error::Error for DiskError {}
