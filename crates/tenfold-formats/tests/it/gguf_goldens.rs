//! A file written by the Python package `gguf` (see `goldens/make_gguf.py`): we read in it what
//! Python reads, and our writer makes the same bytes.

use serde_json::Value as Json;
use tenfold_core::DType;
use tenfold_formats::gguf::write::Builder;
use tenfold_formats::gguf::{Gguf, Value};

const FILE: &[u8] = include_bytes!("../goldens/python.gguf");
const READ_BY_PYTHON: &str = include_str!("../goldens/python.json");

fn json(value: &Value<'_>) -> Json {
    if let Some(array) = value.as_array() {
        return array.iter().map(|element| json(&element)).collect();
    }
    value
        .as_str()
        .map(Json::from)
        .or_else(|| value.as_bool().map(Json::from))
        .or_else(|| value.as_u64().map(Json::from))
        .or_else(|| value.as_i64().map(Json::from))
        .or_else(|| value.as_f64().map(Json::from))
        .expect("every value has a JSON form")
}

#[test]
fn we_read_what_python_reads() {
    let golden: Json = serde_json::from_str(READ_BY_PYTHON).unwrap();
    let gguf = Gguf::parse(FILE).unwrap();
    let metadata: Json =
        gguf.metadata().map(|(key, value)| (key.to_owned(), json(&value))).collect();
    assert_eq!(metadata, golden["metadata"]);
    let tensors: Json = gguf
        .tensors()
        .iter()
        .map(|tensor| {
            let bytes: String =
                FILE[tensor.range.clone()].iter().map(|byte| format!("{byte:02x}")).collect();
            serde_json::json!({
                "name": tensor.name, "dtype": tensor.dtype.name(), "shape": tensor.shape,
                "start": tensor.range.start, "bytes": bytes,
            })
        })
        .collect();
    assert_eq!(tensors, golden["tensors"]);
}

#[test]
fn we_write_what_python_writes() {
    let mut builder = Builder::new();
    builder
        .set("general.architecture", "llama")
        .set("test.u8", &200_u8)
        .set("test.i8", &-100_i8)
        .set("test.u16", &60_000_u16)
        .set("test.i16", &-30_000_i16)
        .set("test.u32", &4_000_000_000_u32)
        .set("test.i32", &-2_000_000_000_i32)
        .set("test.f32", &0.5_f32)
        .set("test.u64", &((1_u64 << 63) + 1))
        .set("test.i64", &-(1_i64 << 62))
        .set("test.f64", &1e-300_f64)
        .set("test.yes", &true)
        .set("test.no", &false)
        .set("test.text", "Grüße, 世界 🌍\n")
        .set("test.texts", &["", "a", "▁été", "🦀"])
        .set("test.i32s", &[-1_i32, 0, 1])
        .set("test.f32s", &[0.25_f32, -0.25])
        .set("test.bools", &[true, false, true])
        .set("test.bytes", &[0_u8, 1, 255])
        .align(64);
    let numbers = || (0..6).map(|number| number as f32);
    let floats: Vec<u8> = numbers().flat_map(f32::to_le_bytes).collect();
    // 0 to 5 as halves.
    let halves: Vec<u8> = [0_u16, 0x3C00, 0x4000, 0x4200, 0x4400, 0x4500]
        .into_iter()
        .flat_map(u16::to_le_bytes)
        .collect();
    let ints: Vec<u8> = (-2_i32..3).flat_map(i32::to_le_bytes).collect();
    builder
        .tensor("matrix", DType::F32, &[2, 3], floats)
        .tensor("halves", DType::F16, &[1, 2, 3], halves)
        .tensor("ints", DType::I32, &[5], ints)
        .tensor("blocks", DType::Q8_0, &[1, 64], (0..68).collect::<Vec<u8>>());
    let written = builder.to_bytes().unwrap();
    assert!(written == FILE, "{} and {} bytes", written.len(), FILE.len());
}
