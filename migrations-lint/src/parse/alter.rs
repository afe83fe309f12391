//! ALTER of tables and their like, types, sequences, domains, functions and the rest.

use super::cursor::Cursor;
use super::expression::expression_until;
use super::object::{object_kind, on_table};
use super::table::{column, table_constraint};
use super::token::TokenKind;
use super::types::read_type;
use crate::statement::{
    Action, ActionKind, AlterObject, AlterTable, AlterType, Ident, Kind, Name, ObjectAction, ObjectKind, TypeAction,
};

/// After ALTER.
pub(super) fn alter(cursor: &mut Cursor<'_>) -> Option<Kind> {
    if cursor.eat("system") {
        return Some(Kind::AlterSystem);
    }
    if cursor.is_any(&["role", "user", "group"]) && !cursor.is_all(&["user", "mapping"]) {
        cursor.advance();
        return super::session::role(cursor, false);
    }
    if cursor.is_all(&["default", "privileges"]) {
        return Some(super::session::default_privileges(cursor));
    }
    cursor.eat_any(&["online", "ignore"]);
    let kind = object_kind(cursor)?;
    match kind {
        ObjectKind::Table
        | ObjectKind::ForeignTable
        | ObjectKind::View
        | ObjectKind::MaterializedView
        | ObjectKind::Index => alter_table(cursor, kind),
        ObjectKind::Type => alter_type(cursor),
        _ => Some(alter_object(cursor, kind)),
    }
}

pub(super) const MAX_ACTIONS: usize = 2_000;

fn alter_table(cursor: &mut Cursor<'_>, kind: ObjectKind) -> Option<Kind> {
    if cursor.is_all(&["all", "in", "tablespace"]) {
        return all_in_tablespace(cursor, kind);
    }
    let if_exists = cursor.if_exists();
    cursor.eat("only");
    let name = cursor.name()?;
    cursor.eat_kind(TokenKind::Star);
    // A table has at most 1,600 columns; what goes on beyond this is no migration.
    super::mysql::wait(cursor);
    let actions = cursor
        .items()
        .take(MAX_ACTIONS)
        .flat_map(|mut item| {
            super::mysql::several_actions(&item).unwrap_or_else(|| {
                vec![Action { span: item.span(), kind: action(&mut item).unwrap_or(ActionKind::Other) }]
            })
        })
        .collect();
    Some(Kind::AlterTable(Box::new(AlterTable { kind, name, if_exists, actions })))
}

/// `ALL IN TABLESPACE a SET TABLESPACE b`: each of them is copied.
fn all_in_tablespace(cursor: &mut Cursor<'_>, kind: ObjectKind) -> Option<Kind> {
    let start = *cursor;
    cursor.eat_all(&["all", "in", "tablespace"]);
    let from = cursor.ident()?;
    let name = Name { schema: None, name: from.name, span: cursor.span_since(&start) };
    if !cursor.seek("set") {
        return None;
    }
    let action = Action { span: cursor.span(), kind: ActionKind::SetTablespace };
    Some(Kind::AlterTable(Box::new(AlterTable { kind, name, if_exists: false, actions: vec![action] })))
}

fn action(cursor: &mut Cursor<'_>) -> Option<ActionKind> {
    if cursor.eat("add") {
        add(cursor)
    } else if cursor.eat("drop") {
        drop(cursor)
    } else if cursor.eat("alter") {
        alter_column(cursor)
    } else if cursor.eat("rename") {
        rename(cursor)
    } else if cursor.eat_all(&["validate", "constraint"]) {
        Some(ActionKind::ValidateConstraint { name: cursor.ident()? })
    } else if cursor.eat("set") {
        set(cursor)
    } else if cursor.is_any(&["enable", "disable", "force", "no"]) {
        switch(cursor)
    } else if cursor.eat_all(&["attach", "partition"]) {
        Some(ActionKind::AttachPartition { partition: cursor.name()? })
    } else if cursor.eat_all(&["detach", "partition"]) {
        let partition = cursor.name()?;
        Some(ActionKind::DetachPartition { partition, is_concurrent: cursor.is_any(&["concurrently", "finalize"]) })
    } else if cursor.eat("inherit") {
        Some(ActionKind::Inherit { parent: cursor.name()? })
    } else {
        super::mysql::action(cursor)
    }
}

fn add(cursor: &mut Cursor<'_>) -> Option<ActionKind> {
    if super::mysql::starts_index(cursor) {
        return Some(super::mysql::add_index(cursor));
    }
    if cursor.is("partition")
        && (cursor.is_at(1, "if")
            || cursor.is_at(1, "partitions")
            || cursor.peek_at(1).is_none_or(|next| next.kind == TokenKind::LeftParen))
    {
        return Some(super::mysql::add_partition(cursor));
    }
    if let Some(constraint) = table_constraint(cursor) {
        return Some(ActionKind::AddConstraint(Box::new(constraint)));
    }
    cursor.eat("column");
    let if_not_exists = cursor.if_not_exists();
    Some(ActionKind::AddColumn { if_not_exists, column: Box::new(column(cursor)?) })
}

fn drop(cursor: &mut Cursor<'_>) -> Option<ActionKind> {
    if cursor.eat("constraint")
        || cursor.eat_all(&["foreign", "key"])
        || cursor.is_all(&["check"]) && cursor.eat("check")
    {
        let if_exists = cursor.if_exists();
        let name = cursor.ident()?;
        return Some(ActionKind::DropConstraint { if_exists, name, cascade: cursor.is("cascade") });
    }
    if cursor.is_any(&["index", "key"])
        && cursor.peek_at(1).is_some_and(|token| token.kind != TokenKind::Comma)
        && !cursor.is_at(1, "cascade")
    {
        cursor.advance();
        let if_exists = cursor.if_exists();
        return Some(ActionKind::DropIndex { name: cursor.ident()?, if_exists });
    }
    if cursor.eat_all(&["primary", "key"]) {
        return Some(ActionKind::DropPrimaryKey);
    }
    if cursor.is("partition") && cursor.peek_at(1).is_some_and(|token| token.kind == TokenKind::Word) {
        return Some(super::mysql::drop_partition(cursor));
    }
    cursor.eat("column");
    let if_exists = cursor.if_exists();
    let column = cursor.ident()?;
    Some(ActionKind::DropColumn { if_exists, column, cascade: cursor.is("cascade") })
}

fn alter_column(cursor: &mut Cursor<'_>) -> Option<ActionKind> {
    if cursor.eat("constraint") || cursor.eat("index") {
        return Some(ActionKind::Other);
    }
    cursor.eat("column");
    let column = cursor.ident()?;
    if cursor.eat_all(&["set", "data"]) || cursor.is("type") {
        cursor.eat("type");
        let ty = read_type(cursor)?;
        if cursor.eat("collate") {
            cursor.name();
        }
        let using = cursor.eat("using").then(|| expression_until(cursor, &[]));
        return Some(ActionKind::AlterType { column, ty, using });
    }
    Some(if cursor.eat_all(&["set", "default"]) {
        ActionKind::SetDefault { column }
    } else if cursor.eat_all(&["drop", "default"]) {
        ActionKind::DropDefault { column }
    } else if cursor.eat_all(&["set", "not", "null"]) {
        ActionKind::SetNotNull { column }
    } else if cursor.eat_all(&["drop", "not", "null"]) {
        ActionKind::DropNotNull { column }
    } else if cursor.eat_all(&["drop", "identity"]) {
        ActionKind::DropIdentity { column, if_exists: cursor.if_exists() }
    } else if cursor.eat_all(&["drop", "expression"]) {
        ActionKind::DropExpression { column, if_exists: cursor.if_exists() }
    } else if cursor.eat_all(&["add", "generated"]) {
        ActionKind::AddIdentity { column }
    } else if cursor.is("restart") || cursor.is_all(&["set", "generated"]) {
        ActionKind::SetGenerated { restarts: cursor.is("restart") }
    } else {
        ActionKind::Other
    })
}

fn rename(cursor: &mut Cursor<'_>) -> Option<ActionKind> {
    if cursor.eat_any(&["to", "as"]) {
        let name = cursor.name()?;
        return Some(ActionKind::RenameTo { to: Ident { name: name.name, span: name.span } });
    }
    if cursor.peek_at(1).is_none() {
        // MySQL leaves TO out.
        return Some(ActionKind::RenameTo { to: cursor.ident()? });
    }
    if cursor.eat("constraint") {
        let from = cursor.ident()?;
        cursor.eat("to");
        return Some(ActionKind::RenameConstraint { from, to: cursor.ident()? });
    }
    if cursor.is_any(&["index", "key"]) && cursor.is_at(2, "to") {
        cursor.advance();
        let from = cursor.ident()?;
        cursor.eat("to");
        return Some(ActionKind::RenameIndex { from, to: cursor.ident()? });
    }
    cursor.eat("column");
    let from = cursor.ident()?;
    cursor.eat("to");
    Some(ActionKind::RenameColumn { from, to: cursor.ident()? })
}

fn set(cursor: &mut Cursor<'_>) -> Option<ActionKind> {
    Some(if cursor.eat("logged") {
        ActionKind::SetLogged
    } else if cursor.eat("unlogged") {
        ActionKind::SetUnlogged
    } else if cursor.eat("tablespace") {
        ActionKind::SetTablespace
    } else if cursor.eat_all(&["access", "method"]) {
        ActionKind::SetAccessMethod
    } else if cursor.eat("schema") {
        ActionKind::SetSchema { to: cursor.ident()? }
    } else {
        ActionKind::Other
    })
}

fn switch(cursor: &mut Cursor<'_>) -> Option<ActionKind> {
    if cursor.eat_all(&["no", "inherit"]) {
        return Some(ActionKind::NoInherit { parent: cursor.name()? });
    }
    Some(if cursor.eat_all(&["enable", "row", "level", "security"]) {
        ActionKind::EnableRowSecurity
    } else if cursor.eat_all(&["disable", "row", "level", "security"]) {
        ActionKind::DisableRowSecurity
    } else if cursor.eat_all(&["no", "force", "row", "level", "security"]) {
        ActionKind::NoForceRowSecurity
    } else if cursor.eat_all(&["disable", "trigger"]) {
        ActionKind::DisableTrigger { name: cursor.ident()?.name }
    } else if cursor.eat("enable") && cursor.has_ahead(&["trigger"]) {
        ActionKind::EnableTrigger
    } else {
        ActionKind::Other
    })
}

fn alter_type(cursor: &mut Cursor<'_>) -> Option<Kind> {
    let name = cursor.name()?;
    let action = type_action(cursor).unwrap_or(TypeAction::Other);
    Some(Kind::AlterType(Box::new(AlterType { name, action })))
}

fn type_action(cursor: &mut Cursor<'_>) -> Option<TypeAction> {
    Some(if cursor.eat_all(&["add", "value"]) {
        let if_not_exists = cursor.if_not_exists();
        TypeAction::AddValue { value: cursor.string()?, if_not_exists }
    } else if cursor.eat_all(&["rename", "value"]) {
        let from = cursor.string()?;
        cursor.eat("to");
        TypeAction::RenameValue { from, to: cursor.string()? }
    } else if cursor.eat_all(&["rename", "to"]) {
        TypeAction::RenameTo { to: cursor.ident()? }
    } else if cursor.eat_all(&["set", "schema"]) {
        TypeAction::SetSchema { to: cursor.ident()? }
    } else if cursor.eat_all(&["add", "attribute"]) {
        TypeAction::AddAttribute { name: cursor.ident()? }
    } else if cursor.eat_all(&["drop", "attribute"]) {
        let if_exists = cursor.if_exists();
        TypeAction::DropAttribute { name: cursor.ident()?, if_exists }
    } else if cursor.eat_all(&["rename", "attribute"]) {
        let from = cursor.ident()?;
        cursor.eat("to");
        TypeAction::RenameAttribute { from, to: cursor.ident()? }
    } else if cursor.eat_all(&["alter", "attribute"]) {
        TypeAction::AlterAttribute
    } else {
        TypeAction::Other
    })
}

fn alter_object(cursor: &mut Cursor<'_>, kind: ObjectKind) -> Kind {
    let if_exists = cursor.if_exists();
    let name: Name = cursor.name().unwrap_or_default();
    let arguments = cursor.skip_parens();
    let signature = match kind {
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => {
            arguments.map(|arguments| super::object::function_signature(&arguments))
        }
        _ => arguments.map(|arguments| arguments.normalised()),
    }
    .unwrap_or_default();
    let on = on_table(cursor, kind);
    let start = *cursor;
    let action = object_action(cursor, kind).unwrap_or(ObjectAction::Other);
    while cursor.advance().is_some() {}
    let action_span = cursor.span_since(&start);
    Kind::AlterObject(Box::new(AlterObject { kind, name, signature, on, if_exists, action, action_span }))
}

fn object_action(cursor: &mut Cursor<'_>, kind: ObjectKind) -> Option<ObjectAction> {
    if cursor.eat_all(&["rename", "to"]) {
        return Some(ObjectAction::RenameTo { to: cursor.ident()? });
    }
    if cursor.eat_all(&["set", "schema"]) {
        return Some(ObjectAction::SetSchema { to: cursor.ident()? });
    }
    Some(match kind {
        ObjectKind::Sequence if cursor.has_ahead(&["restart"]) => ObjectAction::Restart,
        ObjectKind::Domain => domain_action(cursor)?,
        ObjectKind::Extension | ObjectKind::Publication if cursor.is("add") => ObjectAction::AddMember,
        ObjectKind::Extension | ObjectKind::Publication if cursor.is("drop") => ObjectAction::DropMember,
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => {
            let sets_search_path = cursor.has_setting_ahead("search_path");
            if cursor.has_ahead(&["security", "definer"]) {
                ObjectAction::SecurityDefiner { sets_search_path }
            } else if sets_search_path {
                ObjectAction::SetSearchPath
            } else {
                ObjectAction::Other
            }
        }
        ObjectKind::EventTrigger if cursor.is("disable") => ObjectAction::DisableEventTrigger,
        _ => ObjectAction::Other,
    })
}

fn domain_action(cursor: &mut Cursor<'_>) -> Option<ObjectAction> {
    Some(if cursor.eat("add") {
        let name = if cursor.eat("constraint") { cursor.ident() } else { None };
        ObjectAction::AddConstraint { name, not_valid: cursor.has_ahead(&["not", "valid"]) }
    } else if cursor.eat_all(&["drop", "constraint"]) {
        let if_exists = cursor.if_exists();
        ObjectAction::DropConstraint { name: cursor.ident()?, if_exists }
    } else if cursor.is("validate") {
        ObjectAction::ValidateConstraint
    } else if cursor.eat_all(&["set", "not", "null"]) {
        ObjectAction::SetNotNull
    } else {
        ObjectAction::Other
    })
}
