//! The book of an upload's parts: which have been put, how long each is, and whether they make a whole object.

use std::collections::BTreeMap;

/// What is known of the parts put so far. `R` is the store's receipt for a part: an `ETag`, or nothing.
#[derive(Debug)]
pub(super) struct PartBook<R> {
    part_size: u64,
    parts: BTreeMap<u32, (u64, R)>,
}

impl<R> PartBook<R> {
    pub(super) fn new(part_size: usize) -> Self {
        Self { part_size: part_size as u64, parts: BTreeMap::new() }
    }

    /// Where a part begins within the object.
    pub(super) fn offset(&self, part_idx: u32) -> u64 {
        u64::from(part_idx) * self.part_size
    }

    /// Whether a part of this length can belong to the object at all.
    pub(super) fn check_len(&self, part_idx: u32, len: usize) -> Result<(), String> {
        if len as u64 > self.part_size {
            return Err(format!("part {part_idx} has {len} bytes, more than the part size of {}", self.part_size));
        }
        Ok(())
    }

    /// Notes a part as put, in place of an earlier one of the same position.
    pub(super) fn record(&mut self, part_idx: u32, len: usize, receipt: R) {
        self.parts.insert(part_idx, (len as u64, receipt));
    }

    /// The length of the object of parts `0..n_parts`, if all of them are there and all but the last are full.
    pub(super) fn total(&self, n_parts: u32) -> Result<u64, String> {
        let mut total = 0;
        for part_idx in 0..n_parts {
            let Some((len, _)) = self.parts.get(&part_idx) else {
                return Err(format!("part {part_idx} of {n_parts} was never put"));
            };
            if *len != self.part_size && part_idx + 1 != n_parts {
                return Err(format!("part {part_idx} of {n_parts} has {len} bytes instead of {}", self.part_size));
            }
            total += len;
        }
        Ok(total)
    }

    /// The receipts of parts `0..n_parts`, in order.
    pub(super) fn receipts(&self, n_parts: u32) -> impl Iterator<Item = (u32, &R)> {
        self.parts.range(..n_parts).map(|(part_idx, (_, receipt))| (*part_idx, receipt))
    }
}

#[cfg(test)]
mod tests {
    use super::PartBook;

    fn total_of(sizes: &[(u32, usize)], n_parts: u32) -> Result<u64, String> {
        let mut book = PartBook::new(10);
        for (part_idx, len) in sizes {
            book.record(*part_idx, *len, ());
        }
        book.total(n_parts)
    }

    #[test]
    fn a_whole_object_is_full_parts_and_a_shorter_last_one() {
        assert_eq!(total_of(&[(1, 10), (0, 10), (2, 3)], 3), Ok(23));
        assert_eq!(total_of(&[(0, 10), (0, 4)], 1), Ok(4), "the repeated part counts once, as last put");
        assert_eq!(total_of(&[], 0), Ok(0));
    }

    #[test]
    fn a_missing_or_short_part_in_the_middle_is_no_object() {
        assert!(total_of(&[(0, 10), (2, 10)], 3).unwrap_err().contains("part 1 of 3 was never put"));
        assert!(total_of(&[(0, 9), (1, 10)], 2).unwrap_err().contains("has 9 bytes instead of 10"));
        assert!(PartBook::<()>::new(10).check_len(0, 11).is_err());
    }
}
