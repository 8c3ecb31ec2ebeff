//! `tenfold tokenize` and `tenfold detokenize`.

use tenfold_core::DType;
use tenfold_formats::gguf::write::Builder;
use tenfold_testkit::tiny::TinyModel;

use crate::support::{Home, path, tiny};

#[test]
fn ids_are_separated_by_spaces_or_an_array() {
    let (home, model) = (Home::new(), tiny());
    let model = path(&model);
    let line = home.tenfold(&["tokenize", &model, "Hello, world"]).assert_code(0).out.clone();
    let ids: Vec<u64> = line.split_whitespace().map(|id| id.parse().unwrap()).collect();
    let json = home.json(&["tokenize", &model, "Hello, world"]);
    assert_eq!(
        json.as_array().unwrap().iter().map(|id| id.as_u64().unwrap()).collect::<Vec<_>>(),
        ids
    );
    let spaced: Vec<String> = ids.iter().map(ToString::to_string).collect();
    assert_eq!(line, format!("{}\n", spaced.join(" ")));
}

#[test]
fn standard_input_is_taken_byte_for_byte() {
    let (home, model) = (Home::new(), tiny());
    let model = path(&model);
    for text in [&b"line\n"[..], b"\r\n\t \0\x7f", "日本 \u{1f44b}".as_bytes()] {
        let ids = home.with_input(&["tokenize", &model], text).assert_code(0).out.clone();
        let back =
            home.command(&["detokenize", &model]).args(ids.split_whitespace()).output().unwrap();
        assert_eq!(back.stdout, [text, b"\n"].concat(), "{text:?} became {ids:?}");
    }
}

#[test]
fn bytes_that_are_no_text_have_ids_too() {
    let (home, model) = (Home::new(), tiny());
    let done = home.with_input(&["tokenize", &path(&model)], b"caf\xc3 \xff\xfe");
    assert!(done.assert_code(0).out.split_whitespace().count() > 3, "{done:?}");
}

#[test]
fn ids_can_come_through_a_pipe() {
    let (home, model) = (Home::new(), tiny());
    let model = path(&model);
    let ids = home.json(&["tokenize", &model, "hi!"]).to_string();
    for form in [ids.clone(), ids.replace(',', "\n"), ids.replace(['[', ']', ','], " ")] {
        let done = home.with_input(&["detokenize", &model], form.as_bytes());
        assert_eq!(done.assert_code(0).out, "hi!\n", "{form}");
    }
    home.with_input(&["detokenize", &model], b"72 x").assert_code(2).assert_says(&["\"x\""]);
    home.tenfold(&["detokenize", &model, "99999999"]).assert_code(1).assert_says(&["vocabulary"]);
}

#[test]
fn the_beginning_of_text_token_can_be_left_out() {
    let home = Home::new();
    let model = tenfold_testkit::OnDisk::gguf("llama-gqa", DType::F16).unwrap();
    let spm = tenfold_testkit::OnDisk::gguf("gemma", DType::F16).unwrap();
    for (model, bos) in [(&model, false), (&spm, true)] {
        let with = home.json(&["tokenize", &path(model), "hi"]);
        let without = home.json(&["tokenize", &path(model), "hi", "--no-special"]);
        let extra = with.as_array().unwrap().len() - without.as_array().unwrap().len();
        assert!(extra == 1 || !bos, "{with} and {without}");
    }
}

#[test]
fn special_tokens_in_text_are_text_unless_asked() {
    let (home, model) = (Home::new(), tiny());
    let model = path(&model);
    let count = |args: &[&str]| {
        let ids = home.json(&[&["tokenize", &model, "<|im_start|>"], args].concat());
        ids.as_array().unwrap().len()
    };
    assert_eq!(count(&["--parse-special"]), 1);
    assert!(count(&[]) > 3);
}

#[test]
fn a_file_with_nothing_but_a_vocabulary_is_enough() {
    let home = Home::new();
    let model = TinyModel::named("qwen2").unwrap();
    let vocabulary = model.vocabulary();
    let kinds: Vec<i32> = vocabulary.kinds.iter().map(|kind| *kind as i32).collect();
    let mut builder = Builder::new();
    builder.set("general.architecture", "qwen2");
    builder.set("tokenizer.ggml.model", "gpt2").set("tokenizer.ggml.pre", "qwen2");
    builder.set("tokenizer.ggml.tokens", vocabulary.tokens.as_slice());
    builder.set("tokenizer.ggml.merges", vocabulary.merges.as_slice());
    builder.set("tokenizer.ggml.token_type", kinds.as_slice());
    let file = home.file("vocabulary.gguf", &builder.to_bytes().unwrap());
    let whole = tiny();
    let expect = home.json(&["tokenize", &path(&whole), "Hello, world", "--no-special"]);
    assert_eq!(home.json(&["tokenize", &file, "Hello, world", "--no-special"]), expect);
    home.tenfold(&["run", &file, "Hi"]).assert_code(1).assert_says(&["error:", "vocabulary.gguf"]);
}
