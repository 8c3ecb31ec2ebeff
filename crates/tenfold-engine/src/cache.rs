//! The keys and values of one sequence, grown as the sequence grows.

use std::sync::Arc;

use tenfold_core::Unsupported;
use tenfold_generate::Sequence;
use tenfold_kernels::{Compute, KvCache, KvRows};

use crate::error::EngineError;
use crate::plan::Sizes;

/// One token stream of an [`crate::Engine`], with its keys and values.
///
/// Memory is taken as the sequence grows, not for the whole context at once.
#[derive(Debug)]
pub struct EngineSequence {
    /// Shared with the engine that made it: no other engine can use the cache.
    owner: Arc<Sizes>,
    layers: Vec<KvCache>,
    len: usize,
    context_length: usize,
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
        let layers = (0..owner.layers).map(|_| KvCache::new(owner.kv_shape())).collect();
        Self { owner: Arc::clone(owner), layers, len: 0, context_length }
    }

    /// Most tokens that it can hold.
    pub fn context_length(&self) -> usize {
        self.context_length
    }

    /// Bytes that keys and values take now.
    pub fn bytes(&self) -> usize {
        self.layers.iter().map(KvCache::bytes).sum()
    }

    pub(crate) fn belongs_to(&self, owner: &Arc<Sizes>) -> bool {
        Arc::ptr_eq(&self.owner, owner)
    }

    /// Makes room for the first `len` positions; the tokens in the cache stay.
    pub(crate) fn reserve(&mut self, len: usize) -> Result<(), EngineError> {
        let out_of_memory = |_| EngineError::OutOfMemory { what: "keys and values", tokens: len };
        self.layers.iter_mut().try_for_each(|layer| layer.reserve(len)).map_err(out_of_memory)
    }

    /// Counts the tokens up to `len` as part of the sequence; their keys and values were stored.
    pub(crate) fn commit(&mut self, len: usize) {
        self.len = len;
    }

    /// Stores the keys and values of tokens from `position` on, which lie in rows of queries, keys
    /// and values.
    pub(crate) fn store(&mut self, compute: &Compute, layer: usize, position: usize, rows: &[f32]) {
        let keys_at = self.owner.query_row();
        let values_at = keys_at + self.owner.key_row();
        if let Some(layer) = self.layers.get_mut(layer) {
            let row_len = self.owner.qkv_row();
            layer.store(compute, position, &KvRows { rows, row_len, keys_at, values_at });
        }
    }

    /// What the kernels read of a layer.
    pub(crate) fn layer(&self, layer: usize) -> Option<&KvCache> {
        self.layers.get(layer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence() -> EngineSequence {
        let sizes = Sizes {
            vocabulary: 4,
            layers: 2,
            hidden: 8,
            feed_forward: 8,
            heads: 4,
            kv_heads: 2,
            key: 3,
            value: 2,
        };
        EngineSequence::new(&Arc::new(sizes), usize::MAX)
    }

    #[test]
    fn memory_is_taken_as_tokens_come() {
        let mut sequence = sequence();
        assert_eq!(sequence.bytes(), 0);
        let mut before = 0;
        for len in [1, 200, 1000] {
            sequence.reserve(len).unwrap();
            assert!(sequence.bytes() > before, "{len} tokens");
            before = sequence.bytes();
        }
        sequence.reserve(10).unwrap();
        assert_eq!(sequence.bytes(), before);
    }

    #[test]
    fn truncating_forgets_and_never_extends() {
        let mut sequence = sequence();
        sequence.commit(20);
        for (len, expected) in [(30, 20), (7, 7), (0, 0)] {
            sequence.truncate(len).unwrap();
            assert_eq!(sequence.len(), expected);
        }
    }

    #[test]
    fn a_cache_beyond_memory_is_an_error() {
        let mut sequence = sequence();
        sequence.reserve(5).unwrap();
        let error = sequence.reserve(usize::MAX).unwrap_err();
        assert!(matches!(error, EngineError::OutOfMemory { tokens: usize::MAX, .. }));
        assert_eq!(sequence.len(), 0);
    }
}
