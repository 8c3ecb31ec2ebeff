//! Models in several GGUF files.

use tenfold_core::DType;
use tenfold_formats::gguf::GgufFiles;
use tenfold_formats::gguf::write::Builder;
use tenfold_formats::{FormatErrorKind, describe_gguf};

use crate::models;

/// One file of several: the first has everything but the tensors listed for the others.
fn shard(number: u16, count: u16, total: i32, tensors: &[&str]) -> Vec<u8> {
    let mut builder = if number == 0 { models::gguf("llama") } else { Builder::new() };
    builder.set("split.no", &number).set("split.count", &count);
    builder.set("split.tensors.count", &total);
    for name in tensors {
        builder.tensor(name, DType::F32, &[4], vec![number as u8 + 1; 16]);
    }
    builder.to_bytes().unwrap()
}

fn three() -> [Vec<u8>; 3] {
    [
        shard(0, 3, 9, &[]),
        shard(1, 3, 9, &["blk.0.attn_q.weight", "blk.0.attn_k.weight"]),
        shard(2, 3, 9, &["blk.1.attn_q.weight"]),
    ]
}

fn refuse(files: &[&[u8]]) -> (FormatErrorKind, String) {
    let error = describe_gguf(files).unwrap_err();
    (error.kind(), error.to_string())
}

#[test]
fn three_files_are_one_model() {
    let [a, b, c] = three();
    let files: [&[u8]; 3] = [&a, &b, &c];
    let model = describe_gguf(&files).unwrap();
    assert_eq!(model.tensors.entries.len(), 9);
    let view = model.tensors.view("blk.1.attn_q.weight", &files).unwrap();
    assert_eq!((view.shape, view.data), (&[4][..], &[3; 16][..]));
    let view = model.tensors.view("blk.0.attn_k.weight", &files).unwrap();
    assert_eq!(view.data, [2; 16]);
    assert!(model.tensors.view("blk.1.attn_q.weight", &files[..2]).is_none());
}

#[test]
fn files_that_are_not_one_model_are_told_apart() {
    let [a, b, c] = three();
    let (kind, text) = refuse(&[&a]);
    assert_eq!(kind, FormatErrorKind::Missing);
    assert_eq!(text, "the model has 3 files and 1 were given");
    assert_eq!(refuse(&[]).0, FormatErrorKind::Missing);
    assert_eq!(refuse(&[&a, &b]).0, FormatErrorKind::Missing);

    let (kind, text) = refuse(&[&a, &c, &b]);
    assert_eq!(kind, FormatErrorKind::Mismatch);
    assert_eq!(text, "file 2, key \"split.no\": it is 2, but 1 is expected from the other files");

    let other_count = shard(1, 4, 9, &[]);
    assert!(refuse(&[&a, &other_count, &c]).1.contains("split.count"));
    let whole = models::gguf("llama").to_bytes().unwrap();
    assert!(refuse(&[&a, &whole, &c]).1.contains("split.count\": it is missing"));
    assert!(refuse(&[&whole, &whole]).1.contains("1 files and 2"));

    let few = shard(2, 3, 9, &[]);
    assert!(refuse(&[&a, &b, &few]).1.contains("8 in all files, but 9"));
    let again = shard(2, 3, 9, &["blk.0.attn_q.weight"]);
    let (_, text) = refuse(&[&a, &b, &again]);
    assert_eq!(text, "file 3, tensor \"blk.0.attn_q.weight\": the name occurs twice");
}

#[test]
fn an_error_within_a_file_says_which() {
    let [a, b, c] = three();
    let text = refuse(&[&a, &b[..20], &c]).1;
    assert!(text.starts_with("file 2, "), "{text}");
    let text = refuse(&[&a, &b, b"<html>"]).1;
    assert!(text.starts_with("file 3, ") && text.contains("web page"), "{text}");
}

#[test]
fn one_file_that_calls_itself_one_of_one_is_fine() {
    let file = shard(0, 1, 6, &[]);
    let files = GgufFiles::parse(&[&file]).unwrap();
    assert_eq!(files.files().count(), 1);
    assert_eq!(files.tensors().count(), 6);
}
