//! AVX-512 with the VNNI products.

use std::arch::x86_64::*;

use super::{CodeBits, Simd, Task, proven, proven_memory};

/// Vectors of 512 bits and products of bytes straight to 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Avx512(());

impl Avx512 {
    pub(crate) fn detect() -> Option<Self> {
        let detected = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vnni")
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c");
        detected.then_some(Self(()))
    }

    pub(crate) fn run<T: Task>(self, task: T) -> T::Output {
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
        fn inner<T: Task>(simd: Avx512, task: T) -> T::Output {
            task.run(simd)
        }
        // SAFETY: `self` exists only where the CPU has these instructions.
        unsafe { inner(self, task) }
    }
}

impl Simd for Avx512 {
    const LANES: usize = 16;
    const BYTE_ZERO: i32 = 128;
    type F = __m512;
    type I = __m512i;
    type Dot = __m512i;

    proven_memory! {
        fn load_bytes(self, from: *const u8) -> __m512i { _mm512_loadu_si512(from.cast()) }
        fn store_bytes(self, bytes: __m512i, to: *mut u8) { _mm512_storeu_si512(to.cast(), bytes) }
        fn splat_bytes(self, from: *const u32) -> __m512i {
            _mm512_set1_epi32(from.read_unaligned() as i32)
        }
        fn load(self, from: *const f32) -> __m512 { _mm512_loadu_ps(from) }
        fn store(self, x: __m512, to: *mut f32) { _mm512_storeu_ps(to, x) }
        fn load_f16(self, from: *const u16) -> __m512 {
            _mm512_cvtph_ps(_mm256_loadu_si256(from.cast()))
        }
        fn load_bf16(self, from: *const u16) -> __m512 {
            let wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast()));
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(wide))
        }
        fn load_i8(self, from: *const i8) -> __m512 {
            _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(from.cast())))
        }
        fn store_f16(self, x: __m512, to: *mut u16) {
            let halves = _mm512_cvtps_ph::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x);
            _mm256_storeu_si256(to.cast(), halves);
        }
        fn store_i8(self, x: __m512, to: *mut i8) {
            _mm_storeu_si128(to.cast(), _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(x)));
        }
    }

    proven! {
        fn nibbles(self, bytes: __m512i) -> (__m512i, __m512i) {
            let mask = _mm512_set1_epi8(15);
            (_mm512_and_si512(bytes, mask), _mm512_and_si512(_mm512_srli_epi16::<4>(bytes), mask))
        }
        fn with_high[const N: i32](self, bytes: __m512i, high: __m512i, mask: u8) -> __m512i {
            // The intrinsic takes its count unsigned, which a generic constant cannot become.
            let high = match N {
                2 => _mm512_slli_epi16::<2>(high),
                3 => _mm512_slli_epi16::<3>(high),
                _ => _mm512_slli_epi16::<4>(high),
            };
            _mm512_or_si512(bytes, _mm512_and_si512(high, _mm512_set1_epi8(mask as i8)))
        }
        fn shift_right[const N: i32](self, bytes: __m512i) -> __m512i {
            if N == 2 { _mm512_srli_epi16::<2>(bytes) } else { _mm512_srli_epi16::<4>(bytes) }
        }
        fn bytes(self, signed: __m512i) -> __m512i {
            _mm512_xor_si512(signed, _mm512_set1_epi8(-128))
        }

        fn dot_start(self, _: CodeBits, start: i32) -> __m512i { _mm512_set1_epi32(start) }
        fn dot(self, _: CodeBits, sum: __m512i, codes: (__m512i, __m512i),
               inputs: (__m512i, __m512i)) -> __m512i {
            let sum = _mm512_dpbusd_epi32(sum, codes.0, inputs.0);
            _mm512_dpbusd_epi32(sum, codes.1, inputs.1)
        }
        fn dot_end(self, _: CodeBits, sum: __m512i, _: i32) -> __m512 { _mm512_cvtepi32_ps(sum) }

        fn splat(self, x: f32) -> __m512 { _mm512_set1_ps(x) }
        fn add(self, a: __m512, b: __m512) -> __m512 { _mm512_add_ps(a, b) }
        fn sub(self, a: __m512, b: __m512) -> __m512 { _mm512_sub_ps(a, b) }
        fn mul(self, a: __m512, b: __m512) -> __m512 { _mm512_mul_ps(a, b) }
        fn div(self, a: __m512, b: __m512) -> __m512 { _mm512_div_ps(a, b) }
        fn fma(self, a: __m512, b: __m512, c: __m512) -> __m512 { _mm512_fmadd_ps(a, b, c) }
        fn min(self, a: __m512, b: __m512) -> __m512 { _mm512_min_ps(a, b) }
        fn max(self, a: __m512, b: __m512) -> __m512 { _mm512_max_ps(a, b) }
        fn abs(self, a: __m512) -> __m512 { _mm512_abs_ps(a) }
        fn round(self, a: __m512) -> __m512 {
            _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a)
        }
        fn pow2(self, a: __m512) -> __m512 {
            let exponent = _mm512_add_epi32(_mm512_cvtps_epi32(a), _mm512_set1_epi32(127));
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(exponent))
        }
        fn swap_pairs(self, a: __m512) -> __m512 { _mm512_permute_ps::<0b10_11_00_01>(a) }
        fn reduce_add(self, a: __m512) -> f32 { _mm512_reduce_add_ps(a) }
        fn reduce_max(self, a: __m512) -> f32 { _mm512_reduce_max_ps(a) }
    }
}
