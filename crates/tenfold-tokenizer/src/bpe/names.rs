//! The pre-tokenizers by the names that files use.

use super::pattern::{
    BAILING, DEEPSEEK3, EXAONE_MOE, GPT4O, GRANITE_EMBEDDING, IMAGES, INDENTS, JAIS2, MARKS,
    MINICPM5, SEED_CODER, SENTINELS, SPARK, TEKKEN, TINY_AYA, UFAKZEKA, YOUTU,
};
use super::sets::{self, Set};
use super::split::{Lead, Runs, Step};
use super::words::{Letters, Words};

/// What a vocabulary's symbols are before anything is merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// Bytes, written in the byte-level alphabet.
    Bytes,
    /// Characters as they are.
    Characters,
}

/// How a BPE vocabulary cuts text into words, and what goes with it.
#[derive(Clone, Copy)]
pub(crate) struct PreTokenizer {
    /// Cuts one after the other.
    pub(super) steps: &'static [Step],
    /// A word that is a token needs no merges.
    pub(super) ignore_merges: bool,
    /// Symbols of the vocabulary.
    pub(crate) spelling: Spelling,
    /// Spaces are written as U+2581.
    pub(crate) escapes_spaces: bool,
    /// Each line begins with a U+2581, its own or an added one.
    pub(crate) marks_lines: bool,
    /// A run of line ends that is a token needs no merges.
    pub(super) whole_newlines: bool,
    /// White space is not tokenized.
    pub(crate) drops_spaces: bool,
    /// Text begins with the beginning-of-text token unless the file says otherwise.
    pub(crate) adds_bos: bool,
    /// It does so even if the file says otherwise.
    pub(crate) always_adds_bos: bool,
    /// Spaces before punctuation are an artefact of detokenizing.
    pub(crate) cleans_spaces: bool,
}

impl std::fmt::Debug for PreTokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PreTokenizer").field("steps", &self.steps.len()).finish_non_exhaustive()
    }
}

const fn runs(set: Set, lead: Lead, max: usize) -> Step {
    Step::Runs(Runs { set, lead, min: 1, max })
}

const fn all(set: Set) -> Step {
    runs(set, Lead::Nothing, usize::MAX)
}

const fn words(digits: usize, letters: Letters) -> Step {
    Step::Words(Words { digits, letters })
}

const DIGIT: Step = runs(sets::number, Lead::Nothing, 1);
const UP_TO_3_DIGITS: Step = runs(sets::number, Lead::Nothing, 3);
const LINE_END: Step = runs(sets::line_end, Lead::Nothing, 1);
const THREE_DIGITS: Step =
    Step::Runs(Runs { set: sets::ascii_digit, lead: Lead::Nothing, min: 3, max: 3 });
const BLOOM_WORDS: Step = runs(sets::bloom_word, Lead::Space, usize::MAX);

static GPT2: [Step; 1] = [Step::Gpt2];
static DIGITS_APART: [Step; 2] = [DIGIT, Step::Gpt2];
static LLAMA3: [Step; 1] = [words(3, Letters::Plain)];
static QWEN2: [Step; 1] = [words(1, Letters::Plain)];
static QWEN35: [Step; 1] = [words(1, Letters::Marked)];
static K2_HORIZON: [Step; 1] = [words(3, Letters::Joined)];
static JAIS: [Step; 1] = [Step::Pattern(&JAIS2)];
static DEEPSEEK_LLM: [Step; 6] = [
    LINE_END,
    runs(sets::deepseek_letter, Lead::AnySpace, usize::MAX),
    runs(sets::deepseek_punctuation, Lead::AnySpace, usize::MAX),
    Step::TrailingSpace,
    all(sets::wide_cjk),
    all(sets::number),
];
static DEEPSEEK_CODER: [Step; 5] = [
    LINE_END,
    runs(sets::letter, Lead::AnySpace, usize::MAX),
    runs(sets::punctuation, Lead::AnySpace, usize::MAX),
    all(sets::wide_cjk),
    DIGIT,
];
static DEEPSEEK_V3: [Step; 3] = [UP_TO_3_DIGITS, all(sets::cjk), Step::Pattern(&DEEPSEEK3)];
static SPARK25: [Step; 4] = [UP_TO_3_DIGITS, all(sets::cjk), Step::Pattern(&SPARK), DIGIT];
static YOUTU_STEPS: [Step; 5] = [
    all(sets::hangul),
    all(sets::chinese_punctuation),
    all(sets::bopomofo),
    all(sets::cjk),
    Step::Pattern(&YOUTU),
];
static FALCON: [Step; 3] = [all(sets::falcon_symbol), Step::Gpt2, THREE_DIGITS];
static BLOOM: [Step; 1] = [BLOOM_WORDS];
static VIKING: [Step; 2] = [BLOOM_WORDS, DIGIT];
static CHAMELEON: [Step; 6] = [
    Step::Pattern(&SENTINELS),
    Step::Pattern(&IMAGES),
    Step::Pattern(&INDENTS),
    DIGIT,
    Step::Pattern(&MARKS),
    Step::Gpt2,
];
static AYA: [Step; 2] = [Step::DigitGroups, Step::Pattern(&TINY_AYA)];
static KIMI: [Step; 1] = [Step::Kimi];
static SUPERBPE: [Step; 2] = [all(sets::number), Step::Thousands];
static AFMOE: [Step; 3] = [Step::DigitGroups, all(sets::asian), Step::Pattern(&DEEPSEEK3)];
static LINES: [Step; 1] = [all(sets::newline)];
static MARKED_LINES: [Step; 2] = [all(sets::newline), Step::BeforeMarkers];
static LAGUNA: [Step; 2] = [all(sets::newline), words(1, Letters::Plain)];
static MINICPM: [Step; 2] = [UP_TO_3_DIGITS, Step::Pattern(&MINICPM5)];
static NOT_SPACE: [Step; 1] = [all(sets::not_space)];
static DEFAULT: [Step; 4] = [all(sets::symbol), Step::Gpt2, all(sets::number), THREE_DIGITS];
static TEKKEN_STEPS: [Step; 1] = [Step::Pattern(&TEKKEN)];
static GPT4O_STEPS: [Step; 1] = [Step::Pattern(&GPT4O)];
static GRANITE: [Step; 1] = [Step::Pattern(&GRANITE_EMBEDDING)];
static BAILING_STEPS: [Step; 1] = [Step::Pattern(&BAILING)];
static SEED: [Step; 1] = [Step::Pattern(&SEED_CODER)];
static UFAKZEKA_STEPS: [Step; 1] = [Step::Pattern(&UFAKZEKA)];
static EXAONE: [Step; 1] = [Step::Pattern(&EXAONE_MOE)];

impl PreTokenizer {
    /// Byte-level, without any of the special rules.
    const fn of(steps: &'static [Step]) -> Self {
        Self {
            steps,
            ignore_merges: false,
            spelling: Spelling::Bytes,
            escapes_spaces: false,
            marks_lines: false,
            whole_newlines: false,
            drops_spaces: false,
            adds_bos: false,
            always_adds_bos: false,
            cleans_spaces: false,
        }
    }

    const fn cleaning(steps: &'static [Step]) -> Self {
        Self { cleans_spaces: true, ..Self::of(steps) }
    }

    /// Characters instead of bytes, with U+2581 for spaces.
    const fn characters() -> Self {
        Self { spelling: Spelling::Characters, escapes_spaces: true, ..Self::of(&LINES) }
    }

    /// What files without a name mean.
    pub(crate) const fn unnamed() -> Self {
        Self::cleaning(&DEFAULT)
    }

    /// The pre-tokenizer with this name; `None` if nobody knows it.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::llama_like(name)
            .or_else(|| Self::gpt2_like(name))
            .or_else(|| Self::qwen_like(name))
            .or_else(|| Self::with_own_steps(name))
    }

    fn llama_like(name: &str) -> Option<Self> {
        let llama = Self { ignore_merges: true, adds_bos: true, ..Self::cleaning(&LLAMA3) };
        Some(match name {
            "llama3" | "llama-v3" | "llama-bpe" | "falcon3" | "falcon-h1" | "pixtral"
            | "midm-2.0" | "lfm2" | "jina-v5-nano" => llama,
            "glm4" | "glm5" => Self { adds_bos: false, ..llama },
            "dbrx" | "smaug-bpe" | "chatglm-bpe" => Self::cleaning(&LLAMA3),
            _ => return None,
        })
    }

    fn gpt2_like(name: &str) -> Option<Self> {
        Some(match name {
            "gpt-2" | "phi-2" | "jina-es" | "jina-de" | "gigachat" | "jina-v2-es"
            | "jina-v2-de" | "a.x-4.0" | "mellum" | "modern-bert" | "jina-v1-en"
            | "jina-v2-code" | "roberta-bpe" | "mpt" | "olmo" | "jais" | "exaone4" => {
                Self::cleaning(&GPT2)
            }
            "trillion" | "granite-docling" => Self::of(&GPT2),
            "starcoder" | "refact" | "codeshell" | "exaone" | "minerva-7b" | "mellum2" => {
                Self::cleaning(&DIGITS_APART)
            }
            "command-r" | "smollm" => Self::of(&DIGITS_APART),
            "falcon" => Self::cleaning(&FALCON),
            "default" => Self::unnamed(),
            _ => return None,
        })
    }

    fn qwen_like(name: &str) -> Option<Self> {
        Some(match name {
            "qwen2" | "deepseek-r1-qwen" | "kormo" | "f2llmv2" | "hunyuan" | "solar-open"
            | "grok-2" => Self::of(&QWEN2),
            "stablelm2" | "megrez" => Self::cleaning(&QWEN2),
            "qwen35" => Self::of(&QWEN35),
            "laguna" => Self::of(&LAGUNA),
            "ufakzeka" => Self::of(&UFAKZEKA_STEPS),
            "bailingmoe" | "bailingmoe2" | "llada-moe" => Self::of(&BAILING_STEPS),
            "seed-coder" => Self::of(&SEED),
            "exaone-moe" => Self::cleaning(&EXAONE),
            "minicpm5" => Self { ignore_merges: true, ..Self::cleaning(&MINICPM) },
            "jais-2" => Self::cleaning(&JAIS),
            _ => return None,
        })
    }

    fn with_own_steps(name: &str) -> Option<Self> {
        let whole_words = |steps| Self { ignore_merges: true, ..Self::of(steps) };
        Some(match name {
            "deepseek-llm" => Self::of(&DEEPSEEK_LLM),
            "deepseek-coder" => Self::of(&DEEPSEEK_CODER),
            "deepseek-v3" | "hunyuan-dense" | "hy_v4" | "joyai-llm" => Self::of(&DEEPSEEK_V3),
            "spark2_5" => Self::of(&SPARK25),
            "youtu" => whole_words(&YOUTU_STEPS),
            "tekken" => Self { adds_bos: true, ..whole_words(&TEKKEN_STEPS) },
            "gpt-4o" | "llama4" | "kanana2" | "talkie" | "minimax-m2" => Self::of(&GPT4O_STEPS),
            "granite-embed-multi-97m" => whole_words(&GRANITE),
            "tiny_aya" | "cohere2moe" => Self::of(&AYA),
            "kimi-k2" => Self::of(&KIMI),
            "k2-horizon" => Self::of(&K2_HORIZON),
            "superbpe" => Self::of(&SUPERBPE),
            "afmoe" => Self::of(&AFMOE),
            "bloom" | "gpt3-finnish" => Self::cleaning(&BLOOM),
            "poro-chat" => Self::of(&BLOOM),
            "viking" => Self::of(&VIKING),
            "chameleon" => Self { adds_bos: true, ..Self::of(&CHAMELEON) },
            "gemma4" | "granite-embed-multi-311m" => Self {
                whole_newlines: true,
                always_adds_bos: true,
                cleans_spaces: true,
                ..Self::characters()
            },
            "mmbert" => Self {
                steps: &MARKED_LINES,
                marks_lines: true,
                cleans_spaces: true,
                ..Self::characters()
            },
            "sarvam-moe" => Self::characters(),
            "whitespace" => Self {
                drops_spaces: true,
                spelling: Spelling::Characters,
                ..Self::cleaning(&NOT_SPACE)
            },
            _ => return None,
        })
    }

    /// True if the vocabulary works without a merge list.
    pub(crate) fn works_without_merges(name: &str) -> bool {
        name == "kimi-k2"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_share_steps_may_differ_in_flags() {
        let flags = |name: &str| {
            let pre = PreTokenizer::named(name).unwrap();
            (pre.ignore_merges, pre.adds_bos, pre.cleans_spaces)
        };
        let cases = [
            ("llama-bpe", (true, true, true)),
            ("glm4", (true, false, true)),
            ("chatglm-bpe", (false, false, true)),
            ("qwen2", (false, false, false)),
            ("megrez", (false, false, true)),
            ("tekken", (true, true, false)),
            ("smollm", (false, false, false)),
            ("starcoder", (false, false, true)),
        ];
        for (name, expected) in cases {
            assert_eq!(flags(name), expected, "{name}");
        }
    }

    #[test]
    fn what_is_unknown_has_no_pre_tokenizer() {
        for name in ["", "Qwen2", "llama9"] {
            assert!(PreTokenizer::named(name).is_none(), "{name}");
        }
    }
}
