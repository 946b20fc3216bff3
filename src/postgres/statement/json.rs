//! Values that are bound as the text of their JSON.

use crate::store::Payload;
use serde::Serialize;
use sqlx::{
    Encode, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo},
};

/// A value as the text of its JSON. It is written right into what is sent, and needs no memory of its own.
pub(in crate::postgres) struct Json<'v, T: ?Sized>(pub(in crate::postgres) &'v T);

/// What can be written as JSON.
pub(in crate::postgres) trait HasJson {
    /// Adds its JSON to a text.
    fn write_to(&self, text: &mut Vec<u8>) -> Result<(), serde_json::Error>;
}

impl<T: Serialize + ?Sized> HasJson for T {
    fn write_to(&self, text: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        serde_json::to_writer(text, self)
    }
}

impl HasJson for Payload {
    fn write_to(&self, text: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        self.write_json(text)
    }
}

impl<T: HasJson + ?Sized> Encode<'_, Postgres> for Json<'_, T> {
    fn encode_by_ref(&self, into: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        self.0.write_to(into)?;
        Ok(IsNull::No)
    }
}

impl<T: ?Sized> Type<Postgres> for Json<'_, T> {
    fn type_info() -> PgTypeInfo {
        <str as Type<Postgres>>::type_info()
    }
}

impl<T: ?Sized> PgHasArrayType for Json<'_, T> {
    fn array_type_info() -> PgTypeInfo {
        <&str as PgHasArrayType>::array_type_info()
    }
}
