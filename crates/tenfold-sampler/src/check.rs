//! The ranges of the options.

use tenfold_core::SamplingOptions;

use crate::SamplerError;

/// Fails on the first option out of range.
pub(crate) fn check(options: &SamplingOptions) -> Result<(), SamplerError> {
    let o = options;
    let finite = "it must be a finite number";
    let share = "it must be above 0 and at most 1 (1 is off)";
    let is_share = |p: f32| p > 0.0 && p <= 1.0;
    let rows: [(&str, f32, bool, &'static str); 7] = [
        (
            "repeat_penalty",
            o.repeat_penalty,
            o.repeat_penalty.is_finite() && o.repeat_penalty > 0.0,
            "it must be a finite number above 0 (1 is off)",
        ),
        ("presence_penalty", o.presence_penalty, o.presence_penalty.is_finite(), finite),
        ("frequency_penalty", o.frequency_penalty, o.frequency_penalty.is_finite(), finite),
        ("typical_p", o.typical_p, is_share(o.typical_p), share),
        ("top_p", o.top_p, is_share(o.top_p), share),
        ("min_p", o.min_p, (0.0..=1.0).contains(&o.min_p), "it must be from 0 (off) to 1"),
        (
            "temperature",
            o.temperature,
            o.temperature.is_finite() && o.temperature >= 0.0,
            "it must be a finite number, 0 (greedy) or above",
        ),
    ];
    for (option, value, fine, allowed) in rows {
        if !fine {
            return Err(SamplerError::InvalidOption { option, value: value.to_string(), allowed });
        }
    }
    check_bias(options)
}

fn check_bias(options: &SamplingOptions) -> Result<(), SamplerError> {
    match options.logit_bias.iter().find(|(_, bias)| bias.is_nan() || *bias == f32::INFINITY) {
        None => Ok(()),
        Some((token, bias)) => Err(SamplerError::InvalidOption {
            option: "logit_bias",
            value: format!("{bias} for token {token}"),
            allowed: "it must be a finite number, or negative infinity to forbid the token",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(edit: impl FnOnce(&mut SamplingOptions)) -> String {
        let mut options = SamplingOptions::default();
        edit(&mut options);
        check(&options).unwrap_err().to_string()
    }

    #[test]
    fn the_presets_are_fine() {
        for options in
            [SamplingOptions::default(), SamplingOptions::greedy(), SamplingOptions::neutral()]
        {
            check(&options).unwrap();
        }
        let forbid = vec![(3, f32::NEG_INFINITY), (4, -100.0)];
        check(&SamplingOptions { logit_bias: forbid, ..SamplingOptions::default() }).unwrap();
    }

    #[test]
    fn each_option_says_its_value_and_its_range() {
        for (text, expect) in [
            (refused(|o| o.temperature = -0.5), "option temperature: -0.5 is out of range"),
            (refused(|o| o.temperature = f32::NAN), "option temperature: NaN is"),
            (refused(|o| o.temperature = f32::INFINITY), "option temperature: inf is"),
            (refused(|o| o.top_p = 0.0), "option top_p: 0 is out of range, it must be above 0"),
            (refused(|o| o.top_p = 1.01), "option top_p: 1.01 is"),
            (refused(|o| o.typical_p = f32::NAN), "option typical_p: NaN is"),
            (refused(|o| o.min_p = -0.1), "option min_p: -0.1 is out of range, it must be from 0"),
            (refused(|o| o.min_p = 1.5), "option min_p: 1.5 is"),
            (refused(|o| o.repeat_penalty = 0.0), "option repeat_penalty: 0 is"),
            (refused(|o| o.presence_penalty = f32::NAN), "option presence_penalty: NaN is"),
            (refused(|o| o.frequency_penalty = f32::INFINITY), "option frequency_penalty: inf is"),
            (
                refused(|o| o.logit_bias = vec![(1, 0.5), (7, f32::NAN)]),
                "option logit_bias: NaN for token 7 is out of range",
            ),
            (refused(|o| o.logit_bias = vec![(7, f32::INFINITY)]), "inf for token 7"),
        ] {
            assert!(text.contains(expect), "{text:?} does not contain {expect:?}");
        }
    }
}
