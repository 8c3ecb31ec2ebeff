//! A tokenizer from the vocabulary of a GGUF file.

use tenfold_core::TokenId;
use tenfold_formats::{TokenKind, Vocabulary, VocabularyKind};

use crate::TokenizerError;
use crate::bpe::{Bpe, PreTokenizer};
use crate::byte_level;
use crate::partition::{Partitioner, Strip};
use crate::sentencepiece::SentencePiece;
use crate::special::{self, Known, SpecialTokens};
use crate::tokenizer::{Algorithm, Model, Rules, Tokenizer};
use crate::tokens::{Kinds, TokenTable, byte_of_text};
use crate::unigram::Unigram;
use crate::wordpiece::WordPiece;

/// Facts about a model that its vocabulary does not carry.
#[derive(Clone, Copy, Debug, Default)]
pub struct VocabularyHints<'a> {
    /// The name that the file gives itself (`general.name`): the special tokens of Phi 3 swallow the
    /// white space after them, and only the name tells.
    pub model_name: Option<&'a str>,
    /// The architecture (`general.architecture`): of some embedding models the mask token swallows
    /// the white space before it.
    pub architecture: Option<&'a str>,
}

impl Tokenizer {
    /// The tokenizer of a GGUF file's vocabulary.
    ///
    /// # Errors
    /// When the vocabulary contradicts itself, or names a pre-tokenizer that nobody knows.
    pub fn from_vocabulary(vocabulary: &Vocabulary) -> Result<Self, TokenizerError> {
        Self::from_vocabulary_with(vocabulary, VocabularyHints::default())
    }

    /// The same, with further facts about the model.
    ///
    /// # Errors
    /// As [`Tokenizer::from_vocabulary`].
    pub fn from_vocabulary_with(
        vocabulary: &Vocabulary,
        hints: VocabularyHints<'_>,
    ) -> Result<Self, TokenizerError> {
        check_lengths(vocabulary)?;
        let mut notices = Vec::new();
        let pre = pre_tokenizer(vocabulary, &mut notices)?;
        let mut tokens = token_table(vocabulary);
        let algorithm = algorithm(vocabulary, pre, &tokens)?;
        let mut special = named_tokens(vocabulary);
        let listed = &vocabulary.end_of_generation;
        let end_of_generation = special::complete(&mut special, listed, &mut tokens, Known::Any);
        tokens.set_pieces(piece_rule(vocabulary.kind, pre));
        let partitioner = Partitioner::new(&tokens, strip_rule(vocabulary, hints, &tokens));
        let rules = rules(vocabulary, pre, special);
        notices.extend(odd_tokens(&tokens, &algorithm));
        notices.extend(missing_ends(vocabulary, pre, special));
        let model = Model::Own(Box::new(algorithm), partitioner);
        Ok(Self { tokens, special, end_of_generation, rules, model, notices })
    }
}

fn check_lengths(vocabulary: &Vocabulary) -> Result<(), TokenizerError> {
    let tokens = vocabulary.tokens.len();
    if tokens == 0 {
        return Err(TokenizerError::NoTokens);
    }
    let lists = [("scores", vocabulary.scores.len()), ("token types", vocabulary.kinds.len())];
    match lists.into_iter().find(|&(_, len)| len != 0 && len != tokens) {
        Some((list, found)) => Err(TokenizerError::LengthMismatch { list, tokens, found }),
        None => Ok(()),
    }
}

/// The pre-tokenizer of a BPE vocabulary; others have none.
fn pre_tokenizer(
    vocabulary: &Vocabulary,
    notices: &mut Vec<String>,
) -> Result<Option<PreTokenizer>, TokenizerError> {
    if vocabulary.kind != VocabularyKind::Bpe {
        return Ok(None);
    }
    let name = vocabulary.pre.as_deref().unwrap_or_default();
    if vocabulary.merges.is_empty() && !PreTokenizer::works_without_merges(name) {
        return Err(TokenizerError::NoMerges);
    }
    if name.is_empty() {
        notices.push(
            "The file does not name its pre-tokenizer (tokenizer.ggml.pre), so the default one is \
             used; answers may be worse. Convert the model again to fix this."
                .to_owned(),
        );
        return Ok(Some(PreTokenizer::unnamed()));
    }
    let unknown = || TokenizerError::UnknownPreTokenizer { name: name.to_owned() };
    PreTokenizer::named(name).map(Some).ok_or_else(unknown)
}

fn token_table(vocabulary: &Vocabulary) -> TokenTable {
    let kind = |id: usize| vocabulary.kinds.get(id).copied().unwrap_or(TokenKind::Normal);
    let tokens = vocabulary.tokens.iter().enumerate();
    TokenTable::new(tokens.map(|(id, text)| (text.as_str(), Kinds::from(kind(id)))))
}

fn algorithm(
    vocabulary: &Vocabulary,
    pre: Option<PreTokenizer>,
    tokens: &TokenTable,
) -> Result<Algorithm, TokenizerError> {
    let unk = in_range(vocabulary, vocabulary.unk);
    Ok(match (vocabulary.kind, pre) {
        (VocabularyKind::SentencePiece, _) => {
            Algorithm::SentencePiece(SentencePiece::new(tokens, &vocabulary.scores, unk))
        }
        (VocabularyKind::Bpe, Some(pre)) => {
            let lowercase = pre.drops_spaces && vocabulary.lowercase == Some(true);
            Algorithm::Bpe(Box::new(Bpe::new(pre, tokens, &vocabulary.merges, lowercase)))
        }
        (VocabularyKind::WordPiece, _) => {
            let lowercase = vocabulary.lowercase.unwrap_or(true);
            let strip_accents = vocabulary.strip_accents.unwrap_or(lowercase);
            Algorithm::WordPiece(WordPiece::new(tokens, unk, lowercase, strip_accents))
        }
        (VocabularyKind::Unigram, _) => {
            Algorithm::Unigram(Box::new(Unigram::new(tokens, vocabulary, unk)?))
        }
        (other, _) => return Err(TokenizerError::UnknownKind { kind: format!("{other:?}") }),
    })
}

fn in_range(vocabulary: &Vocabulary, id: Option<TokenId>) -> Option<TokenId> {
    id.filter(|&id| (id as usize) < vocabulary.tokens.len())
}

fn named_tokens(vocabulary: &Vocabulary) -> SpecialTokens {
    let id = |id| in_range(vocabulary, id);
    SpecialTokens {
        bos: id(vocabulary.bos),
        eos: id(vocabulary.eos),
        eot: id(vocabulary.eot),
        eom: id(vocabulary.eom),
        unk: id(vocabulary.unk),
        sep: id(vocabulary.sep),
        pad: id(vocabulary.pad),
    }
}

/// Whether the vocabulary puts `bos` first and `eos` last.
fn adds_ends(vocabulary: &Vocabulary, pre: Option<PreTokenizer>) -> (bool, bool) {
    let (bos, eos) = match vocabulary.kind {
        VocabularyKind::SentencePiece | VocabularyKind::WordPiece => (true, false),
        VocabularyKind::Unigram => (false, true),
        _ => (pre.is_some_and(|pre| pre.adds_bos), false),
    };
    let always_bos = pre.is_some_and(|pre| pre.always_adds_bos);
    (always_bos || vocabulary.add_bos.unwrap_or(bos), vocabulary.add_eos.unwrap_or(eos))
}

fn rules(vocabulary: &Vocabulary, pre: Option<PreTokenizer>, special: SpecialTokens) -> Rules {
    let (adds_bos, adds_eos) = adds_ends(vocabulary, pre);
    let (first, last) = match vocabulary.kind {
        // WordPiece frames every text, whatever the file says.
        VocabularyKind::WordPiece => (special.bos, special.sep),
        _ => (special.bos.filter(|_| adds_bos), special.eos.filter(|_| adds_eos)),
    };
    let is_sentencepiece = vocabulary.kind == VocabularyKind::SentencePiece;
    let is_unigram = vocabulary.kind == VocabularyKind::Unigram;
    Rules {
        first,
        last,
        adds_space: vocabulary.add_space_prefix.unwrap_or(is_sentencepiece)
            && (is_sentencepiece || is_unigram),
        escapes_spaces: is_sentencepiece || pre.is_some_and(|pre| pre.escapes_spaces),
        marks_lines: pre.is_some_and(|pre| pre.marks_lines),
        cleans_spaces: vocabulary.kind == VocabularyKind::WordPiece
            || pre.is_some_and(|pre| pre.cleans_spaces),
    }
}

/// What a token puts out.
fn piece_rule(kind: VocabularyKind, pre: Option<PreTokenizer>) -> impl Fn(&str, Kinds) -> Vec<u8> {
    let is_byte_level = kind == VocabularyKind::Bpe && !pre.is_some_and(|pre| pre.escapes_spaces);
    move |text, kinds| {
        if kinds.is_special() || kinds.is(Kinds::USER_DEFINED) {
            return text.as_bytes().to_vec();
        }
        if kinds.is(Kinds::BYTE) {
            return byte_of_text(text).map_or_else(|| text.into(), |byte| vec![byte]);
        }
        match (kinds.is(Kinds::NORMAL), is_byte_level) {
            (true, true) => byte_level::decode(text).unwrap_or_else(|| text.into()),
            (true, false) => text.replace('▁', " ").into_bytes(),
            (false, _) => Vec::new(),
        }
    }
}

/// Which special tokens swallow the white space beside them; no file says so itself.
fn strip_rule(
    vocabulary: &Vocabulary,
    hints: VocabularyHints<'_>,
    tokens: &TokenTable,
) -> impl Fn(TokenId) -> Strip {
    let name = hints.model_name.unwrap_or_default().to_lowercase();
    let pre = vocabulary.pre.as_deref().unwrap_or_default();
    let architecture = hints.architecture.unwrap_or_default();
    let find = |text: &str| tokens.find(text.as_bytes());
    let has_mask = ["jina-v2-de", "jina-v2-es", "jina-v2-code", "mmbert"].contains(&pre)
        || ["nomic-bert-moe", "jina-bert-v3"].contains(&architecture);
    let is_phi3 = !has_mask && (name.contains("phi-3") || name.contains("phi3"));
    let mask = match () {
        () if has_mask => find("<mask>"),
        () if !is_phi3 && name.contains("modern-bert") => find("[MASK]"),
        () => None,
    };
    let apart = ["<unk>", "<s>", "<|endoftext|>"].map(find);
    move |id| Strip { left: mask == Some(id), right: is_phi3 && !apart.contains(&Some(id)) }
}

fn odd_tokens(tokens: &TokenTable, algorithm: &Algorithm) -> Vec<String> {
    let mut notices = Vec::new();
    if tokens.duplicates() > 0 {
        notices.push(format!(
            "{} tokens of the vocabulary have the same text as another one; only the last of them \
             is used.",
            tokens.duplicates()
        ));
    }
    if let Algorithm::SentencePiece(model) = algorithm {
        let missing = model.bytes_without_token();
        if missing > 0 {
            notices.push(format!(
                "The vocabulary has no token for {missing} of the 256 bytes; characters that need \
                 them are left out of prompts."
            ));
        }
    }
    notices
}

fn missing_ends(
    vocabulary: &Vocabulary,
    pre: Option<PreTokenizer>,
    special: SpecialTokens,
) -> Option<String> {
    let (adds_bos, adds_eos) = adds_ends(vocabulary, pre);
    let missing = [
        ("beginning", adds_bos && special.bos.is_none()),
        ("end", adds_eos && special.eos.is_none()),
    ];
    let (which, _) = missing.into_iter().find(|&(_, is_missing)| is_missing)?;
    Some(format!(
        "The vocabulary asks for a {which}-of-text token but names none, so none is added."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::vocabulary;
    use crate::{DetokenizeOptions, TokenizeOptions, TokenizerErrorKind};

    #[test]
    fn what_contradicts_itself_is_refused() {
        let bpe = || Vocabulary {
            pre: Some("gpt-2".to_owned()),
            merges: vec!["a b".to_owned()],
            ..vocabulary(VocabularyKind::Bpe, &["a", "b"])
        };
        let cases = [
            (vocabulary(VocabularyKind::Bpe, &[]), TokenizerErrorKind::InvalidVocabulary),
            (Vocabulary { scores: vec![1.0], ..bpe() }, TokenizerErrorKind::InvalidVocabulary),
            (Vocabulary { merges: vec![], ..bpe() }, TokenizerErrorKind::InvalidVocabulary),
            (Vocabulary { pre: Some("x".to_owned()), ..bpe() }, TokenizerErrorKind::Unsupported),
            (
                Vocabulary {
                    precompiled_charsmap: vec![1],
                    ..vocabulary(VocabularyKind::Unigram, &["a"])
                },
                TokenizerErrorKind::InvalidVocabulary,
            ),
        ];
        for (vocabulary, kind) in cases {
            let error = Tokenizer::from_vocabulary(&vocabulary).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
        }
        assert!(Tokenizer::from_vocabulary(&bpe()).unwrap().notices().is_empty());
    }

    #[test]
    fn a_missing_pre_tokenizer_is_said_aloud() {
        let mut unnamed = vocabulary(VocabularyKind::Bpe, &["a", "b", "ab"]);
        unnamed.merges = vec!["a b".to_owned()];
        let tokenizer = Tokenizer::from_vocabulary(&unnamed).unwrap();
        assert!(tokenizer.notices()[0].contains("tokenizer.ggml.pre"));
        assert_eq!(tokenizer.tokenize(b"ab", TokenizeOptions::plain()).unwrap(), [2]);
    }

    #[test]
    fn hostile_vocabularies_do_no_harm() {
        let mut odd = vocabulary(VocabularyKind::SentencePiece, &["", "", "x", "x", "<0xZZ>"]);
        odd.kinds = vec![TokenKind::Byte; 5];
        (odd.bos, odd.eos, odd.unk) = (Some(99), Some(u32::MAX), Some(5));
        odd.end_of_generation = vec![99];
        let tokenizer = Tokenizer::from_vocabulary(&odd).unwrap();
        assert_eq!(tokenizer.tokenize("xé".as_bytes(), TokenizeOptions::default()).unwrap(), [3]);
        assert_eq!(tokenizer.token_bytes(4), b"<0xZZ>");
        assert_eq!(tokenizer.detokenize(&[3, 99, 2], DetokenizeOptions::default()), b"xx");
        assert_eq!(tokenizer.notices().len(), 3, "{:?}", tokenizer.notices());
        assert!(tokenizer.end_of_generation().is_empty());
    }

    #[test]
    fn the_space_before_a_text_comes_and_goes() {
        let mut llama =
            vocabulary(VocabularyKind::SentencePiece, &["<unk>", "<s>", "▁", "a", "▁a"]);
        llama.kinds = vec![TokenKind::Normal; 5];
        llama.kinds[1] = TokenKind::Control;
        llama.bos = Some(1);
        let tokenizer = Tokenizer::from_vocabulary(&llama).unwrap();
        let ids = tokenizer
            .tokenize(b"a<s>a", TokenizeOptions { parse_special: true, ..Default::default() });
        assert_eq!(ids.unwrap(), [1, 4, 1, 4]);
        let cases = [
            (DetokenizeOptions { skip_special: true, ..Default::default() }, "a a"),
            (DetokenizeOptions::default(), "<s> a a"),
            (
                DetokenizeOptions { continues: true, skip_special: true, ..Default::default() },
                " a a",
            ),
        ];
        for (options, expected) in cases {
            assert_eq!(tokenizer.detokenize(&[1, 4, 4], options), expected.as_bytes());
        }
    }

    #[test]
    fn special_tokens_of_phi3_swallow_what_follows() {
        let mut phi =
            vocabulary(VocabularyKind::SentencePiece, &["<s>", "<|end|>", "\n", "a", " "]);
        phi.kinds = vec![TokenKind::Normal; 5];
        phi.kinds[..2].fill(TokenKind::Control);
        phi.add_space_prefix = Some(false);
        let hints =
            VocabularyHints { model_name: Some("Phi-3 Mini"), ..VocabularyHints::default() };
        let options = TokenizeOptions::rendered();
        let with = Tokenizer::from_vocabulary_with(&phi, hints).unwrap();
        assert_eq!(with.tokenize(b"<|end|>\n\na<s>\n", options).unwrap(), [1, 3, 0, 2]);
        let without = Tokenizer::from_vocabulary(&phi).unwrap();
        assert_eq!(without.tokenize(b"<|end|>\n\na", options).unwrap(), [1, 2, 2, 3]);
    }
}
