//! A file written by the Python package `safetensors` (see `goldens/make_safetensors.py`), and files
//! of ours read by the format's reference implementation.

use tenfold_formats::safetensors::write::Builder;
use tenfold_formats::safetensors::{Dtype, Safetensors};

const FILE: &[u8] = include_bytes!("../goldens/python.safetensors");

#[test]
fn we_read_what_python_wrote() {
    let parsed = Safetensors::parse(FILE).unwrap();
    assert_eq!(parsed.metadata()["format"], "np");
    assert_eq!(parsed.metadata()["é"], "ü");
    let expected: [(&str, Dtype, &[usize], Vec<u8>); 7] = [
        ("matrix", Dtype::F32, &[2, 3], (0..6).flat_map(|x| (x as f32).to_le_bytes()).collect()),
        ("halves", Dtype::F16, &[4], vec![0, 0, 0, 0x3C, 0, 0x40, 0, 0x42]),
        ("wide", Dtype::I64, &[3], (0..3_i64).flat_map(i64::to_le_bytes).collect()),
        ("bytes", Dtype::U8, &[5], vec![0, 1, 2, 3, 4]),
        ("flags", Dtype::Bool, &[2], vec![1, 0]),
        ("scalar", Dtype::F64, &[], 7.5_f64.to_le_bytes().to_vec()),
        ("empty", Dtype::F32, &[0, 4], vec![]),
    ];
    assert_eq!(parsed.tensors().len(), expected.len());
    for (name, dtype, shape, bytes) in expected {
        let tensor = parsed.tensors().iter().find(|tensor| tensor.name == name).unwrap();
        assert_eq!((tensor.dtype, &tensor.shape[..]), (dtype, shape), "{name}");
        assert_eq!(FILE[tensor.range.clone()], bytes, "{name}");
    }
}

#[test]
fn the_reference_reads_what_we_wrote() {
    let mut builder = Builder::new();
    builder.metadata("format", "pt");
    builder.tensor("b\"ö", Dtype::Bf16, &[2, 2], vec![1; 8]);
    builder.tensor("a", Dtype::F32, &[3], vec![2; 12]);
    builder.tensor("c", Dtype::U8, &[0], vec![]);
    let bytes = builder.to_bytes().unwrap();
    let read = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(read.len(), 3);
    let tensor = read.tensor("b\"ö").unwrap();
    assert_eq!((tensor.dtype(), tensor.shape()), (safetensors::Dtype::BF16, &[2, 2][..]));
    assert_eq!(tensor.data(), [1; 8]);
    assert_eq!(read.tensor("a").unwrap().data(), [2; 12]);

    let mut streamed = Vec::new();
    builder.write_to(&mut streamed).unwrap();
    assert_eq!(streamed, bytes);
}

#[test]
fn a_shape_that_contradicts_its_bytes_is_not_written() {
    let mut builder = Builder::new();
    builder.tensor("t", Dtype::F32, &[2], vec![0; 7]);
    let error = builder.to_bytes().unwrap_err().to_string();
    assert_eq!(error, "tensor \"t\": it is 7 bytes long, but 8 bytes is expected from its shape");
    assert!(builder.write_to(Vec::new()).is_err());
}
