//! Plain Rust: slow, without conditions, and what the others are compared with.

use super::{CodeBits, Simd, Task};

const LANES: usize = 8;

/// Plain Rust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Portable;

impl Portable {
    pub(crate) fn run<T: Task>(self, task: T) -> T::Output {
        task.run(self)
    }
}

#[inline(always)]
fn map(a: [f32; LANES], f: impl Fn(f32) -> f32) -> [f32; LANES] {
    a.map(f)
}

#[inline(always)]
fn zip(a: [f32; LANES], b: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> [f32; LANES] {
    std::array::from_fn(|i| f(a[i], b[i]))
}

/// Reads `LANES` values.
///
/// # Safety
/// They can be read.
#[inline(always)]
unsafe fn read<T: Copy>(from: *const T) -> [T; LANES] {
    // SAFETY: the caller answers for the pointer.
    unsafe { from.cast::<[T; LANES]>().read_unaligned() }
}

/// Writes `LANES` values.
///
/// # Safety
/// They can be written.
#[inline(always)]
unsafe fn write<T>(values: [T; LANES], to: *mut T) {
    // SAFETY: the caller answers for the pointer.
    unsafe { to.cast::<[T; LANES]>().write_unaligned(values) }
}

#[inline(always)]
fn add_products(sum: &mut [i32; LANES], bits: CodeBits, codes: &[u8; 32], inputs: &[u8; 32]) {
    for (i, sum) in sum.iter_mut().enumerate() {
        for k in 4 * i..4 * i + 4 {
            let input = i32::from(inputs[k] as i8);
            *sum += input
                * match bits {
                    CodeBits::Four | CodeBits::Six => i32::from(codes[k]),
                    CodeBits::Eight => i32::from(codes[k] as i8),
                };
        }
    }
}

impl Simd for Portable {
    const LANES: usize = LANES;
    const BYTE_ZERO: i32 = 0;
    type F = [f32; LANES];
    type I = [u8; 32];
    type Dot = [i32; LANES];

    #[inline(always)]
    unsafe fn load_bytes(self, from: *const u8) -> Self::I {
        // SAFETY: the caller answers for the pointer.
        unsafe { from.cast::<[u8; 32]>().read() }
    }

    #[inline(always)]
    unsafe fn store_bytes(self, bytes: Self::I, to: *mut u8) {
        // SAFETY: the caller answers for the pointer.
        unsafe { to.cast::<[u8; 32]>().write(bytes) }
    }

    #[inline(always)]
    unsafe fn splat_bytes(self, from: *const u32) -> Self::I {
        // SAFETY: the caller answers for the pointer.
        let bytes = unsafe { from.read_unaligned() }.to_ne_bytes();
        std::array::from_fn(|i| bytes[i % 4])
    }

    #[inline(always)]
    fn nibbles(self, bytes: Self::I) -> (Self::I, Self::I) {
        (bytes.map(|byte| byte & 15), bytes.map(|byte| byte >> 4))
    }

    #[inline(always)]
    fn with_high<const N: i32>(self, bytes: Self::I, high: Self::I, mask: u8) -> Self::I {
        std::array::from_fn(|i| bytes[i] | (high[i] << N) & mask)
    }

    #[inline(always)]
    fn shift_right<const N: i32>(self, bytes: Self::I) -> Self::I {
        bytes.map(|byte| byte >> N)
    }

    #[inline(always)]
    fn bytes(self, signed: Self::I) -> Self::I {
        signed
    }

    #[inline(always)]
    fn dot_start(self, _: CodeBits, start: i32) -> Self::Dot {
        [start; LANES]
    }

    #[inline(always)]
    fn dot(
        self,
        bits: CodeBits,
        mut sum: Self::Dot,
        codes: (Self::I, Self::I),
        inputs: (Self::I, Self::I),
    ) -> Self::Dot {
        add_products(&mut sum, bits, &codes.0, &inputs.0);
        add_products(&mut sum, bits, &codes.1, &inputs.1);
        sum
    }

    #[inline(always)]
    fn dot_end(self, _: CodeBits, sum: Self::Dot, _: i32) -> Self::F {
        sum.map(|sum| sum as f32)
    }

    #[inline(always)]
    fn splat(self, x: f32) -> Self::F {
        [x; LANES]
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> Self::F {
        // SAFETY: the caller answers for the pointer.
        unsafe { read(from) }
    }

    #[inline(always)]
    unsafe fn store(self, x: Self::F, to: *mut f32) {
        // SAFETY: the caller answers for the pointer.
        unsafe { write(x, to) }
    }

    #[inline(always)]
    unsafe fn load_f16(self, from: *const u16) -> Self::F {
        // SAFETY: the caller answers for the pointer.
        unsafe { read(from) }.map(|bits| half::f16::from_bits(bits).to_f32_const())
    }

    #[inline(always)]
    unsafe fn load_bf16(self, from: *const u16) -> Self::F {
        // SAFETY: the caller answers for the pointer.
        unsafe { read(from) }.map(|bits| f32::from_bits(u32::from(bits) << 16))
    }

    #[inline(always)]
    unsafe fn load_i8(self, from: *const i8) -> Self::F {
        // SAFETY: the caller answers for the pointer.
        unsafe { read(from) }.map(f32::from)
    }

    #[inline(always)]
    unsafe fn store_f16(self, x: Self::F, to: *mut u16) {
        // SAFETY: the caller answers for the pointer.
        unsafe { write(x.map(|x| half::f16::from_f32_const(x).to_bits()), to) }
    }

    #[inline(always)]
    unsafe fn store_i8(self, x: Self::F, to: *mut i8) {
        // SAFETY: the caller answers for the pointer.
        unsafe { write(x.map(|x| x.round_ties_even() as i8), to) }
    }

    #[inline(always)]
    fn add(self, a: Self::F, b: Self::F) -> Self::F {
        zip(a, b, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, a: Self::F, b: Self::F) -> Self::F {
        zip(a, b, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, a: Self::F, b: Self::F) -> Self::F {
        zip(a, b, |a, b| a * b)
    }

    #[inline(always)]
    fn div(self, a: Self::F, b: Self::F) -> Self::F {
        zip(a, b, |a, b| a / b)
    }

    // `f32::mul_add` would call a function of the C library for each lane.
    #[inline(always)]
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        std::array::from_fn(|i| a[i] * b[i] + c[i])
    }

    #[inline(always)]
    fn min(self, a: Self::F, b: Self::F) -> Self::F {
        zip(a, b, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    fn max(self, a: Self::F, b: Self::F) -> Self::F {
        zip(a, b, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn abs(self, a: Self::F) -> Self::F {
        map(a, f32::abs)
    }

    #[inline(always)]
    fn round(self, a: Self::F) -> Self::F {
        map(a, f32::round_ties_even)
    }

    #[inline(always)]
    fn pow2(self, a: Self::F) -> Self::F {
        map(a, |a| f32::from_bits(((a as i32 + 127) as u32) << 23))
    }

    #[inline(always)]
    fn swap_pairs(self, a: Self::F) -> Self::F {
        std::array::from_fn(|i| a[i ^ 1])
    }

    #[inline(always)]
    fn reduce_add(self, a: Self::F) -> f32 {
        a.iter().sum()
    }

    #[inline(always)]
    fn reduce_max(self, a: Self::F) -> f32 {
        a.iter().copied().fold(f32::NEG_INFINITY, f32::max)
    }
}
