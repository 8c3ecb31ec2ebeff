//! The chat template of a model: its own, or a fallback.

use tenfold_core::{LoadError, TokenId};
use tenfold_formats::hf::TokenizerConfig;
use tenfold_template::{ChatTemplate, Fallback, TemplateError, TemplateTokens};
use tenfold_tokenizer::Tokenizer;

use crate::OpenModel;
use crate::open::invalid;

const FILE: &str = "chat_template.jinja";

/// A template, and what the user should hear about it.
#[derive(Debug)]
pub struct OpenTemplate {
    /// Messages to prompt.
    pub template: ChatTemplate,
    /// Sentences, such as that it is a fallback.
    pub notices: Vec<String>,
}

impl OpenModel {
    /// The chat template: from `chat_template.jinja` beside the weights, else from the weight file,
    /// else from `tokenizer_config.json`, else one that fits the vocabulary.
    ///
    /// # Errors
    /// When the template of the model cannot be read or is no valid template.
    pub fn template(&self, tokenizer: &Tokenizer) -> Result<OpenTemplate, LoadError> {
        let tokens = self.template_tokens(tokenizer)?;
        let made = match self.own_template()? {
            Some((origin, source)) => ChatTemplate::new(origin, source, &tokens)
                .map(|template| OpenTemplate { template, notices: Vec::new() }),
            None => fallback(tokenizer, &tokens),
        };
        made.map_err(|error| invalid(self.files.main(), error))
    }

    fn own_template(&self) -> Result<Option<(String, String)>, LoadError> {
        if let Some(bytes) = self.companion(FILE)? {
            let source = String::from_utf8_lossy(&bytes).into_owned();
            return Ok(Some((FILE.to_owned(), source)));
        }
        let source = self.description().chat_template.clone();
        Ok(source.map(|source| ("the chat template of the model".to_owned(), source)))
    }

    fn template_tokens(&self, tokenizer: &Tokenizer) -> Result<TemplateTokens, LoadError> {
        let config = match self.companion("tokenizer_config.json")? {
            Some(json) => TokenizerConfig::parse(&json)?,
            None => TokenizerConfig::default(),
        };
        let special = tokenizer.special_tokens();
        let text = |stated: Option<&str>, id: Option<TokenId>| {
            stated.or_else(|| tokenizer.token_text(id?)).map(str::to_owned)
        };
        Ok(TemplateTokens {
            bos: text(config.bos_token(), special.bos),
            eos: text(config.eos_token(), special.eos),
            unk: text(config.unk_token(), special.unk),
            pad: text(config.pad_token(), special.pad),
        })
    }
}

fn fallback(tokenizer: &Tokenizer, tokens: &TemplateTokens) -> Result<OpenTemplate, TemplateError> {
    let fallback = Fallback::choose(&|text| tokenizer.token_id(text).is_some(), "");
    let template = ChatTemplate::fallback(fallback, tokens)?;
    Ok(OpenTemplate { template, notices: vec![fallback.notice()] })
}
