//! The inputs of the goldens, made as `tests/goldens/make_goldens.py` makes them.

#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, reason = "tests stop where they fail")]

use tenfold_quant::DType;

/// Numbers of each input.
const COUNT: usize = 1 << 16;

/// SplitMix64.
pub(crate) fn random_words(seed: u64) -> impl Iterator<Item = u64> {
    (1_u64..).map(move |i| {
        let z = seed.wrapping_add(i.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

pub(crate) fn random_bytes(seed: u64, count: usize) -> Vec<u8> {
    random_words(seed).flat_map(u64::to_le_bytes).take(count).collect()
}

/// Integers whose distribution is close to normal: the sum of four uniform ones.
fn bell(seed: u64) -> impl Iterator<Item = i64> {
    let sum = |word: u64| (0..4).map(|i| (word >> (16 * i) & 0xffff) as i64).sum::<i64>();
    random_words(seed).map(move |word| sum(word) - 131_070).take(COUNT)
}

/// The input of this name.
pub(crate) fn input(name: &str) -> Vec<f32> {
    match name {
        "normal" => bell(1).map(|n| n as f32 / 65536.0).collect(),
        "heavy" => bell(2).map(|n| ((n * n * n) as f64 / 2f64.powi(44)) as f32).collect(),
        "coarse" => coarse(),
        "weights" => weights(),
        _ => panic!("no input is called {name}"),
    }
}

fn coarse() -> Vec<f32> {
    let factors = [0.0, 1.0, 2f32.powi(-22), 8192.0];
    let values = random_words(3).map(|word| (word % 8) as f32 / 2.0 - 2.0).take(COUNT);
    values.enumerate().map(|(i, x)| x * factors[i / 32 % 4] + 0.0).collect()
}

fn weights() -> Vec<f32> {
    let halves = include_bytes!("../goldens/weights.f16");
    tenfold_quant::dequantize_to_vec(DType::F16, halves).unwrap()
}

/// FNV-1a over 32-bit words.
pub(crate) fn fnv(words: impl Iterator<Item = u32>) -> String {
    let start = 0xcbf2_9ce4_8422_2325_u64;
    let mix = |state: u64, word| (state ^ u64::from(word)).wrapping_mul(0x100_0000_01b3);
    format!("{:016x}", words.fold(start, mix))
}

/// Bits in which all not-a-numbers are the same.
pub(crate) fn canonical(x: f32) -> u32 {
    if x.is_nan() { 0x7fc0_0000 } else { x.to_bits() }
}

/// The formats that can do this.
pub(crate) fn formats(operation: tenfold_quant::Operation) -> impl Iterator<Item = DType> {
    DType::ALL.iter().copied().filter(move |&dtype| tenfold_quant::supports(dtype, operation))
}
