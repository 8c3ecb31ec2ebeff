//! What a number format is: a block type with constants.

use bytemuck::{Pod, Zeroable};
use tenfold_core::DType;

/// One block of a number format, laid out as in the file.
///
/// Blocks are built of bytes, so they have no alignment and no byte order of the machine: any
/// `&[u8]` of the right length, such as part of a mapped file, is a slice of blocks.
pub trait Block: Pod {
    /// The format that this block belongs to.
    const DTYPE: DType;
    /// Numbers in one block.
    const LEN: usize = Self::DTYPE.block_len();
    /// The numbers of one block: `[f32; LEN]`.
    type Values: Pod + AsRef<[f32]> + AsMut<[f32]>;

    /// Writes the numbers of the block.
    fn dequantize(&self, out: &mut Self::Values);
}

/// A format that numbers can be rounded to without knowing how they are used.
pub trait Quantize: Block {
    /// The block that comes closest to these numbers.
    ///
    /// The numbers must be finite; what others give is some block, never a panic.
    fn quantize(values: &Self::Values) -> Self;
}

/// What the integers of one group are multiplied with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Group {
    /// Factor of each integer.
    pub scale: f32,
    /// Added after the multiplication: the negated minimum of the K formats; 0 where
    /// [`IntegerLayout::has_offset`] is false.
    pub offset: f32,
}

impl Group {
    /// A group without an offset.
    pub const fn scaled(scale: f32) -> Self {
        Self { scale, offset: 0.0 }
    }
}

/// How a format looks once it is unpacked to integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntegerLayout {
    /// Integers that share one [`Group`]: 16 or 32. Divides the block.
    pub group_len: usize,
    /// Whether the offsets of the groups can differ from 0.
    pub has_offset: bool,
    /// Smallest integer that occurs.
    pub low: i8,
    /// Largest integer that occurs.
    pub high: i8,
}

impl IntegerLayout {
    pub(crate) const fn new(group_len: usize, has_offset: bool, low: i8, high: i8) -> Self {
        Self { group_len, has_offset, low, high }
    }
}

/// A block whose numbers are small integers times the scale of their group.
///
/// `value = scale * integer + offset` (or `scale * integer` where the layout has no offset) is
/// exactly what [`Block::dequantize`] gives: the products fit in the 24 bits of an `f32`, so the
/// order of the operations, or fusing them, changes nothing. Kernels pack weights from this
/// without a detour over floats.
pub trait IntegerBlock: Pod {
    /// The format that this block belongs to.
    const DTYPE: DType;
    /// Group length, range and kind.
    const LAYOUT: IntegerLayout;
    /// The numbers of one block: `[f32; LEN]`.
    type Values: Pod + AsRef<[f32]> + AsMut<[f32]>;
    /// The integers of one block: `[i8; LEN]`.
    type Integers: Pod + AsRef<[i8]> + AsMut<[i8]>;
    /// The groups of one block: `[Group; LEN / group_len]`.
    type Groups: Pod + AsRef<[Group]> + AsMut<[Group]>;

    /// Writes the integers, in the order of the numbers, and their groups.
    fn unpack(&self, integers: &mut Self::Integers, groups: &mut Self::Groups);
}

impl<B: IntegerBlock> Block for B {
    const DTYPE: DType = B::DTYPE;
    type Values = B::Values;

    #[inline]
    fn dequantize(&self, out: &mut Self::Values) {
        let mut integers = B::Integers::zeroed();
        let mut groups = B::Groups::zeroed();
        self.unpack(&mut integers, &mut groups);
        let len = B::LAYOUT.group_len;
        let outs = out.as_mut().chunks_exact_mut(len);
        let parts = integers.as_ref().chunks_exact(len).zip(groups.as_ref());
        for (out, (integers, group)) in outs.zip(parts) {
            if B::LAYOUT.has_offset {
                affine(integers, *group, out);
            } else {
                scaled(integers, group.scale, out);
            }
        }
    }
}

// Not inlined: a group's count of steps is then unknown, and the compiler makes vector code of the
// loop instead of unrolling it number by number, which is twice as fast.
#[inline(never)]
fn affine(integers: &[i8], group: Group, out: &mut [f32]) {
    for (out, &q) in out.iter_mut().zip(integers) {
        *out = group.scale * f32::from(q) + group.offset;
    }
}

// Adding an offset of 0 would turn -0 into +0.
#[inline(never)]
fn scaled(integers: &[i8], scale: f32, out: &mut [f32]) {
    for (out, &q) in out.iter_mut().zip(integers) {
        *out = scale * f32::from(q);
    }
}

/// The constants and types of an [`IntegerBlock`]: numbers in a block / in a group, range of the
/// integers, whether groups have offsets.
macro_rules! layout {
    ($name:ident[$len:literal / $group:literal], $low:literal..=$high:literal, offset: $offset:literal) => {
        const DTYPE: tenfold_core::DType = tenfold_core::DType::$name;
        const LAYOUT: $crate::block::IntegerLayout = {
            assert!(Self::DTYPE.block_len() == $len && $len % $group == 0);
            $crate::block::IntegerLayout::new($group, $offset, $low, $high)
        };
        type Values = [f32; $len];
        type Integers = [i8; $len];
        type Groups = [$crate::block::Group; $len / $group];
    };
}
pub(crate) use layout;
