//! Reads moments from rows.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::db::DbError;
use crate::time::Moment;

pub(crate) fn moment(row: &AnyRow, column: &'static str) -> Result<Moment, DbError> {
    Ok(Moment::from_millis(row.try_get(column)?))
}

pub(crate) fn optional_moment(row: &AnyRow, column: &'static str) -> Result<Option<Moment>, DbError> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Moment::from_millis))
}
