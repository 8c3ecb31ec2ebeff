//! Memory that begins at a cache line.

use std::collections::TryReserveError;
use std::fmt;

/// One cache line.
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// Bytes whose first one begins a cache line, so that aligned parts of a layout stay aligned.
#[derive(Clone, Default)]
pub(crate) struct Lines {
    lines: Vec<Line>,
    len: usize,
}

impl Lines {
    /// So many zeros.
    pub(crate) fn zeroed(len: usize) -> Self {
        // Not `vec![…]`, which would write the zeros: these come from the system as untouched pages,
        // which the threads that fill them map.
        Self { lines: bytemuck::zeroed_vec(len.div_ceil(64)), len }
    }

    /// So many zeros, or the reason why there is no memory for them.
    pub(crate) fn try_zeroed(len: usize) -> Result<Self, TryReserveError> {
        let count = len.div_ceil(64);
        let mut lines = Vec::new();
        lines.try_reserve_exact(count)?;
        lines.resize(count, Line([0; 64]));
        Ok(Self { lines, len })
    }

    /// Changes the length; what the bytes hold afterwards is unspecified.
    pub(crate) fn resize(&mut self, len: usize) {
        if self.lines.len() * 64 < len {
            *self = Self::zeroed(len);
        }
        self.len = len;
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.lines)[..self.len]
    }

    pub(crate) fn as_bytes_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.len]
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("len", &self.len).finish_non_exhaustive()
    }
}
