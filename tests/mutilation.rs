//! The verifier, verified: backups that are proven good, each damaged in one named way, must fail with the right reason.

#![allow(clippy::unwrap_used, reason = "a step that fails fails its test")]

mod support;

use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use guard::catalog::{Catalog, CompleteBackup, Evidence, Manifest, RunNote};
use guard::contents::DifferenceCode;
use guard::progress::Progress;
use guard::prove::{ProofOrder, Targets, prove};
use guard::restore::RestoreOrder;
use guard::source::postgres::client::ClientSearch;
use guard::source::postgres::cluster::ClusterSettings;
use guard::source::postgres::connection::Connection;
use guard::source::postgres::scratch::ScratchPlace;
use guard::store::FsStore;
use guard::stream::{Hashed, Identities};
use serde_json::Value;
use support::guard::{Guard, text};
use support::postgres::{TestPostgres, Version};

/// Every kind of thing that a copy can lose.
const SHOP: &str = "
    CREATE TYPE mood AS ENUM ('sad', 'glad');
    CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL UNIQUE, mood mood DEFAULT 'glad');
    INSERT INTO customers SELECT g, 'customer ' || g FROM generate_series(1, 500) g;
    CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers, total numeric CHECK (total >= 0));
    INSERT INTO orders SELECT g, g % 500 + 1, g FROM generate_series(1, 2000) g;
    CREATE INDEX orders_by_total ON orders (total);
    CREATE SEQUENCE invoice_number START 77;
    SELECT nextval('invoice_number');
    SELECT lo_from_bytea(4242, convert_to(repeat('large object', 1000), 'UTF8'));
    CREATE FUNCTION fickle_order(int, int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
        BEGIN RETURN pg_catalog.btint4cmp($1, $2) * CASE current_setting('test.reversed', true) WHEN 'on' THEN -1 ELSE 1 END;
        END $$;
    CREATE OPERATOR CLASS fickle FOR TYPE int USING btree AS
        OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 fickle_order(int, int);
    CREATE INDEX orders_by_customer ON orders (customer fickle);";

/// Damage to the restored copy, and every difference that the proof must show.
const DAMAGE: &[(&str, &[(DifferenceCode, &str)])] = {
    use DifferenceCode::{
        DefinitionDiffers, DigestDiffers, LargeObjectsDiffer, ObjectMissing, ObjectUnexpected, RowsDiffer,
        SequenceDiffers, TableMissing, TableUnexpected,
    };
    &[
        ("DELETE FROM orders WHERE id = 1234", &[(RowsDiffer, "table public.orders")]),
        ("INSERT INTO orders VALUES (0, 1, 0)", &[(RowsDiffer, "table public.orders")]),
        ("UPDATE orders SET total = total + 0.0 WHERE id = 7", &[(DigestDiffers, "table public.orders")]),
        (
            "UPDATE orders SET total = CASE id WHEN 1 THEN 2 ELSE 1 END WHERE id IN (1, 2)",
            &[(DigestDiffers, "table public.orders")],
        ),
        ("SELECT setval('invoice_number', 76, true)", &[(SequenceDiffers, "sequence public.invoice_number")]),
        ("SELECT lo_put(4242, 6000, '\\x00')", &[(LargeObjectsDiffer, "large objects")]),
        ("SELECT lo_unlink(4242)", &[(LargeObjectsDiffer, "large objects")]),
        ("DROP INDEX orders_by_total", &[(ObjectMissing, "INDEX public.orders_by_total")]),
        (
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'orders_by_total'::regclass",
            &[(ObjectMissing, "INDEX public.orders_by_total")],
        ),
        (
            "ALTER TABLE orders DROP CONSTRAINT orders_customer_fkey,
             ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer) REFERENCES customers NOT VALID",
            &[(DefinitionDiffers, "FK CONSTRAINT public.orders orders_customer_fkey")],
        ),
        (
            "DROP TABLE orders",
            &[
                (TableMissing, "table public.orders"),
                (ObjectMissing, "CONSTRAINT public.orders orders_pkey"),
                (ObjectMissing, "FK CONSTRAINT public.orders orders_customer_fkey"),
                (ObjectMissing, "INDEX public.orders_by_customer"),
                (ObjectMissing, "INDEX public.orders_by_total"),
                (ObjectMissing, "TABLE public.orders"),
            ],
        ),
        ("CREATE TABLE extra ()", &[(TableUnexpected, "table public.extra"), (ObjectUnexpected, "TABLE public.extra")]),
    ]
};

/// A backup that is proven good, and the server on which its damaged copies are tried.
struct Good {
    guard: Guard,
    scratch: TestPostgres,
    source: TestPostgres,
    id: String,
}

/// A copy of the good backup's store, to be damaged.
struct StoreCopy {
    guard: Guard,
    folder: PathBuf,
}

impl Good {
    /// Scratch databases on a second server are faster made than clusters; one proof of each kind shows that both work.
    fn make(sql: &str, prepare: impl FnOnce(Guard) -> Guard) -> Self {
        let (source, scratch) = (TestPostgres::start(Version::V15), TestPostgres::start_foreign(Version::V15, &[]));
        source.create_database("shop", "");
        source.psql("shop", sql);
        let guard = prepare(Guard::of(&source, "shop"));
        let id = guard.backup();
        let guard = guard.with("GUARD_SCRATCH_URL", &scratch.url("postgres"));
        let good = Self { guard, scratch, source, id };
        let copy = good.copy();
        assert_eq!(copy.guard.json(&["verify"]).yes()["verdict"], "ok");
        let evidence = copy.guard.json(&["restore", "--to", "scratch"]).yes();
        assert_eq!((&evidence["verdict"], &evidence["reason"]), (&"proven".into(), &Value::Null));
        good
    }

    fn copy(&self) -> StoreCopy {
        let guard = self.guard.with_copied_store();
        let folder = guard.folder("shop", &self.id);
        StoreCopy { guard, folder }
    }

    /// Damages a copy of the stored files; `verify` and the proof must both say why it is no longer good.
    #[track_caller]
    fn check_bytes(&self, reason: &str, damage: impl FnOnce(&Path)) {
        let copy = self.copy();
        damage(&copy.dump());
        let verified = copy.guard.json(&["verify"]).no();
        assert_eq!(verified["verdict"], "damaged");
        let bad: Vec<String> = array(&verified["objects"])
            .iter()
            .filter(|object| object["ok"] == false)
            .map(|object| text(&object["reason"]))
            .collect();
        assert!(bad.len() == 1 && bad[0].starts_with(&format!("{reason}: ")), "{reason}: {verified}");
        copy.check_proof("stored-bytes", reason);
    }

    /// Damages a copy so that every stored byte is as its manifest says: only opening the backup tells.
    #[track_caller]
    fn check_sealed(&self, (rung, reason): (&str, &str), damage: impl FnOnce(&StoreCopy)) -> Value {
        let copy = self.copy();
        damage(&copy);
        assert_eq!(copy.guard.json(&["verify"]).yes()["verdict"], "ok");
        copy.check_proof(rung, reason)
    }

    /// Damages a copy so that its manifest is no longer one that this repository wrote there.
    #[track_caller]
    fn check_untrusted(&self, why: &str, damage: impl FnOnce(&StoreCopy)) {
        let copy = self.copy();
        damage(&copy);
        for which in ["latest", &self.id] {
            let error = copy.guard.json(&["restore", which, "--to", "scratch"]).error(1, "untrusted");
            assert!(text(&error["message"]).contains(why), "{error}");
        }
        let verified = copy.guard.json(&["verify"]).no();
        let reason = text(&verified["objects"][0]["reason"]);
        assert!(reason.starts_with("untrusted: ") && reason.contains(why), "{verified}");
    }
}

impl StoreCopy {
    fn dump(&self) -> PathBuf {
        let names =
            fs::read_dir(&self.folder).expect("the backup's folder").map(|entry| entry.expect("an entry").path());
        let is_dump = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("dump."));
        names.into_iter().find(is_dump).expect("the dump's object")
    }

    fn manifest_file(&self) -> PathBuf {
        self.folder.join("manifest.json")
    }

    fn manifest(&self) -> Manifest {
        Manifest::parse(&fs::read(self.manifest_file()).expect("a manifest")).expect("a sound manifest")
    }

    /// Changes the manifest as somebody would who knows how its hash is made.
    fn reseal(&self, change: impl FnOnce(&mut Manifest)) {
        let mut manifest = self.manifest();
        change(&mut manifest);
        fs::write(self.manifest_file(), manifest.sealed().to_bytes()).expect("a manifest");
    }

    /// Puts another dump in the place of the stored one, and its hashes into the manifest.
    fn replace_dump(&self, plain: Option<&[u8]>, stored: &[u8]) {
        fs::write(self.dump(), stored).expect("an object");
        self.reseal(|manifest| {
            manifest.streams[0].objects[0].stored = Hashed::of(stored);
            if let Some(plain) = plain {
                manifest.streams[0].plain = Hashed::of(plain);
            }
        });
    }

    #[track_caller]
    fn check_proof(&self, rung: &str, reason: &str) -> Value {
        let evidence = self.guard.json(&["restore", "--to", "scratch"]).no();
        assert_eq!((&evidence["verdict"], &evidence["reason"]), (&"failed".into(), &reason.into()), "{evidence:#}");
        let last = array(&evidence["rungs"]).last().expect("a rung").clone();
        assert_eq!((&last["name"], &last["ok"]), (&rung.into(), &false.into()), "{evidence:#}");
        // The failure is on record beside the backup.
        let listed = self.guard.json(&["list"]).yes();
        assert_eq!(listed["backups"][0]["proven"]["verdict"], "failed", "{listed}");
        evidence
    }
}

#[test]
fn stored_bytes_that_changed_are_found_by_verify_and_by_the_proof() {
    for prepare in [plain, encrypted] {
        let good = Good::make(SHOP, prepare);
        good.check_bytes("stored-size-differs", |dump| edit(dump, |bytes| bytes.truncate(bytes.len() - 1)));
        good.check_bytes("stored-size-differs", |dump| edit(dump, Vec::clear));
        good.check_bytes("stored-size-differs", |dump| edit(dump, |bytes| bytes.extend(b"more")));
        good.check_bytes("stored-bytes-differ", |dump| edit(dump, |bytes| bytes[0] ^= 1));
        good.check_bytes("stored-bytes-differ", |dump| edit(dump, |bytes| *middle(bytes) ^= 1));
        good.check_bytes("stored-bytes-differ", |dump| edit(dump, |bytes| *bytes.last_mut().unwrap() ^= 1));
        good.check_bytes("object-missing", |dump| fs::remove_file(dump).unwrap());
        good.check_bytes("object-missing", |dump| fs::remove_file(globals(dump)).unwrap());
        good.check_bytes("stored-bytes-differ", |dump| edit(&globals(dump), |bytes| *middle(bytes) ^= 1));
    }
}

#[test]
fn two_parts_that_changed_places_are_found() {
    let random = "
        CREATE TABLE noise (id int, bytes bytea);
        INSERT INTO noise SELECT g, (SELECT string_agg(sha512((g || ':' || s)::bytea), '') FROM generate_series(1, 8192) s)
        FROM generate_series(1, 34) g";
    let good = Good::make(random, plain);
    good.check_bytes("stored-bytes-differ", |dump| {
        edit(dump, |bytes| {
            let part = guard::stream::PART_SIZE;
            assert!(bytes.len() > 2 * part, "{} bytes are not two parts", bytes.len());
            let (first, others) = bytes.split_at_mut(part);
            first.swap_with_slice(&mut others[..part]);
        });
    });
}

#[test]
fn bytes_that_were_damaged_before_they_were_hashed_are_found_by_opening_them() {
    let good = Good::make(SHOP, plain);
    let damaged = |copy: &StoreCopy, change: &dyn Fn(&mut Vec<u8>)| {
        let mut stored = fs::read(copy.dump()).unwrap();
        change(&mut stored);
        copy.replace_dump(None, &stored);
    };
    let decompress = ("stored-bytes", "decompress-failed");
    good.check_sealed(decompress, |copy| damaged(copy, &|stored| stored.truncate(stored.len() / 2)));
    good.check_sealed(decompress, |copy| damaged(copy, &|stored| *middle(stored) ^= 1));
    good.check_sealed(decompress, |copy| damaged(copy, &|stored| stored.extend(b"more")));
    good.check_sealed(("stored-bytes", "plain-bytes-differ"), |copy| {
        let other = zstd::encode_all(&b"PGDMP"[..], 3).unwrap();
        copy.replace_dump(None, &other);
    });
    good.check_sealed(("table-of-contents", "archive-unreadable"), |copy| {
        let plain = b"this is no dump";
        copy.replace_dump(Some(plain), &zstd::encode_all(&plain[..], 3).unwrap());
    });
    good.check_sealed(("table-of-contents", "archive-unreadable"), |copy| {
        let mut plain = zstd::decode_all(&*fs::read(copy.dump()).unwrap()).unwrap();
        plain.truncate(plain.len() - 100);
        copy.replace_dump(Some(&plain), &zstd::encode_all(&*plain, 3).unwrap());
    });

    let good = Good::make(SHOP, encrypted);
    let decrypt = ("stored-bytes", "decrypt-failed");
    good.check_sealed(decrypt, |copy| damaged(copy, &|stored| *middle(stored) ^= 1));
    good.check_sealed(decrypt, |copy| damaged(copy, &|stored| stored.truncate(stored.len() - 1)));
    good.check_sealed(decrypt, |copy| damaged(copy, &|stored| stored.extend(b"more")));
    good.check_sealed(decrypt, |copy| damaged(copy, &|stored| stored[0] ^= 1));
    // Encrypted to somebody else, while the manifest says that it is for this key.
    good.check_sealed(decrypt, |copy| {
        let stranger = age::x25519::Identity::generate().to_public();
        copy.replace_dump(None, &age::encrypt(&stranger, b"anything").unwrap());
    });
}

#[test]
fn a_dump_that_is_not_the_one_its_manifest_lists_is_found() {
    let good = Good::make(SHOP, plain);
    let listed = ("table-of-contents", "manifest-differs");
    let first = |evidence: &Value| text(&array(&evidence["rungs"]).last().unwrap()["detail"]);

    let evidence = good.check_sealed(listed, |copy| {
        copy.reseal(|manifest| manifest.contents.tables.get_mut("public.orders").unwrap().rows += 1);
    });
    assert!(first(&evidence).contains("table public.orders has 2000 rows, expected 2001 rows"), "{evidence}");
    good.check_sealed(listed, |copy| {
        copy.reseal(|manifest| manifest.contents.tables.get_mut("public.orders").unwrap().digest.add(1));
    });
    good.check_sealed(listed, |copy| {
        copy.reseal(|manifest| drop(manifest.contents.tables.remove("public.orders")));
    });

    // The dump of the same database with one row less, in place of the one that was taken.
    for (sql, difference) in [
        ("DELETE FROM orders WHERE id = 1234", "table public.orders has 1999 rows, expected 2000 rows"),
        ("DROP TABLE orders", "table public.orders is missing (2000 rows)"),
        ("SELECT setval('invoice_number', 76)", "sequence public.invoice_number"),
    ] {
        good.source.psql("postgres", "DROP DATABASE IF EXISTS other; CREATE DATABASE other TEMPLATE shop");
        good.source.psql("other", sql.replace("76)", "79)"));
        let other = good.source.dump("other");
        let evidence = good.check_sealed(listed, |copy| {
            copy.replace_dump(Some(&other), &zstd::encode_all(&*other, 3).unwrap());
        });
        assert!(first(&evidence).contains(difference), "{evidence}");
    }
}

#[test]
fn a_manifest_that_does_not_belong_there_is_not_believed() {
    let good = Good::make(SHOP, plain);
    let edited = "its own sha256 does not fit";
    good.check_untrusted(edited, |copy| {
        let manifest = fs::read_to_string(copy.manifest_file()).unwrap();
        assert!(manifest.contains("\"rows\": 2000"));
        fs::write(copy.manifest_file(), manifest.replace("\"rows\": 2000", "\"rows\": 2001")).unwrap();
    });
    good.check_untrusted("EOF", |copy| edit(&copy.manifest_file(), |bytes| bytes.truncate(bytes.len() / 2)));
    good.check_untrusted("it describes shop/", |copy| {
        let other = copy.guard.backup();
        fs::copy(copy.guard.folder("shop", &other).join("manifest.json"), copy.manifest_file()).unwrap();
        fs::remove_dir_all(copy.guard.folder("shop", &other)).unwrap();
    });
    good.check_untrusted("of repository", |copy| {
        // In everything else it is the backup that belongs there.
        copy.reseal(|manifest| manifest.repository = "0".repeat(32));
    });
    good.check_untrusted("it describes shop/", |copy| {
        let stranger = Guard::of(&good.source, "shop");
        let foreign = stranger.backup();
        fs::remove_dir_all(&copy.folder).unwrap();
        fs::rename(stranger.folder("shop", &foreign), &copy.folder).unwrap();
    });
    good.check_untrusted("which is not one of its own objects", |copy| {
        let other = copy.guard.backup();
        fs::remove_file(copy.guard.folder("shop", &other).join("manifest.json")).unwrap();
        copy.reseal(|manifest| {
            let object = &mut manifest.streams[0].objects[0];
            object.key = object.key.replace(good.id.as_str(), &other);
        });
    });
    good.check_untrusted("it lists no stream", |copy| copy.reseal(|manifest| manifest.streams.clear()));
    good.check_untrusted("is not a valid object name", |copy| {
        copy.reseal(|manifest| manifest.streams[0].objects[0].key = "../elsewhere".to_owned());
    });

    // The newest backup is the one that is meant, even if an older one is sound: silence would be a lie.
    let copy = good.copy();
    let newest = copy.guard.backup();
    let manifest = copy.guard.folder("shop", &newest).join("manifest.json");
    edit(&manifest, |bytes| *middle(bytes) ^= 1);
    copy.guard.json(&["restore", "--to", "scratch"]).error(1, "untrusted");
    assert_eq!(copy.guard.json(&["restore", &good.id, "--to", "scratch"]).yes()["backup"], good.id.as_str());
    assert_eq!(copy.guard.json(&["restore", "latest~1", "--to", "scratch"]).yes()["backup"], good.id.as_str());
}

#[test]
fn a_newer_format_is_refused_clearly() {
    let good = Good::make(SHOP, plain);
    let copy = good.copy();
    copy.reseal(|manifest| manifest.format += 1);
    for verb in [&["restore", "--to", "scratch"][..], &["show"], &["verify"]] {
        let error = copy.guard.json(verb).error(2, "newer-format");
        assert!(text(&error["message"]).contains("format version 2"), "{error}");
        assert_eq!(error["help"], "use a newer guard");
    }
    let copy = good.copy();
    let repository = copy.guard.store().join("guard.json");
    let text = fs::read_to_string(&repository).unwrap().replace("\"format\": 1", "\"format\": 2");
    fs::write(&repository, text).unwrap();
    for verb in [&["list"][..], &["backup"], &["restore", "--to", "scratch"]] {
        copy.guard.json(verb).error(2, "newer-format");
    }
}

/// A wrong key says nothing about the backup: there is no verdict, no evidence, and the exit code of work not done.
#[test]
fn a_wrong_key_is_the_callers_fault_and_leaves_no_evidence() {
    let good = Good::make(SHOP, encrypted);
    let copy = good.copy();
    copy.guard.new_identity("other.txt");
    let other = copy.guard.dir().join("other.txt").display().to_string();
    let dir = copy.guard.dir().join("out").display().to_string();
    for to in ["scratch", &dir, &good.source.url("nowhere")] {
        let restore = ["restore", "--to", to, "--identity", &other, "--create"];
        let error = copy.guard.json(&restore).error(2, "wrong-identity");
        assert!(text(&error["help"]).contains("--identity"), "{error}");
    }
    let nobody = copy.guard.with("GUARD_ENCRYPTION_IDENTITY_FILE", "/nonexistent");
    nobody.json(&["restore", "--to", "scratch"]).error(2, "secret");
    assert_eq!(nobody.json(&["list"]).yes()["backups"][0]["proven"], Value::Null);
    assert!(!copy.folder.join("proofs").exists());
    assert_eq!(nobody.json(&["verify"]).yes()["verdict"], "ok");
}

#[test]
fn evidence_counts_only_for_the_manifest_that_was_proven() {
    let good = Good::make(SHOP, plain);
    let copy = good.copy();
    copy.guard.json(&["restore", "--to", "scratch"]).yes();
    let proven = || copy.guard.json(&["list"]).yes()["backups"][0]["proven"].clone();
    assert_eq!(proven()["verdict"], "proven");
    // Another manifest in the place of the proven one, however well made.
    let original = fs::read(copy.manifest_file()).unwrap();
    copy.reseal(|manifest| manifest.environment = Some("staging".to_owned()));
    assert_eq!(proven(), Value::Null);
    fs::write(copy.manifest_file(), original).unwrap();
    assert_eq!(proven()["verdict"], "proven");

    // Damaged evidence proves nothing; it does not hide the backup either. Nor does a damaged pin, which still holds.
    let proofs: Vec<_> = fs::read_dir(copy.folder.join("proofs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    edit(&proofs[0], |bytes| bytes.truncate(bytes.len() / 2));
    copy.guard.run(&["keep", &good.id]).code.unwrap();
    edit(&copy.folder.join("keep.json"), Vec::clear);
    assert_eq!(proven(), Value::Null);
    assert_eq!(copy.guard.json(&["list"]).yes()["backups"][0]["kept"], true);
    copy.guard.json(&["restore", "--to", "scratch"]).yes();
    assert_eq!(proven()["verdict"], "proven");
}

#[tokio::test]
async fn damage_to_the_restored_copy_is_found_exactly() {
    let good = Good::make(SHOP, plain);
    let opened = good.open().await;
    let server = ScratchPlace::Server(Connection::parse(&good.scratch.url("postgres")).unwrap());
    for (sql, differences) in DAMAGE {
        let evidence = opened.prove(&server, Some(sql), Targets::default()).await;
        let found: Vec<_> = evidence.differences.iter().map(|found| (found.code, found.object.as_str())).collect();
        assert_eq!(found, *differences, "{sql}");
        assert_eq!(failure(&evidence), Some(("contents", "contents-differ")), "{sql}");
    }
    // An index whose order no longer holds: its definition is the same, its contents are not dumped.
    let reverse = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET test.reversed = on', current_database()); END $$";
    let evidence = opened.prove(&server, Some(reverse), Targets::default()).await;
    assert_eq!(failure(&evidence), Some(("structure", "structure-unsound")), "{evidence:?}");

    let left = good.scratch.psql("postgres", "SELECT count(*) FROM pg_database WHERE datname LIKE 'guard%'");
    assert_eq!(left, "0", "scratch databases are dropped");
}

/// A throw-away cluster shows more than a shared server: its owners and grants are those of the source.
#[tokio::test]
async fn damage_to_owners_and_grants_is_found_in_a_throw_away_cluster() {
    let good = Good::make(SHOP, plain);
    let opened = good.open().await;
    let settings = ClusterSettings { dir: None, user: "postgres".to_owned() };
    let cluster = ScratchPlace::Cluster(settings, ClientSearch::default());
    let damage = "CREATE ROLE other; ALTER SEQUENCE invoice_number OWNER TO other; GRANT SELECT ON customers TO other";
    let evidence = opened.prove(&cluster, Some(damage), Targets::default()).await;
    let found: Vec<_> = evidence.differences.iter().map(|found| (found.code, found.object.as_str())).collect();
    let owner = (DifferenceCode::OwnerDiffers, "SEQUENCE public.invoice_number");
    let grant = (DifferenceCode::ObjectUnexpected, "ACL on TABLE customers in schema public");
    assert_eq!(found, [grant, owner]);
    assert_eq!(failure(&opened.prove(&cluster, None, Targets::default()).await), None);
}

#[tokio::test]
async fn a_missed_target_fails_a_proof_whose_contents_are_equal() {
    let good = Good::make(SHOP, plain);
    let opened = good.open().await;
    let server = ScratchPlace::Server(Connection::parse(&good.scratch.url("postgres")).unwrap());
    let missed = Some(Duration::from_millis(1));
    let kept = Some(Duration::from_hours(1));
    for (rpo, rto, expected) in [
        (missed, None, Some(("freshness", "rpo-missed"))),
        (kept, missed, Some(("freshness", "rto-missed"))),
        (kept, kept, None),
    ] {
        let evidence = opened.prove(&server, None, Targets { rpo, rto }).await;
        assert_eq!(failure(&evidence), expected);
        assert!(evidence.rungs.iter().any(|rung| rung.name == "contents" && rung.ok));
    }
}

/// The good backup as the library sees it.
struct Opened {
    catalog: Catalog,
    backup: CompleteBackup,
}

impl Good {
    async fn open(&self) -> Opened {
        let store = Arc::new(FsStore::open(&self.guard.store()).expect("the store"));
        let catalog = Catalog::open(store).await.expect("the repository");
        let source = "shop".parse().expect("a name");
        let backup = catalog.load(&source, &self.id.parse().expect("an id")).await.expect("a backup");
        Opened { catalog, backup: backup.expect("its manifest") }
    }
}

impl Opened {
    async fn prove(&self, place: &ScratchPlace, damage: Option<&str>, targets: Targets) -> Evidence {
        let restore = RestoreOrder {
            catalog: &self.catalog,
            backup: &self.backup,
            identities: &Identities::default(),
            temp_dir: None,
            client: &ClientSearch::default(),
            jobs: NonZeroU32::MIN,
        };
        let run = &RunNote::new(None);
        let order = ProofOrder { restore, place, targets, started_by: "a test", run, damage, clock: chrono::Utc::now };
        let (evidence, scratch) = prove(&order, &Arc::new(Progress::default())).await.expect("a verdict");
        scratch.stop().await;
        evidence
    }
}

/// The rung and the reason of a proof that failed.
fn failure(evidence: &Evidence) -> Option<(&str, &str)> {
    let last = evidence.rungs.last().expect("a rung");
    assert_eq!(last.ok, evidence.reason.is_none());
    evidence.reason.as_deref().map(|reason| (last.name.as_str(), reason))
}

fn plain(guard: Guard) -> Guard {
    guard
}

fn encrypted(guard: Guard) -> Guard {
    guard.encrypted().with_identity()
}

fn globals(dump: &Path) -> PathBuf {
    dump.with_file_name(dump.file_name().expect("a file").to_string_lossy().replace("dump.pgdump", "globals.sql"))
}

fn edit(file: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(file).expect("a stored file");
    change(&mut bytes);
    fs::write(file, bytes).expect("a stored file");
}

fn middle(bytes: &mut [u8]) -> &mut u8 {
    let middle = bytes.len() / 2;
    &mut bytes[middle]
}

#[track_caller]
fn array(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("{value} is not a list"))
}
