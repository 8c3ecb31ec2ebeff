//! What a kernel may ask of a CPU, as one trait; each instruction set implements it in one file.
//!
//! Kernels are written once, generic over [`Simd`], and compiled for every instruction set. All
//! their functions are `#[inline(always)]`, so that they end up within the one function of an
//! instruction set that carries its `#[target_feature]`; see [`Task`]. Closures that call [`Simd`]
//! have no place in them: they cannot be marked, and where the compiler leaves one as a function,
//! each instruction in it becomes a call.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
mod math;
#[cfg(target_arch = "aarch64")]
pub(crate) mod neon;
pub(crate) mod portable;
mod slices;
#[cfg(test)]
mod tests;

pub(crate) use math::{exp, tanh};
pub(crate) use slices::{MOST_LANES, fold, load_part, store_part, update, write_each};

/// Work that is compiled for each instruction set.
///
/// `run` and all that it calls with `simd` must be `#[inline(always)]`.
pub(crate) trait Task {
    /// What comes out.
    type Output;

    /// Does the work.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// How many bits the codes of a product have. With fewer bits, instruction sets whose products of
/// bytes are 16 bits wide can add several of them before they widen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeBits {
    /// Unsigned, below 16.
    Four,
    /// Unsigned, below 64.
    Six,
    /// As [`Simd::bytes`] gives them.
    Eight,
}

/// The instructions of one CPU, in vectors of [`Simd::LANES`] 32-bit lanes.
///
/// A value exists only where the CPU has the instructions.
///
/// In products of integers, a vector of weights holds 4 codes of each of `LANES` rows, and the
/// inputs are the same 4 signed bytes in each lane. Inputs are never -128.
pub(crate) trait Simd: Copy + Send + Sync + 'static {
    /// Floats, or groups of 4 bytes, in a vector. Divides 32.
    const LANES: usize;
    /// What [`Simd::bytes`] adds to a signed byte.
    const BYTE_ZERO: i32;

    /// A vector of floats.
    type F: Copy;
    /// A vector of bytes.
    type I: Copy;
    /// A running dot product of each lane.
    type Dot: Copy;

    /// Reads bytes.
    ///
    /// # Safety
    /// `4 * LANES` bytes can be read.
    unsafe fn load_bytes(self, from: *const u8) -> Self::I;
    /// Writes bytes.
    ///
    /// # Safety
    /// `4 * LANES` bytes can be written.
    unsafe fn store_bytes(self, bytes: Self::I, to: *mut u8);
    /// The same 4 bytes in each lane.
    ///
    /// # Safety
    /// 4 bytes can be read.
    unsafe fn splat_bytes(self, from: *const u32) -> Self::I;
    /// The low and the high nibble of each byte.
    fn nibbles(self, bytes: Self::I) -> (Self::I, Self::I);
    /// `bytes | (high << N) & mask` for each byte; `mask` must hold no bit that comes from a
    /// neighbouring byte.
    fn with_high<const N: i32>(self, bytes: Self::I, high: Self::I, mask: u8) -> Self::I;
    /// Shifts right by `N`; what enters each byte from above is unspecified.
    fn shift_right<const N: i32>(self, bytes: Self::I) -> Self::I;
    /// Signed bytes in the form that products of [`CodeBits::Eight`] take.
    fn bytes(self, signed: Self::I) -> Self::I;

    /// Begins dot products at `start`.
    fn dot_start(self, bits: CodeBits, start: i32) -> Self::Dot;
    /// Adds the products of two vectors of codes with two vectors of inputs.
    ///
    /// At most 8 vectors may be added with 4-bit codes before [`Simd::dot_end`].
    fn dot(
        self,
        bits: CodeBits,
        sum: Self::Dot,
        codes: (Self::I, Self::I),
        inputs: (Self::I, Self::I),
    ) -> Self::Dot;
    /// Ends dot products; `start` as given at the beginning.
    fn dot_end(self, bits: CodeBits, sum: Self::Dot, start: i32) -> Self::F;

    /// The same number in each lane.
    fn splat(self, x: f32) -> Self::F;
    /// Reads floats.
    ///
    /// # Safety
    /// `LANES` floats can be read.
    unsafe fn load(self, from: *const f32) -> Self::F;
    /// Writes floats.
    ///
    /// # Safety
    /// `LANES` floats can be written.
    unsafe fn store(self, x: Self::F, to: *mut f32);
    /// Reads halves.
    ///
    /// # Safety
    /// `LANES` halves can be read.
    unsafe fn load_f16(self, from: *const u16) -> Self::F;
    /// Reads brain floats.
    ///
    /// # Safety
    /// `LANES` brain floats can be read.
    unsafe fn load_bf16(self, from: *const u16) -> Self::F;
    /// Reads signed bytes as floats.
    ///
    /// # Safety
    /// `LANES` bytes can be read.
    unsafe fn load_i8(self, from: *const i8) -> Self::F;
    /// Rounds to halves, ties to even, and writes them.
    ///
    /// # Safety
    /// `LANES` halves can be written.
    unsafe fn store_f16(self, x: Self::F, to: *mut u16);
    /// Rounds to integers, ties to even, and writes them as signed bytes; they must fit.
    ///
    /// # Safety
    /// `LANES` bytes can be written.
    unsafe fn store_i8(self, x: Self::F, to: *mut i8);
    /// `a + b`.
    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a - b`.
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a * b`.
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a / b`.
    fn div(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a * b + c`, rounded once where the CPU can.
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// The smaller of each; `b` where one of them is not a number.
    fn min(self, a: Self::F, b: Self::F) -> Self::F;
    /// The larger of each; `b` where one of them is not a number.
    fn max(self, a: Self::F, b: Self::F) -> Self::F;
    /// Without the sign.
    fn abs(self, a: Self::F) -> Self::F;
    /// To the nearest integer, ties to even.
    fn round(self, a: Self::F) -> Self::F;
    /// `2^a` for integers `a` of at least -127 and at most 127; `2^-127` counts as 0.
    fn pow2(self, a: Self::F) -> Self::F;
    /// Each two neighbours exchanged: lanes 0 and 1, lanes 2 and 3, …
    fn swap_pairs(self, a: Self::F) -> Self::F;
    /// The sum of all lanes.
    fn reduce_add(self, a: Self::F) -> f32;
    /// The largest lane; lanes that are not numbers may be passed over.
    fn reduce_max(self, a: Self::F) -> f32;
}

/// Implements methods of [`Simd`] by instructions that the CPU is known to have.
#[allow(unused_macros)]
macro_rules! proven {
    ($(fn $name:ident $([$($generic:tt)*])? ($this:ident $(, $arg:tt: $ty:ty)*) $(-> $ret:ty)? $body:block)*) => {$(
        #[inline(always)]
        fn $name $(<$($generic)*>)? ($this $(, $arg: $ty)*) $(-> $ret)? {
            // SAFETY: a value of this type exists only where the CPU has the instructions, and none
            // of them goes to memory.
            #[allow(unused_unsafe)]
            unsafe { $body }
        }
    )*};
}
#[allow(unused_imports)]
use proven;

/// Implements methods of [`Simd`] that go to memory.
#[allow(unused_macros)]
macro_rules! proven_memory {
    ($(fn $name:ident($this:ident $(, $arg:ident: $ty:ty)*) $(-> $ret:ty)? $body:block)*) => {$(
        #[inline(always)]
        unsafe fn $name($this $(, $arg: $ty)*) $(-> $ret)? {
            // SAFETY: a value of this type exists only where the CPU has the instructions, and the
            // caller answers for the pointer.
            unsafe { $body }
        }
    )*};
}
#[allow(unused_imports)]
use proven_memory;
