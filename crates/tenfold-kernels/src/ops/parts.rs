//! Splitting a slice among threads.

use std::marker::PhantomData;

use crate::Compute;

/// Numbers below which waking other threads costs more than they save.
const SMALL: usize = 16 * 1024;

/// A slice whose parts several threads write.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a, T> {
    start: *mut T,
    len: usize,
    slice: PhantomData<&'a mut [T]>,
}

// SAFETY: whoever uses it from several threads promises, calling `part`, that parts do not overlap.
unsafe impl<T: Send> Send for Parts<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Parts<'_, T> {}

impl<'a, T> Parts<'a, T> {
    pub(crate) fn new(slice: &'a mut [T]) -> Self {
        Self { start: slice.as_mut_ptr(), len: slice.len(), slice: PhantomData }
    }

    /// The numbers from `start` on, at most `len` of them.
    ///
    /// # Safety
    /// No two parts that are alive at the same time may overlap.
    pub(crate) unsafe fn part(&self, start: usize, len: usize) -> &'a mut [T] {
        let start = start.min(self.len);
        let len = len.min(self.len - start);
        // SAFETY: within the slice, which is borrowed for 'a; the caller keeps parts apart.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), len) }
    }
}

/// Calls `work(index, row)` for each row of `out`, on all threads if there is enough to do.
///
/// `cost` says how much more than one number written each number of `out` costs.
pub(crate) fn for_each_part<T: Send>(
    compute: &Compute,
    out: &mut [T],
    row_len: usize,
    cost: usize,
    work: impl Fn(usize, &mut [T]) + Sync,
) {
    let row_len = row_len.max(1);
    let rows = out.len().div_ceil(row_len);
    let rows_per_task = (SMALL / cost.max(1) / row_len).max(1);
    let parts = Parts::new(out);
    compute.pool().run(rows.div_ceil(rows_per_task), |task| {
        for row in (task * rows_per_task..rows).take(rows_per_task) {
            // SAFETY: each row belongs to one task, and rows do not overlap.
            work(row, unsafe { parts.part(row * row_len, row_len) });
        }
    });
}
