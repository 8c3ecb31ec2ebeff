//! Reading and writing the small fields of blocks.

use bytemuck::{Pod, Zeroable};

/// A half-precision float in little-endian bytes: the scale of most formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub struct Half([u8; 2]);

impl Half {
    /// The nearest half, ties to even; too large numbers become infinite.
    #[inline]
    pub fn new(value: f32) -> Self {
        Self(half::f16::from_f32(value).to_le_bytes())
    }

    /// The number, exactly.
    #[inline]
    pub fn get(self) -> f32 {
        f16_to_f32(u16::from_le_bytes(self.0))
    }
}

/// Widens a half, exactly, without branches, so that loops over halves become vector code.
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

/// The low nibbles of `bytes`, then the high ones, each plus `bias`.
#[inline]
pub(crate) fn nibbles(bytes: &[u8], bias: i8, out: &mut [i8]) {
    let (low, high) = out.split_at_mut(bytes.len());
    for ((&byte, low), high) in bytes.iter().zip(low).zip(high) {
        *low = (byte & 15) as i8 + bias;
        *high = (byte >> 4) as i8 + bias;
    }
}

#[cfg(test)]
mod tests {
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
            assert!(got.is_nan() || Half::new(got) == Half(bits.to_le_bytes()), "{bits:#06x}");
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
            (-0.0, 0x8000),
            (f32::NEG_INFINITY, 0xfc00),
        ];
        for (value, bits) in cases {
            assert_eq!(Half::new(value), Half(u16::to_le_bytes(bits)), "{value}");
        }
        assert!(Half::new(f32::NAN).get().is_nan());
    }

    #[test]
    fn nibbles_come_low_half_first() {
        let mut out = [0; 4];
        nibbles(&[0x21, 0xf3], -8, &mut out);
        assert_eq!(out, [-7, -5, -6, 7]);
    }
}
