//! Vocabularies of GGUF files.

use tenfold_formats::gguf::Gguf;
use tenfold_formats::gguf::write::Builder;
use tenfold_formats::{
    FormatError, FormatErrorKind, TokenKind, Vocabulary, VocabularyKind, describe_gguf, vocabulary,
};

use crate::models::add_vocabulary;

fn read(builder: &Builder<'_>) -> Result<Option<Vocabulary>, FormatError> {
    vocabulary(&Gguf::parse(&builder.to_bytes().unwrap()).unwrap())
}

/// A vocabulary of ten tokens with a change.
fn changed(change: impl Fn(&mut Builder<'_>)) -> Result<Option<Vocabulary>, FormatError> {
    let mut builder = Builder::new();
    add_vocabulary(&mut builder);
    change(&mut builder);
    read(&builder)
}

#[test]
fn a_file_without_tensors_has_a_vocabulary() {
    let mut builder = Builder::new();
    builder.set("general.architecture", "llama");
    add_vocabulary(&mut builder);
    let model = describe_gguf(&[&builder.to_bytes().unwrap()]).unwrap();
    assert_eq!(model.config.vocabulary_size, 10);
    let vocabulary = model.vocabulary.unwrap();
    assert_eq!(vocabulary.kind, VocabularyKind::SentencePiece);
    assert_eq!((vocabulary.tokens.len(), vocabulary.tokens[9].as_str()), (10, "t9"));
    assert_eq!(vocabulary.scores, [0.5; 10]);
    assert_eq!(vocabulary.kinds, [TokenKind::Normal; 10]);
    assert_eq!((vocabulary.bos, vocabulary.eos), (Some(1), Some(2)));
    assert_eq!((vocabulary.add_bos, vocabulary.add_eos), (Some(true), None));

    let mut nameless = Builder::new();
    add_vocabulary(&mut nameless);
    let model = describe_gguf(&[&nameless.to_bytes().unwrap()]).unwrap();
    assert_eq!(model.architecture, "unknown");
    assert!(model.vocabulary.is_some());
}

#[test]
fn every_field_has_its_key() {
    let vocabulary = changed(|b| {
        b.set("tokenizer.ggml.model", "gpt2").set("tokenizer.ggml.pre", "llama-bpe");
        b.set("tokenizer.ggml.merges", &["t 0", "t 1"]);
        for (id, key) in ["eot", "eom", "unknown", "seperator", "padding"].iter().zip(3_u32..) {
            b.set(&format!("tokenizer.ggml.{id}_token_id"), &key);
        }
        b.set("tokenizer.ggml.add_eos_token", &false);
        b.set("tokenizer.ggml.add_space_prefix", &false);
        b.set("tokenizer.ggml.remove_extra_whitespaces", &true);
        b.set("tokenizer.ggml.precompiled_charsmap", &[1_u8, 2, 255]);
        b.set("tokenizer.ggml.eos_token_ids", &[2_i32, 9]);
    });
    let vocabulary = vocabulary.unwrap().unwrap();
    assert_eq!(vocabulary.kind, VocabularyKind::Bpe);
    assert_eq!(vocabulary.pre.as_deref(), Some("llama-bpe"));
    assert_eq!(vocabulary.merges, ["t 0", "t 1"]);
    let ids = [vocabulary.eot, vocabulary.eom, vocabulary.unk, vocabulary.sep, vocabulary.pad];
    assert_eq!(ids, [Some(3), Some(4), Some(5), Some(6), Some(7)]);
    assert_eq!(vocabulary.add_eos, Some(false));
    assert_eq!(vocabulary.add_space_prefix, Some(false));
    assert_eq!(vocabulary.remove_extra_whitespaces, Some(true));
    assert_eq!(vocabulary.precompiled_charsmap, [1, 2, 255]);
    assert_eq!(vocabulary.end_of_generation, [2, 9]);
}

#[test]
fn token_types_are_known() {
    let kinds = changed(|b| {
        b.set("tokenizer.ggml.token_type", &[0_i32, 1, 2, 3, 4, 5, 6, 1, 1, 1]);
    });
    use TokenKind::{Byte, Control, Normal, Unknown, Unused, UserDefined};
    let expected =
        [Unused, Normal, Unknown, Control, UserDefined, Unused, Byte, Normal, Normal, Normal];
    assert_eq!(kinds.unwrap().unwrap().kinds, expected);
    for wrong in [7_i32, -1] {
        let text = changed(|b| {
            b.set("tokenizer.ggml.token_type", &[1, 1, wrong, 1, 1, 1, 1, 1, 1, 1]);
        });
        let text = text.unwrap_err().to_string();
        assert!(text.starts_with("token 2: ") && text.contains("from 0 to 6"), "{text}");
    }
}

#[test]
fn usual_ids_are_known_where_a_file_is_silent() {
    let silent = |model: &str| {
        let mut builder = Builder::new();
        let tokens: Vec<String> = (0..200).map(|id| format!("t{id}")).collect();
        builder.set("tokenizer.ggml.model", model).set("tokenizer.ggml.tokens", &tokens);
        let v = read(&builder).unwrap().unwrap();
        (v.bos, v.eos, v.unk, v.sep)
    };
    assert_eq!(silent("llama"), (Some(1), Some(2), Some(0), None));
    assert_eq!(silent("bert"), (Some(101), None, Some(100), Some(102)));
    assert_eq!(silent("t5"), (None, Some(1), Some(2), None));
    assert_eq!(silent("gpt2"), (None, None, None, None));
}

#[test]
fn an_integer_or_a_longer_list_of_scores_is_fine() {
    let integers = changed(|b| _ = b.set("tokenizer.ggml.scores", &[-3_i32; 10]));
    assert_eq!(integers.unwrap().unwrap().scores, [-3.0; 10]);
    let longer = changed(|b| _ = b.set("tokenizer.ggml.scores", &[1.0_f32; 12]));
    assert_eq!(longer.unwrap().unwrap().scores.len(), 10);
}

#[test]
fn lists_and_ids_that_do_not_fit_are_refused() {
    let text = |change: &dyn Fn(&mut Builder<'_>)| changed(change).unwrap_err().to_string();
    let cases = [
        (
            text(&|b| _ = b.set("tokenizer.ggml.scores", &[0.0_f32; 9])),
            "tokenizer.ggml.scores\": it is 9 long, but 10 is expected",
        ),
        (text(&|b| _ = b.set("tokenizer.ggml.token_type", &[1_i32; 3])), "it is 3 long"),
        (text(&|b| _ = b.set("tokenizer.ggml.scores", &["x"; 10])), "scores[0]\""),
        (
            text(&|b| _ = b.set("tokenizer.ggml.bos_token_id", &10_u32)),
            "bos_token_id\": the value 10",
        ),
        (text(&|b| _ = b.set("tokenizer.ggml.eos_token_id", &u32::MAX)), "one of the 10 tokens"),
        (text(&|b| _ = b.set("tokenizer.ggml.eot_token_id", &-1_i32)), "the i32 -1"),
        (text(&|b| _ = b.set("tokenizer.ggml.eos_token_ids", &[-1_i32])), "eos_token_ids"),
        (text(&|b| _ = b.set("tokenizer.ggml.tokens", &[1_u32])), "tokens[0]\""),
        (text(&|b| _ = b.set("tokenizer.ggml.tokens", &Vec::<String>::new())), "of 0 tokens"),
        (text(&|b| _ = b.set("tokenizer.ggml.add_bos_token", &1_u32)), "should be a bool"),
    ];
    for (text, part) in cases {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
    let padding = changed(|b| _ = b.set("tokenizer.ggml.padding_token_id", &10_u32));
    assert_eq!(padding.unwrap().unwrap().pad, None, "generation never needs it");
    let padding = changed(|b| _ = b.set("tokenizer.ggml.padding_token_id", &-1_i32));
    assert_eq!(padding.unwrap().unwrap().pad, None);
}

#[test]
fn files_without_a_vocabulary_have_none_and_unknown_kinds_are_named() {
    assert_eq!(read(&Builder::new()), Ok(None));
    assert_eq!(changed(|b| _ = b.set("tokenizer.ggml.model", "none")), Ok(None));
    let error = changed(|b| _ = b.set("tokenizer.ggml.model", "rwkv")).unwrap_err();
    assert_eq!(error.kind(), FormatErrorKind::Unsupported);
    assert!(error.to_string().contains("rwkv"), "{error}");
    let mut missing = Builder::new();
    missing.set("tokenizer.ggml.model", "llama");
    assert_eq!(read(&missing).unwrap_err().kind(), FormatErrorKind::Missing);

    let mut shown = Builder::new();
    add_vocabulary(&mut shown);
    shown.set("tokenizer.ggml.model", "rwkv").set("general.architecture", "rwkv7");
    let model = describe_gguf(&[&shown.to_bytes().unwrap()]).unwrap();
    assert_eq!(model.vocabulary, None, "the model can be shown all the same");
}
