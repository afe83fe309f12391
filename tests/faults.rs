//! Faults around guard: networks and stores that fail, in passing or for good, and everyday mistakes. What can be ridden out
//! is; anything else ends in exit code 2, a text that names the thing and the way out, and nothing to see in the store.

mod support;

use std::time::Duration;

use hyper::Method;
use hyper::http::request::Parts;
use nix::sys::signal::{Signal, kill};
use support::bulk;
use support::guard::{Guard, Outcome, text};
use support::mount::Mount;
use support::postgres::{TestPostgres, Version};
use support::process::{Running, SOON, wait_for};
use support::proxy::{Chosen, Proxy, Spoil};
use support::s3_process::{self, S3Process};
use support::session::OpenSession;

/// Not a test: the S3 server is this program, started again for this function.
#[test]
fn s3_server() {
    s3_process::serve();
}

const LONG: Duration = Duration::from_mins(3);

fn server_with(mib: usize) -> TestPostgres {
    let server = TestPostgres::start(Version::V15);
    server.create_database("shop", "");
    bulk::fill(&server, "shop", "orders", mib);
    server
}

fn has_query(head: &Parts, name: &str) -> bool {
    head.uri.query().is_some_and(|query| query.split('&').any(|pair| pair.split('=').next() == Some(name)))
}

fn is_part(head: &Parts) -> bool {
    head.method == Method::PUT && has_query(head, "partNumber")
}

fn is_complete(head: &Parts) -> bool {
    head.method == Method::POST && has_query(head, "uploadId")
}

fn is_manifest(head: &Parts) -> bool {
    head.method == Method::PUT && head.uri.path().ends_with("manifest.json")
}

fn is_get(head: &Parts) -> bool {
    head.method == Method::GET
}

fn is_upload(head: &Parts) -> bool {
    head.method == Method::PUT
}

/// What passes: its name, the requests it befalls, how many, and what becomes of them.
const PASSING: [(&str, Chosen, usize, Spoil); 6] = [
    ("a burst of 500 and 503 on whatever comes", |_| true, 3, Spoil::Status(503)),
    ("a burst of 500 on parts", is_part, 3, Spoil::Status(500)),
    ("connections reset in the middle of parts", is_part, 2, Spoil::BreakRequest(1_000_000)),
    ("a slow trickle", is_upload, 4, Spoil::TrickleRequest(20_000)),
    ("a lost answer to the completion", is_complete, 1, Spoil::LoseAnswer),
    ("a lost answer to the manifest", is_manifest, 1, Spoil::LoseAnswer),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_through_a_network_that_fails_in_passing_is_whole() {
    let (server, s3) = (server_with(12), S3Process::start());
    let proxy = Proxy::start(s3.addr()).await;
    let endpoint = format!("http://{}", proxy.addr);
    let user = s3.keeps(Guard::of(&server, "shop")).with("GUARD_STORE_ENDPOINT", &endpoint);
    for (n_before, (name, chosen, times, spoil)) in PASSING.into_iter().enumerate() {
        proxy.spoil(chosen, times, spoil);
        tokio::task::block_in_place(|| user.backup());
        assert_eq!(proxy.end(), 0, "{name}: not all of it was met");
        let listed = tokio::task::block_in_place(|| user.listed());
        assert_eq!(listed.len(), n_before + 1, "{name}");
        assert_eq!(s3.unfinished(), [""; 0], "{name}");
    }
    proxy.spoil(is_get, 3, Spoil::BreakAnswer(1_000_000));
    proxy.spoil(is_get, 1, Spoil::Trickle(50_000));
    tokio::task::block_in_place(|| {
        assert_eq!(user.json(&["restore", "--to", "scratch"]).yes()["verdict"], "proven");
        assert_eq!(user.json(&["verify"]).yes()["verdict"], "ok");
    });
    assert_eq!(proxy.end(), 0);
}

/// What refuses the second attempt says nothing of the first, whose answer was lost: the backup may be there, and here is.
#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_whose_outcome_is_unknown_costs_no_part_of_the_backup() {
    let (server, s3) = (server_with(12), S3Process::start());
    let proxy = Proxy::start(s3.addr()).await;
    let user = s3.keeps(Guard::of(&server, "shop"));
    let user = user.with("GUARD_STORE_ENDPOINT", &format!("http://{}", proxy.addr));
    proxy.spoil(is_manifest, 1, Spoil::LoseAnswer);
    proxy.spoil(is_manifest, 1_000, Spoil::Status(403));
    tokio::task::block_in_place(|| {
        let error = user.json(&["backup"]).error(2, "store-failed");
        assert!(text(&error["message"]).contains("is not known"), "{error}");
        assert!(text(&error["help"]).contains("guard list"), "{error}");
        proxy.end();
        assert_eq!(user.listed().len(), 1);
        user.json(&["prune", "--leftovers-older-than", "0s"]).yes();
        assert_eq!(user.json(&["restore", "--to", "scratch"]).yes()["verdict"], "proven");
    });
}

#[test]
fn an_s3_server_that_never_comes_back_ends_the_backup_with_nothing_to_see() {
    let (server, mut s3) = (server_with(96), S3Process::start());
    let user = s3.keeps(Guard::of(&server, "shop"));
    let mut guard = Running::start(user.command(&["backup", "--json"]));
    guard.wait_for("pg_dump", SOON);
    s3.kill();
    // Ten attempts, each after a longer pause.
    user.checked(&guard.end_within(LONG)).error(2, "store-failed");
    s3.restart();
    assert_eq!(user.listed(), [""; 0]);
    user.backup();
}

/// As seen elsewhere: the upload had died, and the dump's COPY stayed open for 17 days and held back vacuum.
#[tokio::test(flavor = "multi_thread")]
async fn upload_died_copy_stayed_open() {
    let (server, s3) = (server_with(96), S3Process::start());
    server.create_database("zoo", "");
    server.psql("zoo", "CREATE TABLE animals (id int)");
    let proxy = Proxy::start(s3.addr()).await;
    let config = format!("[source.shop]\nurl = '{}'\n[source.zoo]\nurl = '{}'", server.url("shop"), server.url("zoo"));
    let user = s3.keeps(Guard::configured(&config));
    let user =
        user.with("GUARD_STORE_ENDPOINT", &format!("http://{}", proxy.addr)).with("GUARD_STORE_CONCURRENCY", "1");
    let all = 1_000_000;
    proxy.spoil(is_part, all, Spoil::StatusAfter(403, Duration::from_secs(3)));
    tokio::task::block_in_place(|| {
        // The second source keeps guard alive, so that its own end is not what ends the first one's dump.
        let _locker = OpenSession::locking(&server, "zoo", "animals");
        let mut guard = Running::start(user.command(&["backup", "--json"]));
        let dump = guard.wait_for("pg_dump", SOON);
        wait_for("the first part", LONG, || (proxy.left() < all).then_some(()));
        // Stopped, it notices neither a closed pipe nor a closed socket.
        kill(dump, Signal::SIGSTOP).expect("the stream is longer than all buffers, so it still writes");
        let in_shop = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'shop' AND application_name LIKE 'guard%'";
        wait_for("the second dump", LONG, || guard.find("pg_dump").filter(|second| *second != dump));
        assert!(guard.started().iter().all(|process| process.pid != dump), "the first dump lives");
        wait_for("the end of the first one's sessions", SOON, || {
            (server.psql("postgres", in_shop) == "0").then_some(())
        });
        let offspring = guard.offspring();
        assert!(guard.is_running());
        guard.signal(Signal::SIGTERM);
        user.checked(&guard.end_within(SOON)).error(130, "interrupted");
        offspring.is_gone_soon();
        assert_eq!(user.listed(), [""; 0]);
    });
    assert_eq!(s3.unfinished(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_refuses_parts_ends_the_backup_with_nothing_to_see() {
    let (server, s3) = (server_with(12), S3Process::start());
    let proxy = Proxy::start(s3.addr()).await;
    let user = s3.keeps(Guard::of(&server, "shop"));
    let user = user.with("GUARD_STORE_ENDPOINT", &format!("http://{}", proxy.addr));
    for (chosen, what) in [(is_part as Chosen, "parts"), (is_complete, "the completion"), (is_manifest, "the manifest")]
    {
        proxy.spoil(chosen, 1_000, Spoil::Status(403));
        tokio::task::block_in_place(|| {
            user.json(&["backup"]).error(2, "store-denied");
            assert_eq!(user.listed(), [""; 0], "refused {what}");
            let left = user.json(&["prune", "--leftovers-older-than", "0s"]).yes();
            assert_eq!(left["leftovers"], serde_json::json!({ "objects": [], "uploads": [] }), "refused {what}");
        });
        proxy.end();
    }
}

#[test]
fn a_server_killed_in_the_middle_of_a_dump_is_an_error() {
    let mut server = server_with(32);
    let user = Guard::of(&server, "shop");
    let mut guard = Running::start(user.command(&["backup", "--json"]));
    // Nobody reads on, so that the COPY goes on for as long as it takes to see it.
    guard.stop_at("pg_dump", SOON);
    let copying = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY public.orders%'";
    wait_for("the COPY", SOON, || (server.psql("postgres", copying) == "1").then_some(()));
    kill(server.pid(), Signal::SIGQUIT).expect("it runs");
    guard.signal(Signal::SIGCONT);
    let error = user.checked(&guard.end_within(LONG)).error(2, "source-failed");
    assert!(text(&error["message"]).contains("server closed the connection"), "{error}");
    server.restart();
    assert_eq!(user.listed(), [""; 0]);
    user.backup();
}

/// What a user is told, with everything that differs from run to run replaced.
#[track_caller]
fn check_told(outcome: &Outcome, replaced: &[(&str, &str)], expected: &str) {
    let mut told: Vec<String> = outcome.stderr.lines().map(str::to_owned).collect();
    told.retain(|line| line.starts_with("error: ") || line.starts_with("help: "));
    let mut told = told.join("\n");
    for (from, to) in replaced {
        told = told.replace(from, to);
    }
    // The ids of backups: date, time, tail.
    let words: Vec<&str> = told.split_inclusive([' ', '/', '\n']).collect();
    let is_id = |word: &&str| word.len() > 20 && word.starts_with("20") && word.contains("Z-");
    let told: String = words.iter().map(|word| if is_id(word) { "ID/" } else { word }).collect();
    assert_eq!(told, expected, "{outcome}");
    assert_eq!(outcome.code, Some(2), "{outcome}");
    assert_eq!(outcome.stdout, "", "{outcome}");
}

#[test]
fn a_full_disk_is_told_with_the_way_out() {
    let (server, mount) = (server_with(12), Mount::new("4m"));
    let place = mount.path().join("store").display().to_string();
    let user = Guard::of(&server, "shop").with("GUARD_STORE_URL", &place);
    check_told(
        &user.run(&["backup"]),
        &[(&place, "PLACE")],
        "error: shop: file://PLACE: no space left while writing part 0 of shop/ID/dump.pgdump.zst\n\
         help: make room there, or name a larger place in store.url",
    );
    assert_eq!(user.listed(), [""; 0]);
    let left = user.json(&["prune", "--leftovers-older-than", "0s"]).yes();
    assert_eq!(left["leftovers"], serde_json::json!({ "objects": [], "uploads": [] }));
}

#[test]
fn a_read_only_directory_is_told_with_the_way_out() {
    let (server, mut mount) = (server_with(1), Mount::new("64m"));
    let place = mount.path().join("store").display().to_string();
    let user = Guard::of(&server, "shop").with("GUARD_STORE_URL", &place);
    let id = user.backup();
    mount.make_read_only();
    check_told(
        &user.run(&["backup"]),
        &[(&place, "PLACE")],
        "error: file://PLACE: access denied while writing a file to read its clock: Read-only file system \
         (os error 30)\n\
         help: guard must be allowed to list, read, write and delete there: check store.access_key and store.secret_key, or \
         the directory's owner",
    );
    assert_eq!(user.listed(), [id]);
}

#[test]
fn mistakes_about_the_bucket_are_told_with_the_way_out() {
    let (server, s3) = (server_with(1), S3Process::start());
    let user = s3.keeps(Guard::of(&server, "shop")).with("GUARD_STORE_SECRET_KEY", "hunter2").with_secret("hunter2");
    check_told(
        &user.run(&["backup"]),
        &[],
        "error: s3://backups/prod: access denied while opening guard.json: the server answered 403 SignatureDoesNotMatch\n\
         help: guard must be allowed to list, read, write and delete there: check store.access_key and store.secret_key, or \
         the directory's owner",
    );
    let user = s3.keeps(Guard::of(&server, "shop")).with("GUARD_STORE_URL", "s3://bakups/prod");
    check_told(
        &user.run(&["backup"]),
        &[],
        "error: s3://bakups/prod: there is no bucket `bakups` here; create it, or correct its name or the endpoint",
    );
}

#[test]
fn mistakes_about_the_server_are_told_with_the_way_out() {
    let server = server_with(1);
    let hba = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(hba.path(), "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n").expect("writable");
    std::fs::set_permissions(hba.path(), std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("ours");
    let strict = TestPostgres::start_with(Version::V15, &[&format!("hba_file={}", hba.path().display())]);
    strict.psql("postgres", "CREATE ROLE app LOGIN PASSWORD 'right'");
    let (port, strict_port) = (server.port().to_string(), strict.port().to_string());
    let replaced: &[(&str, &str)] = &[(&port, "PORT"), (&strict_port, "PORT")];

    let wrong_password = format!("postgres://app:hunter2@127.0.0.1:{strict_port}/postgres");
    let user = Guard::default().with("DATABASE_URL", &wrong_password).with_secret("hunter2");
    check_told(
        &user.run(&["backup"]),
        replaced,
        "error: postgres: cannot connect to postgres://app@127.0.0.1:PORT/postgres: password \
         authentication failed for user \"app\"\n\
         help: check the user and the password of the source's url, and pg_hba.conf",
    );
    check_told(
        &Guard::default().with("DATABASE_URL", &server.url("shpo")).run(&["backup"]),
        replaced,
        "error: shpo: cannot connect to postgres://postgres@127.0.0.1:PORT/shpo: database \
         \"shpo\" does not exist\n\
         help: check the name of the database in the source's url",
    );
    check_told(
        &Guard::default()
            .with("DATABASE_URL", "postgres://app:hunter2@127.0.0.1:1/shop")
            .with_secret("hunter2")
            .run(&["backup"]),
        replaced,
        "error: shop: cannot connect to postgres://app@127.0.0.1:1/shop: error communicating with database: Connection refused \
         (os error 111)\n\
         help: check that the server runs, and the host and port of the source's url",
    );
}

#[test]
fn a_wrong_key_is_told_with_the_way_out() {
    let server = server_with(1);
    let user = Guard::of(&server, "shop").encrypted();
    user.backup();
    user.new_identity("other.txt");
    let (dir, wrong) = (user.dir().join("out"), user.dir().join("other.txt"));
    let (dir, wrong) = (dir.display().to_string(), wrong.display().to_string());
    check_told(
        &user.run(&["restore", "--to", &dir, "--identity", &wrong]),
        &[],
        "error: none of the given identities can decrypt the backup\n\
         help: give the private key with --identity FILE (or encryption.identity in the config)",
    );
    let listed = user.json(&["list"]).yes();
    assert_eq!(listed["backups"][0]["proven"], serde_json::Value::Null);
}
