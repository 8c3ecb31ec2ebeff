//! Names of files that hold one model in several parts: `name-00001-of-00003.gguf`.

use std::fmt;

/// The name of one file of several.
///
/// ```
/// use tenfold_formats::ShardName;
///
/// let name = ShardName::parse("qwen-00002-of-00003.gguf").unwrap();
/// assert_eq!((name.number(), name.count()), (2, 3));
/// let all: Vec<String> = name.all().map(|name| name.to_string()).collect();
/// assert_eq!(all[0], "qwen-00001-of-00003.gguf");
/// assert!(ShardName::parse("qwen.gguf").is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ShardName {
    stem: String,
    number: u32,
    count: u32,
    extension: String,
}

impl ShardName {
    /// Takes a file's name apart; `None` if it is the name of a whole model.
    pub fn parse(file_name: &str) -> Option<Self> {
        let (rest, extension) = file_name.rsplit_once('.')?;
        let (rest, count) = rest.rsplit_once("-of-")?;
        let (stem, number) = rest.rsplit_once('-')?;
        let (number, count) = (five_digits(number)?, five_digits(count)?);
        let (stem, extension) = (stem.to_owned(), extension.to_owned());
        (1..=count).contains(&number).then_some(Self { stem, number, count, extension })
    }

    /// Which file it is, from 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// How many files the model has.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The part that all files of the model share.
    pub fn stem(&self) -> &str {
        &self.stem
    }

    /// The names of all files of the model, in order.
    pub fn all(&self) -> impl Iterator<Item = Self> + '_ {
        (1..=self.count).map(|number| Self { number, ..self.clone() })
    }
}

fn five_digits(text: &str) -> Option<u32> {
    let is_number = text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for ShardName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stem, number, count, extension } = self;
        write!(f, "{stem}-{number:05}-of-{count:05}.{extension}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_parts_are_told_from_names_of_wholes() {
        for name in ["a-00001-of-00001.gguf", "model-b-00003-of-00010.safetensors"] {
            assert_eq!(ShardName::parse(name).unwrap().to_string(), name);
        }
        for name in [
            "a.gguf",
            "a-1-of-2.gguf",
            "a-00003-of-00002.gguf",
            "a-00000-of-00002.gguf",
            "a-00001-of-+0002.gguf",
            "00001-of-00002.gguf",
            "a-00001-of-00002",
            "",
        ] {
            assert_eq!(ShardName::parse(name), None, "{name}");
        }
    }
}
