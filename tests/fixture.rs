//! The shop database that guard's own code makes.

mod support;

use guard::contents::{Contents, DifferenceCode, differences};
use guard::fixture::{ROW_REMOVAL, write_shop};
use guard::source::postgres::archive::{ArchiveOptions, ArchiveReader};
use support::postgres::{TestPostgres, Version};

#[test]
fn the_shop_is_the_same_at_every_load_and_comes_back_exactly() {
    for version in Version::ALL {
        let server = TestPostgres::start(version);
        for database in ["shop", "again"] {
            load_shop(&server, database, 1);
        }
        let archive = server.dump("shop");
        assert!((5 << 20..25 << 20).contains(&archive.len()), "{} bytes", archive.len());
        let shop = record(&archive, &Contents::default());
        let again = record(&server.dump("again"), &shop);
        assert_eq!(differences(&shop, &again), []);
        server.create_database("copy", "");
        server.restore("copy", &archive);
        assert_eq!(differences(&shop, &record(&server.dump("copy"), &shop)), []);
    }
}

#[test]
fn the_removal_takes_one_row_and_nothing_else() {
    let server = TestPostgres::start(Version::V15);
    load_shop(&server, "shop", 1);
    let before = record(&server.dump("shop"), &Contents::default());
    server.psql("shop", ROW_REMOVAL.sql);
    let after = record(&server.dump("shop"), &before);
    let found: Vec<_> = differences(&before, &after).into_iter().map(|found| (found.code, found.object)).collect();
    assert_eq!(found, [(DifferenceCode::RowsDiffer, format!("table {}", ROW_REMOVAL.table))]);
    assert_eq!(before.tables[ROW_REMOVAL.table].rows - after.tables[ROW_REMOVAL.table].rows, 1);
}

#[test]
fn the_shop_grows_with_its_scale() {
    let server = TestPostgres::start(Version::V15);
    load_shop(&server, "shop", 2);
    let shop = record(&server.dump("shop"), &Contents::default());
    assert_eq!(shop.tables["shop.orders"].rows, 20_000);
    assert_eq!(shop.large_objects.count, 10);
}

fn load_shop(server: &TestPostgres, database: &str, scale: u32) {
    server.create_database(database, "");
    let mut sql = Vec::new();
    write_shop(&mut sql, scale).expect("writing to memory");
    server.psql(database, sql);
}

fn record(archive: &[u8], earlier: &Contents) -> Contents {
    let mut reader = ArchiveReader::new(ArchiveOptions::comparable_with(earlier));
    reader.feed(archive).expect("a sound archive");
    reader.finish().expect("a whole archive").contents
}
