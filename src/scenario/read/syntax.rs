//! From text to a syntax tree: JSON with comments and trailing commas, and no key twice.

use crate::scenario::read::{Flaw, lexical};
use jsonc_parser::ast::Value;
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::errors::{ParseError, ParseErrorKind};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use std::collections::BTreeMap;

/// Comments and trailing commas are allowed; the rest of JSON5 is not: one spelling for each thing.
const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// The tree of a text that holds one value, in which lists and objects stand so deep inside each other at most.
pub(crate) fn parse(text: &str, depth: usize) -> Result<Value<'_>, Flaw> {
    lexical::check(text, depth)?;
    let parsed =
        parse_to_ast(text, &CollectOptions::default(), &OPTIONS).map_err(|error| flaw(&error, text))?;
    parsed.value.ok_or_else(|| {
        let what = if text.trim().is_empty() { "an empty file" } else { "a file with comments only" };
        Flaw::new(0..0, format!("{what}: expected a scenario, {{\"name\": …, \"nodes\": …, \"steps\": […]}}"))
    })
}

/// Every key that stands a second time in its object.
pub(crate) fn repeated_keys(value: &Value<'_>, flaws: &mut Vec<Flaw>) {
    match value {
        Value::Object(object) => {
            let mut seen = BTreeMap::new();
            for property in &object.properties {
                let key = property.name.as_str();
                if seen.insert(key, ()).is_some() {
                    let range = property.name.range();
                    flaws.push(Flaw::new(
                        range.start..range.end,
                        format!("`{key}` stands twice in this object: expected every key once"),
                    ));
                }
                repeated_keys(&property.value, flaws);
            }
        }
        Value::Array(array) => array.elements.iter().for_each(|element| repeated_keys(element, flaws)),
        Value::StringLit(_) | Value::NumberLit(_) | Value::BooleanLit(_) | Value::NullKeyword(_) => {}
    }
}

fn flaw(error: &ParseError, text: &str) -> Flaw {
    let Range { mut start, mut end } = error.range();
    // The parser points at the beginning of what has no end; what is missing is missing at the end of the text.
    let at_end = |opened: &str, closing: &str| {
        (format!("the file ends inside {opened}: expected `{closing}`"), text.trim_end().len())
    };
    let message = match error.kind() {
        ParseErrorKind::UnterminatedObject => {
            let (message, end_of_text) = at_end("an object", "}");
            (start, end) = (end_of_text, end_of_text);
            message
        }
        ParseErrorKind::UnterminatedArray => {
            let (message, end_of_text) = at_end("a list", "]");
            (start, end) = (end_of_text, end_of_text);
            message
        }
        ParseErrorKind::UnterminatedCommentBlock => "a comment without an end: expected `*/`".to_owned(),
        ParseErrorKind::MultipleRootJsonValues => {
            "something follows the scenario: expected the end of the file".to_owned()
        }
        ParseErrorKind::ExpectedComma => "two values without a comma: expected `,` here".to_owned(),
        ParseErrorKind::ExpectedColonAfterObjectKey => {
            "a key without a value: expected `:` after the key".to_owned()
        }
        ParseErrorKind::ExpectedObjectValue => "a key without a value: expected a value after `:`".to_owned(),
        ParseErrorKind::ExpectedStringObjectProperty => {
            "a key without quotes: expected a key in double quotes".to_owned()
        }
        ParseErrorKind::SingleQuotedStringsNotAllowed => "single quotes: expected double quotes".to_owned(),
        ParseErrorKind::NonFiniteNumbersNotAllowed => {
            "not a number: expected a value, such as 3, \"text\" or true".to_owned()
        }
        ParseErrorKind::HexadecimalNumbersNotAllowed => {
            "a hexadecimal number: expected a decimal one\na seed may be hexadecimal as text: \"0x2a\""
                .to_owned()
        }
        ParseErrorKind::UnexpectedWord => {
            let word: String =
                text[start.min(text.len())..].chars().take_while(|c| c.is_alphanumeric()).take(40).collect();
            format!(
                "`{word}` is no value: expected a value, such as 3, true or null\ntext stands in double quotes: \"{word}\""
            )
        }
        ParseErrorKind::UnexpectedCloseBrace => {
            "`}` where a value is due: expected a value, or `]`".to_owned()
        }
        ParseErrorKind::UnexpectedCloseBracket => {
            "`]` where a value is due: expected a value, or `}`".to_owned()
        }
        ParseErrorKind::UnexpectedComma => "`,` where a value is due: expected a value".to_owned(),
        ParseErrorKind::UnexpectedColon => "`:` where a value is due: expected a value".to_owned(),
        ParseErrorKind::UnexpectedTokenInObject => {
            "this is no key: expected a key in double quotes, or `}`".to_owned()
        }
        ParseErrorKind::UnexpectedToken => {
            let found = text[start.min(text.len())..].chars().next().unwrap_or(' ');
            let shown = if found.is_control() || found == '\u{fffd}' {
                format!("the character U+{:04X}", u32::from(found))
            } else {
                format!("`{found}`")
            };
            format!("{shown} is no JSON: expected a value, a key or punctuation")
        }
        ParseErrorKind::NestingDepthExceeded => "nested too deeply: expected fewer levels".to_owned(),
        ParseErrorKind::BareDecimalPointNumbersNotAllowed
        | ParseErrorKind::CommentsNotAllowed
        | ParseErrorKind::ExpectedDigit
        | ParseErrorKind::ExpectedDigitFollowingNegativeSign
        | ParseErrorKind::ExpectedPlusMinusOrDigitInNumberLiteral
        | ParseErrorKind::String(_)
        | ParseErrorKind::TrailingCommasNotAllowed
        | ParseErrorKind::UnaryPlusNumbersNotAllowed => {
            format!("{}: expected plain JSON, with comments", error.kind().to_string().to_lowercase())
        }
    };
    Flaw::new(start..end, message)
}
