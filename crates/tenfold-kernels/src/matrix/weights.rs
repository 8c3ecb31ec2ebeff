//! How kernels read weights: packed, or decoded to a panel.

use super::format::{Format, GROUP, STEP_BYTES, STRIP, code, scale};
use crate::Kernels;
use crate::simd::{CodeBits, Simd, Task};

/// Quantized weights of one strip, whatever their layout.
///
/// A *vector* is a run of `LANES` rows, counted from the start of the strip; a *pair* is two steps
/// of a group.
///
/// # Safety
/// All methods read the strip that the value was made for: the group must be one of its groups,
/// the vector less than `STRIP / LANES`, the pair less than 4 and the part less than `PARTS`.
pub(super) trait Weights: Copy {
    /// Bits of the codes.
    const BITS: CodeBits;
    /// Scales in a group, 1 or 2.
    const PARTS: usize;
    /// Whether groups have offsets.
    const OFFSET: bool;

    /// Reads what the pairs of this vector share, before the pairs are read in order.
    unsafe fn begin<S: Simd>(self, simd: S, group: usize, vector: usize) -> S::I;
    /// The codes of two steps.
    unsafe fn pair<S: Simd>(
        self,
        simd: S,
        group: usize,
        vector: usize,
        pair: usize,
        shared: &mut S::I,
    ) -> (S::I, S::I);
    /// The scales of one part.
    unsafe fn scale<S: Simd>(self, simd: S, group: usize, vector: usize, part: usize) -> S::F;
    /// The offsets of one part.
    unsafe fn offset<S: Simd>(self, simd: S, group: usize, vector: usize, part: usize) -> S::F;
}

/// Weights in a layout of [`Format`], whose fields are the parameters.
#[derive(Clone, Copy)]
pub(super) struct Packed<const CODE: u32, const SCALE: u32, const PARTS: usize, const OFFSET: bool>(
    *const u8,
);

impl<const CODE: u32, const SCALE: u32, const PARTS: usize, const OFFSET: bool>
    Packed<CODE, SCALE, PARTS, OFFSET>
{
    const FORMAT: Format =
        Format { code: CODE, scale: SCALE, parts: PARTS, offset: OFFSET, zero: 0 };

    /// The strip that begins here.
    pub(super) fn new(strip: *const u8) -> Self {
        Self(strip)
    }

    /// One row of scales or offsets: `at` bytes into the group, `head` halves into the head.
    ///
    /// # Safety
    /// As for all methods of [`Weights`].
    #[inline(always)]
    unsafe fn factors<S: Simd>(
        self,
        simd: S,
        group: usize,
        vector: usize,
        at: usize,
        kind: usize,
    ) -> S::F {
        let lane = vector * S::LANES;
        // SAFETY: the caller gives a group and a vector of the strip.
        unsafe {
            let start = self.0.add(Self::FORMAT.group_at(group) + at);
            match SCALE {
                scale::HALF => simd.load_f16(start.cast::<u16>().add(lane)),
                scale::SUPER => {
                    let head = self.0.add(Self::FORMAT.head_at(group)).cast::<u16>();
                    let shared = simd.load_f16(head.add(kind * STRIP + lane));
                    simd.mul(shared, simd.load_i8(start.cast::<i8>().add(lane)))
                }
                _ => simd.load(start.cast::<f32>().add(lane)),
            }
        }
    }
}

impl<const CODE: u32, const SCALE: u32, const PARTS: usize, const OFFSET: bool> Weights
    for Packed<CODE, SCALE, PARTS, OFFSET>
{
    const BITS: CodeBits = match CODE {
        code::NIBBLE => CodeBits::Four,
        code::BYTE => CodeBits::Eight,
        _ => CodeBits::Six,
    };
    const PARTS: usize = PARTS;
    const OFFSET: bool = OFFSET;

    #[inline(always)]
    unsafe fn begin<S: Simd>(self, simd: S, group: usize, vector: usize) -> S::I {
        // The high bits follow the low ones, 4 times a step. Where there are none, something that
        // can be read is read and never used.
        let at = if CODE == code::FIVE { 4 * STEP_BYTES } else { 0 };
        // SAFETY: the caller gives a group and a vector of the strip.
        unsafe {
            let start = self.0.add(Self::FORMAT.group_at(group) + at);
            simd.load_bytes(start.add(vector * S::LANES * 4))
        }
    }

    #[inline(always)]
    unsafe fn pair<S: Simd>(
        self,
        simd: S,
        group: usize,
        vector: usize,
        pair: usize,
        shared: &mut S::I,
    ) -> (S::I, S::I) {
        // SAFETY: the caller gives a group, a vector and a pair of the strip.
        unsafe {
            let start = self.0.add(Self::FORMAT.group_at(group) + vector * S::LANES * 4);
            if CODE == code::BYTE {
                let start = start.add(2 * pair * STEP_BYTES);
                let second = simd.load_bytes(start.add(STEP_BYTES));
                return (simd.bytes(simd.load_bytes(start)), simd.bytes(second));
            }
            let (first, second) = simd.nibbles(simd.load_bytes(start.add(pair * STEP_BYTES)));
            match CODE {
                code::FIVE => {
                    let high = *shared;
                    *shared = simd.shift_right::<2>(high);
                    (
                        simd.with_high::<4>(first, high, 0x10),
                        simd.with_high::<3>(second, high, 0x10),
                    )
                }
                code::SIX => {
                    if pair.is_multiple_of(2) {
                        *shared = simd.load_bytes(start.add((4 + pair / 2) * STEP_BYTES));
                    }
                    let high = *shared;
                    *shared = simd.shift_right::<4>(high);
                    (
                        simd.with_high::<4>(first, high, 0x30),
                        simd.with_high::<2>(second, high, 0x30),
                    )
                }
                _ => (first, second),
            }
        }
    }

    #[inline(always)]
    unsafe fn scale<S: Simd>(self, simd: S, group: usize, vector: usize, part: usize) -> S::F {
        // SAFETY: as the caller promises.
        unsafe { self.factors(simd, group, vector, Self::FORMAT.scale_at(part), 0) }
    }

    #[inline(always)]
    unsafe fn offset<S: Simd>(self, simd: S, group: usize, vector: usize, part: usize) -> S::F {
        // SAFETY: as the caller promises.
        unsafe { self.factors(simd, group, vector, Self::FORMAT.offset_at(part), 1) }
    }
}

/// Weights of one strip with a byte for each code and floats for scales and offsets: what products
/// with many inputs decode packed weights to, once for all inputs.
///
/// `BITS` is 4, 6 or 8: how large the codes are, not how they are stored.
#[derive(Clone, Copy)]
pub(super) struct Panel<const BITS: u32, const PARTS: usize, const OFFSET: bool>(*const u8);

impl<const BITS: u32, const PARTS: usize, const OFFSET: bool> Panel<BITS, PARTS, OFFSET> {
    const KINDS: usize = if OFFSET { 2 } else { 1 };
    /// Bytes of a group.
    pub(super) const GROUP_BYTES: usize = STRIP * GROUP + PARTS * Self::KINDS * STRIP * 4;

    /// The panel that begins here.
    pub(super) fn new(memory: *const u8) -> Self {
        Self(memory)
    }

    /// One row of scales or offsets.
    ///
    /// # Safety
    /// As for all methods of [`Weights`].
    #[inline(always)]
    unsafe fn factors<S: Simd>(self, simd: S, group: usize, vector: usize, row: usize) -> S::F {
        // SAFETY: the caller gives a group and a vector of the strip.
        unsafe {
            let start = self.0.add(group * Self::GROUP_BYTES + STRIP * GROUP).cast::<f32>();
            simd.load(start.add(row * STRIP + vector * S::LANES))
        }
    }
}

impl<const BITS: u32, const PARTS: usize, const OFFSET: bool> Weights
    for Panel<BITS, PARTS, OFFSET>
{
    const BITS: CodeBits = match BITS {
        code::NIBBLE => CodeBits::Four,
        code::BYTE => CodeBits::Eight,
        _ => CodeBits::Six,
    };
    const PARTS: usize = PARTS;
    const OFFSET: bool = OFFSET;

    #[inline(always)]
    unsafe fn begin<S: Simd>(self, simd: S, _: usize, _: usize) -> S::I {
        // SAFETY: a panel has at least one group, whose codes are longer than a vector. The value
        // is never used.
        unsafe { simd.load_bytes(self.0) }
    }

    #[inline(always)]
    unsafe fn pair<S: Simd>(
        self,
        simd: S,
        group: usize,
        vector: usize,
        pair: usize,
        _: &mut S::I,
    ) -> (S::I, S::I) {
        // SAFETY: the caller gives a group, a vector and a pair of the strip.
        unsafe {
            let start = self.0.add(group * Self::GROUP_BYTES + 2 * pair * STEP_BYTES);
            let start = start.add(vector * S::LANES * 4);
            (simd.load_bytes(start), simd.load_bytes(start.add(STEP_BYTES)))
        }
    }

    #[inline(always)]
    unsafe fn scale<S: Simd>(self, simd: S, group: usize, vector: usize, part: usize) -> S::F {
        // SAFETY: as the caller promises.
        unsafe { self.factors(simd, group, vector, part) }
    }

    #[inline(always)]
    unsafe fn offset<S: Simd>(self, simd: S, group: usize, vector: usize, part: usize) -> S::F {
        // SAFETY: as the caller promises.
        unsafe { self.factors(simd, group, vector, PARTS + part) }
    }
}

/// Decodes a strip to a [`Panel`] of the same parts and offsets.
pub(super) struct Decode<W> {
    /// The strip.
    pub(super) weights: W,
    /// Its groups.
    pub(super) groups: usize,
    /// Where the panel begins.
    pub(super) memory: *mut u8,
}

impl<W: Weights> Decode<W> {
    const GROUP_BYTES: usize =
        STRIP * GROUP + W::PARTS * (if W::OFFSET { 2 } else { 1 }) * STRIP * 4;

    /// Does the work.
    ///
    /// # Safety
    /// The memory has room for a panel of the groups, which the strip has.
    pub(super) unsafe fn run(self, kernels: Kernels) {
        kernels.run(self);
    }

    /// Decodes the codes of one vector of rows.
    ///
    /// # Safety
    /// The group and the vector exist.
    #[inline(always)]
    unsafe fn codes<S: Simd>(&self, simd: S, group: usize, vector: usize) {
        // SAFETY: as the caller promises.
        unsafe {
            let to = self.memory.add(group * Self::GROUP_BYTES + vector * S::LANES * 4);
            let mut shared = self.weights.begin(simd, group, vector);
            for pair in 0..4 {
                let (first, second) = self.weights.pair(simd, group, vector, pair, &mut shared);
                let to = to.add(2 * pair * STEP_BYTES);
                simd.store_bytes(first, to);
                simd.store_bytes(second, to.add(STEP_BYTES));
            }
        }
    }

    /// Decodes the scales and offsets of one vector of rows.
    ///
    /// # Safety
    /// The group and the vector exist.
    #[inline(always)]
    unsafe fn factors<S: Simd>(&self, simd: S, group: usize, vector: usize) {
        for part in 0..W::PARTS {
            // SAFETY: as the caller promises.
            unsafe {
                let to = self.memory.add(group * Self::GROUP_BYTES + STRIP * GROUP);
                let to = to.cast::<f32>().add(vector * S::LANES);
                let scale = self.weights.scale(simd, group, vector, part);
                simd.store(scale, to.add(part * STRIP));
                if W::OFFSET {
                    let offset = self.weights.offset(simd, group, vector, part);
                    simd.store(offset, to.add((W::PARTS + part) * STRIP));
                }
            }
        }
    }
}

impl<W: Weights> Task for Decode<W> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for group in 0..self.groups {
            for vector in 0..STRIP / S::LANES {
                // SAFETY: whoever started this answered for the groups.
                unsafe {
                    self.codes(simd, group, vector);
                    self.factors(simd, group, vector);
                }
            }
        }
    }
}
