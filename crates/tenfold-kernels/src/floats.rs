//! Products of columns of floats: the innermost loop of float matrices and of attention.

use crate::simd::Simd;

/// One format of floats in memory.
pub(crate) trait Floats: Copy {
    /// Bytes of a number.
    const BYTES: usize;

    /// Reads a vector of numbers.
    ///
    /// # Safety
    /// `LANES` numbers can be read, `at` numbers from the start.
    unsafe fn read<S: Simd>(self, simd: S, start: *const u8, at: usize) -> S::F;
}

macro_rules! floats {
    ($($(#[$doc:meta])* $name:ident $number:ty, $load:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(crate) struct $name;

        impl Floats for $name {
            const BYTES: usize = size_of::<$number>();

            #[inline(always)]
            unsafe fn read<S: Simd>(self, simd: S, start: *const u8, at: usize) -> S::F {
                // SAFETY: as the caller promises.
                unsafe { simd.$load(start.cast::<$number>().add(at)) }
            }
        }
    )*};
}

floats! {
    /// 32 bits.
    Single f32, load;
    /// 16 bits, IEEE.
    Half u16, load_f16;
    /// The upper 16 of 32 bits.
    Brain u16, load_bf16;
}

/// Columns of numbers, `stride` numbers apart.
#[derive(Clone, Copy)]
pub(crate) struct Columns<T> {
    /// The number format.
    pub(crate) format: T,
    /// The first column.
    pub(crate) start: *const u8,
    /// From one column to the next.
    pub(crate) stride: usize,
    /// How many.
    pub(crate) count: usize,
}

/// A factor for each column and input.
#[derive(Clone, Copy)]
pub(crate) struct Factors {
    /// The first input's factor of the first column.
    pub(crate) start: *const f32,
    /// From one column to the next.
    pub(crate) column: usize,
    /// From one input to the next.
    pub(crate) input: usize,
}

/// Running sums of `V` vectors of rows for `N` inputs.
pub(crate) type Sums<F, const V: usize, const N: usize> = [[F; N]; V];

impl<T: Floats> Columns<T> {
    /// Adds each column times its factors, for `V` vectors of rows from row `row` on.
    ///
    /// # Safety
    /// The columns have these rows, and there are factors for all columns and `N` inputs.
    #[inline(always)]
    pub(crate) unsafe fn add_to<S: Simd, const V: usize, const N: usize>(
        self,
        simd: S,
        row: usize,
        factors: Factors,
        sums: &mut Sums<S::F, V, N>,
    ) {
        for column in 0..self.count {
            let at = column * self.stride + row;
            // All vectors first and then input by input, so that no more than one factor is held.
            let mut numbers = [simd.splat(0.0); V];
            for (v, numbers) in numbers.iter_mut().enumerate() {
                // SAFETY: as the caller promises.
                *numbers = unsafe { self.format.read(simd, self.start, at + v * S::LANES) };
            }
            for input in 0..N {
                let at = column * factors.column + input * factors.input;
                // SAFETY: as the caller promises.
                let factor = simd.splat(unsafe { *factors.start.add(at) });
                for (sums, &numbers) in sums.iter_mut().zip(&numbers) {
                    sums[input] = simd.fma(numbers, factor, sums[input]);
                }
            }
        }
    }
}
