//! One built-in filter per file: the first two edit logits, the others narrow the candidates.

pub(crate) mod bias;
pub(crate) mod min_p;
pub(crate) mod penalties;
pub(crate) mod temperature;
pub(crate) mod top_k;
pub(crate) mod top_p;
pub(crate) mod typical;
