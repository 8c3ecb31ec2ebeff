//! Keys and values as halves, in the layout that attention reads.
//!
//! Positions come in pages of [`PAGE`]. A page holds, head after head, the keys and then the values:
//!
//! ```text
//! keys:    strips of 32 positions; in a strip, column after column, the numbers of all 32 positions
//! values:  position after position, each filled up with zeros to a multiple of 16
//! ```
//!
//! So scores are computed for many positions at once, and values are added up for many columns at
//! once, without a sum across a vector. A growing cache adds pages and moves none.

use std::collections::TryReserveError;
use std::ops::Range;

use crate::Compute;
use crate::lines::Lines;
use crate::ops::Parts;
use crate::simd::{MOST_LANES, Simd, Task, load_part};

/// Positions of a page.
pub(super) const PAGE: usize = 64;
/// Positions of a strip.
pub(super) const STRIP: usize = 32;
/// Values are padded to a multiple of this, so that no vector ends within another position.
const PADDING: usize = MOST_LANES;
/// The largest half. Larger numbers are stored as it, since an infinity would spoil all sums.
const LARGEST: f32 = 65504.0;

/// Sizes of a [`KvCache`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KvShape {
    /// Key-value heads.
    pub heads: usize,
    /// Numbers of a key.
    pub key_len: usize,
    /// Numbers of a value.
    pub value_len: usize,
}

impl KvShape {
    /// Memory that each position takes.
    pub const fn bytes_per_position(self) -> usize {
        self.page_bytes() / PAGE
    }

    /// Numbers from one value to the next.
    pub(super) const fn value_stride(self) -> usize {
        self.value_len.next_multiple_of(PADDING)
    }

    /// Numbers of the keys of one head in a page.
    pub(super) const fn keys(self) -> usize {
        PAGE * self.key_len
    }

    /// Numbers of one head in a page.
    pub(super) const fn head(self) -> usize {
        self.keys() + PAGE * self.value_stride()
    }

    const fn page_bytes(self) -> usize {
        self.heads * self.head() * size_of::<u16>()
    }
}

/// Keys and values of one layer of one sequence. Memory is taken page by page.
#[derive(Debug)]
pub struct KvCache {
    shape: KvShape,
    pages: Vec<Lines>,
}

/// Keys and values of neighbouring positions, one row for each.
#[derive(Clone, Copy, Debug)]
pub struct KvRows<'a> {
    /// The rows, one after the other.
    pub rows: &'a [f32],
    /// From one row to the next.
    pub row_len: usize,
    /// Where the keys of all heads begin in a row.
    pub keys_at: usize,
    /// Where the values of all heads begin in a row.
    pub values_at: usize,
}

impl KvCache {
    /// An empty cache, which takes no memory yet.
    pub fn new(shape: KvShape) -> Self {
        Self { shape, pages: Vec::new() }
    }

    /// Its sizes.
    pub fn shape(&self) -> KvShape {
        self.shape
    }

    /// Positions that there is room for.
    pub fn room(&self) -> usize {
        self.pages.len() * PAGE
    }

    /// Memory that it takes.
    pub fn bytes(&self) -> usize {
        self.pages.len() * self.shape.page_bytes()
    }

    /// Makes room for the first `positions`; what was stored stays.
    ///
    /// # Errors
    /// If there is no memory. The room is then between the one before and the one asked.
    pub fn reserve(&mut self, positions: usize) -> Result<(), TryReserveError> {
        let missing = positions.div_ceil(PAGE).saturating_sub(self.pages.len());
        self.pages.try_reserve(missing)?;
        for _ in 0..missing {
            self.pages.push(Lines::try_zeroed(self.shape.page_bytes())?);
        }
        Ok(())
    }

    /// Stores the rows at positions from `first` on.
    ///
    /// # Panics
    /// If there is no room for them, or the rows are too short.
    pub fn store(&mut self, compute: &Compute, first: usize, rows: &KvRows<'_>) {
        let count = rows.rows.len() / rows.row_len.max(1);
        assert!(first + count <= self.room(), "there is room for all rows");
        let KvShape { heads, key_len, value_len } = self.shape;
        let end = (rows.keys_at + heads * key_len).max(rows.values_at + heads * value_len);
        assert!(end <= rows.row_len, "a row holds its keys and values");
        if count == 0 {
            return;
        }
        let pages = first / PAGE..(first + count).div_ceil(PAGE);
        let (from, shape) = (pages.start, self.shape);
        let parts = Parts::new(&mut self.pages);
        compute.pool().run(pages.len(), |index| {
            // SAFETY: each page is one task.
            let page = unsafe { parts.part(from + index, 1) };
            let start = (from + index) * PAGE;
            let positions = first.max(start)..(first + count).min(start + PAGE);
            for page in page {
                let halves = bytemuck::cast_slice_mut(page.as_bytes_mut());
                let (skip, place) = (positions.start - first, positions.start - start);
                let rows = KvRows { rows: &rows.rows[skip * rows.row_len..], ..*rows };
                let count = positions.len();
                compute.kernels().run(StorePage { shape, rows, place, count, halves });
            }
        });
    }

    /// The halves of one head in a page.
    pub(super) fn head(&self, page: usize, head: usize) -> &[u16] {
        let len = self.shape.head();
        &bytemuck::cast_slice(self.pages[page].as_bytes())[head * len..][..len]
    }
}

/// Stores `count` rows at the positions of a page from `place` on.
struct StorePage<'a> {
    shape: KvShape,
    rows: KvRows<'a>,
    place: usize,
    count: usize,
    halves: &'a mut [u16],
}

impl Task for StorePage<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { shape, rows, place, count, halves } = self;
        let KvShape { key_len, value_len, .. } = shape;
        for (head, halves) in halves.chunks_exact_mut(shape.head()).enumerate() {
            let (keys, values) = halves.split_at_mut(shape.keys());
            for (index, row) in rows.rows.chunks(rows.row_len).take(count).enumerate() {
                let position = place + index;
                let key = part(row, rows.keys_at, head, key_len);
                let strip = &mut keys[position / STRIP * STRIP * key_len..][..STRIP * key_len];
                store_column(simd, key, &mut strip[position % STRIP..]);
                let value = part(row, rows.values_at, head, value_len);
                store_row(simd, value, &mut values[position * shape.value_stride()..]);
            }
        }
    }
}

/// One head's numbers in a row.
fn part(row: &[f32], at: usize, head: usize, len: usize) -> &[f32] {
    &row[at..][head * len..(head + 1) * len]
}

/// Writes numbers to every 32nd place.
#[inline(always)]
fn store_column<S: Simd>(simd: S, numbers: &[f32], to: &mut [u16]) {
    let columns = numbers.chunks(S::LANES).zip(to.chunks_mut(STRIP * S::LANES));
    for (numbers, to) in columns {
        let halves = halves(simd, numbers);
        for (&half, to) in halves[..numbers.len()].iter().zip(to.iter_mut().step_by(STRIP)) {
            *to = half;
        }
    }
}

/// Writes numbers one after the other.
#[inline(always)]
fn store_row<S: Simd>(simd: S, numbers: &[f32], to: &mut [u16]) {
    for (numbers, to) in numbers.chunks(S::LANES).zip(to.chunks_mut(S::LANES)) {
        let halves = halves(simd, numbers);
        to[..numbers.len()].copy_from_slice(&halves[..numbers.len()]);
    }
}

/// A vector as halves.
#[inline(always)]
fn halves<S: Simd>(simd: S, numbers: &[f32]) -> [u16; MOST_LANES] {
    let mut halves = [0; MOST_LANES];
    let x = load_part(simd, numbers, 0.0);
    let x = simd.min(simd.splat(LARGEST), simd.max(simd.splat(-LARGEST), x));
    // SAFETY: no vector has more lanes.
    unsafe { simd.store_f16(x, halves.as_mut_ptr()) };
    halves
}

/// The part of `positions` that lies in a page, counted from its first position.
pub(super) fn within_page(positions: &Range<usize>, page: usize) -> Range<usize> {
    let clip = |position: usize| position.saturating_sub(page * PAGE).min(PAGE);
    clip(positions.start)..clip(positions.end)
}
