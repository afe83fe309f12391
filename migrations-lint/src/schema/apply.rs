//! Carries the catalogue over one statement.

use super::{Catalog, ColumnFacts, ConstraintFact, ConstraintFacts, EnumType, Index, Key, Table};
use crate::statement::{
    Action, ActionKind, AlterTable, AlterType, Column, ConstraintKind, CreateIndex, CreateTable, Drop, Ident,
    IndexKind, Kind, ObjectAction, ObjectKind, Reference, Set, TableConstraint, TypeAction,
};

impl Catalog {
    /// Takes note of what the statement does; `transaction` is the one it runs in.
    pub(crate) fn apply(&mut self, kind: &Kind, transaction: Option<u32>) {
        match kind {
            Kind::CreateTable(create) => self.create_table(create, transaction),
            Kind::CreateIndex(create) => self.create_index(create),
            Kind::Create(create) => {
                let key = self.key(&create.name);
                if matches!(create.kind, ObjectKind::View | ObjectKind::MaterializedView) {
                    let view = Table { born: Some(self.file_idx), ..Table::default() };
                    self.tables.or_insert(key.clone(), view);
                }
                let on = create.on.as_ref().filter(|_| !create.is_named_in_schema);
                let key = self.object_key(create.kind, &create.name, on);
                if create.if_not_exists || create.or_replace {
                    self.created.or_insert((create.kind, key), self.file_idx);
                } else {
                    self.created.insert((create.kind, key), self.file_idx);
                }
            }
            Kind::CreateFunction(create) => {
                self.created.or_insert((create.kind, self.key(&create.name)), self.file_idx);
            }
            Kind::AlterTable(alter) => self.alter_table(alter, transaction),
            Kind::AlterType(alter) => self.alter_type(alter, transaction),
            Kind::AlterObject(alter) => {
                if let ObjectAction::RenameTo { to } = &alter.action {
                    let from = (alter.kind, self.key(&alter.name));
                    if let Some(born) = self.created.remove(&from) {
                        let to = Key { schema: from.1.schema, name: to.name.clone() };
                        self.created.insert((alter.kind, to), born);
                    }
                }
            }
            Kind::Drop(drop) => self.drop(drop),
            Kind::Set(set) => self.set(set),
            _ => {}
        }
    }

    fn create_table(&mut self, create: &CreateTable, transaction: Option<u32>) {
        let key = self.key(&create.name);
        if create.if_not_exists && self.tables.contains_key(&key) {
            return;
        }
        let mut table = Table {
            born: Some(self.file_idx),
            is_temporary: create.is_temporary,
            is_complete: !create.from_query && !create.has_other_columns,
            ..Table::default()
        };
        for column in &create.columns {
            self.refer(&key, column.references.as_ref());
            add_column(&mut table, &key.name, column, self.file_idx, transaction);
        }
        for constraint in &create.constraints {
            self.refer(&key, reference_of(constraint));
            add_constraint(&mut table, &key.name, constraint, transaction, true);
        }
        for index in &create.indexes {
            let name = index
                .name
                .as_ref()
                .map_or_else(|| index.columns.first().cloned().unwrap_or_default(), |name| name.name.clone());
            let is_unique = index.kind == IndexKind::Unique;
            table.indexes.push(Index { name, columns: index.columns.clone(), is_unique });
        }
        table.engine = create.engine.as_ref().map(|engine| engine.name.clone());
        table.charset = create.charset.as_ref().map(|charset| charset.name.clone());
        self.created.insert((ObjectKind::Table, key.clone()), self.file_idx);
        self.tables.insert(key, table);
    }

    fn create_index(&mut self, create: &CreateIndex) {
        let table = self.key(&create.table);
        let name = create.name.as_ref().map_or_else(|| default_index_name(create), |name| name.name.clone());
        let key = Key { schema: table.schema.clone(), name };
        self.created.insert((ObjectKind::Index, key.clone()), self.file_idx);
        let index = Index { name: key.name.clone(), columns: create.columns.clone(), is_unique: create.is_unique };
        self.add_index(key, table, index);
    }

    fn alter_table(&mut self, alter: &AlterTable, transaction: Option<u32>) {
        let key = self.key(&alter.name);
        if alter.kind == ObjectKind::Index {
            return self.alter_index(&key, &alter.actions);
        }
        for action in &alter.actions {
            match &action.kind {
                ActionKind::RenameTo { to } => {
                    let to = Key { schema: key.schema.clone(), name: to.name.clone() };
                    self.rename_table(&key, to);
                }
                ActionKind::SetSchema { to } => {
                    let to = Key { schema: to.name.clone(), name: key.name.clone() };
                    self.rename_table(&key, to);
                }
                ActionKind::AddIndex { name, columns, kind, .. } => {
                    let name = name
                        .as_ref()
                        .map_or_else(|| columns.first().cloned().unwrap_or_default(), |name| name.name.clone());
                    let index =
                        Index { name: name.clone(), columns: columns.clone(), is_unique: *kind == IndexKind::Unique };
                    self.add_index(Key { schema: key.schema.clone(), name }, key.clone(), index);
                }
                ActionKind::EnableRowSecurity => {
                    self.rls_tables += 1;
                    self.tables.or_default(&key).has_rls = true;
                }
                kind => {
                    match kind {
                        ActionKind::AddColumn { column, .. } => self.refer(&key, column.references.as_ref()),
                        ActionKind::AddConstraint(constraint) => self.refer(&key, reference_of(constraint)),
                        _ => {}
                    }
                    let file_idx = self.file_idx;
                    let table = self.tables.or_default(&key);
                    match kind {
                        ActionKind::DropConstraint { name, .. } => {
                            self.recent.drop_constraint(&key, table, &name.name);
                        }
                        ActionKind::RenameColumn { from, to } => {
                            self.recent.rename_column(&key, &from.name, &to.name);
                        }
                        _ => {}
                    }
                    alter_columns(table, &key.name, kind, file_idx, transaction);
                }
            }
        }
    }

    fn refer(&mut self, from: &Key, reference: Option<&Reference>) {
        if let Some(to) = reference.map(|reference| self.key(&reference.table)).filter(|to| to != from) {
            self.referenced.insert(to);
        }
    }

    fn add_index(&mut self, key: Key, table: Key, index: Index) {
        self.tables.or_default(&table).indexes.push(index);
        self.index_tables.insert(key, table);
    }

    fn alter_index(&mut self, key: &Key, actions: &[Action]) {
        for action in actions {
            if let ActionKind::RenameTo { to } = &action.kind
                && let Some(table) = self.index_tables.remove(key)
            {
                let indexes = self.tables.get_mut(&table).into_iter().flat_map(|table| &mut table.indexes);
                indexes.filter(|index| index.name == key.name).for_each(|index| index.name.clone_from(&to.name));
                self.index_tables.insert(Key { schema: key.schema.clone(), name: to.name.clone() }, table);
            }
        }
    }

    fn drop_index(&mut self, key: &Key) {
        if let Some(table) = self.index_tables.remove(key).and_then(|table| self.tables.get_mut(&table)) {
            table.indexes.retain(|index| index.name != key.name);
        }
    }

    fn rename_table(&mut self, from: &Key, to: Key) {
        self.recent.rename_table(from, &to);
        let table = self.tables.remove(from).unwrap_or_default();
        for index in &table.indexes {
            self.index_tables.insert(Key { schema: from.schema.clone(), name: index.name.clone() }, to.clone());
        }
        self.tables.insert(to, table);
    }

    fn alter_type(&mut self, alter: &AlterType, transaction: Option<u32>) {
        let key = self.key(&alter.name);
        match &alter.action {
            TypeAction::AddValue { value, .. } => {
                self.types.or_default(&key).added.push((value.clone(), transaction));
            }
            TypeAction::RenameTo { to } => {
                let facts: EnumType = self.types.remove(&key).unwrap_or_default();
                self.types.insert(Key { schema: key.schema, name: to.name.clone() }, facts);
            }
            _ => {}
        }
    }

    fn drop(&mut self, drop: &Drop) {
        for name in &drop.names {
            let key = self.key(name);
            let object = (drop.kind, self.object_key(drop.kind, name, drop.on.as_ref()));
            // What this file has made and dropped stays its own: dropping it again takes nothing from anybody.
            if self.created.get(&object).is_none_or(|born| *born != self.file_idx) {
                self.created.remove(&object);
            }
            match drop.kind {
                ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::ForeignTable => {
                    if let Some(table) = self.tables.remove(&key) {
                        self.rls_tables -= usize::from(table.has_rls && self.rls_tables > 0);
                        for index in table.indexes {
                            self.index_tables.remove(&Key { schema: key.schema.clone(), name: index.name });
                        }
                    }
                }
                ObjectKind::Index => self.drop_index(&key),
                ObjectKind::Schema => self.tables.remove_all(|table| table.schema == key.name),
                ObjectKind::Type => {
                    self.types.remove(&key);
                }
                _ => {}
            }
        }
    }

    fn set(&mut self, set: &Set) {
        if set.is_reset {
            self.settings.remove(&set.name);
        } else {
            self.settings.insert(set.name.clone(), set.value.clone());
        }
        if &*set.name == "search_path" {
            let first = set
                .value
                .split(',')
                .map(|schema| schema.trim().trim_matches('"'))
                .find(|schema| !schema.starts_with('$'));
            self.default_schema =
                first.filter(|schema| !set.is_reset && !schema.is_empty() && *schema != "default").map(Into::into);
        }
    }
}

fn reference_of(constraint: &TableConstraint) -> Option<&Reference> {
    match &constraint.kind {
        ConstraintKind::ForeignKey { reference, .. } => Some(reference),
        _ => None,
    }
}

fn default_index_name(create: &CreateIndex) -> Box<str> {
    let mut name = create.table.name.to_string();
    for column in &create.columns {
        name.push('_');
        name.push_str(column);
    }
    name.push_str("_idx");
    name.into()
}

fn alter_columns(table: &mut Table, table_name: &str, kind: &ActionKind, file_idx: usize, transaction: Option<u32>) {
    match kind {
        ActionKind::AddColumn { column, .. } => add_column(table, table_name, column, file_idx, transaction),
        ActionKind::DropColumn { column, .. } => {
            table.columns.remove(&column.name);
        }
        ActionKind::AlterType { column, ty, .. } => {
            table.columns.entry(column.name.clone()).or_default().ty = Some(ty.clone());
        }
        ActionKind::ModifyColumn { from, column, .. } => {
            let old = table.columns.remove(&from.name);
            add_column(table, table_name, column, file_idx, transaction);
            if let Some(facts) = table.columns.get_mut(&column.name.name) {
                facts.born = old.and_then(|old| old.born);
            }
        }
        ActionKind::ConvertCharset { charset } => {
            table.charset = Some(charset.clone());
            // What the columns had of their own is gone.
            for facts in table.columns.values_mut() {
                (facts.charset, facts.collation) = (None, None);
            }
        }
        ActionKind::TableOption { name, value } => match &**name {
            "engine" => table.engine = Some(value.clone()),
            "charset" => table.charset = Some(value.clone()),
            _ => {}
        },
        ActionKind::DropIndex { name, .. } => {
            table.indexes.retain(|index| index.name != name.name);
            table.constraints.retain(|constraint| {
                constraint.name != name.name || !matches!(constraint.kind, ConstraintFact::Unique(_))
            });
        }
        ActionKind::DropPrimaryKey => {
            table.constraints.retain(|constraint| !matches!(constraint.kind, ConstraintFact::PrimaryKey(_)));
        }
        ActionKind::RenameIndex { from, to } => {
            table
                .indexes
                .iter_mut()
                .filter(|index| index.name == from.name)
                .for_each(|index| index.name.clone_from(&to.name));
        }
        ActionKind::SetDefault { column, .. } => {
            table.columns.entry(column.name.clone()).or_default().has_default = true;
        }
        ActionKind::DropDefault { column } => table.columns.entry(column.name.clone()).or_default().has_default = false,
        ActionKind::SetNotNull { column } => table.columns.entry(column.name.clone()).or_default().not_null = true,
        ActionKind::DropNotNull { column } => table.columns.entry(column.name.clone()).or_default().not_null = false,
        ActionKind::RenameColumn { from, to } => {
            let facts = table.columns.remove(&from.name).unwrap_or_default();
            table.columns.insert(to.name.clone(), facts);
            table.constraints.iter_mut().for_each(|facts| facts.kind.rename_column(&from.name, &to.name));
        }
        ActionKind::AddConstraint(constraint) => {
            add_constraint(table, table_name, constraint, transaction, !constraint.not_valid);
        }
        ActionKind::DropConstraint { name, .. } => table.constraints.retain(|constraint| constraint.name != name.name),
        ActionKind::RenameConstraint { from, to } => {
            for constraint in table.constraints.iter_mut().filter(|constraint| constraint.name == from.name) {
                constraint.name.clone_from(&to.name);
            }
        }
        ActionKind::ValidateConstraint { name } => {
            for constraint in table.constraints.iter_mut().filter(|constraint| constraint.name == name.name) {
                constraint.is_valid = true;
            }
        }
        _ => {}
    }
}

fn add_column(table: &mut Table, table_name: &str, column: &Column, file_idx: usize, transaction: Option<u32>) {
    let name = &column.name.name;
    let facts = ColumnFacts {
        ty: Some(column.ty.clone()),
        not_null: column.not_null || column.ty.name.contains("serial"),
        has_default: column.default.as_ref().is_some_and(|default| !default.is_null)
            || column.is_identity
            || column.ty.name.contains("serial"),
        born: Some(file_idx),
        auto_increment: column.auto_increment,
        has_comment: column.has_comment,
        on_update: column.on_update,
        charset: column.charset.clone(),
        collation: column.collation.clone(),
    };
    table.columns.entry(name.clone()).or_insert(facts);
    let mut push = |suffix: &str, kind: ConstraintFact| {
        let name =
            if suffix == "pkey" { format!("{table_name}_pkey") } else { format!("{table_name}_{name}_{suffix}") };
        table.constraints.push(ConstraintFacts {
            name: name.into(),
            kind,
            is_valid: true,
            is_of_column: true,
            transaction,
        });
    };
    if column.primary_key {
        push("pkey", ConstraintFact::PrimaryKey(vec![name.clone()]));
    }
    if column.unique {
        push("key", ConstraintFact::Unique(vec![name.clone()]));
    }
    if let Some(check) = &column.check {
        push("check", ConstraintFact::Check(check.not_null.clone()));
    }
    if let Some(reference) = &column.references {
        push("fkey", foreign_key(vec![name.clone()], reference));
    }
}

fn foreign_key(columns: Vec<Box<str>>, reference: &Reference) -> ConstraintFact {
    ConstraintFact::ForeignKey { columns, to: reference.table.name.clone(), cascades: reference.cascades }
}

fn add_constraint(
    table: &mut Table,
    table_name: &str,
    constraint: &TableConstraint,
    transaction: Option<u32>,
    is_valid: bool,
) {
    let names = |columns: &[Ident]| columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
    let (kind, suffix) = match &constraint.kind {
        ConstraintKind::Check(expr) => (ConstraintFact::Check(expr.not_null.clone()), "check"),
        // Columns of an index that is taken over are not known here; it may be unique over any of them.
        ConstraintKind::Unique { using_index: Some(_), .. }
        | ConstraintKind::PrimaryKey { using_index: Some(_), .. } => (ConstraintFact::Other, "key"),
        ConstraintKind::Unique { columns, .. } => (ConstraintFact::Unique(names(columns)), "key"),
        ConstraintKind::PrimaryKey { columns, .. } => (ConstraintFact::PrimaryKey(names(columns)), "pkey"),
        ConstraintKind::ForeignKey { columns, reference } => (foreign_key(names(columns), reference), "fkey"),
        ConstraintKind::NotNull(column) => (ConstraintFact::Check(vec![column.name.clone()]), "not_null"),
        ConstraintKind::Exclude => (ConstraintFact::Other, "excl"),
    };
    let name = constraint.name.as_ref().map_or_else(
        || {
            let columns = match &kind {
                ConstraintFact::Unique(columns) | ConstraintFact::ForeignKey { columns, .. } => columns.join("_") + "_",
                _ => String::new(),
            };
            format!("{table_name}_{columns}{suffix}").into()
        },
        |name| name.name.clone(),
    );
    if let ConstraintFact::PrimaryKey(columns) = &kind {
        for column in columns {
            table.columns.entry(column.clone()).or_default().not_null = true;
        }
    }
    table.constraints.push(ConstraintFacts { name, kind, is_valid, is_of_column: false, transaction });
}
