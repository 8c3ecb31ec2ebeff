//! Small vocabularies that really work: every byte can be written, common words are one token.

use tenfold_formats::{TokenKind, Vocabulary, VocabularyKind};

use super::train::{self, Merge};
use crate::text;

/// Which vocabulary a tiny model has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TinyVocabulary {
    /// Byte-level BPE with this pre-tokenizer (`tokenizer.ggml.pre`) and ChatML tokens.
    Bpe(&'static str),
    /// SentencePiece as Llama 2 has it: a space before the text, byte fallback.
    Llama,
    /// Llama 2's with the turn tokens of Phi 3.
    Phi3,
    /// SentencePiece as Gemma has it: no space before the text, turn tokens.
    Gemma,
}

/// The space of a SentencePiece vocabulary.
pub(super) const SPACE: char = '\u{2581}';

const BPE_MERGES: usize = 120;
const PIECES: usize = 100;

/// Characters beyond ASCII that the SentencePiece vocabularies know without byte fallback.
const CHARACTERS: &str = "äéñøßЖяλעم你好世界日本한";

impl TinyVocabulary {
    /// Makes it.
    pub fn make(self) -> Vocabulary {
        match self {
            Self::Bpe(pre) => bpe(pre),
            Self::Llama => sentence_piece(&["<unk>", "<s>", "</s>"], &[]),
            Self::Phi3 => {
                let turns = ["<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"];
                let vocabulary = sentence_piece(&["<unk>", "<s>", "</s>"], &turns);
                Vocabulary { eot: id(&vocabulary, "<|end|>"), ..vocabulary }
            }
            Self::Gemma => gemma(),
        }
    }

    /// A chat template that uses its special tokens.
    pub const fn chat_template(self) -> &'static str {
        match self {
            Self::Bpe(_) => CHATML,
            Self::Llama => ZEPHYR,
            Self::Phi3 => PHI3,
            Self::Gemma => GEMMA,
        }
    }
}

const CHATML: &str = "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + \
    message['content'] + '<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}\
    {{ '<|im_start|>assistant\n' }}{% endif %}";

const ZEPHYR: &str = "{% for message in messages %}{{ '<|' + message['role'] + '|>\n' + \
    message['content'] + eos_token + '\n' }}{% endfor %}{% if add_generation_prompt %}\
    {{ '<|assistant|>\n' }}{% endif %}";

const PHI3: &str = "{% for message in messages %}{{ '<|' + message['role'] + '|>\n' + \
    message['content'] + '<|end|>\n' }}{% endfor %}{% if add_generation_prompt %}\
    {{ '<|assistant|>\n' }}{% endif %}";

const GEMMA: &str = "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{% set first = \
    messages[0]['content'] + '\n\n' %}{% set turns = messages[1:] %}{% else %}{% set first = '' \
    %}{% set turns = messages %}{% endif %}{% for message in turns %}{% set role = 'model' if \
    message['role'] == 'assistant' else message['role'] %}{{ '<start_of_turn>' + role + '\n' + \
    (first if loop.first else '') + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}\
    {% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}";

fn bpe(pre: &str) -> Vocabulary {
    let merges = train::merges(text::page(), BPE_MERGES, |word| spell_bytes(word.as_bytes()));
    let mut vocabulary = empty(VocabularyKind::Bpe);
    vocabulary.pre = Some(pre.to_owned());
    vocabulary.tokens = byte_characters().map(|(_, character)| character.to_string()).collect();
    vocabulary.tokens.extend(merges.iter().map(|(left, right)| format!("{left}{right}")));
    vocabulary.merges = merges.iter().map(|(left, right)| format!("{left} {right}")).collect();
    vocabulary.kinds = vec![TokenKind::Normal; vocabulary.tokens.len()];
    for special in ["<|endoftext|>", "<|im_start|>", "<|im_end|>"] {
        push(&mut vocabulary, special, TokenKind::Control);
    }
    push(&mut vocabulary, "<tool_call>", TokenKind::UserDefined);
    vocabulary.bos = id(&vocabulary, "<|endoftext|>");
    vocabulary.pad = vocabulary.bos;
    vocabulary.eos = id(&vocabulary, "<|im_end|>");
    vocabulary.add_bos = Some(false);
    vocabulary
}

fn gemma() -> Vocabulary {
    let vocabulary = sentence_piece(
        &["<pad>", "<eos>", "<bos>", "<unk>"],
        &["<start_of_turn>", "<end_of_turn>"],
    );
    Vocabulary {
        bos: id(&vocabulary, "<bos>"),
        eos: id(&vocabulary, "<eos>"),
        unk: id(&vocabulary, "<unk>"),
        pad: id(&vocabulary, "<pad>"),
        eot: id(&vocabulary, "<end_of_turn>"),
        add_space_prefix: Some(false),
        ..vocabulary
    }
}

fn sentence_piece(first: &[&str], turns: &[&str]) -> Vocabulary {
    let mut vocabulary = empty(VocabularyKind::SentencePiece);
    for token in first {
        let kind = if *token == "<unk>" { TokenKind::Unknown } else { TokenKind::Control };
        push(&mut vocabulary, token, kind);
    }
    for byte in 0..=u8::MAX {
        push(&mut vocabulary, &format!("<0x{byte:02X}>"), TokenKind::Byte);
    }
    for (left, right) in pieces() {
        push(&mut vocabulary, &format!("{left}{right}"), TokenKind::Normal);
    }
    let printable = (' '..='~').map(|c| if c == ' ' { SPACE } else { c });
    for character in printable.chain(CHARACTERS.chars()) {
        push(&mut vocabulary, &character.to_string(), TokenKind::Normal);
    }
    for turn in turns {
        push(&mut vocabulary, turn, TokenKind::Control);
    }
    score(&mut vocabulary);
    vocabulary.pre = Some("default".to_owned());
    vocabulary.bos = id(&vocabulary, "<s>");
    vocabulary.eos = id(&vocabulary, "</s>");
    vocabulary.unk = id(&vocabulary, "<unk>");
    vocabulary.add_bos = Some(true);
    vocabulary.add_space_prefix = Some(true);
    vocabulary
}

/// The merges of the SentencePiece vocabularies, best first.
pub(super) fn pieces() -> Vec<Merge> {
    let spell =
        |word: &str| word.chars().map(|c| if c == ' ' { SPACE } else { c }.to_string()).collect();
    train::merges(text::page(), PIECES, spell)
}

/// Earlier pieces are better: their scores are larger.
fn score(vocabulary: &mut Vocabulary) {
    let mut rank = 0.0;
    for kind in &vocabulary.kinds {
        let normal = *kind == TokenKind::Normal;
        vocabulary.scores.push(if normal { -rank } else { 0.0 });
        rank += f32::from(u8::from(normal));
    }
}

fn push(vocabulary: &mut Vocabulary, token: &str, kind: TokenKind) {
    vocabulary.tokens.push(token.to_owned());
    vocabulary.kinds.push(kind);
}

fn id(vocabulary: &Vocabulary, token: &str) -> Option<u32> {
    vocabulary.tokens.iter().position(|other| other == token).map(|id| id as u32)
}

/// The printable character that byte-level BPE writes for each byte, in GPT-2's order.
fn byte_characters() -> impl Iterator<Item = (u8, char)> {
    let printable = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    let own = (0..=u8::MAX).filter(printable).map(|byte| (byte, char::from(byte)));
    let moved = (0..=u8::MAX).filter(move |byte| !printable(byte));
    own.chain(moved.zip('\u{100}'..))
}

fn spell_bytes(bytes: &[u8]) -> Vec<String> {
    let table: Vec<(u8, char)> = byte_characters().collect();
    let spelled = bytes.iter().filter_map(|byte| table.iter().find(|(other, _)| other == byte));
    spelled.map(|(_, character)| character.to_string()).collect()
}

fn empty(kind: VocabularyKind) -> Vocabulary {
    Vocabulary {
        kind,
        pre: None,
        tokens: Vec::new(),
        scores: Vec::new(),
        kinds: Vec::new(),
        merges: Vec::new(),
        bos: None,
        eos: None,
        eot: None,
        eom: None,
        unk: None,
        sep: None,
        pad: None,
        end_of_generation: Vec::new(),
        add_bos: None,
        add_eos: None,
        add_space_prefix: None,
        remove_extra_whitespaces: None,
        precompiled_charsmap: Vec::new(),
        lowercase: None,
        strip_accents: None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const ALL: [TinyVocabulary; 4] = [
        TinyVocabulary::Bpe("qwen2"),
        TinyVocabulary::Llama,
        TinyVocabulary::Phi3,
        TinyVocabulary::Gemma,
    ];

    #[test]
    fn tokens_are_unique_and_every_list_is_as_long() {
        for kind in ALL {
            let vocabulary = kind.make();
            let count = vocabulary.tokens.len();
            assert_eq!(vocabulary.tokens.iter().collect::<BTreeSet<_>>().len(), count, "{kind:?}");
            assert_eq!(vocabulary.kinds.len(), count);
            assert!((350..600).contains(&count), "{kind:?}: {count}");
            assert!(vocabulary.scores.is_empty() || vocabulary.scores.len() == count);
            assert!(vocabulary.bos.is_some() && vocabulary.eos.is_some());
        }
    }

    #[test]
    fn every_merge_makes_a_token_out_of_tokens() {
        let vocabulary = TinyVocabulary::Bpe("qwen2").make();
        let tokens: BTreeSet<_> = vocabulary.tokens.iter().map(String::as_str).collect();
        for merge in &vocabulary.merges {
            let (left, right) = merge.split_once(' ').unwrap();
            assert!(tokens.contains(left) && tokens.contains(right), "{merge}");
            assert!(tokens.contains(format!("{left}{right}").as_str()), "{merge}");
        }
    }

    #[test]
    fn the_byte_alphabet_is_that_of_gpt2() {
        let table: Vec<_> = byte_characters().collect();
        assert_eq!(table.len(), 256);
        assert_eq!(table[0], (b'!', '!'));
        assert!(table.contains(&(b' ', '\u{120}')) && table.contains(&(b'\n', '\u{10a}')));
        assert_eq!(table.iter().map(|(_, c)| c).collect::<BTreeSet<_>>().len(), 256);
    }
}
