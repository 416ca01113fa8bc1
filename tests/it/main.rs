//! Tests of the whole, from outside.

mod campaigns;
mod capsules;
#[cfg(unix)]
mod ci;
mod disks;
mod dying;
mod ending;
mod executor;
mod fuzzing;
mod golden;
mod guide;
mod inevitable;
mod library;
mod linear;
mod program;
#[cfg(feature = "mutations")]
mod scoreboard;
#[cfg(feature = "mutations")]
mod shrinking;
mod strategy;
mod support;
mod tidy;
mod verbs;
