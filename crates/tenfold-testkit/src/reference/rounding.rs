//! What engines round that multiply integers.

/// Numbers that share a scale.
const GROUP: usize = 32;

/// Each group as whole multiples of a 127th of its largest number.
pub(super) fn to_8_bits(x: &[f64]) -> Vec<f64> {
    x.chunks(GROUP).flat_map(round_group).collect()
}

fn round_group(group: &[f64]) -> Vec<f64> {
    let unit = group.iter().fold(0.0, |largest: f64, x| largest.max(x.abs())) / 127.0;
    let round = |x: &f64| if unit > 0.0 { (x / unit).round_ties_even() * unit } else { 0.0 };
    group.iter().map(round).collect()
}

/// The nearest halves.
pub(super) fn to_halves(x: &[f64]) -> Vec<f64> {
    x.iter().map(|&x| to_half(x)).collect()
}

/// Halves have 11 significant bits, and below 2^-14 the same unit everywhere.
fn to_half(x: f64) -> f64 {
    const LARGEST: f64 = 65504.0;
    let exponent = x.abs().log2().floor().max(-14.0);
    let unit = (exponent - 10.0).exp2();
    ((x / unit).round_ties_even() * unit).clamp(-LARGEST, LARGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_of_each_group_stays_and_the_others_move_by_half_a_unit_at_most() {
        let x: Vec<f64> = (0..70).map(|i| f64::from(i * i % 41 - 20) / 7.0).collect();
        let rounded = to_8_bits(&x);
        for (x, rounded) in x.chunks(GROUP).zip(rounded.chunks(GROUP)) {
            let largest = x.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
            for (x, rounded) in x.iter().zip(rounded) {
                let unit = largest / 127.0;
                assert!((x - rounded).abs() <= unit * 0.5001, "{x} became {rounded}");
                assert!((rounded / unit - (rounded / unit).round()).abs() < 1e-9);
            }
        }
        assert_eq!(to_8_bits(&[0.0; 3]), [0.0; 3]);
    }

    #[test]
    fn halves_are_those_of_the_format() {
        let cases = [
            (0.0, 0.0),
            (1.0, 1.0),
            (1.0 / 3.0, 0.333_251_953_125),
            (-2049.0, -2048.0),
            (2051.0, 2052.0),
            (1e9, 65504.0),
            (2f64.powi(-24) * 1.4, 2f64.powi(-24)),
            (2f64.powi(-26), 0.0),
        ];
        for (x, expected) in cases {
            assert_eq!(to_half(x), expected, "{x}");
        }
    }
}
