//! Tests of the world from outside, through what the crate makes public.

mod common;
mod determinism;
mod network;
mod processes;
#[cfg(feature = "serde")]
mod trace;
