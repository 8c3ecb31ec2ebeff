//! `tenfold pull`, `list`, `show`, `verify`, `rm`.

use std::time::{Duration, Instant};

use tenfold_core::DType;
use tenfold_testkit::tiny::TinyModel;

use crate::support::{Home, Server, files_below, path, start, tiny};

fn bytes() -> Vec<u8> {
    TinyModel::named("qwen2").unwrap().gguf(DType::F32).unwrap()
}

#[test]
fn a_model_is_pulled_listed_shown_verified_run_and_removed() {
    let home = Home::new();
    let server = Server::start(bytes());
    let url = server.url("tiny.gguf");
    home.tenfold(&["list"]).assert_code(0);
    assert_eq!(home.json(&["list"]).as_array().map(Vec::len), Some(0));

    home.tenfold(&["pull", &url]).assert_code(0);
    let listed = home.json(&["list"]);
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    let shown = home.json(&["show", &url]);
    assert_eq!(shown["model"]["architecture"], "qwen2", "{shown}");
    assert_eq!(shown["store"]["files"][0]["bytes"], bytes().len());
    home.tenfold(&["verify"]).assert_code(0);
    home.tenfold(&["run", &url, "Hi", "-n", "4"]).assert_code(0);

    home.tenfold(&["rm", &url]).assert_code(0);
    assert_eq!(home.json(&["list"]).as_array().map(Vec::len), Some(0));
    let left: u64 = files_below(home.path()).iter().map(|it| it.metadata().unwrap().len()).sum();
    assert!(left < 10_000, "{left} bytes are left");
}

#[test]
fn run_pulls_what_is_not_there() {
    let home = Home::new();
    let server = Server::start(bytes());
    let done =
        home.tenfold(&["run", &server.url("tiny.gguf"), "Hi", "-n", "4", "--temperature", "0"]);
    done.assert_code(0);
    let local = tiny_text(&home);
    assert_eq!(done.out, local);
}

fn tiny_text(home: &Home) -> String {
    let file = home.file("local.gguf", &bytes());
    home.tenfold(&["run", &file, "Hi", "-n", "4", "--temperature", "0"]).out
}

#[test]
fn a_flipped_byte_is_found_and_the_model_refused_until_it_is_pulled_again() {
    let home = Home::new();
    let server = Server::start(bytes());
    let url = server.url("tiny.gguf");
    home.tenfold(&["pull", &url]).assert_code(0);
    let stored = files_below(home.path()).into_iter();
    let blob = stored.max_by_key(|file| file.metadata().unwrap().len()).unwrap();
    let mut content = std::fs::read(&blob).unwrap();
    let last = content.len() - 1;
    content[last] ^= 1;
    let mut permissions = blob.metadata().unwrap().permissions();
    #[allow(clippy::permissions_set_readonly_false)]
    permissions.set_readonly(false);
    std::fs::set_permissions(&blob, permissions).unwrap();
    std::fs::write(&blob, &content).unwrap();

    let verified = home.tenfold(&["verify", &url]);
    verified.assert_code(1);
    assert!(verified.out.contains("DAMAGED"), "{verified:?}");
    home.tenfold(&["run", &url, "Hi"]).assert_code(1).assert_says(&["error:", "try:", "pull"]);
    home.tenfold(&["pull", &url]).assert_code(0);
    home.tenfold(&["verify", &url]).assert_code(0);
    home.tenfold(&["run", &url, "Hi", "-n", "4"]).assert_code(0);
}

#[test]
fn a_killed_pull_goes_on_where_it_stopped() {
    let home = Home::new();
    let content = bytes();
    let half = content.len() / 2;
    let server = Server::start(content);
    server.stall_at(half);
    let url = server.url("tiny.gguf");
    let mut child = start(&mut home.command(&["pull", &url]));
    let has_half = || {
        files_below(home.path())
            .iter()
            .any(|file| file.metadata().is_ok_and(|metadata| metadata.len() >= half as u64))
    };
    let end = Instant::now() + Duration::from_secs(20);
    while !has_half() {
        assert!(Instant::now() < end, "the first half did not arrive");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();

    server.stall_at(usize::MAX);
    home.tenfold(&["pull", &url]).assert_code(0);
    let ranges = server.ranges();
    let resumed = ranges.last().map(String::as_str).unwrap_or_default();
    assert!(
        resumed.starts_with(&format!("{half}-")),
        "asked for {ranges:?}, {half} bytes were there"
    );
    home.tenfold(&["verify", &url]).assert_code(0);
}

#[test]
fn nothing_of_a_failed_pull_is_listed() {
    let home = Home::new();
    let server = Server::start(b"<!doctype html><title>Sign in</title>".to_vec());
    home.tenfold(&["pull", &server.url("tiny.gguf")]).assert_code(1).assert_says(&["error:"]);
    assert_eq!(home.json(&["list"]).as_array().map(Vec::len), Some(0));
}

#[test]
fn a_path_needs_no_pull() {
    let (home, model) = (Home::new(), tiny());
    let done = home.tenfold(&["pull", &path(&model)]);
    assert!(done.assert_code(0).out.contains("nothing to fetch"), "{done:?}");
}
