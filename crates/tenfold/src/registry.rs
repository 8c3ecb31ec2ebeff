//! Who could run a model: every backend is asked, and the best one that can is taken.

use std::sync::Arc;

use tenfold_core::{
    Availability, Backend, BackendId, LoadError, LoadErrorKind, ModelInfo, Support,
};

use crate::frameworks::{BackendStatus, planned};

/// Which backend to use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BackendChoice {
    /// The one with the highest rank.
    #[default]
    Auto,
    /// This one, or fail.
    Named(BackendId),
}

impl From<&str> for BackendChoice {
    /// `auto` or the id of a backend.
    fn from(text: &str) -> Self {
        match text {
            "auto" => Self::Auto,
            name => Self::Named(BackendId::from(name.to_owned())),
        }
    }
}

/// What one backend answered when it was asked about a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Who answered.
    pub backend: BackendId,
    /// The rank it gave itself, or why it was passed over.
    pub verdict: Result<u8, String>,
}

/// All backends of this build.
#[derive(Clone)]
pub struct Registry {
    backends: Vec<Arc<dyn Backend>>,
}

impl Registry {
    /// The backends that Tenfold comes with.
    pub fn with_defaults() -> Self {
        Self { backends: vec![Arc::new(tenfold_backend_native::NativeBackend::new())] }
    }

    /// No backend yet.
    pub fn empty() -> Self {
        Self { backends: Vec::new() }
    }

    /// Adds a backend of the caller's own.
    #[must_use]
    pub fn with(mut self, backend: Arc<dyn Backend>) -> Self {
        self.backends.push(backend);
        self
    }

    /// Every framework, also those that cannot work here, with the reason.
    pub fn status(&self) -> Vec<BackendStatus> {
        let mut present: Vec<BackendStatus> =
            self.backends.iter().map(|it| status(&**it)).collect();
        present.extend(planned(&present));
        present
    }

    /// Asks every backend about a model; the best comes first.
    pub fn ask(&self, model: &ModelInfo) -> Vec<Candidate> {
        let mut answers: Vec<Candidate> =
            self.backends.iter().map(|backend| ask(&**backend, model)).collect();
        answers.sort_by_key(|answer| std::cmp::Reverse(answer.verdict.clone().ok()));
        answers
    }

    /// The backend for a model.
    ///
    /// # Errors
    /// When no backend can run it, or the chosen one cannot; the reasons are in the error.
    pub fn choose(
        &self,
        model: &ModelInfo,
        choice: &BackendChoice,
    ) -> Result<Arc<dyn Backend>, LoadError> {
        let answers = match choice {
            BackendChoice::Auto => self.ask(model),
            BackendChoice::Named(id) => vec![ask(&*self.named(id)?, model)],
        };
        match answers.iter().find(|answer| answer.verdict.is_ok()) {
            Some(best) => self.named(&best.backend),
            None => Err(nobody(model, &answers)),
        }
    }

    fn named(&self, id: &BackendId) -> Result<Arc<dyn Backend>, LoadError> {
        let found = self.backends.iter().find(|backend| backend.info().id == *id);
        found.cloned().ok_or_else(|| self.unknown(id))
    }

    fn unknown(&self, id: &BackendId) -> LoadError {
        let known = self.status().into_iter().find(|status| status.info.id == *id);
        if let Some(Availability::Unavailable { reason, remedy }) =
            known.map(|status| status.availability)
        {
            return LoadError::new(LoadErrorKind::BackendUnavailable, reason).with_remedy(remedy);
        }
        let names: Vec<&str> = self.backends.iter().map(|it| it.info().id.as_str()).collect();
        LoadError::new(LoadErrorKind::BackendUnavailable, format!("there is no backend {id}"))
            .with_remedy(format!("choose auto or one of: {}", names.join(", ")))
    }
}

fn status(backend: &dyn Backend) -> BackendStatus {
    BackendStatus { info: backend.info().clone(), availability: backend.availability() }
}

fn ask(backend: &dyn Backend, model: &ModelInfo) -> Candidate {
    let verdict = match (backend.availability(), backend.supports(model)) {
        (Availability::Unavailable { reason, .. }, _) => Err(reason),
        (_, Support::Unsupported(unsupported)) => Err(unsupported.to_string()),
        (_, Support::Supported { rank }) => Ok(rank),
    };
    Candidate { backend: backend.info().id.clone(), verdict }
}

fn nobody(model: &ModelInfo, answers: &[Candidate]) -> LoadError {
    let reasons: Vec<String> = answers
        .iter()
        .filter_map(|answer| {
            Some(format!("{}: {}", answer.backend, answer.verdict.as_ref().err()?))
        })
        .collect();
    let what = match reasons.len() {
        0 => "no backend can run this model".to_owned(),
        _ => format!("no backend can run this model ({})", reasons.join("; ")),
    };
    LoadError::new(LoadErrorKind::Unsupported, what).at(model.name.clone()).with_remedy(
        "`tenfold list` shows models that run here; `tenfold backends` shows what can run them",
    )
}
