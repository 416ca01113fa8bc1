//! Gives a syntax tree to serde and remembers, for the first value that does not fit, where it stands.

use crate::scenario::path::Segment;
use crate::scenario::read::fault::Fault;
use crate::scenario::shorthand::{Single, Word};
use jsonc_parser::ast::{Array, Object, ObjectProp, Value};
use jsonc_parser::common::Ranged;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

/// A value of the tree.
pub(crate) struct Located<'t, 'a>(pub(crate) &'t Value<'a>);

/// What stands there, in words.
pub(crate) fn found(value: &Value<'_>) -> String {
    match value {
        Value::StringLit(text) => format!("the text \"{}\"", Fault::short(&text.value)),
        Value::NumberLit(number) => format!("the number {}", Fault::short(number.value)),
        Value::BooleanLit(truth) => truth.value.to_string(),
        Value::Object(_) => "an object".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::NullKeyword(_) => "null".to_owned(),
    }
}

impl<'de> Deserializer<'de> for Located<'_, '_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let range = self.0.range();
        let result = match self.0 {
            Value::StringLit(text) => visitor.visit_str(&text.value),
            Value::NumberLit(number) => match (number.value.parse::<u64>(), number.value.parse::<i64>()) {
                (Ok(number), _) => visitor.visit_u64(number),
                (_, Ok(number)) => visitor.visit_i64(number),
                _ => Err(Fault::invalid_type(Unexpected::Other(&found(self.0)), &visitor)),
            },
            Value::BooleanLit(truth) => visitor.visit_bool(truth.value),
            Value::Object(object) => visitor.visit_map(Entries::new(object)),
            Value::Array(array) => whole_list(array, visitor),
            Value::NullKeyword(_) => visitor.visit_unit(),
        };
        result.map_err(|fault| fault.at(range))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::NullKeyword(_) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let range = self.0.range();
        let result = match self.0 {
            Value::StringLit(text) => visitor.visit_enum(Word::new(&text.value)),
            Value::Object(object) => visitor.visit_enum(Single::new(Entries::new(object), "one key")),
            Value::NumberLit(_) | Value::BooleanLit(_) | Value::Array(_) | Value::NullKeyword(_) => {
                Err(Fault::custom(format!("found {}: expected {}", found(self.0), Fault::one_of(variants))))
            }
        };
        result.map_err(|fault| fault.at(range))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0 {
            // Derived readers would take a list for the fields in their order, which nobody means.
            Value::Array(array) => Err(Fault::invalid_type(Unexpected::Seq, &visitor).at(array.range)),
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

/// A list, of which nothing may be left over: derived readers of two values would leave the third where it is.
fn whole_list<'de, V: Visitor<'de>>(array: &Array<'_>, visitor: V) -> Result<V::Value, Fault> {
    let mut elements = Elements { array, next: 0 };
    let value = visitor.visit_seq(&mut elements)?;
    match array.elements.get(elements.next) {
        None => Ok(value),
        Some(more) => {
            let (found, expected) = (array.elements.len(), elements.next);
            let fault = Fault::custom(format!("found a list of {found} values: expected {expected}"));
            Err(fault.at(more.range()).within(Segment::Index(expected)))
        }
    }
}

/// The entries of an object.
struct Entries<'t, 'a> {
    object: &'t Object<'a>,
    next: usize,
    value: Option<&'t ObjectProp<'a>>,
}

impl<'t, 'a> Entries<'t, 'a> {
    const fn new(object: &'t Object<'a>) -> Self {
        Self { object, next: 0, value: None }
    }
}

impl<'de> MapAccess<'de> for Entries<'_, '_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some(property) = self.object.properties.get(self.next) else {
            return Ok(None);
        };
        self.next += 1;
        self.value = Some(property);
        let key = seed.deserialize(StrDeserializer::new(property.name.as_str()));
        key.map(Some).map_err(|fault: Fault| fault.at(property.name.range()))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let property = self.value.take().expect("serde asks for a value after its key");
        let within = || Segment::Key(property.name.as_str().to_owned());
        seed.deserialize(Located(&property.value))
            .map_err(|fault| fault.at(property.value.range()).within(within()))
    }
}

/// The elements of a list.
struct Elements<'t, 'a> {
    array: &'t Array<'a>,
    next: usize,
}

impl<'de> SeqAccess<'de> for Elements<'_, '_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let index = self.next;
        let Some(element) = self.array.elements.get(index) else {
            return Ok(None);
        };
        self.next += 1;
        let value = seed.deserialize(Located(element));
        value.map(Some).map_err(|fault| fault.at(element.range()).within(Segment::Index(index)))
    }
}
