//! What a `Cargo.toml` above the migrations says: which migration crate a project depends on, and for which engine.

use std::path::Path;

use toml::Table;

use super::tree::Tree;
use crate::engine::Engine;

/// A dependency on `krate` in any `Cargo.toml` in or above `folder`: the features it names, in all of them together.
pub(super) fn dependency_features(tree: &Tree, folder: &Path, krate: &str) -> Option<Vec<String>> {
    // A Go module in a repository that also has a Cargo workspace at its root runs its migrations itself.
    let is_go = |ancestor: &Path| tree.has(ancestor, "go.mod") && !tree.has(ancestor, "Cargo.toml");
    let own = folder.ancestors().take_while(|ancestor| !is_go(ancestor));
    let manifests = own.filter_map(|ancestor| tree.file(ancestor, "Cargo.toml"));
    let mut found: Option<Vec<String>> = None;
    for manifest in manifests.filter(|manifest| manifest.text.contains(krate)) {
        let Ok(manifest) = manifest.text.parse::<Table>() else { continue };
        if manifest.get("package").and_then(|package| package.get("name")?.as_str()) == Some(krate) {
            found.get_or_insert_default();
        }
        for features in dependencies(&manifest).filter_map(|table| Some(features(table.get(krate)?))) {
            found.get_or_insert_default().extend(features);
        }
    }
    found
}

/// The one engine that a list of Cargo features selects.
pub(super) fn engine(features: &[String]) -> Option<Engine> {
    let mut engines = features.iter().filter_map(|feature| match feature.as_str() {
        "postgres" | "postgresql" | "tokio-postgres" => Some(Engine::PostgreSql),
        "mysql" | "mysql_async" => Some(Engine::MySql),
        "sqlite" | "rusqlite" | "rusqlite-bundled" => Some(Engine::Sqlite),
        _ => None,
    });
    let first = engines.next()?;
    engines.all(|engine| engine == first).then_some(first)
}

fn dependencies(manifest: &Table) -> impl Iterator<Item = &Table> {
    const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
    let workspace = manifest.get("workspace").and_then(toml::Value::as_table);
    [Some(manifest), workspace]
        .into_iter()
        .flatten()
        .flat_map(|table| KINDS.iter().filter_map(|kind| table.get(*kind)?.as_table()))
}

fn features(dependency: &toml::Value) -> Vec<String> {
    let list = dependency.get("features").and_then(toml::Value::as_array);
    list.into_iter().flatten().filter_map(|feature| feature.as_str().map(str::to_owned)).collect()
}
