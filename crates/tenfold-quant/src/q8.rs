//! The 8-bit formats.

use bytemuck::{Pod, Zeroable};

use crate::bits::Half;
use crate::block::{Group, IntegerBlock, Quantize, layout};
use crate::search::nearest;
use crate::simple::{inverse, largest, largest_magnitude};

/// 32 numbers: `d * q`, `q` of 8 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
#[allow(non_camel_case_types)]
pub struct Q8_0 {
    /// Scale.
    pub d: Half,
    /// The integers in order.
    pub quants: [i8; 32],
}

impl IntegerBlock for Q8_0 {
    layout!(Q8_0[32 / 32], -128..=127, offset: false);

    #[inline]
    fn unpack(&self, integers: &mut [i8; 32], groups: &mut [Group; 1]) {
        *integers = self.quants;
        groups[0] = Group::scaled(self.d.get());
    }
}

impl Quantize for Q8_0 {
    fn quantize(values: &[f32; 32]) -> Self {
        let (d, quants) = round_to_127(values);
        Self { d: Half::new(d), quants }
    }
}

/// 32 numbers: `d * q`, `q` of 8 bits, with their sum. Made for activations, not for weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
#[allow(non_camel_case_types)]
pub struct Q8_1 {
    /// Scale.
    pub d: Half,
    /// `d` times the sum of the integers; infinite if that is no half.
    pub s: Half,
    /// The integers in order.
    pub quants: [i8; 32],
}

impl IntegerBlock for Q8_1 {
    layout!(Q8_1[32 / 32], -128..=127, offset: false);

    #[inline]
    fn unpack(&self, integers: &mut [i8; 32], groups: &mut [Group; 1]) {
        *integers = self.quants;
        groups[0] = Group::scaled(self.d.get());
    }
}

impl Quantize for Q8_1 {
    fn quantize(values: &[f32; 32]) -> Self {
        let (d, quants) = round_to_127(values);
        let sum: i16 = quants.iter().map(|&q| i16::from(q)).sum();
        Self { d: Half::new(d), s: Half::new(f32::from(sum) * d), quants }
    }
}

/// 256 numbers: `d * q`, `q` of 8 bits, with sums of 16. Made for activations, not for weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
#[allow(non_camel_case_types)]
pub struct Q8_K {
    /// Scale, an `f32` in little-endian bytes.
    pub d: [u8; 4],
    /// The integers in order.
    pub quants: [i8; 256],
    /// The sums of 16 integers each, as `i16` in little-endian bytes.
    pub sums: [[u8; 2]; 16],
}

// All 256 numbers share one scale; it is repeated so that no group is longer than 32.
impl IntegerBlock for Q8_K {
    layout!(Q8_K[256 / 32], -128..=127, offset: false);

    #[inline]
    fn unpack(&self, integers: &mut [i8; 256], groups: &mut [Group; 8]) {
        *integers = self.quants;
        *groups = [Group::scaled(f32::from_le_bytes(self.d)); 8];
    }
}

impl Quantize for Q8_K {
    fn quantize(values: &[f32; 256]) -> Self {
        let largest = largest(values);
        let per_unit = if largest == 0.0 { 0.0 } else { -127.0 / largest };
        let quants = values.map(|x| nearest(x * per_unit, -128.0, 127.0) as i8);
        let (groups, _) = quants.as_chunks::<16>();
        let mut sums = [[0; 2]; 16];
        for (sum, group) in sums.iter_mut().zip(groups) {
            *sum = group.iter().map(|&q| i16::from(q)).sum::<i16>().to_le_bytes();
        }
        Self { d: inverse(per_unit).to_le_bytes(), quants, sums }
    }
}

/// The scale that brings the largest magnitude to 127, and the integers; halves away from zero.
fn round_to_127(values: &[f32; 32]) -> (f32, [i8; 32]) {
    let d = largest_magnitude(values) / 127.0;
    let inverse = inverse(d);
    (d, values.map(|x| (x * inverse).round() as i8))
}
