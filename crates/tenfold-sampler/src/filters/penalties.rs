//! Penalties for tokens that were used lately.

use tenfold_core::{SamplingOptions, TokenId};

/// Repetition, presence and frequency penalties over one window.
#[derive(Debug)]
pub(crate) struct Penalties {
    repeat: f32,
    presence: f32,
    frequency: f32,
    window: usize,
    seen: Vec<TokenId>,
}

impl Penalties {
    pub(crate) fn new(options: &SamplingOptions) -> Self {
        Self {
            repeat: options.repeat_penalty,
            presence: options.presence_penalty,
            frequency: options.frequency_penalty,
            window: options.penalty_window,
            seen: Vec::new(),
        }
    }

    fn is_off(&self) -> bool {
        self.window == 0 || (self.repeat == 1.0 && self.presence == 0.0 && self.frequency == 0.0)
    }

    /// Penalises the newest tokens of `history`, each token once. Tokens outside of the vocabulary
    /// (placeholders of images, say) have no logit to lower.
    pub(crate) fn apply(&mut self, logits: &mut [f32], history: &[TokenId]) {
        if self.is_off() {
            return;
        }
        let start = history.len().saturating_sub(self.window);
        self.seen.clear();
        self.seen.extend(history.iter().skip(start));
        self.seen.sort_unstable();
        for run in self.seen.chunk_by(|a, b| a == b) {
            let logit = run.first().and_then(|&token| logits.get_mut(token as usize));
            if let Some(logit) = logit {
                *logit = self.penalised(*logit, run.len());
            }
        }
    }

    fn penalised(&self, logit: f32, count: usize) -> f32 {
        // Dividing a negative logit would raise it.
        let scaled = if logit > 0.0 { logit / self.repeat } else { logit * self.repeat };
        scaled - count as f32 * self.frequency - self.presence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Penalises the logits 2, -2, 1, -1.
    fn check(options: &SamplingOptions, history: &[TokenId], expect: [f32; 4]) {
        let mut logits = [2.0, -2.0, 1.0, -1.0];
        Penalties::new(options).apply(&mut logits, history);
        assert_eq!(logits, expect, "{options:?} after {history:?}");
    }

    #[test]
    fn each_penalty_as_computed_by_hand() {
        let off = SamplingOptions::neutral;
        let repeat = || SamplingOptions { repeat_penalty: 2.0, ..off() };
        check(&off(), &[0, 1, 2, 3], [2.0, -2.0, 1.0, -1.0]);
        check(&repeat(), &[0, 1, 0, 1], [1.0, -4.0, 1.0, -1.0]);
        let presence = SamplingOptions { presence_penalty: 0.5, ..off() };
        check(&presence, &[0, 0, 0, 3], [1.5, -2.0, 1.0, -1.5]);
        let frequency = SamplingOptions { frequency_penalty: 0.25, ..off() };
        check(&frequency, &[0, 0, 0, 3], [1.25, -2.0, 1.0, -1.25]);
        let all = SamplingOptions { presence_penalty: 0.5, frequency_penalty: 0.25, ..repeat() };
        check(&all, &[0, 3, 0], [0.0, -2.0, 1.0, -2.75]);
    }

    #[test]
    fn only_the_window_counts() {
        let window = |penalty_window| SamplingOptions {
            presence_penalty: 1.0,
            penalty_window,
            ..SamplingOptions::neutral()
        };
        check(&window(0), &[0, 1, 2], [2.0, -2.0, 1.0, -1.0]);
        check(&window(2), &[0, 1, 2], [2.0, -3.0, 0.0, -1.0]);
        check(&window(usize::MAX), &[0, 1, 2], [1.0, -3.0, 0.0, -1.0]);
    }

    #[test]
    fn tokens_without_logits_and_forbidden_ones_do_no_harm() {
        let options = SamplingOptions { repeat_penalty: 1.5, ..SamplingOptions::neutral() };
        let mut logits = [f32::NEG_INFINITY, 3.0];
        Penalties::new(&options).apply(&mut logits, &[0, 1, 2, u32::MAX]);
        assert_eq!(logits, [f32::NEG_INFINITY, 2.0]);
    }
}
