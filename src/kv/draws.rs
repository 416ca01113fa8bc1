//! What a client leaves to chance.
//!
//! Owns the names of what is drawn. Must not know where the numbers come from.

/// What a draw is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Which kind of operation.
    Operation,
    /// Which key.
    Key,
    /// Which way a get goes.
    ReadKind,
    /// Which server is asked.
    Server,
    /// Which server is asked to open a session.
    OpenServer,
    /// Which server is asked to close the session at the end.
    CloseServer,
}

/// What a draw decides, and so what it is keyed by: to take an operation out of a workload leaves the draws of all others
/// as they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decision {
    /// The client.
    pub client: u16,
    /// The number of its operation, from 1.
    pub operation: u64,
    /// What about the operation.
    pub purpose: Purpose,
    /// How many decisions of the same kind the operation saw before.
    pub ordinal: u32,
}

impl Decision {
    /// The purpose as a number, for hosts that key their draws by numbers.
    #[must_use]
    pub const fn purpose_code(self) -> u32 {
        match self.purpose {
            Purpose::Operation => 0,
            Purpose::Key => 1,
            Purpose::ReadKind => 2,
            Purpose::Server => 3,
            Purpose::OpenServer => 4,
            Purpose::CloseServer => 5,
        }
    }

    /// Operation and ordinal as one number, different for different ones: a client has at most 1,000,000 operations.
    #[must_use]
    pub const fn which(self) -> u64 {
        self.operation << 32 | self.ordinal as u64
    }
}

/// Where a client's numbers come from.
pub trait Draws {
    /// A number below `bound`, which is 1 or more: a function of `which` and of nothing that was drawn before.
    fn below(&mut self, which: Decision, bound: u64) -> u64;
}

/// The index of one of `weights`, each as likely as it is heavy.
///
/// # Panics
///
/// If all are 0.
pub(crate) fn weighted(draws: &mut impl Draws, which: Decision, weights: &[u32]) -> usize {
    let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
    assert!(total > 0, "nothing has any weight");
    let mut rest = draws.below(which, total);
    for (index, weight) in weights.iter().enumerate() {
        match rest.checked_sub(u64::from(*weight)) {
            Some(left) => rest = left,
            None => return index,
        }
    }
    unreachable!("the draw is below the total")
}
