//! Who gets to run a model, and what is said when nobody can.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // a test may panic and tell what it left out

use std::sync::Arc;

use tenfold::{
    Availability, Backend, BackendChoice, BackendId, BackendInfo, LoadError, LoadErrorKind,
    LoadOptions, LoadProgress, Model, ModelFiles, ModelFormat, ModelInfo, Registry, Support,
    Unsupported,
};

/// A backend that only answers questions.
struct Stub {
    info: BackendInfo,
    availability: Availability,
    support: Support,
}

fn stub(id: &'static str, support: Support) -> Stub {
    let info = BackendInfo {
        id: BackendId::new(id),
        name: id,
        version: None,
        formats: &[ModelFormat::Gguf],
        devices: Vec::new(),
    };
    Stub { info, availability: Availability::Available, support }
}

fn ranked(id: &'static str, rank: u8) -> Arc<dyn Backend> {
    Arc::new(stub(id, Support::Supported { rank }))
}

fn refusing(id: &'static str) -> Arc<dyn Backend> {
    Arc::new(stub(id, Support::Unsupported(Unsupported::new("it", "too new"))))
}

fn unavailable(id: &'static str) -> Arc<dyn Backend> {
    let availability =
        Availability::Unavailable { reason: "no library".into(), remedy: "install it".into() };
    Arc::new(Stub { availability, ..stub(id, Support::Supported { rank: 100 }) })
}

impl Backend for Stub {
    fn info(&self) -> &BackendInfo {
        &self.info
    }

    fn availability(&self) -> Availability {
        self.availability.clone()
    }

    fn supports(&self, _: &ModelInfo) -> Support {
        self.support.clone()
    }

    fn load(
        &self,
        _: &ModelFiles,
        _: &LoadOptions,
        _: &mut dyn FnMut(LoadProgress),
    ) -> Result<Arc<dyn Model>, LoadError> {
        Err(LoadError::new(LoadErrorKind::Backend, "a stub loads nothing"))
    }
}

fn registry(backends: &[Arc<dyn Backend>]) -> Registry {
    backends.iter().cloned().fold(Registry::empty(), Registry::with)
}

fn chosen(registry: &Registry, choice: &str) -> Result<String, LoadError> {
    let backend = registry.choose(&ModelInfo::default(), &BackendChoice::from(choice))?;
    Ok(backend.info().id.to_string())
}

#[test]
fn the_highest_rank_that_can_work_is_chosen() {
    let registry = registry(&[
        ranked("a", 10),
        unavailable("b"),
        ranked("c", 60),
        refusing("d"),
        ranked("e", 5),
    ]);
    assert_eq!(chosen(&registry, "auto").unwrap(), "c");
    assert_eq!(chosen(&registry, "e").unwrap(), "e", "a name wins over ranks");
    let answers = registry.ask(&ModelInfo::default());
    let order: Vec<&str> = answers.iter().map(|it| it.backend.as_str()).collect();
    assert_eq!(order[..3], ["c", "a", "e"], "the best comes first");
    assert_eq!(answers[3].verdict.as_ref().unwrap_err().as_str(), "no library");
}

#[test]
fn refusals_say_why_and_what_to_do() {
    let registry = registry(&[unavailable("b"), refusing("d")]);
    let cases = [
        ("auto", LoadErrorKind::Unsupported, "b: no library"),
        ("auto", LoadErrorKind::Unsupported, "d: it is not supported: too new"),
        ("d", LoadErrorKind::Unsupported, "too new"),
        ("mlx", LoadErrorKind::BackendUnavailable, "MLX"),
        ("nonsense", LoadErrorKind::BackendUnavailable, "nonsense"),
    ];
    for (choice, kind, says) in cases {
        let error = chosen(&registry, choice).unwrap_err();
        assert_eq!(error.kind(), kind, "{choice}: {error}");
        assert!(error.to_string().contains(says), "{choice}: {error}");
        assert!(error.remedy().is_some(), "{choice}");
    }
}

#[test]
fn every_framework_of_the_mission_is_listed_once() {
    let status = Registry::with_defaults().status();
    let mut ids: Vec<&str> = status.iter().map(|it| it.info.id.as_str()).collect();
    assert_eq!(ids[0], "native");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 11);
}
