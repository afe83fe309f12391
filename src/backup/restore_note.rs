//! `RESTORE.md`: how to restore this very backup with `age`, `zstd` and `pg_restore` or `redis-server` alone. Tests follow it.

use std::fmt::Write as _;

use crate::catalog::{Guarantee, Manifest, PostgresFacts, RedisFacts, SourceFacts, StoredStreamEntry};

/// The note that lies beside the objects.
pub(super) fn text(manifest: &Manifest) -> String {
    let encrypted = manifest.streams.iter().any(|stream| !stream.recipients.is_empty());
    let mut note = format!(
        "# Restore {source}/{id} without guard\n\n\
         This is {subject}, as it was at {at}.\n\
         It needs `zstd`{age} and {programs}.\n\n\
         Copy this folder to a directory and work there. Check that every byte is as it was stored:\n\n\
         ```sh\n",
        source = manifest.source,
        id = manifest.id,
        subject = subject(manifest),
        at = manifest.consistent.at.format("%Y-%m-%d %H:%M:%S UTC"),
        age = if encrypted { ", `age`, the private key (here `key.txt`)" } else { "" },
        programs = programs(manifest),
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
    line(format_args!("```\n"));
    match &manifest.facts {
        SourceFacts::Postgres(facts) => load_postgres(&mut line, manifest, facts),
        SourceFacts::Redis(facts) => load_redis(&mut line, manifest, facts),
    }
    note
}

/// Writes a line.
type Line<'a> = dyn FnMut(std::fmt::Arguments<'_>) + 'a;

fn subject(manifest: &Manifest) -> String {
    match &manifest.facts {
        SourceFacts::Postgres(facts) => format!("database `{}` of PostgreSQL {}", facts.database, facts.server_version),
        SourceFacts::Redis(facts) => facts.subject(),
    }
}

fn programs(manifest: &Manifest) -> String {
    match &manifest.facts {
        SourceFacts::Postgres(facts) => format!("the client programs of PostgreSQL {} or newer", facts.major),
        SourceFacts::Redis(facts) => {
            format!("`{}-server` {} or newer (RDB version {})", facts.server, facts.server_version, facts.rdb_version)
        }
    }
}

fn load_postgres(line: &mut Line<'_>, manifest: &Manifest, facts: &PostgresFacts) {
    line(format_args!(
        "Restore (connection by the usual PG* variables; the database `restored` must not exist yet):\n\n```sh"
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
}

/// A server loads the file at its start and only then: with an append-only file it would not look at it.
fn load_redis(line: &mut Line<'_>, manifest: &Manifest, facts: &RedisFacts) {
    if facts.guarantee == Guarantee::NotAPointInTime {
        line(format_args!("This backup is {}.\n", facts.guarantee.sentence()));
    }
    let databases = manifest.contents.keyspace.iter().flat_map(|keyspace| keyspace.databases.keys());
    let databases = databases.max().map_or(16, |last| (last + 1).max(16));
    line(format_args!(
        "Start a server on each file, with `--appendonly no`: with an append-only file a server does not read it. \
         Keys that have expired since are dropped while it loads.\n\n```sh"
    ));
    for stream in manifest.data_streams() {
        line(format_args!(
            "{server}-check-rdb {file}\n\
             {server}-server --port 6379 --dir \"$PWD\" --dbfilename {file} --appendonly no --save '' --databases {databases}",
            server = facts.server,
            file = stream.file,
        ));
    }
    line(format_args!("```\n"));
    if facts.cluster {
        for shard in &facts.shards {
            line(format_args!(
                "- `{}.rdb` holds the slots {} of {}",
                shard.stream,
                shard.slots.join(", "),
                shard.address
            ));
        }
        line(format_args!(
            "\nFor a cluster, start one server a file (each with a port of its own and `--cluster-enabled yes`), give each its slots \
             (`CLUSTER ADDSLOTSRANGE`) and let them meet (`CLUSTER MEET`)."
        ));
    } else {
        line(format_args!(
            "Once it is up, `CONFIG SET save '3600 1 300 100'` and, if it is wanted, `CONFIG SET appendonly yes` make it durable again."
        ));
    }
}

fn open_command(stream: &StoredStreamEntry) -> String {
    let objects: Vec<&str> = stream.objects.iter().map(|object| file_name(&object.key)).collect();
    let decrypt = if stream.recipients.is_empty() { "" } else { " | age --decrypt --identity key.txt" };
    format!("cat {}{decrypt} | zstd --decompress --stdout --long=31 > {}", objects.join(" "), stream.file)
}

fn file_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}
