//! Every planted bug: those of the node, and those of what a server has around it; only with the feature `mutations`.
//!
//! Owns: what each bug of a server is, what it breaks, where it was reported. Must not know: the sites.

use crate::scenario::suggest::did_you_mean;
use core::fmt;
use core::str::FromStr;

/// A planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// One of the node.
    Node(raft_node::Mutation),
    /// One of what a server has around its node.
    Host(HostMutation),
}

/// A planted bug of what a server has around its node. The node itself is sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostMutation {
    /// The state machine does a command again when it comes again. All machines do, so that they stay alike. Breaks
    /// `exactly_once`. Source: eliben/raft `TestAppendLinearizableAfterDelay`; MIT 6.5840 lab 3 (B77).
    RetryApplied,
    /// A snapshot holds the keys and not the sessions, so that whoever starts from it has never seen a retry before. Breaks
    /// `snapshot_consistency`: the state machine in it is not the one that took it. Source: thesis §6.3, "the session
    /// tracking state must be included in snapshots".
    SessionsNotInSnapshot,
    /// A read is served as soon as its index is known, from a state machine that has not come there. Breaks
    /// `linearizability`, and nothing that nodes could see. Source: thesis §6.4, step 4, "waits for its state machine to
    /// advance at least as far as the readIndex".
    ReadBeforeApplied,
    /// Whoever starts takes the last entry of its log for torn and drops it, whether or not it was durable. Breaks
    /// `durability`. Source: Alagappan et al., "Protocol-Aware Recovery for Consensus-Based Storage", FAST 2018, of LogCabin
    /// and others.
    RecoveryDropsLastEntry,
    /// Whoever starts vouches for what a crash has left on its disk before it has mended it. Breaks `message_sanity`: one
    /// rotten byte may take the only copy of what was promised. Source: Alagappan et al., "Protocol-Aware Recovery for
    /// Consensus-Based Storage", FAST 2018, §3.4 (what a crash leaves and what rots look alike).
    VouchesBeforeMended,
    /// Whoever starts takes what a crash has left half done for rot, and does not start. Breaks `durability`: each crash may
    /// cost a node, though its disk holds all that it has promised. Source: Alagappan et al., as above, §2.3, of systems that
    /// stop when a checksum is wrong, whatever the reason.
    TornEndRefused,
}

impl HostMutation {
    const ALL: [Self; 6] = [
        Self::RetryApplied,
        Self::SessionsNotInSnapshot,
        Self::ReadBeforeApplied,
        Self::RecoveryDropsLastEntry,
        Self::VouchesBeforeMended,
        Self::TornEndRefused,
    ];

    /// Name, property, what, source.
    const fn row(self) -> [&'static str; 4] {
        match self {
            Self::RetryApplied => [
                "retry_applied",
                "exactly_once",
                "a state machine does a command again when it comes again",
                "eliben/raft TestAppendLinearizableAfterDelay; MIT 6.5840 lab 3",
            ],
            Self::SessionsNotInSnapshot => [
                "sessions_not_in_snapshot",
                "snapshot_consistency",
                "a snapshot holds the keys and not the sessions",
                "Ongaro's thesis, 6.3",
            ],
            Self::ReadBeforeApplied => [
                "read_before_applied",
                "linearizability",
                "a read is served before the state machine has come to its index",
                "Ongaro's thesis, 6.4, step 4",
            ],
            Self::RecoveryDropsLastEntry => [
                "recovery_drops_last_entry",
                "durability",
                "a node that starts takes the last entry of its log for torn and drops it",
                "Alagappan et al., FAST 2018",
            ],
            Self::VouchesBeforeMended => [
                "vouches_before_mended",
                "message_sanity",
                "a node that starts vouches for what a crash has left before it has mended it",
                "Alagappan et al., FAST 2018",
            ],
            Self::TornEndRefused => [
                "torn_end_refused",
                "durability",
                "a node does not start from a log whose end a crash has torn",
                "Alagappan et al., FAST 2018",
            ],
        }
    }
}

/// How many bugs of the node there are.
const OF_NODES: usize = raft_node::Mutation::ALL.len();

impl Mutation {
    /// Every planted bug: those of the node, then those of what is around it.
    pub const ALL: [Self; OF_NODES + HostMutation::ALL.len()] = {
        let mut all = [Self::Host(HostMutation::RetryApplied); OF_NODES + HostMutation::ALL.len()];
        let mut place = 0;
        while place < all.len() {
            all[place] = if place < OF_NODES {
                Self::Node(raft_node::Mutation::ALL[place])
            } else {
                Self::Host(HostMutation::ALL[place - OF_NODES])
            };
            place += 1;
        }
        all
    };

    /// The name, in `snake_case`: what [`Mutation::from_str`] reads.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Node(mutation) => mutation.name(),
            Self::Host(mutation) => mutation.row()[0],
        }
    }

    /// The name of a property that the bug breaks; others may break with it, or before.
    #[must_use]
    pub const fn breaks(self) -> &'static str {
        match self {
            Self::Node(mutation) => mutation.breaks(),
            Self::Host(mutation) => mutation.row()[1],
        }
    }

    /// What is wrong, in a sentence without a full stop.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::Node(mutation) => mutation.what(),
            Self::Host(mutation) => mutation.row()[2],
        }
    }

    /// Where the bug was reported or the rule stands that it breaks.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::Node(mutation) => mutation.source(),
            Self::Host(mutation) => mutation.row()[3],
        }
    }

    /// What the node is told of it.
    #[must_use]
    pub const fn of_node(self) -> Option<raft_node::Mutation> {
        match self {
            Self::Node(mutation) => Some(mutation),
            Self::Host(_) => None,
        }
    }

    /// What the rest of the server is told of it.
    #[must_use]
    pub const fn of_host(self) -> Option<HostMutation> {
        match self {
            Self::Node(_) => None,
            Self::Host(mutation) => Some(mutation),
        }
    }
}

/// No planted bug has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoSuchMutation(
    /// The name that was looked for.
    pub String,
);

impl fmt::Display for NoSuchMutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name) = self;
        write!(f, "there is no planted bug `{name}`: expected one that `seaworthy mutations` lists")?;
        f.write_str(&did_you_mean(name, Mutation::ALL.iter().map(|mutation| mutation.name())))
    }
}

impl core::error::Error for NoSuchMutation {}

impl FromStr for Mutation {
    type Err = NoSuchMutation;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|mutation| mutation.name() == name);
        named.ok_or_else(|| NoSuchMutation(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::{HostMutation, Mutation};
    use crate::violation::Property;

    #[test]
    fn a_planted_bug_is_found_by_its_name_and_says_what_it_breaks() {
        for mutation in Mutation::ALL {
            assert_eq!(mutation.name().parse(), Ok(mutation));
            assert!(
                Property::ALL.iter().any(|property| property.name() == mutation.breaks()),
                "{mutation:?}"
            );
            assert!(!mutation.what().is_empty() && !mutation.source().is_empty());
            assert_ne!(mutation.of_node().is_some(), mutation.of_host().is_some());
        }
        let last = Mutation::ALL[Mutation::ALL.len() - 1];
        assert_eq!(last, Mutation::Host(HostMutation::TornEndRefused));
        let error = "retry_aplied".parse::<Mutation>().unwrap_err().to_string();
        assert!(error.starts_with("there is no planted bug `retry_aplied`: expected"), "{error}");
        assert!(error.ends_with("\ndid you mean `retry_applied`?"), "{error}");
    }
}
