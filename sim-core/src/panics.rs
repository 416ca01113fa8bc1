//! Catching a panic inside a process, with its message and place.
//!
//! A panicking process is a finding of its seed, never a lost run. Where panics abort (wasm without unwinding) they
//! cannot be caught and end the program.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

/// A caught panic.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PanicReport {
    /// What it said.
    pub message: String,
    /// Where: `file:line:column`.
    pub place: String,
}

thread_local! {
    /// Whether this thread is inside [`catch`]: then the hook notes the place instead of printing.
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static PLACE: Cell<Option<String>> = const { Cell::new(None) };
}

static HOOK: Once = Once::new();

/// Runs `body`; a panic in it becomes an `Err` with its message and place, and is not printed.
///
/// Whatever `body` was changing is left as it was at the panic: the caller must not use it further.
///
/// # Errors
///
/// When `body` panics.
pub fn catch<R>(body: impl FnOnce() -> R) -> Result<R, PanicReport> {
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if CATCHING.get() {
                PLACE.set(info.location().map(ToString::to_string));
            } else {
                previous(info);
            }
        }));
    });
    let outer = CATCHING.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(body));
    CATCHING.set(outer);
    result.map_err(|payload| PanicReport {
        message: message_of(payload.as_ref()),
        place: PLACE.take().unwrap_or_else(|| "unknown place".to_string()),
    })
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_string()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a message".to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught_with_its_message_and_place() {
        let report = catch(|| panic!("no quorum of {}", 3)).unwrap_err();
        assert_eq!(report.message, "no quorum of 3");
        assert!(report.place.contains("panics.rs:"), "{}", report.place);
        assert_eq!(catch(|| 7), Ok(7));
    }

    #[test]
    fn catching_nests() {
        let outer = catch(|| {
            assert!(catch(|| panic!("inner")).is_err());
            panic!("outer")
        });
        assert_eq!(outer.map(|(): ()| ()).unwrap_err().message, "outer");
    }
}
