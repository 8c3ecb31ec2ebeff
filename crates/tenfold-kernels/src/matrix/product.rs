//! Products of packed matrices, split among threads.

use std::cell::RefCell;
use std::ops::Range;

use super::Section;
use super::float;
use super::format::{GROUP, STRIP};
use super::inputs::{self, Flavour, TILE, tile_at};
use super::kind::{FloatKind, Kind, StripTask};
use super::tile::{self, Outputs};
use super::weights::{Decode, Weights};
use crate::lines::Lines;
use crate::simd::{Simd, Task};
use crate::{Compute, Kernels};

/// Inputs in the form that one kind of weights reads.
#[derive(Debug)]
pub(crate) struct Prepared {
    form: Form,
    words: Lines,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Bytes(Flavour),
    Floats,
}

impl Form {
    fn of(kind: Kind, kernels: Kernels) -> Self {
        match kind {
            Kind::Float(_) => Self::Floats,
            Kind::Quantized(_, format) => {
                let shifted = format.code != super::format::code::BYTE;
                let zero = if shifted { format.zero } else { kernels.run(ByteZero) };
                let zero = (!format.offset).then_some(zero);
                Self::Bytes(Flavour { parts: format.parts, zero })
            }
        }
    }
}

struct ByteZero;

impl Task for ByteZero {
    type Output = i32;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> i32 {
        S::BYTE_ZERO
    }
}

/// `n` inputs for a matrix with these sections.
pub(super) fn prepare(
    compute: &Compute,
    sections: &[Section],
    input: &[f32],
    cols: usize,
    prepared: &mut Vec<Prepared>,
) {
    let mut used = 0;
    for section in sections {
        let form = Form::of(section.kind, compute.kernels());
        if prepared[..used].iter().any(|prepared| prepared.form == form) {
            continue;
        }
        if used == prepared.len() {
            prepared.push(Prepared { form, words: Lines::default() });
        }
        let slot = &mut prepared[used];
        slot.form = form;
        match form {
            Form::Bytes(flavour) => {
                inputs::quantize(compute, input, cols / GROUP, flavour, &mut slot.words);
            }
            Form::Floats => float::arrange(compute, input, cols, &mut slot.words),
        }
        used += 1;
    }
    prepared.truncate(used);
}

/// A product under way: what all tasks share.
pub(super) struct Product<'a> {
    pub(super) sections: &'a [Section],
    pub(super) cols: usize,
    /// Number of inputs.
    pub(super) n: usize,
    pub(super) prepared: &'a [Prepared],
    /// `n × rows` numbers, which tasks write at different rows or inputs.
    pub(super) out: *mut f32,
    /// Rows of all sections.
    pub(super) rows: usize,
}

// SAFETY: tasks write different outputs, and all else is only read.
unsafe impl Sync for Product<'_> {}

/// Most inputs for which weights are decoded while they are multiplied; for more, each strip is
/// decoded first, so that the work is done once and not for every tile.
const DIRECT: usize = 4;

impl Product<'_> {
    /// Computes all outputs.
    pub(super) fn run(&self, compute: &Compute) {
        let strips: usize = self.sections.iter().map(Section::strips).sum();
        let tiles = self.n.div_ceil(TILE);
        // Enough tasks that a slow thread does not hold up the others; but each of them decodes its
        // strip, so the inputs are cut only when strips are few.
        let cuts = (4 * compute.threads()).div_ceil(strips.max(1)).clamp(1, tiles.max(1));
        let tiles_per_task = tiles.div_ceil(cuts);
        let cuts = tiles.div_ceil(tiles_per_task.max(1));
        compute.pool().run(strips * cuts, |task| {
            let first = task % cuts * tiles_per_task;
            let tiles = first..tiles.min(first + tiles_per_task);
            self.run_strip(compute.kernels(), task / cuts, tiles);
        });
    }

    fn run_strip(&self, kernels: Kernels, index: usize, tiles: Range<usize>) {
        let Some((section, strip, first_row)) = self.find(index) else { return };
        let form = Form::of(section.kind, kernels);
        let Some(prepared) = self.prepared.iter().find(|p| p.form == form) else { return };
        let run = StripRun {
            product: self,
            kernels,
            words: prepared.words.as_bytes().as_ptr().cast(),
            first_row,
            rows: STRIP.min(section.rows - strip * STRIP),
            tiles,
        };
        let start = section.strip(strip).as_ptr();
        match section.kind {
            Kind::Quantized(layout, _) => layout.run(start, run),
            Kind::Float(kind) => run.floats(kind, start),
        }
    }

    /// The section of a strip, its number there, and its first row among all.
    fn find(&self, index: usize) -> Option<(&Section, usize, usize)> {
        let (mut strip, mut row) = (index, 0);
        for section in self.sections {
            if strip < section.strips() {
                return Some((section, strip, row + strip * STRIP));
            }
            strip -= section.strips();
            row += section.rows;
        }
        None
    }
}

/// One strip and a range of tiles.
struct StripRun<'a> {
    product: &'a Product<'a>,
    kernels: Kernels,
    words: *const u32,
    first_row: usize,
    rows: usize,
    tiles: Range<usize>,
}

thread_local! {
    /// Memory for the panel of the strip that a thread is at.
    static PANEL: RefCell<Lines> = RefCell::default();
}

impl StripTask for StripRun<'_> {
    fn run<W: Weights, P: Weights>(
        self,
        weights: W,
        panel: fn(*const u8) -> P,
        group_bytes: usize,
    ) {
        if self.product.n <= DIRECT {
            self.quantized(weights);
            return;
        }
        let groups = self.product.cols / GROUP;
        PANEL.with_borrow_mut(|memory| {
            memory.resize(groups * group_bytes);
            let memory = memory.as_bytes_mut().as_mut_ptr();
            // SAFETY: the memory has room for the groups, which the strip has.
            unsafe { Decode { weights, groups, memory }.run(self.kernels) };
            self.quantized(panel(memory));
        });
    }
}

impl StripRun<'_> {
    fn quantized<W: Weights>(&self, weights: W) {
        let groups = self.product.cols / GROUP;
        for tile in self.tiles.clone() {
            // SAFETY: the weights have the groups, `prepared` the tile, and no other task has the
            // same rows and tiles.
            unsafe {
                let records = self.words.add(tile_at(tile, groups, W::PARTS));
                tile::strip(self.kernels, weights, records, groups, self.outputs(tile));
            }
        }
    }

    fn floats(&self, kind: FloatKind, start: *const u8) {
        let cols = self.product.cols;
        for tile in self.tiles.clone() {
            // SAFETY: the section has the strip, `prepared` the tile, and no other task has the same
            // rows and tiles.
            unsafe {
                let records = self.words.add(tile * TILE * cols).cast();
                float::strip(self.kernels, kind, start, cols, records, self.outputs(tile));
            }
        }
    }

    fn outputs(&self, tile: usize) -> Outputs {
        let stride = self.product.rows;
        // SAFETY: the tile and the row exist.
        let start = unsafe { self.product.out.add(tile * TILE * stride + self.first_row) };
        let inputs = TILE.min(self.product.n - tile * TILE);
        Outputs { start, stride, rows: self.rows, inputs }
    }
}
