//! The program. Everything is in the library: see [`seaworthy::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    seaworthy::cli::main()
}
