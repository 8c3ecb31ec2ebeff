//! A store that is shared, damaged, newer than the program, or not to be written.

use std::sync::mpsc;

use serde_json::json;
use tenfold_hub::{HubError, HubErrorKind, PullProgress};

use crate::support::{
    Answer, FakeHub, Place, Reply, Server, entry, files_below, model, model_bytes, url_source,
    wait_until,
};

/// A pulled model `m:1` and the server that has it.
fn pulled() -> (Place, Server, Vec<u8>) {
    let bytes = model_bytes(5000, 1);
    let server = Server::script(&bytes, &[|bytes, request| Reply::file(bytes, None, request)]);
    let mut place = Place::new();
    place.catalogue(&entry(&bytes, &json!([url_source(&server.url("/m.gguf"))])));
    place.pull("m").unwrap();
    (place, server, bytes)
}

fn manifest_of(place: &Place, name: &str) -> std::path::PathBuf {
    let start = format!("{}-", name.replace(':', "_"));
    let manifests = files_below(&place.path().join("models/manifests"));
    let named =
        |path: &std::path::Path| path.file_name().unwrap().to_string_lossy().starts_with(&start);
    manifests.into_iter().map(|(path, _)| path).find(|path| named(path)).unwrap()
}

fn set_version(place: &Place, version: u64) {
    let path = manifest_of(place, "m:1");
    let mut value: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    value["version"] = version.into();
    std::fs::write(path, value.to_string()).unwrap();
}

#[test]
fn two_pulls_at_once_are_one_download() {
    let bytes = model_bytes(300_000, 2);
    let slow: Answer = |bytes, request| Reply::file(bytes, None, request).hang_after(150_000);
    let rest: Answer = |bytes, request| Reply::file(bytes, None, request);
    let server = Server::script(&bytes, &[slow, rest]);
    let mut place = Place::new();
    place.catalogue(&entry(&bytes, &json!([url_source(&server.url("/m.gguf"))])));
    let (send, receive) = mpsc::channel();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| place.pull("m").unwrap());
        wait_until("the first half", || place.longest_partial() == 150_000);
        let (hub, send) = (place.hub(), send.clone());
        let second = scope.spawn(move || {
            hub.pull(&model("m"), &mut |progress| {
                if matches!(progress, PullProgress::Waiting) {
                    send.send(()).unwrap();
                }
            })
            .unwrap()
        });
        assert!(!first.join().unwrap().was_there);
        assert!(second.join().unwrap().was_there);
    });
    receive.try_recv().expect("the second was told that it waits");
    assert_eq!(server.ranges(), [None, Some(150_000)]);
    assert_eq!(place.content("m"), bytes);
}

#[test]
fn many_pulls_of_models_that_share_a_file_and_removals_do_no_harm() {
    let bytes = model_bytes(20_000, 3);
    let server = Server::script(&bytes, &[|bytes, request| Reply::file(bytes, None, request)]);
    let place = Place::new();
    let urls: Vec<String> = (0..4).map(|number| server.url(&format!("/{number}.gguf"))).collect();
    std::thread::scope(|scope| {
        for url in urls.iter().chain(&urls) {
            scope.spawn(|| {
                for _ in 0..3 {
                    place.pull(url).unwrap();
                    match place.hub().remove(&model(url)) {
                        Ok(_) => {}
                        // The other thread with this address is pulling it, or was quicker.
                        Err(HubError::Busy { .. } | HubError::NotFound { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
                // The other thread may remove it right after: then the pull is made again.
                let _ = place.pull(url);
            });
        }
    });
    for url in &urls {
        place.pull(url).unwrap();
        assert_eq!(place.content(url), bytes);
    }
    assert_eq!(files_below(&place.path().join("models/blobs")).len(), 1);
    assert_eq!(place.partial_files(), []);
}

#[test]
fn a_flipped_byte_is_found_refused_and_mended() {
    let (place, server, bytes) = pulled();
    let name = model("m");
    let path = place.hub().resolve(&name).unwrap().main().to_owned();
    let mut damaged = bytes.clone();
    damaged[4000] ^= 1;
    std::fs::write(&path, damaged).unwrap();
    assert!(place.hub().resolve(&name).is_ok(), "nobody hashes a model each time it is loaded");

    let report = place.hub().verify(&name, &mut |_| ()).unwrap();
    assert!(!report.is_intact() && report.remembered);
    for error in [place.hub().resolve(&name).map(drop), report.check()] {
        let error = error.unwrap_err();
        assert_eq!(error.kind(), HubErrorKind::Damaged);
        assert_eq!(error.remedy().as_deref(), Some("pull it again: tenfold pull m:1"));
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
    assert!(place.hub().list().unwrap()[0].is_damaged());

    assert!(!place.pull("m").unwrap().was_there);
    assert_eq!(place.content("m"), bytes);
    assert_eq!(server.log().len(), 2);
    assert!(place.hub().verify(&name, &mut |_| ()).unwrap().is_intact());
}

#[test]
fn a_cut_or_lost_file_is_refused_and_mended() {
    let (place, _server, bytes) = pulled();
    let path = place.hub().resolve(&model("m")).unwrap().main().to_owned();
    for harm in
        [&(|| std::fs::write(&path, &bytes[..100])) as &dyn Fn() -> std::io::Result<()>, &|| {
            std::fs::remove_file(&path)
        }]
    {
        harm().unwrap();
        let error = place.hub().resolve(&model("m")).unwrap_err();
        assert_eq!(error.kind(), HubErrorKind::Damaged, "{error}");
        place.pull("m").unwrap();
        assert_eq!(place.content("m"), bytes);
    }
}

#[test]
fn a_store_of_a_newer_version_is_not_touched() {
    let (place, server, _) = pulled();
    set_version(&place, 9);
    let before = files_below(&place.path().join("models"));
    let (hub, name) = (place.hub(), model("m"));
    let errors = [
        hub.resolve(&name).map(drop),
        hub.show(&name).map(drop),
        hub.verify(&name, &mut |_| ()).map(drop),
        hub.remove(&name).map(drop),
        hub.pull(&name, &mut |_| ()).map(drop),
    ];
    for error in errors {
        let error = error.unwrap_err();
        assert!(matches!(error, HubError::Manifest { newer: true, .. }), "{error:?}");
        assert!(error.remedy().unwrap().starts_with("update Tenfold"));
    }
    assert_eq!(hub.list().unwrap(), []);
    assert_eq!(hub.unusable().unwrap().len(), 1);
    assert_eq!(hub.prune().unwrap(), 0);
    assert_eq!(files_below(&place.path().join("models")), before);
    assert_eq!(server.log().len(), 1);
}

#[test]
fn a_damaged_record_is_an_error_until_the_model_is_pulled_again() {
    let (place, server, bytes) = pulled();
    let other = server.url("/other.gguf");
    place.pull(&other).unwrap();
    std::fs::write(manifest_of(&place, "m:1"), "{\"version\": 1, \"na").unwrap();
    let (hub, name) = (place.hub(), model("m"));
    for error in [hub.resolve(&name).map(drop), hub.show(&name).map(drop)] {
        let error = error.unwrap_err();
        assert!(matches!(error, HubError::Manifest { newer: false, .. }), "{error:?}");
        assert!(error.remedy().unwrap().starts_with("pull that model again"));
    }
    let names: Vec<_> = hub.list().unwrap().into_iter().map(|model| model.name).collect();
    assert_eq!(names, [other], "the other models are still there");
    hub.pull(&name, &mut |_| ()).unwrap();
    assert_eq!(place.content("m"), bytes);
    assert_eq!(hub.list().unwrap().len(), 2);
}

#[test]
fn a_store_that_nobody_may_write_still_serves_its_models() {
    let (place, server, bytes) = pulled();
    let models = place.path().join("models");
    // Files where folders should be: nothing can be written there, whoever runs the test.
    std::fs::remove_dir_all(models.join("locks")).unwrap();
    std::fs::write(models.join("locks"), "").unwrap();
    std::fs::write(models.join("damaged"), "").unwrap();
    let name = model("m");
    assert_eq!(place.content("m"), bytes);
    assert!(place.pull("m").unwrap().was_there);
    assert!(place.hub().verify(&name, &mut |_| ()).unwrap().is_intact());

    std::fs::write(place.hub().resolve(&name).unwrap().main(), model_bytes(5000, 9)).unwrap();
    let report = place.hub().verify(&name, &mut |_| ()).unwrap();
    assert!(!report.is_intact(), "what is wrong is told");
    assert!(!report.remembered, "and that the store cannot remember it");

    let error = place.pull(&server.url("/new.gguf")).unwrap_err();
    assert_eq!(error.kind(), HubErrorKind::Io);
    assert!(error.to_string().contains(&models.join("locks").display().to_string()), "{error}");
    assert!(error.remedy().unwrap().contains("TENFOLD_HOME"));
}

#[test]
fn a_catalogue_that_names_another_file_replaces_the_model() {
    let (mut place, _server, old) = pulled();
    let new = model_bytes(6000, 4);
    let server = Server::script(&new, &[|bytes, request| Reply::file(bytes, None, request)]);
    place.catalogue(&entry(&new, &json!([url_source(&server.url("/m.gguf"))])));
    assert_eq!(place.content("m"), old, "what is there is used until somebody pulls");
    assert!(!place.pull("m").unwrap().was_there);
    assert_eq!(place.content("m"), new);
    assert_eq!(files_below(&place.path().join("models/blobs")).len(), 1, "the old file is gone");
}

#[test]
fn a_model_that_left_the_catalogue_can_still_be_used() {
    let (mut place, _server, bytes) = pulled();
    place.config.catalogue_file = None;
    let name = model("m:1");
    assert_eq!(place.content("m:1"), bytes);
    assert!(place.pull("m:1").unwrap().was_there);
    assert!(place.hub().verify(&name, &mut |_| ()).unwrap().is_intact());
    place.hub().remove(&name).unwrap();
    assert_eq!(place.pull("m:1").unwrap_err().kind(), HubErrorKind::UnknownModel);
}

#[test]
fn rm_takes_what_an_unfinished_pull_left() {
    let bytes = model_bytes(10_000, 5);
    let cut: Answer = |bytes, request| Reply::file(bytes, Some("\"a\""), request).cut_after(4000);
    let server = Server::script(&bytes, &[cut]);
    let mut place = Place::new();
    place.config.retries = 0;
    let url = server.url("/m.gguf");
    place.pull(&url).unwrap_err();
    assert_eq!(place.longest_partial(), 4000);
    let freed = place.hub().remove(&model(&url)).unwrap().bytes_freed;
    assert!(freed >= 4000, "{freed}");
    assert_eq!(place.partial_files(), []);
    let error = place.hub().remove(&model(&url)).unwrap_err();
    assert_eq!(error.kind(), HubErrorKind::NotFound);
}

#[test]
fn paths_are_used_where_they_are() {
    let hub = FakeHub::with(&[]);
    let place = Place::new();
    let path = place.path().join("own.gguf");
    std::fs::write(&path, model_bytes(100, 1)).unwrap();
    let name = model(path.to_str().unwrap());
    let pulled = place.hub().pull(&name, &mut |_| ()).unwrap();
    assert!(pulled.was_there && pulled.stored.is_none());
    assert_eq!(pulled.files.main(), path);
    assert_eq!(place.hub().remove(&name).unwrap_err().kind(), HubErrorKind::InvalidRef);
    assert!(path.exists() && hub.server.paths().is_empty());
}
