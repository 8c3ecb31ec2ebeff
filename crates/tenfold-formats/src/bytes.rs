//! A cursor over untrusted bytes: every step is checked, every error says where.

use crate::error::{FormatError, Problem};

/// Reads little-endian numbers and lengths from the front of a slice.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    /// Bytes read so far.
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    /// Everything not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.offset..).unwrap_or_default()
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], FormatError> {
        let rest = self.rest();
        let taken = rest.get(..len).ok_or_else(|| self.truncated(len as u64))?;
        self.offset += len;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let (array, _) =
            self.rest().split_first_chunk::<N>().ok_or_else(|| self.truncated(N as u64))?;
        self.offset += N;
        Ok(*array)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, FormatError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, FormatError> {
        self.array().map(u64::from_le_bytes)
    }

    /// A count of things that take at least `min_size` bytes each: never more than can follow.
    pub(crate) fn count(
        &mut self,
        what: &'static str,
        min_size: usize,
    ) -> Result<usize, FormatError> {
        let offset = self.offset;
        let count = self.u64()?;
        let limit = self.rest().len() / min_size.max(1);
        usize::try_from(count).ok().filter(|&count| count <= limit).ok_or_else(|| {
            FormatError::new(Problem::TooMany { what, count, limit: limit as u64 }).offset(offset)
        })
    }

    /// Bytes with their length before them.
    pub(crate) fn string(&mut self) -> Result<&'a [u8], FormatError> {
        let len = self.u64()?;
        let len = usize::try_from(len).map_err(|_| self.truncated(len))?;
        self.take(len)
    }

    fn truncated(&self, needed: u64) -> FormatError {
        let left = self.rest().len() as u64;
        FormatError::new(Problem::Truncated { needed, left }).offset(self.offset)
    }
}

/// The next multiple of `alignment`, a power of two.
pub(crate) fn align_up(offset: u64, alignment: u64) -> Option<u64> {
    offset.checked_next_multiple_of(alignment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_beyond_the_end() {
        let mut reader = Reader::new(&[1, 0, 0, 0, 9]);
        assert_eq!(reader.u32(), Ok(1));
        let error = reader.u32().unwrap_err();
        assert_eq!(error.problem(), &Problem::Truncated { needed: 4, left: 1 });
        assert_eq!(error.location().offset, Some(4));
        assert_eq!(reader.take(1), Ok(&[9][..]), "a failed read takes nothing");
    }

    #[test]
    fn lengths_are_compared_with_what_is_left() {
        let mut bytes = u64::MAX.to_le_bytes().to_vec();
        bytes.extend([0; 16]);
        assert!(Reader::new(&bytes).string().is_err());
        assert!(Reader::new(&bytes).count("keys", 8).is_err());
        let two = [2_u64.to_le_bytes(), [0; 8], [0; 8]].concat();
        assert_eq!(Reader::new(&two).count("keys", 8), Ok(2));
        assert!(Reader::new(&two).count("keys", 9).is_err());
    }
}
