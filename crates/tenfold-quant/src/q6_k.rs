//! The 6-bit format in super-blocks of 256: sixteen groups of 16 with 8-bit scales.

use bytemuck::{Pod, Zeroable};

use crate::bits::Half;
use crate::block::{Group, integer_block};

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

integer_block!(Q6_K[256 / 16], -32..=31, offset: false,
fn unpack(&self, integers: &mut [i8; 256], groups: &mut [Group; 16]) {
    for (run, out) in integers.chunks_exact_mut(32).enumerate() {
        let (half, run) = (run / 4, run % 4);
        let (low, high) = (&self.low[half][run % 2], &self.high[half]);
        for ((out, &low), &high) in out.iter_mut().zip(low).zip(high) {
            let (low, high) = ((low >> (run / 2 * 4)) & 15, (high >> (run * 2)) & 3);
            *out = (low | high << 4) as i8 - 32;
        }
    }
    let d = self.d.get();
    for (group, &scale) in groups.iter_mut().zip(&self.scales) {
        group.scale = d * f32::from(scale);
    }
});
