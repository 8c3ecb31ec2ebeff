//! Helpers for the tests of this crate.

use tenfold_formats::{Vocabulary, VocabularyKind};

/// A vocabulary of these tokens about which nothing else is known.
pub(crate) fn vocabulary(kind: VocabularyKind, tokens: &[&str]) -> Vocabulary {
    Vocabulary {
        kind,
        pre: None,
        tokens: tokens.iter().map(|&token| token.to_owned()).collect(),
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
