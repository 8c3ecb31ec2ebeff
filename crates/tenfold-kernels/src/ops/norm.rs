//! Norms.

use super::for_each_part;
use crate::Compute;

/// `x / sqrt(mean(x²) + epsilon) * weight`, row by row; a row is as long as `weight`.
///
/// # Panics
/// If `x` and `out` differ in length, or are no whole count of rows.
pub fn rms_norm(compute: &Compute, x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
    check(x.len(), weight.len(), out.len());
    let len = weight.len();
    for_each_part(compute, out, len, 4, |row, out| {
        out.copy_from_slice(&x[row * len..][..len]);
        rms_norm_row(out, weight, epsilon);
    });
}

/// [`rms_norm`] that overwrites its input: for the heads of queries and keys.
///
/// # Panics
/// If `x` is no whole count of rows.
pub fn rms_norm_in_place(compute: &Compute, x: &mut [f32], weight: &[f32], epsilon: f32) {
    check(x.len(), weight.len(), x.len());
    for_each_part(compute, x, weight.len(), 4, |_, row| rms_norm_row(row, weight, epsilon));
}

/// `(x - mean) / sqrt(variance + epsilon) * weight + bias`, row by row; a row is as long as `weight`.
///
/// # Panics
/// If the lengths do not fit each other.
pub fn layer_norm(
    compute: &Compute,
    x: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    epsilon: f32,
    out: &mut [f32],
) {
    check(x.len(), weight.len(), out.len());
    let len = weight.len();
    assert!(bias.is_none_or(|bias| bias.len() == len), "the bias is as long as the weight");
    for_each_part(compute, out, len, 4, |row, out| {
        out.copy_from_slice(&x[row * len..][..len]);
        layer_norm_row(out, weight, bias, epsilon);
    });
}

fn check(x: usize, weight: usize, out: usize) {
    assert_eq!(x, out, "input and output are equally long");
    assert!(weight > 0 && x.is_multiple_of(weight), "the input is a whole count of rows");
}

fn rms_norm_row(x: &mut [f32], weight: &[f32], epsilon: f32) {
    let factor = 1.0 / (mean_of_squares(x) + epsilon).sqrt();
    for (x, weight) in x.iter_mut().zip(weight) {
        *x *= factor * weight;
    }
}

fn layer_norm_row(x: &mut [f32], weight: &[f32], bias: Option<&[f32]>, epsilon: f32) {
    let mean = sum(x, |x| x) / x.len() as f32;
    x.iter_mut().for_each(|x| *x -= mean);
    rms_norm_row(x, weight, epsilon);
    for (x, bias) in x.iter_mut().zip(bias.unwrap_or_default()) {
        *x += bias;
    }
}

fn mean_of_squares(x: &[f32]) -> f32 {
    sum(x, |x| x * x) / x.len() as f32
}

/// Adds in sixteen lanes, which is faster and more accurate than one running sum.
fn sum(x: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let (chunks, rest) = x.as_chunks::<16>();
    let mut lanes = [0.0; 16];
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane += term(x);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|&x| term(x)).sum::<f32>()
}
