//! The number formats that safetensors can hold.

use tenfold_core::DType;

macro_rules! dtypes {
    ($($name:ident $text:literal $bits:literal $dtype:expr;)*) => {
        /// How the numbers of one tensor are stored.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(non_camel_case_types, missing_docs)]
        pub enum Dtype { $($name,)* }

        impl Dtype {
            /// Every format.
            pub const ALL: &'static [Dtype] = &[$(Dtype::$name,)*];

            /// Its name in files.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Bits of one number.
            pub const fn bits(self) -> u64 {
                match self { $(Self::$name => $bits,)* }
            }

            /// The format that Tenfold computes with, if it does.
            pub const fn to_core(self) -> Option<DType> {
                match self { $(Self::$name => $dtype,)* }
            }
        }
    };
}

dtypes! {
    Bool "BOOL" 8 None;
    F4 "F4" 4 None;
    F6_E2M3 "F6_E2M3" 6 None;
    F6_E3M2 "F6_E3M2" 6 None;
    U8 "U8" 8 None;
    I8 "I8" 8 Some(DType::I8);
    F8_E5M2 "F8_E5M2" 8 None;
    F8_E4M3 "F8_E4M3" 8 None;
    F8_E4M3FNUZ "F8_E4M3FNUZ" 8 None;
    F8_E5M2FNUZ "F8_E5M2FNUZ" 8 None;
    F8_E8M0 "F8_E8M0" 8 None;
    I16 "I16" 16 Some(DType::I16);
    U16 "U16" 16 None;
    F16 "F16" 16 Some(DType::F16);
    Bf16 "BF16" 16 Some(DType::BF16);
    I32 "I32" 32 Some(DType::I32);
    U32 "U32" 32 None;
    F32 "F32" 32 Some(DType::F32);
    C64 "C64" 64 None;
    F64 "F64" 64 Some(DType::F64);
    I64 "I64" 64 Some(DType::I64);
    U64 "U64" 64 None;
}

impl Dtype {
    /// The format with this name in files.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|dtype| dtype.name() == name)
    }

    /// The format of files for one that Tenfold computes with, if files can hold it.
    pub fn from_core(dtype: DType) -> Option<Self> {
        Self::ALL.iter().copied().find(|candidate| candidate.to_core() == Some(dtype))
    }

    /// Bytes that a tensor takes; `None` if they are no whole number or too many.
    pub fn bytes_for(self, shape: &[u64]) -> Option<u64> {
        let count = shape.iter().try_fold(1_u64, |product, &size| product.checked_mul(size))?;
        let bits = count.checked_mul(self.bits())?;
        bits.is_multiple_of(8).then_some(bits / 8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_formats_round_trip() {
        for &dtype in Dtype::ALL {
            assert_eq!(Dtype::from_name(dtype.name()), Some(dtype));
            if let Some(core) = dtype.to_core() {
                assert_eq!(Dtype::from_core(core), Some(dtype));
            }
        }
        assert_eq!(Dtype::from_name("Q4_0"), None);
        assert_eq!(Dtype::from_core(DType::Q4_0), None);
    }

    #[test]
    fn sizes_are_checked() {
        assert_eq!(Dtype::F32.bytes_for(&[2, 3]), Some(24));
        assert_eq!(Dtype::F32.bytes_for(&[]), Some(4), "a scalar");
        assert_eq!(Dtype::F4.bytes_for(&[3]), None, "half a byte is left");
        assert_eq!(Dtype::U8.bytes_for(&[1 << 62, 8]), None);
    }
}
