//! From the names in Hugging Face checkpoints to the names in GGUF files.

/// What becomes of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mapped {
    /// Part of the text model, under this name.
    Text(String),
    /// Of no use for generating text: an image tower, a table that is computed anyway.
    Unused,
    /// Not known.
    Unknown,
}

/// Prefixes of the text model within a checkpoint, longest first.
const TEXT_PREFIXES: [&str; 4] =
    ["model.language_model.", "language_model.model.", "language_model.", "model."];

/// Parts of models for text and images that text alone does not need.
const OTHER_TOWERS: [&str; 6] = [
    "vision_tower.",
    "vision_model.",
    "multi_modal_projector.",
    "model.vision_tower.",
    "model.vision_model.",
    "model.multi_modal_projector.",
];

/// The GGUF name of a tensor of this architecture.
pub(super) fn map(architecture: &str, name: &str) -> Mapped {
    if OTHER_TOWERS.iter().any(|tower| name.starts_with(tower)) {
        return Mapped::Unused;
    }
    let inner = TEXT_PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    if inner.ends_with("rotary_emb.inv_freq") {
        return Mapped::Unused;
    }
    match map_inner(architecture, inner) {
        Some(mapped) => Mapped::Text(mapped),
        None => Mapped::Unknown,
    }
}

fn map_inner(architecture: &str, inner: &str) -> Option<String> {
    let (module, parameter) = inner.rsplit_once('.')?;
    if !matches!(parameter, "weight" | "bias") {
        return None;
    }
    let Some(rest) = module.strip_prefix("layers.") else {
        return Some(format!("{}.{parameter}", global(module)?));
    };
    let (layer, module) = rest.split_once('.')?;
    let layer: usize = layer.parse().ok()?;
    let mapped = in_layer(architecture, module)?;
    Some(format!("blk.{layer}.{mapped}.{parameter}"))
}

fn global(module: &str) -> Option<&'static str> {
    Some(match module {
        "embed_tokens" => "token_embd",
        "norm" => "output_norm",
        "lm_head" => "output",
        _ => return None,
    })
}

fn in_layer(architecture: &str, module: &str) -> Option<String> {
    if let Some(mapped) = head_norm(module) {
        return Some(mapped);
    }
    let has_norms_on_both_sides = matches!(architecture, "gemma2" | "gemma3");
    let mapped = match module {
        "self_attn.q_proj" => "attn_q",
        "self_attn.k_proj" => "attn_k",
        "self_attn.v_proj" => "attn_v",
        "self_attn.qkv_proj" => "attn_qkv",
        "self_attn.o_proj" => "attn_output",
        "self_attn.q_norm" => "attn_q_norm",
        "self_attn.k_norm" => "attn_k_norm",
        "input_layernorm" => "attn_norm",
        "post_attention_layernorm" if has_norms_on_both_sides => "post_attention_norm",
        "post_attention_layernorm" | "pre_feedforward_layernorm" => "ffn_norm",
        "post_feedforward_layernorm" => "post_ffw_norm",
        "mlp.gate_proj" => "ffn_gate",
        "mlp.up_proj" | "mlp.gate_up_proj" => "ffn_up",
        "mlp.down_proj" => "ffn_down",
        _ => return None,
    };
    Some(mapped.to_owned())
}

/// StableLM 2 12B has a norm for each head. GGUF files stack them; here each keeps its number
/// behind the usual name: `attn_q_norm.7`.
fn head_norm(module: &str) -> Option<String> {
    let (layer_norm, head) = module.strip_prefix("self_attn.")?.split_once(".norms.")?;
    let name = match layer_norm {
        "q_layernorm" => "attn_q_norm",
        "k_layernorm" => "attn_k_norm",
        _ => return None,
    };
    let head: usize = head.parse().ok()?;
    Some(format!("{name}.{head}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_model_is_found_within_larger_ones() {
        let cases = [
            ("model.layers.3.self_attn.q_proj.weight", "blk.3.attn_q.weight"),
            ("language_model.model.layers.3.self_attn.q_norm.weight", "blk.3.attn_q_norm.weight"),
            ("model.language_model.norm.weight", "output_norm.weight"),
            ("language_model.lm_head.weight", "output.weight"),
            ("lm_head.bias", "output.bias"),
            ("layers.0.mlp.gate_up_proj.weight", "blk.0.ffn_up.weight"),
            ("model.layers.9.self_attn.k_layernorm.norms.7.weight", "blk.9.attn_k_norm.7.weight"),
        ];
        for (name, expected) in cases {
            assert_eq!(map("llama", name), Mapped::Text(expected.into()), "{name}");
        }
    }

    #[test]
    fn what_text_does_not_need_is_left_out() {
        for name in [
            "vision_tower.vision_model.encoder.layers.0.mlp.fc1.weight",
            "model.multi_modal_projector.mm_input_projection_weight",
            "model.layers.0.self_attn.rotary_emb.inv_freq",
        ] {
            assert_eq!(map("gemma3", name), Mapped::Unused, "{name}");
        }
        for name in ["model.layers.x.input_layernorm.weight", "weight", "", "model.layers.0.mlp"] {
            assert_eq!(map("llama", name), Mapped::Unknown, "{name}");
        }
    }
}
