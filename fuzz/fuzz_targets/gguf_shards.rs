//! Bytes cut in two as the two files of one model.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tenfold_formats::describe_gguf;

fuzz_target!(|input: (usize, &[u8])| {
    let (at, bytes) = input;
    let (one, two) = bytes.split_at(at.checked_rem(bytes.len()).unwrap_or(0));
    if let Ok(model) = describe_gguf(&[one, two]) {
        for name in model.tensors.entries.keys() {
            assert!(model.tensors.view(name, &[one, two]).is_some());
        }
    }
});
