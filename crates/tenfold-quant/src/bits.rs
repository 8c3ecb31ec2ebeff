//! Reading and writing the small fields of blocks.

use bytemuck::{Pod, Zeroable};

/// A half-precision float in little-endian bytes: the scale of most formats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub struct Half([u8; 2]);

impl Half {
    /// The nearest half, ties to even; too large numbers become infinite.
    #[inline]
    pub fn new(value: f32) -> Self {
        Self(f16_from_f32(value).to_le_bytes())
    }

    /// The number, exactly.
    #[inline]
    pub fn get(self) -> f32 {
        f16_to_f32(u16::from_le_bytes(self.0))
    }
}

// The conversions below select instead of branching, so that loops over them become vector code
// on every processor, also where there is no instruction for halves.

/// Widens a half, exactly.
#[inline]
pub(crate) fn f16_to_f32(half: u16) -> f32 {
    // The bits of a half, moved to the place of an f32's, are the number times 2^-112, subnormal
    // numbers included.
    const UP: f32 = f32::from_bits((127 + 112) << 23);
    let sign = u32::from(half & 0x8000) << 16;
    let magnitude = u32::from(half & 0x7fff);
    let bits = (f32::from_bits(magnitude << 13) * UP).to_bits();
    let special = if magnitude >= 0x7c00 { 0x7f80_0000 } else { 0 };
    f32::from_bits(sign | bits | special)
}

/// The nearest half, ties to even.
#[inline]
pub(crate) fn f16_from_f32(value: f32) -> u16 {
    // Smallest normal half; half of the step above the largest half; bits of 1/2, whose last bit
    // weighs as much as that of a subnormal half.
    const NORMAL: u32 = (127 - 14) << 23;
    const OVERFLOW: u32 = 0x477f_f000;
    const HALF: f32 = 0.5;
    let sign = (value.to_bits() >> 16) as u16 & 0x8000;
    let magnitude = value.to_bits() & 0x7fff_ffff;
    let odd = (magnitude >> 13) & 1;
    let normal = magnitude.wrapping_sub(112 << 23).wrapping_add(0xfff + odd) >> 13;
    let subnormal = (f32::from_bits(magnitude) + HALF).to_bits().wrapping_sub(HALF.to_bits());
    let finite = if magnitude < NORMAL { subnormal } else { normal } as u16;
    let special = if magnitude > 0x7f80_0000 { 0x7e00 } else { 0x7c00 };
    sign | if magnitude < OVERFLOW { finite } else { special }
}

/// The nearest brain float, ties to even; not-a-numbers keep what they can of their bits.
#[inline]
pub(crate) fn bf16_from_f32(value: f32) -> u16 {
    let bits = value.to_bits();
    let rounded = bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16;
    if value.is_nan() { (bits >> 16) as u16 | 0x40 } else { rounded as u16 }
}

/// The low nibbles of `bytes`, then the high ones, each plus `bias`.
#[inline]
pub(crate) fn nibbles(bytes: &[u8], bias: i8, out: &mut [i8]) {
    let (low, high) = out.split_at_mut(bytes.len());
    for ((&byte, low), high) in bytes.iter().zip(low).zip(high) {
        *low = (byte & 15) as i8 + bias;
        *high = (byte >> 4) as i8 + bias;
    }
}

/// Bytes of which the low nibbles hold the first half of `quants`, the high ones the second.
#[inline]
pub(crate) fn pack_nibbles<const N: usize>(quants: &[u8]) -> [u8; N] {
    let (low, high) = quants.split_at(N);
    let mut out = [0; N];
    for ((out, &low), &high) in out.iter_mut().zip(low).zip(high) {
        *out = low & 15 | high << 4;
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_half_widens_exactly() {
        for bits in 0..=u16::MAX {
            let expect = half::f16::from_bits(bits).to_f32();
            let got = f16_to_f32(bits);
            assert!(
                got.to_bits() == expect.to_bits() || (got.is_nan() && expect.is_nan()),
                "{bits:#06x}: {got} is not {expect}"
            );
            assert!(got.is_nan() || f16_from_f32(got) == bits, "{bits:#06x}");
        }
    }

    #[test]
    fn narrowing_rounds_to_even() {
        let cases = [
            (1.0 + 1.0 / 2048.0, 0x3c00),
            (1.0 + 3.0 / 2048.0, 0x3c02),
            (65519.0, 0x7bff),
            (65520.0, 0x7c00),
            (2f32.powi(-25), 0x0000),
            (1.5 * 2f32.powi(-25), 0x0001),
            (2f32.powi(-14) - 2f32.powi(-26), 0x0400),
            (-0.0, 0x8000),
            (f32::MIN_POSITIVE / 4.0, 0x0000),
            (f32::NEG_INFINITY, 0xfc00),
        ];
        for (value, bits) in cases {
            assert_eq!(f16_from_f32(value), bits, "{value}");
        }
        assert!(Half::new(f32::NAN).get().is_nan());
    }

    #[test]
    fn the_borders_between_halves_round_as_they_should() {
        for bits in 0..0x7c00 {
            let low = f16_to_f32(bits);
            let high = if bits == 0x7bff { 65536.0 } else { f16_to_f32(bits + 1) };
            let middle = (low + high) / 2.0;
            let even = bits + (bits & 1);
            assert_eq!(f16_from_f32(middle), even, "at {middle}");
            assert_eq!(f16_from_f32(middle.next_down()), bits, "below {middle}");
            assert_eq!(f16_from_f32(middle.next_up()), bits + 1, "above {middle}");
        }
    }

    #[test]
    fn nibbles_come_low_half_first() {
        let mut out = [0; 4];
        nibbles(&[0x21, 0xf3], -8, &mut out);
        assert_eq!(out, [-7, -5, -6, 7]);
        assert_eq!(pack_nibbles::<2>(&[1, 3, 2, 15]), [0x21, 0xf3]);
    }

    proptest! {
        #[test]
        fn narrowing_is_that_of_the_half_crate(bits in any::<u32>()) {
            let value = f32::from_bits(bits);
            let (f16, bf16) = (half::f16::from_f32(value), half::bf16::from_f32(value));
            prop_assert!(f16_from_f32(value) == f16.to_bits() || value.is_nan() && f16.is_nan());
            prop_assert_eq!(bf16_from_f32(value), bf16.to_bits());
        }
    }
}
