//! What a model's files are opened to, and what is refused.

use std::fs;

use tenfold_core::{LoadErrorKind, ModelFormat};
use tenfold_files::OpenModel;

use crate::folder::Folder;

#[test]
fn header_tokenizer_and_bytes_come_out() {
    let folder = Folder::new(&["c"]).set("general.name", "Tiny");
    let model = folder.open();
    assert_eq!(model.description().title.as_deref(), Some("Tiny"));
    let tokenizer = model.tokenizer().unwrap();
    assert_eq!((tokenizer.vocabulary_size(), tokenizer.token_id("c")), (6, Some(5)));
    assert_eq!(model.shards().len(), 1);
    assert!(model.shards()[0].starts_with(b"GGUF"));
    let info = model.info();
    assert_eq!((info.name.as_str(), info.has_chat_template), ("model", false));
    assert_eq!(info.file_bytes, model.shards()[0].len() as u64);
}

#[test]
fn what_cannot_be_opened_is_named_with_a_remedy() {
    let folder = Folder::new(&[]);
    let files = folder.files();
    let path = &files.weights[0];
    fs::write(path, "just text").unwrap();
    let text = OpenModel::open(&files).unwrap_err();
    assert_eq!(text.kind(), LoadErrorKind::InvalidFile);
    fs::remove_file(path).unwrap();
    let missing = OpenModel::open(&files).unwrap_err();
    assert_eq!(missing.kind(), LoadErrorKind::NotFound);
    fs::create_dir(path).unwrap();
    let folder_instead = OpenModel::open(&files).unwrap_err();
    assert_eq!(folder_instead.kind(), LoadErrorKind::InvalidFile);
    for error in [text, missing, folder_instead] {
        assert_eq!(error.location(), Some(path.to_str().unwrap()));
        assert!(error.remedy().is_some(), "{error}");
    }
}

#[test]
fn formats_without_a_reader_are_unsupported() {
    let mut files = Folder::new(&[]).files();
    files.weights = Vec::new();
    files.format = ModelFormat::Onnx;
    let error = OpenModel::open(&files).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Unsupported);
    assert!(error.to_string().contains("onnx"), "{error}");
}

/// A safetensors file with one number.
fn one_number() -> Vec<u8> {
    let header = br#"{"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}  "#;
    let length = (header.len() as u64).to_le_bytes();
    [&length[..], header, &[0; 4]].concat()
}

#[test]
fn a_folder_without_configuration_or_tokenizer_says_what_is_missing() {
    let bare = Folder::new(&[]);
    let mut files = bare.files();
    files.format = ModelFormat::Safetensors;
    fs::write(&files.weights[0], one_number()).unwrap();
    let error = OpenModel::open(&files).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::NotFound);
    assert!(error.to_string().contains("config.json"), "{error}");

    let config = bare.beside("config.json", r#"{"model_type": "other"}"#);
    files.companions = config.files().companions;
    fs::write(&files.weights[0], one_number()).unwrap();
    let error = OpenModel::open(&files).unwrap().tokenizer().unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::NotFound);
    assert!(error.remedy().unwrap().contains("tokenizer.json"));
}
