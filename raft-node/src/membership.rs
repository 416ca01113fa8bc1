//! Who belongs to the cluster, and who of them decides (Raft §6, thesis §4).
//!
//! Owns: the four sets of a membership, what makes them impossible, their canonical bytes. Must not know:
//! logs, or when a membership is in force. How one follows from another is in `change`.

mod change;

pub use change::{BadChange, Change, ChangeRequest, Transition};

use core::fmt;

use crate::types::NodeId;

/// The most members that a cluster may have, voting or not.
pub const MEMBERS_MAX: usize = 255;

/// The members of a cluster. Every set is sorted and holds each node once.
///
/// A decision needs a majority of [`voters`](Self::voters) and, while two sets are joint (thesis §4.3), also
/// one of [`outgoing`](Self::outgoing). The default has no members: a node that starts so waits to be
/// contacted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Membership {
    voters: Box<[NodeId]>,
    outgoing: Box<[NodeId]>,
    learners: Box<[NodeId]>,
    learners_next: Box<[NodeId]>,
    auto_leave: bool,
}

/// Why four sets of nodes are no membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BadMembership {
    /// A node is listed twice in one set.
    Twice(NodeId),
    /// A node both votes and learns.
    VoterAndLearner(NodeId),
    /// A node is to learn later, but is no outgoing voter now, or is an incoming one.
    NotOutgoing(NodeId),
    /// There are members, but none of them is an incoming voter.
    NoVoters,
    /// The membership is to be left by itself, but is not joint.
    LeavesWithoutJoint,
    /// There are more than [`MEMBERS_MAX`] members.
    TooMany(usize),
}

impl Membership {
    /// A membership of these sets, in any order.
    ///
    /// `learners_next` are outgoing voters that become learners when the joint membership is left.
    /// `auto_leave` says whether the leader leaves it by itself.
    ///
    /// # Errors
    ///
    /// If the sets contradict each other; see [`BadMembership`].
    pub fn new(
        voters: &[NodeId],
        outgoing: &[NodeId],
        learners: &[NodeId],
        learners_next: &[NodeId],
        auto_leave: bool,
    ) -> Result<Self, BadMembership> {
        let membership = Self {
            voters: sorted(voters)?,
            outgoing: sorted(outgoing)?,
            learners: sorted(learners)?,
            learners_next: sorted(learners_next)?,
            auto_leave,
        };
        membership.check()?;
        Ok(membership)
    }

    /// A membership of voters only, in any order.
    ///
    /// # Errors
    ///
    /// If one is listed twice, or there are more than [`MEMBERS_MAX`].
    pub fn of_voters(voters: &[NodeId]) -> Result<Self, BadMembership> {
        Self::new(voters, &[], &[], &[], false)
    }

    fn check(&self) -> Result<(), BadMembership> {
        for learner in &self.learners {
            if self.is_voter(*learner) || self.learners_next.contains(learner) {
                return Err(BadMembership::VoterAndLearner(*learner));
            }
        }
        for next in &self.learners_next {
            if !self.outgoing.contains(next) || self.voters.contains(next) {
                return Err(BadMembership::NotOutgoing(*next));
            }
        }
        let members = self.members().count();
        if members > MEMBERS_MAX {
            return Err(BadMembership::TooMany(members));
        }
        if self.voters.is_empty() && members > 0 {
            return Err(BadMembership::NoVoters);
        }
        if self.auto_leave && !self.is_joint() {
            return Err(BadMembership::LeavesWithoutJoint);
        }
        Ok(())
    }

    /// Those of whom a majority decides; the incoming ones, if the membership is joint.
    #[must_use]
    pub fn voters(&self) -> &[NodeId] {
        &self.voters
    }

    /// Those of whom a majority decides as well, until the joint membership is left; else empty.
    #[must_use]
    pub fn outgoing(&self) -> &[NodeId] {
        &self.outgoing
    }

    /// Those who get the log and decide nothing.
    #[must_use]
    pub fn learners(&self) -> &[NodeId] {
        &self.learners
    }

    /// Outgoing voters that become learners when the joint membership is left.
    #[must_use]
    pub fn learners_next(&self) -> &[NodeId] {
        &self.learners_next
    }

    /// Whether the leader leaves the joint membership by itself once it is committed.
    #[must_use]
    pub fn auto_leave(&self) -> bool {
        self.auto_leave
    }

    /// Whether two majorities must agree.
    #[must_use]
    pub fn is_joint(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Whether there are no members: then the node waits to be contacted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.voters.is_empty()
    }

    /// Whether a node's vote counts, in either majority.
    #[must_use]
    pub fn is_voter(&self, id: NodeId) -> bool {
        self.voters.binary_search(&id).is_ok() || self.outgoing.binary_search(&id).is_ok()
    }

    /// Whether a node is a member in any way.
    #[must_use]
    pub fn contains(&self, id: NodeId) -> bool {
        self.is_voter(id) || self.learners.binary_search(&id).is_ok()
    }

    /// Every member once, in ascending order.
    pub fn members(&self) -> impl Iterator<Item = NodeId> + use<> {
        let mut ids: Vec<NodeId> =
            [&self.voters, &self.outgoing, &self.learners].into_iter().flatten().copied().collect();
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter()
    }

    /// Whether those for whom `agrees` holds are a quorum: a majority of the voters, and of the outgoing ones
    /// if there are any.
    #[must_use]
    pub fn is_quorum(&self, mut agrees: impl FnMut(NodeId) -> bool) -> bool {
        [&self.voters, &self.outgoing]
            .into_iter()
            .all(|half| half.is_empty() || 2 * half.iter().filter(|id| agrees(**id)).count() > half.len())
            && !self.voters.is_empty()
    }

    fn sets(&self) -> [&[NodeId]; 4] {
        [&self.voters, &self.outgoing, &self.learners, &self.learners_next]
    }

    /// How many bytes [`Membership::encode`] appends.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        1 + self.sets().iter().map(|set| 2 + 2 * set.len()).sum::<usize>()
    }

    /// Appends the canonical bytes: whether to leave by itself (one byte), then each set: how many (two
    /// bytes), and the ids (two bytes each), all in little-endian order. Equal memberships have equal bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.auto_leave));
        for set in self.sets() {
            out.extend_from_slice(&u16::try_from(set.len()).unwrap_or(u16::MAX).to_le_bytes());
            for id in set {
                out.extend_from_slice(&id.0.to_le_bytes());
            }
        }
    }

    /// Reads what [`Membership::encode`] wrote. None unless `bytes` are exactly that.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (auto_leave, mut rest) = bytes.split_first()?;
        let mut set = || {
            let (len, after) = rest.split_first_chunk::<2>()?;
            let len = 2 * usize::from(u16::from_le_bytes(*len));
            let (ids, after) = after.split_at_checked(len)?;
            rest = after;
            let ids: Box<[NodeId]> =
                ids.as_chunks::<2>().0.iter().map(|id| NodeId(u16::from_le_bytes(*id))).collect();
            ids.is_sorted_by(|one, next| one < next).then_some(ids)
        };
        let membership = Self {
            voters: set()?,
            outgoing: set()?,
            learners: set()?,
            learners_next: set()?,
            auto_leave: match auto_leave {
                0 => false,
                1 => true,
                _ => return None,
            },
        };
        (rest.is_empty() && membership.check().is_ok()).then_some(membership)
    }
}

fn sorted(ids: &[NodeId]) -> Result<Box<[NodeId]>, BadMembership> {
    let mut ids: Box<[NodeId]> = ids.into();
    ids.sort_unstable();
    match ids.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(BadMembership::Twice(pair[0])),
        None => Ok(ids),
    }
}

/// `voters=(1 2)&&(1 3) learners=(4) learners_next=(3) autoleave`, as etcd writes it; what is empty is left
/// out.
impl fmt::Display for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("voters=")?;
        list(f, &self.voters)?;
        if self.is_joint() {
            f.write_str("&&")?;
            list(f, &self.outgoing)?;
        }
        for (name, set) in [(" learners=", &self.learners), (" learners_next=", &self.learners_next)] {
            if !set.is_empty() {
                f.write_str(name)?;
                list(f, set)?;
            }
        }
        f.write_str(if self.auto_leave { " autoleave" } else { "" })
    }
}

fn list(f: &mut fmt::Formatter<'_>, ids: &[NodeId]) -> fmt::Result {
    for (position, id) in ids.iter().enumerate() {
        write!(f, "{}{id}", if position == 0 { "(" } else { " " })?;
    }
    f.write_str(if ids.is_empty() { "()" } else { ")" })
}

impl fmt::Display for BadMembership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Twice(id) => write!(f, "node {id} is listed twice"),
            Self::VoterAndLearner(id) => write!(f, "node {id} both votes and learns"),
            Self::NotOutgoing(id) => {
                write!(f, "node {id} is to learn later, but it is not an outgoing voter only")
            }
            Self::NoVoters => f.write_str("there is no voter"),
            Self::LeavesWithoutJoint => {
                f.write_str("the membership is to be left by itself, but is not joint")
            }
            Self::TooMany(count) => write!(f, "{count} members are more than {MEMBERS_MAX}"),
        }
    }
}

impl core::error::Error for BadMembership {}

#[cfg(test)]
mod tests;
