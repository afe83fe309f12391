//! The digest of a definition without what the server itself changes when it reads a definition back.

use xxhash_rust::xxh3::xxh3_128;

use super::entry::Entry;
use crate::contents::Digest;

/// The canonical digest of an entry's definition.
pub(super) fn canonical_digest(entry: &Entry<'_>) -> Digest {
    Digest(xxh3_128(entry.definition).wrapping_add(xxh3_128(entry.access_method)))
}
