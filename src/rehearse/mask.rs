//! Masks: columns of a copy for people lose their values right after the restore, before anything else looks at it.
//!
//! An update leaves the old values behind in dead rows, so each masked table is written anew.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _};

use super::error::{RehearseError, asked};
use crate::source::postgres::connection::Connection;
use crate::source::postgres::load::quoted;
use crate::source::postgres::session::connect;

/// One column, and what its values become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    /// Schema.
    pub schema: String,
    /// Table.
    pub table: String,
    /// Column.
    pub column: String,
    /// What its values become.
    pub with: Masking,
}

/// What values become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Masking {
    /// Nothing.
    Null,
    /// A hash with a secret that is thrown away: equal values stay equal, in other tables too.
    Hash,
    /// An address at example.invalid, made of that hash.
    Email,
    /// This text.
    Text(String),
}

impl Mask {
    /// From the way they are configured: `schema.table.column` and `null`, `hash`, `email` or `text:…`.
    pub fn parse(column: &str, with: &str) -> Option<Self> {
        let with = match with.split_once(':') {
            Some(("text", text)) => Masking::Text(text.to_owned()),
            _ => match with {
                "null" => Masking::Null,
                "hash" => Masking::Hash,
                "email" => Masking::Email,
                _ => return None,
            },
        };
        let mut parts = column.split('.').map(str::to_owned);
        let (schema, table, column) = (parts.next()?, parts.next()?, parts.next()?);
        let is_whole = parts.next().is_none() && ![&schema, &table, &column].iter().any(|part| part.is_empty());
        is_whole.then_some(Self { schema, table, column, with })
    }

    fn name(&self) -> String {
        format!("{}.{}.{}", self.schema, self.table, self.column)
    }

    /// The statement. Nulls stay null: that somebody has no value is kept.
    fn update(&self, salt: &str) -> String {
        let column = quoted(&self.column);
        let text = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let hash = format!("pg_catalog.md5({} || {column}::text)", text(salt));
        let value = match &self.with {
            Masking::Null => "NULL".to_owned(),
            Masking::Hash => hash,
            Masking::Email => format!("{hash} || '@example.invalid'"),
            Masking::Text(with) => text(with),
        };
        let table = format!("{}.{}", quoted(&self.schema), quoted(&self.table));
        format!("UPDATE {table} SET {column} = {value} WHERE {column} IS NOT NULL")
    }
}

/// Applies every mask, or none is worth anything: the caller then throws the copy away.
pub(super) async fn apply(copy: &Connection, masks: &[Mask]) -> Result<(), RehearseError> {
    if masks.is_empty() {
        return Ok(());
    }
    let (mut session, _) = connect(copy, "guard mask").await?;
    // Triggers would see old values, write them elsewhere, or refuse.
    let setting = "SET session_replication_role = replica; SET search_path = ''; SET row_security = off";
    sqlx::raw_sql(setting).execute(&mut session).await.map_err(asked("setting up the masks"))?;
    let salt = format!("{:032x}", rand::random::<u128>());
    for mask in masks {
        assert_there(&mut session, mask).await?;
        execute(&mut session, mask, mask.update(&salt)).await?;
    }
    for (idx, mask) in masks.iter().enumerate() {
        let is_first = !masks[..idx].iter().any(|other| (&other.schema, &other.table) == (&mask.schema, &mask.table));
        if is_first {
            let vacuum = format!("VACUUM FULL {}.{}", quoted(&mask.schema), quoted(&mask.table));
            execute(&mut session, mask, vacuum).await?;
        }
    }
    // Statistics hold the most common values; there are none yet, unless the server's own vacuum was quick.
    sqlx::raw_sql("ANALYZE; CHECKPOINT").execute(&mut session).await.map_err(asked("replacing statistics"))?;
    let _ = session.close().await;
    Ok(())
}

async fn execute(session: &mut PgConnection, mask: &Mask, sql: String) -> Result<(), RehearseError> {
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(session).await;
    done.map(|_| ()).map_err(|reason| RehearseError::Mask { column: mask.name(), reason })
}

async fn assert_there(session: &mut PgConnection, mask: &Mask) -> Result<(), RehearseError> {
    let query = "SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3 AND a.attnum > 0 AND NOT a.attisdropped
          AND c.relkind IN ('r', 'p'))";
    let is_there: bool = sqlx::query_scalar(query)
        .bind(&mask.schema)
        .bind(&mask.table)
        .bind(&mask.column)
        .fetch_one(session)
        .await
        .map_err(asked("looking for a masked column"))?;
    if is_there { Ok(()) } else { Err(RehearseError::NothingToMask { column: mask.name() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_mask_writes_cannot_leave_its_quotes() {
        let mask = Mask {
            schema: "public".to_owned(),
            table: "user\"s".to_owned(),
            column: "e".to_owned(),
            with: Masking::Text("o'clock".to_owned()),
        };
        let expected = r#"UPDATE "public"."user""s" SET "e" = 'o''clock' WHERE "e" IS NOT NULL"#;
        assert_eq!(mask.update("salt"), expected);
    }
}
