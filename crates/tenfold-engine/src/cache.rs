//! The keys and values of one sequence, as halves, grown as the sequence grows.

use std::sync::Arc;

use half::f16;
use tenfold_core::Unsupported;
use tenfold_generate::Sequence;
use tenfold_kernels::{KvCache, ops};

use crate::error::EngineError;
use crate::plan::Sizes;

/// Room is taken by at least so many positions.
const CHUNK: usize = 256;

/// One token stream of an [`crate::Engine`], with its keys and values.
///
/// Memory is taken as the sequence grows, not for the whole context at once.
#[derive(Debug)]
pub struct EngineSequence {
    /// Shared with the engine that made it: no other engine can use the cache.
    owner: Arc<Sizes>,
    layers: Vec<LayerCache>,
    len: usize,
    context_length: usize,
}

/// Keys and values of one layer, head by head; a head has `room` positions.
#[derive(Debug, Default)]
struct LayerCache {
    room: usize,
    keys: Vec<f16>,
    values: Vec<f16>,
}

impl Sequence for EngineSequence {
    fn len(&self) -> usize {
        self.len
    }

    fn truncate(&mut self, len: usize) -> Result<(), Unsupported> {
        self.len = self.len.min(len);
        Ok(())
    }
}

impl EngineSequence {
    pub(crate) fn new(owner: &Arc<Sizes>, context_length: usize) -> Self {
        let layers = (0..owner.layers).map(|_| LayerCache::default()).collect();
        Self { owner: Arc::clone(owner), layers, len: 0, context_length }
    }

    /// Most tokens that it can hold.
    pub fn context_length(&self) -> usize {
        self.context_length
    }

    /// Bytes that keys and values take now.
    pub fn bytes(&self) -> usize {
        let numbers = |layer: &LayerCache| layer.keys.len() + layer.values.len();
        self.layers.iter().map(numbers).sum::<usize>() * size_of::<f16>()
    }

    pub(crate) fn belongs_to(&self, owner: &Arc<Sizes>) -> bool {
        Arc::ptr_eq(&self.owner, owner)
    }

    /// Makes room for the first `len` positions; the tokens in the cache stay.
    pub(crate) fn reserve(&mut self, len: usize) -> Result<(), EngineError> {
        for layer in &mut self.layers {
            if len > layer.room {
                let chunks = len.max(layer.room + layer.room / 2).next_multiple_of(CHUNK);
                layer.grow(&self.owner, chunks.min(self.context_length.max(len)), self.len)?;
            }
        }
        Ok(())
    }

    /// Counts the tokens up to `len` as part of the sequence; their keys and values were stored.
    pub(crate) fn commit(&mut self, len: usize) {
        self.len = len;
    }

    /// Stores the keys and values of one token.
    pub(crate) fn store(&mut self, layer: usize, position: usize, keys: &[f32], values: &[f32]) {
        let (key, value) = (self.owner.key, self.owner.value);
        if let Some(LayerCache { room, keys: to_keys, values: to_values }) =
            self.layers.get_mut(layer)
        {
            store_heads(to_keys, keys, key, *room, position);
            store_heads(to_values, values, value, *room, position);
        }
    }

    /// What the kernels read of a layer.
    pub(crate) fn view(&self, layer: usize) -> Option<KvCache<'_>> {
        let (key, value) = (self.owner.key, self.owner.value);
        let layer = self.layers.get(layer)?;
        Some(KvCache {
            keys: &layer.keys,
            values: &layer.values,
            key_head_stride: layer.room * key,
            key_position_stride: key,
            value_head_stride: layer.room * value,
            value_position_stride: value,
        })
    }
}

impl LayerCache {
    fn grow(&mut self, sizes: &Sizes, room: usize, used: usize) -> Result<(), EngineError> {
        let moved = |from: &[f16], len: usize| {
            grown(from, sizes.kv_heads, self.room * len, room * len, used * len)
        };
        let (keys, values) = (moved(&self.keys, sizes.key)?, moved(&self.values, sizes.value)?);
        *self = Self { room, keys, values };
        Ok(())
    }
}

/// Each head moved from runs of `old` numbers into runs of `new`, with its first `used` kept.
fn grown(
    heads: &[f16],
    count: usize,
    old: usize,
    new: usize,
    used: usize,
) -> Result<Vec<f16>, EngineError> {
    let mut larger = Vec::new();
    let len = count.saturating_mul(new);
    larger.try_reserve_exact(len).map_err(|_| EngineError::OutOfMemory {
        what: "keys and values",
        bytes: len.saturating_mul(size_of::<f16>()),
    })?;
    for head in 0..count {
        larger.extend_from_slice(heads.get(head * old..head * old + used).unwrap_or_default());
        larger.resize((head + 1) * new, f16::ZERO);
    }
    Ok(larger)
}

/// Puts each head's numbers of one position where they belong.
fn store_heads(to: &mut [f16], from: &[f32], len: usize, room: usize, position: usize) {
    for (head, numbers) in from.chunks_exact(len).enumerate() {
        let start = (head * room + position) * len;
        if let Some(place) = to.get_mut(start..start + len) {
            ops::f32_to_f16(numbers, place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes() -> Sizes {
        Sizes {
            vocabulary: 4,
            layers: 2,
            hidden: 8,
            feed_forward: 8,
            heads: 4,
            kv_heads: 2,
            key: 3,
            value: 2,
        }
    }

    /// What token `position` stores: numbers that name the token and the place.
    fn row(position: usize, len: usize) -> Vec<f32> {
        (0..len).map(|place| (position * 10 + place) as f32).collect()
    }

    fn key_of(sequence: &EngineSequence, head: usize, position: usize) -> Vec<f32> {
        let view = sequence.view(1).unwrap();
        let start = head * view.key_head_stride + position * view.key_position_stride;
        view.keys[start..start + 3].iter().map(|key| key.to_f32()).collect()
    }

    fn filled(tokens: usize, context: usize) -> EngineSequence {
        let mut sequence = EngineSequence::new(&Arc::new(sizes()), context);
        for position in 0..tokens {
            sequence.reserve(position + 1).unwrap();
            sequence.store(1, position, &row(position, 6), &row(position, 4));
            sequence.commit(position + 1);
        }
        sequence
    }

    #[test]
    fn growing_keeps_every_key_in_its_place() {
        let sequence = filled(150, 400);
        for position in [0, 1, 99, 149] {
            for head in 0..2 {
                let expected = &row(position, 6)[head * 3..][..3];
                assert_eq!(key_of(&sequence, head, position), expected);
            }
        }
    }

    #[test]
    fn memory_grows_in_chunks_and_never_beyond_the_context() {
        let position_bytes = 2 * 2 * (3 + 2) * 2;
        for (tokens, room) in [(0, 0), (1, 256), (256, 256), (257, 512), (600, 700)] {
            assert_eq!(filled(tokens, 700).bytes(), room * position_bytes, "{tokens} tokens");
        }
        assert_eq!(filled(3, 10).bytes(), 10 * position_bytes);
    }

    #[test]
    fn truncating_forgets_and_never_extends() {
        let mut sequence = filled(20, 100);
        for (len, expected) in [(30, 20), (7, 7), (0, 0)] {
            sequence.truncate(len).unwrap();
            assert_eq!(sequence.len(), expected);
        }
    }

    #[test]
    fn a_cache_beyond_memory_is_an_error_that_leaves_the_sequence_as_it_was() {
        let mut sequence = filled(5, usize::MAX);
        let error = sequence.reserve(usize::MAX / 64).unwrap_err();
        assert!(matches!(error, EngineError::OutOfMemory { .. }));
        assert_eq!((sequence.len(), key_of(&sequence, 1, 4)), (5, vec![43.0, 44.0, 45.0]));
    }
}
