//! The 4-bit formats whose levels stand closer together near zero.

use bytemuck::{Pod, Zeroable};

use crate::bits::{Half, pack_nibbles};
use crate::block::{Group, IntegerBlock, Quantize, layout};
use crate::search::{fit_scale, share_scales};
use crate::simple::{inverse, largest};

/// What the sixteen codes stand for.
pub(crate) const LEVELS: [i8; 16] =
    [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/// 32 numbers: `d * level`, one of sixteen levels each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
#[allow(non_camel_case_types)]
pub struct IQ4_NL {
    /// Scale.
    pub d: Half,
    /// Numbers 0 to 15 in the low nibbles, 16 to 31 in the high ones.
    pub quants: [u8; 16],
}

impl IntegerBlock for IQ4_NL {
    layout!(IQ4_NL[32 / 32], -127..=113, offset: false);

    #[inline]
    fn unpack(&self, integers: &mut [i8; 32], groups: &mut [Group; 1]) {
        levels(&self.quants, integers);
        groups[0] = Group::scaled(self.d.get());
    }
}

impl Quantize for IQ4_NL {
    fn quantize(values: &[f32; 32]) -> Self {
        let d = Half::new(fit_levels(values));
        let inverse = inverse(d.get());
        Self { d, quants: pack_nibbles(&values.map(|x| code(x * inverse))) }
    }
}

/// 256 numbers: `d * (scale - 32) * level`, a scale of 6 bits for 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
#[allow(non_camel_case_types)]
pub struct IQ4_XS {
    /// Scale of the scales.
    pub d: Half,
    /// The high 2 bits of the scales, scale 0 lowest.
    pub scales_high: [u8; 2],
    /// The low 4 bits of the scales, even ones in the low nibbles.
    pub scales_low: [u8; 4],
    /// Per 32 numbers, 0 to 15 in the low nibbles, 16 to 31 in the high ones.
    pub quants: [[u8; 16]; 8],
}

impl IntegerBlock for IQ4_XS {
    layout!(IQ4_XS[256 / 32], -127..=113, offset: false);

    #[inline]
    fn unpack(&self, integers: &mut [i8; 256], groups: &mut [Group; 8]) {
        for (bytes, out) in self.quants.iter().zip(integers.chunks_exact_mut(32)) {
            levels(bytes, out);
        }
        let d = self.d.get();
        *groups = self.scales().map(|scale| Group::scaled(d * f32::from(scale)));
    }
}

impl Quantize for IQ4_XS {
    fn quantize(values: &[f32; 256]) -> Self {
        let (groups, _) = values.as_chunks::<32>();
        let mut fitted = [0.0; 8];
        for (scale, values) in fitted.iter_mut().zip(groups) {
            *scale = fit_levels(values);
        }
        let (d, scales) = share_scales(&fitted, -32);
        let quants = std::array::from_fn(|i| {
            let inverse = inverse(d.get() * f32::from(scales[i]));
            pack_nibbles(&groups[i].map(|x| code(x * inverse)))
        });
        let (scales_high, scales_low) = pack_scales(scales);
        Self { d, scales_high, scales_low, quants }
    }
}

fn pack_scales(scales: [i8; 8]) -> ([u8; 2], [u8; 4]) {
    let (mut high, mut low) = (0_u16, [0; 4]);
    for (i, scale) in scales.into_iter().enumerate() {
        let scale = (scale + 32) as u8;
        high |= u16::from(scale >> 4) << (i * 2);
        low[i / 2] |= (scale & 15) << (i % 2 * 4);
    }
    (high.to_le_bytes(), low)
}

impl IQ4_XS {
    /// The scales, -32 to 31.
    #[inline]
    pub fn scales(&self) -> [i8; 8] {
        let high = u16::from_le_bytes(self.scales_high);
        std::array::from_fn(|i| {
            let low = self.scales_low[i / 2] >> (i % 2 * 4) & 15;
            let high = (high >> (i * 2) & 3) as u8;
            (low | high << 4) as i8 - 32
        })
    }
}

#[inline]
fn levels(bytes: &[u8; 16], out: &mut [i8]) {
    let (low, high) = out.split_at_mut(16);
    for ((&byte, low), high) in bytes.iter().zip(low).zip(high) {
        *low = LEVELS[usize::from(byte & 15)];
        *high = LEVELS[usize::from(byte >> 4)];
    }
}

/// The scale of 32 numbers.
fn fit_levels(values: &[f32; 32]) -> f32 {
    let most = inverse(largest(values));
    let guesses = (-7..=7).flat_map(|step| {
        let step = step as f32;
        [(f32::from(LEVELS[0]) + step) * most, (f32::from(LEVELS[15]) + step) * most]
    });
    fit_scale(values, &values.map(|x| x * x), level, guesses)
}

/// The code of the level that is nearest to `x`.
#[inline]
fn code(x: f32) -> u8 {
    LEVELS.windows(2).map(|pair| u8::from(x > middle(pair))).sum()
}

/// The level that is nearest to `x`.
#[inline]
fn level(x: f32) -> f32 {
    let steps = LEVELS.windows(2).map(|pair| {
        let step = f32::from(pair[1]) - f32::from(pair[0]);
        if x > middle(pair) { step } else { 0.0 }
    });
    steps.fold(f32::from(LEVELS[0]), |level, step| level + step)
}

#[inline]
fn middle(pair: &[i8]) -> f32 {
    (f32::from(pair[0]) + f32::from(pair[1])) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_level_is_found() {
        for tenth in -1500..1500 {
            let x = tenth as f32 / 10.0;
            let distance = |level: i8| (f32::from(level) - x).abs();
            let best = LEVELS.into_iter().map(distance).fold(f32::INFINITY, f32::min);
            assert_eq!(distance(LEVELS[usize::from(code(x))]), best, "{x}");
            assert_eq!(level(x), f32::from(LEVELS[usize::from(code(x))]), "{x}");
        }
        assert_eq!(code(f32::NAN), 0);
    }

    #[test]
    fn scales_survive_packing() {
        let scales = [-32, 31, 0, -1, 17, -18, 5, 30];
        let (scales_high, scales_low) = pack_scales(scales);
        let block = IQ4_XS { scales_high, scales_low, ..IQ4_XS::zeroed() };
        assert_eq!(block.scales(), scales);
    }
}
