//! `vendor.s3.*` and `vendor.gcs.*`, against servers that answer as the stores do.

use crate::common::server::{Reply, Request, Server};
use crate::common::world::{STREAM, World, seconds};
use crate::lines;

fn store(request: &Request) -> Reply {
    let listed = |key: &str| {
        let object = format!("<Contents><Key>{key}</Key>");
        let date = "<LastModified>2026-01-01T00:00:00.000Z</LastModified><Size>1</Size></Contents>";
        Reply::new(200, format!("<ListBucketResult>{object}{date}</ListBucketResult>"))
    };
    match request.method.as_str() {
        "PUT" => Reply::new(200, "").with("ETag", "\"e\""),
        "GET" if request.target.contains("prefix=node-1_10.0.0.7_") => listed("node-1_10.0.0.7_1/a"),
        "GET" => listed("node-1_10.0.0.7/a"),
        "POST" => {
            let keys = request.text().split("<Key>").skip(1).map(|rest| rest.split('<').next().unwrap());
            let deleted: String = keys.map(|key| format!("<Deleted><Key>{key}</Key></Deleted>")).collect();
            Reply::new(200, format!("<DeleteResult>{deleted}</DeleteResult>"))
        }
        "DELETE" => Reply::new(204, ""),
        _ => Reply::new(400, ""),
    }
}

#[test]
fn s3_put_uploads_in_both_orders_of_its_arguments() {
    let server = Server::start(store);
    let world = World::new(&server);
    let said = lines(
        &world,
        &server,
        "file.write('a.json', '{}');
         console.log(vendor.s3.put('captures', 'a.json', 'eu-west-3', 'AKID', 'secret'));
         console.log(vendor.s3.put('eu-west-3', 'AKID', 'secret', 'captures', 'a.json'));",
    );
    let told = "Uploaded node-1_10.0.0.7/a.json file to AWS S3 bucket: captures";
    let url = server.url("/captures/node-1_10.0.0.7/a.json");
    assert_eq!(said, [told, &url, told, &url]);
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        assert_eq!(request.line(), "PUT /captures/node-1_10.0.0.7/a.json");
        assert_eq!(request.text(), "{}");
        let signature = request.header("Authorization").unwrap();
        assert!(signature.contains("Credential=AKID/"), "{signature}");
        assert!(signature.contains("/eu-west-3/s3/"), "{signature}");
    }
}

#[test]
fn an_upload_has_all_packets_of_a_stream_up_to_now() {
    let server = Server::start(store);
    let world = World::new(&server);
    let code = format!("vendor.s3.put('captures', pcap.path('{STREAM}'), 'eu-west-3', 'AKID', 'secret')");
    lines(&world, &server, &code);
    assert_eq!(seconds(&server.only_request().body), [2, 3]);
}

#[test]
fn s3_clear_deletes_what_is_this_nodes() {
    let server = Server::start(store);
    let world = World::new(&server);
    let said = lines(&world, &server, "vendor.s3.clear('eu-west-3', 'AKID', 'secret', 'captures')");
    assert_eq!(said, ["Cleared 2 objects of node-1_10.0.0.7 in AWS S3 bucket: captures"]);
}

#[test]
fn a_store_that_refuses_is_an_error_without_the_keys() {
    let server = Server::always(403, "<Error><Code>AccessDenied</Code></Error>");
    let world = World::new(&server);
    let said = lines(
        &world,
        &server,
        "file.write('a.json', '{}');
         console.log(attempt(() => vendor.s3.put('captures', 'a.json', 'eu-west-3', 'AKID', 'secret')));
         console.log(attempt(() => vendor.s3.clear('eu-west-3', 'AKID', 'secret', 'captures')));
         console.log(attempt(() => vendor.gcs.put('captures', 'a.json')));
         console.log(attempt(() => vendor.s3.put('captures', 'none.json', 'eu-west-3', 'AKID', 'secret')));
         console.log(attempt(() => vendor.s3.put('captures', '../a.json', 'eu-west-3', 'AKID', 'secret')));
         console.log(attempt(() => vendor.gcs.put('captures')));",
    );
    let object = server.url("/captures/node-1_10.0.0.7/a.json");
    assert!(said[0].starts_with(&format!("true vendor.s3.put: PUT {object}: ")), "{said:?}");
    let folder = server.url("/captures/node-1_10.0.0.7");
    assert!(said[1].starts_with(&format!("true vendor.s3.clear: DELETE {folder}: ")), "{said:?}");
    assert!(said[2].starts_with("true vendor.gcs.put: PUT "), "{said:?}");
    assert!(
        said[..3].iter().all(|line| line.contains("AccessDenied") && !line.contains("secret")),
        "{said:?}"
    );
    assert_eq!(said[3], r#"true vendor.s3.put: "none.json": there is no such file or folder"#);
    assert_eq!(said[4], r#"true vendor.s3.put: "../a.json": the path leads out of the data directory"#);
    assert_eq!(said[5], "true vendor.gcs.put: path is missing");
}

#[test]
fn gcs_puts_and_clears() {
    let server = Server::start(store);
    let world = World::new(&server);
    let said = lines(
        &world,
        &server,
        "file.write('a.txt', 'text');
         console.log(vendor.gcs.put('captures', 'a.txt'));
         vendor.gcs.clear('captures');
         console.log(attempt(() => vendor.gcs.put('captures', 'a.txt', { client_email: 's3cr3t' })));
         console.log(attempt(() => vendor.gcs.put('captures', 'a.txt', 's3cr3t')));",
    );
    let url = server.url("/captures/node-1_10.0.0.7/a.txt");
    assert_eq!(
        said[..3],
        [
            "Uploaded node-1_10.0.0.7/a.txt file to Google Cloud Storage bucket: captures",
            &*url,
            "Cleared 2 objects of node-1_10.0.0.7 in Google Cloud Storage bucket: captures"
        ]
    );
    for line in &said[3..] {
        assert!(line.starts_with("true vendor.gcs.put: ") && !line.contains("s3cr3t"), "{said:?}");
    }
    assert_eq!(server.requests()[0].text(), "text");
}
