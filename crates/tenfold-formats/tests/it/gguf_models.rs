//! Descriptions of GGUF files: every family, every scaling, and what cannot be right.

use tenfold_core::ModelFormat;
use tenfold_formats::gguf::write::Builder;
use tenfold_formats::{
    FormatError, FormatErrorKind, ModelConfig, ModelDescription, RopeLayout, RopeScaling,
    describe_gguf,
};

use crate::models::{self, floats, gguf};

fn describe(builder: &Builder<'_>) -> Result<ModelDescription, FormatError> {
    describe_gguf(&[&builder.to_bytes().unwrap()])
}

fn config(builder: &Builder<'_>) -> ModelConfig {
    describe(builder).unwrap().config
}

fn scaling(change: impl Fn(&mut Builder<'_>)) -> RopeScaling {
    let mut builder = gguf("llama");
    change(&mut builder);
    config(&builder).rope.scaling
}

#[test]
fn the_common_keys_of_every_family_are_read() {
    for family in ["llama", "qwen2", "qwen3", "gemma", "gemma2", "gemma3", "phi3", "stablelm"] {
        let model = describe(&gguf(family)).unwrap();
        assert_eq!((model.format, model.architecture.as_str()), (ModelFormat::Gguf, family));
        assert_eq!(model.title.as_deref(), Some("Tiny"));
        let config = &model.config;
        let sizes = [
            config.vocabulary_size,
            config.context_length,
            config.embedding_length,
            config.layers,
            config.feed_forward_length,
            config.heads,
            config.kv_heads,
            config.key_length,
            config.value_length,
            config.rope.dimensions,
        ];
        assert_eq!(sizes, [10, 64, 8, 2, 16, 4, 2, 2, 2, 2], "{family}");
        assert_eq!((config.norm_epsilon, config.norm_weight_offset), (1e-5, 0.0));
        assert_eq!((config.rope.theta, config.experts), (10_000.0, 0));
        let layout = if family == "llama" { RopeLayout::Interleaved } else { RopeLayout::Halves };
        assert_eq!(config.rope.layout, layout, "{family}");
    }
}

#[test]
fn what_gemma_files_leave_unsaid_is_filled_in() {
    let gemma2 = config(&gguf("gemma2"));
    assert_eq!((gemma2.sliding_window, gemma2.sliding_window_pattern), (Some(4096), Some(2)));
    assert_eq!((gemma2.attention_soft_cap, gemma2.final_soft_cap), (Some(50.0), Some(30.0)));

    let mut sliding = gguf("gemma3");
    sliding.set("gemma3.attention.sliding_window", &512_u32);
    let sliding = config(&sliding);
    assert_eq!((sliding.sliding_window, sliding.sliding_window_pattern), (Some(512), Some(6)));
    assert_eq!(sliding.rope.local_theta, Some(10_000.0));
    assert_eq!((sliding.attention_soft_cap, sliding.final_soft_cap), (None, None));

    let plain = config(&gguf("gemma3"));
    assert_eq!((plain.sliding_window, plain.rope.local_theta), (None, None));
}

#[test]
fn the_27b_gemmas_scale_by_the_hidden_state() {
    for (family, layers) in [("gemma2", 46), ("gemma3", 62)] {
        let mut builder = gguf(family);
        builder.set(&format!("{family}.block_count"), &(layers as u32));
        builder.set(&format!("{family}.attention.key_length"), &6_u32);
        floats(&mut builder, &format!("blk.{}.attn_norm.weight", layers - 1), &[8]);
        // 8 numbers over 4 heads.
        assert_eq!(config(&builder).attention_scale, Some(2.0_f32.sqrt().recip()), "{family}");
    }
    assert_eq!(config(&gguf("gemma2")).attention_scale, None);
}

#[test]
fn patterns_of_sliding_layers_come_in_three_shapes() {
    let pattern = |set: &dyn Fn(&mut Builder<'_>)| {
        let mut builder = gguf("gemma3");
        builder.set("gemma3.attention.sliding_window", &4_u32);
        set(&mut builder);
        describe(&builder).map(|model| model.config.sliding_window_pattern)
    };
    const KEY: &str = "gemma3.attention.sliding_window_pattern";
    assert_eq!(pattern(&|_| {}), Ok(Some(6)));
    assert_eq!(pattern(&|builder| _ = builder.set(KEY, &3_u32)), Ok(Some(3)));
    assert_eq!(pattern(&|builder| _ = builder.set(KEY, &[true, false])), Ok(Some(2)));
    assert_eq!(pattern(&|builder| _ = builder.set(KEY, &[true, true])), Ok(Some(0)));
    let error = pattern(&|builder| _ = builder.set(KEY, &[false, true])).unwrap_err();
    assert_eq!(error.kind(), FormatErrorKind::Unsupported);
    assert!(error.to_string().contains(KEY), "{error}");
}

#[test]
fn every_kind_of_scaling_is_read() {
    const TYPE: &str = "llama.rope.scaling.type";
    const FACTOR: &str = "llama.rope.scaling.factor";
    const ORIGINAL: &str = "llama.rope.scaling.original_context_length";
    assert_eq!(scaling(|_| {}), RopeScaling::None);
    assert_eq!(scaling(|b| _ = b.set(TYPE, "none").set(FACTOR, &4.0_f32)), RopeScaling::None);
    let linear = RopeScaling::Linear { factor: 4.0 };
    assert_eq!(scaling(|b| _ = b.set(TYPE, "linear").set(FACTOR, &4.0_f32)), linear);
    assert_eq!(scaling(|b| _ = b.set(FACTOR, &4.0_f32)), linear);
    assert_eq!(scaling(|b| _ = b.set("llama.rope.scale_linear", &4.0_f32)), linear);
    assert_eq!(scaling(|b| _ = b.set(TYPE, "linear").set(FACTOR, &0.0_f32)), RopeScaling::None);

    let yarn = |attention_factor, beta_fast| RopeScaling::Yarn {
        factor: 4.0,
        original_context: 16,
        beta_fast,
        beta_slow: 1.0,
        attention_factor,
    };
    let set_yarn = |b: &mut Builder<'_>| {
        b.set(TYPE, "yarn").set(FACTOR, &4.0_f32).set(ORIGINAL, &16_u32);
    };
    assert_eq!(scaling(set_yarn), yarn(None, 32.0));
    let stated = scaling(|b| {
        set_yarn(b);
        b.set("llama.rope.scaling.yarn_beta_fast", &8.0_f32);
        b.set("llama.rope.scaling.attn_factor", &0.5_f32);
    });
    assert_eq!(stated, yarn(Some(0.5 * (0.1 * 4.0_f32.ln() + 1.0)), 8.0));
    let no_ramp = scaling(|b| {
        set_yarn(b);
        b.set("llama.rope.scaling.yarn_ext_factor", &0.0_f32);
    });
    assert_eq!(no_ramp, linear);

    let long = scaling(|b| {
        floats(b, "rope_factors_long.weight", &[1]);
        floats(b, "rope_factors_short.weight", &[1]);
        b.set(ORIGINAL, &16_u32).set("llama.rope.scaling.attn_factor", &1.2_f32);
    });
    let (short_table, long_table) = (Vec::new(), Vec::new());
    assert_eq!(
        long,
        RopeScaling::LongRope {
            short: short_table,
            long: long_table,
            original_context: 16,
            attention_factor: Some(1.2),
        }
    );

    let mut odd = gguf("llama");
    odd.set(TYPE, "spiral");
    let error = describe(&odd).unwrap_err();
    assert_eq!(error.kind(), FormatErrorKind::Unsupported);
    assert!(error.to_string().contains("spiral"), "{error}");
}

#[test]
fn a_parallel_residual_has_no_norm_before_the_feed_forward_network() {
    let key = "stablelm.use_parallel_residual";
    let mut stated = gguf("stablelm");
    stated.set(key, &true);
    assert!(!config(&stated).parallel_residual, "blk.0.ffn_norm.weight is there");

    let mut without = Builder::new();
    let file = stated.to_bytes().unwrap();
    let parsed = tenfold_formats::gguf::Gguf::parse(&file).unwrap();
    parsed.metadata().for_each(|(key, value)| _ = without.copy(key, &value));
    for tensor in parsed.tensors().iter().filter(|tensor| !tensor.name.contains("ffn_norm")) {
        floats(&mut without, tensor.name, &tensor.shape);
    }
    assert!(config(&without).parallel_residual);
    without.set(key, &false);
    assert!(!config(&without).parallel_residual);
}

#[test]
fn sizes_per_layer_are_one_size_or_refused() {
    const KEY: &str = "llama.attention.head_count_kv";
    let mut equal = gguf("llama");
    equal.set(KEY, &[2_u32, 2]);
    assert_eq!(config(&equal).kv_heads, 2);
    let mut varied = gguf("llama");
    varied.set(KEY, &[2_u32, 4]);
    let error = describe(&varied).unwrap_err();
    assert_eq!(error.kind(), FormatErrorKind::Unsupported);
    let mut unknown = gguf("openelm");
    unknown.set("openelm.attention.head_count_kv", &[2_u32, 4]);
    assert_eq!(config(&unknown).kv_heads, 4, "the largest, to show");
}

#[test]
fn the_quantization_is_named_by_the_file_or_by_its_tensors() {
    let quantization = |file_type: Option<u32>| {
        let mut builder = gguf("llama");
        if let Some(file_type) = file_type {
            builder.set("general.file_type", &file_type);
        }
        describe(&builder).unwrap().quantization
    };
    for (file_type, name) in [
        (None, "F32"),
        (Some(15), "Q4_K_M"),
        (Some(3), "Q4_1"),
        (Some(1024 + 7), "Q8_0"),
        (Some(99), "F32"),
    ] {
        assert_eq!(quantization(file_type).as_deref(), Some(name), "{file_type:?}");
    }
}

#[test]
fn an_unknown_architecture_is_described_as_far_as_it_goes() {
    let mut builder = Builder::new();
    builder.set("general.architecture", "rwkv9").set("rwkv9.block_count", &3_u32);
    floats(&mut builder, "strange", &[2, 2]);
    let model = describe(&builder).unwrap();
    assert_eq!(
        (model.architecture.as_str(), model.config.layers, model.config.heads),
        ("rwkv9", 3, 0)
    );
    let info = model.info("mine", 123);
    assert_eq!((info.name.as_str(), info.parameters, info.file_bytes), ("mine", 4, 123));
}

#[test]
fn what_users_see_of_a_model_is_counted() {
    let mut builder = gguf("llama");
    builder.set("general.license", "mit").set("tokenizer.chat_template", "{{ x }}");
    let info = describe(&builder).unwrap().info("tiny", 1000);
    assert_eq!(info.parameters, 10 * 8 + 8 + 2 * 2 * 8);
    assert_eq!(info.kv_bytes_per_token, 2 * 2 * (2 + 2) * 2);
    assert_eq!((info.license.as_deref(), info.has_chat_template), (Some("mit"), true));
    assert_eq!((info.vocabulary_size, info.layers, info.context_length), (10, 2, 64));
}

#[test]
fn keys_that_a_family_needs_are_missed() {
    for key in [
        "block_count",
        "context_length",
        "embedding_length",
        "feed_forward_length",
        "attention.head_count",
        "attention.layer_norm_rms_epsilon",
    ] {
        let file = gguf("llama").to_bytes().unwrap();
        let parsed = tenfold_formats::gguf::Gguf::parse(&file).unwrap();
        let mut without = Builder::new();
        let left = parsed.metadata().filter(|(name, _)| *name != format!("llama.{key}"));
        left.for_each(|(name, value)| _ = without.copy(name, &value));
        floats(&mut without, "token_embd.weight", &[10, 8]);
        let error = describe(&without).unwrap_err();
        assert_eq!(error.kind(), FormatErrorKind::Missing, "{key}: {error}");
        assert!(error.to_string().contains(key), "{key}: {error}");
    }
    let mut nameless = Builder::new();
    floats(&mut nameless, "token_embd.weight", &[10, 8]);
    assert!(describe(&nameless).unwrap_err().to_string().contains("general.architecture"));
}

#[test]
fn numbers_that_cannot_be_right_are_refused() {
    let text = |set: &dyn Fn(&mut Builder<'_>)| {
        let mut builder = gguf("llama");
        set(&mut builder);
        describe(&builder).expect_err("a number is not possible").to_string()
    };
    let integer =
        |key: &'static str, value: u64| text(&|b| _ = b.set(&format!("llama.{key}"), &value));
    let float =
        |key: &'static str, value: f32| text(&|b| _ = b.set(&format!("llama.{key}"), &value));
    let cases = [
        (integer("block_count", 0), "layers: the value 0"),
        (integer("block_count", 1 << 40), "hyperparameter layers"),
        (integer("block_count", 3), "layers: it is 3, but 2 is expected"),
        (integer("embedding_length", u64::MAX), "embedding_length"),
        (integer("embedding_length", 16), "\"token_embd.weight\": it is of shape [10, 8]"),
        (integer("attention.head_count", 0), "heads: the value 0"),
        (integer("attention.head_count_kv", 0), "kv_heads: the value 0"),
        (integer("attention.head_count_kv", 3), "kv_heads: the value 3 is not possible"),
        (integer("attention.key_length", 0), "key_length"),
        (integer("rope.dimension_count", 0), "rope.dimensions: the value 0"),
        (integer("rope.dimension_count", 4), "from 1 to 2"),
        (integer("rope.dimension_count", 1), "an even number"),
        (integer("context_length", 0), "context_length"),
        (float("attention.layer_norm_rms_epsilon", f32::NAN), "norm_epsilon: the value NaN"),
        (float("rope.freq_base", f32::INFINITY), "rope.theta: the value inf"),
        (float("rope.freq_base", -1.0), "rope.theta: the value -1"),
        (float("rope.scaling.factor", -4.0), "rope.scaling: the value -4"),
        (float("final_logit_softcapping", f32::NAN), "final_soft_cap"),
        (
            text(&|b| _ = b.set("llama.block_count", "two")),
            "\"llama.block_count\": the value should be",
        ),
        (text(&|b| _ = b.set("llama.block_count", &-2_i32)), "the i32 -2"),
        (text(&|b| floats(b, "output.weight", &[9, 8])), "tensor \"output.weight\""),
    ];
    for (text, part) in cases {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}

#[test]
fn more_tokens_than_rows_of_the_embedding_are_refused() {
    let mut builder = gguf("llama");
    models::add_vocabulary(&mut builder);
    let tokens: Vec<String> = (0..11).map(|id| format!("t{id}")).collect();
    builder.set("tokenizer.ggml.tokens", &tokens);
    builder.set("tokenizer.ggml.scores", &vec![0.0_f32; 11]);
    builder.set("tokenizer.ggml.token_type", &vec![1_i32; 11]);
    let text = describe(&builder).unwrap_err().to_string();
    assert!(text.contains("vocabulary_size: it is 10, but 11"), "{text}");
}
