//! Options of nodes, network and disks, and pins.

use super::{Checker, SPAN_MAX};
use crate::scenario::document::Scenario;
use crate::scenario::network::LinkRule;
use crate::scenario::node_key::NodeKey;
use crate::scenario::pin::{Fate, Pin};
use crate::scenario::storage::StorageOptions;
use crate::scenario::target::Target;
use sim_core::{Latency, Span};

impl Checker {
    pub(super) fn options(&mut self, scenario: &Scenario) {
        let found = self.findings.len();
        self.under("raft", |c| c.raft(&scenario.raft, &scenario.raft));
        let raft_is_sound = self.findings.len() == found;
        self.under("node_options", |c| {
            for (key, change) in &scenario.node_options {
                c.under(&key.to_string(), |c| {
                    c.node_key(*key);
                    // What every node has wrong was told already.
                    if raft_is_sound {
                        c.raft(&scenario.raft.with(change), &scenario.raft);
                    }
                });
            }
        });
        self.under("network", |c| {
            let network = &scenario.network;
            c.under("latency", |c| c.latency(&network.latency));
            c.under("reorder_by", |c| c.longest(network.reorder_by));
            c.under("links", |c| c.each(&network.links, Self::initial_link));
        });
        if let Some(workload) = &scenario.workload {
            self.under("workload", |c| c.workload(workload));
        }
        self.under("storage", |c| c.storage(&scenario.storage));
        self.under("pins", |c| c.each(&scenario.pins, Self::initial_pin));
    }

    fn storage(&mut self, storage: &StorageOptions) {
        self.under("write", |c| c.latency(&storage.write));
        self.under("notice", |c| c.latency(&storage.notice));
        self.capacity(storage.capacity);
        self.under("nodes", |c| {
            for (key, disk) in &storage.nodes {
                c.under(&key.to_string(), |c| {
                    c.node_key(*key);
                    c.wrong_if(disk.is_empty(), || {
                        "this disk is like any other: expected `write`, `notice`, `crash`, `torn` or `capacity`"
                            .to_owned()
                    });
                    c.some_latency("write", disk.write.as_ref());
                    c.some_latency("notice", disk.notice.as_ref());
                    c.capacity(disk.capacity);
                });
            }
        });
    }

    fn capacity(&mut self, capacity: Option<u64>) {
        self.under("capacity", |c| {
            c.wrong_if(capacity == Some(0), || {
                "a disk of 0 bytes: expected at least 1\n`fill_disk` fills one later".to_owned()
            });
        });
    }

    pub(super) fn some_latency(&mut self, key: &str, latency: Option<&Latency>) {
        if let Some(latency) = latency {
            self.under(key, |c| c.latency(latency));
        }
    }

    pub(super) fn node_key(&mut self, key: NodeKey) {
        if key.0 >= self.nodes {
            let message = self.no_such_node(key.0);
            self.wrong_key(message);
        }
    }

    /// Whether `least` to `most` is a range; if not, says so.
    pub(super) fn ordered(&mut self, least: Span, most: Span) -> bool {
        self.wrong_if(least > most, || {
            format!("the range is reversed, {least} to {most}: expected the shorter duration first")
        });
        least <= most
    }

    pub(super) fn latency(&mut self, latency: &Latency) {
        match *latency {
            Latency::Constant(span) => self.under("constant", |c| c.longest(span)),
            Latency::Uniform(least, most) => self.under("uniform", |c| c.range(least, most)),
            Latency::HeavyTail { min, typical, max } => self.under("heavy_tail", |c| {
                c.wrong_if(min > typical || typical > max, || {
                    format!("min {min}, typical {typical}, max {max} are out of order: expected min <= typical <= max")
                });
                c.under("max", |c| c.longest(max));
            }),
            Latency::Bimodal { fast, slow, .. } => self.under("bimodal", |c| {
                c.under("fast", |c| c.range(fast.0, fast.1));
                c.under("slow", |c| c.range(slow.0, slow.1));
            }),
        }
    }

    pub(super) fn range(&mut self, least: Span, most: Span) {
        if self.ordered(least, most) {
            self.wrong_if(most > SPAN_MAX, || format!("{most} is too long: expected at most {SPAN_MAX}"));
        }
    }

    fn initial_link(&mut self, rule: &LinkRule) {
        self.known_ends(&rule.from, &rule.to);
        self.link_rule(rule);
    }

    fn initial_pin(&mut self, pin: &Pin) {
        if let Pin::Message(pin) = pin {
            self.under("message", |c| c.known_ends(&pin.from, &pin.to));
        }
        self.pin(pin);
    }

    fn known_ends(&mut self, from: &Target, to: &Target) {
        for (key, target) in [("from", from), ("to", to)] {
            self.under(key, |c| {
                c.wrong_if(!is_known_from_the_start(target), || {
                    format!(
                        "`{target}` means nothing before the run: expected numbers, `all`, `all but` numbers, or clients"
                    )
                });
            });
        }
    }

    pub(super) fn link_rule(&mut self, rule: &LinkRule) {
        self.wrong_if(rule.is_empty(), || {
            "this changes nothing: expected `latency`, `loss`, `duplicate`, `reorder`, `reorder_by`, `corrupt` or \
             `fifo`"
                .to_owned()
        });
        self.two_ends(&rule.from, "from", &rule.to, "to");
        self.some_latency("latency", rule.latency.as_ref());
        if let Some(span) = rule.reorder_by {
            self.under("reorder_by", |c| c.longest(span));
        }
    }

    pub(super) fn pin(&mut self, pin: &Pin) {
        match pin {
            Pin::ElectionTimeout(pin) => self.under("election_timeout", |c| {
                c.under("node", |c| c.node(pin.node));
                c.under("delays", |c| {
                    c.wrong_if(pin.delays.is_empty(), || {
                        "no delays: expected at least one duration".to_owned()
                    });
                    c.each(&pin.delays, |c, delay| c.time(*delay));
                });
            }),
            Pin::Message(pin) => self.under("message", |c| {
                c.two_ends(&pin.from, "from", &pin.to, "to");
                if let Fate::Latency(span) = pin.fate {
                    c.under("latency", |c| c.longest(span));
                }
            }),
        }
    }
}

/// Whether the target stands for the same nodes in every state.
fn is_known_from_the_start(target: &Target) -> bool {
    match target {
        Target::All | Target::Clients | Target::Client(_) => true,
        Target::AllBut(other) => is_known_from_the_start(other),
        Target::List(items) => items.iter().all(is_known_from_the_start),
        other => other.literal().is_some(),
    }
}
