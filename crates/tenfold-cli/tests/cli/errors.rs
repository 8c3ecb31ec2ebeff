//! What goes wrong says what happened, where, and what to do; and the exit code tells scripts.

use serde_json::Value;
use tenfold_core::DType;
use tenfold_testkit::tiny::TinyModel;

use crate::support::{Home, argument, path, tiny};

#[test]
fn files_that_are_no_models() {
    let home = Home::new();
    let whole = TinyModel::named("qwen2").unwrap().gguf(DType::Q8_0).unwrap();
    let mut unknown = TinyModel::named("qwen2").unwrap();
    let unknown = {
        let bytes = unknown_architecture(&mut unknown);
        home.file("unknown.gguf", &bytes)
    };
    let cases: [(String, &[&str]); 7] = [
        (home.file("cut.gguf", &whole[..whole.len() / 2]), &["cut.gguf"]),
        (home.file("head.gguf", &whole[..20]), &["head.gguf"]),
        (home.file("empty.gguf", b""), &["empty.gguf"]),
        (home.file("letter.gguf", b"Dear Sir or Madam,\n"), &["letter.gguf", "text"]),
        (argument(home.path()), &[]),
        (unknown, &["rwkv7", "native"]),
        (argument(&home.path().join("nothing.gguf")), &["nothing.gguf"]),
    ];
    for (model, says) in cases {
        let done = home.tenfold(&["run", &model, "Hello"]);
        done.assert_code(1).assert_says(&["error:", "try:"]).assert_says(says);
        assert_eq!(done.out, "", "{model}");
    }
}

/// The model with another architecture of the same length in its header.
fn unknown_architecture(model: &mut TinyModel) -> Vec<u8> {
    let mut bytes = model.gguf(DType::Q8_0).unwrap();
    let places: Vec<usize> =
        (0..bytes.len() - 5).filter(|&at| &bytes[at..at + 5] == b"qwen2").collect();
    for at in places {
        bytes[at..at + 5].copy_from_slice(b"rwkv7");
    }
    bytes
}

#[test]
fn prompts_that_cannot_be_answered() {
    let (home, model) = (Home::new(), tiny());
    let model = path(&model);
    let long = "word ".repeat(5000);
    let cases: [(&[&str], &[&str]); 4] = [
        (&[""], &["the prompt is empty", "try:"]),
        (&[" \n "], &["the prompt is empty"]),
        (&[&long], &["tokens", "room for", "try:"]),
        (&["Hi", "--ctx", "16"], &["tokens", "room for 16"]),
    ];
    for (args, says) in cases {
        let done = home.tenfold(&[&["run", &model], args].concat());
        done.assert_code(1).assert_says(&["error:"]).assert_says(says);
        assert_eq!(done.out, "");
    }
    home.with_input(&["run", &model], b"").assert_code(1).assert_says(&["the prompt is empty"]);
    home.with_input(&["run", &model], &[0xff, 0xfe]).assert_code(1).assert_says(&["UTF-8"]);
}

#[test]
fn names_and_options_that_do_not_exist() {
    let (home, model) = (Home::new(), tiny());
    let model = path(&model);
    let cases: [(&[&str], i32, &[&str]); 9] = [
        (&["run", "smollm22", "Hi"], 1, &["smollm22", "smollm2"]),
        (&["run", &model, "Hi", "--backend", "mlx"], 1, &["MLX", "try:"]),
        (&["run", &model, "Hi", "--backend", "nonsense"], 1, &["nonsense", "native"]),
        (&["run", &model, "Hi", "--temperature", "-1"], 1, &["temperature"]),
        (&["run", &model, "Hi", "--ctx", "9999999"], 1, &["context"]),
        (&["run", &model, "Hi", "--top-p", "x"], 2, &["--top-p"]),
        (&["fly"], 2, &["fly"]),
        (&["run"], 2, &["MODEL"]),
        (&["rm", "smollm2"], 1, &["smollm2"]),
    ];
    for (args, code, says) in cases {
        let done = home.tenfold(args);
        done.assert_code(code).assert_says(&["error:"]).assert_says(says);
        assert_eq!(done.out, "", "{args:?}");
    }
}

#[test]
fn failures_are_json_where_results_are() {
    let home = Home::new();
    let done = home.tenfold(&["run", "nothing.gguf", "Hi", "--json"]);
    done.assert_code(1);
    let value: Value = serde_json::from_str(&done.out).unwrap();
    assert!(value["error"]["message"].as_str().unwrap().contains("nothing.gguf"), "{value}");
    assert!(value["error"]["remedy"].is_string(), "{value}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let (home, model) = (Home::new(), tiny());
    let mut command = home.command(&["run", &path(&model), "Hi", "-n", "200"]);
    let mut child = crate::support::start(&mut command);
    drop(child.stdout.take());
    let done = child.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
}
