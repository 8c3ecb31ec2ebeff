//! Models that are files or folders of this machine.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use tenfold_core::{ModelFiles, ModelFormat};

use crate::choose::{COMPANIONS, Chosen, NoChoice, choose, split_shard};
use crate::{HubError, HubSelect};

const MAX_CONFIG_BYTES: u64 = 4 << 20;
const WHAT_IS_A_MODEL: &str =
    "give a .gguf file, or a folder with config.json, tokenizer.json and .safetensors files";

/// The files of the model at this path; `~` is the user's folder.
pub(crate) fn resolve(path: &Path, user_home: Option<&Path>) -> Result<ModelFiles, HubError> {
    let path = expand(path, user_home);
    let metadata = path.metadata().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => missing(&path),
        _ => HubError::io("read", &path)(error),
    })?;
    if metadata.is_file() {
        return from_file(&path);
    }
    if !metadata.is_dir() {
        return Err(not_a_model(&path, "it is neither a file nor a folder"));
    }
    match folder_format(&path) {
        Some(format) => Ok(files(&path, format, vec![path.clone()])),
        None => from_folder(&path),
    }
}

fn expand(path: &Path, user_home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~"), user_home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

fn missing(path: &Path) -> HubError {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let place = folder.unwrap_or(Path::new("this folder"));
    HubError::NotFound {
        what: path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        place: place.display().to_string(),
        remedy: Some("check the path; models of the catalogue are named without one".to_owned()),
    }
}

fn not_a_model(path: &Path, problem: impl Into<String>) -> HubError {
    HubError::invalid(&path.to_string_lossy(), problem, WHAT_IS_A_MODEL)
}

fn files(path: &Path, format: ModelFormat, weights: Vec<PathBuf>) -> ModelFiles {
    ModelFiles { name: path.display().to_string(), format, weights, companions: BTreeMap::new() }
}

fn from_file(path: &Path) -> Result<ModelFiles, HubError> {
    let Some(format) = file_format(path)? else {
        return Err(not_a_model(path, "it is in no format of a model that Tenfold knows"));
    };
    let beside = path.parent().unwrap_or(Path::new(""));
    match format {
        ModelFormat::Gguf => gguf_file(path, beside),
        ModelFormat::Safetensors => {
            let chosen = choose_beside(path, beside, ".safetensors")?;
            Ok(named(path, beside, &chosen))
        }
        format => Ok(with_companions(files(path, format, vec![path.to_owned()]), beside)),
    }
}

/// One file, or all shards of which it is one.
fn gguf_file(path: &Path, beside: &Path) -> Result<ModelFiles, HubError> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    if split_shard(&stem).is_none() {
        return Ok(with_companions(files(path, ModelFormat::Gguf, vec![path.to_owned()]), beside));
    }
    let chosen = choose_beside(path, beside, ".gguf")?;
    Ok(with_companions(named(path, beside, &chosen), beside))
}

fn choose_beside(path: &Path, folder: &Path, ending: &str) -> Result<Chosen, HubError> {
    let names = names_in(folder)?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    choose(&names, &HubSelect::File(file)).map_err(|reason| match reason {
        NoChoice::MissingShard(name) => missing_shard(folder, &name),
        _ if ending == ".safetensors" => not_a_model(path, "there is no config.json beside it"),
        _ => not_a_model(path, "it is no language model"),
    })
}

fn missing_shard(folder: &Path, name: &str) -> HubError {
    HubError::NotFound {
        what: format!("file {name}, which the model is made of"),
        place: folder.display().to_string(),
        remedy: Some("put all shards of the model in one folder".to_owned()),
    }
}

fn named(path: &Path, folder: &Path, chosen: &Chosen) -> ModelFiles {
    let weights = chosen.weights.iter().map(|name| folder.join(name)).collect();
    with_companions(files(path, chosen.format, weights), folder)
}

fn with_companions(mut files: ModelFiles, folder: &Path) -> ModelFiles {
    let there = COMPANIONS.iter().map(|&name| (name.to_owned(), folder.join(name)));
    files.companions = there.filter(|(_, path)| path.is_file()).collect();
    files
}

fn from_folder(path: &Path) -> Result<ModelFiles, HubError> {
    let names = names_in(path)?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let models = gguf_models(&names);
    if models.len() > 1 {
        let list = models.iter().take(5).map(|name| path.join(name).display().to_string());
        let list = list.collect::<Vec<_>>().join(", ");
        return Err(HubError::invalid(
            &path.to_string_lossy(),
            format!("the folder holds {} models", models.len()),
            format!("name one of them: {list}"),
        ));
    }
    let chosen = choose(&names, &HubSelect::Auto).map_err(|reason| match reason {
        NoChoice::MissingShard(name) => missing_shard(path, &name),
        _ => not_a_model(path, "the folder holds no model"),
    })?;
    let mut files = named(path, path, &chosen);
    files.format = refined(files.format, &path.join("config.json"));
    Ok(files)
}

/// One file of each GGUF model.
fn gguf_models<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let is_first = |name: &str| {
        let stem = name.strip_suffix(".gguf")?;
        let first = split_shard(stem).is_none_or(|(_, number, _)| number == 1);
        (first && !stem.to_ascii_lowercase().contains("mmproj")).then_some(())
    };
    names.iter().copied().filter(|name| is_first(name).is_some()).collect()
}

fn names_in(folder: &Path) -> Result<Vec<String>, HubError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = std::fs::read_dir(folder).map_err(HubError::io("read", folder))?;
    let files = entries.flatten().filter(|entry| entry.path().is_file());
    let mut names: Vec<String> =
        files.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

/// Folders that are one model for their framework.
fn folder_format(path: &Path) -> Option<ModelFormat> {
    let ending = path.extension().unwrap_or_default();
    if ending == "mlpackage" || ending == "mlmodelc" {
        return Some(ModelFormat::CoreMl);
    }
    path.join("mlc-chat-config.json").is_file().then_some(ModelFormat::Mlc)
}

/// The format of weights beside this `config.json`: safetensors may be those of MLX.
pub(crate) fn refined(format: ModelFormat, config: &Path) -> ModelFormat {
    match format {
        ModelFormat::Safetensors if is_mlx(config) => ModelFormat::Mlx,
        format => format,
    }
}

/// mlx-lm writes how it quantized under a key of its own.
fn is_mlx(config: &Path) -> bool {
    let Ok(file) = File::open(config) else { return false };
    let value: Result<serde_json::Value, _> = serde_json::from_reader(file.take(MAX_CONFIG_BYTES));
    value.is_ok_and(|config| config.pointer("/quantization/group_size").is_some())
}

/// By the first bytes, or else by the ending of the name.
fn file_format(path: &Path) -> Result<Option<ModelFormat>, HubError> {
    let mut start = Vec::new();
    let file = File::open(path).map_err(HubError::io("read", path))?;
    file.take(8).read_to_end(&mut start).map_err(HubError::io("read", path))?;
    if start.starts_with(b"GGUF") {
        return Ok(Some(ModelFormat::Gguf));
    }
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    Ok(match ending.as_str() {
        "gguf" => Some(ModelFormat::Gguf),
        "safetensors" => Some(ModelFormat::Safetensors),
        "onnx" => Some(ModelFormat::Onnx),
        "pte" => Some(ModelFormat::Pte),
        "tflite" => Some(ModelFormat::Tflite),
        "litertlm" => Some(ModelFormat::LiteRtLm),
        "pllm" => Some(ModelFormat::PicoLlm),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HubErrorKind;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn found(
        folder: &Path,
        name: &str,
    ) -> Result<(ModelFormat, Vec<String>, Vec<String>), HubErrorKind> {
        let files = resolve(&folder.join(name), None).map_err(|error| error.kind())?;
        let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        let weights = files.weights.iter().map(name).collect();
        Ok((files.format, weights, files.companions.into_keys().collect()))
    }

    fn strings(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn files_are_known_by_their_bytes_and_endings() {
        let folder = folder(&[
            ("m.gguf", "GGUF…"),
            ("named-otherwise.bin", "GGUF…"),
            ("text.gguf", "hello"),
            ("m.onnx", "x"),
            ("m.pllm", "x"),
            ("notes.txt", "hello"),
            ("empty", ""),
        ]);
        let format = |name| found(folder.path(), name).map(|(format, ..)| format);
        assert_eq!(format("m.gguf"), Ok(ModelFormat::Gguf));
        assert_eq!(format("named-otherwise.bin"), Ok(ModelFormat::Gguf));
        assert_eq!(format("text.gguf"), Ok(ModelFormat::Gguf), "the parser says what is wrong");
        assert_eq!(format("m.onnx"), Ok(ModelFormat::Onnx));
        assert_eq!(format("m.pllm"), Ok(ModelFormat::PicoLlm));
        assert_eq!(format("notes.txt"), Err(HubErrorKind::InvalidRef));
        assert_eq!(format("empty"), Err(HubErrorKind::InvalidRef));
        assert_eq!(format("not-there.gguf"), Err(HubErrorKind::NotFound));
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_refused_before_it_is_read() {
        let error = resolve(Path::new("/dev/zero"), None).unwrap_err();
        assert!(error.to_string().contains("neither a file nor a folder"), "{error}");
    }

    #[test]
    fn any_shard_stands_for_all() {
        let (one, two) = ("m-00001-of-00002.gguf", "m-00002-of-00002.gguf");
        let folder = folder(&[(one, "GGUF"), (two, "GGUF"), ("other.gguf", "GGUF")]);
        let all = Ok((ModelFormat::Gguf, strings(&[one, two]), vec![]));
        assert_eq!(found(folder.path(), two), all);
        std::fs::remove_file(folder.path().join(one)).unwrap();
        assert_eq!(found(folder.path(), two), Err(HubErrorKind::NotFound));
    }

    #[test]
    fn folders_hold_one_model_or_say_what_is_wrong() {
        let hf = folder(&[
            ("config.json", "{}"),
            ("tokenizer.json", "{}"),
            ("model.safetensors", "x"),
            ("README.md", "x"),
        ]);
        let expected = (
            ModelFormat::Safetensors,
            strings(&["model.safetensors"]),
            strings(&["config.json", "tokenizer.json"]),
        );
        assert_eq!(found(hf.path(), ""), Ok(expected.clone()));
        assert_eq!(found(hf.path(), "model.safetensors"), Ok(expected));
        let config = r#"{"quantization": {"group_size": 64, "bits": 4}}"#;
        std::fs::write(hf.path().join("config.json"), config).unwrap();
        assert_eq!(found(hf.path(), "").unwrap().0, ModelFormat::Mlx);

        let two = folder(&[("a.gguf", "GGUF"), ("b.gguf", "GGUF")]);
        let error = resolve(two.path(), None).unwrap_err();
        assert!(error.remedy().unwrap().contains("a.gguf"), "{:?}", error.remedy());
        let one = folder(&[("a.gguf", "GGUF"), ("mmproj-a.gguf", "GGUF")]);
        assert_eq!(found(one.path(), "").unwrap().1, ["a.gguf"]);
        assert_eq!(found(folder(&[]).path(), ""), Err(HubErrorKind::InvalidRef));
        let bare = folder(&[("model.safetensors", "x")]);
        assert_eq!(found(bare.path(), ""), Err(HubErrorKind::InvalidRef));
        let mlc = folder(&[("mlc-chat-config.json", "{}")]);
        assert_eq!(found(mlc.path(), "").unwrap().0, ModelFormat::Mlc);
    }

    #[test]
    fn the_tilde_is_the_users_folder() {
        let home = folder(&[("m.gguf", "GGUF")]);
        let files = resolve(Path::new("~/m.gguf"), Some(home.path())).unwrap();
        assert_eq!(files.main(), home.path().join("m.gguf"));
    }
}
