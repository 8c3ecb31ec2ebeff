//! What must hold before any size is multiplied or allocated by.

use tenfold_core::{DType, Unsupported};
use tenfold_formats::{ModelConfig, ModelDescription};

use crate::arch;
use crate::error::EngineError;
use crate::plan::{Plan, Sizes};

/// Whether the engine can run this model, as far as its header tells.
pub(crate) fn supports(description: &ModelDescription) -> Result<Plan, Unsupported> {
    let family = arch::find(&description.architecture)?;
    if description.config.experts > 0 {
        let what = format!("a mixture of {} experts", description.config.experts);
        let reason = "the native engine runs dense models only";
        return Err(Unsupported::new(what, reason).with_remedy("run it with another backend"));
    }
    let refused = description.tensors.entries.iter().find(|(_, entry)| !is_weights(entry.dtype));
    if let Some((name, entry)) = refused {
        let what = format!("the number format {} of the tensor {name}", entry.dtype);
        let remedy = "take another quantization of the model";
        return Err(Unsupported::new(what, "the kernels cannot read it").with_remedy(remedy));
    }
    (family.plan)(&description.config)
}

/// Whether products can be made of this format.
fn is_weights(dtype: DType) -> bool {
    matches!(dtype, DType::F32 | DType::F16 | DType::BF16)
        || tenfold_quant::integer_layout(dtype).is_some()
}

/// Makes sure that no size is zero, none contradicts another, and products of them fit.
pub(crate) fn sizes(description: &ModelDescription, plan: &Plan) -> Result<(), EngineError> {
    let Sizes { vocabulary, layers, hidden, feed_forward, heads, kv_heads, key, value } =
        plan.sizes;
    let named = [
        ("vocabulary_size", vocabulary),
        ("layers", layers),
        ("embedding_length", hidden),
        ("feed_forward_length", feed_forward),
        ("heads", heads),
        ("kv_heads", kv_heads),
        ("key_length", key),
        ("value_length", value),
        ("context_length", description.config.context_length),
    ];
    // No count or width of a real model comes near it, and products of two fit in 64 bits.
    let most = i32::MAX as usize;
    if let Some((name, size)) = named.into_iter().find(|&(_, size)| size == 0 || size > most) {
        let problem = format!("is {size}, and should be from 1 to {most}");
        return Err(EngineError::hyperparameter(name, problem));
    }
    products(&plan.sizes)?;
    if !heads.is_multiple_of(kv_heads) {
        let problem = format!("is {kv_heads}, and should divide the {heads} query heads");
        return Err(EngineError::hyperparameter("kv_heads", problem));
    }
    // A block has tensors, so a count beyond theirs is made up; nothing is allocated for it.
    let tensors = description.tensors.entries.len();
    if layers > tensors {
        let problem = format!("is {layers}, and the file has only {tensors} tensors");
        return Err(EngineError::hyperparameter("layers", problem));
    }
    rope(&description.config)
}

/// Rows of the fused matrices must fit in memory addresses.
fn products(sizes: &Sizes) -> Result<(), EngineError> {
    let head = sizes.key.max(sizes.value);
    let widest = sizes.heads.checked_mul(head).and_then(|row| row.checked_mul(3));
    if widest.is_none_or(|row| row > i32::MAX as usize) {
        let problem = format!("is {}, which is too many for heads of {head} numbers", sizes.heads);
        return Err(EngineError::hyperparameter("heads", problem));
    }
    Ok(())
}

fn rope(config: &ModelConfig) -> Result<(), EngineError> {
    let (dimensions, key) = (config.rope.dimensions, config.key_length);
    if dimensions > key {
        let problem = format!("is {dimensions}, and a head has only {key} numbers");
        return Err(EngineError::hyperparameter("rope.dimensions", problem));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tenfold_formats::TensorEntry;

    use super::*;
    use crate::arch::tests::description;

    fn with_tensors(count: usize, dtype: DType) -> ModelDescription {
        let mut description = description("llama");
        for index in 0..count {
            let entry = TensorEntry { dtype, shape: vec![1], shard: 0, range: 0..4 };
            description.tensors.entries.insert(format!("blk.{index}.t.weight"), entry);
        }
        description
    }

    fn problem(change: fn(&mut ModelConfig)) -> String {
        let mut description = with_tensors(6, DType::F32);
        change(&mut description.config);
        let plan = Plan::plain(&description.config);
        sizes(&description, &plan).unwrap_err().to_string()
    }

    #[test]
    fn impossible_sizes_are_named() {
        type Case = (fn(&mut ModelConfig), &'static str);
        let cases: [Case; 7] = [
            (|config| config.heads = 0, "heads"),
            (|config| config.kv_heads = 3, "kv_heads"),
            (|config| config.vocabulary_size = 0, "vocabulary_size"),
            (|config| config.embedding_length = usize::MAX, "embedding_length"),
            (|config| config.layers = 1_000_000, "layers"),
            (|config| config.rope.dimensions = 18, "rope.dimensions"),
            (
                |config| {
                    config.heads = 1 << 24;
                    config.key_length = 1 << 24;
                },
                "heads",
            ),
        ];
        for (change, name) in cases {
            let problem = problem(change);
            assert!(problem.contains(name), "{problem} should name {name}");
        }
        let fine = with_tensors(6, DType::F32);
        sizes(&fine, &Plan::plain(&fine.config)).unwrap();
    }

    #[test]
    fn what_cannot_be_run_is_known_from_the_header() {
        let integers = supports(&with_tensors(1, DType::I8)).unwrap_err();
        assert!(integers.what.contains("I8") && integers.what.contains("blk.0.t.weight"));
        let mut mixture = with_tensors(1, DType::Q4_K);
        mixture.config.experts = 8;
        assert!(supports(&mixture).unwrap_err().what.contains("8 experts"));
        mixture.config.experts = 0;
        assert!(supports(&mixture).is_ok());
    }
}
