//! The 3-bit format in super-blocks of 256: sixteen groups of 16 with 6-bit scales.

use bytemuck::{Pod, Zeroable};

use crate::bits::Half;
use crate::block::{Group, IntegerBlock, Quantize, layout};
use crate::q2_k::{bit_pairs, pack_bit_pairs};
use crate::search::{fit_scale, guesses, nearest, round_groups, share_scales};

/// 256 numbers: `d * (scale - 32) * (q - 4)`, `q` of 3 bits, a scale of 6 bits for 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
#[allow(non_camel_case_types)]
pub struct Q3_K {
    /// The third bit: bit `r` of byte `i` belongs to number `32 * r + i`.
    pub high: [u8; 32],
    /// The low 2 bits; per 128 numbers 32 bytes: four runs of 32, the first in the lowest bits.
    pub low: [[u8; 32]; 2],
    /// The scales: bytes 0 to 7 hold the low 4 bits of scales 0 to 7 and, in the high nibbles, of
    /// 8 to 15; pair `p` of byte `8 + i` holds the high 2 bits of scale `4 * p + i`.
    pub scales: [u8; 12],
    /// Scale of the scales.
    pub d: Half,
}

impl IntegerBlock for Q3_K {
    layout!(Q3_K[256 / 16], -4..=3, offset: false);

    #[inline]
    fn unpack(&self, integers: &mut [i8; 256], groups: &mut [Group; 16]) {
        bit_pairs(&self.low, integers);
        for (run, out) in integers.chunks_exact_mut(32).enumerate() {
            for (out, &high) in out.iter_mut().zip(&self.high) {
                *out += (high >> run & 1) as i8 * 4 - 4;
            }
        }
        *groups = self.groups();
    }
}

impl Q3_K {
    /// The scales, -32 to 31.
    #[inline]
    pub fn scales(&self) -> [i8; 16] {
        std::array::from_fn(|i| {
            let low = self.scales[i % 8] >> (i / 8 * 4) & 15;
            let high = self.scales[8 + i % 4] >> (i / 4 * 2) & 3;
            (low | high << 4) as i8 - 32
        })
    }

    #[inline]
    fn groups(&self) -> [Group; 16] {
        let d = self.d.get();
        self.scales().map(|scale| Group::scaled(d * f32::from(scale)))
    }
}

impl Quantize for Q3_K {
    fn quantize(values: &[f32; 256]) -> Self {
        let (groups, _) = values.as_chunks::<16>();
        let mut scales = [0.0; 16];
        for (values, scale) in groups.iter().zip(&mut scales) {
            let round = |x| nearest(x, -4.0, 3.0);
            *scale = fit_scale(values, &values.map(|x| x * x), round, guesses(values, 4.0, 9));
        }
        let (d, scales) = share_scales(&scales, -32);
        let block = Self { high: [0; 32], low: [[0; 32]; 2], scales: pack_scales(&scales), d };
        let quants = round_groups(values, &block.groups(), (-4, 3), 4);
        Self { high: pack_high(&quants), low: pack_bit_pairs(&quants), ..block }
    }
}

fn pack_scales(scales: &[i8; 16]) -> [u8; 12] {
    let mut out = [0; 12];
    for (i, &scale) in scales.iter().enumerate() {
        let scale = (scale + 32) as u8;
        out[i % 8] |= (scale & 15) << (i / 8 * 4);
        out[8 + i % 4] |= (scale >> 4) << (i / 4 * 2);
    }
    out
}

fn pack_high(quants: &[u8; 256]) -> [u8; 32] {
    let mut out = [0; 32];
    for (run, quants) in quants.chunks_exact(32).enumerate() {
        for (out, &q) in out.iter_mut().zip(quants) {
            *out |= (q >> 2 & 1) << run;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_survive_packing() {
        let scales = std::array::from_fn(|i| {
            [-32, 31, 0, -1, 17, -18, 5, 30][i % 8] - (i / 8) as i8 * (i % 8 != 0) as i8
        });
        let block = Q3_K { scales: pack_scales(&scales), ..Q3_K::zeroed() };
        assert_eq!(block.scales(), scales);
    }
}
