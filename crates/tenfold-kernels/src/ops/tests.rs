//! Each operation against its formula in double precision, on every instruction set of this CPU.

use super::*;
use crate::testing::{Random, assert_close, computes};

/// Lengths that end within a vector, at its end, and that are split among threads.
const WIDTHS: [usize; 6] = [1, 7, 16, 33, 100, 2048];

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}

/// Fails where a number is off by more than `relative` of its expected size, or `absolute`.
#[track_caller]
fn check(what: &str, found: &[f32], expect: &[f64], relative: f64, absolute: f64) {
    let tolerance: Vec<f64> = expect.iter().map(|x| x.abs() * relative + absolute).collect();
    assert_close(what, found, expect, &tolerance);
}

fn activation(kind: Activation, x: f64) -> f64 {
    match kind {
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::GeluTanh => {
            let y = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
            0.5 * x * (1.0 + y.tanh())
        }
        Activation::Relu => x.max(0.0),
    }
}

#[test]
fn gated_multiplies_the_activation_with_the_other_half() {
    let mut random = Random::new(1);
    for kind in [Activation::Silu, Activation::GeluTanh, Activation::Relu] {
        for width in WIDTHS {
            let rows = 3;
            let gate_up: Vec<f32> = (0..2 * rows * width).map(|_| random.float() * 6.0).collect();
            let expect: Vec<f64> = gate_up
                .chunks_exact(2 * width)
                .flat_map(|row| {
                    let (gate, up) = row.split_at(width);
                    let pairs = gate.iter().zip(up);
                    pairs.map(|(&g, &up)| activation(kind, f64::from(g)) * f64::from(up))
                })
                .collect();
            for compute in computes(2) {
                let mut out = vec![f32::NAN; rows * width];
                gated(&compute, kind, &gate_up, width, &mut out);
                let what = format!("{} {kind:?} {width}", compute.kernels());
                check(&what, &out, &expect, 2e-6, 1e-10);
            }
        }
    }
}

#[test]
fn activations_of_extreme_numbers_end_where_their_formulas_do() {
    let gate = [-1e30, -200.0, -90.0, 0.0, 90.0, 1e30];
    let gate_up: Vec<f32> = gate.into_iter().chain([1.0; 6]).collect();
    for kind in [Activation::Silu, Activation::GeluTanh, Activation::Relu] {
        for compute in computes(1) {
            let mut out = [f32::NAN; 6];
            gated(&compute, kind, &gate_up, 6, &mut out);
            for (index, &found) in out.iter().enumerate() {
                let expect = if gate[index] > 0.0 { gate[index] } else { 0.0 };
                // What is left of a large negative number is so small a share of it.
                let slack = gate[index].abs() * 1e-37;
                let fits = (found - expect).abs() <= slack;
                assert!(fits, "{} {kind:?}: {found} of {}", compute.kernels(), gate[index]);
            }
        }
    }
}

#[test]
fn sums_and_caps_are_those_of_each_number() {
    let mut random = Random::new(2);
    for width in WIDTHS {
        let x = random.floats(5 * width);
        let y = random.floats(5 * width);
        for compute in computes(2) {
            let what = format!("{} {width}", compute.kernels());
            let mut sum = x.clone();
            add(&compute, &mut sum, &y);
            assert_eq!(sum, x.iter().zip(&y).map(|(x, y)| x + y).collect::<Vec<_>>(), "{what}");

            let mut biased = x.clone();
            add_to_rows(&compute, &mut biased, &y[..width]);
            let bias = y[..width].iter().cycle();
            assert_eq!(biased, x.iter().zip(bias).map(|(x, y)| x + y).collect::<Vec<_>>());

            let mut scaled = x.clone();
            scale(&compute, &mut scaled, 0.3);
            assert_eq!(scaled, x.iter().map(|x| x * 0.3).collect::<Vec<_>>(), "{what}");

            let mut capped = x.clone();
            soft_cap(&compute, &mut capped, 1.5);
            let expect: Vec<f64> = wide(&x).iter().map(|x| 1.5 * (x / 1.5).tanh()).collect();
            check(&what, &capped, &expect, 0.0, 4e-7);
        }
    }
}

/// The norm of one row, by its formula.
fn normed(kind: NormKind, x: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f64> {
    let x = wide(x);
    let count = x.len() as f64;
    let mean = if kind == NormKind::Layer { x.iter().sum::<f64>() / count } else { 0.0 };
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    let factor = 1.0 / (variance + 1e-5).sqrt();
    let bias = |i: usize| bias.map_or(0.0, |bias| f64::from(bias[i]));
    let row = x.iter().zip(weight).enumerate();
    row.map(|(i, (x, &w))| (x - mean) * factor * f64::from(w) + bias(i)).collect()
}

#[test]
fn norms_bring_each_row_to_unit_size() {
    let mut random = Random::new(3);
    for width in WIDTHS {
        let x = random.floats(4 * width);
        let (weight, bias) = (random.floats(width), random.floats(width));
        for kind in [NormKind::Rms, NormKind::Layer] {
            for bias in [None, Some(&bias[..])] {
                let rows = x.chunks_exact(width);
                let expect: Vec<f64> = rows.flat_map(|x| normed(kind, x, &weight, bias)).collect();
                for compute in computes(2) {
                    let mut out = vec![f32::NAN; x.len()];
                    let which = Norm { kind, weight: &weight, bias, epsilon: 1e-5 };
                    norm(&compute, &which, &x, &mut out);
                    let what = format!("{} {kind:?} {width}", compute.kernels());
                    check(&what, &out, &expect, 1e-5, 1e-5);
                }
            }
        }
    }
}

#[test]
fn heads_are_normed_in_their_places_with_shared_or_own_weights() {
    let mut random = Random::new(4);
    let heads = Heads { row_len: 61, count: 3, len: 18 };
    let x = random.floats(5 * heads.row_len);
    for kind in [NormKind::Rms, NormKind::Layer] {
        for own in [false, true] {
            let weight = random.floats(if own { 3 * 18 } else { 18 });
            let mut expect = wide(&x);
            for (row, x) in expect.chunks_exact_mut(61).zip(x.chunks_exact(61)) {
                for head in 0..3 {
                    let place = head * 18..(head + 1) * 18;
                    let weight = if own { &weight[place.clone()] } else { &weight };
                    row[place.clone()].copy_from_slice(&normed(kind, &x[place], weight, None));
                }
            }
            for compute in computes(2) {
                let mut found = x.clone();
                let which = Norm { kind, weight: &weight, bias: None, epsilon: 1e-5 };
                norm_heads(&compute, &which, &mut found, &heads);
                let what = format!("{} {kind:?} own={own}", compute.kernels());
                check(&what, &found, &expect, 1e-5, 1e-5);
            }
        }
    }
}

/// Turns a pair by an angle.
fn turned(pair: [f32; 2], angle: f64) -> [f64; 2] {
    let [a, b] = pair.map(f64::from);
    [a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()]
}

#[test]
fn rope_turns_each_pair_by_its_angle_and_leaves_the_rest() {
    let mut random = Random::new(5);
    for (pairs, len) in [(1, 2), (3, 10), (8, 16), (16, 40), (20, 40), (64, 128)] {
        let heads = Heads { row_len: 3 * len + 5, count: 3, len };
        let x = random.floats(4 * heads.row_len);
        let angles: Vec<f64> = (0..4 * pairs).map(|_| f64::from(random.float())).collect();
        for layout in [RopeLayout::Interleaved, RopeLayout::Halves] {
            let place = |pair: usize| match layout {
                RopeLayout::Interleaved => [2 * pair, 2 * pair + 1],
                RopeLayout::Halves => [pair, pair + pairs],
            };
            let mut expect = wide(&x);
            for (token, row) in expect.chunks_exact_mut(heads.row_len).enumerate() {
                for (head, pair) in (0..3).flat_map(|head| (0..pairs).map(move |p| (head, p))) {
                    let at = place(pair).map(|place| head * len + place);
                    let pair_of = at.map(|at| x[token * heads.row_len + at]);
                    let result = turned(pair_of, angles[token * pairs + pair]);
                    (row[at[0]], row[at[1]]) = (result[0], result[1]);
                }
            }
            let twice = layout == RopeLayout::Interleaved;
            let row = |angle: &f64, f: fn(f64) -> f64, sign: f32| {
                let y = f(*angle) as f32;
                if twice { vec![sign * y, y] } else { vec![y] }
            };
            let cos: Vec<f32> = angles.iter().flat_map(|a| row(a, f64::cos, 1.0)).collect();
            let sin: Vec<f32> = angles.iter().flat_map(|a| row(a, f64::sin, -1.0)).collect();
            for compute in computes(2) {
                let mut found = x.clone();
                let which = Rope { cos: &cos, sin: &sin, pairs, layout };
                rope(&compute, &which, &mut found, &heads);
                let what = format!("{} {layout:?} {pairs} of {len}", compute.kernels());
                check(&what, &found, &expect, 1e-6, 1e-6);
            }
        }
    }
}

#[test]
fn every_part_is_worked_on_once() {
    let compute = &computes(3)[0];
    for (len, row_len) in [(0, 5), (1, 5), (100_000, 7), (100_000, 100_000), (70_000, 1)] {
        let mut counts = vec![0_u32; len];
        for_each_part(compute, &mut counts, row_len, 4, |index, row| {
            assert_eq!(row.len(), row_len.min(len - index * row_len));
            row.iter_mut().for_each(|count| *count += 1 + index as u32);
        });
        let expected = (0..len).map(|i| 1 + (i / row_len) as u32);
        assert!(counts.into_iter().eq(expected), "{len} in rows of {row_len}");
    }
}
