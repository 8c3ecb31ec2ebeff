//! The 5-bit formats with one scale for 32 numbers.

use bytemuck::{Pod, Zeroable};

use crate::bits::{Half, nibbles, pack_nibbles};
use crate::block::{Group, IntegerBlock, Quantize, layout};
use crate::simple::{Rounded, asymmetric, symmetric};

/// 32 numbers: `d * (q - 16)`, `q` of 5 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
#[allow(non_camel_case_types)]
pub struct Q5_0 {
    /// Scale.
    pub d: Half,
    /// The fifth bit of each number, number 0 lowest.
    pub high: [u8; 4],
    /// Numbers 0 to 15 in the low nibbles, 16 to 31 in the high ones.
    pub quants: [u8; 16],
}

impl IntegerBlock for Q5_0 {
    layout!(Q5_0[32 / 32], -16..=15, offset: false);

    #[inline]
    fn unpack(&self, integers: &mut [i8; 32], groups: &mut [Group; 1]) {
        nibbles(&self.quants, -16, integers);
        add_fifth_bits(self.high, integers);
        groups[0] = Group::scaled(self.d.get());
    }
}

impl Quantize for Q5_0 {
    fn quantize(values: &[f32; 32]) -> Self {
        let Rounded { d, quants, .. } = symmetric::<16>(values);
        Self { d: Half::new(d), high: fifth_bits(&quants), quants: pack_nibbles(&quants) }
    }
}

/// 32 numbers: `d * q + m`, `q` of 5 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
#[allow(non_camel_case_types)]
pub struct Q5_1 {
    /// Scale.
    pub d: Half,
    /// Smallest number of the block.
    pub m: Half,
    /// The fifth bit of each number, number 0 lowest.
    pub high: [u8; 4],
    /// Numbers 0 to 15 in the low nibbles, 16 to 31 in the high ones.
    pub quants: [u8; 16],
}

impl IntegerBlock for Q5_1 {
    layout!(Q5_1[32 / 32], 0..=31, offset: true);

    #[inline]
    fn unpack(&self, integers: &mut [i8; 32], groups: &mut [Group; 1]) {
        nibbles(&self.quants, 0, integers);
        add_fifth_bits(self.high, integers);
        groups[0] = Group { scale: self.d.get(), offset: self.m.get() };
    }
}

impl Quantize for Q5_1 {
    fn quantize(values: &[f32; 32]) -> Self {
        let Rounded { d, minimum, quants } = asymmetric::<31>(values);
        let (d, m) = (Half::new(d), Half::new(minimum));
        Self { d, m, high: fifth_bits(&quants), quants: pack_nibbles(&quants) }
    }
}

#[inline]
fn add_fifth_bits(high: [u8; 4], integers: &mut [i8; 32]) {
    let high = u32::from_le_bytes(high);
    for (i, q) in integers.iter_mut().enumerate() {
        *q += (((high >> i) & 1) << 4) as i8;
    }
}

fn fifth_bits(quants: &[u8; 32]) -> [u8; 4] {
    let bits = quants.iter().rev().fold(0_u32, |bits, &q| bits << 1 | u32::from(q >> 4 & 1));
    bits.to_le_bytes()
}
