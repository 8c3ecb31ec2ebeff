//! Properties of the GGUF parser and writer over generated files.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use tenfold_core::DType;
use tenfold_formats::gguf::write::{Builder, Encode, Header};
use tenfold_formats::gguf::{Gguf, Value};
use tenfold_formats::{FormatErrorKind, describe_gguf, vocabulary};

use crate::models;

/// A value of each type that can be written.
#[derive(Clone, Debug)]
enum Any {
    U8(u8),
    I16(i16),
    U32(u32),
    I64(i64),
    F32(f32),
    F64(f64),
    Bool(bool),
    Text(String),
    Numbers(Vec<i32>),
    Texts(Vec<String>),
    Bools(Vec<bool>),
    Nested(Vec<Vec<u16>>),
}

impl Any {
    fn set(&self, builder: &mut Builder<'_>, key: &str) {
        match self {
            Self::U8(value) => builder.set(key, value),
            Self::I16(value) => builder.set(key, value),
            Self::U32(value) => builder.set(key, value),
            Self::I64(value) => builder.set(key, value),
            Self::F32(value) => builder.set(key, value),
            Self::F64(value) => builder.set(key, value),
            Self::Bool(value) => builder.set(key, value),
            Self::Text(value) => builder.set(key, value),
            Self::Numbers(value) => builder.set(key, value),
            Self::Texts(value) => builder.set(key, value),
            Self::Bools(value) => builder.set(key, value),
            Self::Nested(value) => builder.set(key, value),
        };
    }

    fn agrees(&self, value: &Value<'_>) -> bool {
        let texts = || value.as_array().into_iter().flat_map(|array| array.iter());
        match self {
            Self::U8(expected) => *value == Value::U8(*expected),
            Self::I16(expected) => *value == Value::I16(*expected),
            Self::U32(expected) => *value == Value::U32(*expected),
            Self::I64(expected) => *value == Value::I64(*expected),
            Self::F32(expected) => *value == Value::F32(*expected),
            Self::F64(expected) => *value == Value::F64(*expected),
            Self::Bool(expected) => *value == Value::Bool(*expected),
            Self::Text(expected) => value.as_str() == Some(expected),
            Self::Numbers(expected) => texts().eq(expected.iter().map(|&x| Value::I32(x))),
            Self::Texts(expected) => {
                texts().eq(expected.iter().map(|text| Value::String(text.as_bytes())))
            }
            Self::Bools(expected) => texts().eq(expected.iter().map(|&x| Value::Bool(x))),
            Self::Nested(expected) => {
                let inner = |value: Value<'_>| -> Vec<_> {
                    let array = value.as_array().expect("an array of arrays");
                    array.iter().filter_map(|element| element.as_u64()).collect()
                };
                let widen =
                    |row: &Vec<u16>| -> Vec<u64> { row.iter().map(|&x| x.into()).collect() };
                texts().map(inner).eq(expected.iter().map(widen))
            }
        }
    }
}

fn any_value() -> impl Strategy<Value = Any> {
    prop_oneof![
        any::<u8>().prop_map(Any::U8),
        any::<i16>().prop_map(Any::I16),
        any::<u32>().prop_map(Any::U32),
        any::<i64>().prop_map(Any::I64),
        (-1e30_f32..1e30).prop_map(Any::F32),
        (-1e300_f64..1e300).prop_map(Any::F64),
        any::<bool>().prop_map(Any::Bool),
        ".{0,12}".prop_map(Any::Text),
        vec(any::<i32>(), 0..5).prop_map(Any::Numbers),
        vec(".{0,6}", 0..5).prop_map(Any::Texts),
        vec(any::<bool>(), 0..5).prop_map(Any::Bools),
        vec(vec(any::<u16>(), 0..3), 0..3).prop_map(Any::Nested),
    ]
}

/// Shape and format of a tensor; the last size is in blocks.
fn any_tensor() -> impl Strategy<Value = (DType, Vec<usize>)> {
    let dtype = prop::sample::select(DType::ALL);
    (dtype, vec(1..4_usize, 1..=4)).prop_map(|(dtype, mut shape)| {
        if let Some(row) = shape.last_mut() {
            *row *= dtype.block_len();
        }
        (dtype, shape)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_again(
        values in btree_map("[a-z.]{1,9}", any_value(), 0..6),
        tensors in btree_map("[a-z0-9._]{1,9}", any_tensor(), 0..5),
        alignment in prop::sample::select(vec![8_u32, 32, 64, 4096]),
    ) {
        let mut builder = Builder::new();
        builder.align(alignment);
        for (key, value) in &values {
            value.set(&mut builder, key);
        }
        for (index, (name, (dtype, shape))) in tensors.iter().enumerate() {
            let len = dtype.bytes_for(shape.iter().product()).unwrap();
            builder.tensor(name, *dtype, shape, vec![index as u8 + 1; len]);
        }
        let file = builder.to_bytes().unwrap();
        let gguf = Gguf::parse(&file).unwrap();
        prop_assert_eq!(gguf.alignment(), Ok(alignment.into()));
        prop_assert_eq!(gguf.metadata().len(), values.len() + 1);
        for (key, value) in &values {
            prop_assert!(value.agrees(&gguf.get(key).unwrap()), "{}", key);
        }
        prop_assert_eq!(gguf.tensors().len(), tensors.len());
        for (index, tensor) in gguf.tensors().iter().enumerate() {
            let (dtype, shape) = &tensors[tensor.name];
            prop_assert_eq!((&tensor.dtype, &tensor.shape), (dtype, shape));
            prop_assert!(tensor.range.start.is_multiple_of(alignment as usize));
            prop_assert!(file[tensor.range.clone()].iter().all(|&byte| byte == index as u8 + 1));
        }

        // A copy of everything is the same file, byte for byte.
        let mut copy = Builder::new();
        gguf.metadata().for_each(|(key, value)| { copy.copy(key, &value); });
        copy.align(alignment);
        for tensor in gguf.tensors() {
            copy.tensor(tensor.name, tensor.dtype, &tensor.shape, &file[tensor.range.clone()]);
        }
        prop_assert_eq!(copy.to_bytes().unwrap(), file);
    }

    #[test]
    fn no_mutation_of_a_good_file_panics(
        which in 0..models::gguf_files().len(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        whole in any::<bool>(),
    ) {
        let mut file = models::gguf_files().swap_remove(which);
        // The header is where it matters; the data is most of the bytes.
        let header = Gguf::parse(&file).unwrap().header_len();
        for (at, byte) in changes {
            file[at.index(header)] = byte;
        }
        if !whole {
            file.truncate(cut.index(file.len()));
        }
        survive(&file)?;
    }

    #[test]
    fn no_number_in_a_good_file_panics_when_it_becomes_a_wild_one(
        which in 0..models::gguf_files().len(),
        at in any::<prop::sample::Index>(),
        wild in prop::sample::select(vec![
            u64::MAX, 1 << 63, 1 << 62, 1 << 60, 1 << 32, (1 << 31) - 1, u64::from(u32::MAX), 0, 1,
        ]),
        width in prop::sample::select(vec![4_usize, 8]),
    ) {
        let mut file = models::gguf_files().swap_remove(which);
        let at = at.index(Gguf::parse(&file).unwrap().header_len() - width);
        file[at..at + width].copy_from_slice(&wild.to_le_bytes()[..width]);
        survive(&file)?;
    }

    #[test]
    fn arbitrary_bytes_after_the_magic_do_not_panic(bytes in vec(any::<u8>(), 0..200)) {
        let file = [b"GGUF\x03\0\0\0", &bytes[..]].concat();
        survive(&file)?;
    }
}

/// A description whose ranges lie in the file, or an error that says where.
fn survive(file: &[u8]) -> Result<(), TestCaseError> {
    match describe_gguf(&[file]) {
        Ok(model) => {
            for name in model.tensors.entries.keys() {
                prop_assert!(model.tensors.view(name, &[file]).is_some());
            }
            let _ = model.info("mutant", file.len() as u64);
        }
        Err(error) => {
            prop_assert!(!error.to_string().is_empty());
            let has_place = error.location().item.is_some() || error.location().offset.is_some();
            let is_shards = error.kind() == FormatErrorKind::Missing;
            prop_assert!(has_place || is_shards, "{error}");
        }
    }
    if let Ok(gguf) = Gguf::parse(file) {
        let _ = vocabulary(&gguf);
    }
    Ok(())
}

#[test]
fn a_file_cut_anywhere_is_an_error_that_says_so() {
    for file in models::gguf_files() {
        let end = Gguf::parse(&file).unwrap().tensors().iter().map(|tensor| tensor.range.end).max();
        // Only padding lies beyond the last tensor.
        let header = Gguf::parse(&file).unwrap().header_len();
        for len in 0..end.unwrap_or(header) {
            let error = Gguf::parse(&file[..len]).expect_err("the file is cut short");
            let text = error.to_string();
            assert!(len < 4 || error.remedy().contains("download"), "{len}: {text}");
        }
    }
}

#[test]
fn a_prefix_with_the_whole_header_is_enough_to_show_a_model() {
    let file = models::llama_gguf();
    let whole = Gguf::parse(&file).unwrap();
    let header = &file[..whole.header_len()];
    let part = Gguf::parse_prefix(header, file.len() as u64).unwrap();
    assert_eq!(part.tensors(), whole.tensors());
    let short = Gguf::parse_prefix(&header[..header.len() - 1], file.len() as u64).unwrap_err();
    assert_eq!(short.kind(), FormatErrorKind::Truncated);
}

#[test]
fn the_writer_refuses_what_the_parser_would() {
    let refuse = |build: &dyn Fn(&mut Builder<'_>)| {
        let mut builder = Builder::new();
        build(&mut builder);
        builder.to_bytes().unwrap_err().to_string()
    };
    let cases = [
        refuse(&|b| {
            b.tensor("t", DType::F32, &[2], vec![0; 7]);
        }),
        refuse(&|b| {
            b.tensor("t", DType::Q4_0, &[31], vec![0; 18]);
        }),
        refuse(&|b| {
            b.tensor("t", DType::F32, &[], vec![0; 4]);
        }),
        refuse(&|b| {
            b.tensor("t", DType::F32, &[1, 1, 1, 1, 1], vec![0; 4]);
        }),
        refuse(&|b| {
            b.align(48).set("a", &1_u8);
        }),
        refuse(&|b| {
            b.tensor("t", DType::F32, &[1], vec![0; 4]).tensor("t", DType::F32, &[1], vec![0; 4]);
        }),
    ];
    let parts = ["7 bytes", "blocks", "no dimension", "4 dimensions", "power of two", "twice"];
    for (text, part) in cases.iter().zip(parts) {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}

#[test]
fn tensors_can_be_written_one_by_one() {
    let mut header = Header::new();
    header.set("general.architecture", "llama");
    header.declare("a", DType::F32, &[3]).declare("b", DType::F16, &[2]);
    let mut sink = header.clone().begin(Vec::new()).unwrap();
    assert!(sink.write(&[0; 11]).unwrap_err().to_string().contains("11 bytes"));
    sink.write(&[1; 12]).unwrap();
    sink.write(&[2; 4]).unwrap();
    assert!(sink.write(&[3; 4]).is_err(), "no third tensor was declared");
    let file = sink.finish().unwrap();

    let mut builder = Builder::new();
    builder.set("general.architecture", "llama");
    builder.tensor("a", DType::F32, &[3], vec![1; 12]).tensor("b", DType::F16, &[2], vec![2; 4]);
    assert_eq!(builder.to_bytes().unwrap(), file);
    assert!(header.begin(Vec::new()).unwrap().finish().is_err(), "both tensors are missing");
}

#[test]
fn borrowed_values_are_written_like_owned_ones() {
    fn bytes<T: Encode + ?Sized>(value: &T) -> Vec<u8> {
        let mut out = Vec::new();
        value.encode(&mut out);
        out
    }
    assert_eq!(bytes(&["a", "b"]), bytes(&vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(bytes(&&7_u32), bytes(&7_u32));
}
