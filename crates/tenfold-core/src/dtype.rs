//! The number formats a tensor can be stored in.

use std::fmt;
use std::str::FromStr;

macro_rules! dtypes {
    ($($(#[$doc:meta])* $name:ident $text:literal $gguf:literal $len:literal $bytes:literal;)*) => {
        /// How the numbers of one tensor are stored.
        ///
        /// Block formats store [`DType::block_len`] numbers in [`DType::block_bytes`] bytes; the
        /// others are blocks of one. Names, layouts and numbers are those of ggml.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[allow(non_camel_case_types)]
        pub enum DType { $($(#[$doc])* $name,)* }

        impl DType {
            /// Every format, in the order of the GGUF numbers.
            pub const ALL: &'static [DType] = &[$(DType::$name,)*];

            /// The name that users and files use, such as `Q4_K`.
            pub const fn name(self) -> &'static str {
                match self { $(DType::$name => $text,)* }
            }

            /// The number that GGUF files use for this format.
            pub const fn gguf_id(self) -> u32 {
                match self { $(DType::$name => $gguf,)* }
            }

            /// Numbers in one block.
            pub const fn block_len(self) -> usize {
                match self { $(DType::$name => $len,)* }
            }

            /// Bytes of one block.
            pub const fn block_bytes(self) -> usize {
                match self { $(DType::$name => $bytes,)* }
            }

            /// The format with this GGUF number, or `None` for one that Tenfold does not know.
            pub const fn from_gguf_id(id: u32) -> Option<DType> {
                match id { $($gguf => Some(DType::$name),)* _ => None }
            }
        }
    };
}

dtypes! {
    /// 32-bit IEEE float.
    F32 "F32" 0 1 4;
    /// 16-bit IEEE float.
    F16 "F16" 1 1 2;
    /// 4-bit, one scale for 32.
    Q4_0 "Q4_0" 2 32 18;
    /// 4-bit, scale and minimum for 32.
    Q4_1 "Q4_1" 3 32 20;
    /// 5-bit, one scale for 32.
    Q5_0 "Q5_0" 6 32 22;
    /// 5-bit, scale and minimum for 32.
    Q5_1 "Q5_1" 7 32 24;
    /// 8-bit, one scale for 32.
    Q8_0 "Q8_0" 8 32 34;
    /// 8-bit, scale and sum for 32 (activations).
    Q8_1 "Q8_1" 9 32 36;
    /// 2-bit in super-blocks of 256.
    Q2_K "Q2_K" 10 256 84;
    /// 3-bit in super-blocks of 256.
    Q3_K "Q3_K" 11 256 110;
    /// 4-bit in super-blocks of 256.
    Q4_K "Q4_K" 12 256 144;
    /// 5-bit in super-blocks of 256.
    Q5_K "Q5_K" 13 256 176;
    /// 6-bit in super-blocks of 256.
    Q6_K "Q6_K" 14 256 210;
    /// 8-bit in super-blocks of 256 (activations).
    Q8_K "Q8_K" 15 256 292;
    /// 2.06-bit lattice codebook.
    IQ2_XXS "IQ2_XXS" 16 256 66;
    /// 2.31-bit lattice codebook.
    IQ2_XS "IQ2_XS" 17 256 74;
    /// 3.06-bit lattice codebook.
    IQ3_XXS "IQ3_XXS" 18 256 98;
    /// 4-bit with a non-linear codebook, one scale for 32.
    IQ4_NL "IQ4_NL" 20 32 18;
    /// 4-bit with a non-linear codebook in super-blocks of 256.
    IQ4_XS "IQ4_XS" 23 256 136;
    /// 8-bit integer.
    I8 "I8" 24 1 1;
    /// 16-bit integer.
    I16 "I16" 25 1 2;
    /// 32-bit integer.
    I32 "I32" 26 1 4;
    /// 64-bit integer.
    I64 "I64" 27 1 8;
    /// 64-bit IEEE float.
    F64 "F64" 28 1 8;
    /// 16-bit brain float.
    BF16 "BF16" 30 1 2;
}

impl DType {
    /// Bytes that `len` numbers take, or `None` if `len` is no multiple of the block or the count
    /// does not fit in `usize`.
    pub const fn bytes_for(self, len: usize) -> Option<usize> {
        if !len.is_multiple_of(self.block_len()) {
            return None;
        }
        (len / self.block_len()).checked_mul(self.block_bytes())
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The text is the name of no known number format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown number format {0:?}")]
pub struct UnknownDType(String);

impl FromStr for DType {
    type Err = UnknownDType;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|dtype| dtype.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownDType(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_round_trip() {
        for &dtype in DType::ALL {
            assert_eq!(DType::from_gguf_id(dtype.gguf_id()), Some(dtype));
            assert_eq!(dtype.name().to_lowercase().parse(), Ok(dtype));
        }
        assert_eq!(DType::from_gguf_id(4), None, "Q4_2 was removed from the format");
        assert!("Q9_9".parse::<DType>().is_err());
    }

    #[test]
    fn sizes_are_checked() {
        assert_eq!(DType::Q4_0.bytes_for(64), Some(36));
        assert_eq!(DType::Q4_0.bytes_for(33), None);
        assert_eq!(DType::F32.bytes_for(usize::MAX), None);
    }
}
