//! Tests of the whole, from outside.

mod campaigns;
#[cfg(unix)]
mod ci;
mod disks;
mod dying;
mod ending;
mod executor;
mod fuzzing;
mod golden;
mod library;
mod linear;
mod program;
mod strategy;
mod support;
mod tidy;
mod verbs;
