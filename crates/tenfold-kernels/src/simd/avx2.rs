//! AVX2 with FMA and half-precision conversion, and the same with the VNNI products.

use std::arch::x86_64::*;

use super::{CodeBits, Simd, Task, proven, proven_memory};

/// Vectors of 256 bits; `VNNI` says whether the CPU multiplies bytes straight to 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Avx<const VNNI: bool>(());

/// AVX2, FMA and F16C.
pub(crate) type Avx2 = Avx<false>;
/// The same and AVX-VNNI.
pub(crate) type AvxVnni = Avx<true>;

fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("f16c")
}

impl Avx2 {
    pub(crate) fn detect() -> Option<Self> {
        has_avx2().then_some(Self(()))
    }

    pub(crate) fn run<T: Task>(self, task: T) -> T::Output {
        #[target_feature(enable = "avx2,fma,f16c")]
        fn inner<T: Task>(simd: Avx2, task: T) -> T::Output {
            task.run(simd)
        }
        // SAFETY: `self` exists only where the CPU has these instructions.
        unsafe { inner(self, task) }
    }
}

impl AvxVnni {
    pub(crate) fn detect() -> Option<Self> {
        (has_avx2() && is_x86_feature_detected!("avxvnni")).then_some(Self(()))
    }

    pub(crate) fn run<T: Task>(self, task: T) -> T::Output {
        #[target_feature(enable = "avx2,fma,f16c,avxvnni")]
        fn inner<T: Task>(simd: AvxVnni, task: T) -> T::Output {
            task.run(simd)
        }
        // SAFETY: `self` exists only where the CPU has these instructions.
        unsafe { inner(self, task) }
    }
}

/// Products of unsigned and signed bytes, two neighbours added to 16 bits, for two vectors.
///
/// # Safety
/// The CPU has AVX2.
#[inline(always)]
unsafe fn pairs(codes: (__m256i, __m256i), inputs: (__m256i, __m256i)) -> (__m256i, __m256i) {
    // SAFETY: the caller answers for the CPU.
    unsafe { (_mm256_maddubs_epi16(codes.0, inputs.0), _mm256_maddubs_epi16(codes.1, inputs.1)) }
}

/// Adds neighbouring 16-bit sums to `sum`.
///
/// # Safety
/// The CPU has AVX2.
#[inline(always)]
unsafe fn widen(sum: __m256i, pairs: __m256i) -> __m256i {
    // SAFETY: the caller answers for the CPU.
    unsafe { _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1))) }
}

/// Products of signed bytes: the sign of each code moves to its input, since the instruction takes
/// unsigned codes. 128 · 127 · 2 fits in 16 bits.
///
/// # Safety
/// The CPU has AVX2.
#[inline(always)]
unsafe fn signed(sum: __m256i, codes: __m256i, inputs: __m256i) -> __m256i {
    // SAFETY: the caller answers for the CPU.
    unsafe {
        let inputs = _mm256_sign_epi8(inputs, codes);
        widen(sum, _mm256_maddubs_epi16(_mm256_abs_epi8(codes), inputs))
    }
}

impl<const VNNI: bool> Simd for Avx<VNNI> {
    const LANES: usize = 8;
    const BYTE_ZERO: i32 = if VNNI { 128 } else { 0 };
    type F = __m256;
    type I = __m256i;
    type Dot = __m256i;

    proven_memory! {
        fn load_bytes(self, from: *const u8) -> __m256i { _mm256_loadu_si256(from.cast()) }
        fn store_bytes(self, bytes: __m256i, to: *mut u8) { _mm256_storeu_si256(to.cast(), bytes) }
        fn splat_bytes(self, from: *const u32) -> __m256i {
            _mm256_set1_epi32(from.read_unaligned() as i32)
        }
        fn load(self, from: *const f32) -> __m256 { _mm256_loadu_ps(from) }
        fn store(self, x: __m256, to: *mut f32) { _mm256_storeu_ps(to, x) }
        fn load_f16(self, from: *const u16) -> __m256 {
            _mm256_cvtph_ps(_mm_loadu_si128(from.cast()))
        }
        fn load_bf16(self, from: *const u16) -> __m256 {
            let wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(from.cast()));
            _mm256_castsi256_ps(_mm256_slli_epi32::<16>(wide))
        }
        fn load_i8(self, from: *const i8) -> __m256 {
            _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(from.cast())))
        }
        fn store_f16(self, x: __m256, to: *mut u16) {
            let halves = _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x);
            _mm_storeu_si128(to.cast(), halves);
        }
        fn store_i8(self, x: __m256, to: *mut i8) {
            let wide = _mm256_cvtps_epi32(x);
            let halves = (_mm256_castsi256_si128(wide), _mm256_extracti128_si256::<1>(wide));
            let words = _mm_packs_epi32(halves.0, halves.1);
            _mm_storel_epi64(to.cast(), _mm_packs_epi16(words, words));
        }
    }

    proven! {
        fn nibbles(self, bytes: __m256i) -> (__m256i, __m256i) {
            let mask = _mm256_set1_epi8(15);
            (_mm256_and_si256(bytes, mask), _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), mask))
        }
        fn with_high[const N: i32](self, bytes: __m256i, high: __m256i, mask: u8) -> __m256i {
            let mask = _mm256_set1_epi8(mask as i8);
            _mm256_or_si256(bytes, _mm256_and_si256(_mm256_slli_epi16::<N>(high), mask))
        }
        fn shift_right[const N: i32](self, bytes: __m256i) -> __m256i {
            _mm256_srli_epi16::<N>(bytes)
        }
        fn bytes(self, signed: __m256i) -> __m256i {
            if VNNI { _mm256_xor_si256(signed, _mm256_set1_epi8(-128)) } else { signed }
        }

        fn dot_start(self, _: CodeBits, start: i32) -> __m256i {
            _mm256_set1_epi32(if VNNI { start } else { 0 })
        }
        fn dot(self, bits: CodeBits, sum: __m256i, codes: (__m256i, __m256i),
               inputs: (__m256i, __m256i)) -> __m256i {
            if VNNI {
                let sum = _mm256_dpbusd_avx_epi32(sum, codes.0, inputs.0);
                return _mm256_dpbusd_avx_epi32(sum, codes.1, inputs.1);
            }
            match bits {
                // 8 times 15 · 127 · 2 fits in 16 bits.
                CodeBits::Four => {
                    let (low, high) = pairs(codes, inputs);
                    _mm256_add_epi16(sum, _mm256_add_epi16(low, high))
                }
                // 63 · 127 · 4 fits in 16 bits.
                CodeBits::Six => {
                    let (low, high) = pairs(codes, inputs);
                    widen(sum, _mm256_add_epi16(low, high))
                }
                CodeBits::Eight => signed(signed(sum, codes.0, inputs.0), codes.1, inputs.1),
            }
        }
        fn dot_end(self, bits: CodeBits, sum: __m256i, start: i32) -> __m256 {
            if VNNI {
                return _mm256_cvtepi32_ps(sum);
            }
            let start = _mm256_set1_epi32(start);
            _mm256_cvtepi32_ps(match bits {
                CodeBits::Four => widen(start, sum),
                CodeBits::Six | CodeBits::Eight => _mm256_add_epi32(start, sum),
            })
        }

        fn splat(self, x: f32) -> __m256 { _mm256_set1_ps(x) }
        fn add(self, a: __m256, b: __m256) -> __m256 { _mm256_add_ps(a, b) }
        fn sub(self, a: __m256, b: __m256) -> __m256 { _mm256_sub_ps(a, b) }
        fn mul(self, a: __m256, b: __m256) -> __m256 { _mm256_mul_ps(a, b) }
        fn div(self, a: __m256, b: __m256) -> __m256 { _mm256_div_ps(a, b) }
        fn fma(self, a: __m256, b: __m256, c: __m256) -> __m256 { _mm256_fmadd_ps(a, b, c) }
        fn min(self, a: __m256, b: __m256) -> __m256 { _mm256_min_ps(a, b) }
        fn max(self, a: __m256, b: __m256) -> __m256 { _mm256_max_ps(a, b) }
        fn abs(self, a: __m256) -> __m256 { _mm256_andnot_ps(_mm256_set1_ps(-0.0), a) }
        fn round(self, a: __m256) -> __m256 {
            _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a)
        }
        fn pow2(self, a: __m256) -> __m256 {
            let exponent = _mm256_add_epi32(_mm256_cvtps_epi32(a), _mm256_set1_epi32(127));
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent))
        }
        fn swap_pairs(self, a: __m256) -> __m256 { _mm256_permute_ps::<0b10_11_00_01>(a) }
        fn reduce_add(self, a: __m256) -> f32 {
            let four = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
        fn reduce_max(self, a: __m256) -> f32 {
            let four = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)))
        }
    }
}
