//! Properties of the safetensors parser over generated files.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use tenfold_formats::safetensors::write::Builder;
use tenfold_formats::safetensors::{Dtype, Safetensors};
use tenfold_formats::{SafetensorsModel, describe_safetensors};

/// Formats of whole bytes.
fn any_tensor() -> impl Strategy<Value = (Dtype, Vec<usize>)> {
    let whole: Vec<Dtype> = Dtype::ALL.iter().copied().filter(|d| d.bits() % 8 == 0).collect();
    (prop::sample::select(whole), vec(0..4_usize, 0..4))
}

fn build(tensors: &std::collections::BTreeMap<String, (Dtype, Vec<usize>)>) -> Vec<u8> {
    let mut builder = Builder::new();
    for (name, (dtype, shape)) in tensors {
        let len = dtype.bits() as usize / 8 * shape.iter().product::<usize>();
        builder.tensor(name, *dtype, shape, vec![name.len() as u8; len]);
    }
    builder.to_bytes().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_again(tensors in btree_map(".{1,8}", any_tensor(), 0..6)) {
        let file = build(&tensors);
        let parsed = Safetensors::parse(&file).unwrap();
        prop_assert_eq!(parsed.tensors().len(), tensors.len());
        for tensor in parsed.tensors() {
            let (dtype, shape) = &tensors[&*tensor.name];
            prop_assert_eq!((&tensor.dtype, &tensor.shape), (dtype, shape));
            let fill = tensor.name.len() as u8;
            prop_assert!(file[tensor.range.clone()].iter().all(|&byte| byte == fill));
        }
    }

    #[test]
    fn a_damaged_file_is_judged_as_the_reference_judges_it(
        tensors in btree_map("[a-c]", any_tensor(), 0..4),
        changes in vec((any::<prop::sample::Index>(), prop::sample::select(b"\0 0123456789[],:{}\"aF".to_vec())), 1..4),
    ) {
        let mut file = build(&tensors);
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        let ours = Safetensors::parse(&file);
        let theirs = safetensors::SafeTensors::deserialize(&file);
        // Only names that occur twice are refused by us alone.
        let twice = matches!(&ours, Err(error) if error.to_string().contains("twice"));
        prop_assert!(twice || ours.is_ok() == theirs.is_ok(), "{:?} but {:?}", ours, theirs);
        let shards = [file.as_slice()];
        let model = SafetensorsModel {
            config: br#"{"model_type": "llama"}"#, shards: &shards, ..SafetensorsModel::default()
        };
        prop_assert!(describe_safetensors(&model).is_err());
    }

    #[test]
    fn arbitrary_configurations_do_not_panic(
        key in prop::sample::select(vec![
            "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
            "head_dim", "vocab_size", "max_position_embeddings", "sliding_window",
            "max_window_layers", "sliding_window_pattern", "rope_theta", "partial_rotary_factor",
            "query_pre_attn_scalar", "original_max_position_embeddings", "intermediate_size",
        ]),
        family in prop::sample::select(vec!["llama", "qwen2", "gemma2", "gemma3", "phi3", "stablelm"]),
        kind in prop::sample::select(vec!["default", "linear", "yarn", "llama3", "longrope"]),
        number in prop::sample::select(vec!["0", "1", "-1", "1e308", "-1e308", "18446744073709551615", "3.5"]),
        factor in prop::sample::select(vec!["0", "1e-40", "1e40", "-2", "4"]),
    ) {
        let config = format!(
            r#"{{"model_type": "{family}", "hidden_size": 8, "intermediate_size": 8, "{key}": {number},
                "use_sliding_window": true, "num_hidden_layers": 1, "num_attention_heads": 2,
                "rope_scaling": {{"type": "{kind}", "factor": {factor}, "low_freq_factor": {factor},
                "high_freq_factor": 4, "short_factor": [1], "long_factor": [{factor}],
                "mscale": {factor}, "mscale_all_dim": {factor}}}}}"#
        );
        // The key that stands twice is itself a case.
        let file = build(&Default::default());
        let shards = [file.as_slice()];
        let model =
            SafetensorsModel { config: config.as_bytes(), shards: &shards, ..SafetensorsModel::default() };
        prop_assert!(describe_safetensors(&model).is_err(), "there are no tensors");
    }
}
