//! Which files of a folder or repository make a model.

use std::collections::BTreeMap;

use tenfold_core::ModelFormat;

use crate::HubSelect;

/// Files that a model may have beside its weights.
pub(crate) const COMPANIONS: [&str; 6] = [
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "generation_config.json",
    "chat_template.jinja",
    "model.safetensors.index.json",
];

/// Best first when the user does not say: small with little loss, then simple, then big.
const PREFERRED: [&str; 18] = [
    "Q4_K_M", "Q4_K_S", "Q4_0", "Q4_1", "IQ4_NL", "IQ4_XS", "Q5_K_M", "Q5_K_S", "Q5_0", "Q5_1",
    "Q8_0", "Q6_K", "Q3_K_M", "Q3_K_L", "Q3_K_S", "Q2_K", "BF16", "F16",
];

/// The files of one model, by their paths in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) format: ModelFormat,
    /// In shard order.
    pub(crate) weights: Vec<String>,
    /// At the top of the folder.
    pub(crate) companions: Vec<String>,
    pub(crate) quantization: Option<String>,
}

/// Why nothing was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoChoice {
    /// The file asked for is not there.
    NoFile,
    /// No GGUF file has this quantization; these are there.
    NoQuant(Vec<String>),
    /// Some shards are missing.
    MissingShard(String),
    /// There are no weights in a known format.
    NoWeights,
}

/// Picks the files of a model out of all paths of a folder.
pub(crate) fn choose(paths: &[&str], select: &HubSelect) -> Result<Chosen, NoChoice> {
    match select {
        HubSelect::File(file) => choose_file(paths, file),
        HubSelect::Quant(quant) => {
            let groups = gguf_groups(paths);
            let found = groups.iter().find(|group| group.quant.as_deref() == Some(quant.as_str()));
            let found = found.ok_or_else(|| NoChoice::NoQuant(quants(&groups)));
            found.and_then(Group::complete)
        }
        HubSelect::Auto => match best_group(&gguf_groups(paths)) {
            Some(group) => group.complete(),
            None => choose_safetensors(paths),
        },
    }
}

fn choose_file(paths: &[&str], file: &str) -> Result<Chosen, NoChoice> {
    if !paths.contains(&file) {
        return Err(NoChoice::NoFile);
    }
    let groups = gguf_groups(paths);
    match groups.iter().find(|group| group.shards.values().any(|path| path == file)) {
        Some(group) => group.complete(),
        None if file.ends_with(".safetensors") => {
            let mut chosen = choose_safetensors(paths)?;
            if !chosen.weights.iter().any(|path| path == file) {
                chosen.weights = vec![file.to_owned()];
            }
            Ok(chosen)
        }
        None => Err(NoChoice::NoWeights),
    }
}

/// One GGUF model: a file, or its shards by number.
struct Group {
    quant: Option<String>,
    total: u32,
    shards: BTreeMap<u32, String>,
    stem: String,
}

impl Group {
    fn complete(&self) -> Result<Chosen, NoChoice> {
        if let Some(missing) = (1..=self.total).find(|number| !self.shards.contains_key(number)) {
            let name = format!("{}-{missing:05}-of-{:05}.gguf", self.stem, self.total);
            return Err(NoChoice::MissingShard(name));
        }
        Ok(Chosen {
            format: ModelFormat::Gguf,
            weights: self.shards.values().cloned().collect(),
            companions: Vec::new(),
            quantization: self.quant.clone(),
        })
    }

    fn rank(&self) -> (usize, usize) {
        let quant = self.quant.as_deref().unwrap_or_default();
        let place = PREFERRED.iter().position(|&name| name == quant);
        (place.unwrap_or(PREFERRED.len()), self.stem.len())
    }
}

fn best_group(groups: &[Group]) -> Option<&Group> {
    groups.iter().min_by_key(|group| (group.rank(), group.stem.as_str()))
}

fn quants(groups: &[Group]) -> Vec<String> {
    let mut names: Vec<String> = groups.iter().filter_map(|group| group.quant.clone()).collect();
    names.sort();
    names.dedup();
    names
}

/// The language models among the GGUF files; projectors of images and calibration data are none.
fn gguf_groups(paths: &[&str]) -> Vec<Group> {
    let mut groups: BTreeMap<(String, u32), Group> = BTreeMap::new();
    for path in paths {
        let Some(stem) = strip_extension(path, ".gguf") else { continue };
        let lower = stem.to_ascii_lowercase();
        if lower.contains("mmproj") || lower.contains("imatrix") {
            continue;
        }
        let (stem, number, total) = split_shard(stem).unwrap_or((stem, 1, 1));
        let group = groups.entry((stem.to_owned(), total)).or_insert_with(|| Group {
            quant: quantization(stem),
            total,
            shards: BTreeMap::new(),
            stem: stem.to_owned(),
        });
        group.shards.insert(number, (*path).to_owned());
    }
    groups.into_values().collect()
}

fn strip_extension<'a>(path: &'a str, extension: &str) -> Option<&'a str> {
    let cut = path.len().checked_sub(extension.len())?;
    let (stem, end) = (path.get(..cut)?, path.get(cut..)?);
    end.eq_ignore_ascii_case(extension).then_some(stem)
}

/// `model-00002-of-00003` is shard 2 of 3 of `model`.
pub(crate) fn split_shard(stem: &str) -> Option<(&str, u32, u32)> {
    let (head, total) = stem.rsplit_once("-of-")?;
    let (head, number) = head.rsplit_once('-')?;
    let five = |text: &str| text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit());
    if !five(number) || !five(total) {
        return None;
    }
    let (number, total) = (number.parse().ok()?, total.parse().ok()?);
    (1..=total).contains(&number).then_some((head, number, total))
}

/// The name of a quantization in a file name, in capitals: the last word that is one, or that of
/// the folder.
pub(crate) fn quantization(stem: &str) -> Option<String> {
    let upper = stem.to_ascii_uppercase();
    upper.split(['/', '-', '.']).rev().find(|word| is_quantization(word)).map(str::to_owned)
}

fn is_quantization(word: &str) -> bool {
    if matches!(word, "F16" | "F32" | "BF16" | "FP16" | "MXFP4") {
        return true;
    }
    let digits = word.strip_prefix("IQ").or_else(|| word.strip_prefix("TQ"));
    let Some(rest) = digits.or_else(|| word.strip_prefix('Q')) else { return false };
    let mut rest = rest.chars();
    rest.next().is_some_and(|digit| digit.is_ascii_digit())
        && rest.next() == Some('_')
        && rest.clone().next().is_some()
        && rest.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The safetensors and their companions at the top of the folder.
fn choose_safetensors(paths: &[&str]) -> Result<Chosen, NoChoice> {
    let top: Vec<&str> = paths.iter().copied().filter(|path| !path.contains('/')).collect();
    let weights = safetensors_weights(&top)?;
    if weights.is_empty() || !top.contains(&"config.json") {
        return Err(NoChoice::NoWeights);
    }
    let companions = COMPANIONS.iter().filter(|name| top.contains(name));
    Ok(Chosen {
        format: ModelFormat::Safetensors,
        weights,
        companions: companions.map(|&name| name.to_owned()).collect(),
        quantization: None,
    })
}

fn safetensors_weights(top: &[&str]) -> Result<Vec<String>, NoChoice> {
    if top.contains(&"model.safetensors") {
        return Ok(vec!["model.safetensors".to_owned()]);
    }
    let shards: BTreeMap<u32, (&str, u32)> = top
        .iter()
        .filter_map(|path| {
            let (head, number, total) = split_shard(strip_extension(path, ".safetensors")?)?;
            (head == "model").then_some((number, (*path, total)))
        })
        .collect();
    if let Some(&(_, total)) = shards.values().next() {
        return match (1..=total).find(|number| !shards.contains_key(number)) {
            Some(missing) => {
                Err(NoChoice::MissingShard(format!("model-{missing:05}-of-{total:05}.safetensors")))
            }
            None => Ok(shards.values().map(|(path, _)| (*path).to_owned()).collect()),
        };
    }
    let plain = |path: &&&str| {
        path.ends_with(".safetensors")
            && !path.starts_with("adapter_")
            && !path.starts_with("consolidated")
    };
    let mut weights: Vec<String> = top.iter().filter(plain).map(|&path| path.to_owned()).collect();
    weights.sort();
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(paths: &[&str]) -> Result<Vec<String>, NoChoice> {
        choose(paths, &HubSelect::Auto).map(|chosen| chosen.weights)
    }

    #[test]
    fn names_of_quantizations_are_found_in_file_names() {
        for (stem, quant) in [
            ("SmolLM2-135M-Instruct.Q4_1", Some("Q4_1")),
            ("model-q4_k_m", Some("Q4_K_M")),
            ("Model-IQ2_XXS", Some("IQ2_XXS")),
            ("Model-UD-Q4_K_XL", Some("Q4_K_XL")),
            ("Q8_0/model", Some("Q8_0")),
            ("Q8_0/model-F16", Some("F16")),
            ("model-bf16", Some("BF16")),
            ("qwen2.5-coder-0.5b", None),
            ("Q4", None),
            ("Q4_", None),
            ("QX_K", None),
            ("", None),
        ] {
            assert_eq!(quantization(stem).as_deref(), quant, "{stem}");
        }
    }

    #[test]
    fn the_usual_quantization_wins_and_projectors_never() {
        for (paths, chosen) in [
            (&["m-Q8_0.gguf", "m-Q4_K_M.gguf", "m-Q2_K.gguf"][..], "m-Q4_K_M.gguf"),
            (&["m-Q8_0.gguf", "m-Q4_0.GGUF"], "m-Q4_0.GGUF"),
            (&["m-IQ1_S.gguf", "m-F16.gguf"], "m-F16.gguf"),
            (&["mmproj-Q4_K_M.gguf", "m.gguf"], "m.gguf"),
            (&["m-imatrix.gguf", "b.gguf", "a.gguf"], "a.gguf"),
        ] {
            assert_eq!(auto(paths).unwrap(), [chosen]);
        }
    }

    #[test]
    fn a_quantization_is_asked_for_by_name() {
        let paths = ["m-Q8_0.gguf", "m-q4_k_m.gguf", "README.md"];
        let quant = |name: &str| choose(&paths, &HubSelect::Quant(name.into()));
        assert_eq!(quant("Q4_K_M").unwrap().weights, ["m-q4_k_m.gguf"]);
        let there = NoChoice::NoQuant(vec!["Q4_K_M".into(), "Q8_0".into()]);
        assert_eq!(quant("Q5_0"), Err(there));
    }

    #[test]
    fn shards_come_together_in_order_or_not_at_all() {
        let all = ["q/m-Q8_0-00002-of-00002.gguf", "q/m-Q8_0-00001-of-00002.gguf"];
        assert_eq!(auto(&all).unwrap(), [all[1], all[0]]);
        let file = HubSelect::File(all[0].into());
        assert_eq!(choose(&all, &file).unwrap().weights, [all[1], all[0]]);
        let missing = NoChoice::MissingShard("q/m-Q8_0-00001-of-00002.gguf".into());
        assert_eq!(auto(&all[..1]), Err(missing));
        assert_eq!(split_shard("m-00003-of-00002"), None);
        assert_eq!(split_shard("m-1-of-2"), None);
    }

    #[test]
    fn safetensors_need_their_config_and_come_with_companions() {
        let sharded = [
            "config.json",
            "model-00002-of-00002.safetensors",
            "model-00001-of-00002.safetensors",
            "model.safetensors.index.json",
            "tokenizer.json",
            "original/consolidated.00.pth",
            "README.md",
        ];
        let chosen = choose(&sharded, &HubSelect::Auto).unwrap();
        assert_eq!(chosen.format, ModelFormat::Safetensors);
        assert_eq!(chosen.weights, [sharded[2], sharded[1]]);
        assert_eq!(
            chosen.companions,
            ["config.json", "tokenizer.json", "model.safetensors.index.json"]
        );
        assert_eq!(auto(&["model.safetensors"]), Err(NoChoice::NoWeights));
        assert_eq!(auto(&["config.json", "adapter_model.safetensors"]), Err(NoChoice::NoWeights));
        assert_eq!(
            auto(&["config.json", "model-00001-of-00002.safetensors"]),
            Err(NoChoice::MissingShard("model-00002-of-00002.safetensors".into()))
        );
    }

    #[test]
    fn a_file_that_is_not_there_or_no_model_is_refused() {
        let file = |name: &str| choose(&["m.gguf", "README.md"], &HubSelect::File(name.into()));
        assert_eq!(file("x.gguf"), Err(NoChoice::NoFile));
        assert_eq!(file("README.md"), Err(NoChoice::NoWeights));
        assert!(file("m.gguf").is_ok());
        let both = ["config.json", "model.safetensors", "tuned.safetensors"];
        let tuned = choose(&both, &HubSelect::File("tuned.safetensors".into())).unwrap();
        assert_eq!(tuned.weights, ["tuned.safetensors"]);
    }
}
