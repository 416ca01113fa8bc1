//! Where in a scenario a value stands: `steps[3].isolate`.

use core::fmt;
use jsonc_parser::ast::{ObjectProp, Value};
use jsonc_parser::common::{Range, Ranged};

/// One step on the way to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Key(String),
    Index(usize),
}

/// The way from the document to a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Path(pub(crate) Vec<Segment>);

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) if place == 0 => f.write_str(key)?,
                Segment::Key(key) => write!(f, ".{key}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl Path {
    /// Where the value stands in the text (its key, if `at_key`), and the way there as it is written.
    ///
    /// What a shorthand leaves out is stepped over: of `steps[0].isolate.nodes[1]`, `{"isolate": [0, 7]}` has no
    /// `nodes`.
    pub(crate) fn locate(&self, root: &Value<'_>, at_key: bool) -> (Range, Self) {
        let (mut value, mut key, mut written) = (root, None, Self::default());
        for segment in &self.0 {
            match (segment, value) {
                (Segment::Key(name), Value::Object(object)) => {
                    let property = object.properties.iter().find(|property| property.name.as_str() == name);
                    let Some(property) = property else { continue };
                    (value, key) = (&property.value, Some(property));
                }
                (Segment::Index(index), Value::Array(array)) => {
                    let Some(element) = array.elements.get(*index) else { continue };
                    (value, key) = (element, None);
                }
                _ => continue,
            }
            written.0.push(segment.clone());
        }
        match key {
            Some(ObjectProp { name, .. }) if at_key => (name.range(), written),
            _ => (value.range(), written),
        }
    }
}
