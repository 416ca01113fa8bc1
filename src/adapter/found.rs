//! What a disk holds of a node, for whoever must know it while the node is down.
//!
//! Owns the way from files to what the node would begin with. Must not know the world that the files stand in.

use super::{service, tell};
use crate::record::Members;
use raft_node::EntryKind;
use raft_node::wal::{Recovered, Wal};

/// What a node that boots from its disk begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The configuration in force; none if it is still the one that the cluster began with.
    pub members: Option<Members>,
    /// The index of the entry that holds it, or up to which the snapshot that holds it reaches; 0 if there is none.
    pub members_index: u64,
    /// The term and the index of the last entry of the log.
    pub last: (u64, u64),
}

/// Reads what stands in the files of a node.
///
/// # Errors
///
/// If the node would refuse to boot from them: why.
pub fn found(log: &[u8], tail: &[u8], snapshot: &[u8]) -> Result<Found, String> {
    let Recovered { durable, .. } =
        Wal::recover(log, tail, snapshot, 0).map_err(|corrupt| corrupt.to_string())?;
    let snapshot = durable.snapshot.as_deref();
    snapshot.map(service::facts).transpose()?;
    let covered = snapshot.map(|snapshot| (snapshot.index.0, snapshot.term.0, &*snapshot.membership));
    let (covered_index, covered_term) = covered.map_or((0, 0), |(index, term, _)| (index, term));
    let changes = (durable.base.0.0 + 1..).zip(&durable.log).filter_map(|(index, entry)| match &entry.kind {
        EntryKind::Change(membership) if index > covered_index => Some((index, &**membership)),
        EntryKind::Change(_) | EntryKind::Noop | EntryKind::Command(_) => None,
    });
    let in_force = changes.last().or_else(|| covered.map(|(index, _, membership)| (index, membership)));
    let last_index = durable.last_index().0;
    let last = match durable.log.last() {
        Some(entry) if last_index >= covered_index => (entry.term.0, last_index),
        Some(_) | None => (covered_term, covered_index),
    };
    Ok(Found {
        members: in_force.map(|(_, membership)| tell::members(membership)),
        members_index: in_force.map_or(0, |(index, _)| index),
        last,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Durable, Entry, HardState, LogIndex, Membership, NodeId, Payload, Snapshot, Term};
    use super::*;
    use crate::adapter::{LOG, SNAPSHOT, TAIL, files, snapshot_bytes};
    use crate::kv::Machine;
    use crate::record::Hash64;
    use sim_core::{FileId, ProcessId};
    use std::sync::Arc;

    fn voters(ids: &[u16]) -> Arc<Membership> {
        Arc::new(Membership::of_voters(&ids.iter().copied().map(NodeId).collect::<Vec<_>>()).unwrap())
    }

    fn read(durable: &Durable) -> Found {
        let files = files(durable, 1);
        let of =
            |name: FileId| files.iter().find(|(file, _)| *file == name).map_or(&[][..], |(_, bytes)| bytes);
        found(of(LOG), of(TAIL), of(SNAPSHOT)).unwrap()
    }

    fn entry(term: u64, kind: EntryKind) -> Entry {
        Entry { term: Term(term), kind }
    }

    #[test]
    fn an_empty_disk_is_that_of_a_new_node() {
        assert_eq!(found(&[], &[], &[]), Ok(Found { members: None, members_index: 0, last: (0, 0) }));
    }

    #[test]
    fn the_last_change_in_the_log_goes_before_the_snapshot() {
        let snapshot = Snapshot {
            index: LogIndex(2),
            term: Term(1),
            membership: voters(&[0, 1]),
            data: snapshot_bytes(Hash64::default(), &Machine::default()),
        };
        let hard = HardState { term: Term(3), vote: None };
        let mut durable = Durable {
            hard,
            snapshot: Some(Arc::new(snapshot)),
            base: (LogIndex(2), Term(1)),
            log: vec![entry(2, EntryKind::Command(Payload::from("x")))],
        };
        let members = |ids: &[u16]| ids.iter().copied().map(ProcessId).collect::<Vec<_>>();
        let before = read(&durable);
        assert_eq!((before.members_index, before.last), (2, (2, 3)));
        assert_eq!(before.members.unwrap().voters, members(&[0, 1]));
        durable.log.push(entry(3, EntryKind::Change(voters(&[0, 1, 4]))));
        let after = read(&durable);
        assert_eq!((after.members_index, after.last), (4, (3, 4)));
        assert_eq!(after.members.unwrap().voters, members(&[0, 1, 4]));
        durable.log.clear();
        assert_eq!(read(&durable).last, (1, 2));
    }

    #[test]
    fn a_disk_that_cannot_be_trusted_is_refused() {
        let error = found(b"rubbish that is no log at all", &[], &[]).unwrap_err();
        assert!(error.contains("corrupt"), "{error}");
    }
}
