//! Moving, copying, archiving.

use std::fs;
use std::os::unix::fs::symlink;

use remora_data::Reason;

use crate::common::Place;

#[test]
fn a_file_goes_into_a_folder_under_its_own_name() {
    let place = Place::new();
    let files = place.files();
    files.mkdir("folder").unwrap();
    place.write("a", "a");
    files.copy("a", "folder").unwrap();
    files.copy("a", "folder/b").unwrap();
    files.rename("a", "folder/").unwrap();
    files.rename("folder/b", ".").unwrap();
    assert_eq!(place.names(), ["b", "folder"]);
    assert_eq!(place.text("folder/a"), "a");
    let error = files.rename("b", "nowhere/").unwrap_err();
    assert_eq!(
        error.to_string(),
        "file.move: \"b -> nowhere/\": its folder does not exist; make it first with file.mkdir"
    );
    assert!(matches!(files.copy("no", "x").unwrap_err().reason, Reason::NotFound));
    assert!(matches!(files.rename("no", "x").unwrap_err().reason, Reason::NotFound));
}

#[test]
fn a_file_replaces_a_file_and_itself_stays() {
    let place = Place::new();
    let files = place.files();
    place.write("a", "a");
    place.write("b", "b");
    files.copy("a", "./a").unwrap();
    files.rename("a", "a").unwrap();
    files.copy("a", "b").unwrap();
    assert_eq!(place.text("b"), "a");
    files.rename("a", "b").unwrap();
    assert_eq!(place.names(), ["b"]);
}

#[test]
fn folders_move_but_not_into_themselves_or_over_something() {
    let place = Place::new();
    let files = place.files();
    place.write("one/in/a", "a");
    place.write("two/one/x", "x");
    let reason = |from, to| files.rename(from, to).unwrap_err().reason;
    assert!(matches!(reason("one", "one/in"), Reason::IntoItself));
    assert!(matches!(reason("one", "two"), Reason::Exists));
    assert!(matches!(reason("one", "no/where"), Reason::NoParent));
    files.rename("one", "two/three").unwrap();
    assert_eq!(place.text("two/three/in/a"), "a");
}

#[test]
fn no_tree_becomes_deeper_than_paths_reach() {
    let place = Place::new();
    let files = place.files();
    let deep = |name: &'static str, depth: usize| {
        [name].into_iter().chain(std::iter::repeat_n("d", depth - 1)).collect::<Vec<_>>()
    };
    files.mkdir(&deep("a", 40).join("/")).unwrap();
    files.mkdir(&deep("b", 30).join("/")).unwrap();
    let error = files.rename("b", &deep("a", 40).join("/")).unwrap_err();
    assert!(matches!(error.reason, Reason::Depth { limit: 64 }), "{error}");
    files.rename("b", &deep("a", 30).join("/")).unwrap();
    assert!(files.delete("a").unwrap());
    assert_eq!(files.counters().used_bytes, 0);
}

#[test]
fn an_archive_has_everything_below_in_order_and_no_links() {
    let place = Place::new();
    let files = place.files();
    let long = "n".repeat(200);
    for path in ["b/2", "b/1", "a", "b-/x", &long] {
        place.write(&format!("folder/{path}"), path);
    }
    fs::create_dir(place.path("folder/empty")).unwrap();
    fs::write(place.outside().join("secret"), "s").unwrap();
    symlink(place.outside(), place.path("folder/link")).unwrap();
    symlink(place.outside().join("secret"), place.path("folder/file-link")).unwrap();
    let path = files.tar("folder", &mut || true).unwrap();
    let seconds = path.strip_prefix("kubeshark_").and_then(|rest| rest.strip_suffix(".tar.gz"));
    assert!(seconds.unwrap().parse::<u64>().unwrap() > 1_700_000_000);
    let found = place.text_of_archive(&path);
    let expected = [
        ("a", "a"),
        ("b/", ""),
        ("b/1", "b/1"),
        ("b/2", "b/2"),
        ("b-/", ""),
        ("b-/x", "b-/x"),
        ("empty/", ""),
    ];
    let names: Vec<_> =
        found.iter().map(|(path, text)| (path.as_str(), std::str::from_utf8(text).unwrap())).collect();
    assert_eq!(names, [&expected[..], &[(long.as_str(), long.as_str())]].concat());
}

#[test]
fn archives_of_the_whole_directory_do_not_hold_themselves_and_get_names_of_their_own() {
    let place = Place::new();
    let files = place.files();
    place.write("a", "a");
    let first = files.tar(".", &mut || true).unwrap();
    assert_eq!(place.text_of_archive(&first), [("a".to_owned(), b"a".to_vec())]);
    let mut made = vec![first];
    for _ in 0..3 {
        made.push(files.tar(".", &mut || true).unwrap());
    }
    assert_eq!(place.names().len(), 5);
    made.sort();
    made.dedup();
    assert_eq!(made.len(), 4);
}

#[test]
fn an_archive_that_is_stopped_leaves_nothing() {
    let place = Place::new();
    let files = place.files();
    place.write("a", "a");
    let used = files.counters().used_bytes;
    let error = files.tar(".", &mut || false).unwrap_err();
    assert!(matches!(error.reason, Reason::Cancelled), "{error}");
    assert_eq!(place.names(), ["a"]);
    assert_eq!(files.counters().used_bytes, used);
}
