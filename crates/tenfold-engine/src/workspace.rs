//! Memory that forward passes reuse, so that a decoded token allocates nothing.

use std::ops::Range;

use tenfold_core::TokenId;
use tenfold_generate::{Sequence, Step};
use tenfold_kernels::{Scratch, ops};

use crate::cache::EngineSequence;
use crate::rope::RopeTable;

/// Most tokens that go through the model together.
pub(crate) const MAX_ROWS: usize = 512;

/// The tokens of one step that take part in a pass; they are neighbouring rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Which step.
    pub(crate) step: usize,
    /// The first of its tokens.
    pub(crate) from: usize,
    /// How many.
    pub(crate) len: usize,
}

/// A row whose logits were asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) row: usize,
    pub(crate) step: usize,
}

/// Buffers of a forward pass: rows of numbers, one row for each token.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    pub(crate) scratch: Scratch,
    pub(crate) segments: Vec<Segment>,
    pub(crate) wanted: Vec<Wanted>,
    pub(crate) hidden: Vec<f32>,
    /// What attention and feed-forward network read.
    pub(crate) normed: Vec<f32>,
    pub(crate) qkv: Vec<f32>,
    /// What the heads give.
    pub(crate) attended: Vec<f32>,
    pub(crate) gate_up: Vec<f32>,
    pub(crate) gated: Vec<f32>,
    /// What will be added to the hidden state.
    pub(crate) delta: Vec<f32>,
    pub(crate) logits: Vec<f32>,
    pub(crate) angles: Angles,
    pub(crate) local_angles: Angles,
    /// The positions that each row sees in a layer that looks back all the way.
    pub(crate) visible: Vec<Range<usize>>,
    /// The ones in a sliding layer.
    pub(crate) local_visible: Vec<Range<usize>>,
}

/// Cosines and sines of each row's position.
#[derive(Debug, Default)]
pub(crate) struct Angles {
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl Segment {
    /// Its tokens.
    pub(crate) fn tokens<'a>(self, steps: &'a [Step<'_, EngineSequence>]) -> &'a [TokenId] {
        let step = steps.get(self.step);
        step.and_then(|step| step.tokens.get(self.from..self.from + self.len)).unwrap_or_default()
    }

    /// Where its tokens come to stand in their sequence.
    pub(crate) fn positions(self, steps: &[Step<'_, EngineSequence>]) -> Range<usize> {
        let len = steps.get(self.step).map_or(0, |step| step.sequence.len());
        len + self.from..len + self.from + self.len
    }
}

impl Workspace {
    /// Chooses the tokens of the next pass: up to [`MAX_ROWS`], from `next` on, which moves behind
    /// them. Gives their number, or `None` when none is left.
    pub(crate) fn cut(
        &mut self,
        steps: &[Step<'_, EngineSequence>],
        next: &mut Segment,
    ) -> Option<usize> {
        self.segments.clear();
        self.wanted.clear();
        let mut rows = 0;
        while let Some(step) = steps.get(next.step) {
            let left = step.tokens.len() - next.from;
            let len = left.min(MAX_ROWS - rows);
            if len > 0 {
                self.add(Segment { len, ..*next }, rows, step);
                rows += len;
            }
            if len < left {
                next.from += len;
                break;
            }
            *next = Segment { step: next.step + 1, ..Segment::default() };
        }
        (rows > 0).then_some(rows)
    }

    fn add(&mut self, segment: Segment, first_row: usize, step: &Step<'_, EngineSequence>) {
        let Segment { step: index, from, len } = segment;
        self.segments.push(segment);
        let first_wanted = (step.tokens.len() - step.wanted).max(from);
        for token in first_wanted..from + len {
            self.wanted.push(Wanted { row: first_row + token - from, step: index });
        }
    }
}

impl Angles {
    pub(crate) fn clear(&mut self) {
        self.cos.clear();
        self.sin.clear();
    }

    /// Adds a row for this position.
    pub(crate) fn push(&mut self, table: &RopeTable, position: usize) {
        table.extend(position, &mut self.cos, &mut self.sin);
    }

    /// What the kernels read; `table` is the one of all rows.
    pub(crate) fn rope(&self, table: &RopeTable) -> ops::Rope<'_> {
        ops::Rope { cos: &self.cos, sin: &self.sin, pairs: table.pairs(), layout: table.layout() }
    }
}

/// The first `len` numbers of a buffer, which grows if it is shorter.
pub(crate) fn room(buffer: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if buffer.len() < len {
        buffer.resize(len, 0.0);
    }
    buffer.get_mut(..len).unwrap_or_default()
}

/// These rows of a buffer.
pub(crate) fn rows<'a>(buffer: &'a [f32], rows: &Range<usize>, width: usize) -> &'a [f32] {
    buffer.get(rows.start * width..rows.end * width).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::arch::tests::description;
    use crate::plan::Plan;

    /// The passes that steps of `(tokens, wanted)` are cut into: segments as `(step, from, len)`
    /// and wanted rows as `(row, step)`.
    type Cut = (Vec<(usize, usize, usize)>, Vec<(usize, usize)>);

    fn cut(shapes: &[(usize, usize)]) -> Vec<Cut> {
        let owner = Arc::new(Plan::plain(&description("llama").config).sizes);
        let tokens = vec![0; 2000];
        let mut sequences: Vec<_> =
            shapes.iter().map(|_| EngineSequence::new(&owner, 4096)).collect();
        let mut logits = vec![Vec::new(); shapes.len()];
        let parts = sequences.iter_mut().zip(&mut logits).zip(shapes);
        let steps: Vec<_> = parts
            .map(|((sequence, logits), &(len, wanted))| Step {
                sequence,
                tokens: &tokens[..len],
                wanted,
                logits,
            })
            .collect();
        let (mut work, mut next) = (Workspace::default(), Segment::default());
        let mut cuts = Vec::new();
        while let Some(rows) = work.cut(&steps, &mut next) {
            let segments: Vec<_> = work.segments.iter().map(|s| (s.step, s.from, s.len)).collect();
            assert_eq!(rows, segments.iter().map(|(_, _, len)| len).sum::<usize>());
            cuts.push((segments, work.wanted.iter().map(|w| (w.row, w.step)).collect()));
        }
        cuts
    }

    #[test]
    fn steps_share_passes_and_long_ones_are_cut() {
        assert_eq!(cut(&[]), []);
        assert_eq!(cut(&[(1, 1), (1, 0)]), [(vec![(0, 0, 1), (1, 0, 1)], vec![(0, 0)])]);
        assert_eq!(
            cut(&[(3, 2), (600, 1), (1, 1)]),
            [
                (vec![(0, 0, 3), (1, 0, 509)], vec![(1, 0), (2, 0)]),
                (vec![(1, 509, 91), (2, 0, 1)], vec![(90, 1), (91, 2)]),
            ]
        );
        assert_eq!(
            cut(&[(1024, 514)]),
            [
                (vec![(0, 0, 512)], vec![(510, 0), (511, 0)]),
                (vec![(0, 512, 512)], (0..512).map(|row| (row, 0)).collect()),
            ]
        );
    }
}
