//! The reference model: what an object that does one thing at a time would answer.
//!
//! Must not share code with a replicated state machine: it is what that is judged by.

use crate::linear::history::{Action, Outcome};
use crate::linear::value::Value;

/// What the clients talk to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    pub(crate) kind: Kind,
    pub(crate) initial: Option<Value>,
}

/// Whether keys matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Register,
    Kv,
}

impl Model {
    /// One cell, whatever the keys say.
    #[must_use]
    pub const fn register() -> Self {
        Self { kind: Kind::Register, initial: None }
    }

    /// A cell for each key. Cells are independent, so each is judged alone (Herlihy and Wing 1990, locality).
    #[must_use]
    pub const fn kv() -> Self {
        Self { kind: Kind::Kv, initial: None }
    }

    /// Every cell begins with this value instead of being absent.
    #[must_use]
    pub fn starting_with(mut self, initial: Value) -> Self {
        self.initial = Some(initial);
        self
    }
}

/// Carries out `action` on a cell. Returns whether the cell can answer with `outcome`; if not, the cell is unchanged.
///
/// An unknown outcome always can be: then the action takes effect as far as the cell allows.
pub(crate) fn step(cell: &mut Option<Value>, action: &Action, outcome: &Outcome) -> bool {
    match (action, outcome) {
        (_, Outcome::Failed) | (Action::Get, Outcome::Unknown) => true,
        (Action::Get, Outcome::Read(value)) => cell == value,
        (Action::Put(value), Outcome::Done | Outcome::Unknown) => {
            *cell = Some(value.clone());
            true
        }
        (Action::Append(more), Outcome::Done | Outcome::Unknown) => {
            cell.get_or_insert_default().append(more);
            true
        }
        (Action::Delete, Outcome::Done | Outcome::Unknown) => {
            *cell = None;
            true
        }
        (Action::Cas { expected, new }, Outcome::Done | Outcome::Unknown) => {
            if cell == expected {
                *cell = Some(new.clone());
                return true;
            }
            *outcome == Outcome::Unknown
        }
        (Action::Cas { expected, .. }, Outcome::Mismatch(seen)) => cell == seen && cell != expected,
        // A history holds no such pair.
        (_, Outcome::Read(_) | Outcome::Mismatch(_)) | (Action::Get, Outcome::Done) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_does_what_each_action_says() {
        let mut cell = None;
        let value = |text: &str| Some(Value::from(text));
        let cas = |from: Option<Value>, to: &str| Action::Cas { expected: from, new: to.into() };
        assert!(step(&mut cell, &Action::Get, &Outcome::Read(None)));
        assert!(!step(&mut cell, &Action::Get, &Outcome::Read(value(""))));
        assert!(step(&mut cell, &Action::Append("a".into()), &Outcome::Done));
        assert!(step(&mut cell, &Action::Append("b".into()), &Outcome::Done));
        assert_eq!(cell, value("ab"));
        assert!(step(&mut cell, &cas(value("ab"), "c"), &Outcome::Done));
        assert!(!step(&mut cell, &cas(value("ab"), "d"), &Outcome::Done));
        assert!(step(&mut cell, &cas(value("ab"), "d"), &Outcome::Mismatch(value("c"))));
        assert!(!step(&mut cell, &cas(value("c"), "d"), &Outcome::Mismatch(value("c"))));
        assert!(step(&mut cell, &cas(value("ab"), "d"), &Outcome::Unknown));
        assert_eq!(cell, value("c"));
        assert!(step(&mut cell, &Action::Delete, &Outcome::Failed));
        assert_eq!(cell, value("c"));
        assert!(step(&mut cell, &Action::Delete, &Outcome::Done));
        assert!(step(&mut cell, &cas(None, "e"), &Outcome::Done));
        assert!(step(&mut cell, &Action::Put("f".into()), &Outcome::Done));
        assert_eq!(cell, value("f"));
    }
}
