//! The shop: a small, realistic database that guard makes for its demonstration, tests and benchmarks.
//!
//! Two loads at the same scale hold the same rows, whatever the server: the SQL makes every value from its row's number.

use std::io::{self, Write};

pub mod cache;

/// Which row the demonstration removes from a restored copy, to show a proof that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowRemoval {
    /// The table, as the content record names it.
    pub table: &'static str,
    /// The statement that removes exactly one row.
    pub sql: &'static str,
}

/// One line of one order out of about thirty thousand; nothing refers to it and no trigger follows it.
pub const ROW_REMOVAL: RowRemoval =
    RowRemoval { table: "shop.order_items", sql: "DELETE FROM shop.order_items WHERE order_id = 4242 AND line = 1" };

/// The SQL that fills an empty database: a dump of 9 MB times `scale`. Each item holds several statements, and all of them
/// must run in one session, in order, as a superuser.
pub fn shop_sql(scale: u32) -> impl Iterator<Item = String> {
    let phases =
        [include_str!("fixture/schema.sql"), include_str!("fixture/rows.sql"), include_str!("fixture/logic.sql")];
    phases.into_iter().map(move |phase| phase.replace(":scale", &scale.to_string()))
}

/// Writes that SQL, for `psql`.
pub fn write_shop(out: &mut impl Write, scale: u32) -> io::Result<()> {
    shop_sql(scale).try_for_each(|phase| out.write_all(phase.as_bytes()))
}
