//! Within what time a correct cluster must do what is asked of it at the end, derived from what it is made of.

use crate::adapter::SNAPSHOT;
use crate::execute::{Runner, everybody};
use crate::scenario::RaftOptions;
use sim_core::Span;

impl Runner<'_> {
    /// How long until all agree and every client is answered, at most:
    ///
    /// - 400 rounds of elections. In the smallest core only one node may have a log with which it can win, and all others
    ///   must be later than it by a write and a message, which is three tenths of the range that timeouts are drawn from:
    ///   with n voters it is first by so much in 0.7^n / n of the rounds, 6% for 4. All 400 fail in one run of 10^10 then,
    ///   and in one of 10^20 for 3;
    /// - a round trip (messages there and back, and a write at both ends) for each batch of entries and each part of a
    ///   snapshot that a follower may lack, and twenty more for what comes on top: probes, a joint configuration that is
    ///   left, sessions that are closed;
    /// - twenty heartbeats, by which what a leader learns late is passed on;
    /// - the time to apply each entry, where applying takes time;
    /// - for clients, the time after which they give up, and that of four more requests.
    pub(super) fn budget(&self) -> Span {
        let longest = |span: fn(&RaftOptions) -> Span| {
            let spans = everybody(&self.sim).map(|node| span(&self.scenario.options_of(node.0)));
            spans.max().unwrap_or_default()
        };
        let write = everybody(&self.sim).map(|node| {
            let disk = self.healed_disk(node);
            disk.write.longest().plus(disk.notice.longest())
        });
        let gathered = longest(|raft| raft.batch_delay);
        let trip =
            self.healed().latency.longest().plus(write.max().unwrap_or_default()).times(2).plus(gathered);
        let logs = everybody(&self.sim).map(|node| {
            let node = &self.sim.observer().0.mirror().nodes[node.index()];
            node.log.last_index().max(node.durable.log.last_index())
        });
        let entries = logs.max().unwrap_or_default() + 20;
        let batch =
            |raft: RaftOptions| if raft.bytes_per_append.is_some() { 1 } else { raft.entries_per_append };
        let batch = everybody(&self.sim).map(|node| batch(self.scenario.options_of(node.0))).min();
        let batches = entries / u64::from(batch.unwrap_or(1).max(1)) + 20;
        let clients = self
            .scenario
            .workload
            .as_ref()
            .map_or(Span::ZERO, |workload| workload.give_up.plus(workload.timeout.times(4)));
        let applying = longest(|raft| raft.apply_delay.map_or(Span::ZERO, |delay| delay.longest()));
        let elections = longest(|raft| raft.election_timeout.1).plus(trip).times(400);
        let passing_on = longest(|raft| raft.heartbeat).times(20);
        let replication = trip.times(batches + self.snapshot_parts());
        elections.plus(replication).plus(passing_on).plus(applying.times(entries)).plus(clients)
    }

    /// In how many parts a snapshot may have to be sent: the largest that there is, and as much again for what it has
    /// grown by.
    fn snapshot_parts(&self) -> u64 {
        let largest = everybody(&self.sim).map(|node| self.sim.file(node, SNAPSHOT).len()).max();
        let machine = |node| {
            self.sim
                .process(node)
                .and_then(|member| member.node())
                .map(|node| node.machine().snapshot().len())
        };
        let machines = everybody(&self.sim).filter_map(machine).max();
        let bytes = 2 * (largest.unwrap_or(0).max(machines.unwrap_or(0)) as u64) + 1_024;
        // Besides those that nodes take by themselves there may be one that somebody has asked for.
        let parts = everybody(&self.sim).filter_map(|node| {
            let raft = self.scenario.options_of(node.0);
            let is_possible = raft.snapshot_after.is_some() || largest.is_some_and(|largest| largest > 0);
            is_possible.then(|| bytes / u64::from(raft.snapshot_chunk.max(1)))
        });
        parts.max().unwrap_or(0)
    }

    /// For how long a leader must hold its term: ten times the shortest election timeout.
    pub(super) fn reign(&self) -> Span {
        let shortest =
            everybody(&self.sim).map(|node| self.scenario.options_of(node.0).election_timeout.0).min();
        shortest.unwrap_or_default().times(10)
    }

    /// For how long nothing but heartbeats may be heard: four of the longest interval between them.
    pub(super) fn rest(&self) -> Span {
        let heartbeat = everybody(&self.sim).map(|node| self.scenario.options_of(node.0).heartbeat).max();
        heartbeat.unwrap_or_default().times(4)
    }

    /// Whether no follower's timeout can run out while its leader's heartbeats come. Options that differ from node to node
    /// may be such that one can: then nobody reigns for long, and it is not asked.
    pub(super) fn heartbeats_suffice(&self) -> bool {
        let options = || everybody(&self.sim).map(|node| self.scenario.options_of(node.0));
        let heartbeat = options().map(|raft| raft.heartbeat).max().unwrap_or_default();
        let shortest = options().map(|raft| raft.election_timeout.0).min().unwrap_or_default();
        heartbeat.plus(self.fast()) < shortest
    }
}
