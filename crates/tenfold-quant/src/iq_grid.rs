//! The formats below 4 bits that pick runs of 8 or 4 magnitudes from a table, and add signs.
//!
//! The eighth sign of a run is not stored: the count of minus signs is even.

use bytemuck::{Pod, Zeroable};

use crate::bits::Half;
use crate::block::{Group, IntegerBlock, layout};
use crate::grids;

/// 256 numbers: `d * (scale + 1/2) / 4 * magnitude * sign`, a scale of 4 bits for 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
#[allow(non_camel_case_types)]
pub struct IQ2_XXS {
    /// Scale of the scales.
    pub d: Half,
    /// The groups.
    pub runs: [Runs; 8],
}

impl IntegerBlock for IQ2_XXS {
    layout!(IQ2_XXS[256 / 32], -43..=43, offset: false);

    #[inline]
    fn unpack(&self, integers: &mut [i8; 256], groups: &mut [Group; 8]) {
        for (runs, out) in self.runs.iter().zip(integers.chunks_exact_mut(32)) {
            let outs = out.chunks_exact_mut(8).zip(runs.signs.get());
            for (&index, (out, signs)) in runs.indices.iter().zip(outs) {
                signed(&grids::IQ2_XXS[usize::from(index)], signs, out);
            }
        }
        let d = self.d.get();
        *groups = self.runs.map(|runs| Group::scaled(d * runs.signs.scale() * 0.25));
    }
}

/// 256 numbers: `d * (scale + 1/2) / 4 * magnitude * sign`, a scale of 4 bits for 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
#[allow(non_camel_case_types)]
pub struct IQ2_XS {
    /// Scale of the scales.
    pub d: Half,
    /// Per 8 numbers, 9 bits that pick the magnitudes, and above them 7 bits of signs.
    pub runs: [[u8; 2]; 32],
    /// The scales, even groups in the low nibbles.
    pub scales: [u8; 8],
}

impl IntegerBlock for IQ2_XS {
    layout!(IQ2_XS[256 / 16], -43..=43, offset: false);

    #[inline]
    fn unpack(&self, integers: &mut [i8; 256], groups: &mut [Group; 16]) {
        for (&run, out) in self.runs.iter().zip(integers.chunks_exact_mut(8)) {
            let run = u16::from_le_bytes(run);
            signed(&grids::IQ2_XS[usize::from(run & 511)], even_signs((run >> 9) as u8), out);
        }
        let d = self.d.get();
        *groups = std::array::from_fn(|i| {
            let scale = self.scales[i / 2] >> (i % 2 * 4) & 15;
            Group::scaled(d * (0.5 + f32::from(scale)) * 0.25)
        });
    }
}

/// 256 numbers: `d * (scale + 1/2) / 2 * magnitude * sign`, a scale of 4 bits for 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
#[allow(non_camel_case_types)]
pub struct IQ3_XXS {
    /// Scale of the scales.
    pub d: Half,
    /// Per 8 numbers, two indices that pick 4 magnitudes each.
    pub indices: [[u8; 2]; 32],
    /// The signs and scales of the groups.
    pub signs: [Signs; 8],
}

impl IntegerBlock for IQ3_XXS {
    layout!(IQ3_XXS[256 / 32], -62..=62, offset: false);

    #[inline]
    fn unpack(&self, integers: &mut [i8; 256], groups: &mut [Group; 8]) {
        let signs = self.signs.iter().flat_map(|signs| signs.get());
        let outs = integers.chunks_exact_mut(8).zip(signs);
        for (&[first, second], (out, signs)) in self.indices.iter().zip(outs) {
            let (low, high) = out.split_at_mut(4);
            signed(&grids::IQ3_XXS[usize::from(first)], signs, low);
            signed(&grids::IQ3_XXS[usize::from(second)], signs >> 4, high);
        }
        let d = self.d.get();
        *groups = self.signs.map(|signs| Group::scaled(d * signs.scale() * 0.5));
    }
}

/// 32 numbers of [`IQ2_XXS`] in four runs of 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Runs {
    /// Which entries of the table give the magnitudes.
    pub indices: [u8; 4],
    /// Signs and scale.
    pub signs: Signs,
}

/// The signs of four runs of 8, 7 bits each, and above them a scale of 4 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub struct Signs([u8; 4]);

impl Signs {
    /// The signs of each run, number 0 lowest; 1 is minus.
    #[inline]
    pub fn get(self) -> [u8; 4] {
        let word = u32::from_le_bytes(self.0);
        [0, 7, 14, 21].map(|shift| even_signs((word >> shift) as u8))
    }

    /// The scale of the group: 1/2 to 15 1/2.
    #[inline]
    pub fn scale(self) -> f32 {
        0.5 + f32::from(self.0[3] >> 4)
    }
}

/// Adds the sign that makes the count even to the low 7 bits.
#[inline]
fn even_signs(signs: u8) -> u8 {
    let signs = signs & 127;
    signs | (signs.count_ones() as u8 & 1) << 7
}

#[inline]
fn signed(magnitudes: &[i8], signs: u8, out: &mut [i8]) {
    for (i, (out, &magnitude)) in out.iter_mut().zip(magnitudes).enumerate() {
        // -1 flips all bits and adds 1: two's complement without a branch.
        let minus = -((signs >> i & 1) as i8);
        *out = (magnitude ^ minus) - minus;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eighth_sign_makes_the_count_even() {
        for signs in 0..=255 {
            let all = even_signs(signs);
            assert_eq!(all & 127, signs & 127);
            assert_eq!(all.count_ones() % 2, 0);
        }
        let word = 0b1010_0000001_1111111_0000011_1000000_u32;
        let signs = Signs(word.to_le_bytes());
        assert_eq!(signs.get(), [0xc0, 0x03, 0xff, 0x81]);
        assert_eq!(signs.scale(), 10.5);
    }

    #[test]
    fn signs_negate() {
        let mut out = [0; 4];
        signed(&[8, 25, 43, 62], 0b1010, &mut out);
        assert_eq!(out, [8, -25, 43, -62]);
    }

    #[test]
    fn tables_hold_different_runs_of_known_magnitudes() {
        fn check<const N: usize>(table: &[[i8; N]], magnitudes: &[i8]) {
            let runs: std::collections::BTreeSet<_> = table.iter().collect();
            assert_eq!(runs.len(), table.len());
            let used: std::collections::BTreeSet<_> = table.iter().flatten().copied().collect();
            assert!(used.iter().eq(magnitudes), "{used:?}");
        }
        check(&grids::IQ2_XXS, &[8, 25, 43]);
        check(&grids::IQ2_XS, &[8, 25, 43]);
        check(&grids::IQ3_XXS, &[4, 12, 20, 28, 36, 44, 52, 62]);
    }
}
