//! What the servers of these tests are filled with: every type on both sides of every encoding's threshold.

use super::support::redis::{RedisConnection, RedisVersion};

/// Settings under which a server packs nothing, and under which it packs everything.
pub(super) const UNPACKED: &[&str] = &[
    "--hash-max-listpack-entries",
    "0",
    "--zset-max-listpack-entries",
    "0",
    "--set-max-intset-entries",
    "0",
    "--list-max-listpack-size",
    "1",
    "--stream-node-max-entries",
    "1",
    "--rdbcompression",
    "no",
];

pub(super) const PACKED: &[&str] = &[
    "--hash-max-listpack-entries",
    "9999",
    "--hash-max-listpack-value",
    "9999",
    "--zset-max-listpack-entries",
    "9999",
    "--zset-max-listpack-value",
    "9999",
    "--set-max-intset-entries",
    "9999",
    "--list-max-listpack-size",
    "-5",
    "--list-compress-depth",
    "1",
];

fn command<A: AsRef<[u8]>>(arguments: impl IntoIterator<Item = A>) -> Vec<Vec<u8>> {
    arguments.into_iter().map(|argument| argument.as_ref().to_vec()).collect()
}

/// Values of every length class and every width of a number, in text and in bytes that are no text.
fn values() -> Vec<Vec<u8>> {
    let numbers = [0, 1, 12, 13, -1, 127, 128, -128, 4095, 4096, -4096, 32767, 32768, -32769, 8_388_607, 8_388_608];
    let wide = [i64::from(i32::MAX), i64::from(i32::MIN) - 1, i64::MAX, i64::MIN];
    let mut values: Vec<Vec<u8>> = numbers.into_iter().chain(wide).map(|n: i64| n.to_string().into_bytes()).collect();
    values.extend(["", "007", "-0", "1.5", "+1", "9223372036854775808", " 1"].map(|text| text.as_bytes().to_vec()));
    for length in [20, 21, 62, 63, 64, 65, 127, 128, 4095, 4096, 16383, 16384, 70_000] {
        values.push(vec![b'x'; length]);
        values.push((0..length).map(|idx| u8::try_from((idx * 7 + idx / 251) % 256).unwrap()).collect());
    }
    values
}

/// A keyspace with every type around every threshold; `backwards` adds everything in the other order.
pub(super) fn fill(connection: &mut RedisConnection, backwards: bool) {
    let mut commands = Vec::new();
    let values = values();
    for (idx, value) in values.iter().enumerate() {
        let mut add = |name: &str, key: &str, arguments: &[&[u8]]| {
            commands.push(command([&[name.as_bytes(), key.as_bytes()], arguments].concat()));
        };
        let (number, score) = (idx.to_string(), format!("{}", (idx as f64 - 3.0) / 7.0));
        add("SET", &format!("string:{idx}"), &[value]);
        for which in ["all", if value.len() <= 64 { "short" } else { "long" }] {
            add("SADD", &format!("set:{which}"), &[value]);
            add("ZADD", &format!("zset:{which}"), &[score.as_bytes(), value]);
            add("HSET", &format!("hash:{which}"), &[value, number.as_bytes()]);
            add("HSET", &format!("hash-of:{which}"), &[number.as_bytes(), value]);
        }
    }
    for (limit, n_elements) in
        [128, 512].into_iter().flat_map(|limit| [(limit, limit - 1), (limit, limit), (limit, limit + 1)])
    {
        for idx in 0..n_elements {
            let (key, number) = (|kind: &str| format!("{kind}:{limit}:{n_elements}"), idx.to_string());
            let member = format!("member {idx}");
            commands.push(command(["SADD", &key("intset"), &(i64::from(idx) * 40_000 - 70_000).to_string()]));
            commands.push(command(["SADD", &key("set"), &member]));
            commands.push(command(["ZADD", &key("zset"), &number, &member]));
            commands.push(command(["HSET", &key("hash"), &member, &number]));
        }
    }
    for (idx, score) in
        ["inf", "-inf", "0", "-0", "1e300", "-1.7976931348623157e308", "0.1", "5e-324"].iter().enumerate()
    {
        commands.push(command(["ZADD", "zset:scores", score, &idx.to_string()]));
    }
    commands.push(command(["GEOADD", "geo", "13.361389", "38.115556", "Palermo", "15.087269", "37.502669", "Catania"]));
    commands.push(command(["PFADD", "hll", "a", "b", "c"]));
    commands.push(command(["SETBIT", "bits", "100000", "1"]));
    for idx in 0..300_i64 {
        let name = [&[0xff, 0, b'\n'], &idx.to_be_bytes()[..]].concat();
        commands.push(vec![b"SET".to_vec(), name, b"binary".to_vec()]);
        let at = (4_000_000_000_000 + idx * 1001).to_string();
        commands.push(command(["SET", &format!("expiring:{idx}"), "gone one day", "PXAT", &at]));
    }
    if backwards {
        commands.reverse();
    }
    // The order of a list and of a stream is part of it.
    for value in &values {
        commands.push(command([b"RPUSH", &b"list"[..], value]));
        commands.push(command([b"RPUSH", &b"list of one"[..], value]));
        commands.push(command([b"LTRIM", &b"list of one"[..], b"-1", b"-1"]));
    }
    for idx in 0..700 {
        commands.push(command(["RPUSH", "long list", &format!("item {idx}")]));
        let field = if idx % 50 == 0 { "other" } else { "field" };
        commands.push(command([
            "XADD",
            "stream",
            &format!("{}-{}", 1000 + idx / 3, idx),
            field,
            &idx.to_string(),
            "b",
            "x",
        ]));
    }
    commands.push(command(["XDEL", "stream", "1003-9", "1003-10", "1100-300"]));
    commands.push(command(["XGROUP", "CREATE", "stream", "group", "1010-30"]));
    commands.push(command(["XGROUP", "CREATE", "stream", "other group", "$"]));
    for database in 1..16 {
        commands.push(command(["SELECT", &database.to_string()]));
        commands.push(command(["SET", "key", &format!("of database {database}")]));
    }
    commands.push(command(["SELECT", "0"]));
    commands.push(command([
        "FUNCTION",
        "LOAD",
        "REPLACE",
        "#!lua name=one\nredis.register_function('one', function() return 1 end)",
    ]));
    commands.push(command([
        "FUNCTION",
        "LOAD",
        "REPLACE",
        "#!lua name=two\nredis.register_function('two', function() return 2 end)",
    ]));
    connection.pipeline(commands);
}

/// Something pending in a group: what only a stream's owner could tell.
pub(super) fn deliver(connection: &mut RedisConnection) {
    connection.words("XGROUP CREATECONSUMER stream group idle");
    connection.words("XREADGROUP GROUP group first COUNT 5 STREAMS stream >");
    connection.words("XREADGROUP GROUP group second COUNT 3 STREAMS stream >");
    connection.words("XACK stream group 1010-31");
}

/// Everything small that a server can write, twice: few enough bytes to try each.
pub(super) fn small_rdbs() -> Vec<Vec<u8>> {
    let small = |version: RedisVersion| {
        let server = version.start();
        let mut connection = server.connect();
        for line in [
            "SET s v",
            "SET n 1234567",
            "SET e v PXAT 4000000000000",
            "RPUSH l a 1 bb",
            "SADD i 1 2 70000",
            "SADD m a b",
            "ZADD z 1 a 2.5 b",
            "HSET h f 1 g v",
            "XADD x 1-1 f v",
            "XADD x 2-1 g w h 7",
            "XGROUP CREATE x grp 0",
            "XREADGROUP GROUP grp c COUNT 1 STREAMS x >",
            "CONFIG SET hash-max-listpack-entries 0",
            "CONFIG SET zset-max-listpack-entries 0",
            "HSET hh f v",
            "ZADD zz 1.5 a",
            "CONFIG SET set-max-intset-entries 0",
            "SADD mm 7",
            "SELECT 5",
            "SET other x",
        ] {
            connection.words(line);
        }
        connection.run(&["SET", "lzf", &"ab".repeat(40)]);
        connection.run(&["FUNCTION", "LOAD", "#!lua name=f\nredis.register_function('f', function() return 1 end)"]);
        if version.expires_fields() {
            connection.words("HPEXPIREAT hh 4000000000000 FIELDS 1 f");
            connection.words("CONFIG SET hash-max-listpack-entries 10");
            connection.words("HSET he f v g w");
            connection.words("HPEXPIREAT he 4000000000000 FIELDS 1 f");
        }
        server.save()
    };
    RedisVersion::ALL.map(small).to_vec()
}
