//! Who belongs to the cluster, as a node holds it.

use serde::{Deserialize, Serialize};
use sim_core::{Digest, Encode, ProcessId};

/// A configuration (Raft §6; joint configurations and learners: thesis chapter 4). Each list is in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    /// Those whose votes and logs count.
    pub voters: Vec<ProcessId>,
    /// In a joint configuration the voters of the old one, of which a majority is needed as well; else empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outgoing: Vec<ProcessId>,
    /// Those who get the log and do not count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub learners: Vec<ProcessId>,
    /// Those voters of the old configuration who become learners when the joint one is left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub learners_next: Vec<ProcessId>,
}

impl Members {
    /// The first `count` processes as voters.
    #[must_use]
    pub fn voters(count: u16) -> Self {
        Self { voters: ProcessId::all(count).collect(), ..Self::default() }
    }

    /// Whether it needs majorities of two configurations.
    #[must_use]
    pub const fn is_joint(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Whether the process's vote counts.
    #[must_use]
    pub fn is_voter(&self, process: ProcessId) -> bool {
        self.voters.contains(&process) || self.outgoing.contains(&process)
    }

    /// Whether the process gets the log.
    #[must_use]
    pub fn contains(&self, process: ProcessId) -> bool {
        self.is_voter(process) || self.learners.contains(&process)
    }

    /// Whether those for whom `holds` says so are a quorum: a majority of the voters, and in a joint configuration a
    /// majority of the old ones too. A configuration without voters has no quorum.
    #[inline]
    #[must_use]
    pub fn is_quorum(&self, mut holds: impl FnMut(ProcessId) -> bool) -> bool {
        let mut majority =
            |voters: &[ProcessId]| 2 * voters.iter().filter(|voter| holds(**voter)).count() > voters.len();
        majority(&self.voters) && (self.outgoing.is_empty() || majority(&self.outgoing))
    }
}

impl Encode for Members {
    fn encode(&self, digest: &mut Digest) {
        for list in [&self.voters, &self.outgoing, &self.learners, &self.learners_next] {
            digest.word(list.len() as u64);
            list.iter().for_each(|process| digest.word(u64::from(process.0)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn processes(ids: &[u16]) -> Vec<ProcessId> {
        ids.iter().copied().map(ProcessId).collect()
    }

    #[test]
    fn a_joint_quorum_needs_both_majorities() {
        let joint =
            Members { voters: processes(&[1, 2, 3]), outgoing: processes(&[3, 4, 5]), ..Members::default() };
        let among = |ids: &'static [u16]| move |process: ProcessId| ids.contains(&process.0);
        assert!(joint.is_quorum(among(&[1, 3, 4])));
        assert!(!joint.is_quorum(among(&[1, 2, 3])));
        assert!(!joint.is_quorum(among(&[3, 4, 5])));
        let simple = Members { outgoing: Vec::new(), ..joint };
        assert!(simple.is_quorum(among(&[1, 2])));
        assert!(!simple.is_quorum(among(&[1, 4, 5])));
        assert!(!Members::default().is_quorum(|_| true));
    }

    #[test]
    fn configurations_with_the_same_nodes_in_other_lists_have_other_hashes() {
        let one = Members { voters: processes(&[1, 2]), learners: processes(&[3]), ..Members::default() };
        let two = Members { voters: processes(&[1, 2, 3]), ..Members::default() };
        let hash = |members: &Members| {
            let mut digest = Digest::new();
            members.encode(&mut digest);
            digest.value()
        };
        assert_ne!(hash(&one), hash(&two));
        assert_eq!(hash(&one), hash(&one.clone()));
    }
}
