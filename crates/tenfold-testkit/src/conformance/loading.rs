//! Loading: what is told before, while, and instead.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use tenfold_core::{
    LoadError, LoadErrorKind, LoadOptions, ModelFiles, ModelInfo, SessionOptions, Support,
};

use super::{Check, Subject};

pub(super) const CHECKS: &[Check] = &[
    Check::new("a backend tells what it is", describes_itself),
    Check::new("it knows what it cannot run before it loads", refuses_unknown_models),
    Check::new("progress grows and reaches its total", progress_grows),
    Check::new("a loaded model tells what it is", model_describes_itself),
    Check::new("a file that is not there is named", missing_file),
    Check::new("a file cut short is refused", truncated_file),
    Check::new("a file of something else is refused", other_file),
    Check::new("a context of any allowed length can be asked", contexts),
    Check::new("any number of threads gives a model that answers", threads),
];

fn describes_itself(subject: &Subject<'_>) -> anyhow::Result<()> {
    let info = subject.backend.info();
    let id = info.id.as_str();
    ensure!(!id.is_empty(), "the id is empty");
    ensure!(id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()), "the id is {id:?}");
    ensure!(!info.name.is_empty() && !info.formats.is_empty(), "{info:?}");
    ensure!(info.formats.contains(&subject.files.format), "{:?} is not listed", subject.files);
    ensure!(subject.backend.availability().is_available());
    Ok(())
}

fn refuses_unknown_models(subject: &Subject<'_>) -> anyhow::Result<()> {
    let unknown = ModelInfo {
        architecture: "no-such-architecture".to_owned(),
        format: Some(subject.files.format),
        ..ModelInfo::default()
    };
    match subject.backend.supports(&unknown) {
        Support::Unsupported(error) => {
            ensure!(!error.reason.is_empty(), "no reason is given");
            Ok(())
        }
        Support::Supported { rank } => bail!("it claims to run it, with rank {rank}"),
    }
}

fn progress_grows(subject: &Subject<'_>) -> anyhow::Result<()> {
    let mut seen = Vec::new();
    subject.backend.load(subject.files, &LoadOptions::default(), &mut |it| seen.push(it))?;
    for pair in seen.windows(2) {
        if let [before, after] = pair
            && before.stage == after.stage
        {
            ensure!(before.progress.done <= after.progress.done, "{before:?}, then {after:?}");
        }
    }
    if let Some(last) = seen.last() {
        ensure!(last.progress.done == last.progress.total, "it ends with {last:?}");
    }
    Ok(())
}

fn model_describes_itself(subject: &Subject<'_>) -> anyhow::Result<()> {
    let info = subject.load()?.info().clone();
    ensure!(info.name == subject.files.name, "the name is {:?}", info.name);
    ensure!(info.vocabulary_size > 0 && info.context_length > 0, "{info:?}");
    Ok(())
}

fn missing_file(subject: &Subject<'_>) -> anyhow::Result<()> {
    let missing = PathBuf::from("no-such-folder").join("no-such-file");
    let error = refused(subject, &with_weights(subject.files, missing.clone()))?;
    ensure!(error.kind() == LoadErrorKind::NotFound, "the kind is {:?}", error.kind());
    names(&error, &missing)
}

fn truncated_file(subject: &Subject<'_>) -> anyhow::Result<()> {
    let bytes = std::fs::read(subject.files.main())?;
    let folder = tempfile::tempdir()?;
    for share in [0.0, 0.01, 0.5, 0.999] {
        let kept = (bytes.len() as f64 * share) as usize;
        let path = folder.path().join("cut");
        std::fs::write(&path, &bytes[..kept])?;
        let error = refused(subject, &with_weights(subject.files, path.clone()))
            .with_context(|| format!("{kept} of {} bytes", bytes.len()))?;
        ensure!(error.kind() == LoadErrorKind::InvalidFile, "the kind is {:?}", error.kind());
        names(&error, &path)?;
    }
    Ok(())
}

fn other_file(subject: &Subject<'_>) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("other");
    std::fs::write(&path, "This is a letter to a friend, and no model at all.\n".repeat(100))?;
    let error = refused(subject, &with_weights(subject.files, path.clone()))?;
    ensure!(error.kind() == LoadErrorKind::InvalidFile, "the kind is {:?}", error.kind());
    names(&error, &path)
}

fn contexts(subject: &Subject<'_>) -> anyhow::Result<()> {
    let asked = LoadOptions { context_length: Some(64), ..LoadOptions::default() };
    let model = subject.load_with(&asked)?;
    for context_length in [1, 63, 64] {
        let options =
            SessionOptions { context_length: Some(context_length), ..SessionOptions::default() };
        model.clone().start_session(&options)?;
    }
    for context_length in [0, 65, usize::MAX] {
        let options =
            SessionOptions { context_length: Some(context_length), ..SessionOptions::default() };
        match model.clone().start_session(&options) {
            Err(error) => ensure!(error.kind() == LoadErrorKind::InvalidOption, "{error}"),
            Ok(_) => bail!("a context of {context_length} tokens was granted"),
        }
    }
    Ok(())
}

fn threads(subject: &Subject<'_>) -> anyhow::Result<()> {
    for threads in [1, 3] {
        let options = LoadOptions { threads: NonZeroUsize::new(threads), ..LoadOptions::default() };
        let mut session = subject.load_with(&options)?.start_session(&SessionOptions::default())?;
        super::ask(&mut *session, "Hello", &super::short())?;
    }
    Ok(())
}

fn with_weights(files: &ModelFiles, path: PathBuf) -> ModelFiles {
    ModelFiles { weights: vec![path], ..files.clone() }
}

fn refused(subject: &Subject<'_>, files: &ModelFiles) -> anyhow::Result<LoadError> {
    match subject.backend.load(files, &LoadOptions::default(), &mut |_| {}) {
        Ok(_) => bail!("it was loaded"),
        Err(error) => Ok(error),
    }
}

fn names(error: &LoadError, path: &Path) -> anyhow::Result<()> {
    let text = error.to_string();
    ensure!(text.contains(&path.display().to_string()), "the path is not in {text:?}");
    ensure!(error.remedy().is_some(), "no remedy in {text:?}");
    Ok(())
}
