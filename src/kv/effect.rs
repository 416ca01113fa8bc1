//! What applying an entry did.
//!
//! Owns the words in which an oracle of *exactly once* is told. Must not know the oracle.

use crate::kv::command::SessionId;
use crate::kv::response::Response;
use core::fmt;
use sim_core::{Digest, Encode};

/// What came of an entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// What it did.
    pub effect: Effect,
    /// The answer to whoever asked.
    pub response: Response,
}

/// What applying an entry did. In a correct run each `(session, number)` is [`Effect::Executed`] at most once on each
/// machine, and a [`Effect::Duplicate`] has the response of that one time; a retry that is applied twice is a published
/// bug of hosts without sessions (eliben, `TestAppendLinearizableAfterDelay`; MIT lab 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Not a command of this machine; carried without effect.
    Opaque,
    /// A session was opened.
    Opened {
        /// Its name: the index of the entry.
        session: SessionId,
        /// The session that had to go for it.
        expired: Option<SessionId>,
    },
    /// It took effect now, even where that was to change nothing.
    Executed {
        /// The session.
        session: SessionId,
        /// The number within the session.
        number: u64,
    },
    /// It had taken effect before and was answered from memory.
    Duplicate {
        /// The session.
        session: SessionId,
        /// The number within the session.
        number: u64,
    },
    /// A later command of the session had taken effect before; nothing happened.
    Stale {
        /// The session.
        session: SessionId,
        /// The number within the session.
        number: u64,
    },
    /// There was no such session; nothing happened.
    Expired {
        /// The session.
        session: SessionId,
        /// The number within the session.
        number: u64,
    },
}

impl Encode for Effect {
    fn encode(&self, digest: &mut Digest) {
        let mut told = |variant: u64, session: SessionId, number: u64| {
            digest.pair(variant, session.0);
            digest.word(number);
        };
        match *self {
            Self::Opaque => digest.word(0),
            Self::Opened { session, expired } => told(1, session, expired.unwrap_or(SessionId::NONE).0),
            Self::Executed { session, number } => told(2, session, number),
            Self::Duplicate { session, number } => told(3, session, number),
            Self::Stale { session, number } => told(4, session, number),
            Self::Expired { session, number } => told(5, session, number),
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Opaque => f.write_str("opaque"),
            Self::Opened { session, expired: None } => write!(f, "{session} opened"),
            Self::Opened { session, expired: Some(expired) } => {
                write!(f, "{session} opened, {expired} expired")
            }
            Self::Executed { session, number } => write!(f, "{session}#{number} executed"),
            Self::Duplicate { session, number } => write!(f, "{session}#{number} duplicate"),
            Self::Stale { session, number } => write!(f, "{session}#{number} stale"),
            Self::Expired { session, number } => write!(f, "{session}#{number} expired"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_that_differ_are_shown_and_hashed_differently() {
        let mut seen = std::collections::BTreeSet::new();
        let mut count = 0;
        for (session, number) in
            [(1, 2), (2, 1), (2, 2)].map(|(session, number)| (SessionId(session), number))
        {
            let effects = [
                Effect::Opened { session, expired: Some(SessionId(number)) },
                Effect::Executed { session, number },
                Effect::Duplicate { session, number },
                Effect::Stale { session, number },
                Effect::Expired { session, number },
            ];
            for effect in effects {
                let mut digest = Digest::new();
                effect.encode(&mut digest);
                assert!(
                    seen.insert(effect.to_string()) && seen.insert(digest.value().to_string()),
                    "{effect}"
                );
                count += 1;
            }
        }
        assert_eq!((count, seen.len()), (15, 30));
        let session = SessionId(12);
        assert_eq!(Effect::Executed { session, number: 3 }.to_string(), "s12#3 executed");
        assert_eq!(Effect::Opened { session, expired: None }.to_string(), "s12 opened");
    }
}
