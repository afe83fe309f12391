//! `RESTORE.md`: how to restore this very backup with `age`, `zstd` and `pg_restore` alone. A test follows it.

use std::fmt::Write as _;

use crate::catalog::{Manifest, StoredStreamEntry};

/// The note that lies beside the objects.
pub(super) fn text(manifest: &Manifest) -> String {
    let facts = manifest.postgres();
    let encrypted = manifest.streams.iter().any(|stream| !stream.recipients.is_empty());
    let mut note = format!(
        "# Restore {source}/{id} without guard\n\n\
         This is database `{database}` of PostgreSQL {version}, as it was at {at}.\n\
         It needs `zstd`{age} and the client programs of PostgreSQL {major} or newer.\n\n\
         Copy this folder to a directory and work there. Check that every byte is as it was stored:\n\n\
         ```sh\n",
        source = manifest.source,
        id = manifest.id,
        database = facts.database,
        version = facts.server_version,
        at = manifest.consistent.at.format("%Y-%m-%d %H:%M:%S UTC"),
        age = if encrypted { ", `age`, the private key (here `key.txt`)" } else { "" },
        major = facts.major,
    );
    let mut line = |text: std::fmt::Arguments<'_>| {
        // Writing to a string cannot fail.
        let _ = writeln!(note, "{text}");
    };
    line(format_args!("sha256sum -c <<'SUMS'"));
    for object in manifest.streams.iter().flat_map(|stream| &stream.objects) {
        line(format_args!("{}  {}", object.stored.sha256, file_name(&object.key)));
    }
    line(format_args!("SUMS\n```\n\nOpen the streams:\n\n```sh"));
    for stream in &manifest.streams {
        line(format_args!("{}", open_command(stream)));
    }
    line(format_args!(
        "```\n\nRestore (connection by the usual PG* variables; the database `restored` must not exist yet):\n\n```sh"
    ));
    if manifest.streams.iter().any(|stream| stream.name == "globals") {
        line(format_args!(
            "# Roles and tablespaces; those that exist already are reported as errors, which is fine.\n\
             psql --dbname=postgres --file=globals.sql"
        ));
    }
    line(format_args!(
        "# Where this locale is not installed --locale=C does as well: only the order of sorted texts differs.\n\
         createdb --template=template0 --encoding={encoding} --lc-collate='{collate}' --lc-ctype='{ctype}' restored\n\
         pg_restore --exit-on-error --dbname=restored dump.pgdump\n```",
        encoding = facts.encoding,
        collate = facts.collate,
        ctype = facts.ctype,
    ));
    note
}

fn open_command(stream: &StoredStreamEntry) -> String {
    let objects: Vec<&str> = stream.objects.iter().map(|object| file_name(&object.key)).collect();
    let decrypt = if stream.recipients.is_empty() { "" } else { " | age --decrypt --identity key.txt" };
    format!("cat {}{decrypt} | zstd --decompress --stdout --long=31 > {}", objects.join(" "), stream.file)
}

fn file_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}
