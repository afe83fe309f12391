//! Formats: which server reads which snapshot, told before a key is written or a verdict is given.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::support::guard::{Guard, text};
use super::support::keyspace::{fill, url};
use super::support::process::write_program;
use super::support::redis::RedisVersion::{self, V7, V8, Valkey8, Valkey9};
use super::support::redis::Reply;
use super::{guard_of, prove_newest};

/// The newer server knows more encodings, and expiries of single fields.
#[test]
fn a_newer_server_takes_an_older_backup_and_an_older_one_refuses_a_newer() {
    for (older, newer, reads) in [(V7, V8, 10), (V7, Valkey8, 10), (Valkey8, Valkey9, 11)] {
        let (old, new) = (older.start(), newer.start());
        fill(&old);
        fill(&new);
        let guard = guard_of(&old);
        guard.backup();
        let upgraded = newer.start();
        let answer = guard.json(&["restore", "--to", &url(&upgraded)]).yes();
        assert_eq!(answer["compared"], true, "{answer}");
        let guard = guard_of(&new);
        guard.backup();
        let target = older.start();
        let error = guard.json(&["restore", "--to", &url(&target)]).error(2, "target-too-old");
        assert!(text(&error["message"]).contains(&format!("reads up to version {reads}")), "{error}");
        assert_eq!(target.connect().words("DBSIZE"), Reply::Integer(0));
    }
}

/// Redis since 7.4 and Valkey since 9 went their own ways. A server refuses the other's payloads key by key; guard says so
/// before the first, as no key may be lost on the way.
#[test]
fn a_server_of_the_other_product_is_refused_before_the_first_key() {
    for (source, target) in [(V8, Valkey8), (V8, Valkey9), (Valkey9, V7), (Valkey9, V8)] {
        let (from, to) = (source.start(), target.start());
        fill(&from);
        let guard = guard_of(&from);
        guard.backup();
        let error = guard.json(&["restore", "--to", &url(&to)]).error(2, "target-unsuited");
        let expected = format!("RDB version {} ({}", source.numbers().1, source.product());
        assert!(text(&error["message"]).contains(&expected), "{error}");
        assert!(text(&error["help"]).contains("of the source's product"), "{error}");
        assert_eq!(to.connect().words("DBSIZE"), Reply::Integer(0));
    }
    // Valkey can be told to try; what both have is then restored.
    let (from, to) = (V8.start(), Valkey9.start());
    from.connect().words("HSET hash f v");
    to.connect().words("CONFIG SET rdb-version-check relaxed");
    let guard = guard_of(&from);
    guard.backup();
    let answer = guard.json(&["restore", "--to", &url(&to)]).yes();
    assert_eq!((&answer["keys"], &answer["compared"]), (&1.into(), &true.into()), "{answer}");
}

/// A directory with links to servers, as a system with several of them has it.
fn programs(dir: &Path, servers: &[(RedisVersion, &str)]) -> String {
    fs::create_dir(dir).unwrap();
    for (version, name) in servers {
        symlink(version.program(), dir.join(name)).unwrap();
    }
    dir.display().to_string()
}

/// The server that the proof of this guard's newest backup ran on.
#[track_caller]
fn scratch_of(guard: &Guard) -> String {
    text(&prove_newest(guard)["scratch"])
}

#[test]
fn the_scratch_is_the_first_server_that_reads_the_snapshot() {
    let all = [(V7, "redis-server"), (Valkey8, "valkey-server")];
    for (source, expected) in [(V7, "redis-server 7.0"), (Valkey8, "valkey-server 8.1")] {
        let server = source.start();
        fill(&server);
        let guard = guard_of(&server);
        guard.backup();
        let path = programs(&guard.dir().join("both"), &all);
        let guard = guard.without("GUARD_SCRATCH_BIN_DIR").with("PATH", &format!("{path}:/usr/bin:/bin"));
        assert!(scratch_of(&guard).contains(expected), "{source:?}");
    }
    // The setting comes first, then what is installed; who reads nothing of it is passed over, whatever it is called.
    let server = Valkey9.start();
    fill(&server);
    let guard = guard_of(&server);
    guard.backup();
    let named = programs(&guard.dir().join("named"), &[(Valkey8, "valkey-server")]);
    let path = programs(&guard.dir().join("usual"), &[(V8, "valkey-server"), (Valkey9, "redis-server")]);
    let guard = guard.with("GUARD_SCRATCH_BIN_DIR", &named).with("PATH", &format!("{path}:/usr/bin:/bin"));
    assert!(scratch_of(&guard).contains("redis-server 9.1"));
}

/// No server that could load it is no verdict about the backup.
#[test]
fn without_a_server_that_reads_the_snapshot_there_is_no_verdict() {
    for version in [V8, Valkey8, Valkey9] {
        let server = version.start();
        fill(&server);
        let guard = guard_of(&server);
        guard.backup();
        let guard = guard.without("GUARD_SCRATCH_BIN_DIR");
        let error = guard.json(&["restore", "--to", "scratch"]).error(2, "scratch-failed");
        let expected =
            format!("no server program reads RDB version {}: there is redis-server 7.0", version.numbers().1);
        assert!(text(&error["message"]).contains(&expected), "{error}");
        assert!(text(&error["help"]).contains("scratch.bin_dir"), "{error}");
        // One that turns out not to read it: it says that it is newer than anything known.
        let (liar, product) = (guard.dir().join("liar"), version.product());
        let script = format!(
            "#!/bin/sh\nif [ \"$1\" = --version ]; then echo '{} server v=99.0.0'; exit; fi\n\
             exec {} \"$@\"\n",
            if product == "valkey" { "Valkey" } else { "Redis" },
            V7.program().display()
        );
        let program = liar.join(format!("{product}-server"));
        fs::create_dir(&liar).unwrap();
        write_program(&program, &script);
        let guard = guard.with("GUARD_SCRATCH_BIN_DIR", &liar.display().to_string());
        let error = guard.json(&["restore", "--to", "scratch"]).error(2, "scratch-failed");
        assert!(text(&error["message"]).contains("cannot load this snapshot"), "{error}");
        assert!(guard.json(&["list"]).yes()["backups"][0]["proven"].is_null(), "the backup is not to blame");
    }
}

/// To a replica that does not say what it is Valkey 9 sends the format of Redis 7.2, and nothing at all if a field expires.
#[test]
fn a_valkey_sends_its_own_format_with_all_that_it_has() {
    let server = Valkey9.start();
    server.connect().words("HSET hash f v g w");
    server.connect().words("HPEXPIREAT hash 4000000000000 FIELDS 1 f");
    // Nobody who may not run INFO learns there that it is a Valkey.
    server.connect().words("ACL SETUSER least on >secret1 +sync +replconf");
    let url = format!("unix://least:secret1@{}", server.socket().display());
    let guard = guard_of(&server).with("REDIS_URL", &url).with_secret("secret1");
    guard.backup();
    let manifest = guard.json(&["show"]).yes();
    assert_eq!((&manifest["facts"]["rdb_version"], &manifest["facts"]["server"]), (&80.into(), &"valkey".into()));
    assert_eq!(manifest["contents"]["keyspace"]["databases"]["0"]["hash"]["expiring"]["keys"], 1, "{manifest:#}");
    assert!(scratch_of(&guard).contains("valkey-server 9.1"));
}
