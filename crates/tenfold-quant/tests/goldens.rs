//! Equality with the oracles to the bit, and quality beside ggml's quantizers.

#![allow(clippy::unwrap_used, reason = "tests stop where they fail")]

mod common;

use common::{canonical, fnv, input, random_bytes};
use tenfold_quant::{DType, Group, Operation};

/// Words of each line.
fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().map(|line| line.split(' ').collect())
}

#[test]
fn dequantize_is_that_of_the_oracle() {
    let mut seen = Vec::new();
    let mut rows = lines(include_str!("goldens/dequantize.txt"));
    while let (Some(head), Some(bytes), Some(numbers)) = (rows.next(), rows.next(), rows.next()) {
        let dtype: DType = head[0].parse().unwrap();
        check_block(dtype, bytes[0], &numbers);
        let blocks: usize = head[1].parse().unwrap();
        let data = random_bytes(seen.len() as u64 + 100, blocks * dtype.block_bytes());
        let values = tenfold_quant::dequantize_to_vec(dtype, &data).unwrap();
        assert_eq!(fnv(values.into_iter().map(canonical)), head[2], "{dtype}");
        seen.push(dtype);
    }
    // The oracle has no function for these; the round trips in properties.rs cover them.
    let own = [DType::F32, DType::Q8_1, DType::Q8_K];
    let expect = common::formats(Operation::Dequantize).filter(|dtype| !own.contains(dtype));
    seen.sort();
    assert!(seen.iter().copied().eq(expect), "{seen:?}");
}

fn check_block(dtype: DType, bytes: &str, numbers: &[&str]) {
    let bytes: Vec<u8> = (0..bytes.len() / 2)
        .map(|i| u8::from_str_radix(&bytes[2 * i..2 * i + 2], 16).unwrap())
        .collect();
    let got = tenfold_quant::dequantize_to_vec(dtype, &bytes).unwrap();
    let expect: Vec<f32> =
        numbers.iter().map(|bits| f32::from_bits(u32::from_str_radix(bits, 16).unwrap())).collect();
    assert_eq!(got, expect, "{dtype}");
}

#[test]
fn simple_formats_are_written_as_the_oracle_writes_them() {
    for row in lines(include_str!("goldens/quantize.txt")) {
        let dtype: DType = row[0].parse().unwrap();
        let bytes = tenfold_quant::quantize_to_vec(dtype, &input(row[1])).unwrap();
        let words = bytes.as_chunks().0.iter().map(|&word| u32::from_le_bytes(word));
        assert_eq!(fnv(words), row[2], "{dtype} of {}", row[1]);
    }
}

#[test]
fn searched_formats_are_as_good_as_those_of_ggml() {
    for row in lines(include_str!("goldens/errors.txt")) {
        let dtype: DType = row[0].parse().unwrap();
        let values = input(row[1]);
        let [plain, weighted] = errors(dtype, &values);
        let expect: Vec<f64> = row[2..].iter().map(|number| number.parse().unwrap()).collect();
        let ratios = (plain / expect[0], weighted / expect[1]);
        let what = format!("{dtype} of {}: {:.3}, weighted {:.3}", row[1], ratios.0, ratios.1);
        assert!(ratios.0 < 1.02 && ratios.1 < 1.02, "{what}");
    }
}

/// Root mean squares of the errors, and of the errors times the numbers.
fn errors(dtype: DType, values: &[f32]) -> [f64; 2] {
    let bytes = tenfold_quant::quantize_to_vec(dtype, values).unwrap();
    let got = tenfold_quant::dequantize_to_vec(dtype, &bytes).unwrap();
    let mut sums = [0.0; 2];
    for (&x, y) in values.iter().zip(got) {
        let error = f64::from(y - x);
        sums[0] += error.powi(2);
        sums[1] += (error * f64::from(x)).powi(2);
    }
    sums.map(|sum| (sum / values.len() as f64).sqrt())
}

#[test]
fn unpacked_blocks_give_the_same_numbers() {
    for dtype in common::formats(Operation::Unpack) {
        let layout = tenfold_quant::integer_layout(dtype).unwrap();
        let blocks = 512;
        let bytes = random_bytes(7, blocks * dtype.block_bytes());
        let expect = tenfold_quant::dequantize_to_vec(dtype, &bytes).unwrap();
        let mut integers = vec![0; expect.len()];
        let stale = Group { scale: 9.0, offset: 9.0 };
        let mut groups = vec![stale; expect.len() / layout.group_len];
        tenfold_quant::unpack(dtype, &bytes, &mut integers, &mut groups).unwrap();
        assert_eq!(integers.iter().min(), Some(&layout.low), "{dtype}");
        assert_eq!(integers.iter().max(), Some(&layout.high), "{dtype}");
        for (i, (&q, &x)) in integers.iter().zip(&expect).enumerate() {
            let group = groups[i / layout.group_len];
            assert!(layout.has_offset || group.offset == 0.0, "{dtype}");
            // Fused, so that this also shows that fusing changes nothing.
            let got = group.scale.mul_add(f32::from(q), group.offset);
            assert!(got == x || (got.is_nan() && x.is_nan()), "{dtype} at {i}: {got} is not {x}");
        }
    }
}
