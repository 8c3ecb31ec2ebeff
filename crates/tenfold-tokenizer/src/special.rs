//! Which tokens begin and end things.
//!
//! Files name some of them by id. Others are known by their text only: conversions forget to name
//! them, or mark them as normal tokens.

use std::collections::BTreeSet;

use tenfold_core::TokenId;

use crate::tokens::{Kinds, TokenTable};

/// Tokens with a meaning of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpecialTokens {
    /// Beginning of text; WordPiece calls it `[CLS]`.
    pub bos: Option<TokenId>,
    /// End of text.
    pub eos: Option<TokenId>,
    /// End of turn.
    pub eot: Option<TokenId>,
    /// End of message.
    pub eom: Option<TokenId>,
    /// Stands for what has no token.
    pub unk: Option<TokenId>,
    /// Separator.
    pub sep: Option<TokenId>,
    /// Padding.
    pub pad: Option<TokenId>,
}

const END_OF_TURN: &[&str] = &[
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "<｜end▁of▁sentence｜>",
    "<end_of_utterance>",
];

const END_OF_MESSAGE: &[&str] = &["<|eom_id|>"];

/// Beyond the ends of turns and messages.
const END_OF_GENERATION: &[&str] = &[
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "</s>",
    "[EOS]",
    "<eos>",
    "<turn|>",
    "<|tool_response>",
    "[e~[",
    "<|ifm|im_end|>",
];

/// Tokens around code to be filled in; of each list the first that exists is a control token.
const FILL_IN: [&[&str]; 3] = [
    &[
        "<|fim_prefix|>",
        "<fim-prefix>",
        "<fim_prefix>",
        "<｜fim▁begin｜>",
        "<PRE>",
        "▁<PRE>",
        "<|code_prefix|>",
        "<|prefix|>",
        "<|plamo:fim_prefix|>",
    ],
    &[
        "<|fim_suffix|>",
        "<fim-suffix>",
        "<fim_suffix>",
        "<｜fim▁hole｜>",
        "<SUF>",
        "▁<SUF>",
        "<|code_suffix|>",
        "<|suffix|>",
        "<|plamo:fim_suffix|>",
    ],
    &[
        "<|fim_middle|>",
        "<fim-middle>",
        "<fim_middle>",
        "<｜fim▁end｜>",
        "<MID>",
        "▁<MID>",
        "<|code_middle|>",
        "<|middle|>",
        "<|plamo:fim_middle|>",
    ],
];

/// The same, and they end generation: padding, repository, file.
const FILL_IN_ENDS: [&[&str]; 3] = [
    &["<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"],
    &["<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"],
    &["<|file_sep|>", "<|plamo:file_separator|>"],
];

/// Parts of the Harmony format, which readers of the output need to see.
const HARMONY: &[&str] = &["<|channel|>", "<|message|>", "<|start|>", "<|constrain|>"];

/// Which tokens may be known by their text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Any: conversions to GGUF mark control tokens as normal ones now and then.
    Any,
    /// Control tokens: `tokenizer.json` tells them from text such as the tag `</s>`.
    Control,
}

/// Completes what a file says about its special tokens; returns all tokens that end generation.
///
/// Tokens found by their text become control tokens in the table.
pub(crate) fn complete(
    special: &mut SpecialTokens,
    listed: &[TokenId],
    tokens: &mut TokenTable,
    known: Known,
) -> Vec<TokenId> {
    special.eot = special.eot.or_else(|| first_control(tokens, known, END_OF_TURN));
    special.eom = special.eom.or_else(|| first_control(tokens, known, END_OF_MESSAGE));
    for texts in FILL_IN {
        first_control(tokens, known, texts);
    }
    let mut ends: BTreeSet<TokenId> =
        FILL_IN_ENDS.iter().filter_map(|texts| first_control(tokens, known, texts)).collect();
    for text in [END_OF_TURN, END_OF_MESSAGE, END_OF_GENERATION].concat() {
        ends.extend(first_control(tokens, known, &[text]));
    }
    for text in HARMONY {
        if let Some(id) = find_known(tokens, known, text) {
            tokens.set_kinds(id, Kinds::USER_DEFINED);
        }
    }
    ends.extend(special.eos.into_iter().chain(special.eot).chain(special.eom));
    ends.extend(listed);
    spare_ends_of_parts(&mut ends, tokens);
    spare_normal_tags(&mut ends, tokens);
    ends.into_iter().filter(|&id| (id as usize) < tokens.len()).collect()
}

fn find_known(tokens: &TokenTable, known: Known, text: &str) -> Option<TokenId> {
    let counts = |id: &TokenId| known == Known::Any || tokens.kinds(*id).is(Kinds::CONTROL);
    tokens.find(text.as_bytes()).filter(counts)
}

fn first_control(tokens: &mut TokenTable, known: Known, texts: &[&str]) -> Option<TokenId> {
    let id = texts.iter().find_map(|text| find_known(tokens, known, text))?;
    tokens.set_kinds(id, tokens.kinds(id).or(Kinds::CONTROL));
    Some(id)
}

fn find_in(ends: &BTreeSet<TokenId>, tokens: &TokenTable, text: &str) -> Option<TokenId> {
    tokens.find(text.as_bytes()).filter(|id| ends.contains(id))
}

/// In formats with tokens for returns and calls, `<|end|>` ends only a part of an answer.
fn spare_ends_of_parts(ends: &mut BTreeSet<TokenId>, tokens: &mut TokenTable) {
    let has = |text| find_in(ends, tokens, text).is_some();
    let has_call = has("<|call|>") || has("<|calls|>");
    if !has_call || !(has("<|return|>") || has("<|flush|>")) {
        return;
    }
    if let Some(end) = find_in(ends, tokens, "<|end|>") {
        ends.remove(&end);
        tokens.set_kinds(end, Kinds::USER_DEFINED);
    }
}

/// Gemma 4 and PLaMo have `</s>` as a tag of HTML.
fn spare_normal_tags(ends: &mut BTreeSet<TokenId>, tokens: &mut TokenTable) {
    let is_tag = ["<|tool_response>", "<|plamo:eos|>"]
        .iter()
        .any(|text| find_in(ends, tokens, text).is_some());
    if let Some(tag) = find_in(ends, tokens, "</s>").filter(|_| is_tag) {
        ends.remove(&tag);
        tokens.set_kinds(tag, Kinds::NORMAL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends_of(texts: &[&str]) -> (Vec<String>, SpecialTokens, TokenTable) {
        let mut tokens = TokenTable::new(texts.iter().map(|&text| (text, Kinds::NORMAL)));
        let mut special = SpecialTokens::default();
        let ends = complete(&mut special, &[], &mut tokens, Known::Any);
        let name = |&id: &TokenId| String::from_utf8_lossy(tokens.text(id)).into_owned();
        (ends.iter().map(name).collect(), special, tokens)
    }

    #[test]
    fn ends_are_known_by_their_text() {
        let cases: [(&[&str], &[&str]); 7] = [
            (
                &["<|ifm|im_end|>", "<|plamo:file_separator|>"],
                &["<|ifm|im_end|>", "<|plamo:file_separator|>"],
            ),
            (&["a", "<|im_end|>", "<|endoftext|>"], &["<|im_end|>", "<|endoftext|>"]),
            (&["<|end|>", "<|return|>", "<|call|>"], &["<|return|>", "<|call|>"]),
            (&["<|end|>", "<|flush|>", "<|calls|>"], &["<|flush|>", "<|calls|>"]),
            (&["<|end|>", "<|return|>"], &["<|end|>", "<|return|>"]),
            (&["</s>", "<|tool_response>"], &["<|tool_response>"]),
            (&["[PAD]", "<|fim_pad|>", "<|file_sep|>"], &["<|fim_pad|>", "<|file_sep|>"]),
        ];
        for (texts, expected) in cases {
            assert_eq!(ends_of(texts).0, expected, "{texts:?}");
        }
    }

    #[test]
    fn what_is_found_by_text_becomes_a_control_token() {
        let (_, special, tokens) = ends_of(&["<end_of_turn>", "<PRE>", "<|channel|>", "x"]);
        assert_eq!(special.eot, Some(0));
        let expected = [
            Kinds::NORMAL.or(Kinds::CONTROL),
            Kinds::NORMAL.or(Kinds::CONTROL),
            Kinds::USER_DEFINED,
            Kinds::NORMAL,
        ];
        assert!((0..4).map(|id| tokens.kinds(id)).eq(expected));
    }

    #[test]
    fn listed_ids_count_unless_out_of_range() {
        let mut tokens = TokenTable::new([("a", Kinds::NORMAL), ("b", Kinds::NORMAL)]);
        let mut special = SpecialTokens { eos: Some(1), ..SpecialTokens::default() };
        assert_eq!(complete(&mut special, &[0, 77], &mut tokens, Known::Any), [0, 1]);
    }

    #[test]
    fn text_that_looks_like_an_end_does_not_count_where_control_tokens_are_known() {
        let kinds = [Kinds::NORMAL, Kinds::CONTROL, Kinds::USER_DEFINED];
        let texts = ["</s>", "<|im_end|>", "<|fim_pad|>"];
        let mut tokens = TokenTable::new(texts.into_iter().zip(kinds));
        let mut special = SpecialTokens::default();
        assert_eq!(complete(&mut special, &[], &mut tokens, Known::Control), [1]);
        assert_eq!([0, 1, 2].map(|id| tokens.kinds(id)), kinds);
    }
}
