//! What goes wrong with a Redis source: the error names the thing and the way out, nothing is visible, nothing is left.

#![allow(clippy::unwrap_used, reason = "a step that fails fails its test")]

mod support;

use std::fs;
use std::path::Path;

use guard::catalog::Manifest;
use guard::stream::Hashed;
use nix::sys::signal::{Signal, kill};
use serde_json::Value;
use support::guard::{Guard, text};
use support::keyspace::{fill, fill_with_many, info, start_on_port, url};
use support::port::free_port;
use support::process::{Running, SOON, ending, wait_for};
use support::redis::{RedisVersion, Reply, TestRedis};
use support::tls::Identity;

/// A user of this server, with the server's own programs for the scratch.
fn guard_of(server: &TestRedis) -> Guard {
    let programs = server.version().bin_dir().display().to_string();
    Guard::default().with("REDIS_URL", &url(server)).with("GUARD_SCRATCH_BIN_DIR", &programs)
}

/// Runs a backup that must fail, and looks at what it says and leaves.
#[track_caller]
fn fails(guard: &Guard, code: &str, message: &str) -> Value {
    let error = guard.json(&["backup"]).error(2, code);
    assert!(text(&error["message"]).contains(message), "{error}");
    nothing_is_left(guard);
    error
}

#[track_caller]
fn nothing_is_left(guard: &Guard) {
    let mut left = Vec::new();
    collect(&guard.store(), &mut left);
    // A lease is no backup.
    left.retain(|path| !path.ends_with("guard.json") && !path.contains("/leases/") && !path.contains("probe"));
    assert!(left.is_empty(), "left behind: {left:?}");
}

fn collect(dir: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            collect(&entry.path(), files);
        } else {
            files.push(entry.path().display().to_string());
        }
    }
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let port = free_port();
    let guard = Guard::default().with("REDIS_URL", &format!("redis://127.0.0.1:{port}"));
    let error = fails(&guard, "source-failed", &format!("cannot connect to Redis at 127.0.0.1:{port}"));
    assert!(text(&error["help"]).contains("check that the server runs"), "{error}");
}

#[test]
fn a_wrong_password_is_told_without_being_shown() {
    for version in RedisVersion::EACH_PRODUCT {
        let server = version.start_with(&["--requirepass", "open sesame"]);
        let guard = guard_of(&server).with_secret("hunter2").with("REDIS_PASSWORD", "hunter2");
        let error = fails(&guard, "source-failed", "WRONGPASS");
        assert!(text(&error["help"]).contains("REDIS_PASSWORD"), "{error}");
        let guard = guard_of(&server);
        fails(&guard, "source-failed", "NOAUTH");
        guard.with_secret("open sesame").with("REDIS_PASSWORD", "open sesame").backup();
    }
}

/// Least privilege is what the guide says: `+sync +replconf`, and `+info` to see a cluster.
#[test]
fn a_user_needs_little_and_is_told_what_it_lacks() {
    for version in RedisVersion::EACH_PRODUCT {
        let server = version.start();
        fill(&server);
        let mut admin = server.connect();
        admin.words("ACL SETUSER least on >secret1 +sync +replconf +info");
        admin.words("ACL SETUSER least2 on >secret1 +sync +replconf");
        admin.words("ACL SETUSER scans on >secret1 +scan +dump +pexpiretime +select +info +time +function|dump %R~*");
        admin.words("ACL SETUSER nothing on >secret1 +get ~*");
        let user = |name: &str| {
            let url = format!("unix://{name}:secret1@{}", server.socket().display());
            guard_of(&server).with("REDIS_URL", &url).with_secret("secret1")
        };
        let guarantee = |guard: &Guard| {
            guard.backup();
            text(&guard.json(&["show"]).yes()["facts"]["guarantee"])
        };
        assert_eq!(guarantee(&user("least")), "point-in-time");
        assert_eq!(guarantee(&user("least2")), "point-in-time");
        let scanned = user("scans");
        assert_eq!(guarantee(&scanned), "not-a-point-in-time");
        scanned.json(&["restore", "--to", "scratch"]).yes();
        let error = fails(&user("nothing"), "source-failed", "NOPERM");
        let help = text(&error["help"]);
        assert!(help.contains("+replconf") || help.contains("+sync"), "{error}");
    }
}

#[test]
fn a_server_killed_in_the_middle_of_its_snapshot_leaves_nothing() {
    for version in RedisVersion::EACH_PRODUCT {
        // A millisecond a key: the snapshot takes a while.
        let server = version.start_with(&["--rdb-key-save-delay", "1000", "--rdbcompression", "no"]);
        fill_with_many(&server, 20_000, 1000);
        let guard = guard_of(&server);
        let running = Running::start(guard.command(&["backup", "--json"]));
        wait_for("a part of the snapshot", SOON, || {
            let sent = info(&mut server.connect(), "total_net_repl_output_bytes").parse::<u64>().unwrap();
            (sent > 100_000).then_some(())
        });
        kill(server.pid(), Signal::SIGKILL).unwrap();
        let outcome = guard.checked(&running.end_within(SOON));
        let error = outcome.error(2, "backup-failed");
        assert!(text(&error["message"]).contains("broke while sending its snapshot"), "{error}");
        nothing_is_left(&guard);
    }
}

#[test]
fn a_server_that_cannot_write_its_snapshot_is_told_from_one_that_is_gone() {
    for version in RedisVersion::EACH_PRODUCT {
        let dir = tempfile::tempdir().unwrap();
        let server = version.start_with(&["--repl-diskless-sync", "no", "--enable-protected-configs", "yes"]);
        fill(&server);
        server.connect().run(&["CONFIG", "SET", "dir", &dir.path().display().to_string()]);
        drop(dir);
        let error = fails(&guard_of(&server), "source-failed", "while waiting for an answer");
        assert!(text(&error["help"]).contains("log of the server"), "{error}");
    }
}

#[test]
fn a_server_that_cannot_fork_is_told_so() {
    for version in RedisVersion::EACH_PRODUCT {
        let server = TestRedis::start_unable_to_fork(version);
        fill(&server);
        let error = fails(&guard_of(&server), "source-failed", "BGSAVE failed");
        assert!(text(&error["help"]).contains("overcommit_memory"), "{error}");
    }
}

/// `MISCONF`: a server that cannot save refuses writes, and so is no target. As a source it is as good as any.
#[test]
fn a_target_that_cannot_save_is_told_so() {
    for version in RedisVersion::EACH_PRODUCT {
        let dir = tempfile::tempdir().unwrap();
        let target = version.start_with(&["--enable-protected-configs", "yes", "--save", "3600 1000000"]);
        let mut there = target.connect();
        there.run(&["CONFIG", "SET", "dir", &dir.path().display().to_string()]);
        drop(dir);
        there.words("BGSAVE");
        wait_for("the snapshot to fail", SOON, || {
            (info(&mut target.connect(), "rdb_last_bgsave_status") == "err").then_some(())
        });
        let source = version.start();
        fill_with_many(&source, 10, 10);
        let guard = guard_of(&source);
        guard.backup();
        let error = guard.json(&["restore", "--to", &url(&target)]).error(2, "restore-failed");
        assert!(text(&error["message"]).contains("MISCONF"), "{error}");
        assert!(text(&error["help"]).contains("cannot save its data"), "{error}");
        guard_of(&target).backup();
    }
}

/// Newlines are signs of life: a server that takes its time is waited for, one that is silent is not.
#[test]
fn a_slow_server_is_waited_for_and_a_silent_one_is_given_up() {
    for version in RedisVersion::EACH_PRODUCT {
        let server = version.start_with(&["--repl-diskless-sync-delay", "10"]);
        fill(&server);
        let toml = |silence: &str| {
            format!("[source.cache]\nkind = \"redis\"\nurl = \"{}\"\nmax_silence = \"{silence}\"\n", url(&server))
        };
        Guard::configured(&toml("7s")).backup();
        kill(server.pid(), Signal::SIGSTOP).unwrap();
        let guard = Guard::configured(&toml("1s"));
        let outcome = guard.json(&["backup"]);
        kill(server.pid(), Signal::SIGCONT).unwrap();
        let error = outcome.error(2, "source-failed");
        assert!(text(&error["message"]).contains("sent nothing for 1s"), "{error}");
        assert!(text(&error["help"]).contains("max_silence"), "{error}");
        nothing_is_left(&guard);
    }
}

#[test]
fn an_interrupted_backup_leaves_nothing_and_lets_the_server_go() {
    for version in RedisVersion::EACH_PRODUCT {
        let server = version.start_with(&["--rdb-key-save-delay", "1000"]);
        fill_with_many(&server, 20_000, 1000);
        let guard = guard_of(&server);
        let running = Running::start(guard.command(&["backup"]));
        wait_for("the snapshot to begin", SOON, || {
            (info(&mut server.connect(), "rdb_bgsave_in_progress") == "1").then_some(())
        });
        running.signal(Signal::SIGTERM);
        let output = running.end_within(SOON);
        assert_eq!(ending(&output), "exit 130", "{}", guard.checked(&output));
        nothing_is_left(&guard);
        wait_for("the server to be free", SOON, || {
            (info(&mut server.connect(), "connected_slaves") == "0").then_some(())
        });
    }
}

#[test]
fn tls_trusts_the_authority_that_is_named_and_no_other() {
    let (identity, other) = (Identity::make(), Identity::make());
    let port = free_port();
    let file = |name: &str| identity.ca_file().with_file_name(name).display().to_string();
    let (ca, cert, key) = (file("ca.pem"), file("server.pem"), file("server.key"));
    let port_text = port.to_string();
    let settings =
        ["--tls-port", &port_text, "--tls-cert-file", &cert, "--tls-key-file", &key, "--tls-ca-cert-file", &ca];
    let settings: Vec<&str> = settings.into_iter().chain(["--tls-auth-clients", "no"]).collect();
    let server = TestRedis::start_with(&settings);
    fill(&server);
    let toml = |url: &str, extra: &str| format!("[source.cache]\nkind = \"redis\"\nurl = \"{url}\"\n{extra}");
    let encrypted = format!("rediss://127.0.0.1:{port}");
    let ca_file = |identity: &Identity| format!("sslrootcert = \"{}\"\n", identity.ca_file().display());

    Guard::configured(&toml(&encrypted, &ca_file(&identity))).backup();
    let error = fails(&Guard::configured(&toml(&encrypted, &ca_file(&other))), "source-failed", "TLS failed");
    assert!(text(&error["help"]).contains("sslrootcert"), "{error}");
    fails(&Guard::configured(&toml(&encrypted, "")), "source-failed", "TLS failed");
    // The certificate is for 127.0.0.1 alone.
    let by_name = format!("rediss://localhost:{port}");
    fails(&Guard::configured(&toml(&by_name, &ca_file(&identity))), "source-failed", "TLS failed");
    let by_authority = format!("{}sslmode = \"verify-ca\"\n", ca_file(&identity));
    Guard::configured(&toml(&by_name, &by_authority)).backup();
    let by_another = format!("{}sslmode = \"verify-ca\"\n", ca_file(&other));
    fails(&Guard::configured(&toml(&by_name, &by_another)), "source-failed", "TLS failed");
    fails(
        &Guard::configured(&toml(&by_name, &by_authority.replace("ca.pem", "none.pem"))),
        "source-failed",
        "cannot use the certificates in",
    );
    Guard::configured(&toml(&by_name, "sslmode = \"require\"\n")).backup();
    // Without TLS towards a port that wants it.
    let error = fails(&Guard::configured(&toml(&format!("redis://127.0.0.1:{port}"), "")), "source-failed", "Redis");
    assert!(!text(&error["message"]).is_empty());
}

#[test]
fn something_that_is_no_redis_is_recognised() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut client, _) = listener.accept().unwrap();
        let _ = client.read(&mut [0; 1024]);
        client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    let guard = Guard::default().with("REDIS_URL", &format!("redis://127.0.0.1:{port}"));
    fails(&guard, "source-failed", "does not answer as Redis does: `HTTP/1.1 400 Bad Request`");
    server.join().unwrap();
}

/// A target that fails in the middle says which key; what reached it is not called a restore.
#[test]
fn a_target_that_is_full_says_so() {
    for version in RedisVersion::EACH_PRODUCT {
        let (source, target) = (version.start(), version.start());
        fill_with_many(&source, 5000, 1000);
        let guard = guard_of(&source);
        guard.backup();
        target.connect().words("CONFIG SET maxmemory 3mb");
        let error = guard.json(&["restore", "--to", &url(&target)]).error(2, "restore-failed");
        assert!(text(&error["message"]).contains("OOM"), "{error}");
        assert!(text(&error["help"]).contains("maxmemory"), "{error}");
    }
}

#[test]
fn a_replica_is_no_target() {
    for version in RedisVersion::EACH_PRODUCT {
        let (_master, port) = start_on_port(version, &[]);
        let source = version.start();
        let guard = guard_of(&source);
        guard.backup();
        let replica = version.start_with(&["--replicaof", "127.0.0.1", &port.to_string()]);
        let error = guard.json(&["restore", "--to", &url(&replica)]).error(2, "restore-failed");
        assert!(text(&error["message"]).contains("is a replica"), "{error}");
    }
}

/// What another version of guard has stored is read to its end before the first key goes out: it may have known a type that
/// this one does not.
#[test]
fn a_backup_of_another_version_that_is_not_understood_brings_no_key() {
    let (source, target) = (TestRedis::start(), TestRedis::start());
    source.connect().words("SET a 1");
    let guard = guard_of(&source);
    guard.backup();
    let mut stored = Vec::new();
    collect(&guard.store(), &mut stored);
    let file = |ending: &str| stored.iter().find(|path| path.ends_with(ending)).unwrap().clone();
    // A key, and one of type 200; a checksum of zero says that there is none.
    let plain = [b"REDIS0010\xfe\x00\x00\x01a\x011\xc8\x01b\x011\xff".as_slice(), &[0; 8]].concat();
    let packed = zstd::encode_all(plain.as_slice(), 3).unwrap();
    let mut manifest = Manifest::parse(&fs::read(file("manifest.json")).unwrap()).unwrap();
    "0.0.1".clone_into(&mut manifest.guard);
    manifest.streams[0].plain = Hashed::of(&plain);
    manifest.streams[0].objects[0].stored = Hashed::of(&packed);
    fs::write(file(".rdb.zst"), packed).unwrap();
    fs::write(file("manifest.json"), manifest.sealed().to_bytes()).unwrap();
    let error = guard.json(&["restore", "--to", &url(&target)]).error(1, "archive-unreadable");
    assert!(text(&error["message"]).contains("200"), "{error}");
    assert_eq!(target.connect().words("DBSIZE"), Reply::Integer(0));
}
