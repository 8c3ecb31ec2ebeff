//! A file at any address, with its shards.

use tenfold_core::ModelFormat;

use super::{Pull, Wanted, new_file};
use crate::HubError;
use crate::address::shown;
use crate::choose::{quantization, split_shard};
use crate::disk::make_folder;
use crate::progress::PullProgress;
use crate::store::{FileRole, NewModel, Place};

impl Pull<'_> {
    pub(super) fn obtain_url(&mut self, url: &str) -> Result<NewModel, HubError> {
        self.online()?;
        make_folder(&self.folder)?;
        let source = shown(url);
        self.reporter.send(PullProgress::Source { source: &source });
        self.reporter.begin(None);
        let mut files = Vec::new();
        for url in shard_urls(url) {
            let label = file_name(&url).to_owned();
            let wanted =
                Wanted { url: &url, label: &label, bytes: None, checksum: None, is_gguf: true };
            let (path, fetched) = self.fetch(&wanted)?;
            self.reporter.finish_file(fetched.bytes);
            files.push(new_file(&label, FileRole::Weights, fetched, Place::Partial(path)));
        }
        let stem = file_name(&source).trim_end_matches(".gguf").to_owned();
        Ok(NewModel {
            name: self.name.clone(),
            format: ModelFormat::Gguf,
            files,
            source,
            license: None,
            quantization: quantization(&stem),
            revision: None,
        })
    }
}

fn file_name(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    path.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("model.gguf")
}

/// The addresses of all shards, if the address names one.
fn shard_urls(url: &str) -> Vec<String> {
    let (path, rest) = url.split_at(url.find(['?', '#']).unwrap_or(url.len()));
    let stem = path.strip_suffix(".gguf").unwrap_or_default();
    match split_shard(stem) {
        Some((head, _, total)) if total <= 999 => (1..=total)
            .map(|number| format!("{head}-{number:05}-of-{total:05}.gguf{rest}"))
            .collect(),
        _ => vec![url.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_shard_stands_for_all() {
        assert_eq!(
            shard_urls("https://h/m-00002-of-00002.gguf?x=1"),
            ["https://h/m-00001-of-00002.gguf?x=1", "https://h/m-00002-of-00002.gguf?x=1"]
        );
        assert_eq!(shard_urls("https://h/m.gguf"), ["https://h/m.gguf"]);
        assert_eq!(file_name("https://h/a/m.gguf?download=true"), "m.gguf");
        assert_eq!(file_name("https://h/"), "model.gguf");
    }
}
