//! A node of a list that is too large to be held: Redis up to 7.2 packs an element of any size, alone in its node.

use xxhash_rust::xxh3::Xxh3;

use super::error::RdbProblem;
use super::input::Input;
use super::lzf;
use super::packed::{Format, Packed, element};
use super::text::{Layout, Text, check_inflated};

/// The bytes of a packed block as they come, inflated if they are compressed.
pub(super) struct Node<'a> {
    input: &'a mut Input,
    /// Bytes of the block that are still to be read.
    left: u64,
    /// How much of the compressed bytes is still to come, what was inflated, and how much of that was read.
    inflating: Option<(u64, Vec<u8>, usize)>,
}

impl<'a> Node<'a> {
    pub(super) fn open(input: &'a mut Input, layout: Layout) -> Result<Self, RdbProblem> {
        match layout {
            Layout::Integer(_) => Err(RdbProblem::Malformed("a number stands where a packed value must be")),
            Layout::Plain { len } => Ok(Self { input, left: len, inflating: None }),
            Layout::Compressed { compressed, len } => {
                Ok(Self { input, left: len, inflating: Some((compressed, Vec::new(), 0)) })
            }
        }
    }

    /// Reads the whole block and calls `see` with every element.
    pub(super) async fn read(mut self, format: Format, mut see: impl FnMut(Text)) -> Result<(), RdbProblem> {
        let size = self.left;
        let header = self.peek(Packed::header_size(format)).await?;
        let n_promised = Packed::check_header(format, header, size)?;
        self.advance(Packed::header_size(format));
        let mut n_elements = 0_u64;
        while self.left > 1 {
            see(self.element(format).await?);
            n_elements += 1;
        }
        let is_end = self.peek(1).await? == [0xff];
        self.advance(1);
        if !is_end || n_promised.is_some_and(|promised| promised != n_elements) || !self.is_spent() {
            return Err(RdbProblem::Malformed("a packed value does not have the elements that it says"));
        }
        Ok(())
    }

    async fn element(&mut self, format: Format) -> Result<Text, RdbProblem> {
        // No head is longer than this, nor is a number with all that belongs to it.
        let n_bytes = usize::try_from(self.left).unwrap_or(usize::MAX).min(16);
        let head = self.peek(n_bytes).await?;
        let Some(string) = element::string_head(format, head)? else {
            let mut rest = head;
            let number = element::read(format, &mut rest)?;
            let used = head.len() - rest.len();
            let text = number.text();
            self.advance(used);
            return Ok(text);
        };
        self.advance(string.head);
        let text = self.text(string.length).await?;
        let tail = element::tail(format, string.head as u64 + string.length);
        let is_good = self.peek(tail.len()).await? == tail;
        self.advance(tail.len());
        let bad = RdbProblem::Malformed("a listpack entry does not have the length that it says");
        if is_good { Ok(text) } else { Err(bad) }
    }

    async fn text(&mut self, length: u64) -> Result<Text, RdbProblem> {
        let (mut hasher, mut left) = (Xxh3::new(), length);
        while left > 0 {
            self.fill(1).await?;
            let n_bytes = usize::try_from(left).unwrap_or(usize::MAX).min(self.available().len());
            hasher.update(&self.available()[..n_bytes]);
            self.advance(n_bytes);
            left -= n_bytes as u64;
        }
        Ok(Text { hash: hasher.digest128(), len: length })
    }

    async fn peek(&mut self, n_bytes: usize) -> Result<&[u8], RdbProblem> {
        self.fill(n_bytes).await?;
        Ok(&self.available()[..n_bytes])
    }

    /// Waits until so many bytes of the block are there.
    async fn fill(&mut self, n_bytes: usize) -> Result<(), RdbProblem> {
        if n_bytes as u64 > self.left {
            return Err(RdbProblem::Malformed("a packed value is cut off in the middle of an element"));
        }
        let Some((compressed, out, position)) = &mut self.inflating else { return self.input.ensure(n_bytes).await };
        while out.len() - *position < n_bytes {
            if *compressed == 0 {
                return Err(RdbProblem::Malformed("a compressed string does not have the length that it promised"));
            }
            // What is inflated next may refer to the last of what was read.
            let n_done = position.saturating_sub(lzf::WINDOW);
            out.drain(..n_done);
            *position -= n_done;
            *compressed -= self.input.inflate_some(*compressed, out).await?;
            check_inflated((out.len() - *position) as u64, self.left, *compressed)?;
        }
        Ok(())
    }

    /// The bytes that are there, those after the block excepted.
    fn available(&self) -> &[u8] {
        let bytes = match &self.inflating {
            Some((_, out, position)) => &out[*position..],
            None => self.input.available(),
        };
        &bytes[..bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX))]
    }

    fn advance(&mut self, n_bytes: usize) {
        self.left -= n_bytes as u64;
        match &mut self.inflating {
            Some((_, _, position)) => *position += n_bytes,
            None => self.input.advance(n_bytes),
        }
    }

    fn is_spent(&self) -> bool {
        self.left == 0 && self.inflating.as_ref().is_none_or(|(compressed, ..)| *compressed == 0)
    }
}
