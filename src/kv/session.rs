//! Sessions: what makes a retry harmless.
//!
//! Owns who has a session, what was last answered in it, and who goes when there are too many. Must not know what
//! commands do.

use crate::kv::command::SessionId;
use crate::kv::response::Response;
use sim_core::{Digest, Encode};
use std::collections::BTreeMap;

/// What is remembered of a client (Ongaro §6.3). A client has one command outstanding, so one response is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    /// The number of the last command that took effect, and its response.
    pub(crate) last: Option<(u64, Response)>,
    /// The index of the last command that named the session, whatever came of it.
    pub(crate) active: u64,
}

/// What a number is within a session.
pub(crate) enum Turn {
    Next,
    Repeated(Response),
    Passed,
}

impl Session {
    pub(crate) const fn new(active: u64) -> Self {
        Self { last: None, active }
    }

    pub(crate) fn turn(&self, number: u64) -> Turn {
        match &self.last {
            Some((last, _)) if number < *last => Turn::Passed,
            Some((last, response)) if number == *last => Turn::Repeated(response.clone()),
            Some(_) | None => Turn::Next,
        }
    }

    /// What the session adds to the hash of all.
    fn part(&self, id: SessionId) -> u64 {
        let mut digest = Digest::new();
        digest.pair(id.0, self.active);
        match &self.last {
            None => digest.word(0),
            Some((number, response)) => {
                digest.word(*number);
                response.encode(&mut digest);
            }
        }
        digest.value()
    }
}

/// The open sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sessions {
    open: BTreeMap<SessionId, Session>,
    /// The sum of [`Session::part`] over all.
    hash: u64,
}

impl Sessions {
    /// Takes a session out, to change it and [`put`](Self::put) it back.
    pub(crate) fn take(&mut self, id: SessionId) -> Option<Session> {
        let session = self.open.remove(&id)?;
        self.hash = self.hash.wrapping_sub(session.part(id));
        Some(session)
    }

    pub(crate) fn put(&mut self, id: SessionId, session: Session) {
        self.take(id);
        self.hash = self.hash.wrapping_add(session.part(id));
        self.open.insert(id, session);
    }

    /// Takes out the session that was active least recently if there are `most`, and says which. Every machine that
    /// applied the same log lets the same one go (Ongaro §6.3 asks for no more).
    pub(crate) fn make_room(&mut self, most: usize) -> Option<SessionId> {
        if self.open.len() < most {
            return None;
        }
        let (oldest, _) = self.open.iter().min_by_key(|(id, session)| (session.active, **id))?;
        let oldest = *oldest;
        self.take(oldest);
        Some(oldest)
    }

    /// In order of their names.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (SessionId, &Session)> {
        self.open.iter().map(|(id, session)| (*id, session))
    }

    pub(crate) const fn hash(&self) -> u64 {
        self.hash
    }

    /// The hash by way of everything.
    pub(crate) fn hash_from_scratch(&self) -> u64 {
        self.iter().fold(0, |sum, (id, session)| sum.wrapping_add(session.part(id)))
    }
}
