//! The forward pass: the tokens of all steps together through every block, so that each weight
//! matrix is read once for all sequences.

use tenfold_generate::{Sequence, Step};
use tenfold_kernels::ops::{self, Heads};
use tenfold_kernels::{Attention, Compute, attention};

use crate::cache::EngineSequence;
use crate::plan::Plan;
use crate::rope::RopeTable;
use crate::weights::{Block, Norm, Weights};
use crate::workspace::{Segment, Workspace, room, rows as rows_of};

/// Positions whose logits are computed together. Logits are long: all of a long prompt would not
/// fit in memory.
const LOGIT_ROWS: usize = 32;

/// Everything that loading gives, immutable.
pub(crate) struct Model {
    pub(crate) plan: Plan,
    pub(crate) weights: Weights,
    pub(crate) rope: RopeTable,
    /// Of the sliding layers, where it differs.
    pub(crate) local_rope: Option<RopeTable>,
}

/// One pass of some tokens through the model.
pub(crate) struct Pass<'a, 's> {
    model: &'a Model,
    compute: &'a Compute,
    work: &'a mut Workspace,
    steps: &'a mut [Step<'s, EngineSequence>],
    /// Rows of the hidden state.
    rows: usize,
}

/// Appends the tokens of all steps, and leaves the logits asked in each.
///
/// Tokens were checked, and every sequence has room for its own. The sequences do not count the new
/// tokens yet when this returns.
pub(crate) fn forward(
    model: &Model,
    compute: &Compute,
    work: &mut Workspace,
    steps: &mut [Step<'_, EngineSequence>],
) {
    for step in steps.iter_mut() {
        step.logits.clear();
    }
    let mut next = Segment::default();
    while let Some(rows) = work.cut(steps, &mut next) {
        Pass { model, compute, work, steps, rows }.run();
    }
}

impl Pass<'_, '_> {
    fn run(&mut self) {
        self.embed();
        self.place();
        let blocks = &self.model.weights.blocks;
        for (layer, block) in blocks.iter().enumerate() {
            self.attend(layer, block);
            if layer + 1 == blocks.len() {
                self.keep_wanted();
            }
            self.add_attention(block);
            self.add_feed_forward(block);
        }
        self.read_out();
    }

    /// Looks up the hidden state that each token begins with.
    fn embed(&mut self) {
        let Plan { sizes, embedding_scale, .. } = self.model.plan;
        let hidden = room(&mut self.work.hidden, self.rows * sizes.hidden);
        let steps = &self.steps;
        let tokens = self.work.segments.iter().flat_map(|segment| segment.tokens(steps));
        for (&token, hidden) in tokens.zip(hidden.chunks_exact_mut(sizes.hidden)) {
            self.model.weights.embedding.row_to_f32(token as usize, hidden);
        }
        if embedding_scale != 1.0 {
            ops::scale(self.compute, hidden, embedding_scale);
        }
    }

    /// Works out each token's angles and how far it looks back.
    fn place(&mut self) {
        let Workspace { segments, angles, local_angles, visible, local_visible, .. } = self.work;
        visible.clear();
        local_visible.clear();
        angles.clear();
        local_angles.clear();
        let window = self.model.plan.windows.size.unwrap_or(usize::MAX);
        for position in segments.iter().flat_map(|segment| segment.positions(self.steps)) {
            let end = position + 1;
            visible.push(0..end);
            local_visible.push(end.saturating_sub(window)..end);
            angles.push(&self.model.rope, position);
            if let Some(rope) = &self.model.local_rope {
                local_angles.push(rope, position);
            }
        }
    }

    /// Attention of one layer, up to what its heads give.
    fn attend(&mut self, layer: usize, block: &Block) {
        let Plan { sizes, .. } = self.model.plan;
        let Workspace { hidden, normed, qkv, scratch, .. } = &mut *self.work;
        let hidden = room(hidden, self.rows * sizes.hidden);
        let normed = room(normed, hidden.len());
        norm(self.compute, &self.model.plan, &block.attention_norm, hidden, normed);
        let qkv = room(qkv, self.rows * sizes.qkv_row());
        block.qkv.apply(self.compute, normed, self.rows, scratch, qkv);
        if let Some(norm) = &block.query_norm {
            self.norm_heads(norm, 0, sizes.heads);
        }
        if let Some(norm) = &block.key_norm {
            self.norm_heads(norm, sizes.query_row(), sizes.kv_heads);
        }
        self.rotate(layer);
        self.look_back(layer);
    }

    /// Norms each of `count` heads that begin at `start` of every row.
    fn norm_heads(&mut self, norm: &Norm, start: usize, count: usize) {
        let plan = &self.model.plan;
        let (row_len, len) = (plan.sizes.qkv_row(), plan.sizes.key);
        let qkv = room(&mut self.work.qkv, self.rows * row_len);
        let heads = qkv.get_mut(start..).unwrap_or_default();
        ops::norm_heads(self.compute, &norm.view(plan), heads, &Heads { row_len, count, len });
    }

    /// Turns queries and keys by their positions.
    fn rotate(&mut self, layer: usize) {
        let Plan { sizes, .. } = self.model.plan;
        let Workspace { qkv, angles, local_angles, .. } = &mut *self.work;
        let qkv = room(qkv, self.rows * sizes.qkv_row());
        let rope = match &self.model.local_rope {
            Some(table) if self.model.plan.is_local(layer) => local_angles.rope(table),
            _ => angles.rope(&self.model.rope),
        };
        // The heads of keys follow those of queries.
        let (row_len, count) = (sizes.qkv_row(), sizes.heads + sizes.kv_heads);
        ops::rope(self.compute, &rope, qkv, &Heads { row_len, count, len: sizes.key });
    }

    /// Stores keys and values, and lets each token's queries look at those of its sequence.
    fn look_back(&mut self, layer: usize) {
        let Plan { sizes, attention_scale, attention_soft_cap, windows, .. } = self.model.plan;
        let Workspace { segments, qkv, attended, visible, local_visible, scratch, .. } =
            &mut *self.work;
        let visible = if windows.at(layer).is_some() { local_visible } else { visible };
        let attended = room(attended, self.rows * sizes.attention_row());
        let mut first = 0;
        for segment in segments.iter() {
            let Some(step) = self.steps.get_mut(segment.step) else { continue };
            let rows = first..first + segment.len;
            first = rows.end;
            let queries = rows_of(qkv, &rows, sizes.qkv_row());
            let start = step.sequence.len() + segment.from;
            step.sequence.store(self.compute, layer, start, queries);
            let Some(cache) = step.sequence.layer(layer) else { continue };
            let look = Attention {
                queries,
                query_stride: sizes.qkv_row(),
                visible: visible.get(rows.clone()).unwrap_or_default(),
                heads: sizes.heads,
                cache,
                scale: attention_scale,
                soft_cap: attention_soft_cap,
            };
            let width = sizes.attention_row();
            let attended = attended.get_mut(rows.start * width..rows.end * width);
            attention(self.compute, &look, scratch, attended.unwrap_or_default());
        }
    }

    /// Drops the rows whose logits nobody asked: nothing reads them beyond the last layer's keys.
    fn keep_wanted(&mut self) {
        let Plan { sizes, .. } = self.model.plan;
        let Workspace { wanted, hidden, normed, attended, .. } = &mut *self.work;
        for (to, wanted) in wanted.iter().enumerate() {
            for (buffer, width) in [
                (&mut *hidden, sizes.hidden),
                (&mut *normed, sizes.hidden),
                (&mut *attended, sizes.attention_row()),
            ] {
                buffer.copy_within(wanted.row * width..(wanted.row + 1) * width, to * width);
            }
        }
        self.rows = wanted.len();
    }

    /// Adds what attention gives to the hidden state.
    fn add_attention(&mut self, block: &Block) {
        let Plan { sizes, .. } = self.model.plan;
        let Workspace { attended, delta, scratch, .. } = &mut *self.work;
        let attended = room(attended, self.rows * sizes.attention_row());
        let delta = room(delta, self.rows * sizes.hidden);
        block.attention_out.apply(self.compute, attended, self.rows, scratch, delta);
        self.add(block.attention_post_norm.as_ref());
    }

    /// Adds what the feed-forward network gives to the hidden state.
    fn add_feed_forward(&mut self, block: &Block) {
        let Plan { sizes, activation, .. } = self.model.plan;
        let Workspace { hidden, normed, gate_up, gated, delta, scratch, .. } = &mut *self.work;
        let hidden = room(hidden, self.rows * sizes.hidden);
        let normed = room(normed, hidden.len());
        // Without a norm of its own it reads what attention has read.
        if let Some(feed_forward_norm) = &block.feed_forward_norm {
            norm(self.compute, &self.model.plan, feed_forward_norm, hidden, normed);
        }
        let gated = room(gated, self.rows * sizes.feed_forward);
        let gate_up = room(gate_up, 2 * gated.len());
        block.gate_up.apply(self.compute, normed, self.rows, scratch, gate_up);
        ops::gated(self.compute, activation, gate_up, sizes.feed_forward, gated);
        let delta = room(delta, hidden.len());
        block.down.apply(self.compute, gated, self.rows, scratch, delta);
        self.add(block.feed_forward_post_norm.as_ref());
    }

    /// Adds the change to the hidden state, through a norm if there is one.
    fn add(&mut self, post_norm: Option<&Norm>) {
        let Workspace { hidden, normed, delta, .. } = &mut *self.work;
        let hidden = room(hidden, self.rows * self.model.plan.sizes.hidden);
        let delta = room(delta, hidden.len());
        match post_norm {
            None => ops::add(self.compute, hidden, delta),
            Some(post_norm) => {
                let normed = room(normed, hidden.len());
                norm(self.compute, &self.model.plan, post_norm, delta, normed);
                ops::add(self.compute, hidden, normed);
            }
        }
    }

    /// Turns the rows that are left into the logits of their steps.
    fn read_out(&mut self) {
        let Model { plan, weights, .. } = self.model;
        let Workspace { wanted, hidden, normed, logits, scratch, .. } = &mut *self.work;
        let (vocabulary, width) = (plan.sizes.vocabulary, plan.sizes.hidden);
        let hidden = room(hidden, self.rows * width);
        for (hidden, wanted) in hidden.chunks(LOGIT_ROWS * width).zip(wanted.chunks(LOGIT_ROWS)) {
            let normed = room(normed, hidden.len());
            norm(self.compute, plan, &weights.output_norm, hidden, normed);
            let logits = room(logits, wanted.len() * vocabulary);
            weights.logits(self.compute, normed, wanted.len(), scratch, logits);
            if let Some(cap) = plan.final_soft_cap {
                ops::soft_cap(self.compute, logits, cap);
            }
            for (wanted, logits) in wanted.iter().zip(logits.chunks_exact(vocabulary)) {
                if let Some(step) = self.steps.get_mut(wanted.step) {
                    step.logits.extend_from_slice(logits);
                }
            }
        }
    }
}

/// Norms each row of `x`.
fn norm(compute: &Compute, plan: &Plan, norm: &Norm, x: &[f32], out: &mut [f32]) {
    ops::norm(compute, &norm.view(plan), x, out);
}
