//! Tests of the whole, from outside.

mod fuzzing;
mod golden;
mod library;
mod program;
mod strategy;
mod support;
mod tidy;
