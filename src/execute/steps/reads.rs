//! Reads beside the log.

use crate::adapter::{Reading, Request};
use crate::execute::steps::listed;
use crate::execute::told::ReadEnd;
use crate::execute::{Cluster, Halt, Runner};
use crate::record::{self};
use crate::scenario::{Read, ReadAnswer, ReadKind, Step};
use crate::violation::Property;
use sim_core::ProcessId;

/// The neutral word for a way to read.
pub(in crate::execute) const fn read_kind(kind: ReadKind) -> record::ReadKind {
    match kind {
        ReadKind::ReadIndex => record::ReadKind::ReadIndex,
        ReadKind::Lease => record::ReadKind::Lease,
        ReadKind::Follower => record::ReadKind::Follower,
        ReadKind::Local => record::ReadKind::Local,
    }
}

impl Runner<'_> {
    pub(super) fn read(&mut self, step: &Step, read: &Read) -> Result<(), Halt> {
        let kind = read_kind(read.kind);
        let nodes = self.nodes(step, &read.at)?;
        if nodes.is_empty() && read.expect != ReadAnswer::Any {
            return Err(self.unmet(format!("`{}` means nobody now, so nobody answers", read.at)));
        }
        self.say(format!("{} read at {}", kind.name(), listed(&nodes)));
        let key = read.key.as_ref().and_then(|key| self.memory.keys.get(key).copied());
        self.sim.observer_mut().1.0.follow(true);
        for node in &nodes {
            self.sim.request(*node, Request::Read(Reading { key, kind }));
        }
        self.sim.observer_mut().1.0.follow(false);
        // A paused node has not heard the question, and will not answer in time.
        let waits = nodes.iter().any(|node| self.sim.is_paused(*node));
        let is_over = |sim: &Cluster<'_>| sim.observer().1.0.followed().iter().all(|read| read.end.is_some());
        if waits || !is_over(&self.sim) {
            self.run_to(self.sim.now().after(read.within), |sim| !waits && is_over(sim))?;
        }
        let mut served = Vec::new();
        for node in nodes {
            if self.came_of_read(node, read)? {
                served.push(node);
            }
        }
        self.bind_found(read.bind.as_ref(), served, "nobody served the read")
    }

    /// Says whether the node served the read.
    fn came_of_read(&mut self, node: ProcessId, read: &Read) -> Result<bool, Halt> {
        let followed = self.sim.observer().1.0.followed();
        let end = followed.iter().find(|followed| followed.node == node).and_then(|followed| followed.end);
        let (came, index, words) = match end {
            Some(ReadEnd::Served(index)) => {
                (ReadAnswer::Served, Some(index), format!("serves it at {index}"))
            }
            Some(ReadEnd::Refused) => (ReadAnswer::Refused, None, "refuses it".to_string()),
            None => (ReadAnswer::Unanswered, None, format!("says nothing within {}", read.within)),
        };
        let what = self.asking().value_read(node, read.key.as_ref()).filter(|_| index.is_some());
        self.say(format!("read at {node}: it {words}{}", what.unwrap_or_default()));
        let unmet = |what: String| Err(self.failed(Property::Expectation, Some(node), what));
        if read.expect != ReadAnswer::Any && read.expect != came {
            return unmet(format!("the read at node {node}: it {words}"));
        }
        if let (Some(least), Some(index)) = (read.at_least_index, index)
            && index < least
        {
            return unmet(format!("the read at node {node}: it {words}, expected at least {least}"));
        }
        Ok(index.is_some())
    }
}
