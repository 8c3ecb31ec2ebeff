//! The float formats, as blocks of one number.

use bytemuck::{Pod, Zeroable};
use tenfold_core::DType;

use crate::bits::{bf16_from_f32, f16_from_f32, f16_to_f32};
use crate::block::{Block, Quantize};

macro_rules! float_block {
    ($(#[$doc:meta])* $name:ident[$bytes:literal], $read:expr, $write:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
        #[repr(transparent)]
        pub struct $name(pub [u8; $bytes]);

        impl Block for $name {
            const DTYPE: DType = DType::$name;
            type Values = [f32; 1];

            #[inline]
            fn dequantize(&self, out: &mut [f32; 1]) {
                out[0] = $read(self.0);
            }
        }

        impl Quantize for $name {
            #[inline]
            fn quantize(values: &[f32; 1]) -> Self {
                Self($write(values[0]))
            }
        }
    };
}

float_block!(
    /// 32-bit IEEE float.
    F32[4], f32::from_le_bytes, f32::to_le_bytes
);
float_block!(
    /// 16-bit IEEE float.
    F16[2], |bytes| f16_to_f32(u16::from_le_bytes(bytes)), |value| f16_from_f32(value).to_le_bytes()
);
float_block!(
    /// The upper half of a 32-bit IEEE float.
    BF16[2], |[low, high]: [u8; 2]| f32::from_le_bytes([0, 0, low, high]),
    |value| bf16_from_f32(value).to_le_bytes()
);
