//! Ctrl-C: the first one ends a campaign in good order, the second one at once.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);
static LISTENS: Once = Once::new();

/// Begins to listen. Where nobody can, Ctrl-C does what it always does.
pub(crate) fn listen() {
    LISTENS.call_once(|| {
        let _ = ctrlc::set_handler(|| {
            if ASKED.swap(true, Ordering::Relaxed) {
                std::process::exit(crate::cli::Exit::Interrupted as i32);
            }
        });
    });
}

/// Whether somebody wants it to end.
pub(crate) fn is_asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}
