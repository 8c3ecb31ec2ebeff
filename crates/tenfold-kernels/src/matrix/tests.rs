//! Every kernel that this CPU runs against a plain loop over the dequantized weights.

use proptest::prelude::*;
use tenfold_core::DType;

use super::*;
use crate::PackErrorKind;
use crate::testing::{Random, assert_close, computes};

const FORMATS: [DType; 19] = [
    DType::F32,
    DType::F16,
    DType::BF16,
    DType::Q4_0,
    DType::Q4_1,
    DType::Q5_0,
    DType::Q5_1,
    DType::Q8_0,
    DType::Q2_K,
    DType::Q3_K,
    DType::Q4_K,
    DType::Q5_K,
    DType::Q6_K,
    DType::Q8_K,
    DType::IQ2_XXS,
    DType::IQ2_XS,
    DType::IQ3_XXS,
    DType::IQ4_NL,
    DType::IQ4_XS,
];

/// A matrix as in a file, and its numbers.
struct Sample {
    dtype: DType,
    rows: usize,
    cols: usize,
    data: Vec<u8>,
    numbers: Vec<f32>,
}

impl Sample {
    fn new(dtype: DType, rows: usize, cols: usize, random: &mut Random) -> Self {
        let data = if matches!(dtype, DType::IQ2_XXS | DType::IQ2_XS | DType::IQ3_XXS) {
            lattice_blocks(dtype, rows * cols, random)
        } else {
            tenfold_quant::quantize_to_vec(dtype, &random.floats(rows * cols)).unwrap()
        };
        let mut numbers = vec![0.0; rows * cols];
        tenfold_quant::dequantize(dtype, &data, &mut numbers).unwrap();
        Self { dtype, rows, cols, data, numbers }
    }

    fn source(&self) -> MatrixSource<'_> {
        MatrixSource { dtype: self.dtype, rows: self.rows, cols: self.cols, data: &self.data }
    }

    /// The exact product, and the sums of the products' magnitudes.
    fn product(&self, input: &[f32]) -> (Vec<f64>, Vec<f64>) {
        let dot = |row: &[f32], input: &[f32]| {
            row.iter().zip(input).fold((0.0, 0.0), |(sum, magnitude), (&w, &x)| {
                let product = f64::from(w) * f64::from(x);
                (sum + product, magnitude + product.abs())
            })
        };
        let inputs = input.chunks_exact(self.cols);
        inputs
            .flat_map(|input| self.numbers.chunks_exact(self.cols).map(move |row| dot(row, input)))
            .unzip()
    }

    /// For each output, what rounding the inputs to 8 bits may change: half a unit of each group
    /// of 32 times the weights' magnitudes.
    fn rounding(&self, input: &[f32]) -> Vec<f64> {
        let error = |row: &[f32], input: &[f32]| {
            let groups = row.chunks(32).zip(input.chunks(32));
            groups
                .map(|(row, input)| {
                    let largest = input.iter().fold(0f32, |m, x| m.max(x.abs()));
                    let weights: f64 = row.iter().map(|w| f64::from(w.abs())).sum();
                    f64::from(largest) / 254.0 * weights
                })
                .sum::<f64>()
        };
        let inputs = input.chunks_exact(self.cols);
        inputs
            .flat_map(|input| {
                self.numbers.chunks_exact(self.cols).map(move |row| error(row, input))
            })
            .collect()
    }
}

/// Random blocks of the formats that cannot be quantized to; each begins with its scale.
fn lattice_blocks(dtype: DType, len: usize, random: &mut Random) -> Vec<u8> {
    let mut data: Vec<u8> =
        (0..dtype.bytes_for(len).unwrap()).map(|_| random.bits() as u8).collect();
    for block in data.chunks_exact_mut(dtype.block_bytes()) {
        block[..2].copy_from_slice(&half::f16::from_f32(random.float() / 8.0).to_le_bytes());
    }
    data
}

/// Inputs that 8 bits hold exactly: integers up to 127, which occurs in each group, times a power
/// of two.
fn exact_inputs(len: usize, random: &mut Random) -> Vec<f32> {
    let mut inputs: Vec<f32> = (0..len).map(|_| random.below(255) as f32 - 127.0).collect();
    for group in inputs.chunks_mut(32) {
        group[random.below(group.len())] = 127.0;
        let factor = 2f32.powi(random.below(8) as i32 - 4);
        group.iter_mut().for_each(|x| *x *= factor);
    }
    inputs
}

/// Columns that the format allows, near `about`.
fn cols(dtype: DType, about: usize) -> usize {
    let block = dtype.block_len();
    about.div_ceil(block) * block
}

/// Multiplies with every set of kernels; `slack` is what is allowed besides the rounding of
/// floats.
fn check(samples: &[Sample], input: &[f32], slack: impl Fn(&Sample) -> Vec<f64>) {
    let cols = samples[0].cols;
    let n = input.len() / cols;
    let rows: usize = samples.iter().map(|sample| sample.rows).sum();
    let sources: Vec<_> = samples.iter().map(Sample::source).collect();
    for compute in computes(3) {
        let matrix = PackedMatrix::pack(&compute, &sources).unwrap();
        assert_eq!((matrix.rows(), matrix.cols()), (rows, cols));
        let mut out = vec![f32::NAN; n * rows];
        matrix.matmul(&compute, input, n, &mut Scratch::default(), &mut out);
        let mut first = 0;
        for sample in samples {
            let got: Vec<f32> = out
                .chunks_exact(rows)
                .flat_map(|out| out[first..first + sample.rows].iter().copied())
                .collect();
            let (expect, magnitudes) = sample.product(input);
            // Sums of floats round once for each group of 32, floats once for each column; their
            // errors add up at random, and eight times the root of the count is never reached.
            let units = f64::from(f32::EPSILON) * 8.0 * (cols as f64).sqrt();
            let slack = slack(sample).into_iter().chain(std::iter::repeat(0.0));
            let tolerance: Vec<f64> =
                magnitudes.iter().zip(slack).map(|(m, slack)| m * units + slack * 1.001).collect();
            let what =
                format!("{} {} {}×{cols} n={n}", compute.kernels(), sample.dtype, sample.rows);
            assert_close(&what, &got, &expect, &tolerance);
            first += sample.rows;
        }
    }
}

#[test]
fn every_format_is_exact_for_inputs_that_8_bits_hold() {
    let mut random = Random::new(1);
    for dtype in FORMATS {
        for (rows, about, n) in [(1, 32, 1), (33, 256, 2), (70, 512, 7), (32, 1024, 13)] {
            let cols = cols(dtype, about);
            let sample = Sample::new(dtype, rows, cols, &mut random);
            let input = exact_inputs(n * cols, &mut random);
            check(&[sample], &input, |_| vec![]);
        }
    }
}

#[test]
fn any_input_is_off_by_no_more_than_its_rounding() {
    let mut random = Random::new(2);
    for dtype in FORMATS {
        let cols = cols(dtype, 288);
        let sample = Sample::new(dtype, 45, cols, &mut random);
        let input = random.floats(9 * cols);
        check(&[sample], &input, |sample| sample.rounding(&input));
    }
}

#[test]
fn extreme_weights_do_not_overflow() {
    for (dtype, block) in [
        (DType::Q4_0, [&[0x00, 0x3c], [0xff; 16].as_slice()].concat()),
        (DType::Q4_0, [&[0x00, 0x3c], [0x00; 16].as_slice()].concat()),
        (DType::Q5_1, [&[0x00, 0x3c, 0, 0], [0xff; 20].as_slice()].concat()),
        (DType::Q8_0, [&[0x00, 0x3c], [0x80; 32].as_slice()].concat()),
        (DType::Q8_0, [&[0x00, 0x3c], [0x7f; 32].as_slice()].concat()),
    ] {
        let data = block.repeat(4 * 33);
        let mut numbers = vec![0.0; 128 * 33];
        tenfold_quant::dequantize(dtype, &data, &mut numbers).unwrap();
        let sample = Sample { dtype, rows: 33, cols: 128, data, numbers };
        for input in [127.0, -127.0] {
            check(std::slice::from_ref(&sample), &[input; 8 * 128], |_| vec![]);
        }
    }
}

#[test]
fn stacked_matrices_of_different_formats_are_one() {
    let mut random = Random::new(3);
    let stack = [DType::Q4_K, DType::Q6_K, DType::F16, DType::Q8_0, DType::Q4_K];
    let rows = [40, 31, 8, 1, 64];
    let samples: Vec<_> = stack
        .iter()
        .zip(rows)
        .map(|(&dtype, rows)| Sample::new(dtype, rows, 256, &mut random))
        .collect();
    for n in [1, 3, 20] {
        check(&samples, &exact_inputs(n * 256, &mut random), |_| vec![]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn every_shape_works(
        format in 0..FORMATS.len(), rows in 1..100usize, about in 1..600usize, n in 0..70usize, seed: u64,
    ) {
        let mut random = Random::new(seed);
        let dtype = FORMATS[format];
        let cols = cols(dtype, about);
        let sample = Sample::new(dtype, rows, cols, &mut random);
        check(&[sample], &exact_inputs(n * cols, &mut random), |_| vec![]);
    }
}

#[test]
fn rows_come_back_as_they_went_in() {
    let mut random = Random::new(4);
    let compute = &computes(1)[0];
    for dtype in FORMATS {
        let cols = cols(dtype, 256);
        let samples = [35, 3].map(|rows| Sample::new(dtype, rows, cols, &mut random));
        let sources = [samples[0].source(), samples[1].source()];
        let matrix = PackedMatrix::pack(compute, &sources).unwrap();
        let numbers = samples.iter().flat_map(|sample| sample.numbers.chunks_exact(cols));
        for (row, numbers) in numbers.enumerate() {
            let mut out = vec![f32::NAN; cols];
            matrix.row_to_f32(row, &mut out);
            assert_eq!(out, numbers, "{dtype} row {row}");
        }
    }
}

#[test]
fn packing_costs_no_memory_worth_speaking_of() {
    let mut random = Random::new(5);
    let compute = &computes(1)[0];
    for (dtype, most) in [
        (DType::Q4_0, 1.0),
        (DType::Q4_1, 1.0),
        (DType::Q5_0, 1.0),
        (DType::Q8_0, 1.0),
        (DType::Q4_K, 1.03),
        (DType::Q5_K, 1.03),
        (DType::Q6_K, 1.0),
        (DType::F16, 1.0),
    ] {
        let sample = Sample::new(dtype, 64, 256, &mut random);
        let matrix = PackedMatrix::pack(compute, &[sample.source()]).unwrap();
        let share = matrix.bytes() as f64 / sample.data.len() as f64;
        assert!(share <= most, "{dtype}: {share}");
    }
}

#[test]
fn a_scratch_serves_any_matrix() {
    let mut random = Random::new(6);
    let compute = &computes(2)[0];
    let mut scratch = Scratch::default();
    for (dtype, n) in [(DType::Q4_0, 9), (DType::F32, 2), (DType::Q6_K, 1), (DType::Q4_0, 1)] {
        let sample = Sample::new(dtype, 5, 256, &mut random);
        let matrix = PackedMatrix::pack(compute, &[sample.source()]).unwrap();
        let input = exact_inputs(n * 256, &mut random);
        let mut outs = [vec![0.0; n * 5], vec![0.0; n * 5]];
        matrix.matmul(compute, &input, n, &mut scratch, &mut outs[0]);
        matrix.matmul(compute, &input, n, &mut Scratch::default(), &mut outs[1]);
        assert_eq!(outs[0], outs[1], "{dtype}");
    }
}

#[test]
fn what_cannot_be_packed_is_an_error() {
    let compute = &computes(1)[0];
    let source = |dtype, rows, cols, data| MatrixSource { dtype, rows, cols, data };
    let bytes = [0; 1024];
    let cases: [(&[MatrixSource<'_>], _, &str); 6] = [
        (&[], PackErrorKind::Shape, "matrix 0 has 0 rows and 0 columns; both must be at least 1"),
        (
            &[source(DType::F32, 1, 0, &[])],
            PackErrorKind::Shape,
            "matrix 0 has 1 rows and 0 columns; both must be at least 1",
        ),
        (
            &[source(DType::I32, 1, 1, &bytes[..4])],
            PackErrorKind::Unsupported,
            "a matrix of I32 cannot be multiplied: its numbers are no weights",
        ),
        (
            &[source(DType::Q4_0, 2, 32, &bytes[..35])],
            PackErrorKind::Shape,
            "matrix 0 has 35 bytes; 2 × 32 numbers of Q4_0 take 36",
        ),
        (
            &[source(DType::Q4_K, 1, 32, &bytes[..18])],
            PackErrorKind::Shape,
            "matrix 0 has 18 bytes; 1 × 32 numbers of Q4_K take no whole number of blocks",
        ),
        (
            &[source(DType::F32, 1, 2, &bytes[..8]), source(DType::F32, 1, 3, &bytes[..12])],
            PackErrorKind::Shape,
            "matrix 1 has 3 columns, and the first one has 2",
        ),
    ];
    for (sources, kind, text) in cases {
        let error = PackedMatrix::pack(compute, sources).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (kind, text));
    }
}
