//! Malformed safetensors files: the error names what and where, and the format's reference
//! implementation refuses them too.

use tenfold_formats::FormatErrorKind::{Malformed, Mismatch, Truncated, Unsupported, WrongFormat};
use tenfold_formats::safetensors::Safetensors;

fn file(header: &str, data: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0; data]].concat()
}

fn tensor(dtype: &str, shape: &str, start: u64, end: u64) -> String {
    format!(r#"{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{start},{end}]}}"#)
}

/// A file with these tensors, called a, b, c …
fn tensors(list: &[String], data: usize) -> Vec<u8> {
    let entries: Vec<String> =
        list.iter().zip('a'..).map(|(entry, name)| format!("\"{name}\":{entry}")).collect();
    file(&format!("{{{}}}", entries.join(",")), data)
}

#[test]
fn each_kind_of_malformed_file_is_refused_with_its_reason() {
    let f32s = |shape: &str, start, end| tensor("F32", shape, start, end);
    let cases = [
        ("nothing", vec![], WrongFormat, "an empty file"),
        ("no length", vec![8, 0, 0, 0, 0], Truncated, "header"),
        ("length without header", 64_u64.to_le_bytes().to_vec(), Truncated, "64 bytes are needed"),
        ("length 2^63", [&(1_u64 << 63).to_le_bytes()[..], b"{}"].concat(), WrongFormat, "not"),
        (
            "200 MB header",
            [&200_000_000_u64.to_le_bytes()[..], b"{}"].concat(),
            Malformed,
            "100000000",
        ),
        ("not JSON", file("{\"a\":", 0), Malformed, "JSON"),
        ("a list", file("[1]", 0), WrongFormat, "unknown kind"),
        ("web page", b"<!DOCTYPE html>".to_vec(), WrongFormat, "web page"),
        ("pointer", b"version https://git-lfs.github.com/spec/v1".to_vec(), WrongFormat, "LFS"),
        ("pickle in a zip", b"PK\x03\x04aaaaaaaaaa".to_vec(), WrongFormat, "zip"),
        ("number for a tensor", file("{\"a\":1}", 0), Malformed, "invalid type"),
        ("no offsets", file(r#"{"a":{"dtype":"F32","shape":[1]}}"#, 4), Malformed, "data_offsets"),
        ("negative size", tensors(&[f32s("[-1]", 0, 4)], 4), Malformed, "JSON"),
        ("unknown format", tensors(&[tensor("Q4", "[1]", 0, 4)], 4), Unsupported, "Q4"),
        ("shape and bytes differ", tensors(&[f32s("[2]", 0, 4)], 4), Mismatch, "8 bytes"),
        ("end before start", tensors(&[f32s("[1]", 4, 0)], 4), Mismatch, "4 to 0"),
        (
            "product wraps",
            tensors(&[f32s("[4294967296,4294967296]", 0, 0)], 0),
            Malformed,
            "too many",
        ),
        ("beyond the end", tensors(&[f32s("[2]", 0, 8)], 7), Malformed, "beyond the end"),
        (
            "offsets that wrap",
            tensors(&[f32s("[1]", u64::MAX - 4, u64::MAX)], 4),
            Malformed,
            "beyond the end",
        ),
        (
            "overlap",
            tensors(&[f32s("[1]", 0, 4), f32s("[2]", 0, 8)], 8),
            Malformed,
            "tensor \"b\": its bytes overlap those of a",
        ),
        (
            "hole",
            tensors(&[f32s("[1]", 0, 4), f32s("[1]", 8, 12)], 12),
            Malformed,
            "4 bytes belong to no tensor",
        ),
        ("hole at the start", tensors(&[f32s("[1]", 4, 8)], 8), Malformed, "4 bytes belong"),
        ("bytes left over", tensors(&[f32s("[1]", 0, 4)], 9), Malformed, "5 bytes belong"),
        ("half a byte", tensors(&[tensor("F4", "[3]", 0, 2)], 2), Malformed, "whole number"),
        (
            "metadata that is no text",
            file(r#"{"__metadata__":{"a":1}}"#, 0),
            Malformed,
            "invalid type",
        ),
        (
            "name that is no UTF-8",
            [&file("{\"a\":{}}", 0)[..10], b"\xff\":{}}  "].concat(),
            Malformed,
            "JSON",
        ),
    ];
    for (name, bytes, kind, part) in cases {
        let error = Safetensors::parse(&bytes).expect_err(name);
        let text = error.to_string();
        assert_eq!(error.kind(), kind, "{name}: {text}");
        assert!(text.contains(part), "{name}: {part:?} is not in {text:?}");
        assert!(safetensors::SafeTensors::deserialize(&bytes).is_err(), "{name}");
    }
}

#[test]
fn a_name_that_occurs_twice_is_refused() {
    // The reference keeps the last one.
    let entry = tensor("F32", "[1]", 0, 4);
    let bytes = file(&format!("{{\"a\":{entry},\"a\":{entry}}}"), 4);
    assert_eq!(
        Safetensors::parse(&bytes).unwrap_err().to_string(),
        "tensor \"a\": the name occurs twice"
    );
}

#[test]
fn a_header_that_goes_deeper_and_deeper_is_refused() {
    let header = format!("{{\"a\":{}", "{\"x\":".repeat(100_000));
    assert_eq!(Safetensors::parse(&file(&header, 0)).unwrap_err().kind(), Malformed);
}
