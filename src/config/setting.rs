//! The list of all settings, read off the JSON schema of the file shapes: what environment twins, `guard config show`, the
//! guide and the masking of secrets are all derived from.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// One setting that a file may hold.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The keys that lead to it; `*` stands for a name that the user chooses.
    pub path: Vec<String>,
    /// What its value is.
    pub kind: Kind,
    /// What holds when nothing is said, if there is a fixed value.
    pub default: Option<Value>,
    /// What it means.
    pub about: String,
}

/// What a setting's value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A length of time as text.
    Duration,
    /// One of these texts.
    Choice(Vec<String>),
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// A list of texts.
    List,
    /// A secret.
    Secret,
}

impl Setting {
    /// The setting as one dotted key.
    pub fn key(&self) -> String {
        self.path.join(".")
    }

    /// The environment variable that sets it, with `<NAME>` for a name that the user chooses.
    pub fn variable(&self) -> String {
        let parts = self.path.iter().map(|part| if part == "*" { "<NAME>".to_owned() } else { twin(part) });
        format!("GUARD_{}", parts.collect::<Vec<_>>().join("_"))
    }
}

/// How a key or a name is spelled in a variable.
pub(super) fn twin(part: &str) -> String {
    let letter = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' };
    part.chars().map(letter).collect()
}

/// The JSON schema of a file shape, with everything in its place.
pub fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    drop_null(&mut schema);
    schema
}

/// Every setting of a file shape, in the order of the file's types.
pub fn settings<T: JsonSchema>() -> Vec<Setting> {
    let mut found = Vec::new();
    walk(&schema::<T>(), &mut Vec::new(), &mut found);
    found
}

fn walk(schema: &Value, path: &mut Vec<String>, found: &mut Vec<Setting>) {
    let children = schema.get("properties").and_then(Value::as_object);
    for (key, child) in children.into_iter().flatten() {
        path.push(key.clone());
        walk(child, path, found);
        path.pop();
    }
    if let Some(named) = schema.get("additionalProperties").filter(|named| named.is_object()) {
        path.push("*".to_owned());
        walk(named, path, found);
        path.pop();
    } else if children.is_none() {
        let about = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        let default = schema.get("default").filter(|default| !default.is_null()).cloned();
        found.push(Setting { path: path.clone(), kind: kind(schema), default, about: about.replace('\n', " ") });
    }
}

fn kind(schema: &Value) -> Kind {
    let text = |key: &str| schema.get(key).and_then(Value::as_str);
    let choices = |list: &Value| -> Vec<String> {
        let constant = |choice: &Value| choice.get("const").unwrap_or(choice).as_str().map(ToOwned::to_owned);
        list.as_array().into_iter().flatten().filter_map(constant).collect()
    };
    match (text("format"), text("type")) {
        (Some("secret"), _) => Kind::Secret,
        (Some("human-duration"), _) => Kind::Duration,
        (_, Some("integer")) => Kind::Integer,
        (_, Some("boolean")) => Kind::Boolean,
        (_, Some("array")) => Kind::List,
        _ => match schema.get("enum").or_else(|| schema.get("oneOf")).map(choices) {
            Some(choices) if !choices.is_empty() => Kind::Choice(choices),
            _ => Kind::Text,
        },
    }
}

/// TOML has no null: an absent key is how an option is left out, and the schema should not offer anything else.
fn drop_null(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
                choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
                if let [Value::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    object.remove("anyOf");
                    // What the field says of itself goes before what its type says.
                    for (key, value) in only {
                        object.entry(key).or_insert(value);
                    }
                }
            }
            if object.get("default").is_some_and(Value::is_null) {
                object.remove("default");
            }
            object.values_mut().for_each(drop_null);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_null),
        _ => {}
    }
}
