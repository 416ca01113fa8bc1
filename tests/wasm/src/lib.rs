//! Exports for `check.mjs`: a buffer for the text of a scenario, and the digest of its run.

use seaworthy::capsule::{Answer, Capsule, Replayed};
use seaworthy::execute::{Limits, run};
use seaworthy::fuzz;
use seaworthy::scenario::Scenario;

/// Gives a buffer of `length` bytes for the text of a scenario. It is given back by [`digest_of_file`].
#[unsafe(no_mangle)]
pub extern "C" fn buffer(length: usize) -> *mut u8 {
    Box::leak(vec![0; length].into_boxed_slice()).as_mut_ptr()
}

/// The digest of a run of the scenario in the buffer, or 0 if it is none.
///
/// # Safety
///
/// `text` must come from [`buffer`] with this very `length`, and be used once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn digest_of_file(text: *mut u8, length: usize, seed: u64) -> u64 {
    // SAFETY: the caller says that these are the pointer and the length of a leaked box.
    let bytes = unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(text, length)) };
    let text = String::from_utf8_lossy(&bytes);
    let Ok(scenario) = Scenario::parse("scenario", &text) else { return 0 };
    run(&scenario, seed, Limits::default(), ()).map_or(0, |(outcome, ())| outcome.digest)
}

/// Whether the capsule in the buffer is had again, and its story.
///
/// # Safety
///
/// As for [`digest_of_file`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn reproduces(text: *mut u8, length: usize) -> bool {
    // SAFETY: the caller says that these are the pointer and the length of a leaked box.
    let bytes = unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(text, length)) };
    let replayed = Capsule::parse(&String::from_utf8_lossy(&bytes)).map(|capsule| capsule.replay());
    matches!(replayed, Ok(Ok(Replayed { answer: Answer::Reproduced, .. })))
}

/// The digest of the run that `fuzz` draws from `seed`.
#[unsafe(no_mangle)]
pub extern "C" fn digest_of_seed(seed: u64) -> u64 {
    run(&fuzz::draw(seed), seed, fuzz::LIMITS, ()).map_or(0, |(outcome, ())| outcome.digest)
}
