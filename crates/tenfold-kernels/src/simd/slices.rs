//! Whole slices, a vector at a time. Where a slice ends within a vector, the rest of the vector goes
//! through memory of its own.
//!
//! What is done with each vector is put in place by macros: a closure would be compiled as a
//! function by itself, and without the instruction set unless the compiler happens to inline it.

use super::Simd;

/// Most lanes that any vector has.
pub(crate) const MOST_LANES: usize = 16;

/// The first vector of a slice; lanes beyond its end are `fill`.
#[inline(always)]
pub(crate) fn load_part<S: Simd>(simd: S, from: &[f32], fill: f32) -> S::F {
    if from.len() >= S::LANES {
        // SAFETY: the slice has `LANES` numbers.
        return unsafe { simd.load(from.as_ptr()) };
    }
    let mut lanes = [fill; MOST_LANES];
    lanes[..from.len()].copy_from_slice(from);
    // SAFETY: there are at most `MOST_LANES` lanes.
    unsafe { simd.load(lanes.as_ptr()) }
}

/// Writes the first lanes to a slice, as many as fit.
#[inline(always)]
pub(crate) fn store_part<S: Simd>(simd: S, x: S::F, to: &mut [f32]) {
    if to.len() >= S::LANES {
        // SAFETY: the slice has `LANES` numbers.
        return unsafe { simd.store(x, to.as_mut_ptr()) };
    }
    let mut lanes = [0.0; MOST_LANES];
    // SAFETY: there are at most `MOST_LANES` lanes.
    unsafe { simd.store(x, lanes.as_mut_ptr()) };
    to.copy_from_slice(&lanes[..to.len()]);
}

/// `update!(simd: S, x in slice => f(x))` replaces each vector; with `, y in other` behind the first
/// slice, the expression sees the vectors of both.
macro_rules! update {
    ($simd:ident: $S:ident, $x:ident in $slice:expr => $body:expr) => {
        for part in $slice.chunks_mut($S::LANES) {
            let $x = $crate::simd::load_part($simd, part, 0.0);
            $crate::simd::store_part($simd, $body, part);
        }
    };
    ($simd:ident: $S:ident, $x:ident in $slice:expr, $y:ident in $other:expr => $body:expr) => {
        for (part, other) in $slice.chunks_mut($S::LANES).zip($other.chunks($S::LANES)) {
            let $x = $crate::simd::load_part($simd, part, 0.0);
            let $y = $crate::simd::load_part($simd, other, 0.0);
            $crate::simd::store_part($simd, $body, part);
        }
    };
}

/// `write_each!(simd: S, out, x in slice, y in other => f(x, y))` fills `out`.
macro_rules! write_each {
    ($simd:ident: $S:ident, $out:expr, $x:ident in $slice:expr, $y:ident in $other:expr
        => $body:expr) => {
        let inputs = $slice.chunks($S::LANES).zip($other.chunks($S::LANES));
        for (out, (x, y)) in $out.chunks_mut($S::LANES).zip(inputs) {
            let $x = $crate::simd::load_part($simd, x, 0.0);
            let $y = $crate::simd::load_part($simd, y, 0.0);
            $crate::simd::store_part($simd, $body, out);
        }
    };
}

/// `fold!(simd: S, all = start, x in slice => f(all, x))` puts all vectors together; lanes beyond the
/// end of the slice are `start`, too.
macro_rules! fold {
    ($simd:ident: $S:ident, $all:ident = $start:expr, $x:ident in $slice:expr => $body:expr) => {{
        let mut $all = $simd.splat($start);
        for part in $slice.chunks($S::LANES) {
            let $x = $crate::simd::load_part($simd, part, $start);
            $all = $body;
        }
        $all
    }};
}

pub(crate) use {fold, update, write_each};
