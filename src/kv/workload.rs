//! What clients do to a cluster, as data.
//!
//! Owns the numbers and their bounds. Must not know how a client goes about it.

use crate::scenario::form::As;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::Span;

/// What clients do. Each has at most one operation outstanding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Workload {
    /// How many clients there are, 1 to 64. Default 4.
    #[schemars(range(min = 1, max = 64))]
    pub clients: u16,
    /// How many operations each of them begins, 1 to 1000000. Default 100.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub operations: u32,
    /// How many keys there are, 1 to 10000, each as likely as the others. Default 5.
    #[schemars(range(min = 1, max = 10_000))]
    pub keys: u32,
    /// How often each kind of operation is chosen. Default 4 gets to 3 puts, 2 compare-and-sets and 2 appends.
    pub mix: Mix,
    /// How often a get goes each way. Default through the log, always.
    pub reads: ReadMix,
    /// The range that the time between two operations of a client is drawn from, shortest and longest. Default 0ms to
    /// 20ms.
    #[serde(with = "As::<(Span, Span)>")]
    pub think: (Span, Span),
    /// How long a client waits for an answer before it asks another server. Default 200ms; more than 0.
    #[serde(with = "As::<Span>")]
    pub timeout: Span,
    /// How long after its call an operation without an answer is given up, its outcome unknown. Default 2s; not below
    /// `timeout`.
    #[serde(with = "As::<Span>")]
    pub give_up: Span,
    /// When the clients begin; each thinks once before its first operation. Default 0ms.
    #[serde(with = "As::<Span>")]
    pub start: Span,
}

impl Default for Workload {
    fn default() -> Self {
        Self {
            clients: 4,
            operations: 100,
            keys: 5,
            mix: Mix::default(),
            reads: ReadMix::default(),
            think: (Span::ZERO, Span::from_millis(20)),
            timeout: Span::from_millis(200),
            give_up: Span::from_secs(2),
            start: Span::ZERO,
        }
    }
}

/// How often each kind of operation is chosen, relative to the others, 0 to 1000000. A kind that a mix does not name is
/// not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mix {
    /// Reads of a key. They go as `reads` says.
    #[serde(default)]
    #[schemars(range(max = 1_000_000))]
    pub get: u32,
    /// Writes whatever the key holds.
    #[serde(default)]
    #[schemars(range(max = 1_000_000))]
    pub put: u32,
    /// Writes if the key holds what the client saw last.
    #[serde(default)]
    #[schemars(range(max = 1_000_000))]
    pub cas: u32,
    /// Writes at the end of what the key holds.
    #[serde(default)]
    #[schemars(range(max = 1_000_000))]
    pub append: u32,
    /// Takes a key's value away.
    #[serde(default)]
    #[schemars(range(max = 1_000_000))]
    pub delete: u32,
}

impl Default for Mix {
    fn default() -> Self {
        Self { get: 4, put: 3, cas: 2, append: 2, delete: 0 }
    }
}

impl Mix {
    /// In the order of the fields.
    pub(crate) const fn weights(self) -> [u32; 5] {
        [self.get, self.put, self.cas, self.append, self.delete]
    }
}

/// How often a get goes each way, relative to the others, 0 to 1000000. A way that is not named is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadMix {
    /// As a command through the log.
    #[serde(default)]
    #[schemars(range(max = 1_000_000))]
    pub log: u32,
    /// From the leader, once it has heard from a majority that it leads.
    #[serde(default)]
    #[schemars(range(max = 1_000_000))]
    pub read_index: u32,
    /// From the leader, for as long as its lease lasts.
    #[serde(default)]
    #[schemars(range(max = 1_000_000))]
    pub lease: u32,
    /// From any server, which asks the leader how far it must have applied.
    #[serde(default)]
    #[schemars(range(max = 1_000_000))]
    pub follower: u32,
    /// From any server, at once, what it has applied. This may be stale, and breaks linearizability in a correct cluster.
    #[serde(default)]
    #[schemars(range(max = 1_000_000))]
    pub local: u32,
}

impl Default for ReadMix {
    fn default() -> Self {
        Self { log: 1, read_index: 0, lease: 0, follower: 0, local: 0 }
    }
}

impl ReadMix {
    /// In the order of the fields.
    pub(crate) const fn weights(self) -> [u32; 5] {
        [self.log, self.read_index, self.lease, self.follower, self.local]
    }
}

/// Something about a workload that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The fields that lead to it, outermost first.
    pub path: &'static [&'static str],
    /// What is wrong and what was expected.
    pub problem: String,
}

/// The longest span that a workload may name: 100 days, as in every scenario.
const SPAN_MAX: Span = Span::from_secs(100 * 24 * 60 * 60);
/// The largest weight.
const WEIGHT_MAX: u32 = 1_000_000;

impl Workload {
    /// Everything about it that makes no sense; nothing if a client can follow it.
    #[must_use]
    pub fn check(&self) -> Vec<Wrong> {
        let mut wrong = Vec::new();
        let mut wrong_if = |is_wrong: bool, path, problem: &dyn Fn() -> String| {
            if is_wrong {
                wrong.push(Wrong { path, problem: problem() });
            }
        };
        let bounded: [(u32, u32, &'static [_]); 3] = [
            (u32::from(self.clients), 64, &["clients"]),
            (self.operations, 1_000_000, &["operations"]),
            (self.keys, 10_000, &["keys"]),
        ];
        for (number, most, path) in bounded {
            wrong_if(number == 0 || number > most, path, &|| {
                format!("{number} is out of range: expected 1 to {most}")
            });
        }
        let weights: [(u32, &'static [_]); 10] = [
            (self.mix.get, &["mix", "get"]),
            (self.mix.put, &["mix", "put"]),
            (self.mix.cas, &["mix", "cas"]),
            (self.mix.append, &["mix", "append"]),
            (self.mix.delete, &["mix", "delete"]),
            (self.reads.log, &["reads", "log"]),
            (self.reads.read_index, &["reads", "read_index"]),
            (self.reads.lease, &["reads", "lease"]),
            (self.reads.follower, &["reads", "follower"]),
            (self.reads.local, &["reads", "local"]),
        ];
        for (weight, path) in weights {
            wrong_if(weight > WEIGHT_MAX, path, &|| {
                format!("{weight} is out of range: expected 0 to {WEIGHT_MAX}")
            });
        }
        wrong_if(self.mix.weights() == [0; 5], &["mix"], &|| {
            "no operation has any weight: expected at least one above 0".to_owned()
        });
        wrong_if(self.mix.get > 0 && self.reads.weights() == [0; 5], &["reads"], &|| {
            "no way of reading has any weight: expected at least one above 0, since there are gets".to_owned()
        });
        let (least, most) = self.think;
        wrong_if(least > most, &["think"], &|| {
            format!("the range is reversed, {least} to {most}: expected the shorter duration first")
        });
        let spans: [(Span, &'static [_]); 4] = [
            (least.max(most), &["think"]),
            (self.timeout, &["timeout"]),
            (self.give_up, &["give_up"]),
            (self.start, &["start"]),
        ];
        for (span, path) in spans {
            wrong_if(span > SPAN_MAX, path, &|| format!("{span} is too long: expected at most {SPAN_MAX}"));
        }
        wrong_if(self.timeout == Span::ZERO, &["timeout"], &|| {
            "no time at all: expected more than 0".to_owned()
        });
        wrong_if(self.give_up < self.timeout, &["give_up"], &|| {
            format!("{} is below the timeout ({}): expected at least as long", self.give_up, self.timeout)
        });
        wrong
    }
}
