//! Options of nodes, network and disks, and pins.

use super::{Checker, SPAN_MAX};
use crate::scenario::document::Scenario;
use crate::scenario::options::{Fate, LinkRule, NodeKey, Pin, RaftOptions};
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
        self.under("storage", |c| {
            c.under("write", |c| c.latency(&scenario.storage.write));
            c.under("nodes", |c| {
                for (key, disk) in &scenario.storage.nodes {
                    c.under(&key.to_string(), |c| {
                        c.node_key(*key);
                        c.under("write", |c| c.latency(&disk.write));
                    });
                }
            });
        });
        self.under("pins", |c| c.each(&scenario.pins, Self::pin));
    }

    /// Options as they are in force; places that differ from `base` are named, or the whole.
    fn raft(&mut self, options: &RaftOptions, base: &RaftOptions) {
        let (shortest, longest) = options.election_timeout;
        self.under("heartbeat", |c| c.time(options.heartbeat));
        self.under("election_timeout", |c| {
            if c.ordered(shortest, longest) {
                c.time(shortest);
                c.longest(longest);
            }
        });
        self.under("entries_per_append", |c| c.between(u64::from(options.entries_per_append), 1, 10_000));
        let heartbeat_is_own =
            options.heartbeat != base.heartbeat || options.election_timeout == base.election_timeout;
        self.under(if heartbeat_is_own { "heartbeat" } else { "election_timeout" }, |c| {
            c.wrong_if(options.heartbeat >= shortest && shortest > Span::ZERO, || {
                format!(
                    "the heartbeat ({}) is not below the shortest election timeout ({shortest}): expected a shorter \
                     heartbeat\nfollowers would stand for election although the leader lives",
                    options.heartbeat
                )
            });
        });
    }

    fn node_key(&mut self, key: NodeKey) {
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
        for (key, target) in [("from", &rule.from), ("to", &rule.to)] {
            self.under(key, |c| {
                c.wrong_if(!is_known_from_the_start(target), || {
                    format!("`{target}` means nothing before the run: expected node numbers, `all` or `all but` numbers")
                });
            });
        }
        self.link_rule(rule);
    }

    pub(super) fn link_rule(&mut self, rule: &LinkRule) {
        self.wrong_if(rule.is_empty(), || {
            "this changes nothing: expected `latency`, `loss`, `duplicate`, `reorder`, `reorder_by` or `fifo`"
                .to_owned()
        });
        self.two_ends(&rule.from, "from", &rule.to, "to");
        if let Some(latency) = &rule.latency {
            self.under("latency", |c| c.latency(latency));
        }
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
                c.under("from", |c| c.node(pin.from));
                c.under("to", |c| c.node(pin.to));
                c.wrong_if(pin.from == pin.to, || {
                    format!("node {} sends nothing to itself: expected two nodes", pin.to)
                });
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
        Target::All => true,
        Target::AllBut(other) => is_known_from_the_start(other),
        Target::List(items) => items.iter().all(is_known_from_the_start),
        other => other.literal().is_some(),
    }
}
