//! Malformed GGUF files, one of each kind: the error names what and where, and nothing is allocated
//! for what a file merely claims.

use tenfold_formats::gguf::Gguf;
use tenfold_formats::{FormatError, FormatErrorKind};

use crate::raw::{ARRAY, BOOL, Raw, STRING, U8, U32};

const F32: u32 = 0;
const Q4_0: u32 = 2;

fn refuse(file: &Raw) -> FormatError {
    Gguf::parse(&file.0).expect_err("the file is malformed")
}

/// Checks the kind, and that the text holds each of the parts.
fn check(name: &str, file: &Raw, kind: FormatErrorKind, parts: &[&str]) {
    let error = refuse(file);
    let text = error.to_string();
    assert_eq!(error.kind(), kind, "{name}: {text}");
    for part in parts {
        assert!(text.contains(part), "{name}: {part:?} is not in {text:?}");
    }
    assert!(!error.remedy().is_empty());
}

fn one_key() -> Raw {
    Raw::header(3, 0, 1)
}

fn one_tensor() -> Raw {
    Raw::header(3, 1, 0)
}

#[test]
fn other_files_are_called_by_their_name() {
    let cases: [(&[u8], &str); 6] = [
        (b"", "an empty file"),
        (b"GGU", "a text file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (b"<html><body>404</body></html>", "a web page"),
        (b"tjgg\x03\0\0\0\0\0\0\0", "from before GGUF"),
        (b"\x30\0\0\0\0\0\0\0{\"a\": 1}", "a safetensors file"),
    ];
    for (bytes, found) in cases {
        check(found, &Raw(bytes.to_vec()), FormatErrorKind::WrongFormat, &[found]);
    }
}

#[test]
fn versions_that_are_not_read_are_named() {
    let big_endian = Raw(b"GGUF".to_vec()).u32(3_u32.swap_bytes()).bytes(&[0; 16]);
    let cases = [
        (Raw::header(1, 0, 0), "version 1 of GGUF"),
        (Raw::header(4, 0, 0), "version 4 of GGUF"),
        (Raw::header(0, 0, 0), "version 0 of GGUF"),
        (big_endian, "big-endian"),
    ];
    for (file, part) in cases {
        check(part, &file, FormatErrorKind::Unsupported, &[part, "byte 4"]);
    }
}

#[test]
fn counts_are_compared_with_what_can_follow() {
    let malformed = FormatErrorKind::Malformed;
    let cases = [
        ("keys", Raw::header(3, 0, 1 << 60), &["metadata keys", "header", "byte 16"][..]),
        ("tensors", Raw::header(3, u64::MAX, 0), &["tensors", "header", "byte 8"]),
        ("negative", Raw::header(3, -1_i64 as u64, 0), &["18446744073709551615 tensors"]),
        (
            "array",
            one_key().key("a", ARRAY).u32(U32).u64(1 << 62).bytes(&[0; 64]),
            &["array elements", "key \"a\"", "more than 16"],
        ),
        (
            "array of strings",
            one_key().key("a", ARRAY).u32(STRING).u64(9).bytes(&[0; 64]),
            &["9 array elements", "more than 8"],
        ),
        (
            "array of arrays",
            one_key().key("a", ARRAY).u32(ARRAY).u64(6).bytes(&[0; 64]),
            &["6 array elements", "more than 5"],
        ),
        (
            "dimensions",
            one_tensor().string(b"t").u32(1 << 30).bytes(&[0; 64]),
            &["1073741824 dimensions", "tensor \"t\""],
        ),
    ];
    for (name, file, parts) in cases {
        check(name, &file, malformed, parts);
    }
    let many_keys = Raw::header(3, 0, 70_000).bytes(&vec![0; 70_000 * 13]);
    check("too many keys", &many_keys, malformed, &["70000 metadata keys", "65536"]);
}

#[test]
fn lengths_are_compared_with_what_is_left() {
    let cases = [
        ("nothing after the magic", Raw(b"GGUF".to_vec()), &["byte 4"][..]),
        ("half a version", Raw(b"GGUF\x03\0".to_vec()), &["4 bytes are needed", "2 are left"]),
        ("no counts", Raw(b"GGUF".to_vec()).u32(3), &["header", "byte 8"]),
        ("no second count", Raw(b"GGUF".to_vec()).u32(3).u64(0), &["header", "byte 16"]),
        (
            "key of 2^63 bytes",
            one_key().u64(1 << 63).bytes(&[b'a'; 32]),
            &["metadata key", "9223372036854775808"],
        ),
        (
            "text of 2^64-1 bytes",
            one_key().key("general.name", STRING).u64(u64::MAX).bytes(b"abc"),
            &["key \"general.name\"", "18446744073709551615", "3 are left"],
        ),
        (
            "text one byte short",
            one_key().key("general.name", STRING).u64(4).bytes(b"abc"),
            &["4 bytes are needed here and 3 are left"],
        ),
        (
            "text in an array",
            one_key().key("a", ARRAY).u32(STRING).u64(2).string(b"x").u64(99).bytes(&[0; 8]),
            &["key \"a\"", "99 bytes"],
        ),
        (
            "tensor cut short",
            one_tensor().string(b"blk.0.attn_q.weight").u32(2).u64(4).bytes(&[0; 4]),
            &["tensor \"blk.0.attn_q.weight\""],
        ),
    ];
    for (name, file, parts) in cases {
        check(name, &file, FormatErrorKind::Truncated, parts);
    }
}

#[test]
fn values_are_of_known_types() {
    let deep = (0..40).fold(one_key().key("a", ARRAY), |raw, _| raw.u32(ARRAY).u64(1));
    let malformed = FormatErrorKind::Malformed;
    let cases = [
        ("unknown type", one_key().key("a", 13).bytes(&[0; 8]), &["value type 13", "\"a\""][..]),
        ("type 2^32-1", one_key().key("a", u32::MAX).bytes(&[0; 8]), &["4294967295"]),
        ("unknown element type", one_key().key("a", ARRAY).u32(99).u64(0), &["type 99", "\"a\""]),
        ("bool of 2", one_key().key("a", BOOL).bytes(&[2]), &["value 2", "0 or 1", "\"a\""]),
        ("bools of 7", one_key().key("a", ARRAY).u32(BOOL).u64(2).bytes(&[1, 7]), &["value 7"]),
        ("arrays without end", deep, &["deeper than 4", "\"a\""]),
        ("key that is no UTF-8", one_key().string(b"\xff\xfe").u32(U8).bytes(&[0]), &["UTF-8"]),
        (
            "key of 2^16 bytes",
            one_key().string(&vec![b'k'; 1 << 16]).u32(U8).bytes(&[0]),
            &["65536 metadata key"],
        ),
        (
            "key twice",
            Raw::header(3, 0, 2).key("a", U8).bytes(&[0]).key("a", U8).bytes(&[0]),
            &["key \"a\"", "twice", "byte 38"],
        ),
    ];
    for (name, file, parts) in cases {
        check(name, &file, malformed, parts);
    }
}

#[test]
fn shapes_are_possible() {
    let tensor = |dims: &[u64], dtype| one_tensor().tensor("t", dims, dtype, 0).data(64);
    let cases = [
        ("no dimension", tensor(&[], F32), "no dimension"),
        ("five dimensions", tensor(&[1, 1, 1, 1, 1], F32), "5 dimensions"),
        ("zero", tensor(&[0], F32), "a size is zero"),
        ("zero after others", tensor(&[4, 0], F32), "a size is zero"),
        ("product wraps to 0", tensor(&[1 << 32, 1 << 32], F32), "more numbers than memory"),
        ("product wraps to 16", tensor(&[1 << 62, 4, 4], F32), "more numbers than memory"),
        ("bytes wrap", tensor(&[1 << 62], F32), "more numbers than memory"),
        ("size beyond i64", tensor(&[u64::MAX], F32), "more numbers than memory"),
        ("row of half a block", tensor(&[48], Q4_0), "multiple of the number format's blocks"),
        ("rows of half a block", tensor(&[16, 4], Q4_0), "multiple of the number format's"),
    ];
    for (name, file, part) in cases {
        check(name, &file, FormatErrorKind::Malformed, &[part, "tensor \"t\"", "byte 24"]);
    }
}

#[test]
fn tensors_lie_within_the_file_and_apart() {
    let malformed = FormatErrorKind::Malformed;
    let two = |second_offset| {
        let header = Raw::header(3, 2, 0).tensor("one", &[16], F32, 0);
        header.tensor("two", &[16], F32, second_offset).data(128)
    };
    let cases = [
        (
            "beyond the end",
            one_tensor().tensor("t", &[16], F32, 0).data(63),
            &["beyond the end"][..],
        ),
        ("no data at all", one_tensor().tensor("t", &[16], F32, 0), &["beyond the end", "\"t\""]),
        ("far offset", one_tensor().tensor("t", &[16], F32, 1 << 40).data(64), &["beyond the end"]),
        (
            "offset that wraps",
            one_tensor().tensor("t", &[16], F32, u64::MAX - 31).data(64),
            &["beyond the end", "18446744073709551615"],
        ),
        (
            "offset off the grid",
            one_tensor().tensor("t", &[16], F32, 4).data(128),
            &["offset 4", "alignment 32", "tensor \"t\""],
        ),
        ("the same bytes", two(0), &["overlap", "\"two\"", "one"]),
        ("some of the same bytes", two(32), &["overlap", "tensor \"two\""]),
        (
            "the same name",
            Raw::header(3, 2, 0).tensor("t", &[8], F32, 0).tensor("t", &[8], F32, 32).data(64),
            &["tensor \"t\"", "twice"],
        ),
        (
            "name that is no UTF-8",
            one_tensor().string(b"\xc3\x28").u32(1).u64(8).u32(F32).u64(0).data(32),
            &["UTF-8", "name", "byte 24"],
        ),
        (
            "name of 2000 bytes",
            one_tensor().tensor(&"n".repeat(2000), &[8], F32, 0).data(32),
            &["2000", "1024"],
        ),
    ];
    for (name, file, parts) in cases {
        check(name, &file, malformed, parts);
    }
    Gguf::parse(&two(64).0).expect("tensors side by side are fine");
}

#[test]
fn number_formats_are_known() {
    let tensor = |dtype| one_tensor().tensor("t", &[256], dtype, 0).data(1024);
    for (dtype, part) in [(4, "Q4_2"), (19, "IQ1_S"), (39, "MXFP4"), (77, "number 77")] {
        check(part, &tensor(dtype), FormatErrorKind::Unsupported, &[part, "tensor \"t\""]);
    }
    assert!(refuse(&tensor(39)).remedy().contains("Q4_K_M"));
}

#[test]
fn the_alignment_is_a_power_of_two() {
    for alignment in [0, 3, 33, u32::MAX] {
        let file = one_key().key("general.alignment", U32).u32(alignment);
        check(
            "alignment",
            &file,
            FormatErrorKind::Malformed,
            &["general.alignment", "power of two"],
        );
    }
    let text = one_key().key("general.alignment", STRING).string(b"32");
    check("text", &text, FormatErrorKind::Malformed, &["general.alignment", "an integer"]);
}

#[test]
fn values_of_the_wrong_type_are_named_when_asked_for() {
    let file = Raw::header(3, 0, 3)
        .key("text", STRING)
        .string(b"\xff")
        .key("list", ARRAY)
        .u32(STRING)
        .u64(1)
        .string(b"\xff")
        .key("number", U32)
        .u32(7);
    let gguf = Gguf::parse(&file.0).unwrap();
    let texts = [
        gguf.str("text").unwrap_err(),
        gguf.strs("list").unwrap().unwrap().to_vec().unwrap_err(),
        gguf.str("number").unwrap_err(),
        gguf.bool("number").unwrap_err(),
        gguf.f32("number").unwrap_err(),
        gguf.u64("text").unwrap_err(),
        gguf.strs("number").unwrap_err(),
        gguf.i64s("list").unwrap().unwrap().to_vec().unwrap_err(),
        gguf.bytes("list").unwrap_err(),
    ]
    .map(|error| error.to_string());
    assert_eq!(
        texts,
        [
            "key \"text\": the text is not valid UTF-8",
            "key \"list[0]\": the text is not valid UTF-8",
            "key \"number\": the value should be a string and is the u32 7",
            "key \"number\": the value should be a bool and is the u32 7",
            "key \"number\": the value should be a float and is the u32 7",
            "key \"text\": the value should be an integer that is not negative and is a string",
            "key \"number\": the value should be an array of strings in UTF-8 and is the u32 7",
            "key \"list[0]\": the text is not valid UTF-8",
            "key \"list\": the value should be an array of 8-bit integers and is an array of string",
        ]
    );
    assert_eq!(gguf.str("absent"), Ok(None));
}
