//! The vocabularies and goldens in `tests/goldens`.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tenfold_core::TokenId;
use tenfold_formats::gguf::Gguf;
use tenfold_formats::gguf::write::Builder;
use tenfold_tokenizer::{TokenizeOptions, Tokenizer, TokenizerFiles, VocabularyHints};

/// A file of `tests/goldens`.
pub(crate) fn read(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/goldens");
    std::fs::read(folder.join(name)).unwrap()
}

/// A small vocabulary, as `vocabularies.py` wrote it.
#[derive(Deserialize)]
pub(crate) struct Vocabulary {
    pub(crate) model: String,
    pub(crate) tokens: Vec<String>,
    /// A letter for each token.
    pub(crate) kinds: String,
    #[serde(default)]
    scores: Vec<f64>,
    #[serde(default)]
    merges: Vec<String>,
    ids: Map<String, Value>,
    #[serde(default)]
    charsmap: String,
}

/// One way to read a vocabulary of a GGUF file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Variant {
    pub(crate) pre: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) architecture: Option<String>,
    pub(crate) flags: Map<String, Value>,
    pub(crate) charsmap: Option<bool>,
}

/// What a reference answered.
#[derive(Deserialize)]
pub(crate) struct Goldens<V> {
    #[serde(default = "Vec::new")]
    pub(crate) variants: Vec<V>,
    #[serde(default)]
    pub(crate) ends: Vec<Vec<TokenId>>,
    pub(crate) cases: Vec<Case>,
}

/// One text: for each variant a letter says which of the answers is its own.
#[derive(Deserialize)]
pub(crate) struct Case {
    #[serde(flatten)]
    written: Written,
    /// Bit 0 adds special tokens, bit 1 parses them.
    special: u8,
    ids: Vec<Vec<TokenId>>,
    which: String,
    /// What the ids are turned back into, unless it is the text in all variants.
    #[serde(default)]
    shown: Vec<Written>,
    #[serde(default)]
    shows: String,
}

/// Bytes as text, or as hexadecimal digits where they are none.
#[derive(Deserialize)]
struct Written {
    text: Option<String>,
    bytes: Option<String>,
}

impl Written {
    fn get(&self) -> Vec<u8> {
        match (&self.text, &self.bytes) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, digits) => hex(digits.as_deref().unwrap_or_default()),
        }
    }
}

fn hex(digits: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.as_bytes().chunks(2).map(byte).collect()
}

impl Case {
    pub(crate) fn text(&self) -> Vec<u8> {
        self.written.get()
    }

    pub(crate) fn options(&self) -> TokenizeOptions {
        TokenizeOptions { add_special: self.special & 1 == 1, parse_special: self.special & 2 == 2 }
    }

    /// The ids in one of the variants.
    pub(crate) fn ids(&self, variant: usize) -> &[TokenId] {
        &self.ids[chosen(&self.which, variant)]
    }

    /// What these ids are turned back into.
    pub(crate) fn shown(&self, variant: usize) -> Vec<u8> {
        match self.shown.as_slice() {
            [] => self.text(),
            shown => shown[chosen(&self.shows, variant)].get(),
        }
    }
}

fn chosen(letters: &str, variant: usize) -> usize {
    match letters.as_bytes()[variant] {
        letter @ b'0'..=b'9' => usize::from(letter - b'0'),
        letter @ b'a'..=b'z' => usize::from(letter - b'a') + 10,
        letter => usize::from(letter - b'A') + 36,
    }
}

/// Reads goldens.
pub(crate) fn goldens<V: for<'de> Deserialize<'de>>(name: &str) -> Goldens<V> {
    serde_json::from_slice(&read(name)).unwrap()
}

impl Vocabulary {
    /// A vocabulary of `tests/goldens/vocabularies`.
    pub(crate) fn named(name: &str) -> Self {
        serde_json::from_slice(&read(&format!("vocabularies/{name}.json"))).unwrap()
    }

    /// The vocabulary as a GGUF file.
    pub(crate) fn to_gguf(&self, variant: &Variant) -> Vec<u8> {
        let mut builder = Builder::new();
        let key = |name: &str| format!("tokenizer.ggml.{name}");
        let architecture = variant.architecture.as_deref().unwrap_or("llama");
        builder.set("general.architecture", architecture);
        builder.set(&key("model"), variant.model.as_ref().unwrap_or(&self.model));
        builder.set(&key("tokens"), &self.tokens).set(&key("token_type"), &self.token_types());
        if let Some(name) = &variant.name {
            builder.set("general.name", name);
        }
        if let Some(pre) = &variant.pre {
            builder.set(&key("pre"), pre);
        }
        if !self.scores.is_empty() {
            let scores: Vec<f32> = self.scores.iter().map(|&score| score as f32).collect();
            builder.set(&key("scores"), &scores);
        }
        if !self.merges.is_empty() {
            builder.set(&key("merges"), &self.merges);
        }
        if !self.charsmap.is_empty() && variant.charsmap != Some(false) {
            builder.set(&key("precompiled_charsmap"), &base64(&self.charsmap));
        }
        for (name, id) in &self.ids {
            builder.set(&key(&format!("{name}_token_id")), &(id.as_u64().unwrap() as u32));
        }
        for (name, flag) in &variant.flags {
            builder.set(&key(name), &flag.as_bool().unwrap());
        }
        builder.to_bytes().unwrap()
    }

    fn token_types(&self) -> Vec<i32> {
        let number = |letter: u8| b"N?CUXB".iter().position(|&known| known == letter).unwrap();
        self.kinds.bytes().map(|letter| number(letter) as i32 + 1).collect()
    }
}

fn base64(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let value = |byte: &u8| alphabet.iter().position(|known| known == byte).unwrap() as u32;
    let text = text.trim_end_matches('=').as_bytes();
    let group = |four: &[u8]| {
        let number = four.iter().fold(0, |number, byte| number << 6 | value(byte));
        let bytes = (number << (6 * (4 - four.len()))).to_be_bytes();
        bytes[1..four.len()].to_vec()
    };
    text.chunks(4).flat_map(group).collect()
}

/// The tokenizer of a GGUF file.
pub(crate) fn from_gguf(file: &[u8]) -> Tokenizer {
    let gguf = Gguf::parse(file).unwrap();
    let hints = VocabularyHints {
        model_name: gguf.str("general.name").unwrap(),
        architecture: gguf.str("general.architecture").unwrap(),
    };
    let vocabulary = tenfold_formats::vocabulary(&gguf).unwrap().unwrap();
    Tokenizer::from_vocabulary_with(&vocabulary, hints).unwrap()
}

/// One of the small vocabularies, read in one way.
pub(crate) fn small(name: &str, variant: &Variant) -> Arc<Tokenizer> {
    Arc::new(from_gguf(&Vocabulary::named(name).to_gguf(variant)))
}

/// Each of the five small vocabularies in a usual way.
pub(crate) fn all_small() -> Vec<(&'static str, Arc<Tokenizer>)> {
    let pre = |name: &str| Variant { pre: Some(name.into()), ..Variant::default() };
    let rows = [
        ("byte_level", pre("llama-bpe")),
        ("byte_level", pre("gpt-2")),
        ("byte_level", pre("kimi-k2")),
        ("characters", pre("gemma4")),
        ("sentence_piece", Variant::default()),
        ("unigram", Variant::default()),
        ("word_piece", Variant::default()),
    ];
    rows.into_iter().map(|(name, variant)| (name, small(name, &variant))).collect()
}

/// A `tokenizer.json` around one of the vocabularies, as `components.py` describes it.
pub(crate) fn assemble(component: &Map<String, Value>) -> Vec<u8> {
    let vocabulary = Vocabulary::named(component["vocabulary"].as_str().unwrap());
    let mut whole = json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": added_tokens(&vocabulary),
        "model": model(&vocabulary, component),
    });
    for key in ["normalizer", "pre_tokenizer", "post_processor", "decoder"] {
        whole[key] = component.get(key).cloned().unwrap_or_default();
        fill_in(&mut whole[key], &vocabulary);
    }
    serde_json::to_vec(&whole).unwrap()
}

/// Character map and ids, which a description leaves out.
fn fill_in(value: &mut Value, vocabulary: &Vocabulary) {
    match value["type"].as_str() {
        Some("Precompiled") => value["precompiled_charsmap"] = vocabulary.charsmap.clone().into(),
        Some("TemplateProcessing") => {
            let parts = value["single"].as_array().unwrap().iter();
            let names = parts.filter_map(|part| part["SpecialToken"]["id"].as_str());
            let id = |name: &str| vocabulary.tokens.iter().position(|token| token == name).unwrap();
            let entry = |name: &str| {
                (name.to_owned(), json!({ "id": name, "ids": [id(name)], "tokens": [name] }))
            };
            value["special_tokens"] = names.map(entry).collect::<Map<_, _>>().into();
        }
        Some("Sequence") => {
            for key in ["normalizers", "pretokenizers", "decoders"] {
                for part in value[key].as_array_mut().into_iter().flatten() {
                    fill_in(part, vocabulary);
                }
            }
        }
        _ => {}
    }
}

fn added_tokens(vocabulary: &Vocabulary) -> Value {
    let tokens = vocabulary.tokens.iter().zip(vocabulary.kinds.chars()).enumerate();
    let added = tokens.filter(|(_, (_, kind))| "CU?".contains(*kind)).map(|(id, (token, kind))| {
        json!({
            "id": id, "content": token, "single_word": false, "lstrip": token == "<mask>",
            "rstrip": false, "normalized": false, "special": kind != 'U',
        })
    });
    added.collect()
}

fn model(vocabulary: &Vocabulary, component: &Map<String, Value>) -> Value {
    let spelled = |spell: fn(&str) -> String| -> Value {
        let tokens = vocabulary.tokens.iter().enumerate();
        tokens.map(|(id, token)| (spell(token), id.into())).collect::<Map<_, _>>().into()
    };
    let mut model = match component["vocabulary"].as_str() {
        Some("unigram") => json!({
            "type": "Unigram", "unk_id": 0, "byte_fallback": false,
            "vocab": vocabulary.tokens.iter().zip(&vocabulary.scores).collect::<Vec<_>>(),
        }),
        Some("word_piece") => json!({
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": spelled(bert_piece),
        }),
        _ => json!({
            "type": "BPE", "vocab": spelled(str::to_owned), "merges": vocabulary.merges,
        }),
    };
    for (key, value) in component.get("model").and_then(Value::as_object).into_iter().flatten() {
        model[key] = value.clone();
    }
    model
}

/// GGUF files mark the first piece of a word, BERT all others.
fn bert_piece(token: &str) -> String {
    match token.strip_prefix('▁') {
        Some(first) => first.to_owned(),
        None if token.len() > 2 && token.starts_with('[') && token.ends_with(']') => token.into(),
        None => format!("##{token}"),
    }
}

/// The tokenizer of a `tokenizer.json` without companions.
pub(crate) fn from_json(tokenizer: &[u8]) -> Tokenizer {
    Tokenizer::from_json(&TokenizerFiles { tokenizer, ..TokenizerFiles::default() }).unwrap()
}
