//! `file.*` and `pcap.*` in a data directory.

use crate::common::server::Server;
use crate::common::world::{FILES_BYTES, OTHER_STREAM, STREAM, World, seconds};
use crate::lines;

/// The lines of `code` in a world without a server.
fn said(world: &World, code: &str) -> Vec<String> {
    lines(world, &Server::always(500, ""), code)
}

fn world() -> World {
    World::new(&Server::always(500, ""))
}

#[test]
fn files_are_written_moved_copied_and_deleted() {
    let world = world();
    let said = said(
        &world,
        "file.write('a.json', { a: 1 });
         file.append('a.json', 'é\\n');
         file.append('a.json');
         file.write('empty');
         file.mkdir('sub/deep');
         file.copy('a.json', 'sub/deep/b.json');
         file.move('a.json', 'sub/');
         file.write('gone', 'x');
         file.delete('gone');
         file.delete('never there');
         file.write('sub/deep/b.json', 7);",
    );
    assert_eq!(said, [""; 0]);
    assert_eq!(world.text("sub/a.json"), "{\"a\":1}é\n");
    assert_eq!(world.text("sub/deep/b.json"), "7");
    assert_eq!(world.text("empty"), "");
    assert_eq!(world.names(), ["empty", "sub"]);
}

#[test]
fn temporary_files_and_folders_have_names_of_their_own() {
    let world = world();
    let said = said(
        &world,
        "file.mkdir('sub');
         const [a, b, c, d] = [file.temp('a', 'sub', 'json'), file.temp(), file.mkdirTemp('d', 'sub'), file.mkdirTemp()];
         console.log(/^sub\\/a\\d+\\.json$/.test(a), /^\\d+\\.txt$/.test(b), /^sub\\/d\\d+$/.test(c), /^\\d+$/.test(d));
         file.write(c + '/inside', 'x');
         console.log(a, b, c, d);",
    );
    let paths: Vec<_> = said[1].split(' ').collect();
    assert_eq!(said[0], "true true true true", "{paths:?}");
    assert_eq!(world.text(paths[0]) + &world.text(paths[1]), "");
    assert_eq!(world.text(&format!("{}/inside", paths[2])), "x");
    assert!(world.path(paths[3]).is_dir());
}

#[test]
fn a_folder_becomes_an_archive() {
    let world = world();
    let said = said(
        &world,
        "file.mkdir('sub'); file.write('sub/a.txt', 'x'); console.log(file.tar('sub'));
         console.log(attempt(() => file.tar('none')));",
    );
    assert!(said[0].starts_with("kubeshark_") && said[0].ends_with(".tar.gz"), "{said:?}");
    let archive = std::fs::read(world.path(&said[0])).unwrap();
    assert_eq!(archive[..2], [0x1f, 0x8b]);
    assert_eq!(said[1], r#"true file.tar: "none": there is no such file or folder"#);
}

#[test]
fn no_path_leads_out_of_the_data_directory() {
    let world = world();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), "secret").unwrap();
    std::os::unix::fs::symlink(outside.path(), world.path("link")).unwrap();
    let paths = ["../a", "sub/../../a", "/etc/passwd", "link/secret", "link/new"];
    for path in paths {
        let said = said(
            &world,
            &format!(
                "file.write('ours', 'x');
                 for (const work of [
                     () => file.write('{path}', 'x'), () => file.append('{path}', 'x'), () => file.copy('{path}', 'b'),
                     () => file.copy('ours', '{path}'), () => file.move('{path}', 'b'), () => file.move('ours', '{path}'),
                     () => file.mkdir('{path}/c'), () => file.temp('a', '{path}'), () => file.mkdirTemp('a', '{path}'),
                     () => file.tar('{path}'), () => pcap.snapshot('{path}'),
                 ]) console.log(attempt(work));"
            ),
        );
        assert_eq!(said.len(), 11);
        assert!(said.iter().all(|line| line.starts_with("true ")), "{path}: {said:#?}");
    }
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 1);
    assert_eq!(std::fs::read_to_string(outside.path().join("secret")).unwrap(), "secret");
    assert_eq!(world.names(), ["link", "ours"]);
}

#[test]
fn paths_are_checked_before_anything_else() {
    let said = said(
        &world(),
        "console.log(attempt(() => file.write()));
         console.log(attempt(() => file.write('', 'x')));
         console.log(attempt(() => file.write('a\\0b', 'x')));
         console.log(attempt(() => file.delete('.')));
         console.log(attempt(() => file.write('none/a', 'x')));
         console.log(attempt(() => file.write('pcaps/a', 'x')));",
    );
    assert_eq!(
        said,
        [
            "true file.write: path is missing",
            r#"true file.write: "": the path is empty"#,
            r#"true file.write: "a\0b": the path has a NUL character in it"#,
            r#"true file.delete: ".": this is the data directory itself"#,
            r#"true file.write: "none/a": its folder does not exist; make it first with file.mkdir"#,
            r#"true file.write: "pcaps/a": the folder of the streams' pcaps is the agent's own; copy a pcap out of it before changing it"#,
        ]
    );
}

#[test]
fn scripts_files_have_a_limit_that_deleting_makes_room_in() {
    let world = world();
    let part = FILES_BYTES / 4;
    let said = said(
        &world,
        &format!(
            "const part = 'x'.repeat({part});
             for (const name of 'abcd') file.write(name, part);
             console.log(attempt(() => file.append('a', 'y')));
             console.log(attempt(() => file.write('e', part + 'x')));
             file.delete('b');
             console.log(attempt(() => file.append('a', 'y')));"
        ),
    );
    assert!(said[0].starts_with("true file.append: \"a\": no room: "), "{said:?}");
    assert!(
        said[1].ends_with(&format!("{} bytes at once; at most {part} are allowed", part + 1)),
        "{said:?}"
    );
    assert_eq!(said[2], "returned undefined");
}

#[test]
fn a_stream_has_a_path() {
    let world = world();
    let said = said(
        &world,
        &format!(
            "console.log(pcap.path('{STREAM}'), pcap.path('000000025258'));
             console.log(attempt(() => pcap.path('000000000001.pcap')));
             console.log(attempt(() => pcap.path()));"
        ),
    );
    assert_eq!(said[0], format!("pcaps/{STREAM} pcaps/{STREAM}"));
    assert!(
        said[1].starts_with("true pcap.path: no pcap is kept for the stream \"000000000001.pcap\""),
        "{said:?}"
    );
    assert_eq!(said[2], "true pcap.path: stream is missing");
    assert_eq!(seconds(&std::fs::read(world.path(&format!("pcaps/{STREAM}"))).unwrap()), [2, 3]);
}

#[test]
fn a_snapshot_is_of_all_streams_of_some_or_of_a_folder() {
    let world = world();
    let said = said(
        &world,
        &format!(
            "file.mkdir('kept');
             file.copy(pcap.path('{STREAM}'), 'kept/');
             const made = [];
             const take = (path) => {{ const kept = 'taken' + made.length; file.move(path, kept); made.push(kept) }};
             take(pcap.snapshot());
             take(pcap.snapshot(undefined));
             take(pcap.snapshot(null, undefined));
             take(pcap.snapshot(['{OTHER_STREAM}']));
             take(pcap.snapshot(['{STREAM}', '{OTHER_STREAM}', '000000000099.pcap']));
             take(pcap.snapshot('kept'));
             take(pcap.snapshot(['{STREAM}'], 'kept'));
             console.log(made.length);
             console.log(attempt(() => pcap.snapshot(['000000000099.pcap'])));
             console.log(attempt(() => pcap.snapshot('none')));
             const path = pcap.snapshot();
             console.log(/^\\d+\\.pcap$/.test(path));"
        ),
    );
    assert_eq!(said[0], "7");
    assert!(said[1..3].iter().all(|line| line.starts_with("true pcap.snapshot: ")), "{said:?}");
    assert_eq!(said[3], "true");
    let expected: [&[i64]; 7] = [&[1, 2, 3], &[1, 2, 3], &[1, 2, 3], &[1], &[1, 2, 3], &[2, 3], &[2, 3]];
    for (index, expected) in expected.iter().enumerate() {
        let taken = std::fs::read(world.path(&format!("taken{index}"))).unwrap();
        assert_eq!(seconds(&taken), *expected, "{index}");
    }
}

#[test]
fn names_have_a_history() {
    let said = said(&world(), "console.log(JSON.stringify(pcap.nameResolutionHistory()))");
    assert_eq!(said, [r#"{"1700000000":{"10.0.0.9":"influx.shop"}}"#]);
}
