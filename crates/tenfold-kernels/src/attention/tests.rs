//! Attention against a plain loop in double precision, on every instruction set of this CPU.

use half::f16;
use proptest::prelude::*;

use super::*;
use crate::testing::{Random, assert_close, computes};

/// One case: sizes, what is cached, and the last tokens' queries.
#[derive(Clone, Debug)]
struct Case {
    shape: KvShape,
    /// Query heads for each key-value head.
    group: usize,
    /// Tokens in the cache.
    cached: usize,
    /// The last of them that ask.
    tokens: usize,
    window: usize,
    soft_cap: Option<f32>,
}

impl Case {
    fn new(kv_heads: usize, group: usize, len: usize, cached: usize, tokens: usize) -> Self {
        let shape = KvShape { heads: kv_heads, key_len: len, value_len: len };
        Self { shape, group, cached, tokens, window: usize::MAX, soft_cap: None }
    }

    fn heads(&self) -> usize {
        self.shape.heads * self.group
    }

    fn visible(&self) -> Vec<Range<usize>> {
        let ends = self.cached - self.tokens + 1..self.cached + 1;
        ends.map(|end| end.saturating_sub(self.window)..end).collect()
    }
}

/// Numbers for a case. Rows have queries, keys and values, and something behind them.
struct Sample {
    case: Case,
    row_len: usize,
    rows: Vec<f32>,
}

impl Sample {
    fn new(case: &Case, random: &mut Random) -> Self {
        let KvShape { heads, key_len, value_len } = case.shape;
        let row_len = (case.heads() + heads) * key_len + heads * value_len + 3;
        let mut rows: Vec<f32> = random.floats(case.cached * row_len);
        // Scores that differ enough for the softmax to have something to do.
        rows.iter_mut().for_each(|x| *x *= 2.0);
        Self { case: case.clone(), row_len, rows }
    }

    fn keys_at(&self) -> usize {
        self.case.heads() * self.case.shape.key_len
    }

    fn values_at(&self) -> usize {
        self.keys_at() + self.case.shape.heads * self.case.shape.key_len
    }

    /// A cache that was filled in steps.
    fn cache(&self, compute: &Compute) -> KvCache {
        let mut cache = KvCache::new(self.case.shape);
        let mut first = 0;
        for step in [1, 70, 3, usize::MAX] {
            let count = step.min(self.case.cached - first);
            cache.reserve(first + count).unwrap();
            let rows = &self.rows[first * self.row_len..][..count * self.row_len];
            let (row_len, keys_at) = (self.row_len, self.keys_at());
            let rows = KvRows { rows, row_len, keys_at, values_at: self.values_at() };
            cache.store(compute, first, &rows);
            first += count;
        }
        cache
    }

    fn row(&self, token: usize) -> &[f32] {
        &self.rows[token * self.row_len..][..self.row_len]
    }

    /// Keys or values as halves.
    fn kept(&self, token: usize, at: usize, len: usize) -> impl Iterator<Item = f64> + '_ {
        self.row(token)[at..][..len].iter().map(|&x| f16::from_f32(x).to_f64())
    }

    /// What attention should give.
    fn expected(&self) -> Vec<f64> {
        let visible = self.case.visible();
        let first = self.case.cached - self.case.tokens;
        let tokens = (first..self.case.cached).zip(visible);
        tokens
            .flat_map(|(token, visible)| {
                let heads = 0..self.case.heads();
                heads.flat_map(move |head| self.one_head(token, head, visible.clone()))
            })
            .collect()
    }

    fn one_head(&self, token: usize, head: usize, visible: Range<usize>) -> Vec<f64> {
        let KvShape { key_len, value_len, .. } = self.case.shape;
        let kv_head = head / self.case.group;
        let query = &self.row(token)[head * key_len..][..key_len];
        let score = |position| {
            let key = self.kept(position, self.keys_at() + kv_head * key_len, key_len);
            let dot: f64 = query.iter().zip(key).map(|(&q, k)| f64::from(q) * k).sum();
            let score = dot * f64::from(SCALE);
            self.case.soft_cap.map_or(score, |cap| {
                let cap = f64::from(cap);
                cap * (score / cap).tanh()
            })
        };
        let scores: Vec<f64> = visible.clone().map(score).collect();
        let peak = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = scores.iter().map(|score| (score - peak).exp()).sum();
        let mut out = vec![0.0; value_len];
        for (score, position) in scores.iter().zip(visible) {
            let share = (score - peak).exp() / total;
            let value = self.kept(position, self.values_at() + kv_head * value_len, value_len);
            out.iter_mut().zip(value).for_each(|(out, value)| *out += share * value);
        }
        out
    }
}

const SCALE: f32 = 0.31;

fn run(compute: &Compute, sample: &Sample, cache: &KvCache, visible: &[Range<usize>]) -> Vec<f32> {
    let case = &sample.case;
    let first = case.cached - case.tokens;
    let look = Attention {
        queries: &sample.rows[first * sample.row_len..],
        query_stride: sample.row_len,
        visible,
        heads: case.heads(),
        cache,
        scale: SCALE,
        soft_cap: case.soft_cap,
    };
    let mut out = vec![f32::NAN; visible.len() * case.heads() * case.shape.value_len];
    attention(compute, &look, &mut Scratch::default(), &mut out);
    out
}

fn check(case: &Case, random: &mut Random) {
    let sample = Sample::new(case, random);
    let expected = sample.expected();
    // Sums of shares that add up to one, of values below four: a few units of single precision.
    let tolerance = vec![2e-5; expected.len()];
    for compute in computes(3) {
        let cache = sample.cache(&compute);
        let out = run(&compute, &sample, &cache, &case.visible());
        assert_close(&format!("{} {case:?}", compute.kernels()), &out, &expected, &tolerance);
    }
}

#[test]
fn every_way_through_the_kernels_gives_what_the_plain_loop_gives() {
    let mut random = Random::new(1);
    let cases = [
        // Decoding, with each size of tile, and with pages shared by several tasks.
        Case::new(1, 1, 64, 1, 1),
        Case::new(3, 3, 64, 90, 1),
        Case::new(1, 2, 32, 700, 1),
        Case::new(1, 7, 16, 1100, 1),
        Case::new(2, 14, 64, 300, 1),
        Case::new(1, 4, 256, 600, 2),
        // Prompts: whole, in the middle, and with more than one block.
        Case::new(1, 1, 64, 5, 5),
        Case::new(3, 3, 64, 130, 130),
        Case::new(2, 7, 64, 200, 64),
        Case::new(1, 4, 256, 70, 40),
        Case::new(2, 61, 8, 70, 3),
        // Heads that end within a vector.
        Case::new(2, 2, 1, 40, 9),
        Case::new(1, 5, 80, 150, 33),
        Case::new(2, 1, 20, 99, 99),
    ];
    for case in cases {
        check(&case, &mut random);
        check(&Case { window: 33, ..case.clone() }, &mut random);
        check(&Case { soft_cap: Some(1.5), ..case }, &mut random);
    }
}

#[test]
fn keys_and_values_may_differ_in_length() {
    let mut random = Random::new(2);
    for (key_len, value_len) in [(48, 32), (8, 40), (3, 2)] {
        let shape = KvShape { heads: 2, key_len, value_len };
        check(&Case { shape, ..Case::new(2, 3, 0, 100, 30) }, &mut random);
        check(&Case { shape, ..Case::new(2, 3, 0, 700, 1) }, &mut random);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn every_shape_works(
        heads in 1..4usize, group in 1..10usize, key_len in 1..70usize, value_len in 1..70usize,
        cached in 1..400usize, tokens in 1..100usize, window in 1..500usize, seed: u64,
    ) {
        let shape = KvShape { heads, key_len, value_len };
        let tokens = tokens.min(cached);
        let case = Case { shape, group, cached, tokens, window, soft_cap: None };
        check(&case, &mut Random::new(seed));
    }
}

#[test]
fn tokens_that_see_nothing_get_zeros() {
    let case = Case::new(2, 2, 16, 80, 3);
    let sample = Sample::new(&case, &mut Random::new(3));
    for compute in computes(2) {
        let cache = sample.cache(&compute);
        let out = run(&compute, &sample, &cache, &[0..0, 10..30, 80..80]);
        let row = case.heads() * 16;
        assert!(out[..row].iter().chain(&out[2 * row..]).all(|&x| x == 0.0));
        assert!(out[row..2 * row].iter().all(|&x| x.is_finite() && x != 0.0));
        assert!(run(&compute, &sample, &cache, &[]).is_empty());
    }
}

#[test]
fn huge_scores_neither_overflow_nor_vanish() {
    let case = Case::new(1, 1, 16, 300, 1);
    let mut sample = Sample::new(&case, &mut Random::new(4));
    sample.rows.iter_mut().for_each(|x| *x *= 1e3);
    // The one key that points where the query points wins, wherever it is.
    for winner in [0, 70, 299] {
        let query = sample.row(299)[..16].to_vec();
        let key = winner * sample.row_len + sample.keys_at();
        let key: &mut [f32] = &mut sample.rows[key..][..16];
        key.iter_mut().zip(query).for_each(|(key, query)| *key = 10.0 * query);
        let expected = sample.expected();
        for compute in computes(1) {
            let out = run(&compute, &sample, &sample.cache(&compute), &case.visible());
            let what = format!("{} {winner}", compute.kernels());
            assert_close(&what, &out, &expected, &[1e-2; 16]);
        }
    }
}

#[test]
fn what_halves_cannot_hold_is_stored_as_the_largest_half() {
    let shape = KvShape { heads: 1, key_len: 1, value_len: 3 };
    for compute in computes(1) {
        let mut cache = KvCache::new(shape);
        cache.reserve(1).unwrap();
        let rows = [0.5, 1e9, -1e9, 7.0];
        let rows = KvRows { rows: &rows, row_len: 4, keys_at: 0, values_at: 1 };
        cache.store(&compute, 0, &rows);
        let visible = std::slice::from_ref(&(0..1));
        let look = Attention {
            queries: &[1.0],
            query_stride: 1,
            visible,
            heads: 1,
            cache: &cache,
            scale: 1.0,
            soft_cap: None,
        };
        let mut out = [f32::NAN; 3];
        attention(&compute, &look, &mut Scratch::default(), &mut out);
        assert_eq!(out, [65504.0, -65504.0, 7.0]);
    }
}

#[test]
fn a_cache_takes_memory_page_by_page_and_keeps_what_it_holds() {
    let compute = &computes(1)[0];
    let case = Case::new(2, 1, 16, 80, 1);
    let sample = Sample::new(&case, &mut Random::new(5));
    let mut cache = KvCache::new(case.shape);
    assert_eq!((cache.bytes(), cache.room()), (0, 0));
    for (positions, pages) in [(0, 0), (1, 1), (64, 1), (65, 2), (10, 2)] {
        cache.reserve(positions).unwrap();
        let bytes = pages * PAGE * case.shape.bytes_per_position();
        assert_eq!((cache.room(), cache.bytes()), (pages * PAGE, bytes), "{positions}");
    }
    assert_eq!(case.shape.bytes_per_position(), 2 * (16 + 16) * 2);

    let mut cache = sample.cache(compute);
    let before = run(compute, &sample, &cache, &case.visible());
    cache.reserve(5000).unwrap();
    assert_eq!(run(compute, &sample, &cache, &case.visible()), before);
    assert!(cache.reserve(usize::MAX).is_err());
    assert_eq!(run(compute, &sample, &cache, &case.visible()), before);
}

#[test]
fn shares_of_pages_cover_all_positions_once() {
    for positions in [0..1, 0..640, 70..1000, 63..65, 0..64] {
        for splits in 1..7 {
            let shares = (0..splits).map(|split| share(&positions, split, splits));
            let covered: Vec<usize> = shares.flatten().collect();
            assert_eq!(covered, positions.clone().collect::<Vec<_>>(), "{positions:?} / {splits}");
        }
    }
}
