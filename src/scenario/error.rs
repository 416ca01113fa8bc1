//! What is wrong with a scenario, and where.

use crate::scenario::excerpt::{Excerpt, plain};
use core::fmt;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};

/// Why a scenario file is not a scenario: at least one problem, in the order of the file.
#[derive(Clone, Debug)]
pub struct ScenarioError {
    problems: Vec<Problem>,
    untold: usize,
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug)]
pub struct Problem {
    message: String,
    label: String,
    help: Option<String>,
    excerpt: Excerpt,
}

impl Problem {
    /// `message` may have more lines: they are help. `label` says what stands at the place.
    pub(crate) fn new(message: &str, label: &str, excerpt: Excerpt) -> Self {
        let (message, help) = message.split_once('\n').unwrap_or((message, ""));
        let help = help.lines().map(plain).collect::<Vec<_>>().join("\n");
        Self {
            message: plain(message),
            label: plain(label),
            help: Some(help).filter(|help| !help.is_empty()),
            excerpt,
        }
    }

    /// What is wrong and what was expected.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it, where more can be said.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The line, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.excerpt.line
    }

    /// The column, from 1, in characters.
    #[must_use]
    pub const fn column(&self) -> usize {
        self.excerpt.column
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for Problem {}

impl Diagnostic for Problem {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = Some(self.label.clone()).filter(|label| !label.is_empty());
        Some(Box::new(core::iter::once(LabeledSpan::new_primary_with_span(label, self.excerpt.span()))))
    }
}

impl ScenarioError {
    /// `untold` problems more were found than are told.
    pub(crate) fn new(mut problems: Vec<Problem>, untold: usize) -> Self {
        assert!(!problems.is_empty(), "an error says what is wrong");
        problems.sort_by_key(|problem| (problem.line(), problem.column()));
        Self { problems, untold }
    }

    /// What is wrong, in the order of the file; of very many problems only the first.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The error for people: each problem with file, line, column, the line itself and a caret, wrapped at `width`.
    #[must_use]
    pub fn render(&self, color: bool, width: usize) -> String {
        let theme = if color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(width.max(40)).with_links(false);
        let mut text = String::new();
        for problem in &self.problems {
            if handler.render_report(&mut text, problem).is_err() {
                // Writing to a String does not fail; if miette does, the place and the message still get through.
                text.push_str(&format!("{}: {problem}\n", problem.excerpt.place()));
            }
            text.push('\n');
        }
        let told = self.problems.len();
        match self.untold {
            0 if told == 1 => {}
            0 => text.push_str(&format!("{told} problems\n")),
            untold => text.push_str(&format!("{told} problems, and {untold} more\n")),
        }
        text
    }
}

impl fmt::Display for ScenarioError {
    /// `file:line:column: message`, a line for each problem.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.problems.iter().enumerate() {
            let newline = if place == 0 { "" } else { "\n" };
            write!(f, "{newline}{}: {problem}", problem.excerpt.place())?;
        }
        Ok(())
    }
}

impl core::error::Error for ScenarioError {}

impl Diagnostic for ScenarioError {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.problems[0].help()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.problems[0].source_code()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.problems[0].labels()
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.problems[1..].iter().map(|problem| problem as &dyn Diagnostic)))
    }
}
