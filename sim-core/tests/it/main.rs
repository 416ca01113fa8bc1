//! Tests of the world from outside, through what the crate makes public.

mod clocks;
mod common;
mod crashes;
mod damage;
mod determinism;
mod disks;
mod faults;
mod network;
mod orders;
mod processes;
mod redraw;
mod rot;
mod scribe;
#[cfg(feature = "serde")]
mod trace;
