//! The 2-bit format in super-blocks of 256: sixteen groups of 16 with 4-bit scales and minima.

use bytemuck::{Pod, Zeroable};

use crate::bits::Half;
use crate::block::{Group, IntegerBlock, Quantize, layout};
use crate::search::{fit_line, round_groups, share_positive};

/// 256 numbers: `d * scale * q - dmin * minimum`, `q` of 2 bits, scale and minimum of 4 bits for 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
#[allow(non_camel_case_types)]
pub struct Q2_K {
    /// Scales in the low nibbles, minima in the high ones.
    pub scales: [u8; 16],
    /// Per 128 numbers 32 bytes: four runs of 32, the first in the lowest bits.
    pub quants: [[u8; 32]; 2],
    /// Scale of the scales.
    pub d: Half,
    /// Scale of the minima.
    pub dmin: Half,
}

impl IntegerBlock for Q2_K {
    layout!(Q2_K[256 / 16], 0..=3, offset: true);

    #[inline]
    fn unpack(&self, integers: &mut [i8; 256], groups: &mut [Group; 16]) {
        bit_pairs(&self.quants, integers);
        *groups = self.groups();
    }
}

impl Q2_K {
    #[inline]
    fn groups(&self) -> [Group; 16] {
        let (d, dmin) = (self.d.get(), self.dmin.get());
        let scale = |byte: u8| d * f32::from(byte & 15);
        let offset = |byte: u8| -(dmin * f32::from(byte >> 4));
        self.scales.map(|byte| Group { scale: scale(byte), offset: offset(byte) })
    }
}

impl Quantize for Q2_K {
    fn quantize(values: &[f32; 256]) -> Self {
        let (groups, _) = values.as_chunks::<16>();
        let (mut scales, mut minima) = ([0.0; 16], [0.0; 16]);
        for ((values, scale), minimum) in groups.iter().zip(&mut scales).zip(&mut minima) {
            let line = fit_line(values, &values.map(f32::abs), 3.0, -5..=10);
            (*scale, *minimum) = (line.scale, line.minimum);
        }
        let ((d, scales), (dmin, minima)) =
            (share_positive(&scales, 15), share_positive(&minima, 15));
        let scales = std::array::from_fn(|i| scales[i] | minima[i] << 4);
        let block = Self { scales, quants: [[0; 32]; 2], d, dmin };
        let quants = round_groups(values, &block.groups(), (0, 3), 0);
        Self { quants: pack_bit_pairs(&quants), ..block }
    }
}

/// The integers of 2 bits, in order.
#[inline]
pub(crate) fn bit_pairs(bytes: &[[u8; 32]; 2], out: &mut [i8; 256]) {
    for (run, out) in out.chunks_exact_mut(32).enumerate() {
        for (out, &byte) in out.iter_mut().zip(&bytes[run / 4]) {
            *out = (byte >> (run % 4 * 2) & 3) as i8;
        }
    }
}

/// The low 2 bits of each integer, as [`bit_pairs`] reads them.
pub(crate) fn pack_bit_pairs(quants: &[u8; 256]) -> [[u8; 32]; 2] {
    let mut out = [[0; 32]; 2];
    for (run, quants) in quants.chunks_exact(32).enumerate() {
        for (out, &q) in out[run / 4].iter_mut().zip(quants) {
            *out |= (q & 3) << (run % 4 * 2);
        }
    }
    out
}
