//! Number formats of model weights.
//!
//! A format is a block type: its fields are the bytes of the file, its constants say how many
//! numbers it holds, and it can turn itself into `f32` ([`Block`]) or into small integers with
//! their scales ([`IntegerBlock`]). Data flows one way:
//!
//! ```text
//! bytes of a tensor ── dequantize ─→ f32 ── quantize ─→ bytes of another format
//!                   └─ unpack ─→ i8 and one scale and offset for each 16 or 32: what kernels pack
//! ```
//!
//! Callers that know the format only at run time use [`dequantize`], [`unpack`] and [`quantize`].
//! Reading is exact: the numbers are those of ggml, to the bit. So is writing of the formats whose
//! integers follow from the range of a block (`Q4_0` to `Q8_1`, and `Q8_K`); the others are searched, and leave
//! errors as small as those of ggml.
//!
//! ```
//! use tenfold_core::DType;
//!
//! // A Q4_0 block: the scale 0.5 as a half, then 32 nibbles, here all 9, which stands for 1.
//! let mut bytes = [0x99; 18];
//! bytes[..2].copy_from_slice(&[0x00, 0x38]);
//! let mut numbers = [0.0; 32];
//! tenfold_quant::dequantize(DType::Q4_0, &bytes, &mut numbers)?;
//! assert_eq!(numbers, [0.5; 32]);
//! # Ok::<(), tenfold_quant::QuantError>(())
//! ```
//!
//! This crate knows nothing about files, tensors' names and shapes, SIMD or threads.

mod bits;
mod block;
mod dispatch;
mod error;
mod float;
mod grids;
mod iq4;
mod iq_grid;
mod k_high;
mod q2_k;
mod q3_k;
mod q4;
mod q5;
mod q6_k;
mod q8;
mod search;
mod simple;

pub use bits::Half;
pub use block::{Block, Group, IntegerBlock, IntegerLayout, Quantize};
pub use dispatch::{
    dequantize, dequantize_row, dequantize_to_vec, integer_layout, quantize, quantize_to_vec, row,
    supports, unpack,
};
pub use error::{Operation, QuantError, QuantErrorKind};
pub use float::{BF16, F16, F32};
pub use iq_grid::{IQ2_XS, IQ2_XXS, IQ3_XXS, Runs, Signs};
pub use iq4::{IQ4_NL, IQ4_XS};
pub use k_high::{Q4_K, Q5_K, Scales};
pub use q2_k::Q2_K;
pub use q3_k::Q3_K;
pub use q4::{Q4_0, Q4_1};
pub use q5::{Q5_0, Q5_1};
pub use q6_k::Q6_K;
pub use q8::{Q8_0, Q8_1, Q8_K};
pub use tenfold_core::DType;
