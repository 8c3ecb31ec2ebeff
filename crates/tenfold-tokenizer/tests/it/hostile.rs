//! Damaged files give an error or a tokenizer, never a panic.

use serde_json::{Map, Value};
use tenfold_formats::TokenKind;
use tenfold_formats::gguf::Gguf;
use tenfold_tokenizer::{DetokenizeOptions, TokenizeOptions, Tokenizer, TokenizerFiles};

use crate::support::{Goldens, Variant, Vocabulary, assemble, goldens};

/// Numbers by chance, the same in every run.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        // Splitmix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    /// Changes, removes or doubles some bytes.
    fn damage(&mut self, file: &mut Vec<u8>) {
        for _ in 0..1 + self.below(4) {
            let at = self.below(file.len());
            let end = (at + 1 + self.below(12)).min(file.len());
            match self.below(6) {
                0 => file[at] = self.next() as u8,
                1 => file[at] ^= 1 << self.below(8),
                2 => drop(file.drain(at..end)),
                3 => file[at..end].fill(self.next() as u8),
                4 => file.truncate(at + file.len() / 2),
                _ => {
                    let copy = file[at..end].to_vec();
                    file.splice(at..at, copy);
                }
            }
        }
    }
}

/// Uses every part of a tokenizer that made it through.
fn try_out(tokenizer: &Tokenizer, chance: &mut Chance) {
    let noise: Vec<u8> = (0..chance.below(40)).map(|_| chance.next() as u8).collect();
    let texts: [&[u8]; 4] =
        [b"Hello <s>world</s> it's  42!\n\n", "▁é中😀 <user>".as_bytes(), &noise, b""];
    for text in texts {
        for options in [TokenizeOptions::default(), TokenizeOptions::rendered()] {
            let ids = tokenizer.tokenize(text, options).unwrap_or_default();
            tokenizer.detokenize(&ids, DetokenizeOptions::default());
        }
    }
    let ids: Vec<u32> = (0..8).map(|_| chance.next() as u32 % 4000).collect();
    tokenizer.detokenize(&ids, DetokenizeOptions::default());
    let count = tokenizer.vocabulary_size() as u32;
    assert!(tokenizer.end_of_generation().iter().all(|&id| id < count));
}

#[test]
fn damaged_gguf_files() {
    let mut chance = Chance(1);
    let rows = [
        ("byte_level", Some("llama-bpe")),
        ("characters", Some("gemma4")),
        ("sentence_piece", None),
        ("unigram", None),
        ("word_piece", None),
    ];
    let mut survivors = 0;
    for (name, pre) in rows {
        let variant = Variant { pre: pre.map(str::to_owned), ..Variant::default() };
        let whole = Vocabulary::named(name).to_gguf(&variant);
        for _ in 0..150 {
            let mut file = whole.clone();
            chance.damage(&mut file);
            let Ok(gguf) = Gguf::parse(&file) else { continue };
            let Ok(Some(vocabulary)) = tenfold_formats::vocabulary(&gguf) else { continue };
            let Ok(tokenizer) = Tokenizer::from_vocabulary(&vocabulary) else { continue };
            survivors += 1;
            try_out(&tokenizer, &mut chance);
        }
    }
    assert!(survivors > 10, "{survivors} files were still readable");
}

#[test]
fn vocabularies_with_wrong_parts() {
    let mut chance = Chance(4);
    let rows = [
        ("byte_level", Some("qwen2")),
        ("characters", Some("mmbert")),
        ("sentence_piece", None),
        ("unigram", None),
        ("word_piece", None),
    ];
    for (name, pre) in rows {
        let variant = Variant { pre: pre.map(str::to_owned), ..Variant::default() };
        let file = Vocabulary::named(name).to_gguf(&variant);
        let whole = tenfold_formats::vocabulary(&Gguf::parse(&file).unwrap()).unwrap().unwrap();
        for _ in 0..100 {
            let mut vocabulary = whole.clone();
            for _ in 0..1 + chance.below(4) {
                spoil(&mut vocabulary, &mut chance);
            }
            if let Ok(tokenizer) = Tokenizer::from_vocabulary(&vocabulary) {
                try_out(&tokenizer, &mut chance);
            }
        }
    }
}

fn spoil(vocabulary: &mut tenfold_formats::Vocabulary, chance: &mut Chance) {
    let id = chance.below(vocabulary.tokens.len());
    let text = ["", " ", "▁", "<0xFF>", "<s>", "\u{FFFD}", "ab", "\0"][chance.below(8)];
    match chance.below(10) {
        0 => vocabulary.tokens[id] = text.into(),
        1 => vocabulary.tokens[id] = vocabulary.tokens[chance.below(id + 1)].clone(),
        2 if !vocabulary.merges.is_empty() => {
            let at = chance.below(vocabulary.merges.len());
            vocabulary.merges[at] = format!("{text}{}{text}", [" ", ""][chance.below(2)]);
        }
        3 if !vocabulary.scores.is_empty() => {
            let score = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, f32::MAX];
            vocabulary.scores[id] = score[chance.below(5)];
        }
        4 => vocabulary.kinds.fill([TokenKind::Unused, TokenKind::Byte][chance.below(2)]),
        5 => vocabulary.kinds[id] = [TokenKind::Unknown, TokenKind::UserDefined][chance.below(2)],
        6 => vocabulary.unk = Some(chance.next() as u32 % 4000).filter(|id| id % 2 == 0),
        7 => (vocabulary.bos, vocabulary.eos) = (None, Some(u32::MAX)),
        8 if vocabulary.precompiled_charsmap.len() > 8 => {
            chance.damage(&mut vocabulary.precompiled_charsmap);
        }
        _ => vocabulary.add_space_prefix = Some(chance.below(2) == 0),
    }
}

#[test]
fn damaged_tokenizer_json_files() {
    let mut chance = Chance(2);
    let goldens: Goldens<Map<String, Value>> = goldens("tokenizer_json.json");
    let mut survivors = 0;
    for component in &goldens.variants {
        let whole = assemble(component);
        for _ in 0..40 {
            let mut file = whole.clone();
            chance.damage(&mut file);
            survivors += usize::from(survives(&file, &mut chance));
        }
    }
    assert!(survivors > 10, "{survivors} files were still readable");
}

fn survives(tokenizer: &[u8], chance: &mut Chance) -> bool {
    let files = TokenizerFiles { tokenizer, ..TokenizerFiles::default() };
    let made = Tokenizer::from_json(&files);
    made.inspect(|tokenizer| try_out(tokenizer, chance)).is_ok()
}

/// Damage that keeps the JSON whole: a value elsewhere, missing, or of another kind.
#[test]
fn tokenizer_json_files_with_wrong_values() {
    let mut chance = Chance(3);
    let goldens: Goldens<Map<String, Value>> = goldens("tokenizer_json.json");
    for component in &goldens.variants {
        let whole: Value = serde_json::from_slice(&assemble(component)).unwrap();
        for _ in 0..60 {
            let mut value = whole.clone();
            change(&mut value, &mut chance, 0);
            survives(&serde_json::to_vec(&value).unwrap(), &mut chance);
        }
    }
}

fn change(value: &mut Value, chance: &mut Chance, depth: usize) {
    let goes_deeper = depth < 1 || chance.below(5) > 0;
    match value {
        Value::Object(map) if goes_deeper && !map.is_empty() => {
            let key = map.keys().nth(chance.below(map.len())).cloned().unwrap();
            match chance.below(12) {
                0 => drop(map.shift_remove(&key)),
                _ => change(&mut map[&key], chance, depth + 1),
            }
        }
        Value::Array(list) if goes_deeper && !list.is_empty() => {
            let at = chance.below(list.len());
            match chance.below(12) {
                0 => drop(list.remove(at)),
                1 => list.push(list[at].clone()),
                _ => change(&mut list[at], chance, depth + 1),
            }
        }
        leaf => *leaf = other_value(chance),
    }
}

fn other_value(chance: &mut Chance) -> Value {
    let values = [
        Value::Null,
        true.into(),
        false.into(),
        0.into(),
        1.into(),
        (-1).into(),
        70_000.into(),
        u32::MAX.into(),
        u64::MAX.into(),
        f64::MAX.into(),
        "".into(),
        " ".into(),
        "a".into(),
        "▁".into(),
        "<s>".into(),
        "(".into(),
        "[".into(),
        r"\p{L}+".into(),
        "(?=a)*".into(),
        Value::Array(vec![]),
        Value::Object(Map::new()),
    ];
    values[chance.below(values.len())].clone()
}
