//! Takes tensors out of the files' bytes: each is there, has the sizes that the plan asks for, and
//! none is left over that would have changed the answer.

use std::collections::BTreeSet;

use tenfold_core::{LoadProgress, LoadStage, Progress, Unsupported};
use tenfold_formats::{TensorTable, TensorView};
use tenfold_kernels::{Compute, MatrixSource, PackedMatrix};

use crate::error::EngineError;

/// Tensors that files carry beside what a decoder computes with.
const IGNORED: &[&str] = &["rotary_emb.inv_freq", "attn_rot_embd", "attn.bias", "masked_bias"];
/// Beginnings of the names of a picture encoder's tensors.
const IGNORED_PREFIXES: &[&str] = &["v.", "mm.", "vision_tower.", "multi_modal_projector."];

/// Reads the tensors of one model, once.
pub(crate) struct Loader<'a> {
    compute: &'a Compute,
    table: &'a TensorTable,
    shards: &'a [&'a [u8]],
    progress: &'a mut dyn FnMut(LoadProgress),
    done: u64,
    total: u64,
    read: BTreeSet<&'a str>,
}

impl<'a> Loader<'a> {
    /// A loader that has read nothing yet.
    pub(crate) fn new(
        compute: &'a Compute,
        table: &'a TensorTable,
        shards: &'a [&'a [u8]],
        progress: &'a mut dyn FnMut(LoadProgress),
    ) -> Self {
        let total = table.entries.values().map(|entry| entry.range.len() as u64).sum();
        Self { compute, table, shards, progress, done: 0, total, read: BTreeSet::new() }
    }

    /// True if there is a tensor with this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.table.entries.contains_key(name)
    }

    /// Matrices of `(name, rows)` that read the same `cols` numbers, stacked into one.
    pub(crate) fn matrix(
        &mut self,
        parts: &[(&str, usize)],
        cols: usize,
    ) -> Result<PackedMatrix, EngineError> {
        let mut sources = Vec::with_capacity(parts.len());
        for &(name, rows) in parts {
            let view = self.take(name, &[rows, cols])?;
            sources.push(MatrixSource { dtype: view.dtype, rows, cols, data: view.data });
        }
        let name = parts.first().map_or("", |(name, _)| name);
        let matrix = PackedMatrix::pack(self.compute, &sources)
            .map_err(|source| EngineError::Pack { name: name.to_owned(), source })?;
        self.report();
        Ok(matrix)
    }

    /// A small tensor as plain numbers.
    pub(crate) fn vector(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, EngineError> {
        let view = self.take(name, shape)?;
        let mut numbers = vec![0.0; shape.iter().product()];
        tenfold_quant::dequantize(view.dtype, view.data, &mut numbers).map_err(|error| {
            Unsupported::new(format!("the tensor {name} as {}", view.dtype), error.to_string())
        })?;
        Ok(numbers)
    }

    /// A small tensor as plain numbers, if the file has it.
    pub(crate) fn vector_if_present(
        &mut self,
        name: &str,
        shape: &[usize],
    ) -> Result<Option<Vec<f32>>, EngineError> {
        if self.has(name) { self.vector(name, shape).map(Some) } else { Ok(None) }
    }

    /// The tensor, checked; it counts as read from now on.
    fn take(&mut self, name: &str, shape: &[usize]) -> Result<TensorView<'a>, EngineError> {
        let Some(entry) = self.table.entries.get(name) else {
            return Err(EngineError::MissingTensor { name: name.to_owned() });
        };
        if entry.shape != shape {
            return Err(EngineError::TensorShape {
                name: name.to_owned(),
                found: entry.shape.clone(),
                expected: shape.to_vec(),
            });
        }
        let expected = bytes_of(entry.dtype, shape);
        let view = self.table.view(name, self.shards);
        let found = view.map_or(0, |view| view.data.len());
        let Some(view) = view.filter(|_| Some(found) == expected) else {
            return Err(EngineError::TensorBytes {
                name: name.to_owned(),
                dtype: entry.dtype,
                found,
                expected: expected.unwrap_or(usize::MAX),
            });
        };
        self.read.insert(view.name);
        self.done += found as u64;
        Ok(view)
    }

    fn report(&mut self) {
        let progress = Progress { done: self.done.min(self.total), total: self.total };
        (self.progress)(LoadProgress { stage: LoadStage::Pack, progress });
    }

    /// Makes sure that nothing of weight was left unread.
    ///
    /// A tensor that no part of the plan asked for means that the file holds a variant of the
    /// architecture that the plan does not describe, and its answers would be wrong.
    pub(crate) fn finish(mut self) -> Result<(), EngineError> {
        let left_over = |name: &&String| !self.read.contains(name.as_str()) && !is_ignored(name);
        if let Some(name) = self.table.entries.keys().find(left_over) {
            let what = format!("a model of this architecture with a tensor {name}");
            let reason = "the native engine has no use for it, so its answers would be wrong";
            let remedy = "run the model with another backend";
            return Err(Unsupported::new(what, reason).with_remedy(remedy).into());
        }
        self.done = self.total;
        self.report();
        Ok(())
    }
}

/// Bytes of a tensor whose rows are whole blocks.
fn bytes_of(dtype: tenfold_core::DType, shape: &[usize]) -> Option<usize> {
    let (&cols, rows) = shape.split_last()?;
    let row = dtype.bytes_for(cols)?;
    rows.iter().try_fold(row, |bytes, &size| bytes.checked_mul(size))
}

fn is_ignored(name: &str) -> bool {
    IGNORED.iter().any(|part| name.contains(part))
        || IGNORED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}
