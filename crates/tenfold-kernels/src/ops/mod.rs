//! Everything between the matrix products: norms, activations, rotary positions, sums.
//!
//! Slices hold one row for each token, one after the other, unless a function says otherwise.

mod activation;
mod elementwise;
mod norm;
mod parts;
mod rope;
#[cfg(test)]
mod tests;

pub use activation::{Activation, gated};
pub(crate) use elementwise::soft_capped;
pub use elementwise::{add, add_to_rows, scale, soft_cap};
pub use norm::{Norm, NormKind, norm, norm_heads};
pub(crate) use parts::{Parts, for_each_part};
pub use rope::{Rope, RopeLayout, rope};

/// Heads that lie one after the other at the start of each row.
///
/// Rows are `row_len` numbers apart, so that queries and keys can lie within fused rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heads {
    /// From one token's heads to the next one's.
    pub row_len: usize,
    /// Heads of a token.
    pub count: usize,
    /// Numbers of a head.
    pub len: usize,
}

impl Heads {
    /// The heads of one row.
    fn of<'a>(&self, row: &'a mut [f32]) -> std::slice::ChunksExactMut<'a, f32> {
        row[..self.count * self.len].chunks_exact_mut(self.len)
    }

    fn check(&self) {
        assert!(self.len > 0 && self.count * self.len <= self.row_len, "heads lie within a row");
    }
}
