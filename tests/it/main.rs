//! Tests of the whole, from outside.

mod executor;
mod fuzzing;
mod golden;
mod library;
mod program;
mod strategy;
mod support;
mod tidy;
