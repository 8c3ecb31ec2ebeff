//! The 8-bit formats.

use bytemuck::{Pod, Zeroable};

use crate::bits::Half;
use crate::block::{Group, integer_block};

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

integer_block!(Q8_0[32 / 32], -128..=127, offset: false,
fn unpack(&self, integers: &mut [i8; 32], groups: &mut [Group; 1]) {
    *integers = self.quants;
    groups[0].scale = self.d.get();
});
