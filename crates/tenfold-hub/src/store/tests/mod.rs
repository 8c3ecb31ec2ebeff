use super::*;
use crate::checksum::sha256_hex;
use crate::progress::Reporter;
use proptest::prelude::*;

struct Fixture {
    folder: tempfile::TempDir,
    store: Store,
    cancel: CancelFlag,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        Self { folder, store, cancel: CancelFlag::default() }
    }

    fn partial(&self, model: &str, bytes: &[u8]) -> NewFile {
        let folder = self.store.partial_folder(model);
        make_folder(&folder).unwrap();
        let path = folder.join("part");
        std::fs::write(&path, bytes).unwrap();
        NewFile {
            name: "m.gguf".into(),
            role: FileRole::Weights,
            bytes: bytes.len() as u64,
            sha256: sha256_hex(bytes),
            place: Place::Partial(path),
        }
    }

    fn model(name: &str, file: NewFile) -> NewModel {
        NewModel {
            name: name.into(),
            format: tenfold_core::ModelFormat::Gguf,
            files: vec![file],
            source: "test".into(),
            license: None,
            quantization: None,
            revision: None,
        }
    }

    fn add(&self, name: &str, bytes: &[u8]) -> StoredModel {
        let model = Self::model(name, self.partial(name, bytes));
        self.store.commit(&model, &self.cancel).unwrap().unwrap()
    }

    fn find(&self, name: &str) -> Option<StoredModel> {
        self.store.find(name).unwrap()
    }

    /// Changes the text of a manifest.
    fn edit(&self, name: &str, from: &str, to: &str) {
        let path = self.store.manifest_path(name);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(&path, text.replace(from, to)).unwrap();
    }

    fn remove(&self, name: &str) -> Result<Removed, HubError> {
        self.store.remove(name, &self.cancel)
    }

    fn verify(&self, name: &str) -> VerifyReport {
        let mut sink = |_: PullProgress<'_>| ();
        let mut reporter = Reporter::new(self.cancel.clone(), &mut sink);
        self.store.verify(&self.find(name).unwrap(), &mut reporter).unwrap()
    }
}

use crate::PullProgress;

#[test]
fn a_stored_model_is_found_listed_and_loadable() {
    let fixture = Fixture::new();
    assert_eq!(fixture.store.list().unwrap(), []);
    let stored = fixture.add("m:1", b"weights");
    assert_eq!(fixture.find("m:1").as_ref(), Some(&stored));
    assert_eq!(fixture.store.list().unwrap(), std::slice::from_ref(&stored));
    let files = stored.model_files().unwrap();
    assert_eq!(std::fs::read(files.main()).unwrap(), b"weights");
    assert_eq!(fixture.find("m:2"), None);
}

#[test]
fn a_file_that_two_models_share_lives_as_long_as_one_of_them() {
    let fixture = Fixture::new();
    let one = fixture.add("one", b"same");
    let two = fixture.add("two", b"same");
    assert_eq!(one.files[0].path, two.files[0].path);
    let removed = fixture.remove("one").unwrap();
    assert_eq!(removed.bytes_freed, 0);
    assert!(two.files[0].path.exists());
    let removed = fixture.remove("two").unwrap();
    assert_eq!(removed.bytes_freed, 4);
    assert!(!two.files[0].path.exists());
    let again = fixture.remove("two").unwrap_err();
    assert_eq!(again.kind(), crate::HubErrorKind::NotFound);
}

#[test]
fn a_flipped_byte_is_found_and_refused_until_pulled_again() {
    let fixture = Fixture::new();
    let stored = fixture.add("m", b"weights");
    assert!(fixture.verify("m").is_intact());
    std::fs::write(&stored.files[0].path, b"wEights").unwrap();
    let report = fixture.verify("m");
    assert_eq!(report.files[0].found, sha256_hex(b"wEights"));
    assert_eq!(report.check().unwrap_err().kind(), crate::HubErrorKind::Damaged);
    let error = fixture.find("m").unwrap().model_files().unwrap_err();
    assert!(error.to_string().contains(&sha256_hex(b"weights")), "{error}");
    assert_eq!(error.remedy().as_deref(), Some("pull it again: tenfold pull m"));
    assert!(!fixture.store.has_blob(&stored.files[0].sha256, 7), "a pull must not reuse it");
    fixture.add("m", b"weights");
    assert!(fixture.find("m").unwrap().model_files().is_ok());
    assert!(fixture.verify("m").is_intact());
}

#[test]
fn a_cut_or_missing_file_is_refused_without_hashing() {
    let fixture = Fixture::new();
    let path = fixture.add("m", b"weights").files[0].path.clone();
    std::fs::write(&path, b"weig").unwrap();
    let state = |fixture: &Fixture| fixture.find("m").unwrap().files[0].state.clone();
    assert_eq!(state(&fixture), FileState::WrongSize { found: 4 });
    assert!(!fixture.verify("m").is_intact());
    std::fs::remove_file(&path).unwrap();
    assert_eq!(state(&fixture), FileState::Missing);
    assert!(!fixture.verify("m").is_intact());
    assert!(fixture.find("m").unwrap().model_files().is_err());
}

#[test]
fn a_shared_file_that_vanished_is_reported_not_stored() {
    let fixture = Fixture::new();
    let mut file = fixture.partial("m", b"weights");
    file.place = Place::Blob;
    let result = fixture.store.commit(&Fixture::model("m", file), &fixture.cancel).unwrap();
    assert_eq!(result, None);
    assert_eq!(fixture.find("m"), None);
}

#[test]
fn files_of_a_hub_cache_are_never_touched() {
    let fixture = Fixture::new();
    let cache = tempfile::tempdir().unwrap();
    let path = cache.path().join("m.gguf");
    std::fs::write(&path, b"weights").unwrap();
    let mut file = fixture.partial("m", b"weights");
    file.place = Place::External(path.clone());
    let model = Fixture::model("m", file);
    let stored = fixture.store.commit(&model, &fixture.cancel).unwrap().unwrap();
    assert_eq!(stored.model_files().unwrap().main(), path);
    assert!(fixture.verify("m").is_intact());
    std::fs::write(&path, b"wEights").unwrap();
    assert!(!fixture.verify("m").is_intact());
    assert!(!fixture.store.is_trusted(&path));
    let removed = fixture.remove("m").unwrap();
    assert!(removed.kept_in_place && path.exists());
}

#[test]
fn a_damaged_manifest_is_named_and_hides_no_other_model() {
    let fixture = Fixture::new();
    fixture.add("bad", b"one");
    let good = fixture.add("good", b"two");
    let path = fixture.store.manifest_path("bad");
    let hash = sha256_hex(b"one");
    for text in ["", "{", "[]", "{\"version\": 1}", &format!("\u{0}{hash}")] {
        std::fs::write(&path, text).unwrap();
        let error = fixture.store.find("bad").unwrap_err();
        assert_eq!(error.kind(), crate::HubErrorKind::Manifest, "{text}");
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
        assert!(error.remedy().unwrap().starts_with("pull that model again"));
        assert_eq!(fixture.store.list().unwrap(), std::slice::from_ref(&good));
        assert_eq!(fixture.store.unusable().unwrap().len(), 1);
    }
    assert_eq!(fixture.store.prune(&fixture.cancel).unwrap(), 0, "nobody knows what it needs");
    assert!(fixture.store.has_blob(&hash, 3));
    fixture.add("bad", b"one");
    assert!(fixture.find("bad").is_some(), "pulling again mends it");
}

#[test]
fn a_model_with_a_damaged_manifest_can_be_removed_with_its_files() {
    let fixture = Fixture::new();
    fixture.add("bad", b"one");
    let good = fixture.add("good", b"two");
    std::fs::write(fixture.store.manifest_path("bad"), "{").unwrap();
    assert_eq!(fixture.remove("bad").unwrap().bytes_freed, 3);
    assert_eq!(fixture.find("bad"), None);
    assert!(good.files[0].path.exists());
}

#[test]
fn a_newer_manifest_is_neither_read_nor_removed() {
    let fixture = Fixture::new();
    fixture.add("m", b"weights");
    fixture.edit("m", "\"version\": 1", "\"version\": 2");
    for result in [fixture.store.find("m").map(drop), fixture.remove("m").map(drop)] {
        let error = result.unwrap_err();
        assert!(matches!(error, HubError::Manifest { newer: true, .. }), "{error}");
        assert!(error.remedy().unwrap().starts_with("update Tenfold"));
    }
    assert_eq!(fixture.store.prune(&fixture.cancel).unwrap(), 0);
    assert!(fixture.store.has_blob(&sha256_hex(b"weights"), 7));
}

#[test]
fn a_manifest_cannot_point_out_of_the_store_or_stand_for_another_model() {
    let fixture = Fixture::new();
    fixture.add("m", b"weights");
    fixture.edit("m", &sha256_hex(b"weights"), "../../../etc/passwd");
    assert!(fixture.store.find("m").is_err());
    fixture.add("a", b"weights");
    let copy = fixture.store.manifest_path("b");
    std::fs::copy(fixture.store.manifest_path("a"), copy).unwrap();
    assert!(fixture.store.find("b").is_err());
}

#[test]
fn a_model_that_is_replaced_leaves_no_files() {
    let fixture = Fixture::new();
    let old = fixture.add("m", b"old");
    let shared = fixture.add("other", b"old");
    fixture.add("m", b"new");
    assert!(old.files[0].path.exists(), "another model has it");
    fixture.remove("other").unwrap();
    assert!(!shared.files[0].path.exists());
    let newest = fixture.add("m", b"newest");
    assert_eq!(std::fs::read_dir(newest.files[0].path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn damage_is_remembered_when_the_store_moves() {
    let fixture = Fixture::new();
    let path = fixture.add("m", b"weights").files[0].path.clone();
    std::fs::write(&path, b"wEights").unwrap();
    assert!(!fixture.verify("m").is_intact());
    let moved = fixture.folder.path().join("elsewhere");
    std::fs::create_dir(&moved).unwrap();
    std::fs::rename(fixture.store.root(), moved.join("models")).unwrap();
    let model = Store::new(&moved).find("m").unwrap().unwrap();
    assert!(model.is_damaged());
}

#[test]
fn an_unreadable_mark_still_counts_as_damage() {
    let fixture = Fixture::new();
    let path = fixture.add("m", b"weights").files[0].path.clone();
    std::fs::write(&path, b"wEights").unwrap();
    fixture.verify("m");
    std::fs::write(fixture.store.damage_path(&path), "").unwrap();
    assert!(fixture.find("m").unwrap().is_damaged());
}

#[test]
fn a_model_that_somebody_pulls_is_not_removed_under_them() {
    let fixture = Fixture::new();
    fixture.add("m", b"weights");
    let lock = fixture.store.lock_model("m", &fixture.cancel, &mut || ()).unwrap();
    let error = fixture.remove("m").unwrap_err();
    assert_eq!(error.kind(), crate::HubErrorKind::Busy);
    drop(lock);
    assert!(fixture.remove("m").is_ok());
}

#[test]
fn pruning_takes_leftovers_and_leaves_a_pull_in_progress() {
    let fixture = Fixture::new();
    let kept = fixture.add("kept", b"kept");
    fixture.partial("left", b"12345");
    fixture.partial("busy", b"123");
    std::fs::write(fixture.store.blob_path(&sha256_hex(b"x")), b"orphan").unwrap();
    let busy = fixture.store.lock_model("busy", &fixture.cancel, &mut || ()).unwrap();
    assert_eq!(fixture.store.prune(&fixture.cancel).unwrap(), 5 + 6);
    assert!(kept.files[0].path.exists());
    drop(busy);
    assert_eq!(fixture.store.prune(&fixture.cancel).unwrap(), 3);
}

proptest! {
    #[test]
    fn keys_are_plain_file_names_and_differ(a in "\\PC{1,90}", b in "\\PC{1,90}") {
        let plain = |key: &str| {
            key.len() < 100 && key.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'-')
        };
        prop_assert!(plain(&key(&a)));
        prop_assert_eq!(a == b, key(&a) == key(&b));
    }
}
