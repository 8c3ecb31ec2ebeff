//! The vocabulary that a GGUF file carries.

use crate::error::{FormatError, Item, Problem};
use crate::gguf::Gguf;
use crate::{TokenKind, Vocabulary, VocabularyKind};

const MODEL: &str = "tokenizer.ggml.model";
const TOKENS: &str = "tokenizer.ggml.tokens";
const SCORES: &str = "tokenizer.ggml.scores";
const KINDS: &str = "tokenizer.ggml.token_type";

/// Reads and checks the vocabulary; `None` if the file carries none.
///
/// # Errors
/// When lists differ in length, an id of a token that steers generation is out of range, text is
/// not UTF-8, or the algorithm is one that Tenfold does not know
/// ([`FormatErrorKind::Unsupported`](crate::FormatErrorKind::Unsupported)).
pub fn vocabulary(gguf: &Gguf<'_>) -> Result<Option<Vocabulary>, FormatError> {
    let Some(kind) = kind(gguf)? else { return Ok(None) };
    let tokens = tokens(gguf)?;
    let count = tokens.len();
    let ids = Ids { gguf, count };
    let usual = UsualIds::of(kind);
    Ok(Some(Vocabulary {
        kind,
        pre: pre_tokenizer(gguf)?,
        scores: scores(gguf, count)?,
        kinds: kinds(gguf, count)?,
        merges: texts(gguf, "tokenizer.ggml.merges")?.unwrap_or_default(),
        bos: ids.steering("tokenizer.ggml.bos_token_id", usual.bos)?,
        eos: ids.steering("tokenizer.ggml.eos_token_id", usual.eos)?,
        eot: ids.steering("tokenizer.ggml.eot_token_id", None)?,
        eom: ids.steering("tokenizer.ggml.eom_token_id", None)?,
        unk: ids.harmless("tokenizer.ggml.unknown_token_id", usual.unk)?,
        // The format spells it so.
        sep: ids.harmless("tokenizer.ggml.seperator_token_id", usual.sep)?,
        pad: ids.harmless("tokenizer.ggml.padding_token_id", None)?,
        // Ollama's converter writes it; llama.cpp's has no such list.
        end_of_generation: ids.list("tokenizer.ggml.eos_token_ids")?,
        add_bos: gguf.bool("tokenizer.ggml.add_bos_token")?,
        add_eos: gguf.bool("tokenizer.ggml.add_eos_token")?,
        add_space_prefix: gguf.bool("tokenizer.ggml.add_space_prefix")?,
        remove_extra_whitespaces: gguf.bool("tokenizer.ggml.remove_extra_whitespaces")?,
        precompiled_charsmap: gguf
            .bytes("tokenizer.ggml.precompiled_charsmap")?
            .map(<[u8]>::to_vec)
            .unwrap_or_default(),
        lowercase: gguf.bool("tokenizer.ggml.normalizer.lowercase")?,
        strip_accents: gguf.bool("tokenizer.ggml.normalizer.strip_accents")?,
        tokens,
    }))
}

fn kind(gguf: &Gguf<'_>) -> Result<Option<VocabularyKind>, FormatError> {
    Ok(Some(match gguf.str(MODEL)? {
        None | Some("none" | "no_vocab") => return Ok(None),
        Some("llama") => VocabularyKind::SentencePiece,
        Some("gpt2" | "gemma4" | "whitespace") => VocabularyKind::Bpe,
        Some("bert") => VocabularyKind::WordPiece,
        Some("t5") => VocabularyKind::Unigram,
        Some(other) => {
            let what = format!("a vocabulary of kind {other:?}");
            return Err(FormatError::at_key(MODEL, Problem::Unsupported { what }));
        }
    }))
}

/// Two kinds of BPE vocabulary are named after their pre-tokenizer.
fn pre_tokenizer(gguf: &Gguf<'_>) -> Result<Option<String>, FormatError> {
    let kind = gguf.str(MODEL)?.filter(|kind| ["gemma4", "whitespace"].contains(kind));
    let name = kind.map_or_else(|| gguf.str("tokenizer.ggml.pre"), |kind| Ok(Some(kind)))?;
    Ok(name.map(str::to_owned))
}

/// Ids that the reader of a file is to know where the file does not state them.
#[derive(Default)]
struct UsualIds {
    bos: Option<u32>,
    eos: Option<u32>,
    unk: Option<u32>,
    sep: Option<u32>,
}

impl UsualIds {
    fn of(kind: VocabularyKind) -> Self {
        match kind {
            VocabularyKind::SentencePiece => {
                Self { bos: Some(1), eos: Some(2), unk: Some(0), sep: None }
            }
            VocabularyKind::WordPiece => {
                Self { bos: Some(101), eos: None, unk: Some(100), sep: Some(102) }
            }
            VocabularyKind::Unigram => Self { eos: Some(1), unk: Some(2), ..Self::default() },
            VocabularyKind::Bpe => Self::default(),
        }
    }
}

fn tokens(gguf: &Gguf<'_>) -> Result<Vec<String>, FormatError> {
    let tokens = texts(gguf, TOKENS)?;
    let tokens = tokens.ok_or_else(|| FormatError::at_key(TOKENS, Problem::Missing))?;
    if tokens.is_empty() || u32::try_from(tokens.len()).is_err() {
        let problem = Problem::OutOfRange {
            value: format!("of {} tokens", tokens.len()),
            allowed: "from 1 to 4294967295 tokens".into(),
        };
        return Err(FormatError::at_key(TOKENS, problem));
    }
    Ok(tokens)
}

fn texts(gguf: &Gguf<'_>, key: &str) -> Result<Option<Vec<String>>, FormatError> {
    let Some(items) = gguf.strs(key)? else { return Ok(None) };
    items.iter().map(|text| text.map(str::to_owned)).collect::<Result<_, _>>().map(Some)
}

/// Checks that a list parallel to the tokens is long enough; what is beyond them has no meaning.
fn check_len(key: &str, len: usize, count: usize) -> Result<(), FormatError> {
    if len >= count {
        return Ok(());
    }
    let problem = Problem::Mismatch {
        found: format!("{len} long"),
        expected: count.to_string(),
        reason: TOKENS.into(),
    };
    Err(FormatError::at_key(key, problem))
}

fn scores(gguf: &Gguf<'_>, count: usize) -> Result<Vec<f32>, FormatError> {
    let Some(items) = gguf.numbers(SCORES)? else { return Ok(Vec::new()) };
    check_len(SCORES, items.len(), count)?;
    items.iter().take(count).collect()
}

fn kinds(gguf: &Gguf<'_>, count: usize) -> Result<Vec<TokenKind>, FormatError> {
    let Some(items) = gguf.i64s(KINDS)? else { return Ok(Vec::new()) };
    check_len(KINDS, items.len(), count)?;
    items.iter().take(count).enumerate().map(|(id, number)| token_kind(id, number?)).collect()
}

fn token_kind(id: usize, number: i64) -> Result<TokenKind, FormatError> {
    Ok(match number {
        1 => TokenKind::Normal,
        2 => TokenKind::Unknown,
        3 => TokenKind::Control,
        4 => TokenKind::UserDefined,
        // 0 is "undefined": such a token stands for no text either.
        0 | 5 => TokenKind::Unused,
        6 => TokenKind::Byte,
        _ => {
            let problem = Problem::OutOfRange {
                value: format!("{number} in {KINDS}"),
                allowed: "a token type from 0 to 6".into(),
            };
            return Err(FormatError::new(problem).item(Item::Token(id)));
        }
    })
}

/// Reads ids of special tokens.
struct Ids<'g, 'a> {
    gguf: &'g Gguf<'a>,
    count: usize,
}

impl Ids<'_, '_> {
    fn fits(&self, id: u32) -> bool {
        (id as usize) < self.count
    }

    /// An id that decides what is generated or where it ends: out of range is an error.
    fn steering(&self, key: &str, usual: Option<u32>) -> Result<Option<u32>, FormatError> {
        match self.gguf.u64(key)? {
            None => Ok(usual.filter(|&id| self.fits(id))),
            Some(id) => self.checked(key, id).map(Some),
        }
    }

    /// An id that text generation never uses. Fine-tuned models state padding ids just beyond
    /// their vocabulary often enough; those are left out.
    fn harmless(&self, key: &str, usual: Option<u32>) -> Result<Option<u32>, FormatError> {
        let id = self.gguf.i64(key)?.map_or(usual, |id| u32::try_from(id).ok());
        Ok(id.filter(|&id| self.fits(id)))
    }

    fn list(&self, key: &str) -> Result<Vec<u32>, FormatError> {
        let Some(items) = self.gguf.i64s(key)? else { return Ok(Vec::new()) };
        let unsigned = |id: i64| u64::try_from(id).unwrap_or(u64::MAX);
        items.iter().map(|id| self.checked(key, unsigned(id?))).collect()
    }

    fn checked(&self, key: &str, id: u64) -> Result<u32, FormatError> {
        u32::try_from(id).ok().filter(|&id| self.fits(id)).ok_or_else(|| {
            let problem = Problem::OutOfRange {
                value: id.to_string(),
                allowed: format!("the id of one of the {} tokens", self.count),
            };
            FormatError::at_key(key, problem)
        })
    }
}
