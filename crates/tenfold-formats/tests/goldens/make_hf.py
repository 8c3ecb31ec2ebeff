"""Writes hf_configs.json and tensor_names.tsv.

hf_configs.json: `config.json` files in the style of the published ones, each as old and new
versions of transformers write them, and what transformers 5.23.0 takes them to mean.
tensor_names.tsv: what gguf 0.19.0 calls the tensors of Hugging Face checkpoints.

    pip install transformers==5.23.0 gguf==0.19.0 && python make_hf.py
"""

import json
import math
from pathlib import Path

from gguf import MODEL_ARCH, MODEL_ARCH_NAMES, get_tensor_name_map
from transformers import AutoConfig

HERE = Path(__file__).parent
SMALL = dict(vocab_size=12, hidden_size=64, intermediate_size=96, num_hidden_layers=6, num_attention_heads=4)

CASES = {
    "llama 1": dict(model_type="llama", **SMALL, rms_norm_eps=1e-5, max_position_embeddings=4096),
    "llama 3.2": dict(
        model_type="llama", **SMALL, num_key_value_heads=2, head_dim=16, max_position_embeddings=131072,
        rms_norm_eps=1e-5, rope_theta=500000.0, tie_word_embeddings=True, hidden_act="silu",
        rope_scaling=dict(factor=32.0, high_freq_factor=4.0, low_freq_factor=1.0,
                          original_max_position_embeddings=8192, rope_type="llama3"),
    ),
    "llama linear": dict(model_type="llama", **SMALL, rope_scaling=dict(type="linear", factor=4.0)),
    "llama dynamic": dict(model_type="llama", **SMALL, rope_scaling=dict(type="dynamic", factor=2.0)),
    "llama whole theta": dict(model_type="llama", **SMALL, rope_theta=1000000, rope_scaling=None),
    "mistral 0.1": dict(model_type="mistral", **SMALL, num_key_value_heads=2, sliding_window=4096,
                        max_position_embeddings=32768, rms_norm_eps=1e-5),
    "mistral 0.3": dict(model_type="mistral", **SMALL, num_key_value_heads=2, sliding_window=None,
                        rope_theta=1000000.0, max_position_embeddings=32768),
    "mistral silent": dict(model_type="mistral", **{**SMALL, "num_attention_heads": 8}),
    "qwen 2.5": dict(model_type="qwen2", **SMALL, num_key_value_heads=2, sliding_window=32768, max_window_layers=21,
                     use_sliding_window=False, rope_theta=1000000.0, max_position_embeddings=32768,
                     tie_word_embeddings=True),
    "qwen 2.5 yarn": dict(model_type="qwen2", **SMALL, num_key_value_heads=2, max_position_embeddings=131072,
                          rope_theta=1000000.0,
                          rope_scaling=dict(type="yarn", factor=4.0, original_max_position_embeddings=32768)),
    "yarn with scales": dict(model_type="llama", **SMALL, max_position_embeddings=65536,
                             rope_scaling=dict(type="yarn", factor=16.0, original_max_position_embeddings=4096,
                                               mscale=1.0, mscale_all_dim=0.707, beta_fast=16.0, beta_slow=2.0)),
    "qwen 3": dict(model_type="qwen3", **SMALL, num_key_value_heads=2, head_dim=32, max_position_embeddings=40960,
                   rope_theta=1000000, sliding_window=None, use_sliding_window=False, max_window_layers=6),
    "gemma": dict(model_type="gemma", **SMALL, num_key_value_heads=1, head_dim=32, hidden_act="gelu_pytorch_tanh"),
    "gemma silent": dict(model_type="gemma", **{**SMALL, "num_attention_heads": 16}),
    "gemma 2": dict(model_type="gemma2", **SMALL, num_key_value_heads=2, head_dim=32, query_pre_attn_scalar=16,
                    sliding_window=8, attn_logit_softcapping=50.0, final_logit_softcapping=30.0,
                    hidden_activation="gelu_pytorch_tanh", hidden_act="gelu_pytorch_tanh"),
    "gemma 2 silent": dict(model_type="gemma2", **SMALL, num_key_value_heads=2),
    "gemma 3 text": dict(model_type="gemma3_text", **SMALL, num_key_value_heads=1, head_dim=32,
                         query_pre_attn_scalar=32, rope_local_base_freq=10000.0, rope_theta=1000000.0,
                         rope_scaling=None, sliding_window=8, sliding_window_pattern=6,
                         attn_logit_softcapping=None, final_logit_softcapping=None),
    "gemma 3 with images": dict(
        model_type="gemma3", architectures=["Gemma3ForConditionalGeneration"], image_token_index=262144,
        text_config=dict(model_type="gemma3_text", vocab_size=12, hidden_size=64, intermediate_size=96,
                         num_hidden_layers=6, rope_scaling=dict(factor=8.0, rope_type="linear"), sliding_window=1024),
        vision_config=dict(model_type="siglip_vision_model", hidden_size=32),
    ),
    "phi 3 4k": dict(model_type="phi3", **SMALL, max_position_embeddings=4096, original_max_position_embeddings=4096,
                     rope_scaling=None, sliding_window=2047, rms_norm_eps=1e-5),
    "phi 3 128k": dict(model_type="phi3", **SMALL, max_position_embeddings=131072,
                       original_max_position_embeddings=4096, sliding_window=262144,
                       rope_scaling=dict(type="longrope", short_factor=[1.0 + 0.1 * i for i in range(8)],
                                         long_factor=[1.0 + 7.0 * i for i in range(8)])),
    "phi 4 mini": dict(model_type="phi3", **SMALL, num_key_value_heads=2, max_position_embeddings=131072,
                       original_max_position_embeddings=4096, partial_rotary_factor=0.75, tie_word_embeddings=True,
                       sliding_window=262144,
                       rope_scaling=dict(type="longrope", short_factor=[1.0] * 6, long_factor=[2.0] * 6)),
    "qwen silent": dict(model_type="qwen2", **{**SMALL, "num_attention_heads": 32}),
    "qwen 3 silent": dict(model_type="qwen3", **{**SMALL, "num_attention_heads": 32}),
    "stablelm silent": dict(model_type="stablelm", **{**SMALL, "hidden_size": 256, "num_attention_heads": 32}),
    "stablelm 3b": dict(model_type="stablelm", num_key_value_heads=4, **SMALL, max_position_embeddings=4096, partial_rotary_factor=0.25,
                        layer_norm_eps=1e-5, rope_theta=10000),
    "stablelm 2 12b": dict(model_type="stablelm", **SMALL, num_key_value_heads=2, use_parallel_residual=True,
                           qk_layernorm=True, partial_rotary_factor=0.5, layer_norm_eps=1e-6),
}

ARCHITECTURES = {"mistral": "llama", "gemma3_text": "gemma3"}


def meaning(config):
    """The hyperparameters of a loaded configuration under the names of `ModelConfig`."""
    text = config.get_text_config()
    head = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    rope = text.rope_parameters
    local = rope.get("sliding_attention", {}).get("rope_theta")
    rope = rope.get("full_attention", rope)
    types = getattr(text, "layer_types", None)
    window = getattr(text, "sliding_window", None)
    if types is not None and "sliding_attention" not in types:
        window = None
    scalar = getattr(text, "query_pre_attn_scalar", None)
    return dict(
        architecture=ARCHITECTURES.get(text.model_type, text.model_type),
        vocabulary_size=text.vocab_size,
        context_length=text.max_position_embeddings,
        embedding_length=text.hidden_size,
        layers=text.num_hidden_layers,
        feed_forward_length=text.intermediate_size,
        heads=text.num_attention_heads,
        kv_heads=text.num_key_value_heads,
        key_length=head,
        norm_epsilon=getattr(text, "rms_norm_eps", None) or text.layer_norm_eps,
        rope_dimensions=int(head * rope.get("partial_rotary_factor", 1.0)),
        rope_theta=rope["rope_theta"],
        rope_local_theta=local,
        rope_type=rope["rope_type"],
        rope=scaling(rope, text.max_position_embeddings),
        sliding_window=window,
        sliding_layers=None if types is None else [kind == "sliding_attention" for kind in types],
        attention_soft_cap=getattr(text, "attn_logit_softcapping", None),
        final_soft_cap=getattr(text, "final_logit_softcapping", None),
        attention_scale=(scalar or head) ** -0.5,
        tied=config.tie_word_embeddings,
    )


def scaling(rope, context):
    """The numbers that each kind of scaling uses, with the attention factor by transformers' rules."""
    kind = rope["rope_type"]
    original = rope.get("original_max_position_embeddings")
    factor = rope.get("factor")
    if kind == "linear":
        return dict(factor=factor)
    if kind == "llama3":
        return dict(factor=factor, low=rope["low_freq_factor"], high=rope["high_freq_factor"], original=original)
    if kind == "yarn":
        scales = rope.get("mscale"), rope.get("mscale_all_dim")
        over, under = scales if all(scales) else (1.0, 0.0)
        size = lambda scale: 0.1 * scale * math.log(factor) + 1.0
        return dict(factor=factor, original=original, fast=rope.get("beta_fast", 32), slow=rope.get("beta_slow", 1),
                    attention=size(over) / size(under))
    if kind == "longrope":
        ratio = factor or context / original
        return dict(original=original, short=rope["short_factor"], long=rope["long_factor"],
                    attention=math.sqrt(1 + math.log(ratio) / math.log(original)) if ratio > 1 else 1.0)
    return {}


def configs():
    for name, old in CASES.items():
        loaded = AutoConfig.for_model(**json.loads(json.dumps(old)))
        new = json.loads(loaded.to_json_string(use_diff=False))
        expected = meaning(loaded)
        yield dict(name=name, config=old, expected=expected)
        yield dict(name=f"{name}, as transformers 5 writes it", config=trim(new), expected=expected)


def trim(config):
    """Leaves out what no reader of text models looks at, to keep the file small."""
    boring = {"vision_config", "id2label", "label2id", "transformers_version", "dtype", "return_dict", "problem_type",
              "output_hidden_states", "output_attentions", "chunk_size_feed_forward", "is_encoder_decoder",
              "_name_or_path", "initializer_range", "use_cache", "attention_dropout", "pretraining_tp"}
    return {key: trim(value) if isinstance(value, dict) else value
            for key, value in config.items() if key not in boring}


def tensor_names():
    architectures = ["LLAMA", "QWEN2", "QWEN3", "GEMMA", "GEMMA2", "GEMMA3", "PHI3", "STABLELM"]
    modules = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.qkv_proj", "self_attn.o_proj",
               "self_attn.q_norm", "self_attn.k_norm", "input_layernorm", "post_attention_layernorm",
               "pre_feedforward_layernorm", "post_feedforward_layernorm", "mlp.gate_proj", "mlp.up_proj",
               "mlp.gate_up_proj", "mlp.down_proj"]
    names = ["model.embed_tokens", "model.norm", "lm_head"] + [f"model.layers.1.{module}" for module in modules]
    for architecture in architectures:
        architecture = MODEL_ARCH[architecture]
        table = get_tensor_name_map(architecture, 2)
        for name in names:
            if (mapped := table.get_name(name)) is not None:
                yield f"{MODEL_ARCH_NAMES[architecture]}\t{name}\t{mapped}\n"


(HERE / "hf_configs.json").write_text(json.dumps(list(configs()), indent=1) + "\n")
(HERE / "tensor_names.tsv").write_text("".join(tensor_names()))
