//! `tenfold run`.

use serde_json::Value;

use crate::support::{Home, path, tiny};

const SHORT: [&str; 4] = ["--temperature", "0", "--max-tokens", "12"];

#[test]
fn the_answer_goes_to_standard_output_and_nothing_else_does() {
    let (home, model) = (Home::new(), tiny());
    let done = home.tenfold(&[&["run", &path(&model), "Hello"], &SHORT[..]].concat());
    done.assert_code(0);
    assert!(done.out.ends_with('\n') && done.out.len() > 1, "{done:?}");
    assert_eq!(done.err, "", "a pipe carries no progress and no notices");
}

#[test]
fn json_has_the_fields_that_the_readme_promises() {
    let (home, model) = (Home::new(), tiny());
    let report = home.json(&[&["run", &path(&model), "Hello"], &SHORT[..]].concat());
    let plain = home.tenfold(&[&["run", &path(&model), "Hello"], &SHORT[..]].concat());
    let text = report["text"].as_str().unwrap();
    assert_eq!(plain.out.trim_end_matches('\n'), text.trim_end_matches('\n'));
    assert!(["stop", "length"].contains(&report["finish_reason"].as_str().unwrap()), "{report}");
    let count = |group: &str, name: &str| report[group][name].as_u64().unwrap();
    let tokens = report["tokens"].as_array().unwrap();
    assert_eq!(tokens.len() as u64, count("usage", "output_tokens"));
    assert!(count("usage", "prompt_tokens") > 0 && count("usage", "cached_tokens") == 0);
    assert!(count("metrics", "peak_memory_bytes") > 0);
    for name in ["ttft_ms", "prefill_tps", "decode_tps"] {
        assert!(report["metrics"][name].as_f64().unwrap() >= 0.0, "{name}: {report}");
    }
    assert_eq!(report["backend"], "native");
    assert!(matches!(&report["model"], Value::String(name) if !name.is_empty()));
}

#[test]
fn the_prompt_can_come_through_standard_input() {
    let (home, model) = (Home::new(), tiny());
    let model = path(&model);
    let told = home.tenfold(&[&["run", &model, "Why?"], &SHORT[..]].concat());
    for args in [vec!["run", &model], vec!["run", &model, "-"]] {
        let piped = home.with_input(&[args, SHORT.to_vec()].concat(), b"Why?\n");
        assert_eq!(piped.assert_code(0).out, told.out);
    }
}

#[test]
fn the_same_seed_gives_the_same_text() {
    let (home, model) = (Home::new(), tiny());
    let model = path(&model);
    let say = |seed: &str| {
        home.tenfold(&["run", &model, "Hi", "-n", "24", "--seed", seed, "--temperature", "1.5"]).out
    };
    assert_eq!(say("1"), say("1"));
    assert!((2..6).any(|seed| say(&seed.to_string()) != say("1")), "no seed changes anything");
}

#[test]
fn options_reach_the_model() {
    let (home, model) = (Home::new(), tiny());
    let model = path(&model);
    let tokens = |args: &[&str]| {
        let report = home.json(&[&["run", &model, "Hi", "--temperature", "0"], args].concat());
        (report["usage"]["prompt_tokens"].as_u64().unwrap(), report["finish_reason"].clone())
    };
    let (plain, reason) = tokens(&["--max-tokens", "2"]);
    assert_eq!(reason, "length");
    assert!(tokens(&["--max-tokens", "2", "--system", "You are a pirate."]).0 > plain);
    assert!(tokens(&["--max-tokens", "2", "--raw"]).0 < plain);
    home.tenfold(&["run", &model, "Hi", "-n", "2", "--threads", "2", "--backend", "native"])
        .assert_code(0);
}

#[test]
fn a_stop_sequence_is_no_part_of_the_answer() {
    let (home, model) = (Home::new(), tiny());
    let model = path(&model);
    let plain = home.tenfold(&[&["run", &model, "Hello"], &SHORT[..]].concat()).out;
    let stop: String = plain.trim_end().chars().skip(3).take(2).collect();
    let args = [&["run", &model, "Hello", "--stop", &stop], &SHORT[..]].concat();
    let stopped = home.tenfold(&args).out;
    assert_eq!(
        stopped.trim_end_matches('\n'),
        plain.split(&stop).next().unwrap().trim_end_matches('\n')
    );
}

#[test]
fn verbose_tells_timings_beside_the_answer() {
    let (home, model) = (Home::new(), tiny());
    let done = home.tenfold(&[&["run", &path(&model), "Hello", "-v"], &SHORT[..]].concat());
    done.assert_code(0).assert_says(&[
        "load",
        "first token",
        "prefill",
        "decode",
        "tokens/s",
        "memory",
    ]);
}

#[test]
fn a_folder_of_safetensors_runs() {
    let home = Home::new();
    let model = tenfold_testkit::OnDisk::hf("llama", tenfold_core::DType::F32).unwrap();
    let folder = crate::support::argument(model.folder());
    home.tenfold(&[&["run", &folder, "Hello"], &SHORT[..]].concat()).assert_code(0);
}

#[test]
fn a_model_without_a_template_says_so() {
    let home = Home::new();
    let model = tenfold_testkit::OnDisk::hf("llama", tenfold_core::DType::F32).unwrap();
    let config = model.folder().join("tokenizer_config.json");
    let mut json: Value = serde_json::from_slice(&std::fs::read(&config).unwrap()).unwrap();
    json.as_object_mut().unwrap().remove("chat_template");
    std::fs::write(&config, json.to_string()).unwrap();
    let folder = crate::support::argument(model.folder());
    let done = home.tenfold(&[&["run", &folder, "Hello"], &SHORT[..]].concat());
    done.assert_code(0).assert_says(&["warning:", "template"]);
    let quiet = home.tenfold(&[&["run", &folder, "Hello", "--quiet"], &SHORT[..]].concat());
    assert_eq!(quiet.assert_code(0).err, "");
}
