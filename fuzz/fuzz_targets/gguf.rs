//! One GGUF file: whatever the bytes, a description or an error, and ranges within the file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tenfold_formats::gguf::Gguf;
use tenfold_formats::{describe_gguf, vocabulary};

fuzz_target!(|file: &[u8]| {
    if let Ok(gguf) = Gguf::parse(file) {
        for tensor in gguf.tensors() {
            assert!(file.get(tensor.range.clone()).is_some());
        }
        for (_, value) in gguf.metadata() {
            let elements = value.as_array().map_or(0, |array| array.iter().count());
            assert_eq!(elements, value.as_array().map_or(0, |array| array.len()));
        }
        let _ = vocabulary(&gguf);
    }
    if let Ok(model) = describe_gguf(&[file]) {
        for name in model.tensors.entries.keys() {
            assert!(model.tensors.view(name, &[file]).is_some());
        }
        let _ = model.info("fuzz", file.len() as u64);
    }
    let _ = Gguf::parse_prefix(file, u64::MAX);
});
