//! `tokenizer.json` and `tokenizer_config.json` of a tiny model.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tenfold_formats::{TokenKind, Vocabulary, VocabularyKind};

use super::TinyModel;
use super::vocabulary::SPACE;

/// `tokenizer.json`.
pub(super) fn tokenizer(model: &TinyModel) -> Value {
    let vocabulary = model.vocabulary();
    let parts = if vocabulary.kind == VocabularyKind::Bpe { bpe } else { sentence_piece };
    let mut json = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added_tokens(vocabulary),
    });
    merge(&mut json, parts(vocabulary));
    json
}

/// `tokenizer_config.json`.
pub(super) fn config(model: &TinyModel) -> Value {
    let vocabulary = model.vocabulary();
    let text = |id: Option<u32>| {
        id.and_then(|id| vocabulary.tokens.get(id as usize)).map_or(Value::Null, |text| json!(text))
    };
    json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "add_bos_token": vocabulary.add_bos,
        "bos_token": text(vocabulary.bos),
        "eos_token": text(vocabulary.eos),
        "unk_token": text(vocabulary.unk),
        "pad_token": text(vocabulary.pad),
        "clean_up_tokenization_spaces": false,
        "model_max_length": model.config().context_length,
        "chat_template": model.chat_template(),
    })
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}

fn added_tokens(vocabulary: &Vocabulary) -> Vec<Value> {
    let tokens = vocabulary.tokens.iter().zip(&vocabulary.kinds).enumerate();
    let added = tokens.filter(|(_, (_, kind))| is_added(**kind));
    let added = added.map(|(id, (content, kind))| {
        json!({
            "id": id,
            "content": content,
            "single_word": false,
            "lstrip": false,
            "rstrip": false,
            "normalized": false,
            "special": *kind != TokenKind::UserDefined,
        })
    });
    added.collect()
}

const fn is_added(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::Control | TokenKind::Unknown | TokenKind::UserDefined)
}

fn ids(vocabulary: &Vocabulary) -> Map<String, Value> {
    let tokens = vocabulary.tokens.iter().enumerate();
    tokens.map(|(id, token)| (token.clone(), json!(id))).collect()
}

fn bpe(vocabulary: &Vocabulary) -> Value {
    // Llama 3 takes up to three digits together; Qwen 2 and StableLM 2 take one.
    let digits = if vocabulary.pre.as_deref() == Some("llama-bpe") { "{1,3}" } else { "" };
    let pattern = format!(
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{{L}}\\p{{N}}]?\\p{{L}}+|\\p{{N}}{digits}| \
         ?[^\\s\\p{{L}}\\p{{N}}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
    );
    let byte_level = |split: bool| {
        json!({
            "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false,
            "use_regex": split,
        })
    };
    json!({
        "normalizer": null,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated",
             "invert": false},
            byte_level(false),
        ]},
        "post_processor": byte_level(false),
        "decoder": byte_level(true),
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null,
            "continuing_subword_prefix": null, "end_of_word_suffix": null,
            "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
            "vocab": ids(vocabulary), "merges": vocabulary.merges,
        },
    })
}

fn sentence_piece(vocabulary: &Vocabulary) -> Value {
    let space = SPACE.to_string();
    let to_visible =
        json!({"type": "Replace", "pattern": {"String": " "}, "content": space.clone()});
    let to_plain = json!({"type": "Replace", "pattern": {"String": space.clone()}, "content": " "});
    let mut normalizers = vec![to_visible];
    let mut decoders = vec![to_plain, json!({"type": "ByteFallback"}), json!({"type": "Fuse"})];
    if vocabulary.add_space_prefix != Some(false) {
        normalizers.insert(0, json!({"type": "Prepend", "prepend": space}));
        decoders.push(json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}));
    }
    json!({
        "normalizer": {"type": "Sequence", "normalizers": normalizers},
        "pre_tokenizer": null,
        "post_processor": begin_with(vocabulary, vocabulary.bos),
        "decoder": {"type": "Sequence", "decoders": decoders},
        "model": {
            "type": "BPE", "dropout": null, "unk_token": "<unk>",
            "continuing_subword_prefix": null, "end_of_word_suffix": null,
            "fuse_unk": true, "byte_fallback": true, "ignore_merges": false,
            "vocab": ids(vocabulary), "merges": piece_merges(vocabulary),
        },
    })
}

/// Puts the beginning-of-text token first.
fn begin_with(vocabulary: &Vocabulary, bos: Option<u32>) -> Value {
    let token = bos.and_then(|id| vocabulary.tokens.get(id as usize));
    let (Some(id), Some(token)) = (bos, token) else { return Value::Null };
    let special = json!({"SpecialToken": {"id": token, "type_id": 0}});
    let text = |name: &str, side: usize| json!({"Sequence": {"id": name, "type_id": side}});
    json!({
        "type": "TemplateProcessing",
        "single": [special.clone(), text("A", 0)],
        "pair": [special.clone(), text("A", 0), special, text("B", 1)],
        "special_tokens": {token: {"id": token, "ids": [id], "tokens": [token]}},
    })
}

/// SentencePiece joins any two neighbours whose text together is a piece, the best piece first: so
/// every way to cut a piece into two is a merge.
fn piece_merges(vocabulary: &Vocabulary) -> Vec<String> {
    let normal = |(_, kind): &(&String, &TokenKind)| **kind == TokenKind::Normal;
    let pieces = vocabulary.tokens.iter().zip(&vocabulary.kinds).filter(normal);
    let pieces: Vec<&str> = pieces.map(|(piece, _)| piece.as_str()).collect();
    let ranks: BTreeMap<&str, usize> = pieces.iter().copied().zip(0..).collect();
    let mut merges = Vec::new();
    for piece in &pieces {
        let cuts = piece.char_indices().skip(1).map(|(at, _)| piece.split_at(at));
        let mut cuts: Vec<_> = cuts
            .filter_map(|(left, right)| Some((ranks.get(left)?, ranks.get(right)?, left, right)))
            .collect();
        cuts.sort_unstable();
        merges.extend(cuts.iter().map(|(_, _, left, right)| format!("{left} {right}")));
    }
    merges
}
