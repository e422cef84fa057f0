//! Reads moments from rows.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::db::DbError;
use crate::time::Timestamp;

pub(crate) fn moment(row: &AnyRow, column: &'static str) -> Result<Timestamp, DbError> {
    Ok(Timestamp::from_millis(row.try_get(column)?))
}

pub(crate) fn optional_moment(row: &AnyRow, column: &'static str) -> Result<Option<Timestamp>, DbError> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_millis))
}
