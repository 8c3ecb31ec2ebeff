//! What holds for all numbers and all bytes.

#![allow(clippy::unwrap_used, reason = "tests stop where they fail")]

mod common;

use common::{canonical, formats};
use proptest::prelude::*;
use tenfold_quant::{DType, Group, Operation, QuantError, QuantErrorKind};

/// Two super-blocks of numbers, small and large ones side by side.
fn numbers() -> impl Strategy<Value = Vec<f32>> {
    let run = (-6_i32..=6, prop::collection::vec(-1.0_f32..=1.0, 32));
    let scaled = run.prop_map(|(exponent, run)| {
        run.into_iter().map(move |x| x * 2f32.powi(exponent)).collect::<Vec<_>>()
    });
    prop::collection::vec(scaled, 16).prop_map(|runs| runs.concat())
}

/// Largest error allowed, as a part of the largest magnitude in the block.
///
/// Half a step, or a whole one where one side has an integer less; with some room where scales are
/// rounded themselves, and where the search trades errors of small numbers for those of large ones.
fn bound(dtype: DType) -> f32 {
    match dtype {
        DType::F32 => 0.0,
        DType::F16 => 2f32.powi(-11),
        DType::BF16 => 2f32.powi(-8),
        DType::Q8_0 | DType::Q8_1 | DType::Q8_K => 0.5 / 127.0 + 0.0006,
        DType::Q5_0 => 1.0 / 16.0 + 0.001,
        DType::Q4_0 => 1.0 / 8.0 + 0.001,
        DType::Q5_1 => 1.0 / 31.0 + 0.001,
        DType::Q4_1 => 1.0 / 15.0 + 0.001,
        DType::Q6_K => 0.05,
        DType::Q5_K => 0.08,
        DType::Q4_K => 0.14,
        DType::IQ4_NL | DType::IQ4_XS => 0.2,
        DType::Q3_K => 0.35,
        DType::Q2_K => 0.6,
        _ => panic!("{dtype} has no bound"),
    }
}

fn round_trip(dtype: DType, values: &[f32]) -> Vec<f32> {
    let bytes = tenfold_quant::quantize_to_vec(dtype, values).unwrap();
    tenfold_quant::dequantize_to_vec(dtype, &bytes).unwrap()
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |most, x| x.abs().max(most))
}

proptest! {
    #[test]
    fn errors_stay_within_the_bound_of_the_format(values in numbers()) {
        for dtype in formats(Operation::Quantize) {
            let got = round_trip(dtype, &values);
            let len = dtype.block_len();
            for (got, expect) in got.chunks(len).zip(values.chunks(len)) {
                let errors: Vec<f32> = got.iter().zip(expect).map(|(a, b)| a - b).collect();
                // Below this, halves are subnormal and no longer precise to 11 bits.
                let limit = bound(dtype) * largest(expect) + 2f32.powi(-17);
                prop_assert!(largest(&errors) <= limit, "{}: {} > {}", dtype, largest(&errors), limit);
            }
        }
    }

    #[test]
    fn numbers_of_a_simple_format_survive_being_written_in_it(values in numbers()) {
        let simple = [DType::F16, DType::BF16, DType::Q4_0, DType::Q5_0, DType::Q8_0, DType::Q8_1];
        for dtype in simple {
            let once = round_trip(dtype, &values);
            prop_assert_eq!(&round_trip(dtype, &once), &once, "{}", dtype);
        }
        // Here the numbers are sums, which are rounded, so they come back within that rounding.
        for dtype in [DType::Q4_1, DType::Q5_1] {
            let once = round_trip(dtype, &values);
            for (a, b) in round_trip(dtype, &once).chunks(32).zip(once.chunks(32)) {
                let errors: Vec<f32> = a.iter().zip(b).map(|(a, b)| a - b).collect();
                prop_assert!(largest(&errors) <= 0.001 * largest(b), "{}", dtype);
            }
        }
    }

    #[test]
    fn any_bytes_give_numbers_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        for &dtype in DType::ALL {
            let whole = bytes.len() / dtype.block_bytes();
            let part = &bytes[..whole * dtype.block_bytes()];
            let readable = tenfold_quant::supports(dtype, Operation::Dequantize);
            let even = bytes.len() == part.len();
            prop_assert_eq!(tenfold_quant::dequantize_to_vec(dtype, &bytes).is_ok(), readable && even);
            let Some(layout) = tenfold_quant::integer_layout(dtype) else { continue };
            let len = whole * dtype.block_len();
            let mut integers = vec![0; len];
            let mut groups = vec![Group::default(); len / layout.group_len];
            tenfold_quant::unpack(dtype, part, &mut integers, &mut groups).unwrap();
            prop_assert!(integers.iter().all(|q| (layout.low..=layout.high).contains(q)));
        }
    }

    #[test]
    fn any_numbers_give_bytes_or_an_error(
        seed: u64,
        at in 0_usize..256,
        bits: u32,
        exponent in -149_i32..=127,
    ) {
        let random = common::random_words(seed).map(|word| word as i32 as f32 * 2f32.powi(-31));
        let mut values: Vec<f32> = random.map(|x| x * 2f32.powi(exponent)).take(256).collect();
        values[at] = f32::from_bits(bits);
        for dtype in formats(Operation::Quantize) {
            match tenfold_quant::quantize_to_vec(dtype, &values) {
                Ok(bytes) => {
                    let numbers = tenfold_quant::dequantize_to_vec(dtype, &bytes).unwrap();
                    let finite = |numbers: &[f32]| numbers.iter().all(|x| x.is_finite());
                    prop_assert_eq!(finite(&numbers), finite(&values), "{}", dtype);
                }
                Err(error) => prop_assert_eq!(error.kind(), QuantErrorKind::Value),
            }
        }
    }

    #[test]
    fn neither_alignment_nor_rows_change_numbers(seed: u64, offset in 0_usize..8) {
        for dtype in formats(Operation::Dequantize) {
            let bytes = common::random_bytes(seed, offset + 4 * dtype.block_bytes());
            let tensor = &bytes[offset..];
            let aligned = tensor.to_vec();
            let whole = tenfold_quant::dequantize_to_vec(dtype, &aligned).unwrap();
            let mut row = vec![0.0; 2 * dtype.block_len()];
            tenfold_quant::dequantize_row(dtype, tensor, 1, &mut row).unwrap();
            let expect = whole[row.len()..].iter().copied().map(canonical);
            prop_assert!(row.into_iter().map(canonical).eq(expect), "{}", dtype);
        }
    }
}

#[test]
fn zeros_stay_zeros() {
    for dtype in formats(Operation::Quantize) {
        assert!(round_trip(dtype, &[0.0; 512]).iter().all(|&x| x == 0.0), "{dtype}");
    }
}

#[test]
fn floats_keep_what_is_no_number() {
    let values = [f32::INFINITY, f32::NEG_INFINITY, f32::NAN, -0.0, 1e-40, 65504.0];
    for dtype in [DType::F32, DType::F16, DType::BF16] {
        let got = round_trip(dtype, &values);
        assert_eq!(got[..2], values[..2], "{dtype}");
        assert!(got[2].is_nan() && got[3].is_sign_negative(), "{dtype}");
    }
    let bits = tenfold_quant::quantize_to_vec(DType::F16, &[6e-8, 65519.0]).unwrap();
    assert_eq!(bits, [0x01, 0x00, 0xff, 0x7b], "the smallest and the largest half");
}

#[test]
fn what_does_not_fit_is_refused() {
    let cases = [
        (DType::F16, 65520.0),
        (DType::BF16, f32::MAX),
        (DType::Q4_0, f32::NAN),
        (DType::Q8_0, 1e6),
        (DType::Q4_K, f32::INFINITY),
        (DType::Q8_K, f32::NEG_INFINITY),
    ];
    for (dtype, bad) in cases {
        let mut values = [1.0; 256];
        values[200] = bad;
        let error = tenfold_quant::quantize_to_vec(dtype, &values).unwrap_err();
        assert!(matches!(error, QuantError::Value { index: 200, .. }), "{dtype}: {error}");
    }
}

#[test]
fn lengths_are_checked() {
    let dequantize = |dtype, bytes: usize, len: usize| {
        tenfold_quant::dequantize(dtype, &vec![0; bytes], &mut vec![0.0; len])
            .map_err(|e| e.to_string())
    };
    let cases = [
        (DType::Q4_0, 18, 32, Ok(())),
        (DType::Q4_0, 0, 0, Ok(())),
        (DType::Q4_0, 18, 31, Err("31 numbers are not a whole count of Q4_0 blocks of 32")),
        (DType::Q4_0, 17, 32, Err("the bytes buffer for Q4_0 has length 17, and 18 is needed")),
        (DType::F16, 3, 1, Err("the bytes buffer for F16 has length 3, and 2 is needed")),
        (DType::I32, 4, 1, Err("I32 cannot be dequantized: its numbers are no weights")),
    ];
    for (dtype, bytes, len, expect) in cases {
        assert_eq!(dequantize(dtype, bytes, len), expect.map_err(str::to_owned));
    }
    let groups = &mut [Group::default(); 2];
    let unpack = tenfold_quant::unpack(DType::Q4_0, &[0; 18], &mut [0; 32], groups);
    assert_eq!(unpack.unwrap_err().kind(), QuantErrorKind::Length);
    let unpack = tenfold_quant::unpack(DType::F16, &[0; 64], &mut [0; 32], groups);
    assert_eq!(unpack.unwrap_err().kind(), QuantErrorKind::Unsupported);
}

#[test]
fn rows_are_checked() {
    let tensor = [0; 2 * 36];
    let row = |len, index| tenfold_quant::row(DType::Q4_0, &tensor, len, index).map(<[u8]>::len);
    assert_eq!(row(64, 1), Ok(36));
    assert_eq!(row(64, 2), Err(QuantError::RowOutOfRange { dtype: DType::Q4_0, row: 2, rows: 2 }));
    for len in [0, 33, 96, usize::MAX] {
        assert_eq!(row(len, 0).unwrap_err().kind(), QuantErrorKind::Length, "{len}");
    }
}

#[test]
fn every_format_says_what_it_can() {
    for &dtype in DType::ALL {
        let quantize = tenfold_quant::quantize(dtype, &[], &mut []);
        let expect = tenfold_quant::supports(dtype, Operation::Quantize);
        assert_eq!(quantize.is_ok(), expect, "{dtype}: {quantize:?}");
        let unpack = tenfold_quant::unpack(dtype, &[], &mut [], &mut []);
        assert_eq!(unpack.is_ok(), tenfold_quant::integer_layout(dtype).is_some(), "{dtype}");
    }
}
