//! Names that look like what was typed.

/// The candidates nearest to `typed`, best first, at most `limit` of them.
pub(crate) fn nearest<'a>(
    typed: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    limit: usize,
) -> Vec<String> {
    let mut ranked: Vec<(usize, &str)> = candidates
        .into_iter()
        .filter_map(|candidate| Some((distance_if_near(typed, candidate)?, candidate)))
        .collect();
    ranked.sort_unstable();
    ranked.dedup();
    ranked.into_iter().take(limit).map(|(_, name)| name.to_owned()).collect()
}

fn distance_if_near(typed: &str, candidate: &str) -> Option<usize> {
    if typed.len() >= 3 && (candidate.starts_with(typed) || typed.starts_with(candidate)) {
        return Some(1);
    }
    let distance = edit_distance(typed, candidate);
    let allowed = (typed.chars().count().min(candidate.chars().count()) / 3).max(1);
    (distance <= allowed).then_some(distance)
}

/// Insertions, deletions and replacements that turn one text into the other.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = i;
        let mut previous = i + 1;
        for (cell, &b) in row.iter_mut().skip(1).zip(&right) {
            let replace = diagonal + usize::from(a != b);
            diagonal = *cell;
            *cell = replace.min(previous + 1).min(diagonal + 1);
            previous = *cell;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn typing_errors_find_the_name() {
        let names = ["smollm2:135m", "smollm2", "qwen2.5-coder:0.5b", "gemma3:270m", "tinyllama"];
        for (typed, best) in [
            ("smolm2", Some("smollm2")),
            ("smollm3", Some("smollm2")),
            ("gema3:270m", Some("gemma3:270m")),
            ("qwen2.5", Some("qwen2.5-coder:0.5b")),
            ("tiny-llama", Some("tinyllama")),
            ("gpt-oss", None),
        ] {
            assert_eq!(nearest(typed, names, 3).first().map(String::as_str), best, "{typed}");
        }
    }

    proptest! {
        #[test]
        fn distance_is_a_metric(a in "[a-c]{0,6}", b in "[a-c]{0,6}", c in "[a-c]{0,6}") {
            let d = edit_distance;
            prop_assert_eq!(d(&a, &b) == 0, a == b);
            prop_assert_eq!(d(&a, &b), d(&b, &a));
            prop_assert!(d(&a, &c) <= d(&a, &b) + d(&b, &c));
        }
    }
}
