//! Between number formats.

use half::f16;
use half::slice::HalfFloatSliceExt;

/// Rounds to the nearest half, ties to even.
///
/// # Panics
/// If the lengths differ.
pub fn f32_to_f16(from: &[f32], to: &mut [f16]) {
    to.convert_from_f32_slice(from);
}

/// Widens halves, exactly.
///
/// # Panics
/// If the lengths differ.
pub fn f16_to_f32(from: &[f16], to: &mut [f32]) {
    from.convert_to_f32_slice(to);
}
