//! Reading: a record is cut out by its length, so what a newer peer appended to it is passed over.

use super::error::CodecError;
use super::numbers::NUMBERS;
use serde::de::value::{BorrowedStrDeserializer, U32Deserializer};
use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};

/// How deep records may be nested; the messages of version 1 reach 6.
const DEPTH: usize = 16;

/// The variant that stands for those which this build does not know, in an enum that has it.
const UNKNOWN: &str = "unknown";

/// The bytes of a message, or of one record in it, that are not read yet.
pub(super) struct Reader<'de> {
    rest: &'de [u8],
    depth: usize,
}

impl<'de> Reader<'de> {
    pub fn new(body: &'de [u8]) -> Self {
        Self { rest: body, depth: 0 }
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn number<T: bincode::Decode<()>>(&mut self) -> Result<T, CodecError> {
        let read = bincode::decode_from_slice(self.rest, NUMBERS);
        let (number, width) = read.map_err(|_| CodecError::Malformed)?;
        self.rest = self.rest.get(width..).ok_or(CodecError::Malformed)?;
        Ok(number)
    }

    /// A length or a count. Whatever is counted takes a byte at least.
    fn length(&mut self) -> Result<usize, CodecError> {
        let length: u32 = self.number()?;
        usize::try_from(length).ok().filter(|length| *length <= self.rest.len()).ok_or(CodecError::Malformed)
    }

    fn bytes(&mut self) -> Result<&'de [u8], CodecError> {
        let length = self.length()?;
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(CodecError::Malformed)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn text(&mut self) -> Result<&'de str, CodecError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| CodecError::Malformed)
    }

    fn record(&mut self) -> Result<Self, CodecError> {
        let depth = self.depth + 1;
        if depth > DEPTH {
            return Err(CodecError::Malformed);
        }
        Ok(Self { rest: self.bytes()?, depth })
    }
}

macro_rules! numbers {
    ($($name:ident -> $visit:ident),* $(,)?) => {
        $(fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
            visitor.$visit(self.number()?)
        })*
    };
}

impl<'de> de::Deserializer<'de> for &mut Reader<'de> {
    type Error = CodecError;

    numbers!(
        deserialize_bool -> visit_bool,
        deserialize_u8 -> visit_u8,
        deserialize_u16 -> visit_u16,
        deserialize_u32 -> visit_u32,
        deserialize_u64 -> visit_u64,
        deserialize_i32 -> visit_i32,
        deserialize_i64 -> visit_i64,
    );

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        visitor.visit_borrowed_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        if self.number()? { visitor.visit_some(self) } else { visitor.visit_none() }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        let left = self.length()?;
        visitor.visit_seq(Elements { reader: self, left })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        let left = self.length()?;
        visitor.visit_map(Entries { reader: self, left, last: None })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        visitor.visit_seq(Fields(self.record()?))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        let number: u16 = self.number()?;
        let record = self.record()?;
        let known = |at: &usize| *at < variants.len();
        // An enum may have a variant for what only newer peers know.
        let number = Some(number)
            .filter(|number| known(&usize::from(*number)))
            .or_else(|| variants.iter().position(|one| *one == UNKNOWN).and_then(|at| u16::try_from(at).ok()))
            .ok_or(CodecError::Unknown { name, number })?;
        visitor.visit_enum(Variant { number, record })
    }

    /// No message says what it is.
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, CodecError> {
        Err(CodecError::Malformed)
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i128 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// The elements of a list. Their number is no hint: a list grows as they are read.
struct Elements<'a, 'de> {
    reader: &'a mut Reader<'de>,
    left: usize,
}

impl<'de> de::SeqAccess<'de> for Elements<'_, 'de> {
    type Error = CodecError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, CodecError> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

/// The entries of a map, each name once and in order: a map has one spelling only.
struct Entries<'a, 'de> {
    reader: &'a mut Reader<'de>,
    left: usize,
    last: Option<&'de str>,
}

impl<'de> de::MapAccess<'de> for Entries<'_, 'de> {
    type Error = CodecError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, CodecError> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        let name = self.reader.text()?;
        if self.last.is_some_and(|last| last >= name) {
            return Err(CodecError::Malformed);
        }
        self.last = Some(name);
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, CodecError> {
        seed.deserialize(&mut *self.reader)
    }
}

/// The fields of a record. Where it ends before they do, what is missing was appended since.
struct Fields<'de>(Reader<'de>);

impl<'de> de::SeqAccess<'de> for Fields<'de> {
    type Error = CodecError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, CodecError> {
        if self.0.is_empty() { Ok(None) } else { seed.deserialize(&mut self.0).map(Some) }
    }
}

/// One variant, known to this build, and the record of its fields.
struct Variant<'de> {
    number: u16,
    record: Reader<'de>,
}

impl<'de> de::EnumAccess<'de> for Variant<'de> {
    type Error = CodecError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), CodecError> {
        let number: U32Deserializer<CodecError> = u32::from(self.number).into_deserializer();
        Ok((seed.deserialize(number)?, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'de> {
    type Error = CodecError;

    fn unit_variant(self) -> Result<(), CodecError> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(mut self, seed: T) -> Result<T::Value, CodecError> {
        seed.deserialize(&mut self.record)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, CodecError> {
        visitor.visit_seq(Fields(self.record))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        visitor.visit_seq(Fields(self.record))
    }
}
