//! Shorter ways to write a value: `"leader"` for `{"nodes": "leader"}`, `"no_leader"` for `{"no_leader": {}}`.
//!
//! A type derives its full form with `#[serde(remote = "Self")]`, which makes its readers plain functions, and gets
//! its real ones from [`shorthand`] or [`tagged`]. Nothing is buffered on the way, so a reader that knows places in
//! the file (see `read::located`) can still name them.

use core::fmt;
use core::marker::PhantomData;
use serde::de::value::{MapAccessDeserializer, MapDeserializer, StrDeserializer};
use serde::de::{
    DeserializeSeed, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};

/// Implements `Serialize` and `Deserialize` for a struct with a full form and a short one.
macro_rules! shorthand {
    ($type:ident, $expected:literal, $short:ty, |$value:ident| $make:expr, |$full:ident| $take:expr) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let $full = self;
                let short: Option<&$short> = $take;
                match short {
                    Some(short) => serde::Serialize::serialize(short, serializer),
                    None => <$type>::serialize(self, serializer),
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct ShortVisitor;
                impl<'de> serde::de::Visitor<'de> for ShortVisitor {
                    type Value = $type;

                    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                        f.write_str($expected)
                    }

                    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<$type, E> {
                        let number = serde::de::IntoDeserializer::into_deserializer(number);
                        <$short as serde::Deserialize>::deserialize(number).map(|$value| $make)
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        let text = serde::de::IntoDeserializer::into_deserializer(text);
                        <$short as serde::Deserialize>::deserialize(text).map(|$value| $make)
                    }

                    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, items: A) -> Result<$type, A::Error> {
                        let items = serde::de::value::SeqAccessDeserializer::new(items);
                        <$short as serde::Deserialize>::deserialize(items).map(|$value| $make)
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<$type, A::Error> {
                        <$type>::deserialize(serde::de::value::MapAccessDeserializer::new(map))
                    }
                }
                deserializer.deserialize_any(ShortVisitor)
            }
        }
    };
}

/// Implements `Serialize` and `Deserialize` for an enum whose variants may be written as a bare word.
macro_rules! tagged {
    ($type:ident, $expected:literal) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                <$type>::serialize(self, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct TagVisitor;
                impl<'de> serde::de::Visitor<'de> for TagVisitor {
                    type Value = $type;

                    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                        f.write_str($expected)
                    }

                    fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<$type, E> {
                        <$type>::deserialize($crate::scenario::shorthand::Word::new(word))
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<$type, A::Error> {
                        <$type>::deserialize($crate::scenario::shorthand::Single::new(map, $expected))
                    }
                }
                deserializer.deserialize_any(TagVisitor)
            }
        }
    };
}

pub(crate) use {shorthand, tagged};

/// Reads the bare word `w` as `{"w": {}}`, or as the variant `w` that holds nothing.
pub(crate) struct Word<'a, E>(&'a str, PhantomData<E>);

impl<'a, E> Word<'a, E> {
    pub(crate) const fn new(word: &'a str) -> Self {
        Self(word, PhantomData)
    }
}

impl<'de, E: Error> Deserializer<'de> for Word<'_, E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_enum(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, E: Error> EnumAccess<'de> for Word<'_, E> {
    type Error = E;
    type Variant = Empty<E>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Empty<E>), E> {
        Ok((seed.deserialize(StrDeserializer::new(self.0))?, Empty(PhantomData)))
    }
}

/// What a bare word holds: an object without fields.
pub(crate) struct Empty<E>(PhantomData<E>);

impl<'de, E: Error> VariantAccess<'de> for Empty<E> {
    type Error = E;

    fn unit_variant(self) -> Result<(), E> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, E> {
        let nothing = core::iter::empty::<(&str, bool)>();
        seed.deserialize(MapDeserializer::new(nothing))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, E> {
        visitor.visit_map(MapDeserializer::new(core::iter::empty::<(&str, bool)>()))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, E> {
        visitor.visit_map(MapDeserializer::new(core::iter::empty::<(&str, bool)>()))
    }
}

/// Reads an object with exactly one key as the variant of that name.
pub(crate) struct Single<A> {
    map: A,
    expected: &'static str,
}

impl<A> Single<A> {
    pub(crate) const fn new(map: A, expected: &'static str) -> Self {
        Self { map, expected }
    }
}

impl<'de, A: MapAccess<'de>> Deserializer<'de> for Single<A> {
    type Error = A::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, A::Error> {
        visitor.visit_enum(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, A: MapAccess<'de>> EnumAccess<'de> for Single<A> {
    type Error = A::Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(mut self, seed: V) -> Result<(V::Value, Self), A::Error> {
        match self.map.next_key_seed(seed)? {
            Some(variant) => Ok((variant, self)),
            None => Err(A::Error::custom(format!(
                "an empty object where one key is due: expected {}",
                self.expected
            ))),
        }
    }
}

impl<'de, A: MapAccess<'de>> Single<A> {
    fn end(mut self) -> Result<(), A::Error> {
        while self.map.next_key_seed(NoMore(self.expected))?.is_some() {
            self.map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

impl<'de, A: MapAccess<'de>> VariantAccess<'de> for Single<A> {
    type Error = A::Error;

    fn unit_variant(mut self) -> Result<(), A::Error> {
        self.map.next_value::<Nothing>()?;
        self.end()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(mut self, seed: T) -> Result<T::Value, A::Error> {
        let value = self.map.next_value_seed(seed)?;
        self.end()?;
        Ok(value)
    }

    fn tuple_variant<V: Visitor<'de>>(mut self, length: usize, visitor: V) -> Result<V::Value, A::Error> {
        let value = self.map.next_value_seed(Tuple(length, visitor))?;
        self.end()?;
        Ok(value)
    }

    fn struct_variant<V: Visitor<'de>>(
        mut self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let value = self.map.next_value_seed(Fields(fields, visitor))?;
        self.end()?;
        Ok(value)
    }
}

/// Reads a list for a visitor.
struct Tuple<V>(usize, V);

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for Tuple<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        deserializer.deserialize_tuple(self.0, self.1)
    }
}

/// Reads an object for a visitor.
struct Fields<V>(&'static [&'static str], V);

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for Fields<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        deserializer.deserialize_struct("", self.0, self.1)
    }
}

/// Refuses a second key.
struct NoMore(&'static str);

impl<'de> DeserializeSeed<'de> for NoMore {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let key = String::deserialize(deserializer)?;
        Err(D::Error::custom(format!(
            "`{key}` is one key too many: expected {}\nput `{key}` inside the braces of the key before it, or into an \
             object of its own",
            self.0
        )))
    }
}

/// What stands after a variant that holds nothing: `{}` or null.
struct Nothing;

impl<'de> Deserialize<'de> for Nothing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NothingVisitor;
        impl<'de> Visitor<'de> for NothingVisitor {
            type Value = Nothing;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an empty object: it takes no options")
            }

            fn visit_unit<E: Error>(self) -> Result<Nothing, E> {
                Ok(Nothing)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Nothing, A::Error> {
                Err(A::Error::invalid_type(serde::de::Unexpected::Seq, &self))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Nothing, A::Error> {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct NoFields {}
                NoFields::deserialize(MapAccessDeserializer::new(map)).map(|NoFields {}| Nothing)
            }
        }
        deserializer.deserialize_any(NothingVisitor)
    }
}

/// Makes the schema of a full form accept `short` too. The description stays outside.
pub(crate) fn or(schema: &mut schemars::Schema, short: &serde_json::Value) {
    let mut full = core::mem::take(schema).to_value();
    let description = full.as_object_mut().and_then(|object| object.remove("description"));
    let mut either = schemars::json_schema!({ "anyOf": [short, full] });
    if let Some(description) = description {
        either.insert("description".to_owned(), description);
    }
    *schema = either;
}

/// [`or`] for an enum whose variants may be written as a bare word.
pub(crate) fn or_word(schema: &mut schemars::Schema, words: &[&str]) {
    or(schema, &serde_json::json!({ "enum": words }));
}

/// Reads a value whose key was read already as the variant of that name.
pub(crate) struct Known<'a, D> {
    key: &'a str,
    value: D,
}

impl<'a, D> Known<'a, D> {
    pub(crate) const fn new(key: &'a str, value: D) -> Self {
        Self { key, value }
    }
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Known<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_enum(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, D: Deserializer<'de>> EnumAccess<'de> for Known<'_, D> {
    type Error = D::Error;
    type Variant = KnownValue<D>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, KnownValue<D>), D::Error> {
        Ok((seed.deserialize(StrDeserializer::new(self.key))?, KnownValue(self.value)))
    }
}

/// The value that belongs to a [`Known`] key.
pub(crate) struct KnownValue<D>(D);

impl<'de, D: Deserializer<'de>> VariantAccess<'de> for KnownValue<D> {
    type Error = D::Error;

    fn unit_variant(self) -> Result<(), D::Error> {
        Nothing::deserialize(self.0).map(|Nothing| ())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, D::Error> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_struct("", fields, visitor)
    }
}
