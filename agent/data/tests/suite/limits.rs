use std::fs;

use proptest::prelude::*;
use remora_data::{BLOCK_BYTES, FilesConfig, Reason};

use crate::common::Place;

fn blocks(count: u64) -> FilesConfig {
    FilesConfig { total_bytes: count * BLOCK_BYTES, ..FilesConfig::default() }
}

#[test]
fn files_take_no_more_than_the_limit_and_what_goes_makes_room() {
    let place = Place::new();
    let files = place.files_with(blocks(4));
    let block = vec![b'x'; BLOCK_BYTES as usize];
    files.write("a", &block.repeat(2)).unwrap();
    files.append("b", &block).unwrap();
    files.append("b", b"x").unwrap();
    let error = files.append("c", b"").unwrap_err();
    assert_eq!(
        error.to_string(),
        "file.append: \"c\": no room: files of scripts may take 16384 bytes in the data directory and take 16384; \
         delete some of them, or raise the limit"
    );
    let refused = [
        files.write("c", b""),
        files.append("b", &block),
        files.mkdir("c"),
        files.copy("b", "c"),
        files.temp("c", "", "").map(drop),
        files.mkdir_temp("c", "").map(drop),
        files.tar(".", &mut || true).map(drop),
    ];
    for result in refused {
        assert!(matches!(result.unwrap_err().reason, Reason::Quota { .. }));
    }
    assert_eq!(place.names(), ["a", "b"]);
    assert_eq!((files.counters().limited, files.counters().used_bytes), (8, 16384));
    files.delete("b").unwrap();
    files.write("c", &block.repeat(2)).unwrap();
    files.rename("c", "a").unwrap();
    assert_eq!(files.counters().used_bytes, 2 * BLOCK_BYTES);
}

#[test]
fn a_write_that_finds_no_room_leaves_the_file_as_it_was() {
    let place = Place::new();
    let files = place.files_with(blocks(3));
    files.write("a", b"before").unwrap();
    assert!(files.write("a", &vec![0; 8_193]).is_err());
    assert!(files.append("a", &vec![0; 12_288]).is_err());
    assert_eq!(place.text("a"), "before");
    assert_eq!(files.counters().used_bytes, BLOCK_BYTES);
}

#[test]
fn what_is_there_at_the_start_counts_and_so_does_what_was_removed_by_hand() {
    let place = Place::new();
    place.write("old", vec![0; 3 * BLOCK_BYTES as usize]);
    let files = place.files_with(blocks(4));
    assert_eq!(files.counters().used_bytes, 3 * BLOCK_BYTES);
    fs::remove_file(place.path("old")).unwrap();
    files.write("new", &vec![0; 3 * BLOCK_BYTES as usize]).unwrap();
    assert_eq!(files.counters().used_bytes, 3 * BLOCK_BYTES);
}

#[test]
fn one_write_has_a_limit_of_its_own() {
    let place = Place::new();
    let files = place.files_with(FilesConfig { write_bytes: 4, ..FilesConfig::default() });
    files.write("a", b"1234").unwrap();
    files.append("a", b"1234").unwrap();
    let error = files.write("a", b"12345").unwrap_err();
    assert_eq!(error.to_string(), "file.write: \"a\": 5 bytes at once; at most 4 are allowed");
}

#[derive(Clone, Debug)]
enum Step {
    Write(usize, usize),
    Append(usize, usize),
    Move(usize, usize),
    Copy(usize, usize),
    Delete(usize),
    Mkdir(usize),
    Tar(usize),
}

const PATHS: [&str; 8] = ["a", "b", "f", "f/a", "f/g", "f/g/b", "g/", "."];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let path = 0..PATHS.len();
    let step = prop_oneof![
        (path.clone(), 0usize..9000).prop_map(|(a, n)| Step::Write(a, n)),
        (path.clone(), 0usize..9000).prop_map(|(a, n)| Step::Append(a, n)),
        (path.clone(), path.clone()).prop_map(|(a, b)| Step::Move(a, b)),
        (path.clone(), path.clone()).prop_map(|(a, b)| Step::Copy(a, b)),
        path.clone().prop_map(Step::Delete),
        path.clone().prop_map(Step::Mkdir),
        path.prop_map(Step::Tar),
    ];
    prop::collection::vec(step, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_count_is_what_is_on_the_disk_whatever_scripts_do(steps in steps()) {
        let place = Place::new();
        let files = place.files_with(blocks(20));
        for step in steps {
            // Many of them fail; all of them must keep count.
            let _ = match step {
                Step::Write(a, n) => files.write(PATHS[a], &vec![0; n]),
                Step::Append(a, n) => files.append(PATHS[a], &vec![0; n]),
                Step::Move(a, b) => files.rename(PATHS[a], PATHS[b]),
                Step::Copy(a, b) => files.copy(PATHS[a], PATHS[b]),
                Step::Delete(a) => files.delete(PATHS[a]).map(drop),
                Step::Mkdir(a) => files.mkdir(PATHS[a]),
                Step::Tar(a) => files.tar(PATHS[a], &mut || true).map(drop),
            };
            prop_assert!(files.counters().used_bytes <= 20 * BLOCK_BYTES);
            let fresh = place.files_with(blocks(20));
            prop_assert_eq!(files.counters().used_bytes, fresh.counters().used_bytes);
        }
    }
}
