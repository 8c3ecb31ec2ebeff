//! The frameworks that Tenfold is about, those without an adapter included.

use tenfold_core::{Availability, BackendId, BackendInfo, ModelFormat};

/// One row of the list that users see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendStatus {
    /// What it is.
    pub info: BackendInfo,
    /// Whether it can work here and now.
    pub availability: Availability,
}

struct Planned {
    id: &'static str,
    name: &'static str,
    formats: &'static [ModelFormat],
}

/// Frameworks whose adapters are not part of this version.
const PLANNED: [Planned; 10] = [
    Planned { id: "foundation", name: "Apple Foundation Models", formats: &[ModelFormat::System] },
    Planned { id: "coreml", name: "Core ML", formats: &[ModelFormat::CoreMl] },
    Planned { id: "mlx", name: "MLX", formats: &[ModelFormat::Mlx] },
    Planned { id: "mlc", name: "MLC-LLM", formats: &[ModelFormat::Mlc] },
    Planned { id: "onnx", name: "ONNX Runtime", formats: &[ModelFormat::Onnx] },
    Planned { id: "executorch", name: "ExecuTorch", formats: &[ModelFormat::Pte] },
    Planned { id: "llamacpp", name: "llama.cpp", formats: &[ModelFormat::Gguf] },
    Planned {
        id: "litert",
        name: "LiteRT",
        formats: &[ModelFormat::Tflite, ModelFormat::LiteRtLm],
    },
    Planned { id: "picollm", name: "picoLLM", formats: &[ModelFormat::PicoLlm] },
    Planned { id: "transformers", name: "Swift Transformers", formats: &[ModelFormat::CoreMl] },
];

/// The frameworks without an adapter, except those in `present`.
pub(crate) fn planned(present: &[BackendStatus]) -> Vec<BackendStatus> {
    let is_missing =
        |planned: &&Planned| present.iter().all(|status| status.info.id.as_str() != planned.id);
    PLANNED.iter().filter(is_missing).map(status).collect()
}

fn status(planned: &Planned) -> BackendStatus {
    BackendStatus {
        info: BackendInfo {
            id: BackendId::new(planned.id),
            name: planned.name,
            version: None,
            formats: planned.formats,
            devices: Vec::new(),
        },
        availability: Availability::Unavailable {
            reason: format!("this version of Tenfold has no adapter for {}", planned.name),
            remedy: "use a GGUF or safetensors model with the native backend".to_owned(),
        },
    }
}
