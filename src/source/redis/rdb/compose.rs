//! Writes an RDB out of what a server hands out key by key (`DUMP`), for servers that give no snapshot.

use std::io::{self, Write};

use crc_fast::{CrcAlgorithm, Digest as Crc, checksum};

use super::entry::KeyEntry;
use crate::source::redis::format::VALKEY;

/// What stands before the type if modules attached metadata to a key; in an RDB it stands before the key's name.
const METADATA: u8 = 243;

/// An RDB on its way to be written. Its keys must come database by database.
#[derive(Debug)]
pub struct RdbWriter<W> {
    out: W,
    crc: Crc,
    database: Option<u64>,
}

/// A `DUMP` that was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dumped<'a> {
    /// Type and value as they stand in an RDB; of `FUNCTION DUMP` the libraries.
    pub payload: &'a [u8],
    /// The RDB version that it was written in.
    pub rdb_version: u32,
}

/// Takes apart what `DUMP` or `FUNCTION DUMP` returned; `None` if its checksum is not that of its bytes.
pub fn read_dump(dump: &[u8]) -> Option<Dumped<'_>> {
    let (signed, crc) = dump.split_last_chunk::<8>()?;
    let (payload, version) = signed.split_last_chunk::<2>()?;
    let crc = u64::from_le_bytes(*crc);
    let is_good = crc == 0 || crc == checksum(CrcAlgorithm::Crc64Redis, signed);
    is_good.then(|| Dumped { payload, rdb_version: u16::from_le_bytes(*version).into() })
}

impl<W: Write> RdbWriter<W> {
    /// Begins an RDB of the version in which its values were written; facts are such as `redis-ver`.
    pub fn new(out: W, rdb_version: u32, facts: &[(&str, &str)]) -> io::Result<Self> {
        let mut writer = Self { out, crc: Crc::new(CrcAlgorithm::Crc64Redis), database: None };
        let header =
            if rdb_version < VALKEY { format!("REDIS{rdb_version:04}") } else { format!("VALKEY{rdb_version:03}") };
        writer.write(header.as_bytes())?;
        for (name, value) in facts {
            writer.write(&[250])?;
            writer.string(name.as_bytes())?;
            writer.string(value.as_bytes())?;
        }
        Ok(writer)
    }

    /// Writes a function library.
    pub fn function(&mut self, code: &[u8]) -> io::Result<()> {
        self.write(&[245])?;
        self.string(code)
    }

    /// Writes libraries as they stand in `FUNCTION DUMP`.
    pub fn functions(&mut self, libraries: &[u8]) -> io::Result<()> {
        self.write(libraries)
    }

    /// Writes a key, unless its payload is not there.
    pub fn key(&mut self, entry: &KeyEntry) -> io::Result<()> {
        let missing = || io::Error::new(io::ErrorKind::InvalidInput, "a key has no payload to write");
        let (type_byte, value) = entry.payload.as_deref().and_then(<[u8]>::split_first).ok_or_else(missing)?;
        if *type_byte == METADATA {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "modules attached metadata to a key"));
        }
        if self.database != Some(entry.database) {
            self.write(&[254])?;
            self.length(entry.database)?;
            self.database = Some(entry.database);
        }
        if let Some(at) = entry.expires_at {
            self.write(&[252])?;
            self.write(&at.to_le_bytes())?;
        }
        if let Some(idle) = entry.idle {
            self.write(&[248])?;
            self.length(idle)?;
        }
        if let Some(frequency) = entry.frequency {
            self.write(&[249, frequency])?;
        }
        self.write(&[*type_byte])?;
        self.string(&entry.key)?;
        self.write(value)
    }

    /// Ends the RDB and returns where it was written to.
    pub fn finish(mut self) -> io::Result<W> {
        self.write(&[255])?;
        let crc = self.crc.finalize();
        self.write(&crc.to_le_bytes())?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn string(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.length(bytes.len() as u64)?;
        self.write(bytes)
    }

    fn length(&mut self, length: u64) -> io::Result<()> {
        match (u8::try_from(length), u32::try_from(length)) {
            (Ok(short @ 0..=63), _) => self.write(&[short]),
            (_, Ok(length)) => self.write(&[&[0x80], &length.to_be_bytes()[..]].concat()),
            _ => self.write(&[&[0x81], &length.to_be_bytes()[..]].concat()),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.crc.update(bytes);
        self.out.write_all(bytes)
    }
}

impl RdbWriter<Vec<u8>> {
    /// Takes what was written since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }
}

#[cfg(test)]
mod tests {
    use super::{RdbWriter, read_dump};
    use crate::contents::keyspace::KeyKind;
    use crate::source::redis::rdb::KeyEntry;

    /// `DUMP k` after `SET k 10` on 7.0.
    const DUMP: &[u8] = b"\x00\xc0\x0a\x0a\x00\x6e\x9f\x57\x45\x0e\xae\x63\xbb";

    #[test]
    fn a_dump_is_taken_apart_and_a_damaged_one_is_not() {
        let dumped = read_dump(DUMP).unwrap();
        assert_eq!((dumped.payload, dumped.rdb_version), (&b"\x00\xc0\x0a"[..], 10));
        let mut damaged = DUMP.to_vec();
        damaged[2] ^= 1;
        assert_eq!(read_dump(&damaged), None);
        assert_eq!(read_dump(b"short"), None);
    }

    #[test]
    fn an_rdb_that_is_taken_piece_by_piece_ends_with_its_checksum() {
        let mut writer = RdbWriter::new(Vec::new(), 10, &[]).unwrap();
        let (key, kind, payload) = (b"k".to_vec(), KeyKind::String, Some(b"\x00\xc0\x0a".to_vec()));
        let entry = KeyEntry { database: 3, key, kind, expires_at: Some(1), idle: None, frequency: None, payload };
        writer.key(&entry).unwrap();
        let mut rdb = writer.take();
        rdb.extend(writer.finish().unwrap());
        let (body, trailer) = rdb.split_at(rdb.len() - 8);
        assert_eq!(body, b"REDIS0010\xfe\x03\xfc\x01\0\0\0\0\0\0\0\x00\x01k\xc0\x0a\xff");
        let expected = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Redis, body);
        assert_eq!(u64::from_le_bytes(trailer.try_into().unwrap()), expected);
    }
}
