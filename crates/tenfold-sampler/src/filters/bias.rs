//! Logit bias: the caller's additions to single tokens.

use tenfold_core::TokenId;

use crate::SamplerError;

/// Adds to the logits of certain tokens.
#[derive(Debug)]
pub(crate) struct LogitBias(pub(crate) Vec<(TokenId, f32)>);

impl LogitBias {
    /// Fails on a token that the vocabulary does not have: a bias without effect would be a
    /// mistake that nobody sees.
    pub(crate) fn apply(&self, logits: &mut [f32]) -> Result<(), SamplerError> {
        let vocabulary = logits.len();
        for &(token, bias) in &self.0 {
            *logits
                .get_mut(token as usize)
                .ok_or(SamplerError::UnknownToken { token, vocabulary })? += bias;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_and_forbids() {
        let bias = LogitBias(vec![(0, 1.5), (2, f32::NEG_INFINITY), (0, 1.0)]);
        let mut logits = [1.0, 2.0, 3.0];
        bias.apply(&mut logits).unwrap();
        assert_eq!(logits, [3.5, 2.0, f32::NEG_INFINITY]);
    }

    #[test]
    fn an_unknown_token_is_an_error() {
        let error = LogitBias(vec![(3, 1.0)]).apply(&mut [0.0; 3]).unwrap_err();
        assert!(error.to_string().contains("no token 3, the vocabulary has 3"), "{error}");
    }
}
