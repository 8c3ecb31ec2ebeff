//! Models that are cut into several GGUF files.

use super::{Gguf, Tensor};
use crate::error::{FormatError, Item, Problem};

const COUNT_KEY: &str = "split.count";
const NUMBER_KEY: &str = "split.no";
const TENSORS_KEY: &str = "split.tensors.count";

/// All files of one model; the metadata is that of the first.
#[derive(Clone, Debug)]
pub struct GgufFiles<'a> {
    first: Gguf<'a>,
    rest: Vec<Gguf<'a>>,
}

impl<'a> GgufFiles<'a> {
    /// Reads and checks every file, and that together they are one whole model.
    ///
    /// # Errors
    /// As [`Gguf::parse`], and when a file is missing, out of order or of another model.
    pub fn parse(files: &[&'a [u8]]) -> Result<Self, FormatError> {
        let locate = |error: FormatError, shard| match files.len() {
            0 | 1 => error,
            _ => error.shard(shard),
        };
        let parsed = files
            .iter()
            .enumerate()
            .map(|(shard, file)| Gguf::parse(file).map_err(|error| locate(error, shard)));
        Self::join(parsed.collect::<Result<_, _>>()?)
    }

    /// Joins files that were read one by one.
    ///
    /// # Errors
    /// When a file is missing, out of order or of another model.
    pub fn join(files: Vec<Gguf<'a>>) -> Result<Self, FormatError> {
        let mut files = files.into_iter();
        let Some(first) = files.next() else {
            return Err(FormatError::new(Problem::MissingShards { expected: 1, found: 0 }));
        };
        let joined = Self { first, rest: files.collect() };
        joined.check()?;
        Ok(joined)
    }

    /// The file that carries the metadata.
    pub fn first(&self) -> &Gguf<'a> {
        &self.first
    }

    /// The files in order.
    pub fn files(&self) -> impl Iterator<Item = &Gguf<'a>> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    /// All tensors, each with the number of its file.
    pub fn tensors(&self) -> impl Iterator<Item = (usize, &Tensor<'a>)> {
        self.files()
            .enumerate()
            .flat_map(|(shard, file)| file.tensors().iter().map(move |tensor| (shard, tensor)))
    }

    fn check(&self) -> Result<(), FormatError> {
        let found = 1 + self.rest.len() as u64;
        let expected = self.first.u64(COUNT_KEY)?.unwrap_or(1).max(1);
        if found != expected {
            return Err(FormatError::new(Problem::MissingShards { expected, found }));
        }
        if expected > 1 {
            for (shard, file) in self.files().enumerate() {
                check_shard(file, shard, expected).map_err(|error| error.shard(shard))?;
            }
            self.check_tensors()?;
        }
        Ok(())
    }

    /// Names are unique within each file already; here across the files.
    fn check_tensors(&self) -> Result<(), FormatError> {
        let mut names: Vec<_> =
            self.tensors().map(|(shard, tensor)| (tensor.name, shard)).collect();
        if let Some(expected) = self.first.u64(TENSORS_KEY)?
            && expected != names.len() as u64
        {
            let found = format!("{} in all files", names.len());
            let problem = mismatch(found, expected, TENSORS_KEY);
            return Err(FormatError::new(problem).item(Item::Part("number of tensors")));
        }
        names.sort_unstable();
        match names.iter().zip(names.iter().skip(1)).find(|(one, two)| one.0 == two.0) {
            Some((_, &(name, shard))) => {
                Err(FormatError::at_tensor(name, Problem::Duplicate).shard(shard))
            }
            None => Ok(()),
        }
    }
}

fn check_shard(file: &Gguf<'_>, shard: usize, count: u64) -> Result<(), FormatError> {
    for (key, expected) in [(COUNT_KEY, count), (NUMBER_KEY, shard as u64)] {
        let found = file.u64(key)?;
        let found = found.ok_or_else(|| FormatError::at_key(key, Problem::Missing))?;
        if found != expected {
            let problem = mismatch(found.to_string(), expected, "the other files");
            return Err(FormatError::at_key(key, problem));
        }
    }
    Ok(())
}

fn mismatch(found: String, expected: u64, reason: &str) -> Problem {
    Problem::Mismatch { found, expected: expected.to_string(), reason: reason.to_owned() }
}
