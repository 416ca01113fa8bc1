//! Options of nodes, one by one and beside each other.

use super::Checker;
use crate::scenario::raft::RaftOptions;
use sim_core::{Ratio, Span};

impl Checker {
    /// Options as they are in force; places that differ from `base` are named, or the whole.
    pub(super) fn raft(&mut self, options: &RaftOptions, base: &RaftOptions) {
        let (shortest, longest) = options.election_timeout;
        self.under("heartbeat", |c| c.time(options.heartbeat));
        self.under("election_timeout", |c| {
            if c.ordered(shortest, longest) {
                c.time(shortest);
                c.longest(longest);
            }
        });
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
        let delay_is_own =
            options.batch_delay != base.batch_delay || options.election_timeout == base.election_timeout;
        self.under(if delay_is_own { "batch_delay" } else { "election_timeout" }, |c| {
            c.wrong_if(options.batch_delay >= shortest && options.batch_delay > Span::ZERO, || {
                format!(
                    "the batch delay ({}) is not below the shortest election timeout ({shortest}): expected a shorter one",
                    options.batch_delay
                )
            });
        });
        self.sizes(options);
        self.leases(options, base);
        self.some_latency("apply_delay", options.apply_delay.as_ref());
    }

    fn sizes(&mut self, options: &RaftOptions) {
        const GIB: u64 = 1 << 30;
        let numbers = [
            ("entries_per_append", Some(u64::from(options.entries_per_append)), 1, 10_000),
            ("priority", Some(u64::from(options.priority)), 0, 1_000_000),
            ("bytes_per_append", options.bytes_per_append, 1, GIB),
            ("in_flight_messages", Some(u64::from(options.in_flight_messages)), 1, 65_536),
            ("in_flight_bytes", options.in_flight_bytes, 1, GIB),
            ("uncommitted_bytes", options.uncommitted_bytes, 1, GIB),
            ("snapshot_after", options.snapshot_after, 1, 1_000_000_000),
            ("snapshot_keep", Some(options.snapshot_keep), 0, 1_000_000_000),
            ("snapshot_chunk", Some(u64::from(options.snapshot_chunk)), 1, 1 << 20),
            ("apply_window", options.apply_window.map(u64::from), 1, 1_000_000),
            ("sessions_max", Some(u64::from(options.sessions_max)), 1, 65_536),
        ];
        for (key, number, least, most) in numbers {
            if let Some(number) = number {
                self.under(key, |c| c.between(number, least, most));
            }
        }
    }

    fn leases(&mut self, options: &RaftOptions, base: &RaftOptions) {
        let half = Ratio::from_percent(50);
        self.under("clock_drift_max", |c| {
            c.wrong_if(options.clock_drift_max >= half, || {
                format!("{} leaves nothing of a lease: expected less than {half}", options.clock_drift_max)
            });
        });
        let lease_is_own =
            options.lease_reads != base.lease_reads || options.check_quorum == base.check_quorum;
        self.under(if lease_is_own { "lease_reads" } else { "check_quorum" }, |c| {
            c.wrong_if(options.lease_reads && !options.check_quorum, || {
                "a lease holds only where nobody votes while it hears a leader: expected `check_quorum` with \
                 `lease_reads` (thesis §6.4.1)"
                    .to_owned()
            });
        });
    }
}
