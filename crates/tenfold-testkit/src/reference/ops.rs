//! The operations of a transformer, one plain loop each, in f64.

use crate::tensor::Tensor;

/// Sum of products.
fn dot(weights: &[f32], x: &[f64]) -> f64 {
    weights.iter().zip(x).map(|(&w, &x)| f64::from(w) * x).sum()
}

/// `weight · x + bias`; `weight` is `[outputs, inputs]`.
pub(super) fn linear(weight: &Tensor, bias: Option<&Tensor>, x: &[f64]) -> Vec<f64> {
    let mut out: Vec<f64> = weight.rows().map(|row| dot(row, x)).collect();
    if let Some(bias) = bias {
        out.iter_mut().zip(&bias.data).for_each(|(out, &bias)| *out += f64::from(bias));
    }
    out
}

/// `x / sqrt(mean(x²) + epsilon) · (weight + offset)`.
pub(super) fn rms_norm(x: &[f64], weight: &[f32], epsilon: f64, offset: f64) -> Vec<f64> {
    let mean_square = x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64;
    let scale = 1.0 / (mean_square + epsilon).sqrt();
    x.iter().zip(weight).map(|(x, &w)| x * scale * (f64::from(w) + offset)).collect()
}

/// `(x - mean) / sqrt(variance + epsilon) · weight + bias`.
pub(super) fn layer_norm(
    x: &[f64],
    weight: &[f32],
    bias: Option<&Tensor>,
    epsilon: f64,
) -> Vec<f64> {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64;
    let scale = 1.0 / (variance + epsilon).sqrt();
    let bias = |i: usize| bias.and_then(|b| b.data.get(i)).copied().map_or(0.0, f64::from);
    let normed = x.iter().zip(weight).enumerate();
    normed.map(|(i, (x, &w))| (x - mean) * scale * f64::from(w) + bias(i)).collect()
}

/// Turns scores into probabilities.
pub(super) fn softmax(scores: &mut [f64]) {
    let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    scores.iter_mut().for_each(|score| *score = (*score - max).exp());
    let sum: f64 = scores.iter().sum();
    scores.iter_mut().for_each(|score| *score /= sum);
}

/// `cap · tanh(x / cap)`, or `x` without a cap.
pub(super) fn soft_cap(x: f64, cap: Option<f32>) -> f64 {
    cap.map(f64::from).map_or(x, |cap| cap * (x / cap).tanh())
}

/// `x · sigmoid(x)`.
pub(super) fn silu(x: f64) -> f64 {
    x / (1.0 + (-x).exp())
}

/// GELU in its tanh form.
pub(super) fn gelu_tanh(x: f64) -> f64 {
    let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
    0.5 * x * (1.0 + inner.tanh())
}

/// `x += y`, number by number.
pub(super) fn add(x: &mut [f64], y: &[f64]) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: &[f64], b: &[f64]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6)
    }

    #[test]
    fn linear_multiplies_rows_and_adds_the_bias() {
        let weight = Tensor::from_fn(&[2, 3], |i| i as f32);
        let bias = Tensor::from_fn(&[2], |i| i as f32 + 0.5);
        assert!(close(&linear(&weight, Some(&bias), &[1.0, 2.0, 3.0]), &[8.5, 27.5]));
    }

    #[test]
    fn norms_match_values_worked_out_by_hand() {
        // Mean square of (1, 7) is 25; mean 4, variance 9.
        assert!(close(&rms_norm(&[1.0, 7.0], &[1.0, 2.0], 0.0, 0.0), &[0.2, 2.8]));
        assert!(close(&rms_norm(&[1.0, 7.0], &[0.0, 1.0], 0.0, 1.0), &[0.2, 2.8]));
        let bias = Tensor::from_fn(&[2], |_| 1.0);
        assert!(close(&layer_norm(&[1.0, 7.0], &[1.0, 2.0], Some(&bias), 0.0), &[0.0, 3.0]));
    }

    #[test]
    fn activations_match_published_values() {
        assert!((silu(1.0) - 0.731_058_578_6).abs() < 1e-9);
        assert!((gelu_tanh(1.0) - 0.841_191_990_6).abs() < 1e-8);
        assert!((soft_cap(50.0, Some(50.0)) - 38.079_707_798).abs() < 1e-8);
        assert_eq!(soft_cap(3.5, None), 3.5);
    }

    #[test]
    fn softmax_sums_to_one_even_for_huge_scores() {
        let mut scores = [1000.0, 1000.0, f64::NEG_INFINITY];
        softmax(&mut scores);
        assert!(close(&scores, &[0.5, 0.5, 0.0]));
    }
}
