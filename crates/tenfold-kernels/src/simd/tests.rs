//! The functions that no instruction gives, on every instruction set that this CPU has.

use super::*;
use crate::Kernels;
use crate::testing::Random;

/// Applies a function to numbers.
struct Map<'a, F>(&'a mut [f32], F);

/// A function of vectors.
trait Function {
    fn call<S: Simd>(&self, simd: S, x: S::F) -> S::F;
}

impl<F: Function> Task for Map<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        update!(simd: S, x in self.0 => self.1.call(simd, x));
    }
}

macro_rules! functions {
    ($($name:ident = |$simd:ident, $x:ident| $body:expr;)*) => {$(
        #[derive(Clone, Copy)]
        struct $name;

        impl Function for $name {
            #[inline(always)]
            fn call<S: Simd>(&self, $simd: S, $x: S::F) -> S::F {
                $body
            }
        }
    )*};
}

functions! {
    Exp = |simd, x| exp(simd, x);
    Tanh = |simd, x| tanh(simd, x);
    Round = |simd, x| simd.round(x);
    Abs = |simd, x| simd.abs(x);
    Pow2 = |simd, x| simd.pow2(x);
    SwapPairs = |simd, x| simd.swap_pairs(x);
}

/// What the function gives on each set of kernels.
fn results<F: Function + Copy>(function: F, x: &[f32]) -> Vec<(Kernels, Vec<f32>)> {
    let run = |kernels: Kernels| {
        let mut out = x.to_vec();
        kernels.run(Map(&mut out, function));
        (kernels, out)
    };
    Kernels::available().into_iter().map(run).collect()
}

/// Numbers of all sizes between the two, and both.
fn sweep(from: f32, to: f32) -> Vec<f32> {
    let step = (to - from) / 20_000.0;
    (0..=20_000).map(|i| from + step * i as f32).chain([to]).collect()
}

/// How many numbers lie between what was found and the exact value.
fn units_in_the_last_place(found: f32, exact: f64) -> f64 {
    let unit = f64::from(exact as f32).abs().max(f64::from(f32::MIN_POSITIVE)).log2().floor();
    (f64::from(found) - exact).abs() / (unit - 23.0).exp2()
}

#[test]
fn exp_is_within_two_units_where_floats_reach() {
    let x: Vec<f32> =
        [sweep(-87.3, 88.3), sweep(-1.0, 1.0), sweep(-1e-6, 1e-6), vec![0.0, -0.0]].concat();
    for (kernels, found) in results(Exp, &x) {
        for (&x, found) in x.iter().zip(found) {
            let units = units_in_the_last_place(found, f64::from(x).exp());
            assert!(units <= 2.0, "{kernels}: exp({x}) is {found}, {units} units off");
        }
    }
}

#[test]
fn exp_ends_in_zero_and_in_something_large() {
    let x = [-88.0, -1e3, -f32::MAX, f32::NEG_INFINITY, 89.0, f32::MAX, f32::INFINITY, f32::NAN];
    for (kernels, found) in results(Exp, &x) {
        assert_eq!(found[..4], [0.0; 4], "{kernels}");
        assert!(found[4..7].iter().all(|&y| y > 2e38 && y.is_finite()), "{kernels}: {found:?}");
        assert!(found[7].is_nan(), "{kernels}");
    }
}

#[test]
fn tanh_is_off_by_two_ten_millionths_at_most() {
    let ends = vec![-1e9, f32::NEG_INFINITY, f32::INFINITY, 0.0, 45.0];
    let x: Vec<f32> = [sweep(-20.0, 20.0), sweep(-0.1, 0.1), ends].concat();
    for (kernels, found) in results(Tanh, &x) {
        for (&x, found) in x.iter().zip(found) {
            let error = (f64::from(found) - f64::from(x).tanh()).abs();
            assert!(error <= 2e-7, "{kernels}: tanh({x}) is {found}");
        }
    }
}

#[test]
fn simple_functions_are_exact() {
    let mut random = Random::new(11);
    let x: Vec<f32> = (0..67).map(|_| random.float() * 60.0).chain([0.5, 1.5, -2.5]).collect();
    for (kernels, found) in results(Round, &x) {
        let expected: Vec<f32> = x.iter().map(|x| x.round_ties_even()).collect();
        assert_eq!(found, expected, "{kernels}");
    }
    for (kernels, found) in results(Abs, &x) {
        assert_eq!(found, x.iter().map(|x| x.abs()).collect::<Vec<_>>(), "{kernels}");
    }
    let exponents: Vec<f32> = (-127..=127).map(|n| n as f32).collect();
    for (kernels, found) in results(Pow2, &exponents) {
        let powers = exponents.iter().map(|&n| if n == -127.0 { 0.0 } else { n.exp2() });
        assert_eq!(found, powers.collect::<Vec<_>>(), "{kernels}");
    }
    let pairs: Vec<f32> = (0..48).map(|i| i as f32).collect();
    for (kernels, found) in results(SwapPairs, &pairs) {
        let swapped: Vec<f32> = (0..48).map(|i| (i ^ 1) as f32).collect();
        assert_eq!(found, swapped, "{kernels}");
    }
}

/// Sums, sizes and products by the functions on slices.
struct Slices<'a>(&'a [f32], &'a [f32]);

impl Task for Slices<'_> {
    type Output = (f32, f32, Vec<f32>, Vec<f32>);

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Self::Output {
        let Self(x, y) = self;
        let sum = fold!(simd: S, sum = 0.0, x in x => simd.add(sum, x));
        let max = fold!(simd: S, max = f32::NEG_INFINITY, x in x => simd.max(max, x));
        let mut product = vec![0.0; x.len()];
        write_each!(simd: S, product, x in x, y in y => simd.mul(x, y));
        let mut difference = x.to_vec();
        update!(simd: S, x in difference, y in y => simd.sub(x, y));
        (simd.reduce_add(sum), simd.reduce_max(max), product, difference)
    }
}

#[test]
fn slices_of_any_length_are_covered_to_their_ends() {
    for len in (0..40).chain([127, 128]) {
        // Small integers, so that sums are exact in any order.
        let x: Vec<f32> = (0..len).map(|i| ((i * 37 + 11) % 64) as f32 - 70.0).collect();
        let y: Vec<f32> = (0..len).map(|i| (i % 7) as f32).collect();
        for kernels in Kernels::available() {
            let (sum, max, product, difference) = kernels.run(Slices(&x, &y));
            assert_eq!(sum, x.iter().sum::<f32>(), "{kernels} {len}");
            let largest = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            assert_eq!(max, largest, "{kernels} {len}");
            let pairs = || x.iter().zip(&y);
            assert_eq!(product, pairs().map(|(x, y)| x * y).collect::<Vec<_>>(), "{kernels} {len}");
            let differences: Vec<f32> = pairs().map(|(x, y)| x - y).collect();
            assert_eq!(difference, differences, "{kernels} {len}");
        }
    }
}

/// Through halves, brain floats and bytes and back.
struct Formats<'a>(&'a [f32]);

impl Task for Formats<'_> {
    type Output = [Vec<f32>; 3];

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Self::Output {
        let mut out = [const { Vec::new() }; 3];
        for x in self.0.chunks_exact(S::LANES) {
            let (mut halves, mut bytes, mut back) = ([0_u16; 16], [0_i8; 16], [[0.0; 16]; 3]);
            let brains: Vec<u16> = x.iter().map(|x| (x.to_bits() >> 16) as u16).collect();
            // SAFETY: all have room for 16 lanes, and `x` and `brains` have as many as there are.
            unsafe {
                let x = simd.load(x.as_ptr());
                simd.store_f16(x, halves.as_mut_ptr());
                simd.store(simd.load_f16(halves.as_ptr()), back[0].as_mut_ptr());
                simd.store(simd.load_bf16(brains.as_ptr()), back[1].as_mut_ptr());
                simd.store_i8(x, bytes.as_mut_ptr());
                simd.store(simd.load_i8(bytes.as_ptr()), back[2].as_mut_ptr());
            }
            for (out, back) in out.iter_mut().zip(back) {
                out.extend_from_slice(&back[..S::LANES]);
            }
        }
        out
    }
}

#[test]
fn number_formats_round_as_the_library_does() {
    let mut random = Random::new(12);
    let x: Vec<f32> = (0..256).map(|_| random.float() * 60.0).collect();
    for kernels in Kernels::available() {
        let [halves, brains, bytes] = kernels.run(Formats(&x));
        for (index, &x) in x.iter().enumerate() {
            assert_eq!(halves[index], half::f16::from_f32(x).to_f32(), "{kernels} {x}");
            assert_eq!(brains[index], f32::from_bits(x.to_bits() >> 16 << 16), "{kernels} {x}");
            assert_eq!(bytes[index], x.round_ties_even(), "{kernels} {x}");
        }
    }
}
