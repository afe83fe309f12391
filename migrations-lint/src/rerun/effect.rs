//! What a statement makes, removes, renames or needs, as objects in the server's name spaces.

mod alter;

use alter::{alter_object, alter_table, alter_type};

use crate::source_text::Span;
use crate::statement::{Create, CreateIndex, CreateTable, Drop, Kind, Name, ObjectKind, Statement};

/// The name spaces in which a name stands for one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Space {
    /// Tables, views, indexes and sequences share their names.
    Relation,
    Type,
    Schema,
    Database,
    Function,
    Extension,
    Role,
    Trigger,
    Policy,
    Rule,
    Column,
    Constraint,
    /// A constraint that is also an index.
    UniqueConstraint,
    PrimaryKey,
    EnumValue,
    Attribute,
    Partition,
    Inheritance,
    Identity,
    Member,
    /// Any other kind of object, told apart by kind.
    Other(ObjectKind),
}

/// One object.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Object {
    pub(crate) space: Space,
    pub(crate) schema: Box<str>,
    /// The table of a column, index, constraint, trigger; the type of a value.
    pub(crate) owner: Option<Box<str>>,
    pub(crate) name: Box<str>,
}

/// What happens to an object.
#[derive(Debug, Clone)]
pub(super) enum Effect {
    /// `shown` is the space that the server's error is about.
    Make {
        object: Object,
        is_guarded: bool,
        shown: Space,
    },
    /// What was just made goes with its table, though its name is the schema's.
    Belong {
        object: Object,
        table: Object,
    },
    /// A table whose rows and indexes all come from this run.
    Renew {
        table: Object,
    },
    /// Without a name of its own it takes the usual one, or the next that is free.
    MakeAnother {
        space: Space,
        table: Object,
        usual: Object,
    },
    Remove {
        object: Object,
        is_guarded: bool,
    },
    Rename {
        from: Object,
        to: Object,
        is_guarded: bool,
    },
    Need {
        object: Object,
    },
    Empty {
        table: Object,
    },
}

impl Object {
    /// A table or its like.
    pub(super) fn relation(name: &Name) -> Self {
        Self::new(Space::Relation, name)
    }

    fn new(space: Space, name: &Name) -> Self {
        Self { space, schema: schema_of(name), owner: None, name: name.name.clone() }
    }

    /// How a message names it.
    pub(super) fn label(&self) -> Box<str> {
        match (&self.owner, self.space) {
            (Some(function), Space::Function) => format!("{function}{}", self.name).into(),
            _ => self.name.clone(),
        }
    }

    /// A function is told apart by the types of its arguments, unless a statement leaves them out.
    fn function(name: &Name, signature: Option<&str>) -> Self {
        let mut function = Self::new(Space::Function, name);
        if let Some(signature) = signature {
            function.owner = Some(function.name);
            function.name = signature.into();
        }
        function
    }

    fn within(space: Space, owner: &Name, name: &str) -> Self {
        Self { space, schema: schema_of(owner), owner: Some(owner.name.clone()), name: name.into() }
    }

    /// What it goes with: its table or type, and its schema.
    pub(super) fn parents(&self) -> Vec<Self> {
        let mut parents = Vec::new();
        if let Some(owner) = &self.owner {
            let space = match self.space {
                Space::EnumValue | Space::Attribute => Space::Type,
                Space::Function => Space::Function,
                _ => Space::Relation,
            };
            parents.push(Self { space, schema: self.schema.clone(), owner: None, name: owner.clone() });
        }
        if !self.schema.is_empty() && self.space != Space::Schema {
            parents.push(Self { space: Space::Schema, schema: Box::default(), owner: None, name: self.schema.clone() });
        }
        parents
    }
}

/// What a search path makes of a name does not change between two runs of a file; `public` is where it usually leads.
fn schema_of(name: &Name) -> Box<str> {
    name.schema.clone().filter(|schema| &**schema != "public").unwrap_or_default()
}

/// Stand-ins for names that only run time knows say nothing.
fn is_dynamic(name: &str) -> bool {
    name.bytes().all(|byte| byte == b'_')
}

/// The effects in order, each with the clause that has it.
pub(super) fn effects(statement: &Statement) -> Vec<(Span, Effect)> {
    let mut found = Vec::new();
    if statement.is_defined_only {
        return found;
    }
    let span = statement.span;
    match &statement.kind {
        Kind::CreateTable(create) => create_table(create, span, &mut found),
        Kind::CreateIndex(create) => create_index(create, span, &mut found),
        Kind::CreateFunction(create) => {
            // MySQL has one routine of a name, whatever its arguments.
            let signature = Some(&*create.signature).filter(|signature| !signature.is_empty());
            let object = Object::function(&create.name, signature);
            found.push((span, make(object, create.or_replace || create.if_not_exists)));
        }
        Kind::Create(create) => create_other(create, span, &mut found),
        Kind::AlterTable(alter) => alter_table(alter, span, &mut found),
        Kind::AlterType(alter) => alter_type(alter, span, &mut found),
        Kind::AlterObject(alter) => alter_object(alter, span, &mut found),
        Kind::Drop(drop) => drop_objects(drop, span, &mut found),
        Kind::Role(role) => {
            let object = Object::new(Space::Role, &role.name);
            if role.is_create {
                found.push((span, make(object, role.is_guarded)));
            } else if let Some(to) = &role.rename_to {
                found.push((span, rename(object, &to.name, false)));
            }
        }
        Kind::Truncate(truncate) => {
            found.extend(truncate.tables.iter().map(|table| (span, Effect::Empty { table: Object::relation(table) })));
        }
        Kind::Update(update) => {
            let mut words: Vec<&str> = update.assignments.iter().map(|assignment| &*assignment.column).collect();
            if !update.is_joined {
                let plain = update.assignments.iter().filter(|assignment| !assignment.value.has_subquery);
                words.extend(plain.flat_map(|assignment| assignment.value.words.iter().map(|word| &**word)));
            }
            found.push((span, Effect::Need { object: Object::relation(&update.table) }));
            found.extend(
                words
                    .into_iter()
                    .map(|word| (span, Effect::Need { object: Object::within(Space::Column, &update.table, word) })),
            );
        }
        Kind::Insert(insert) => {
            found.push((span, Effect::Need { object: Object::relation(&insert.table) }));
            let columns = insert.columns.iter();
            found.extend(
                columns.map(|column| {
                    (span, Effect::Need { object: Object::within(Space::Column, &insert.table, column) })
                }),
            );
        }
        Kind::Delete(delete) => found.push((span, Effect::Need { object: Object::relation(&delete.table) })),
        _ => {}
    }
    found.retain(|(_, effect)| !names_of(effect).iter().any(|name| is_dynamic(name)));
    found
}

fn names_of(effect: &Effect) -> Vec<&str> {
    match effect {
        Effect::Make { object, .. } | Effect::Remove { object, .. } | Effect::Need { object } => {
            vec![object.owner.as_deref().unwrap_or("x"), if object.name.is_empty() { "x" } else { &object.name }]
        }
        Effect::Rename { from, to, .. } => vec![&from.name, &to.name],
        Effect::MakeAnother { table, .. }
        | Effect::Empty { table }
        | Effect::Renew { table }
        | Effect::Belong { table, .. } => {
            vec![&table.name]
        }
    }
}

fn make(object: Object, is_guarded: bool) -> Effect {
    Effect::Make { shown: object.space, object, is_guarded }
}

fn rename(from: Object, to: &str, is_guarded: bool) -> Effect {
    let to = match (&from.owner, from.space) {
        (Some(_), Space::Function) => Object { owner: Some(to.into()), ..from.clone() },
        _ => Object { name: to.into(), ..from.clone() },
    };
    Effect::Rename { from, to, is_guarded }
}

fn create_table(create: &CreateTable, span: Span, found: &mut Vec<(Span, Effect)>) {
    let object = Object::relation(&create.name);
    // A temporary table is gone with its session, and new in the next.
    found.push((span, make(object, create.if_not_exists || create.is_temporary || create.or_replace)));
    if create.from_query || create.is_temporary || create.or_replace {
        found.push((span, Effect::Renew { table: Object::relation(&create.name) }));
    }
    for column in &create.columns {
        let object = Object::within(Space::Column, &create.name, &column.name.name);
        found.push((span, make(object, true)));
    }
    for name in create.constraints.iter().filter_map(|constraint| constraint.name.as_ref()) {
        let object = Object::within(Space::Constraint, &create.name, &name.name);
        found.push((span, make(object, true)));
    }
    for name in create.indexes.iter().filter_map(|index| index.name.as_ref()) {
        let object = Object::within(Space::Constraint, &create.name, &name.name);
        found.push((span, make(object, true)));
    }
}

fn create_index(create: &CreateIndex, span: Span, found: &mut Vec<(Span, Effect)>) {
    let table = Object::relation(&create.table);
    found.push((span, Effect::Need { object: table.clone() }));
    let Some(name) = &create.name else {
        let usual =
            Object { owner: None, name: usual_name(&create.table.name, &create.columns, "idx"), ..table.clone() };
        found.push((span, Effect::MakeAnother { space: Space::Relation, table, usual }));
        return;
    };
    for column in &create.columns {
        found.push((span, Effect::Need { object: Object::within(Space::Column, &create.table, column) }));
    }
    let object = Object { owner: None, name: name.name.clone(), ..table.clone() };
    found.push((span, make(object.clone(), create.if_not_exists)));
    // MySQL shortens an index by the column that is dropped; of its only column every server drops it.
    if let [column] = &*create.columns {
        let column = Object::within(Space::Column, &create.table, column);
        found.push((span, Effect::Belong { object: object.clone(), table: column }));
    }
    found.push((span, Effect::Belong { object, table }));
}

fn create_other(create: &Create, span: Span, found: &mut Vec<(Span, Effect)>) {
    if create.is_temporary {
        return;
    }
    let is_guarded = create.or_replace || create.if_not_exists;
    if create.kind == ObjectKind::Statistics && create.name.name.is_empty() {
        let object = Object::new(Space::Other(create.kind), &create.name);
        found.push((span, Effect::MakeAnother { space: object.space, table: object.clone(), usual: object }));
        return;
    }
    if create.is_named_in_schema {
        let object = Object::new(Space::Trigger, &create.name);
        found.push((span, make(object.clone(), is_guarded)));
        found.extend(
            create
                .on
                .iter()
                .map(|table| (span, Effect::Belong { object: object.clone(), table: Object::relation(table) })),
        );
        return;
    }
    let object = object_of(create.kind, &create.name, &create.signature, create.on.as_ref());
    found.push((span, make(object.clone(), is_guarded)));
    if let (ObjectKind::Sequence, Some(table)) = (create.kind, &create.on) {
        found.push((span, Effect::Belong { object, table: Object::relation(table) }));
    }
}

/// The object that a CREATE, ALTER or DROP of this kind means.
fn object_of(kind: ObjectKind, name: &Name, signature: &str, on: Option<&Name>) -> Object {
    let member =
        |space: Space| on.map_or_else(|| Object::new(space, name), |table| Object::within(space, table, &name.name));
    match kind {
        ObjectKind::Table
        | ObjectKind::ForeignTable
        | ObjectKind::View
        | ObjectKind::MaterializedView
        | ObjectKind::Index
        | ObjectKind::Sequence => Object::relation(name),
        ObjectKind::Type | ObjectKind::Domain => Object::new(Space::Type, name),
        ObjectKind::Schema => Object::new(Space::Schema, name),
        ObjectKind::Database => Object::new(Space::Database, name),
        ObjectKind::Aggregate => Object::new(Space::Function, name),
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => {
            Object::function(name, signature.strip_prefix('(').map(|_| signature))
        }
        ObjectKind::Extension => Object::new(Space::Extension, name),
        ObjectKind::Role => Object::new(Space::Role, name),
        ObjectKind::Trigger => member(Space::Trigger),
        ObjectKind::Policy => member(Space::Policy),
        ObjectKind::Rule => member(Space::Rule),
        ObjectKind::Cast | ObjectKind::UserMapping | ObjectKind::Operator => {
            let mut object = Object::new(Space::Other(kind), name);
            let signature = if kind == ObjectKind::Operator { "" } else { signature };
            object.name = format!("{}({signature})", object.name).into();
            object
        }
        other => Object::new(Space::Other(other), name),
    }
}

fn drop_objects(drop: &Drop, span: Span, found: &mut Vec<(Span, Effect)>) {
    for (name, signature) in drop.names.iter().zip(&drop.signatures) {
        let object = object_of(drop.kind, name, signature, drop.on.as_ref());
        found.push((span, Effect::Remove { object, is_guarded: drop.if_exists }));
    }
}

/// The name that the server gives when none is given (`ChooseIndexName`, `ChooseConstraintName`).
fn usual_name(table: &str, columns: &[Box<str>], suffix: &str) -> Box<str> {
    let mut name = table.to_owned();
    for column in columns {
        name.push('_');
        name.push_str(column);
    }
    name.push('_');
    name.push_str(suffix);
    name.into()
}
