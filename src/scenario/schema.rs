//! The JSON schema of scenario files, from the types that read them.

use crate::scenario::document::Scenario;
use serde_json::Value;

/// The schema of scenario files (JSON Schema draft 2020-12), for editors and for other tools.
#[must_use]
pub fn schema() -> Value {
    schemars::schema_for!(Scenario).to_value()
}
