//! The chat template of a model.

use minijinja::Value;
use tenfold_core::Message;

use crate::environment::Compiled;
use crate::fit::fit;
use crate::messages::{ContentForm, json, messages};
use crate::probe::{Abilities, probe};
use crate::{Fallback, LocalTime, RenderOptions, TemplateError, TemplateErrorKind, TemplateTokens};

/// Messages to prompt. Immutable; share it by `Arc`.
#[derive(Debug)]
pub struct ChatTemplate {
    script: Script,
    source: String,
    abilities: Abilities,
    /// A template of its own for conversations with tools.
    tool_use: Option<Box<ChatTemplate>>,
    stop_sequences: &'static [&'static str],
}

/// A compiled template with the special tokens that it may write.
#[derive(Debug)]
struct Script {
    compiled: Compiled,
    tokens: Vec<(&'static str, String)>,
}

impl ChatTemplate {
    /// Compiles a template and finds out what it can do; `origin` says in errors where it comes from.
    ///
    /// # Errors
    /// When the source is no valid template, or takes too much work; the line is in the error.
    pub fn new(
        origin: impl Into<String>,
        source: impl Into<String>,
        tokens: &TemplateTokens,
    ) -> Result<Self, TemplateError> {
        let source = source.into();
        let compiled = Compiled::new(&origin.into(), &source)?;
        let script = Script { compiled, tokens: special_tokens(tokens) };
        let abilities = probe(&|messages, options, form| script.render(messages, options, form))?;
        Ok(Self { script, source, abilities, tool_use: None, stop_sequences: &[] })
    }

    /// A template for a model that has none.
    ///
    /// # Errors
    /// None in practice: the sources of all fallbacks are valid.
    pub fn fallback(fallback: Fallback, tokens: &TemplateTokens) -> Result<Self, TemplateError> {
        let name = format!("the fallback template ({})", fallback.name());
        let template = Self::new(name, fallback.source(), tokens)?;
        Ok(Self { stop_sequences: fallback.stop_sequences(), ..template })
    }

    /// Adds a second template, which is used when tools are given.
    #[must_use]
    pub fn with_tool_use(self, template: ChatTemplate) -> Self {
        Self { tool_use: Some(Box::new(template)), ..self }
    }

    /// The prompt for these messages.
    ///
    /// Where the template refuses or drops instructions, they join the user's message; where it wants
    /// the roles to take turns, neighbours of one role become one message.
    ///
    /// # Errors
    /// When the template refuses the messages, fails, takes too much work or memory, or tools are
    /// given and it knows none.
    pub fn render(
        &self,
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<String, TemplateError> {
        if options.tools.is_empty() {
            return self.render_fitted(messages, options);
        }
        let template = self.tool_use.as_deref().unwrap_or(self);
        if !template.abilities.tools {
            let what = "the chat template of this model knows no tools";
            return Err(template.script.compiled.fail(TemplateErrorKind::Unsupported, what));
        }
        template.render_fitted(messages, options)
    }

    fn render_fitted(
        &self,
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<String, TemplateError> {
        self.script.render(&fit(messages, self.abilities), options, self.abilities.content)
    }

    /// The prompt for exactly these messages, as `transformers` renders it.
    ///
    /// # Errors
    /// When the template refuses the messages, fails, or takes too much work or memory.
    pub fn render_unchanged(
        &self,
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<String, TemplateError> {
        self.script.render(messages, options, ContentForm::Text)
    }

    /// Whether the template has a place for a system message. Where it has none, [`render`] puts
    /// instructions before the user's first words.
    ///
    /// [`render`]: ChatTemplate::render
    pub fn supports_system_role(&self) -> bool {
        self.abilities.system
    }

    /// Whether the template tells the model which tools there are.
    pub fn supports_tools(&self) -> bool {
        self.tool_use.as_deref().unwrap_or(self).abilities.tools
    }

    /// Texts that end an answer with this template, besides the vocabulary's own ends.
    pub fn stop_sequences(&self) -> &'static [&'static str] {
        self.stop_sequences
    }

    /// Where the template comes from.
    pub fn origin(&self) -> &str {
        self.script.compiled.origin()
    }

    /// The source of the template.
    pub fn source(&self) -> &str {
        &self.source
    }
}

impl Script {
    fn render(
        &self,
        messages: &[Message],
        options: &RenderOptions,
        form: ContentForm,
    ) -> Result<String, TemplateError> {
        self.compiled.render(|| self.variables(messages, options, form))
    }

    fn variables(
        &self,
        conversation: &[Message],
        options: &RenderOptions,
        form: ContentForm,
    ) -> Value {
        let tools = match options.tools.as_slice() {
            [] => Value::from(()),
            tools => tools.iter().map(json).collect(),
        };
        let now = options.now;
        let strftime = move |format: &str| now.unwrap_or_else(LocalTime::now).format(format);
        let own = [
            ("messages", messages(conversation, form)),
            ("tools", tools),
            ("documents", Value::from(())),
            ("add_generation_prompt", Value::from(options.add_generation_prompt)),
            ("strftime_now", Value::from_function(strftime)),
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
