//! `tenfold backends`, `doctor`, `bench`, `list --all`, and the help.

use crate::support::{Home, path, tiny};

#[test]
fn every_framework_is_listed_with_its_state() {
    let backends = Home::new().json(&["backends"]);
    let backends = backends.as_array().unwrap();
    let ids: Vec<&str> = backends.iter().map(|it| it["id"].as_str().unwrap()).collect();
    for id in [
        "native",
        "foundation",
        "coreml",
        "mlx",
        "mlc",
        "onnx",
        "executorch",
        "llamacpp",
        "litert",
        "picollm",
        "transformers",
    ] {
        assert!(ids.contains(&id), "{id} is not in {ids:?}");
    }
    for backend in backends {
        assert!(backend["name"].is_string() && backend["formats"].is_array(), "{backend}");
        match backend["state"].as_str().unwrap() {
            "available" => assert!(backend["version"].is_string(), "{backend}"),
            "unavailable" => {
                assert!(
                    backend["reason"].is_string() && backend["remedy"].is_string(),
                    "{backend}"
                );
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn bench_has_the_fields_of_llama_bench() {
    let (home, model) = (Home::new(), tiny());
    let model = path(&model);
    let args = ["bench", &model, "-p", "16", "-n", "4", "-d", "0,8", "-r", "2", "--threads", "1"];
    let tests = home.json(&args);
    let tests = tests.as_array().unwrap();
    let shape = |name: &str| tests.iter().map(|it| it[name].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!(shape("n_prompt"), [16, 16, 0, 0]);
    assert_eq!(shape("n_gen"), [0, 0, 4, 4]);
    assert_eq!(shape("n_depth"), [0, 8, 0, 8]);
    for test in tests {
        assert_eq!(test["n_threads"], 1);
        assert_eq!(test["samples_ts"].as_array().map(Vec::len), Some(2));
        assert_eq!(test["samples_ns"].as_array().map(Vec::len), Some(2));
        assert!(test["avg_ts"].as_f64().unwrap() > 0.0 && test["stddev_ts"].is_number(), "{test}");
        assert!(test["cpu_info"].is_string() && test["model_size"].is_number(), "{test}");
    }
    let table = home.tenfold(&[&args[..], &["-o", "md"]].concat()).out;
    assert!(table.starts_with("| model |") && table.contains("| pp16 @ d8 |"), "{table}");
    let csv = home.tenfold(&[&args[..], &["-o", "csv"]].concat()).out;
    assert_eq!(csv.lines().count(), 5, "{csv}");
    let lines = home.tenfold(&[&args[..], &["-o", "jsonl"]].concat()).out;
    assert!(lines.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
}

#[test]
fn the_catalogue_is_listed_on_request() {
    let home = Home::new();
    let all = home.tenfold(&["list", "--all"]);
    assert!(all.assert_code(0).out.contains("smollm2:135m"), "{all:?}");
    let shown = home.json(&["show", "smollm2"]);
    assert_eq!(shown["catalogue"]["license"], "Apache-2.0", "{shown}");
}

#[test]
fn the_doctor_looks_at_this_machine() {
    let home = Home::new();
    let done = home.tenfold(&["doctor", "--json"]);
    let checks: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert!(checks.as_array().is_some_and(|checks| checks.len() > 4), "{checks}");
}

#[test]
fn every_command_has_help_with_its_options() {
    let home = Home::new();
    let help = home.tenfold(&["--help"]).out;
    for verb in [
        "run",
        "chat",
        "pull",
        "list",
        "show",
        "rm",
        "verify",
        "tokenize",
        "detokenize",
        "backends",
        "doctor",
        "bench",
    ] {
        assert!(help.contains(verb), "{verb} is not in the help");
        let done = home.tenfold(&[verb, "--help"]);
        assert!(done.assert_code(0).out.contains("--json"), "{verb}: {done:?}");
    }
    assert_eq!(
        home.tenfold(&["--version"]).out,
        format!("tenfold {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn colours_are_for_terminals() {
    let home = Home::new();
    assert!(!home.tenfold(&["run", "nothing.gguf", "Hi"]).err.contains('\u{1b}'));
    let coloured = home.tenfold(&["run", "nothing.gguf", "Hi", "--color", "always"]);
    assert!(coloured.err.contains('\u{1b}'), "{coloured:?}");
}
