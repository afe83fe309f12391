//! The command that brings a key into a running server: `SET` for a small string, which costs the server a sixth less, and
//! `RESTORE` for everything else.

use crate::source::redis::rdb::{KeyEntry, restore_payload, small_string};

/// How a server is to be spoken to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    /// Replace what is there; without it that is an error.
    pub(super) replace: bool,
    /// The version of the snapshot's format.
    pub(super) rdb_version: u32,
    /// Whether its `SET` takes a moment to expire at (`PXAT`, since Redis 6.2).
    pub(super) takes_moments: bool,
}

/// Room for strings that lie compressed in the snapshot; kept from key to key.
#[derive(Debug, Default)]
pub(super) struct Room(Vec<u8>);

/// Hands the words of the command to `send`. `payload` is the entry's own.
pub(super) fn bring<T>(
    entry: &KeyEntry,
    payload: Vec<u8>,
    manner: Manner,
    Room(room): &mut Room,
    send: impl FnOnce(&[&[u8]]) -> T,
) -> T {
    let KeyEntry { key, expires_at, idle, frequency, .. } = entry;
    let expiry = expires_at.unwrap_or(0).to_string();
    let is_settable = match expires_at {
        Some(moment) => manner.takes_moments && *moment > 0,
        None => true,
    };
    // How long ago a key was used only RESTORE can tell.
    if is_settable
        && (idle, frequency) == (&None, &None)
        && let Some(text) = small_string(&payload, room)
    {
        let mut words: Vec<&[u8]> = vec![b"SET", key, text];
        if !manner.replace {
            words.push(b"NX");
        }
        if expires_at.is_some() {
            words.extend([b"PXAT".as_slice(), expiry.as_bytes()]);
        }
        return send(&words);
    }
    let payload = restore_payload(payload, manner.rdb_version);
    let mut words: Vec<&[u8]> = vec![b"RESTORE", key, expiry.as_bytes(), &payload];
    if manner.replace {
        words.push(b"REPLACE");
    }
    if expires_at.is_some() {
        words.push(b"ABSTTL");
    }
    let (idle, frequency) = (idle.map(|it| it.to_string()), frequency.map(|it| it.to_string()));
    match (&idle, &frequency) {
        (Some(idle), _) => words.extend([b"IDLETIME".as_slice(), idle.as_bytes()]),
        (None, Some(frequency)) => words.extend([b"FREQ".as_slice(), frequency.as_bytes()]),
        (None, None) => {}
    }
    send(&words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contents::keyspace::KeyKind;

    const SEVEN: &[u8] = b"\x00\x017";
    const MANNER: Manner = Manner { replace: false, rdb_version: 10, takes_moments: true };

    fn words(change: impl FnOnce(&mut KeyEntry), payload: &[u8], manner: Manner) -> Vec<String> {
        let (key, kind) = (b"k".to_vec(), KeyKind::String);
        let mut entry =
            KeyEntry { database: 0, key, kind, expires_at: None, idle: None, frequency: None, payload: None };
        change(&mut entry);
        let text = |word: &&[u8]| word.escape_ascii().to_string();
        bring(&entry, payload.to_vec(), manner, &mut Room::default(), |words| words.iter().map(text).collect())
    }

    #[test]
    fn a_string_is_set_and_never_over_another_unasked() {
        assert_eq!(words(|_| {}, SEVEN, MANNER), ["SET", "k", "7", "NX"]);
        let replace = Manner { replace: true, ..MANNER };
        assert_eq!(words(|entry| entry.expires_at = Some(9), SEVEN, replace), ["SET", "k", "7", "PXAT", "9"]);
    }

    #[test]
    fn what_set_cannot_say_is_restored() {
        let verb = |change: fn(&mut KeyEntry), payload, manner| words(change, payload, manner).swap_remove(0);
        let old = Manner { takes_moments: false, ..MANNER };
        assert_eq!(verb(|entry| entry.expires_at = Some(9), SEVEN, old), "RESTORE");
        assert_eq!(verb(|entry| entry.expires_at = Some(0), SEVEN, MANNER), "RESTORE");
        assert_eq!(verb(|entry| entry.idle = Some(1), SEVEN, MANNER), "RESTORE");
        assert_eq!(verb(|entry| entry.frequency = Some(1), SEVEN, MANNER), "RESTORE");
        assert_eq!(verb(|_| {}, b"\x01\x01\x017", MANNER), "RESTORE", "a list");
        assert_eq!(verb(|_| {}, b"\x00\x027", MANNER), "RESTORE", "not whole");
    }
}
