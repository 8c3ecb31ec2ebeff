//! A model that says what a test wants, for tests of the decode loop and of what stands on it.
//!
//! ```
//! use tenfold_generate::{SequenceOptions, Step, TokenModel};
//! use tenfold_testkit::fake::FakeModel;
//!
//! // The token after `n` is `n + 1`.
//! let model = FakeModel::new(256, |tokens| tokens.last().map_or(0, |last| last + 1));
//! let mut sequence = model.new_sequence(&SequenceOptions { context_length: 16 })?;
//! let mut logits = Vec::new();
//! let step = Step { sequence: &mut sequence, tokens: &[7], wanted: 1, logits: &mut logits };
//! model.forward(&mut [step]).unwrap();
//! assert_eq!(logits.iter().position(|logit| *logit > 0.0), Some(8));
//! assert_eq!(model.log().turns(), [vec![1]]);
//! # Ok::<(), tenfold_core::LoadError>(())
//! ```

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tenfold_core::{GenerateError, LoadError, ModelInfo, TokenId, Unsupported};
use tenfold_formats::Vocabulary;
use tenfold_generate::{ModelShape, Sequence, SequenceOptions, Step, TextParts, TokenModel};
use tenfold_template::{ChatTemplate, TemplateError, TemplateTokens};
use tenfold_tokenizer::{Tokenizer, TokenizerError};

use crate::tiny::TinyVocabulary;

/// The logit of the token that the rule chose; all others have 0.
const CHOSEN: f32 = 10.0;

/// From all tokens of a sequence to the next one.
type Rule = Box<dyn Fn(&[TokenId]) -> TokenId + Send + Sync>;

/// How far back a fake sequence can go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Truncation {
    /// To any position.
    #[default]
    Anywhere,
    /// Only to the very beginning, as a sliding cache.
    OnlyEmpty,
    /// Not at all.
    Never,
}

/// A token model that follows a rule.
pub struct FakeModel {
    /// Sizes; change them before use.
    pub shape: ModelShape,
    /// How far back its sequences can go.
    pub truncation: Truncation,
    /// A `forward` with this token among those to append fails.
    pub poison: Option<TokenId>,
    /// A `forward` with this token among those to append panics, as a framework's fault might.
    pub bomb: Option<TokenId>,
    /// How long each `forward` takes at least.
    pub delay: Duration,
    rule: Rule,
    log: Log,
}

/// What was asked of a fake model.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Vec<Vec<usize>>>>);

impl Log {
    /// Each call of `forward`: the number of tokens of each of its steps.
    pub fn turns(&self) -> Vec<Vec<usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, turn: Vec<usize>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(turn);
    }
}

/// The tokens of one sequence.
#[derive(Debug)]
pub struct FakeSequence {
    tokens: Vec<TokenId>,
    capacity: usize,
    truncation: Truncation,
}

impl FakeModel {
    /// A model that answers with what the rule says after the tokens so far.
    pub fn new(
        vocabulary_size: usize,
        rule: impl Fn(&[TokenId]) -> TokenId + Send + Sync + 'static,
    ) -> Self {
        Self {
            shape: ModelShape { vocabulary_size, context_length: 256, max_batch: 32 },
            truncation: Truncation::default(),
            poison: None,
            bomb: None,
            delay: Duration::ZERO,
            rule: Box::new(rule),
            log: Log::default(),
        }
    }

    /// What is asked of it from now on.
    pub fn log(&self) -> Log {
        self.log.clone()
    }

    fn advance(&self, step: &mut Step<'_, FakeSequence>) {
        step.logits.clear();
        for (index, token) in step.tokens.iter().enumerate() {
            step.sequence.tokens.push(*token);
            if index + step.wanted >= step.tokens.len() {
                let mut logits = vec![0.0; self.shape.vocabulary_size];
                let next = (self.rule)(&step.sequence.tokens) as usize;
                if let Some(logit) = logits.get_mut(next) {
                    *logit = CHOSEN;
                }
                step.logits.append(&mut logits);
            }
        }
    }
}

impl Sequence for FakeSequence {
    fn len(&self) -> usize {
        self.tokens.len()
    }

    fn truncate(&mut self, len: usize) -> Result<(), Unsupported> {
        let possible = match self.truncation {
            Truncation::Anywhere => true,
            Truncation::OnlyEmpty => len == 0,
            Truncation::Never => false,
        };
        if len < self.tokens.len() && !possible {
            return Err(Unsupported::new("going back", "this sequence only grows"));
        }
        self.tokens.truncate(len);
        Ok(())
    }
}

impl TokenModel for FakeModel {
    type Sequence = FakeSequence;

    fn shape(&self) -> &ModelShape {
        &self.shape
    }

    fn new_sequence(&self, options: &SequenceOptions) -> Result<FakeSequence, LoadError> {
        let (capacity, truncation) = (options.context_length, self.truncation);
        Ok(FakeSequence { tokens: Vec::new(), capacity, truncation })
    }

    fn forward(&self, steps: &mut [Step<'_, FakeSequence>]) -> Result<(), GenerateError> {
        std::thread::sleep(self.delay);
        self.log.add(steps.iter().map(|step| step.tokens.len()).collect());
        let holds = |token: Option<TokenId>| {
            let mut tokens = steps.iter().flat_map(|step| step.tokens);
            token.is_some_and(|token| tokens.any(|it| *it == token))
        };
        assert!(!holds(self.bomb), "the fake model met its bomb");
        if holds(self.poison) {
            return Err(GenerateError::Backend { what: "poison".to_owned(), source: None });
        }
        for step in steps.iter() {
            let (requested, allowed) =
                (step.sequence.len() + step.tokens.len(), step.sequence.capacity);
            if requested > allowed {
                return Err(GenerateError::ContextOverflow { requested, allowed });
            }
        }
        steps.iter_mut().for_each(|step| self.advance(step));
        Ok(())
    }
}

/// Why a vocabulary gives no parts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PartsError {
    /// The tokenizer refused it.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// Its template is none.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

/// Tokenizer and template of a tiny vocabulary, for a [`FakeModel`] of its size.
///
/// # Errors
/// When the tokenizer or the template is not taken.
pub fn parts(vocabulary: TinyVocabulary) -> Result<TextParts, PartsError> {
    let made = vocabulary.make();
    let tokenizer = Tokenizer::from_vocabulary(&made)?;
    let template = template(vocabulary.chat_template(), &made)?;
    Ok(TextParts {
        info: ModelInfo {
            name: "fake".to_owned(),
            architecture: "fake".to_owned(),
            context_length: 256,
            vocabulary_size: tokenizer.vocabulary_size(),
            has_chat_template: true,
            ..ModelInfo::default()
        },
        template: Arc::new(template),
        tokenizer: Arc::new(tokenizer),
        notices: Vec::new(),
    })
}

fn template(source: &str, vocabulary: &Vocabulary) -> Result<ChatTemplate, TemplateError> {
    let text = |id: Option<TokenId>| vocabulary.tokens.get(id? as usize).cloned();
    let tokens = TemplateTokens {
        bos: text(vocabulary.bos),
        eos: text(vocabulary.eos),
        ..TemplateTokens::default()
    };
    ChatTemplate::new("the tiny model", source, &tokens)
}
