//! How the makers of a model recommend to pick tokens.

use serde::Deserialize;
use tenfold_core::SamplingOptions;

/// What a catalogue entry recommends; what is absent stays at the defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RecommendedSampling {
    /// Divides the logits.
    pub temperature: Option<f32>,
    /// Keep the most likely tokens of this total probability.
    pub top_p: Option<f32>,
    /// Keep this many most likely tokens.
    pub top_k: Option<usize>,
    /// Keep tokens at least this likely relative to the most likely one.
    pub min_p: Option<f32>,
    /// Divides the logits of tokens seen.
    pub repeat_penalty: Option<f32>,
}

impl RecommendedSampling {
    /// The defaults with what is recommended.
    pub fn options(&self) -> SamplingOptions {
        let base = SamplingOptions::default();
        SamplingOptions {
            temperature: self.temperature.unwrap_or(base.temperature),
            top_p: self.top_p.unwrap_or(base.top_p),
            top_k: self.top_k.unwrap_or(base.top_k),
            min_p: self.min_p.unwrap_or(base.min_p),
            repeat_penalty: self.repeat_penalty.unwrap_or(base.repeat_penalty),
            ..base
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_stays_at_the_defaults() {
        let json = r#"{"temperature": 0.2, "top_k": 20}"#;
        let options = serde_json::from_str::<RecommendedSampling>(json).unwrap().options();
        let base = SamplingOptions::default();
        assert_eq!((options.temperature, options.top_k), (0.2, 20));
        assert_eq!((options.top_p, options.min_p), (base.top_p, base.min_p));
    }
}
