//! The 6-bit format in super-blocks of 256: sixteen groups of 16 with 8-bit scales.

use bytemuck::{Pod, Zeroable};

use crate::bits::Half;
use crate::block::{Group, IntegerBlock, Quantize, layout};
use crate::search::{fit_scale, guesses, nearest, round_groups, share_scales};

/// 256 numbers: `d * scale * (q - 32)`, `q` of 6 bits, a signed scale of 8 bits for 16.
///
/// Each half of the block is 128 numbers in four runs of 32. Runs 0 and 2 share 32 bytes of
/// `low` (low and high nibble), runs 1 and 3 the other 32; all four share 32 bytes of `high`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
#[allow(non_camel_case_types)]
pub struct Q6_K {
    /// The low 4 bits.
    pub low: [[[u8; 32]; 2]; 2],
    /// The high 2 bits.
    pub high: [[u8; 32]; 2],
    /// Scales of the groups.
    pub scales: [i8; 16],
    /// Scale of the scales.
    pub d: Half,
}

impl IntegerBlock for Q6_K {
    layout!(Q6_K[256 / 16], -32..=31, offset: false);

    #[inline]
    fn unpack(&self, integers: &mut [i8; 256], groups: &mut [Group; 16]) {
        for (run, out) in integers.chunks_exact_mut(32).enumerate() {
            let (half, run) = (run / 4, run % 4);
            let (low, high) = (&self.low[half][run % 2], &self.high[half]);
            for ((out, &low), &high) in out.iter_mut().zip(low).zip(high) {
                let (low, high) = ((low >> (run / 2 * 4)) & 15, (high >> (run * 2)) & 3);
                *out = (low | high << 4) as i8 - 32;
            }
        }
        *groups = self.groups();
    }
}

impl Q6_K {
    #[inline]
    fn groups(&self) -> [Group; 16] {
        let d = self.d.get();
        self.scales.map(|scale| Group::scaled(d * f32::from(scale)))
    }

    fn with_quants(mut self, quants: &[u8; 256]) -> Self {
        for (run, quants) in quants.chunks_exact(32).enumerate() {
            let (half, run) = (run / 4, run % 4);
            let (low, high) = (&mut self.low[half][run % 2], &mut self.high[half]);
            for ((&q, low), high) in quants.iter().zip(low).zip(high) {
                *low |= (q & 15) << (run / 2 * 4);
                *high |= q >> 4 << (run * 2);
            }
        }
        self
    }
}

impl Quantize for Q6_K {
    fn quantize(values: &[f32; 256]) -> Self {
        let (groups, _) = values.as_chunks::<16>();
        let mut scales = [0.0; 16];
        for (values, scale) in groups.iter().zip(&mut scales) {
            let round = |x| nearest(x, -32.0, 31.0);
            *scale = fit_scale(values, &values.map(|x| x * x), round, guesses(values, 32.0, 9));
        }
        let (d, scales) = share_scales(&scales, -128);
        let block = Self { low: [[[0; 32]; 2]; 2], high: [[0; 32]; 2], scales, d };
        let quants = round_groups(values, &block.groups(), (-32, 31), 32);
        block.with_quants(&quants)
    }
}
