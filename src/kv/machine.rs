//! The replicated state machine: a map of keys, and sessions so that each command takes effect once.
//!
//! Owns what a log of commands means. Must not know how the log came to be. Sessions are those of Ongaro, "Consensus:
//! bridging theory and practice", §6.3.

use crate::kv::command::{Command, Key, Operation, SessionId};
use crate::kv::effect::{Applied, Effect};
use crate::kv::response::Response;
use crate::kv::session::{Session, Sessions, Turn};
use crate::kv::store::Store;
use crate::kv::value::Value;
use core::fmt;
use sim_core::Digest;

/// How many sessions may be open where nobody says otherwise.
pub const SESSIONS_MAX_DEFAULT: u32 = 256;
/// How many sessions a machine can be told to hold at most. To open one beyond the number looks through all.
pub const SESSIONS_MAX_LIMIT: u32 = 65_536;

/// What all machines of a cluster must agree on. It is part of the state: snapshots carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    sessions_max: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { sessions_max: SESSIONS_MAX_DEFAULT }
    }
}

/// A number of sessions outside 1 to [`SESSIONS_MAX_LIMIT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigError(pub u32);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} sessions: expected 1 to {SESSIONS_MAX_LIMIT}", self.0)
    }
}

impl core::error::Error for ConfigError {}

impl Config {
    /// Machines with at most `sessions_max` open sessions.
    ///
    /// # Errors
    ///
    /// If that is not 1 to [`SESSIONS_MAX_LIMIT`].
    pub const fn new(sessions_max: u32) -> Result<Self, ConfigError> {
        if sessions_max == 0 || sessions_max > SESSIONS_MAX_LIMIT {
            return Err(ConfigError(sessions_max));
        }
        Ok(Self { sessions_max })
    }

    /// How many sessions may be open. One more lets the least recently active one expire.
    #[must_use]
    pub const fn sessions_max(self) -> u32 {
        self.sessions_max
    }
}

/// The state machine. Machines with the same [`Config`] that applied the same entries are equal.
///
/// What it holds is bounded by what the log carried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    pub(crate) config: Config,
    pub(crate) applied: u64,
    /// A hash over all opaque entries so far and their places: no effect, but not nothing either. Machines that were
    /// carried different ones must not look alike.
    pub(crate) carried: u64,
    pub(crate) store: Store,
    pub(crate) sessions: Sessions,
    /// Whether a planted bug makes it do a command again that comes again.
    #[cfg(feature = "mutations")]
    pub(crate) repeats: bool,
}

/// Planted bugs.
#[cfg(feature = "mutations")]
impl Machine {
    /// The same, which does a command again that comes again.
    #[must_use]
    pub fn repeating(self) -> Self {
        Self { repeats: true, ..self }
    }

    /// The same without any session.
    #[must_use]
    pub fn without_sessions(&self) -> Self {
        Self { sessions: Sessions::default(), ..self.clone() }
    }
}

impl Machine {
    /// A machine that has applied nothing.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config, ..Self::default() }
    }

    /// What all machines of the cluster agree on.
    #[must_use]
    pub const fn config(&self) -> Config {
        self.config
    }

    /// The index of the last entry applied; 0 before the first.
    #[must_use]
    pub const fn applied(&self) -> u64 {
        self.applied
    }

    /// How many sessions are open.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.sessions.iter().len()
    }

    /// Applies the log entry `bytes` at `index`, which must be 1 or more and above all before. Entries that are no
    /// commands, such as a leader's no-op, need not be shown.
    ///
    /// Bytes that are no [`Command`] are opaque: they change [`Self::hash`] and nothing else.
    #[inline]
    pub fn apply(&mut self, index: u64, bytes: &[u8]) -> Applied {
        self.applied = index;
        if Command::may_be(bytes)
            && let Some(command) = Command::decode(bytes)
        {
            return self.command(index, command);
        }
        let mut digest = Digest::new();
        digest.pair(self.carried, index);
        digest.bytes(bytes);
        self.carried = digest.value();
        Applied { effect: Effect::Opaque, response: Response::Opaque }
    }

    fn command(&mut self, index: u64, command: Command) -> Applied {
        let Command { session: id, number, operation } = command;
        if operation == Operation::OpenSession {
            return self.open(SessionId(index));
        }
        let Some(mut session) = self.sessions.take(id) else {
            let effect = Effect::Expired { session: id, number };
            return Applied { effect, response: Response::SessionExpired };
        };
        session.active = index;
        #[cfg(feature = "mutations")]
        if self.repeats {
            session.last = None;
        }
        let applied = match session.turn(number) {
            Turn::Next => {
                let closes = operation == Operation::CloseSession;
                let response = self.execute(operation);
                let effect = Effect::Executed { session: id, number };
                if closes {
                    return Applied { effect, response };
                }
                session.last = Some((number, response.clone()));
                Applied { effect, response }
            }
            Turn::Repeated(response) => {
                Applied { effect: Effect::Duplicate { session: id, number }, response }
            }
            Turn::Passed => {
                Applied { effect: Effect::Stale { session: id, number }, response: Response::Stale }
            }
        };
        self.sessions.put(id, session);
        applied
    }

    fn open(&mut self, session: SessionId) -> Applied {
        let most = usize::try_from(self.config.sessions_max).unwrap_or(usize::MAX);
        let expired = self.sessions.make_room(most);
        self.sessions.put(session, Session::new(session.0));
        Applied { effect: Effect::Opened { session, expired }, response: Response::Opened { session } }
    }

    fn execute(&mut self, operation: Operation) -> Response {
        match operation {
            Operation::OpenSession => unreachable!("a session is opened without one"),
            Operation::CloseSession => Response::Closed,
            Operation::Get { key } => Response::Value(self.store.get(key).cloned()),
            Operation::Put { key, value } => {
                self.store.set(key, value);
                Response::Written
            }
            Operation::Cas { key, expected, value } => {
                let held = self.store.get(key);
                if held != expected.as_ref() {
                    return Response::Unswapped(held.cloned());
                }
                self.store.set(key, value);
                Response::Swapped
            }
            Operation::Append { key, value } => Response::Length(self.store.append(key, value)),
            Operation::Delete { key } => Response::Deleted { existed: self.store.remove(key) },
        }
    }

    /// What `key` holds, for reads outside the log. How fresh that is, is the host's affair.
    #[must_use]
    pub fn read(&self, key: Key) -> Option<&Value> {
        self.store.get(key)
    }

    /// A hash of the whole state, the same for equal machines. It is kept up to date at the cost of what changes.
    #[must_use]
    pub const fn hash(&self) -> u64 {
        self.combine(self.store.hash(), self.sessions.hash())
    }

    /// [`Self::hash`] by way of everything, for comparison.
    #[must_use]
    pub fn hash_from_scratch(&self) -> u64 {
        self.combine(self.store.hash_from_scratch(), self.sessions.hash_from_scratch())
    }

    const fn combine(&self, store: u64, sessions: u64) -> u64 {
        let mut digest = Digest::new();
        digest.pair(self.applied, self.carried);
        digest.pair(store, sessions);
        digest.word(self.config.sessions_max as u64);
        digest.value()
    }
}
