//! The chat template of a model: its own, or a fallback.

use std::path::{Path, PathBuf};

use tenfold_core::{LoadError, LoadErrorKind, ModelFormat, TokenId};
use tenfold_formats::gguf::Gguf;
use tenfold_formats::hf::TokenizerConfig;
use tenfold_template::{ChatTemplate, Fallback, TemplateError, TemplateTokens};
use tenfold_tokenizer::Tokenizer;

use crate::OpenModel;

const FILE: &str = "chat_template.jinja";
const CONFIG: &str = "tokenizer_config.json";
const KEY: &str = "tokenizer.chat_template";

/// A template, and what the user should hear about it.
#[derive(Debug)]
pub struct OpenTemplate {
    /// Messages to prompt.
    pub template: ChatTemplate,
    /// Sentences, such as that it is a fallback.
    pub notices: Vec<String>,
}

/// The templates that a model brings along.
#[derive(Debug, Default)]
struct Sources {
    /// The file that they stand in, and what they are called there.
    path: PathBuf,
    origin: &'static str,
    default: Option<String>,
    /// For conversations with tools.
    tool_use: Option<String>,
}

impl Sources {
    /// Of templates with names the one called `default`, else the first.
    fn named(path: &Path, origin: &'static str, named: &[(String, String)]) -> Self {
        let find = |name| named.iter().find(|it| it.0 == name).map(|it| it.1.clone());
        let first = named.first().map(|it| it.1.clone());
        let default = find("default").or(first);
        Self { path: path.to_owned(), origin, default, tool_use: find("tool_use") }
    }
}

impl OpenModel {
    /// The chat template: from `chat_template.jinja` beside the weights, else from the weight file,
    /// else from `tokenizer_config.json`, else one that fits the vocabulary. Of several, the one
    /// called `tool_use` is used when tools are given.
    ///
    /// # Errors
    /// When the template of the model cannot be read, or is no valid template.
    pub fn template(&self, tokenizer: &Tokenizer) -> Result<OpenTemplate, LoadError> {
        let tokens = self.template_tokens(tokenizer)?;
        let sources = self.template_sources()?;
        let Some(source) = &sources.default else {
            return self.fallback(tokenizer, &tokens);
        };
        let compile = |source: &str| {
            ChatTemplate::new(sources.origin, source, &tokens)
                .map_err(|error| invalid(&sources.path, error))
        };
        let mut template = compile(source)?;
        if let Some(tool_use) = &sources.tool_use {
            template = template.with_tool_use(compile(tool_use)?);
        }
        Ok(OpenTemplate { template, notices: Vec::new() })
    }

    /// True if the model brings a chat template along.
    pub(crate) fn has_template(&self) -> bool {
        self.template_sources().is_ok_and(|sources| sources.default.is_some())
    }

    fn template_sources(&self) -> Result<Sources, LoadError> {
        if let Some(path) = self.files.companion(FILE) {
            let source = self.companion(FILE)?.unwrap_or_default();
            let default = Some(String::from_utf8_lossy(&source).into_owned());
            return Ok(Sources { path: path.to_owned(), origin: FILE, default, tool_use: None });
        }
        let in_weights = self.templates_in_weights()?;
        match in_weights.default {
            Some(_) => Ok(in_weights),
            None => self.templates_in_config(),
        }
    }

    /// GGUF files have one template, and further ones under its key with a name.
    fn templates_in_weights(&self) -> Result<Sources, LoadError> {
        let first = self.shards().first().copied().unwrap_or_default();
        if self.files.format != ModelFormat::Gguf {
            return Ok(Sources::default());
        }
        let gguf = Gguf::parse(first)?;
        let named = gguf.metadata().filter_map(|(key, value)| {
            let name = match key.strip_prefix(KEY)? {
                "" => "default",
                name => name.strip_prefix('.')?,
            };
            Some((name.to_owned(), value.as_str()?.to_owned()))
        });
        Ok(Sources::named(self.files.main(), KEY, &named.collect::<Vec<_>>()))
    }

    fn templates_in_config(&self) -> Result<Sources, LoadError> {
        let (Some(path), Some(json)) = (self.files.companion(CONFIG), self.companion(CONFIG)?)
        else {
            return Ok(Sources::default());
        };
        let config = TokenizerConfig::parse(&json)?;
        let named = match config.chat_template() {
            Some(only) if config.named_templates().is_empty() => {
                vec![("default".to_owned(), only.to_owned())]
            }
            _ => {
                let named = config.named_templates().iter();
                named.map(|it| (it.name.clone(), it.template.clone())).collect()
            }
        };
        Ok(Sources::named(path, CONFIG, &named))
    }

    /// What `tokenizer_config.json` names, else what the vocabulary does.
    fn template_tokens(&self, tokenizer: &Tokenizer) -> Result<TemplateTokens, LoadError> {
        let config = match self.companion(CONFIG)? {
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

    fn fallback(
        &self,
        tokenizer: &Tokenizer,
        tokens: &TemplateTokens,
    ) -> Result<OpenTemplate, LoadError> {
        let title = self.description().title.as_deref().unwrap_or_default();
        let name = format!("{title} {}", self.files.name);
        let fallback = Fallback::choose(&|text| tokenizer.token_id(text).is_some(), &name);
        let template = ChatTemplate::fallback(fallback, tokens)
            .map_err(|error| invalid(self.files.main(), error))?;
        Ok(OpenTemplate { template, notices: vec![fallback.notice()] })
    }
}

fn invalid(path: &Path, error: TemplateError) -> LoadError {
    LoadError::new(LoadErrorKind::InvalidFile, error.to_string())
        .at(path.display().to_string())
        .with_remedy(error.remedy())
        .with_source(error)
}
