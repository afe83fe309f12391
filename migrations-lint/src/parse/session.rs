//! Statements about the session and who may do what: transactions, settings, grants, roles, locks, maintenance.

use super::cursor::Cursor;
use super::object::object_kind;
use super::token::TokenKind;
use crate::statement::{Grant, Ident, Kind, LockTable, Name, ObjectKind, Role, Set, Transaction};

/// Role attributes that reach beyond the database's own privileges.
const POWERS: &[&str] = &["superuser", "bypassrls", "replication", "createrole"];

/// Roles that can read or write the server's files, run programs, or read everything.
pub(crate) const POWERFUL_ROLES: &[&str] = &[
    "pg_execute_server_program",
    "pg_read_server_files",
    "pg_write_server_files",
    "rds_superuser",
    "cloudsqlsuperuser",
    "postgres",
    "azure_pg_admin",
];

/// BEGIN, COMMIT and their relatives; the cursor stands on the first word.
pub(super) fn transaction(cursor: &mut Cursor<'_>) -> Option<Kind> {
    let kind = if cursor.eat_all(&["start", "transaction"]) || cursor.eat("begin") {
        Transaction::Begin
    } else if cursor.eat("savepoint") {
        Transaction::Savepoint(cursor.ident()?.name)
    } else if cursor.eat("release") {
        cursor.eat("savepoint");
        Transaction::Release(cursor.ident()?.name)
    } else if cursor.eat_all(&["prepare", "transaction"]) {
        Transaction::Prepare
    } else if cursor.eat_any(&["rollback", "abort"]) {
        if cursor.eat("prepared") {
            return Some(Kind::Other);
        }
        cursor.eat_any(&["work", "transaction"]);
        if cursor.eat("to") {
            cursor.eat("savepoint");
            Transaction::RollbackTo(cursor.ident()?.name)
        } else {
            Transaction::Rollback
        }
    } else if cursor.eat_any(&["commit", "end"]) {
        if cursor.is("prepared") {
            return Some(Kind::Other);
        }
        Transaction::Commit
    } else {
        return None;
    };
    Some(Kind::Transaction(kind))
}

/// After SET.
pub(super) fn set(cursor: &mut Cursor<'_>) -> Option<Kind> {
    if cursor.is("constraints") {
        return Some(Kind::Other);
    }
    let is_local = cursor.eat("local");
    if !is_local {
        cursor.eat_any(&["session", "global"]);
    }
    let name = if cursor.eat_all(&["time", "zone"]) {
        "timezone".into()
    } else {
        let mut name = cursor.name()?;
        if let Some(schema) = name.schema.take() {
            name.name = format!("{schema}.{}", name.name).into();
        }
        name.name
    };
    if !cursor.eat_kind(TokenKind::Equals) {
        cursor.eat("to");
    }
    let value = cursor.normalised().replace('\'', "").into();
    Some(Kind::Set(Box::new(Set { name, value, is_local, ..Set::default() })))
}

/// After RESET.
pub(super) fn reset(cursor: &mut Cursor<'_>) -> Option<Kind> {
    let name = cursor.ident()?.name;
    Some(Kind::Set(Box::new(Set { name, is_reset: true, ..Set::default() })))
}

/// After GRANT or REVOKE.
pub(super) fn grant(cursor: &mut Cursor<'_>, is_revoke: bool) -> Kind {
    let all_privileges = cursor.is("all");
    let mut grant = Grant {
        all_privileges,
        to_public: false,
        roles: Vec::new(),
        object: Box::default(),
        is_revoke,
        on_language: false,
    };
    let start = *cursor;
    while !cursor.is_done() && !cursor.is_any(&["on", "to", "from"]) {
        cursor.skip_one();
    }
    if cursor.is("on") {
        cursor.advance();
        grant.on_language = cursor.is("language");
        let object = *cursor;
        while !cursor.is_done() && !cursor.is_any(&["to", "from"]) {
            cursor.skip_one();
        }
        grant.object = Cursor::new(cursor.origin, cursor.since(&object)).normalised();
    } else {
        let roles = Cursor::new(cursor.origin, cursor.since(&start));
        grant.roles = roles.items().filter_map(|mut item| item.ident()).map(|role| role.name).collect();
    }
    cursor.advance();
    for mut item in cursor.items() {
        item.eat("group");
        grant.to_public |= item.is("public");
    }
    Kind::Grant(Box::new(grant))
}

/// From DEFAULT PRIVILEGES on: the grant inside it.
pub(super) fn default_privileges(cursor: &mut Cursor<'_>) -> Kind {
    while !cursor.is_done() {
        if cursor.eat("grant") {
            return grant(cursor, false);
        }
        cursor.advance();
    }
    Kind::Other
}

/// After CREATE or ALTER ROLE, USER, GROUP.
pub(super) fn role(cursor: &mut Cursor<'_>, is_create: bool) -> Option<Kind> {
    cursor.if_not_exists();
    let name: Name = cursor.name()?;
    let mut role = Role { name, is_create, ..Role::default() };
    if cursor.eat_all(&["rename", "to"]) {
        role.rename_to = cursor.ident();
    }
    while !cursor.is_done() {
        if cursor.eat("password") || cursor.eat_all(&["identified", "by"]) {
            let start = *cursor;
            if cursor.string().is_some_and(|password| !password.is_empty()) {
                role.password = Some(cursor.span_since(&start));
            }
        } else if cursor.is_any(POWERS) {
            role.power = cursor.ident();
        } else {
            cursor.advance();
        }
    }
    Some(Kind::Role(Box::new(role)))
}

/// After LOCK.
pub(super) fn lock(cursor: &mut Cursor<'_>) -> Option<Kind> {
    cursor.eat_any(&["table", "tables"]);
    let mut tables = Vec::new();
    loop {
        cursor.eat("only");
        tables.push(cursor.name()?);
        cursor.eat_kind(TokenKind::Star);
        if !cursor.eat_kind(TokenKind::Comma) {
            break;
        }
    }
    let mut mode: Box<str> = "access exclusive".into();
    if cursor.eat("in") {
        let start = *cursor;
        cursor.seek("mode");
        mode = Cursor::new(cursor.origin, cursor.since(&start)).normalised();
    }
    Some(Kind::LockTable(Box::new(LockTable { tables, mode })))
}

/// After VACUUM.
pub(super) fn vacuum(cursor: &mut Cursor<'_>) -> Kind {
    let is_full = cursor.is("full")
        || cursor.skip_parens().is_some_and(|options| {
            options.items().any(|item| item.is("full") && !item.is_at(1, "false") && !item.is_at(1, "off"))
        });
    Kind::Vacuum { is_full }
}

/// After CLUSTER.
pub(super) fn cluster(cursor: &mut Cursor<'_>) -> Kind {
    cursor.eat("verbose");
    cursor.skip_parens();
    let table = cursor.name();
    if cursor.eat("on") {
        return Kind::Cluster { table: cursor.name() };
    }
    Kind::Cluster { table }
}

/// After REINDEX.
pub(super) fn reindex(cursor: &mut Cursor<'_>) -> Option<Kind> {
    let options = cursor.skip_parens();
    let in_options = options.is_some_and(|options| {
        options.items().any(|item| item.is("concurrently") && !item.is_at(1, "false") && !item.is_at(1, "off"))
    });
    let target = if cursor.eat("system") { ObjectKind::System } else { object_kind(cursor)? };
    let is_concurrent = cursor.eat("concurrently") || in_options;
    Some(Kind::Reindex { target, name: cursor.name(), is_concurrent })
}

/// After REFRESH.
pub(super) fn refresh(cursor: &mut Cursor<'_>) -> Option<Kind> {
    cursor.eat_all(&["materialized", "view"]);
    let is_concurrent = cursor.eat("concurrently");
    Some(Kind::Refresh { name: cursor.name()?, is_concurrent })
}

/// The name of a setting that a statement gives, as an identifier with a place.
pub(super) fn rename_table(cursor: &mut Cursor<'_>) -> Option<(Name, Ident)> {
    let from = cursor.name()?;
    cursor.eat("to");
    let to = cursor.name()?;
    Some((from, Ident { name: to.name, span: to.span }))
}
