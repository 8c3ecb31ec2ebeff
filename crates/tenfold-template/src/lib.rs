//! Chat templates: messages to prompt.
//!
//! A model says in a Jinja template how a conversation becomes the text that it was trained on. A
//! [`ChatTemplate`] renders it as Python's `jinja2` would, set up the way `transformers` does it:
//!
//! ```text
//! template source, special tokens -> ChatTemplate
//! messages, tools, variables -> render -> prompt
//! ```
//!
//! ```
//! use tenfold_core::Message;
//! use tenfold_template::{ChatTemplate, RenderOptions, TemplateTokens};
//!
//! let source = "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}{{ eos_token }}\
//!               {% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}";
//! let tokens = TemplateTokens { eos: Some("</s>".into()), ..TemplateTokens::default() };
//! let template = ChatTemplate::new("chat_template.jinja", source, &tokens)?;
//! let options = RenderOptions { add_generation_prompt: true, ..RenderOptions::default() };
//! let prompt = template.render(&[Message::user("Hi")], &options)?;
//! assert_eq!(prompt, "<|user|>Hi</s><|assistant|>");
//! # Ok::<(), tenfold_template::TemplateError>(())
//! ```
//!
//! This crate knows nothing about files, tokenizers, models or how an answer is generated.

mod clock;
mod environment;
mod error;
mod fallback;
mod fit;
mod limits;
mod messages;
mod options;
mod probe;
#[cfg(test)]
mod property;
mod python;
mod source;
mod template;

pub use clock::LocalTime;
pub use error::{TemplateError, TemplateErrorKind};
pub use fallback::Fallback;
pub use options::{RenderOptions, TemplateTokens};
pub use template::ChatTemplate;
