//! The chat template of a model.

use minijinja::{Environment, Value};
use tenfold_core::Message;

use crate::environment::{NAME, compile, report};
use crate::messages::{json, messages};
use crate::{Fallback, RenderOptions, TemplateError, TemplateTokens};

/// Messages to prompt. Immutable; share it by `Arc`.
#[derive(Debug)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    origin: String,
    source: String,
    tokens: Vec<(&'static str, String)>,
}

impl ChatTemplate {
    /// Compiles a template; `origin` says in errors where it comes from.
    ///
    /// # Errors
    /// When the source is no valid template; the line is in the error.
    pub fn new(
        origin: impl Into<String>,
        source: impl Into<String>,
        tokens: &TemplateTokens,
    ) -> Result<Self, TemplateError> {
        let (origin, source) = (origin.into(), source.into());
        let environment = compile(&origin, &source)?;
        Ok(Self { environment, origin, source, tokens: special_tokens(tokens) })
    }

    /// A template for a model that has none.
    ///
    /// # Errors
    /// Never in practice: the sources of all fallbacks are valid.
    pub fn fallback(fallback: Fallback, tokens: &TemplateTokens) -> Result<Self, TemplateError> {
        Self::new(fallback.name(), fallback.source(), tokens)
    }

    /// The prompt for these messages.
    ///
    /// # Errors
    /// When the template refuses the messages, fails, or takes too much work or memory.
    pub fn render(
        &self,
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<String, TemplateError> {
        let context = self.context(messages, options);
        self.environment
            .get_template(NAME)
            .and_then(|template| template.render(context))
            .map_err(|error| report(&self.origin, &error))
    }

    /// Where the template comes from.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The source of the template.
    pub fn source(&self) -> &str {
        &self.source
    }

    fn context(&self, conversation: &[Message], options: &RenderOptions) -> Value {
        let tools = match options.tools.as_slice() {
            [] => Value::from(()),
            tools => tools.iter().map(json).collect(),
        };
        let own = [
            ("messages", messages(conversation)),
            ("tools", tools),
            ("documents", Value::from(())),
            ("add_generation_prompt", Value::from(options.add_generation_prompt)),
        ];
        let tokens = self.tokens.iter().map(|(name, text)| (*name, Value::from(text.as_str())));
        let extra = options.extra.iter().map(|(name, value)| (name.as_str(), json(value)));
        Value::from_pairs(tokens.chain(extra).chain(own))
    }
}

fn special_tokens(tokens: &TemplateTokens) -> Vec<(&'static str, String)> {
    let named = [
        ("bos_token", &tokens.bos),
        ("eos_token", &tokens.eos),
        ("unk_token", &tokens.unk),
        ("pad_token", &tokens.pad),
    ];
    named.into_iter().filter_map(|(name, text)| Some((name, text.clone()?))).collect()
}
