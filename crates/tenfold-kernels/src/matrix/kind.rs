//! The layouts that exist, as types for kernels and as values for everything else.

use tenfold_core::DType;

use super::format::{Format, code, scale};
use super::weights::{Packed, Panel, Weights};

/// Work on one packed strip that is compiled for each layout.
pub(super) trait StripTask {
    /// Does the work; `panel` makes weights of what the strip was decoded to.
    fn run<W: Weights, P: Weights>(self, weights: W, panel: fn(*const u8) -> P, group_bytes: usize);
}

macro_rules! layouts {
    ($($name:ident = $code:ident $scale:ident $parts:literal $offset:literal $bits:literal;)*) => {
        /// A layout of quantized weights.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Layout { $($name,)* }

        impl Layout {
            const ALL: &[Self] = &[$(Self::$name,)*];

            const fn fields(self) -> (u32, u32, usize, bool) {
                match self { $(Self::$name => (code::$code, scale::$scale, $parts, $offset),)* }
            }

            /// Runs the task as it was compiled for this layout.
            pub(super) fn run(self, strip: *const u8, task: impl StripTask) {
                match self { $(
                    Self::$name => {
                        type Strip = Packed<{ code::$code }, { scale::$scale }, $parts, $offset>;
                        type Decoded = Panel<$bits, $parts, $offset>;
                        task.run(Strip::new(strip), Decoded::new, Decoded::GROUP_BYTES);
                    }
                )* }
            }
        }
    };
}

// Code, scale, parts, offset; and the bits that kernels for decoded codes tell apart.
layouts! {
    // Q4_0
    NibbleHalf = NIBBLE HALF 1 false 4;
    // Q4_1
    NibbleHalfOffset = NIBBLE HALF 1 true 4;
    // Q4_K
    NibbleSuperOffset = NIBBLE SUPER 1 true 4;
    // Q2_K
    NibbleSuperOffset2 = NIBBLE SUPER 2 true 4;
    // Q3_K
    NibbleSuper2 = NIBBLE SUPER 2 false 4;
    // Q5_0
    FiveHalf = FIVE HALF 1 false 6;
    // Q5_1
    FiveHalfOffset = FIVE HALF 1 true 6;
    // Q5_K
    FiveSuperOffset = FIVE SUPER 1 true 6;
    // Q6_K
    SixSuper2 = SIX SUPER 2 false 6;
    // Q8_0, IQ4_NL
    ByteHalf = BYTE HALF 1 false 8;
    // IQ4_XS
    ByteSuper = BYTE SUPER 1 false 8;
    // Q8_K, IQ2_XXS, IQ3_XXS
    ByteSingle = BYTE SINGLE 1 false 8;
    // IQ2_XS
    ByteSingle2 = BYTE SINGLE 2 false 8;
}

/// How a matrix is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Integers with scales.
    Quantized(Layout, Format),
    /// Floats, 32 rows at a time, column after column.
    Float(FloatKind),
}

/// The formats of floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FloatKind {
    Single,
    Half,
    Brain,
}

impl FloatKind {
    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::Single => 4,
            Self::Half | Self::Brain => 2,
        }
    }
}

impl Kind {
    /// How weights of this format are packed, or `None` if it holds no weights.
    pub(super) fn of(dtype: DType) -> Option<Self> {
        match dtype {
            DType::F32 => return Some(Self::Float(FloatKind::Single)),
            DType::F16 => return Some(Self::Float(FloatKind::Half)),
            DType::BF16 => return Some(Self::Float(FloatKind::Brain)),
            _ => {}
        }
        let format = Format::of(dtype, tenfold_quant::integer_layout(dtype)?);
        let fields = (format.code, format.scale, format.parts, format.offset);
        let layout = Layout::ALL.iter().copied().find(|layout| layout.fields() == fields)?;
        Some(Self::Quantized(layout, format))
    }

    /// Bytes of a strip.
    pub(super) const fn strip_bytes(self, cols: usize) -> usize {
        match self {
            Self::Quantized(_, format) => format.strip_bytes(cols / super::format::GROUP),
            Self::Float(kind) => super::format::STRIP * cols * kind.bytes(),
        }
    }
}
