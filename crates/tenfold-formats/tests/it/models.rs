//! Small models in the making: what every family's file says, ready to be changed by a test.

use tenfold_core::DType;
use tenfold_formats::gguf::write::Builder;

const LAYERS: usize = 2;
const EMBEDDING: usize = 8;
const VOCABULARY: usize = 10;

/// A GGUF file of this family, complete but for the layers' matrices.
pub(crate) fn gguf(architecture: &str) -> Builder<'static> {
    let mut builder = Builder::new();
    let key = |name: &str| format!("{architecture}.{name}");
    builder.set("general.architecture", architecture).set("general.name", "Tiny");
    for (name, value) in [
        ("block_count", LAYERS),
        ("context_length", 64),
        ("embedding_length", EMBEDDING),
        ("feed_forward_length", 16),
        ("attention.head_count", 4),
        ("attention.head_count_kv", 2),
    ] {
        builder.set(&key(name), &(value as u32));
    }
    builder.set(&key("attention.layer_norm_rms_epsilon"), &1e-5_f32);
    floats(&mut builder, "token_embd.weight", &[VOCABULARY, EMBEDDING]);
    floats(&mut builder, "output_norm.weight", &[EMBEDDING]);
    for layer in 0..LAYERS {
        floats(&mut builder, &format!("blk.{layer}.attn_norm.weight"), &[EMBEDDING]);
        floats(&mut builder, &format!("blk.{layer}.ffn_norm.weight"), &[EMBEDDING]);
    }
    builder
}

/// Adds a tensor of zeros.
pub(crate) fn floats(builder: &mut Builder<'_>, name: &str, shape: &[usize]) {
    builder.tensor(name, DType::F32, shape, vec![0; 4 * shape.iter().product::<usize>()]);
}

/// Adds a vocabulary of ten tokens.
pub(crate) fn add_vocabulary(builder: &mut Builder<'_>) {
    let tokens: Vec<String> = (0..VOCABULARY).map(|id| format!("t{id}")).collect();
    builder.set("tokenizer.ggml.model", "llama").set("tokenizer.ggml.tokens", &tokens);
    builder.set("tokenizer.ggml.scores", &vec![0.5_f32; VOCABULARY]);
    builder.set("tokenizer.ggml.token_type", &vec![1_i32; VOCABULARY]);
    builder.set("tokenizer.ggml.bos_token_id", &1_u32).set("tokenizer.ggml.eos_token_id", &2_u32);
    builder.set("tokenizer.ggml.add_bos_token", &true);
}

/// A llama file with a vocabulary.
pub(crate) fn llama_gguf() -> Vec<u8> {
    let mut builder = gguf("llama");
    add_vocabulary(&mut builder);
    builder.to_bytes().unwrap()
}

/// Files of several kinds to be damaged.
pub(crate) fn gguf_files() -> Vec<Vec<u8>> {
    let mut scaled = gguf("gemma3");
    scaled.set("gemma3.attention.sliding_window", &4_u32);
    scaled.set("gemma3.attention.sliding_window_pattern", &[true, false]);
    scaled.set("gemma3.rope.scaling.type", "yarn").set("gemma3.rope.scaling.factor", &4.0_f32);
    let mut bare = Builder::new();
    bare.set("general.architecture", "qwen2").set("nested", &vec![vec![1_u8, 2], vec![3]]);
    add_vocabulary(&mut bare);
    let mut part = gguf("stablelm");
    part.set("split.count", &1_u16).set("split.no", &0_u16).align(64);
    let built = [scaled, bare, part].map(|builder| builder.to_bytes().unwrap());
    [llama_gguf()].into_iter().chain(built).collect()
}
