//! Writing: every struct and every variant becomes a record whose length is filled in at its end.

use super::error::CodecError;
use super::numbers::NUMBERS;
use bincode::enc::write::Writer as Sink;
use bincode::error::EncodeError;
use serde::ser::{self, Serialize};

/// Writes one message of at most `cap` bytes.
pub(super) struct Writer {
    bytes: Vec<u8>,
    cap: usize,
}

/// A record that has begun.
pub(super) struct Record<'a> {
    writer: &'a mut Writer,
    length_at: usize,
}

impl Writer {
    pub fn new(cap: usize) -> Self {
        Self { bytes: Vec::new(), cap }
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        if bytes.len() > self.cap - self.bytes.len() {
            return Err(CodecError::TooLong);
        }
        self.bytes.extend(bytes);
        Ok(())
    }

    fn number(&mut self, number: impl bincode::Encode) -> Result<(), CodecError> {
        bincode::encode_into_writer(number, self, NUMBERS).map_err(|_| CodecError::TooLong)
    }

    fn length(&mut self, length: usize) -> Result<(), CodecError> {
        self.number(u32::try_from(length).map_err(|_| CodecError::TooLong)?)
    }

    fn record(&mut self) -> Result<Record<'_>, CodecError> {
        let length_at = self.bytes.len();
        self.length(0)?;
        Ok(Record { writer: self, length_at })
    }

    fn variant(&mut self, number: u32) -> Result<Record<'_>, CodecError> {
        self.number(u16::try_from(number).map_err(|_| CodecError::Malformed)?)?;
        self.record()
    }
}

impl Sink for Writer {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.put(bytes).map_err(|_| EncodeError::UnexpectedEnd)
    }
}

impl Record<'_> {
    fn field(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), CodecError> {
        value.serialize(&mut *self.writer)
    }

    fn close(self) -> Result<(), CodecError> {
        let inside = self.length_at + size_of::<u32>();
        let length = u32::try_from(self.writer.bytes.len() - inside).map_err(|_| CodecError::TooLong)?;
        self.writer.bytes[self.length_at..inside].copy_from_slice(&length.to_le_bytes());
        Ok(())
    }
}

/// What no message holds.
macro_rules! refuse {
    ($($name:ident($($type:ty),*)),* $(,)?) => {
        $(fn $name(self $(, _: $type)*) -> Result<(), CodecError> {
            Err(CodecError::Malformed)
        })*
    };
}

macro_rules! numbers {
    ($($name:ident($type:ty)),* $(,)?) => {
        $(fn $name(self, number: $type) -> Result<(), CodecError> {
            self.number(number)
        })*
    };
}

impl<'a> ser::Serializer for &'a mut Writer {
    type Ok = ();
    type Error = CodecError;
    type SerializeSeq = Self;
    type SerializeTuple = ser::Impossible<(), CodecError>;
    type SerializeTupleStruct = ser::Impossible<(), CodecError>;
    type SerializeTupleVariant = Record<'a>;
    type SerializeMap = Self;
    type SerializeStruct = Record<'a>;
    type SerializeStructVariant = Record<'a>;

    numbers!(
        serialize_bool(bool),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_i32(i32),
        serialize_i64(i64),
    );

    refuse!(
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_f32(f32),
        serialize_f64(f64),
        serialize_char(char),
        serialize_bytes(&[u8]),
        serialize_unit(),
        serialize_unit_struct(&'static str),
    );

    fn serialize_str(self, text: &str) -> Result<(), CodecError> {
        self.length(text.len())?;
        self.put(text.as_bytes())
    }

    fn serialize_none(self) -> Result<(), CodecError> {
        self.number(false)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), CodecError> {
        self.number(true)?;
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), CodecError> {
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, number: u32, _: &'static str) -> Result<(), CodecError> {
        self.variant(number)?.close()
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        number: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), CodecError> {
        let mut record = self.variant(number)?;
        record.field(value)?;
        record.close()
    }

    fn serialize_seq(self, count: Option<usize>) -> Result<Self, CodecError> {
        self.length(count.ok_or(CodecError::Malformed)?)?;
        Ok(self)
    }

    fn serialize_map(self, count: Option<usize>) -> Result<Self, CodecError> {
        self.serialize_seq(count)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Record<'a>, CodecError> {
        self.record()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        number: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Record<'a>, CodecError> {
        self.variant(number)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        number: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Record<'a>, CodecError> {
        self.variant(number)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, CodecError> {
        Err(CodecError::Malformed)
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, CodecError> {
        Err(CodecError::Malformed)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

impl ser::SerializeSeq for &mut Writer {
    type Ok = ();
    type Error = CodecError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), CodecError> {
        Ok(())
    }
}

impl ser::SerializeMap for &mut Writer {
    type Ok = ();
    type Error = CodecError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Result<(), CodecError> {
        name.serialize(&mut **self)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), CodecError> {
        Ok(())
    }
}

impl ser::SerializeStruct for Record<'_> {
    type Ok = ();
    type Error = CodecError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        _: &'static str,
        value: &T,
    ) -> Result<(), CodecError> {
        self.field(value)
    }

    fn end(self) -> Result<(), CodecError> {
        self.close()
    }
}

impl ser::SerializeStructVariant for Record<'_> {
    type Ok = ();
    type Error = CodecError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        _: &'static str,
        value: &T,
    ) -> Result<(), CodecError> {
        self.field(value)
    }

    fn end(self) -> Result<(), CodecError> {
        self.close()
    }
}

impl ser::SerializeTupleVariant for Record<'_> {
    type Ok = ();
    type Error = CodecError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        self.field(value)
    }

    fn end(self) -> Result<(), CodecError> {
        self.close()
    }
}
