//! Everything between the matrix products: norms, activations, rotary positions, conversions.
//!
//! Slices hold one row for each token, one after the other, unless a function says otherwise.

mod activation;
mod convert;
mod elementwise;
mod norm;
mod parts;
mod rope;

pub use activation::{Activation, activate, gated};
pub use convert::{f16_to_f32, f32_to_f16};
pub use elementwise::{add, add_to_rows, scale, soft_cap, softmax};
pub use norm::{layer_norm, rms_norm, rms_norm_in_place};
pub(crate) use parts::{Parts, for_each_part};
pub use rope::{Rope, RopeLayout, rope};
