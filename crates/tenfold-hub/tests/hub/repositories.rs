//! Repositories of a hub: what is chosen, checked, refused and explained.

use serde_json::{Value, json};
use tenfold_hub::{FileRole, HubError, HubErrorKind};

use crate::support::{
    COMMIT, FakeHub, Place, Reply, Request, entry, model, model_bytes, sha256, url_source,
};

const CONFIG: &[u8] = b"{\"model_type\": \"llama\"}";

/// A place whose hub is this one.
fn place(hub: &FakeHub) -> Place {
    let mut place = Place::new();
    place.config.endpoint = hub.server.url("");
    place
}

#[test]
fn a_model_of_the_hub_lives_from_pull_to_rm() {
    let (q4, q8) = (model_bytes(5000, 1), model_bytes(9000, 2));
    let hub = FakeHub::with(&[("m-Q4_K_M.gguf", &q4), ("m-Q8_0.gguf", &q8), ("README.md", b"#")]);
    let place = place(&hub);
    let name = model("hf.co/o/r");
    assert_eq!(place.hub().resolve(&name).unwrap_err().kind(), HubErrorKind::NotPulled);

    let pulled = place.pull("hf.co/o/r").unwrap();
    assert!(!pulled.was_there);
    let stored = pulled.stored.unwrap();
    assert_eq!(stored.license.as_deref(), Some("mit"));
    assert_eq!(stored.quantization.as_deref(), Some("Q4_K_M"));
    assert_eq!(stored.source, "hub repository o/r");
    assert_eq!((stored.bytes(), stored.files[0].name.as_str()), (5000, "m-Q4_K_M.gguf"));
    assert_eq!(place.content("hf.co/o/r"), q4);

    let requests = hub.server.log().len();
    assert!(place.pull("o/r").unwrap().was_there, "the same model by another name");
    assert_eq!(hub.server.log().len(), requests, "nothing is asked again");
    let manager = place.hub();
    assert_eq!(manager.list().unwrap(), [manager.show(&name).unwrap()]);
    assert!(manager.verify(&name, &mut |_| ()).unwrap().is_intact());
    assert_eq!(manager.remove(&name).unwrap().bytes_freed, 5000);
    assert_eq!(manager.list().unwrap(), []);
    assert_eq!(manager.show(&name).unwrap_err().kind(), HubErrorKind::NotPulled);
}

#[test]
fn what_is_named_is_what_comes() {
    let files: Vec<Vec<u8>> = (1..=4).map(|seed| model_bytes(1000, seed)).collect();
    let hub = FakeHub::with(&[
        ("m-Q4_K_M.gguf", &files[0]),
        ("m-Q8_0.gguf", &files[1]),
        ("big/m-F16-00001-of-00002.gguf", &files[2]),
        ("big/m-F16-00002-of-00002.gguf", &files[3]),
    ]);
    let place = place(&hub);
    for (name, weights) in [
        ("hf.co/o/r:q8_0", vec![&files[1]]),
        ("hf.co/o/r/m-Q4_K_M.gguf", vec![&files[0]]),
        ("hf.co/o/r:F16", vec![&files[2], &files[3]]),
        ("hf.co/o/r/big/m-F16-00002-of-00002.gguf", vec![&files[2], &files[3]]),
    ] {
        let pulled = place.pull(name).unwrap();
        let contents: Vec<_> =
            pulled.files.weights.iter().map(|path| std::fs::read(path).unwrap()).collect();
        assert_eq!(contents.iter().collect::<Vec<_>>(), weights, "{name}");
    }
    let fetched = hub.downloads().len();
    assert_eq!(fetched, 4, "a file that the store has is not fetched again");
}

#[test]
fn safetensors_come_with_their_companions_and_every_file_is_checked() {
    let (one, two) = (model_bytes(3000, 1), model_bytes(4000, 2));
    let files: [(&str, &[u8]); 6] = [
        ("config.json", CONFIG),
        ("tokenizer.json", b"{}"),
        ("model.safetensors.index.json", b"{\"weight_map\": {}}"),
        ("model-00001-of-00002.safetensors", &one),
        ("model-00002-of-00002.safetensors", &two),
        ("training_args.bin", b"not wanted"),
    ];
    let hub = FakeHub::with(&files);
    let place = place(&hub);
    hub.forge("config.json", b"{\"model_type\": \"llamA\"}");
    let error = place.pull("hf.co/o/r").unwrap_err();
    assert_eq!(error.kind(), HubErrorKind::ChecksumMismatch, "{error}");
    assert!(error.to_string().starts_with("config.json: "), "{error}");
    assert_eq!(place.hub().list().unwrap(), [], "a model is there whole or not at all");

    hub.be_honest();
    let pulled = place.pull("hf.co/o/r").unwrap();
    let companions: Vec<_> = pulled.files.companions.keys().map(String::as_str).collect();
    assert_eq!(companions, ["config.json", "model.safetensors.index.json", "tokenizer.json"]);
    assert_eq!(std::fs::read(&pulled.files.companions["config.json"]).unwrap(), CONFIG);
    let stored = pulled.stored.unwrap();
    let weights = stored.files.iter().filter(|file| file.role == FileRole::Weights);
    let hashes: Vec<_> = weights.map(|file| file.sha256.clone()).collect();
    assert_eq!(hashes, [sha256(&one), sha256(&two)]);
    let fetched = |name: &str| hub.downloads().iter().filter(|(path, _)| path == name).count();
    assert_eq!(fetched("model-00001-of-00002.safetensors"), 1, "what was whole is kept");
    assert_eq!((fetched("config.json"), fetched("training_args.bin")), (2, 0));
}

#[test]
fn weights_that_mlx_quantized_are_told_apart() {
    let config = br#"{"quantization": {"group_size": 64, "bits": 4}}"#;
    let hub = FakeHub::with(&[
        ("config.json", config),
        ("tokenizer.json", b"{}"),
        ("model.safetensors", &model_bytes(1000, 1)),
    ]);
    let place = place(&hub);
    assert_eq!(place.pull("hf.co/o/r").unwrap().files.format.name(), "mlx");
    assert_eq!(place.hub().resolve(&model("hf.co/o/r")).unwrap().format.name(), "mlx");
}

#[test]
fn what_is_not_there_is_answered_with_what_is() {
    let bytes = model_bytes(100, 1);
    let hub = FakeHub::with(&[("m-Q4_K_M.gguf", &bytes), ("m-Q8_0.gguf", &bytes)]);
    let place = place(&hub);
    for (name, what, remedy) in [
        ("hf.co/o/r:Q5_K_M", "no GGUF file of quantization Q5_K_M", "choose one of Q4_K_M, Q8_0"),
        ("hf.co/o/r/m-Q4_K_L.gguf", "no file m-Q4_K_L.gguf", "did you mean m-Q4_K_M.gguf"),
        ("hf.co/o/r/x", "no file x", "it has m-Q4_K_M.gguf, m-Q8_0.gguf"),
        ("hf.co/o/other", "no model repository o/other at revision main", "check the spelling"),
        ("hf.co/o/r@dev", "no model repository o/r at revision dev", "check the spelling"),
    ] {
        let error = place.pull(name).unwrap_err();
        assert_eq!(error.kind(), HubErrorKind::NotFound, "{name}");
        assert!(error.to_string().contains(what), "{name}: {error}");
        let found = error.remedy().unwrap();
        assert!(found.contains(remedy), "{name}: {found}");
    }
    let empty = FakeHub::with(&[("README.md", b"#")]);
    let error = self::place(&empty).pull("hf.co/o/r").unwrap_err();
    assert_eq!(error.to_string(), "hub repository o/r has no weights that Tenfold reads");
}

#[test]
fn a_listing_cannot_choose_where_files_go() {
    let bytes = model_bytes(1000, 1);
    let hub = FakeHub::with(&[("m-Q4_0.gguf", &bytes)]);
    let oid = sha256(&bytes);
    let names = ["../../up.gguf", "/etc/root.gguf", "a\\..\\w.gguf", "C:w.gguf", "a/../../b.gguf"];
    let hostile = names.map(|path| {
        json!({"type": "file", "path": path, "size": 1000, "lfs": {"oid": oid, "size": 1000}})
    });
    hub.list_also(&hostile);
    let place = place(&hub);
    let pulled = place.pull("hf.co/o/r").unwrap();
    assert_eq!(pulled.stored.unwrap().files.len(), 1);
    let store = place.path().join("models");
    assert!(pulled.files.main().starts_with(store.join("blobs")));
    assert!(!place.path().join("up.gguf").exists());
}

#[test]
fn absurd_sizes_are_no_room_and_no_panic() {
    let hub = FakeHub::with(&[]);
    let huge = |name: &str| {
        let lfs = json!({"oid": "a".repeat(64), "size": u64::MAX});
        json!({"type": "file", "path": name, "size": u64::MAX, "lfs": lfs})
    };
    hub.list_also(&[huge("m-00001-of-00002.gguf"), huge("m-00002-of-00002.gguf")]);
    let place = place(&hub);
    let error = place.pull("hf.co/o/r").unwrap_err();
    assert_eq!(error.kind(), HubErrorKind::DiskFull);
    assert_eq!(hub.downloads(), [], "room is checked before anything is fetched");
}

#[test]
fn a_full_disk_is_found_out_before_the_download() {
    let hub = FakeHub::with(&[("m.gguf", &model_bytes(1000, 1))]);
    let mut place = place(&hub);
    place.config.reserve_bytes = u64::MAX / 2;
    let error = place.pull("hf.co/o/r").unwrap_err();
    assert_eq!(error.kind(), HubErrorKind::DiskFull);
    assert!(error.remedy().unwrap().contains("TENFOLD_HOME"));
    assert_eq!(hub.downloads(), []);
    place.config.reserve_bytes = 0;
    place.pull("hf.co/o/r").unwrap();
}

#[test]
fn offline_asks_nobody() {
    let hub = FakeHub::with(&[("m.gguf", &model_bytes(1000, 1))]);
    let mut place = place(&hub);
    place.config.offline = true;
    let error = place.pull("hf.co/o/r").unwrap_err();
    assert_eq!(error.kind(), HubErrorKind::Offline);
    assert!(error.remedy().unwrap().contains("HF_HUB_OFFLINE"));
    assert_eq!(place.pull(&hub.server.url("/m.gguf")).unwrap_err().kind(), HubErrorKind::Offline);
    let bytes = model_bytes(1000, 1);
    place.catalogue(&entry(&bytes, &json!([url_source(&hub.server.url("/m.gguf"))])));
    assert_eq!(place.pull("m").unwrap_err().kind(), HubErrorKind::Offline);
    assert!(hub.server.paths().is_empty());
}

/// A hub cache with `m.gguf` of `o/r`, as the usual clients leave it.
fn hub_cache(place: &Place, bytes: &[u8]) -> std::path::PathBuf {
    let repo = place.path().join("cache/models--o--r");
    let snapshot = repo.join("snapshots/abc");
    std::fs::create_dir_all(&snapshot).unwrap();
    std::fs::create_dir_all(repo.join("refs")).unwrap();
    std::fs::write(repo.join("refs/main"), "abc").unwrap();
    std::fs::write(snapshot.join("m.gguf"), bytes).unwrap();
    snapshot.join("m.gguf")
}

#[test]
fn the_hub_cache_is_read_where_it_lies_and_never_changed() {
    let hub = FakeHub::with(&[("m.gguf", &model_bytes(1000, 1))]);
    let mut place = place(&hub);
    let cached = hub_cache(&place, &model_bytes(1000, 2));
    place.config.hub_caches = vec![place.path().join("cache")];
    place.config.offline = true;
    assert_eq!(place.hub().resolve(&model("hf.co/o/r")).unwrap().main(), cached);
    let pulled = place.pull("hf.co/o/r").unwrap();
    assert_eq!(pulled.files.main(), cached);
    assert!(pulled.stored.unwrap().files[0].in_place);
    assert!(hub.server.paths().is_empty());

    // Damage in the cache is found, and mended in the store: the cache belongs to others.
    std::fs::write(&cached, model_bytes(1000, 3)).unwrap();
    let name = model("hf.co/o/r");
    assert!(!place.hub().verify(&name, &mut |_| ()).unwrap().is_intact());
    assert_eq!(place.hub().resolve(&name).unwrap_err().kind(), HubErrorKind::Damaged);
    place.config.offline = false;
    place.pull("hf.co/o/r").unwrap();
    assert_eq!(place.content("hf.co/o/r"), model_bytes(1000, 1));
    assert_eq!(std::fs::read(&cached).unwrap(), model_bytes(1000, 3));
    place.hub().remove(&name).unwrap();
    assert!(cached.exists());
}

#[test]
fn answers_of_the_api_that_make_no_sense_are_errors() {
    type Answer = fn(&Request) -> Option<Reply>;
    let cases: [(&str, Answer); 6] = [
        ("no JSON", |_| Some(Reply::new(200, "<html>"))),
        ("another shape", |_| Some(Reply::json(&json!(["x"])))),
        ("cut", |_| Some(Reply::new(200, "{\"sha\": \"abc\"").cut_after(3))),
        ("a commit that is a path", |_| Some(Reply::json(&json!({"sha": "../../x"})))),
        ("a list without end", |request| {
            let next = format!("<{}>; rel=\"next\"", request.path);
            request.path.contains("/tree/").then(|| Reply::json(&json!([])).with("Link", &next))
        }),
        ("nesting without end", |_| Some(Reply::new(200, "[".repeat(1_000_000)))),
    ];
    for (what, answer) in cases {
        let hub = FakeHub::start(&[("m.gguf", b"GGUF")], answer);
        let error = place(&hub).pull("hf.co/o/r").unwrap_err();
        assert_eq!(error.kind(), HubErrorKind::Network, "{what}: {error}");
    }
}

#[test]
fn listings_of_several_pages_are_read_to_the_end() {
    let bytes = model_bytes(1000, 1);
    let first = |request: &Request| {
        let is_first = request.path.contains("/tree/") && !request.path.contains("cursor");
        let next = format!("<{}&cursor=2>; rel=\"next\"", request.path);
        is_first.then(|| Reply::json(&json!([])).with("Link", &next))
    };
    let hub = FakeHub::start(&[("m.gguf", &bytes)], first);
    place(&hub).pull("hf.co/o/r").unwrap();
    assert_eq!(hub.server.paths().iter().filter(|path| path.contains("cursor=2")).count(), 1);
}

#[test]
fn a_busy_api_is_asked_again() {
    let turns = std::sync::atomic::AtomicUsize::new(0);
    let hub = FakeHub::start(&[("m.gguf", &model_bytes(1000, 1))], move |_| {
        let turn = turns.fetch_add(1, std::sync::atomic::Ordering::AcqRel);
        (turn < 2).then(|| Reply::new(429, "").with("Retry-After", "0"))
    });
    place(&hub).pull("hf.co/o/r").unwrap();
}

#[test]
fn gated_and_private_repositories_say_what_to_do() {
    let refuse = |status: u16, words: &'static str| {
        FakeHub::start(&[("m.gguf", &model_bytes(100, 1))], move |request| {
            // A gated repository lists its files to everybody.
            let is_file = request.path.contains("/resolve/");
            is_file.then(|| Reply::new(status, "").with("X-Error-Message", words))
        })
    };
    for (status, token) in [(401, None), (403, Some("hf_secret"))] {
        let hub = refuse(status, "Access to model o/r is restricted.");
        let mut place = place(&hub);
        place.config.token = token.map(tenfold_hub::Token::new);
        let error = place.pull("hf.co/o/r").unwrap_err();
        assert_eq!(error.kind(), HubErrorKind::Unauthorized);
        assert!(error.to_string().contains("is restricted"), "{error}");
        let remedy = error.remedy().unwrap();
        assert!(remedy.contains(&hub.server.url("/o/r")), "the page with the terms: {remedy}");
        assert_eq!(remedy.contains("HF_TOKEN"), token.is_none(), "{remedy}");
        assert!(!format!("{error} {error:?}").contains("hf_secret"));
    }
}

#[test]
fn a_catalogue_model_comes_from_the_hub_first() {
    let bytes = model_bytes(1000, 1);
    let hub = FakeHub::with(&[("m.gguf", &bytes)]);
    let mut place = place(&hub);
    let revision = COMMIT;
    let source: Value = json!([
        {"kind": "hub", "repo": "o/r", "revision": revision, "file": "m.gguf"},
        {"kind": "url", "url": "http://127.0.0.1:9/never"},
    ]);
    place.catalogue(&entry(&bytes, &source));
    let pulled = place.pull("m:1").unwrap();
    assert!(pulled.failures.is_empty());
    assert_eq!(pulled.stored.unwrap().license.as_deref(), Some("MIT"));
    // A name that is typed wrongly is answered with one that exists.
    let HubError::UnknownModel { suggestions, .. } = place.pull("smolm2").unwrap_err() else {
        panic!("another error")
    };
    assert_eq!(suggestions[0], "smollm2");
}
