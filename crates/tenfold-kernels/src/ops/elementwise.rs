//! Operations on each number by itself, and softmax.

use super::for_each_part;
use crate::Compute;

/// `x += y`.
///
/// # Panics
/// If the lengths differ.
pub fn add(x: &mut [f32], y: &[f32]) {
    assert_eq!(x.len(), y.len(), "both are equally long");
    for (x, y) in x.iter_mut().zip(y) {
        *x += y;
    }
}

/// Adds `bias` to each row of `x`; a row is as long as `bias`.
///
/// # Panics
/// If `x` is no whole count of rows.
pub fn add_to_rows(x: &mut [f32], bias: &[f32]) {
    assert!(!bias.is_empty() && x.len().is_multiple_of(bias.len()), "a whole count of rows");
    x.chunks_exact_mut(bias.len()).for_each(|row| add(row, bias));
}

/// `x *= factor`.
pub fn scale(x: &mut [f32], factor: f32) {
    x.iter_mut().for_each(|x| *x *= factor);
}

/// `cap · tanh(x / cap)`: bends large numbers to stay below `cap`.
pub fn soft_cap(compute: &Compute, x: &mut [f32], cap: f32) {
    for_each_part(compute, x, 1024, 8, |_, x| {
        x.iter_mut().for_each(|x| *x = cap * (*x / cap).tanh());
    });
}

/// Turns each row of `row_len` scores into probabilities.
///
/// # Panics
/// If `x` is no whole count of rows.
pub fn softmax(x: &mut [f32], row_len: usize) {
    assert!(row_len > 0 && x.len().is_multiple_of(row_len), "a whole count of rows");
    for row in x.chunks_exact_mut(row_len) {
        let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        row.iter_mut().for_each(|x| *x = (*x - max).exp());
        let total: f32 = row.iter().sum();
        scale(row, 1.0 / total);
    }
}
