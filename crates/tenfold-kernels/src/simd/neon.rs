//! NEON, which every 64-bit Arm CPU has, and the same with the dot-product instruction.

use std::arch::aarch64::*;
use std::arch::asm;

use super::{CodeBits, Simd, Task, proven, proven_memory};

/// Vectors of 128 bits; `DOT` says whether the CPU adds products of 4 bytes at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Arm<const DOT: bool>(());

/// NEON alone.
pub(crate) type Neon = Arm<false>;
/// NEON and `sdot`.
pub(crate) type NeonDot = Arm<true>;

impl Neon {
    pub(crate) fn detect() -> Option<Self> {
        std::arch::is_aarch64_feature_detected!("neon").then_some(Self(()))
    }

    pub(crate) fn run<T: Task>(self, task: T) -> T::Output {
        #[target_feature(enable = "neon")]
        fn inner<T: Task>(simd: Neon, task: T) -> T::Output {
            task.run(simd)
        }
        // SAFETY: `self` exists only where the CPU has these instructions.
        unsafe { inner(self, task) }
    }
}

impl NeonDot {
    pub(crate) fn detect() -> Option<Self> {
        let detected = std::arch::is_aarch64_feature_detected!("neon")
            && std::arch::is_aarch64_feature_detected!("dotprod");
        detected.then_some(Self(()))
    }

    pub(crate) fn run<T: Task>(self, task: T) -> T::Output {
        #[target_feature(enable = "neon,dotprod")]
        fn inner<T: Task>(simd: NeonDot, task: T) -> T::Output {
            task.run(simd)
        }
        // SAFETY: `self` exists only where the CPU has these instructions.
        unsafe { inner(self, task) }
    }
}

/// Adds the products of 4 signed bytes in each lane.
///
/// # Safety
/// The CPU has the instruction.
#[inline(always)]
unsafe fn sdot(sum: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    let mut sum = sum;
    // The number is `sdot v.4s, v.16b, v.16b`: the name would be refused where the function that
    // this is inlined to is compiled without the feature.
    // SAFETY: the caller answers for the CPU; registers only.
    unsafe {
        asm!(
            ".arch_extension dotprod",
            "sdot {0:v}.4s, {1:v}.16b, {2:v}.16b",
            inout(vreg) sum, in(vreg) a, in(vreg) b,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sum
}

/// Running sums of rows 0 and 1, and of rows 2 and 3, two lanes for each row; with `sdot`, one
/// lane for each row in the first.
type Sums = (int32x4_t, int32x4_t);

impl<const DOT: bool> Simd for Arm<DOT> {
    const LANES: usize = 4;
    const BYTE_ZERO: i32 = 0;
    type F = float32x4_t;
    type I = uint8x16_t;
    type Dot = Sums;

    proven_memory! {
        fn load_bytes(self, from: *const u8) -> uint8x16_t { vld1q_u8(from) }
        fn store_bytes(self, bytes: uint8x16_t, to: *mut u8) { vst1q_u8(to, bytes) }
        fn splat_bytes(self, from: *const u32) -> uint8x16_t {
            vreinterpretq_u8_u32(vdupq_n_u32(from.read_unaligned()))
        }
        fn load(self, from: *const f32) -> float32x4_t { vld1q_f32(from) }
        fn store(self, x: float32x4_t, to: *mut f32) { vst1q_f32(to, x) }
        fn load_f16(self, from: *const u16) -> float32x4_t {
            let halves = vld1_u16(from);
            let floats: float32x4_t;
            // Widening halves belongs to the base instructions, its intrinsic does not.
            asm!("fcvtl {0:v}.4s, {1:v}.4h", out(vreg) floats, in(vreg) halves,
                 options(pure, nomem, nostack, preserves_flags));
            floats
        }
        fn store_f16(self, x: float32x4_t, to: *mut u16) {
            let halves: uint16x4_t;
            asm!("fcvtn {0:v}.4h, {1:v}.4s", out(vreg) halves, in(vreg) x,
                 options(pure, nomem, nostack, preserves_flags));
            vst1_u16(to, halves);
        }
        fn load_bf16(self, from: *const u16) -> float32x4_t {
            vreinterpretq_f32_u32(vshll_n_u16::<16>(vld1_u16(from)))
        }
        fn load_i8(self, from: *const i8) -> float32x4_t {
            let word = vcreate_s8(u64::from(from.cast::<u32>().read_unaligned()));
            vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(word))))
        }
        fn store_i8(self, x: float32x4_t, to: *mut i8) {
            let words = vqmovn_s32(vcvtnq_s32_f32(x));
            let bytes = vqmovn_s16(vcombine_s16(words, words));
            to.cast::<u32>().write_unaligned(vget_lane_u32::<0>(vreinterpret_u32_s8(bytes)))
        }
    }

    proven! {
        fn nibbles(self, bytes: uint8x16_t) -> (uint8x16_t, uint8x16_t) {
            (vandq_u8(bytes, vdupq_n_u8(15)), vshrq_n_u8::<4>(bytes))
        }
        fn with_high[const N: i32](self, bytes: uint8x16_t, high: uint8x16_t, mask: u8) -> uint8x16_t {
            vorrq_u8(bytes, vandq_u8(vshlq_n_u8::<N>(high), vdupq_n_u8(mask)))
        }
        fn shift_right[const N: i32](self, bytes: uint8x16_t) -> uint8x16_t {
            vshrq_n_u8::<N>(bytes)
        }
        fn bytes(self, signed: uint8x16_t) -> uint8x16_t { signed }

        fn dot_start(self, _: CodeBits, start: i32) -> Sums {
            (vdupq_n_s32(if DOT { start } else { 0 }), vdupq_n_s32(0))
        }
        // Codes below 64 are the same as signed bytes. Two products of 128 · 127 fit in 16 bits.
        fn dot(self, _: CodeBits, sum: Sums, codes: (uint8x16_t, uint8x16_t),
               inputs: (uint8x16_t, uint8x16_t)) -> Sums {
            let codes = (vreinterpretq_s8_u8(codes.0), vreinterpretq_s8_u8(codes.1));
            let inputs = (vreinterpretq_s8_u8(inputs.0), vreinterpretq_s8_u8(inputs.1));
            if DOT {
                return (sdot(sdot(sum.0, codes.0, inputs.0), codes.1, inputs.1), sum.1);
            }
            let low = vmull_s8(vget_low_s8(codes.0), vget_low_s8(inputs.0));
            let low = vmlal_s8(low, vget_low_s8(codes.1), vget_low_s8(inputs.1));
            let high = vmull_high_s8(codes.0, inputs.0);
            let high = vmlal_high_s8(high, codes.1, inputs.1);
            (vpadalq_s16(sum.0, low), vpadalq_s16(sum.1, high))
        }
        fn dot_end(self, _: CodeBits, sum: Sums, start: i32) -> float32x4_t {
            if DOT {
                return vcvtq_f32_s32(sum.0);
            }
            vcvtq_f32_s32(vaddq_s32(vpaddq_s32(sum.0, sum.1), vdupq_n_s32(start)))
        }

        fn splat(self, x: f32) -> float32x4_t { vdupq_n_f32(x) }
        fn add(self, a: float32x4_t, b: float32x4_t) -> float32x4_t { vaddq_f32(a, b) }
        fn sub(self, a: float32x4_t, b: float32x4_t) -> float32x4_t { vsubq_f32(a, b) }
        fn mul(self, a: float32x4_t, b: float32x4_t) -> float32x4_t { vmulq_f32(a, b) }
        fn div(self, a: float32x4_t, b: float32x4_t) -> float32x4_t { vdivq_f32(a, b) }
        fn fma(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
            vfmaq_f32(c, a, b)
        }
        fn min(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
            vbslq_f32(vcltq_f32(a, b), a, b)
        }
        fn max(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
            vbslq_f32(vcgtq_f32(a, b), a, b)
        }
        fn abs(self, a: float32x4_t) -> float32x4_t { vabsq_f32(a) }
        fn round(self, a: float32x4_t) -> float32x4_t { vrndnq_f32(a) }
        fn pow2(self, a: float32x4_t) -> float32x4_t {
            let exponent = vaddq_s32(vcvtnq_s32_f32(a), vdupq_n_s32(127));
            vreinterpretq_f32_s32(vshlq_n_s32::<23>(exponent))
        }
        fn swap_pairs(self, a: float32x4_t) -> float32x4_t { vrev64q_f32(a) }
        fn reduce_add(self, a: float32x4_t) -> f32 { vaddvq_f32(a) }
        fn reduce_max(self, a: float32x4_t) -> f32 { vmaxvq_f32(a) }
    }
}
