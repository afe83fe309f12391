//! A keyspace with something of everything, in several databases, and servers that have a port.

use super::port::free_port;
use super::redis::{RedisConnection, RedisVersion, Reply, TestRedis};

/// A server on a port of its own.
pub fn start_on_port(version: RedisVersion, settings: &[&str]) -> (TestRedis, u16) {
    let port = free_port().to_string();
    let settings: Vec<&str> = ["--port", &port].into_iter().chain(settings.iter().copied()).collect();
    (version.start_with(&settings), port.parse().unwrap())
}

/// The server's URL.
pub fn url(server: &TestRedis) -> String {
    format!("unix://{}", server.socket().display())
}

/// Every type, small and large encodings, binary keys, expiries of keys and, where the server has them, of fields, something
/// in each of the 16 databases, and a function.
pub fn fill(server: &TestRedis) {
    let mut to = server.connect();
    to.words("SET plain value");
    to.words("SET number 12345");
    to.run(&[b"SET".as_slice(), b"\xff\x00\r\nbinary", &[0, 255, 13, 10]]);
    to.run(&[b"SET".as_slice(), b"large", &b"compressible ".repeat(2000)]);
    to.words("SETBIT bits 1000 1");
    to.words("PFADD hll a b c");
    to.words("GEOADD places 13.361389 38.115556 Palermo");
    for (key, n) in [("small", 3), ("big", 700)] {
        for i in 0..n {
            to.words(&format!("RPUSH list:{key} item-{i}"));
            to.words(&format!("HSET hash:{key} field-{i} value-{i}"));
            to.words(&format!("SADD set:{key} member-{i}"));
            to.words(&format!("SADD ints:{key} {i}"));
            to.words(&format!("ZADD zset:{key} {}.5 member-{i}", i % 7));
            to.words(&format!("XADD stream:{key} {}-1 field {i}", i + 1));
        }
    }
    to.words("XGROUP CREATE stream:small readers 0");
    to.words("XREADGROUP GROUP readers one COUNT 2 STREAMS stream:small >");
    to.words("XACK stream:small readers 1-1");
    to.words("SET session:1 a EX 100000");
    to.words("SET session:2 b EX 200000");
    if server.version().expires_fields() {
        to.words("HPEXPIREAT hash:small 4000000000000 FIELDS 1 field-0");
        to.words("HPEXPIREAT hash:big 4000000000000 FIELDS 2 field-0 field-600");
    }
    for database in 1..16 {
        to.words(&format!("SELECT {database}"));
        to.words(&format!("SET other:{database} x"));
    }
    to.words("HSET last f v");
    to.run(&["FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('one', function() return 1 end)"]);
}

/// Many keys: `key:0` and so on.
pub fn fill_with_many(server: &TestRedis, n_keys: u32, size: usize) {
    let value = vec![b'v'; size];
    let set = |i: u32| vec![b"SET".to_vec(), format!("key:{i}").into_bytes(), value.clone()];
    server.connect().pipeline((0..n_keys).map(set));
}

/// A field of `INFO`.
pub fn info(connection: &mut RedisConnection, field: &str) -> String {
    let Reply::Bulk(Some(text)) = connection.words("INFO everything") else { panic!("INFO is a text") };
    let text = String::from_utf8_lossy(&text).into_owned();
    let found = text.lines().find_map(|line| line.trim_end().strip_prefix(&format!("{field}:")).map(str::to_owned));
    found.unwrap_or_default()
}
