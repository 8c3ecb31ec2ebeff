//! The 4- and 5-bit formats in super-blocks of 256: eight groups of 32 with 6-bit scales and minima.

use std::ops::RangeInclusive;

use bytemuck::{Pod, Zeroable};

use crate::bits::{Half, nibbles, pack_nibbles};
use crate::block::{Group, IntegerBlock, Quantize, layout};
use crate::search::{fit_line, round_groups, share_positive};

/// 256 numbers: `d * scale * q - dmin * minimum`, `q` of 4 bits, scale and minimum of 6 bits for 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
#[allow(non_camel_case_types)]
pub struct Q4_K {
    /// Scale of the scales.
    pub d: Half,
    /// Scale of the minima.
    pub dmin: Half,
    /// Eight scales and eight minima of 6 bits.
    pub scales: Scales,
    /// Per 64 numbers 32 bytes: the first 32 in the low nibbles, the others in the high ones.
    pub quants: [[u8; 32]; 4],
}

impl IntegerBlock for Q4_K {
    layout!(Q4_K[256 / 32], 0..=15, offset: true);

    #[inline]
    fn unpack(&self, integers: &mut [i8; 256], groups: &mut [Group; 8]) {
        for (bytes, out) in self.quants.iter().zip(integers.chunks_exact_mut(64)) {
            nibbles(bytes, 0, out);
        }
        *groups = self.scales.groups(self.d, self.dmin);
    }
}

impl Quantize for Q4_K {
    fn quantize(values: &[f32; 256]) -> Self {
        let (d, dmin, scales) = fit_groups(values, 15, -10..=10);
        let quants = round_groups(values, &scales.groups(d, dmin), (0, 15), 0);
        Self { d, dmin, scales, quants: pack_low(&quants) }
    }
}

/// 256 numbers: `d * scale * q - dmin * minimum`, `q` of 5 bits, scale and minimum of 6 bits for 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
#[allow(non_camel_case_types)]
pub struct Q5_K {
    /// Scale of the scales.
    pub d: Half,
    /// Scale of the minima.
    pub dmin: Half,
    /// Eight scales and eight minima of 6 bits.
    pub scales: Scales,
    /// The fifth bit: bit `g` of byte `i` belongs to number `32 * g + i`.
    pub high: [u8; 32],
    /// Per 64 numbers 32 bytes: the first 32 in the low nibbles, the others in the high ones.
    pub quants: [[u8; 32]; 4],
}

impl IntegerBlock for Q5_K {
    layout!(Q5_K[256 / 32], 0..=31, offset: true);

    #[inline]
    fn unpack(&self, integers: &mut [i8; 256], groups: &mut [Group; 8]) {
        for (bytes, out) in self.quants.iter().zip(integers.chunks_exact_mut(64)) {
            nibbles(bytes, 0, out);
        }
        for (run, out) in integers.chunks_exact_mut(32).enumerate() {
            for (out, &high) in out.iter_mut().zip(&self.high) {
                *out |= (high >> run & 1) as i8 * 16;
            }
        }
        *groups = self.scales.groups(self.d, self.dmin);
    }
}

impl Quantize for Q5_K {
    fn quantize(values: &[f32; 256]) -> Self {
        let (d, dmin, scales) = fit_groups(values, 31, -5..=10);
        let quants = round_groups(values, &scales.groups(d, dmin), (0, 31), 0);
        let mut high = [0; 32];
        for (run, quants) in quants.chunks_exact(32).enumerate() {
            for (high, &q) in high.iter_mut().zip(quants) {
                *high |= (q >> 4) << run;
            }
        }
        Self { d, dmin, scales, high, quants: pack_low(&quants) }
    }
}

fn fit_groups(values: &[f32; 256], top: u8, tenths: RangeInclusive<i8>) -> (Half, Half, Scales) {
    let (groups, _) = values.as_chunks::<32>();
    let (mut scales, mut minima) = ([0.0; 8], [0.0; 8]);
    for ((values, scale), minimum) in groups.iter().zip(&mut scales).zip(&mut minima) {
        let mean = values.iter().map(|x| x * x).sum::<f32>() / 32.0;
        let weights = values.map(|x| mean.sqrt() + x.abs());
        let line = fit_line(values, &weights, f32::from(top), tenths.clone());
        (*scale, *minimum) = (line.scale, line.minimum);
    }
    let ((d, scales), (dmin, minima)) = (share_positive(&scales, 63), share_positive(&minima, 63));
    (d, dmin, Scales::new(scales, minima))
}

/// The low 4 bits of the integers.
fn pack_low(quants: &[u8; 256]) -> [[u8; 32]; 4] {
    std::array::from_fn(|i| pack_nibbles(&quants[64 * i..][..64]))
}

/// Eight scales and eight minima of 6 bits in 12 bytes.
///
/// Bytes 0 to 3 hold scales 0 to 3 in their low 6 bits, bytes 4 to 7 minima 0 to 3. Of scales and
/// minima 4 to 7, the low 4 bits are the nibbles of bytes 8 to 11, and the high 2 bits stand above
/// the entry 4 places earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub struct Scales([u8; 12]);

impl Scales {
    /// Packs scales and minima, each at most 63.
    pub fn new(scales: [u8; 8], minima: [u8; 8]) -> Self {
        let mut out = [0; 12];
        for i in 0..4 {
            out[i] = scales[i] & 63 | scales[i + 4] >> 4 << 6;
            out[i + 4] = minima[i] & 63 | minima[i + 4] >> 4 << 6;
            out[i + 8] = scales[i + 4] & 15 | minima[i + 4] << 4;
        }
        Self(out)
    }

    /// Scales and minima, each 0 to 63.
    #[inline]
    pub fn get(&self) -> ([u8; 8], [u8; 8]) {
        let (mut scales, mut minima) = ([0; 8], [0; 8]);
        for i in 0..4 {
            let (scale, minimum, low) = (self.0[i], self.0[i + 4], self.0[i + 8]);
            scales[i] = scale & 63;
            minima[i] = minimum & 63;
            scales[i + 4] = low & 15 | scale >> 6 << 4;
            minima[i + 4] = low >> 4 | minimum >> 6 << 4;
        }
        (scales, minima)
    }

    #[inline]
    fn groups(&self, d: Half, dmin: Half) -> [Group; 8] {
        let (d, dmin) = (d.get(), dmin.get());
        let (scales, minima) = self.get();
        std::array::from_fn(|i| Group {
            scale: d * f32::from(scales[i]),
            offset: -(dmin * f32::from(minima[i])),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn scales_survive_packing(scales: [u8; 8], minima: [u8; 8]) {
            let (scales, minima) = (scales.map(|s| s & 63), minima.map(|m| m & 63));
            prop_assert_eq!(Scales::new(scales, minima).get(), (scales, minima));
        }
    }
}
