//! What the program ends with.

use std::process::ExitCode;

/// The exit codes, each with one meaning. Scripts read these, not the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything was as expected.
    Clean = 0,
    /// A property was violated, or something expected to break did not.
    Violation = 1,
    /// The command line is wrong.
    Usage = 2,
    /// An input file is wrong or cannot be read, or an output file cannot be written.
    BadInput = 3,
    /// Nothing was selected to run.
    NothingSelected = 4,
    /// A replay did not give the digest that was expected, or the schedule of a capsule cannot be followed any more.
    NotReproduced = 5,
    /// A history could not be judged within the budget, or merged results have holes: neither a pass nor a violation.
    Undecided = 6,
    /// A campaign was interrupted, and had found nothing yet.
    Interrupted = 130,
    /// The program itself has failed.
    Internal = 70,
}

impl Exit {
    /// Every code with its meaning, for the help and the manual.
    pub const TABLE: &str = "\
EXIT CODES:
   0  everything was as expected
   1  a property was violated, or something expected to break did not
   2  the command line is wrong
   3  an input file is wrong or cannot be read, or an output file cannot be written
   4  nothing was selected to run
   5  a replay did not give the digest that was expected, or a capsule's schedule cannot be followed any more
   6  a history could not be judged within the budget, or results have holes: neither a pass nor a violation
  70  the program itself has failed
 130  a campaign was interrupted, and had found nothing yet";
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
