//! The 4-bit formats with one scale for 32 numbers.

use bytemuck::{Pod, Zeroable};

use crate::bits::{Half, nibbles, pack_nibbles};
use crate::block::{Group, IntegerBlock, Quantize, layout};
use crate::simple::{Rounded, asymmetric, symmetric};

/// 32 numbers: `d * (q - 8)`, `q` of 4 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
#[allow(non_camel_case_types)]
pub struct Q4_0 {
    /// Scale.
    pub d: Half,
    /// Numbers 0 to 15 in the low nibbles, 16 to 31 in the high ones.
    pub quants: [u8; 16],
}

impl IntegerBlock for Q4_0 {
    layout!(Q4_0[32 / 32], -8..=7, offset: false);

    #[inline]
    fn unpack(&self, integers: &mut [i8; 32], groups: &mut [Group; 1]) {
        nibbles(&self.quants, -8, integers);
        groups[0] = Group::scaled(self.d.get());
    }
}

impl Quantize for Q4_0 {
    fn quantize(values: &[f32; 32]) -> Self {
        let Rounded { d, quants, .. } = symmetric::<8>(values);
        Self { d: Half::new(d), quants: pack_nibbles(&quants) }
    }
}

/// 32 numbers: `d * q + m`, `q` of 4 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
#[allow(non_camel_case_types)]
pub struct Q4_1 {
    /// Scale.
    pub d: Half,
    /// Smallest number of the block.
    pub m: Half,
    /// Numbers 0 to 15 in the low nibbles, 16 to 31 in the high ones.
    pub quants: [u8; 16],
}

impl IntegerBlock for Q4_1 {
    layout!(Q4_1[32 / 32], 0..=15, offset: true);

    #[inline]
    fn unpack(&self, integers: &mut [i8; 32], groups: &mut [Group; 1]) {
        nibbles(&self.quants, 0, integers);
        groups[0] = Group { scale: self.d.get(), offset: self.m.get() };
    }
}

impl Quantize for Q4_1 {
    fn quantize(values: &[f32; 32]) -> Self {
        let Rounded { d, minimum, quants } = asymmetric::<15>(values);
        let (d, m) = (Half::new(d), Half::new(minimum));
        Self { d, m, quants: pack_nibbles(&quants) }
    }
}
