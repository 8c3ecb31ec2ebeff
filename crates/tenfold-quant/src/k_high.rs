//! The 4- and 5-bit formats in super-blocks of 256: eight groups of 32 with 6-bit scales and minima.

use bytemuck::{Pod, Zeroable};

use crate::bits::{Half, nibbles};
use crate::block::{Group, integer_block};

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

integer_block!(Q4_K[256 / 32], 0..=15, offset: true,
fn unpack(&self, integers: &mut [i8; 256], groups: &mut [Group; 8]) {
    for (bytes, out) in self.quants.iter().zip(integers.chunks_exact_mut(64)) {
        nibbles(bytes, 0, out);
    }
    *groups = self.scales.groups(self.d, self.dmin);
});

/// Eight scales and eight minima of 6 bits in 12 bytes.
///
/// Bytes 0 to 3 hold scales 0 to 3 in their low 6 bits, bytes 4 to 7 minima 0 to 3. Of scales and
/// minima 4 to 7, the low 4 bits are the nibbles of bytes 8 to 11, and the high 2 bits stand above
/// the entry 4 places earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub struct Scales([u8; 12]);

impl Scales {
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
