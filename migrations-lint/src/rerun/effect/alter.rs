//! The effects of ALTER, action by action.

use super::{Effect, Object, Space, make, object_of, rename, usual_name};
use crate::source_text::Span;
use crate::statement::{
    ActionKind, AlterObject, AlterTable, AlterType, ConstraintKind, Ident, Name, ObjectAction, ObjectKind,
    TableConstraint, TypeAction,
};

pub(super) fn alter_table(alter: &AlterTable, span: Span, found: &mut Vec<(Span, Effect)>) {
    let table = &alter.name;
    if !alter.if_exists {
        found.push((span, Effect::Need { object: Object::relation(table) }));
    }
    for action in &alter.actions {
        alter_action(alter, &action.kind, action.span, found);
    }
}

fn alter_action(alter: &AlterTable, kind: &ActionKind, span: Span, found: &mut Vec<(Span, Effect)>) {
    let table = &alter.name;
    let column = |name: &Ident| Object::within(Space::Column, table, &name.name);
    let mut push = |effect: Effect| found.push((span, effect));
    match kind {
        ActionKind::AddColumn { if_not_exists, column: added } => {
            push(make(column(&added.name), *if_not_exists));
        }
        ActionKind::DropColumn { if_exists, column: dropped, .. } => {
            push(Effect::Remove { object: column(dropped), is_guarded: *if_exists });
        }
        ActionKind::AddConstraint(constraint) => add_constraint(table, constraint, span, found),
        ActionKind::DropConstraint { if_exists, name, .. } => {
            push(Effect::Remove {
                object: Object::within(Space::Constraint, table, &name.name),
                is_guarded: *if_exists,
            });
            let index = Object::relation(&Name { name: name.name.clone(), ..table.clone() });
            push(Effect::Remove { object: index, is_guarded: true });
        }
        ActionKind::DropDefault { column: named }
        | ActionKind::SetDefault { column: named, .. }
        | ActionKind::SetNotNull { column: named }
        | ActionKind::DropNotNull { column: named }
        | ActionKind::AlterType { column: named, .. } => push(Effect::Need { object: column(named) }),
        ActionKind::RenameColumn { from, to } => push(rename(column(from), &to.name, false)),
        ActionKind::RenameConstraint { from, to } | ActionKind::RenameIndex { from, to } => {
            push(rename(Object::within(Space::Constraint, table, &from.name), &to.name, false));
        }
        ActionKind::RenameTo { to } => push(rename(Object::relation(table), &to.name, alter.if_exists)),
        ActionKind::SetSchema { to } => {
            let from = Object::relation(table);
            let moved = Object { schema: to.name.clone(), ..from.clone() };
            push(Effect::Rename { from, to: moved, is_guarded: alter.if_exists });
        }
        ActionKind::AddIdentity { column } => push(make(Object::within(Space::Identity, table, &column.name), false)),
        ActionKind::DropIdentity { column, if_exists } | ActionKind::DropExpression { column, if_exists } => {
            push(Effect::Remove {
                object: Object::within(Space::Identity, table, &column.name),
                is_guarded: *if_exists,
            });
        }
        ActionKind::AttachPartition { partition } => {
            // To attach an index again does nothing.
            let is_guarded = alter.kind == ObjectKind::Index;
            push(make(Object::within(Space::Partition, table, &partition.name), is_guarded));
        }
        ActionKind::DetachPartition { partition, .. } => {
            push(Effect::Remove {
                object: Object::within(Space::Partition, table, &partition.name),
                is_guarded: false,
            });
        }
        ActionKind::Inherit { parent } => push(make(Object::within(Space::Inheritance, table, &parent.name), false)),
        ActionKind::NoInherit { parent } => {
            push(Effect::Remove { object: Object::within(Space::Inheritance, table, &parent.name), is_guarded: false });
        }
        ActionKind::AddIndex { name: Some(name), if_not_exists, .. } => {
            push(make(Object::within(Space::Constraint, table, &name.name), *if_not_exists));
        }
        ActionKind::AddIndex { name: None, columns, .. } => {
            let usual = Object::within(Space::Constraint, table, columns.first().map_or("", |column| column));
            push(Effect::MakeAnother { space: Space::Relation, table: Object::relation(table), usual });
        }
        ActionKind::DropIndex { name, if_exists } => {
            push(Effect::Remove {
                object: Object::within(Space::Constraint, table, &name.name),
                is_guarded: *if_exists,
            });
        }
        ActionKind::DropPrimaryKey => {
            let name = usual_name(&table.name, &[], "pkey");
            push(Effect::Remove { object: Object::within(Space::Constraint, table, &name), is_guarded: false });
        }
        ActionKind::AddPartition { names, if_not_exists } => {
            for name in names {
                push(make(Object::within(Space::Partition, table, &name.name), *if_not_exists));
            }
        }
        ActionKind::DropPartition { names, if_exists } => {
            for name in names {
                push(Effect::Remove {
                    object: Object::within(Space::Partition, table, &name.name),
                    is_guarded: *if_exists,
                });
            }
        }
        ActionKind::ModifyColumn { if_exists, from, column: to } if from.name != to.name.name => {
            push(rename(column(from), &to.name.name, *if_exists));
        }
        _ => {}
    }
}

fn add_constraint(table: &Name, constraint: &TableConstraint, span: Span, found: &mut Vec<(Span, Effect)>) {
    let mut push = |effect: Effect| found.push((span, effect));
    let as_relation = |name: &str| Object::relation(&Name { name: name.into(), ..table.clone() });
    let using_index = match &constraint.kind {
        ConstraintKind::Unique { using_index, .. } | ConstraintKind::PrimaryKey { using_index, .. } => {
            using_index.as_ref()
        }
        _ => None,
    };
    let (suffix, columns) = match &constraint.kind {
        ConstraintKind::PrimaryKey { .. } => ("pkey", &[][..]),
        ConstraintKind::Unique { columns, .. } => ("key", &columns[..]),
        ConstraintKind::ForeignKey { columns, .. } => ("fkey", &columns[..]),
        ConstraintKind::Exclude => ("excl", &[][..]),
        _ => ("check", &[][..]),
    };
    let shown = match constraint.kind {
        ConstraintKind::Unique { .. } | ConstraintKind::Exclude => Space::UniqueConstraint,
        ConstraintKind::PrimaryKey { .. } => Space::PrimaryKey,
        _ => Space::Constraint,
    };
    let columns: Vec<Box<str>> = columns.iter().map(|column| column.name.clone()).collect();
    let usual = usual_name(&table.name, &columns, suffix);
    // Whatever its kind, a constraint goes by one name space within its table.
    let within = |name: &str| Object::within(Space::Constraint, table, name);
    let given = constraint.name.as_ref().or(using_index).map(|name| &*name.name);
    let Some(name) = given.or((shown == Space::PrimaryKey).then_some(&*usual)) else {
        return push(Effect::MakeAnother {
            space: Space::Constraint,
            table: Object::relation(table),
            usual: within(&usual),
        });
    };
    push(Effect::Make { object: within(name), is_guarded: constraint.if_not_exists, shown });
    if let Some(index) = using_index
        && *index.name != *name
    {
        push(Effect::Rename { from: as_relation(&index.name), to: as_relation(name), is_guarded: true });
    } else if shown != Space::Constraint {
        push(make(as_relation(name), true));
    }
}

pub(super) fn alter_type(alter: &AlterType, span: Span, found: &mut Vec<(Span, Effect)>) {
    let named = Object::new(Space::Type, &alter.name);
    let value = |value: &str| Object::within(Space::EnumValue, &alter.name, value);
    let attribute = |name: &Ident| Object::within(Space::Attribute, &alter.name, &name.name);
    let effect = match &alter.action {
        TypeAction::AddValue { value: added, if_not_exists } => make(value(added), *if_not_exists),
        TypeAction::RenameValue { from, to } => rename(value(from), to, false),
        TypeAction::RenameTo { to } => rename(named, &to.name, false),
        TypeAction::SetSchema { to } => {
            let moved = Object { schema: to.name.clone(), ..named.clone() };
            Effect::Rename { from: named, to: moved, is_guarded: false }
        }
        TypeAction::AddAttribute { name } => make(attribute(name), false),
        TypeAction::DropAttribute { name, if_exists } => {
            Effect::Remove { object: attribute(name), is_guarded: *if_exists }
        }
        TypeAction::RenameAttribute { from, to } => rename(attribute(from), &to.name, false),
        TypeAction::AlterAttribute | TypeAction::Other => return,
    };
    found.push((span, effect));
}

pub(super) fn alter_object(alter: &AlterObject, span: Span, found: &mut Vec<(Span, Effect)>) {
    let object = object_of(alter.kind, &alter.name, &alter.signature, alter.on.as_ref());
    let constraint = |name: &Ident| Object::within(Space::Constraint, &alter.name, &name.name);
    let effect = match &alter.action {
        ObjectAction::RenameTo { to } => rename(object, &to.name, alter.if_exists),
        ObjectAction::SetSchema { to } if alter.kind != ObjectKind::Extension => {
            let moved = Object { schema: to.name.clone(), ..object.clone() };
            Effect::Rename { from: object, to: moved, is_guarded: alter.if_exists }
        }
        ObjectAction::AddConstraint { name: Some(name), .. } => make(constraint(name), false),
        ObjectAction::AddConstraint { name: None, .. } => {
            let usual = Object::within(Space::Constraint, &alter.name, &usual_name(&alter.name.name, &[], "check"));
            Effect::MakeAnother { space: Space::Constraint, table: object, usual }
        }
        ObjectAction::DropConstraint { name, if_exists } => {
            Effect::Remove { object: constraint(name), is_guarded: *if_exists }
        }
        ObjectAction::AddMember => make(Object::within(Space::Member, &alter.name, &format!("{}", span.start)), false),
        ObjectAction::DropMember => Effect::Remove {
            object: Object::within(Space::Member, &alter.name, &format!("{}", span.start)),
            is_guarded: false,
        },
        _ => return,
    };
    found.push((span, effect));
}
