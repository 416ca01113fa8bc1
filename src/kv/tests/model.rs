//! The slow, obvious twin of the machine: everything in lists that are searched from end to end, nothing forgotten.

use crate::kv::{Applied, Command, Effect, Key, Operation, Response, SessionId, Value};

type Answers = Vec<(u64, Response)>;

#[derive(Default)]
pub(super) struct Model {
    sessions_max: usize,
    held: Vec<(Key, Vec<u8>)>,
    /// Name, when it was active last, and all that it ever answered.
    sessions: Vec<(SessionId, u64, Answers)>,
    /// Each command that took effect, with its response, in order.
    pub(super) executed: Vec<(SessionId, u64, Response)>,
}

impl Model {
    pub(super) fn new(sessions_max: u32) -> Self {
        Self { sessions_max: usize::try_from(sessions_max).expect("it is small"), ..Self::default() }
    }

    pub(super) fn read(&self, key: Key) -> Option<Value> {
        self.held.iter().find(|(held, _)| *held == key).map(|(_, bytes)| Value::new(bytes))
    }

    pub(super) fn apply(&mut self, index: u64, bytes: &[u8]) -> Applied {
        let Some(Command { session, number, operation }) = Command::decode(bytes) else {
            return Applied { effect: Effect::Opaque, response: Response::Opaque };
        };
        if operation == Operation::OpenSession {
            let session = SessionId(index);
            let mut expired = None;
            if self.sessions.len() == self.sessions_max {
                self.sessions.sort_by_key(|(_, active, _)| *active);
                expired = Some(self.sessions.remove(0).0);
            }
            self.sessions.push((session, index, Vec::new()));
            let effect = Effect::Opened { session, expired };
            return Applied { effect, response: Response::Opened { session } };
        }
        let Some(place) = self.sessions.iter().position(|(id, ..)| *id == session) else {
            let effect = Effect::Expired { session, number };
            return Applied { effect, response: Response::SessionExpired };
        };
        self.sessions[place].1 = index;
        let answered = &self.sessions[place].2;
        if answered.iter().any(|(later, _)| *later > number) {
            return Applied { effect: Effect::Stale { session, number }, response: Response::Stale };
        }
        if let Some((_, response)) = answered.iter().find(|(repeated, _)| *repeated == number) {
            return Applied { effect: Effect::Duplicate { session, number }, response: response.clone() };
        }
        if operation == Operation::CloseSession {
            self.sessions.remove(place);
            return Applied { effect: Effect::Executed { session, number }, response: Response::Closed };
        }
        let response = self.execute(operation);
        self.sessions[place].2.push((number, response.clone()));
        self.executed.push((session, number, response.clone()));
        Applied { effect: Effect::Executed { session, number }, response }
    }

    fn execute(&mut self, operation: Operation) -> Response {
        let key = operation.key().expect("it is about a key");
        let before = self.read(key);
        let bytes = before.as_ref().map(|value| value.as_slice().to_vec());
        let (after, response) = match operation {
            Operation::OpenSession | Operation::CloseSession => unreachable!("they are about no key"),
            Operation::Get { .. } => (bytes, Response::Value(before)),
            Operation::Put { value, .. } => (Some(value.as_slice().to_vec()), Response::Written),
            Operation::Cas { expected, value, .. } if expected == before => {
                (Some(value.as_slice().to_vec()), Response::Swapped)
            }
            Operation::Cas { .. } => (bytes, Response::Unswapped(before)),
            Operation::Append { value, .. } => {
                let after = [bytes.unwrap_or_default(), value.as_slice().to_vec()].concat();
                let length = after.len() as u64;
                (Some(after), Response::Length(length))
            }
            Operation::Delete { .. } => (None, Response::Deleted { existed: before.is_some() }),
        };
        self.held.retain(|(held, _)| *held != key);
        self.held.extend(after.map(|bytes| (key, bytes)));
        response
    }
}
