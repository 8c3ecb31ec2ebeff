//! The native backend keeps what every backend must keep, with every kind of vocabulary and with a
//! sliding window.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // a test may panic and tell what it left out

use tenfold_backend_native::NativeBackend;
use tenfold_core::DType;
use tenfold_kernels::Kernels;
use tenfold_testkit::OnDisk;
use tenfold_testkit::conformance::{Subject, failures};

fn check(backend: &NativeBackend, model: &OnDisk) {
    let subject = Subject { backend, files: model.files() };
    assert_eq!(failures(&subject), Vec::<String>::new(), "{}", model.files().name);
}

#[test]
fn tiny_models_of_every_vocabulary() {
    let backend = NativeBackend::new();
    for (name, dtype) in [
        ("llama", DType::Q8_0),
        ("qwen3", DType::Q4_0),
        ("gemma3", DType::F16),
        ("phi3", DType::Q8_0),
    ] {
        check(&backend, &OnDisk::gguf(name, dtype).unwrap());
    }
}

#[test]
fn a_hugging_face_folder() {
    check(&NativeBackend::new(), &OnDisk::hf("qwen2", DType::BF16).unwrap());
}

#[test]
fn plain_kernels() {
    let backend = NativeBackend::with_kernels(Kernels::portable());
    check(&backend, &OnDisk::gguf("llama-gqa", DType::Q4_0).unwrap());
}
