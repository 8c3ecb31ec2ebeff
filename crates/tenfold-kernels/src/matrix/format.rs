//! The private layout of quantized weights.
//!
//! Rows come in strips of [`STRIP`]; a strip is one run of memory, group after group of
//! [`GROUP`] columns. In a group, a *step* is 4 columns of all rows of the strip, row after row, so
//! that a vector holds the same 4 columns of several rows:
//!
//! ```text
//! strip:  [head] group 0 … group 7  [head] group 8 …        (a head only with `Scale::Super`)
//! group:  codes of 8 steps | high bits | scales of 32 rows | offsets of 32 rows
//! codes:  32 rows × 4 columns for each step; 4-bit codes hold two steps, the first one low
//! ```
//!
//! Codes of 5 and 6 bits keep their low 4 bits as 4-bit codes do. Their high bits lie in planes of
//! 32 rows × 4 columns: one plane of 8 single bits, a step each; or two planes of 4 pairs.

use tenfold_core::DType;
use tenfold_quant::IntegerLayout;

/// Rows that are packed together.
pub(crate) const STRIP: usize = 32;
/// Columns that are packed together, and inputs that share a scale.
pub(crate) const GROUP: usize = 32;
/// Groups under one head.
pub(crate) const GROUPS_PER_HEAD: usize = 8;
/// Columns of a step.
pub(crate) const STEP: usize = 4;
/// Bytes of one step with a byte for each code.
pub(crate) const STEP_BYTES: usize = STRIP * STEP;

/// How a code is stored. Constants, since kernels are generic over them.
pub(crate) mod code {
    /// Unsigned, 4 bits.
    pub(crate) const NIBBLE: u32 = 4;
    /// Unsigned, 5 bits.
    pub(crate) const FIVE: u32 = 5;
    /// Unsigned, 6 bits.
    pub(crate) const SIX: u32 = 6;
    /// Signed, 8 bits.
    pub(crate) const BYTE: u32 = 8;
}

/// How scales and offsets are stored.
pub(crate) mod scale {
    /// A half for each group.
    pub(crate) const HALF: u32 = 0;
    /// An 8-bit integer for each group, times a half for each 8 groups.
    pub(crate) const SUPER: u32 = 1;
    /// A float for each group.
    pub(crate) const SINGLE: u32 = 2;
}

/// The layout of one packed format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Format {
    /// One of [`code`].
    pub(crate) code: u32,
    /// One of [`scale`].
    pub(crate) scale: u32,
    /// Scales in a group: 1, or 2 of 16 columns each.
    pub(crate) parts: usize,
    /// Whether groups have an offset.
    pub(crate) offset: bool,
    /// The unsigned code of the integer 0.
    pub(crate) zero: i32,
}

impl Format {
    /// Bytes of the codes of a group.
    pub(crate) const fn code_bytes(self) -> usize {
        STRIP * GROUP * self.code as usize / 8
    }

    /// Bytes of the scales of one part of a group, all rows together.
    pub(crate) const fn scale_bytes(self) -> usize {
        STRIP
            * match self.scale {
                scale::HALF => 2,
                scale::SUPER => 1,
                _ => 4,
            }
    }

    const fn kinds(self) -> usize {
        if self.offset { 2 } else { 1 }
    }

    /// Bytes of a group.
    pub(crate) const fn group_bytes(self) -> usize {
        self.code_bytes() + self.parts * self.kinds() * self.scale_bytes()
    }

    /// Bytes of a head: the halves of all rows.
    pub(crate) const fn head_bytes(self) -> usize {
        if self.scale == scale::SUPER { STRIP * 2 * self.kinds() } else { 0 }
    }

    /// Bytes of a strip of so many groups.
    pub(crate) const fn strip_bytes(self, groups: usize) -> usize {
        groups.div_ceil(GROUPS_PER_HEAD) * self.head_bytes() + groups * self.group_bytes()
    }

    /// Where the head of a group begins in its strip.
    pub(crate) const fn head_at(self, group: usize) -> usize {
        let size = self.head_bytes() + GROUPS_PER_HEAD * self.group_bytes();
        group / GROUPS_PER_HEAD * size
    }

    /// Where a group begins in its strip.
    pub(crate) const fn group_at(self, group: usize) -> usize {
        self.head_at(group) + self.head_bytes() + group % GROUPS_PER_HEAD * self.group_bytes()
    }

    /// Where the scales of a part begin in its group.
    pub(crate) const fn scale_at(self, part: usize) -> usize {
        self.code_bytes() + part * self.scale_bytes()
    }

    /// Where the offsets of a part begin in its group.
    pub(crate) const fn offset_at(self, part: usize) -> usize {
        self.code_bytes() + (self.parts + part) * self.scale_bytes()
    }

    /// The layout for what a number format unpacks to.
    pub(super) fn of(dtype: DType, layout: IntegerLayout) -> Self {
        let code = match i32::from(layout.high) - i32::from(layout.low) {
            0..16 => code::NIBBLE,
            16..32 => code::FIVE,
            32..64 => code::SIX,
            _ => code::BYTE,
        };
        let zero = if code == code::BYTE { 0 } else { -i32::from(layout.low) };
        let parts = GROUP / layout.group_len;
        Self { code, scale: scale_kind(dtype), parts, offset: layout.has_offset, zero }
    }
}

/// How the scales of a number format can be stored without loss.
fn scale_kind(dtype: DType) -> u32 {
    match dtype {
        DType::Q4_0 | DType::Q4_1 | DType::Q5_0 | DType::Q5_1 | DType::Q8_0 | DType::IQ4_NL => {
            scale::HALF
        }
        _ if super_scales(dtype).is_some() => scale::SUPER,
        _ => scale::SINGLE,
    }
}

/// Where the scales of scales lie in a block of 256.
#[derive(Clone, Copy, Debug)]
pub(super) struct SuperScales {
    /// First byte of the half that multiplies the scales.
    pub(super) scale_at: usize,
    /// First byte of the half that multiplies the minima.
    pub(super) minimum_at: Option<usize>,
}

/// Formats whose scales are integers of at most 8 bits times a half.
pub(super) fn super_scales(dtype: DType) -> Option<SuperScales> {
    let (scale_at, minimum_at) = match dtype {
        DType::Q2_K => (80, Some(82)),
        DType::Q3_K => (108, None),
        DType::Q4_K | DType::Q5_K => (0, Some(2)),
        DType::Q6_K => (208, None),
        DType::IQ4_XS => (0, None),
        _ => return None,
    };
    Some(SuperScales { scale_at, minimum_at })
}
