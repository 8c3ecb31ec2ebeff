//! A tensor of plain f32 numbers, and a set of them by name.

use std::collections::BTreeMap;

/// Numbers with sizes, slowest first: a weight matrix is `[outputs, inputs]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensor {
    /// Sizes.
    pub shape: Vec<usize>,
    /// The numbers, rows one after the other.
    pub data: Vec<f32>,
}

impl Tensor {
    /// A tensor of this shape whose i-th number is `make(i)`.
    pub fn from_fn(shape: &[usize], make: impl FnMut(usize) -> f32) -> Self {
        Self { shape: shape.to_vec(), data: (0..shape.iter().product()).map(make).collect() }
    }

    /// Numbers in one row (the last size).
    pub fn columns(&self) -> usize {
        self.shape.last().copied().unwrap_or(1).max(1)
    }

    /// The rows.
    pub fn rows(&self) -> std::slice::ChunksExact<'_, f32> {
        self.data.chunks_exact(self.columns())
    }

    /// The row with this number.
    pub fn row(&self, index: usize) -> Option<&[f32]> {
        let start = index.checked_mul(self.columns())?;
        self.data.get(start..)?.get(..self.columns())
    }

    /// The same numbers with rows in another order: row `i` of the result is row `order(i)`.
    #[must_use]
    pub fn with_rows(&self, order: impl Fn(usize) -> usize) -> Self {
        let count = self.data.len() / self.columns();
        let data = (0..count).flat_map(|row| self.row(order(row)).unwrap_or_default()).copied();
        Self { shape: self.shape.clone(), data: data.collect() }
    }
}

/// Tensors by canonical name (`blk.0.attn_q.weight`).
pub type Tensors = BTreeMap<String, Tensor>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_can_be_read_and_reordered() {
        let tensor = Tensor::from_fn(&[3, 2], |i| i as f32);
        assert_eq!(tensor.row(1), Some(&[2.0, 3.0][..]));
        assert_eq!(tensor.row(3), None);
        assert_eq!(tensor.with_rows(|row| 2 - row).data, [4.0, 5.0, 2.0, 3.0, 0.0, 1.0]);
    }
}
