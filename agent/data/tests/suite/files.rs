use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::{fs, io::Read};

use remora_data::{FileError, Reason};

use crate::common::Place;

#[test]
fn write_makes_and_replaces_and_append_makes_and_continues() {
    let place = Place::new();
    let files = place.files();
    files.write("a.txt", b"hello, world").unwrap();
    files.write("a.txt", b"hello").unwrap();
    files.append("a.txt", b" there").unwrap();
    files.append("b.txt", b"new").unwrap();
    assert_eq!((place.text("a.txt"), place.text("b.txt")), ("hello there".into(), "new".into()));
    assert_eq!(place.names(), ["a.txt", "b.txt"]);
    let mut text = String::new();
    files.read("vendor.s3.put", "a.txt").unwrap().0.read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello there");
}

#[test]
fn a_missing_folder_is_said_and_how_to_make_it() {
    let place = Place::new();
    let files = place.files();
    for error in [
        files.write("no/a.txt", b"").unwrap_err(),
        files.append("no/a.txt", b"").unwrap_err(),
        files.temp("a", "no", "").unwrap_err(),
        files.mkdir_temp("a", "no").unwrap_err(),
    ] {
        assert!(error.to_string().contains("file.mkdir"), "{error}");
    }
    assert_eq!(
        files.write("no/a.txt", b"").unwrap_err().to_string(),
        "file.write: \"no/a.txt\": its folder does not exist; make it first with file.mkdir"
    );
}

#[test]
fn folders_are_no_files_and_files_no_folders() {
    let place = Place::new();
    let files = place.files();
    files.mkdir("folder").unwrap();
    files.write("file", b"").unwrap();
    let reason = |result: Result<(), FileError>| result.unwrap_err().reason.to_string();
    assert!(reason(files.write("folder", b"")).contains("folder, not a file"));
    assert!(reason(files.append("folder", b"")).contains("folder, not a file"));
    assert!(reason(files.write("new/", b"")).contains("folder, not a file"));
    assert!(reason(files.copy("folder", "other")).contains("folder, not a file"));
    assert!(reason(files.write("file/x", b"")).contains("a file, not a folder"));
    assert!(reason(files.mkdir("file")).contains("something else"));
    assert!(reason(files.mkdir("file/x")).contains("something else"));
    assert!(reason(files.tar("file", &mut || true).map(drop)).contains("not a folder"));
    assert!(reason(files.read("x", "folder").map(drop)).contains("folder, not a file"));
}

/// Every helper with one path of each kind that must not work.
#[test]
fn nothing_leads_out_of_the_directory() {
    let place = Place::new();
    let files = place.files();
    fs::write(place.outside().join("secret"), "s").unwrap();
    symlink(place.outside(), place.path("link")).unwrap();
    symlink(place.outside().join("secret"), place.path("file-link")).unwrap();
    symlink("../outside", place.path("relative-link")).unwrap();
    place.write("a", "a");
    let every = |path: &str| -> Vec<Result<(), FileError>> {
        vec![
            files.write(path, b"x"),
            files.append(path, b"x"),
            files.copy(path, "b"),
            files.copy("a", path),
            files.rename("a", path),
            files.mkdir(&format!("{path}/x")),
            files.temp("x", path, "").map(drop),
            files.mkdir_temp("x", path).map(drop),
            files.tar(path, &mut || true).map(drop),
            files.read("x", path).map(drop),
        ]
    };
    for path in
        ["../outside/secret", "/etc/passwd", "x/../../outside", "file-link", "link/secret", "relative-link/s"]
    {
        for result in every(path) {
            let error = result.unwrap_err();
            assert!(
                matches!(error.reason, Reason::Outside | Reason::Absolute | Reason::Exists),
                "{path}: {error}"
            );
            assert!(error.path.contains(path));
        }
    }
    for path in ["..", "/", "../outside"] {
        assert!(files.delete(path).is_err() && files.rename(path, "x").is_err());
    }
    assert!(files.delete("link/secret").is_err());
    // A link itself is the directory's own, and may go.
    assert!(files.delete("link").unwrap());
    assert_eq!(fs::read_to_string(place.outside().join("secret")).unwrap(), "s");
    assert_eq!(crate::common::names(&place.outside()), ["secret"]);
    assert_eq!(place.names(), ["a", "file-link", "relative-link"]);
}

#[test]
fn the_directory_itself_is_not_to_be_changed() {
    let place = Place::new();
    let files = place.files();
    place.write("a", "a");
    for path in [".", "./", "a/.."] {
        let results = [
            files.write(path, b""),
            files.append(path, b""),
            files.delete(path).map(drop),
            files.rename(path, "b"),
            files.copy(path, "b"),
            files.mkdir(path),
        ];
        for result in results {
            assert!(matches!(result.unwrap_err().reason, Reason::Root), "{path}");
        }
    }
    assert!(files.write("", b"").unwrap_err().to_string().contains("the path is empty"));
    assert!(files.delete("a\0b").unwrap_err().to_string().contains("NUL"));
    assert_eq!(place.names(), ["a"]);
}

#[test]
fn delete_takes_whole_folders_and_says_whether_anything_was_there() {
    let place = Place::new();
    let files = place.files();
    place.write("folder/deep/a", "a");
    place.write("b", "b");
    fs::write(place.outside().join("kept"), "").unwrap();
    symlink(place.outside(), place.path("folder/link")).unwrap();
    assert!(files.delete("folder").unwrap());
    assert!(files.delete("b").unwrap());
    assert!(!files.delete("b").unwrap());
    assert!(!files.delete("folder/deep").unwrap());
    assert!(place.names().is_empty());
    assert_eq!(crate::common::names(&place.outside()), ["kept"]);
}

#[test]
fn what_is_neither_file_nor_folder_is_not_opened() {
    let place = Place::new();
    let files = place.files();
    let _socket = UnixListener::bind(place.path("socket")).unwrap();
    for result in [files.copy("socket", "b"), files.write("socket", b""), files.append("socket", b"")] {
        assert!(matches!(result.unwrap_err().reason, Reason::Special));
    }
    assert!(files.delete("socket").unwrap());
}

#[test]
fn temporary_names_are_new_and_have_their_ending() {
    let place = Place::new();
    let files = place.files();
    files.mkdir("in/here").unwrap();
    files.mkdir("in/here").unwrap();
    let first = files.temp("bar", "in/here", "json").unwrap();
    let second = files.temp("bar", "./in//here/", ".json").unwrap();
    assert_ne!(first, second);
    for path in [&first, &second] {
        assert!(path.starts_with("in/here/bar") && path.ends_with(".json") && !path.contains(".."), "{path}");
        assert_eq!(place.text(path), "");
    }
    assert!(files.temp("", "", "").unwrap().ends_with(".txt"));
    let folder = files.mkdir_temp("foo", "in").unwrap();
    assert!(folder.starts_with("in/foo") && place.path(&folder).is_dir());
    assert!(place.path(&files.mkdir_temp("", "").unwrap()).is_dir());
    assert!(files.temp("a/b", "", "").unwrap_err().to_string().contains("cannot have \"/\""));
    assert!(files.temp("a", "", "x/y").is_err() && files.mkdir_temp("../x", "").is_err());
}

#[test]
fn what_an_earlier_run_left_unfinished_goes() {
    let place = Place::new();
    place.write(".remora-0123456789.part", "half");
    place.write(".remora-x", "not ours");
    place.write(".remora-a-folder.part/a", "a script's");
    place.files();
    assert_eq!(place.names(), [".remora-a-folder.part", ".remora-x"]);
}
