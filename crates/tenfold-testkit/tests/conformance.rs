//! The conformance suite finds what a backend breaks, and nothing else.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // a test may panic and tell what it left out

use std::sync::Arc;

use tenfold_core::{
    Availability, Backend, BackendId, BackendInfo, DType, LoadError, LoadErrorKind, LoadOptions,
    LoadProgress, Model, ModelFiles, ModelFormat, ModelInfo, Support, TokenId,
};
use tenfold_generate::{TextModel, TextParts};
use tenfold_testkit::OnDisk;
use tenfold_testkit::conformance::{Subject, failures};
use tenfold_testkit::fake::{self, FakeModel};
use tenfold_testkit::tiny::TinyVocabulary;

type Rule = fn(&[TokenId]) -> TokenId;

/// A backend that never looks into its files.
struct FakeBackend {
    info: BackendInfo,
    availability: Availability,
    claims_everything: bool,
    rule: Rule,
}

/// What the checks of damaged files must find in a backend that does not read them.
const BLIND: [&str; 3] = [
    "a file that is not there is named",
    "a file cut short is refused",
    "a file of something else is refused",
];

fn backend() -> FakeBackend {
    FakeBackend {
        info: BackendInfo {
            id: BackendId::new("fake"),
            name: "Fake",
            version: None,
            formats: &[ModelFormat::Gguf],
            devices: Vec::new(),
        },
        availability: Availability::Available,
        claims_everything: false,
        rule: after,
    }
}

/// The letters in a circle, whatever the vocabulary: greedy text is never the same twice in a row.
fn after(tokens: &[TokenId]) -> TokenId {
    64 + (tokens.len() % 26) as TokenId
}

impl Backend for FakeBackend {
    fn info(&self) -> &BackendInfo {
        &self.info
    }

    fn availability(&self) -> Availability {
        self.availability.clone()
    }

    fn supports(&self, model: &ModelInfo) -> Support {
        if self.claims_everything || model.architecture == "fake" {
            return Support::Supported { rank: 1 };
        }
        Support::Unsupported(tenfold_core::Unsupported::new("this model", "it is not fake"))
    }

    fn load(
        &self,
        files: &ModelFiles,
        options: &LoadOptions,
        _progress: &mut dyn FnMut(LoadProgress),
    ) -> Result<Arc<dyn Model>, LoadError> {
        let parts = fake::parts(TinyVocabulary::Bpe("llama-bpe"))
            .map_err(|error| LoadError::new(LoadErrorKind::Backend, error.to_string()))?;
        let info = ModelInfo { name: files.name.clone(), ..parts.info.clone() };
        let mut model = FakeModel::new(parts.tokenizer.vocabulary_size(), self.rule);
        model.shape.context_length = options.context_length.unwrap_or(256);
        Ok(Arc::new(TextModel::new(model, TextParts { info, ..parts })?))
    }
}

/// The promises that the backend breaks, without what was seen.
fn broken(backend: &FakeBackend) -> Vec<String> {
    let model = OnDisk::gguf("qwen2", DType::F16).unwrap();
    let found = failures(&Subject { backend, files: model.files() });
    found.iter().map(|it| it.split(':').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_backend_that_does_not_read_its_files_is_found_out() {
    assert_eq!(broken(&backend()), BLIND);
}

#[test]
fn false_claims_are_found_out() {
    let unavailable = Availability::Unavailable { reason: "x".into(), remedy: "y".into() };
    let cases = [
        FakeBackend { claims_everything: true, ..backend() },
        FakeBackend { availability: unavailable, ..backend() },
    ];
    let expect = ["it knows what it cannot run before it loads", "a backend tells what it is"];
    for (backend, promise) in cases.iter().zip(expect) {
        assert!(broken(backend).contains(&promise.to_owned()), "{promise}");
    }
}

#[test]
fn answers_that_change_from_run_to_run_are_found_out() {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let unsteady = FakeBackend {
        rule: |_| {
            64 + (COUNT.fetch_add(1, Ordering::Relaxed).wrapping_mul(2_654_435_761) >> 16) % 26
        },
        ..backend()
    };
    let found = broken(&unsteady);
    for promise in ["greedy answers are the same each time", "a second turn continues the first"] {
        assert!(found.contains(&promise.to_owned()), "{promise} is not in {found:?}");
    }
}
