use super::*;
use crate::Limits;

fn element(kind: u8, name: &str, value: &[u8]) -> Vec<u8> {
    [&[kind], name.as_bytes(), &[0], value].concat()
}

fn document(elements: &[Vec<u8>]) -> Vec<u8> {
    let content = elements.concat();
    let length = u32::try_from(content.len() + 5).unwrap();
    [&length.to_le_bytes(), content.as_slice(), &[0]].concat()
}

fn text(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len() + 1).unwrap();
    [&length.to_le_bytes(), text.as_bytes(), &[0]].concat()
}

fn decode(bytes: &[u8], limits: &Limits) -> (String, bool, Result<(), ParseError>) {
    let (mut fields, mut decoder) = (Fields::new(), Decoder::new(limits.of_values()));
    let result = decoder.document(&mut Reader::new(bytes), Place::Body, &mut fields);
    let mut out = Vec::new();
    crate::json::write_object(&fields, &mut out);
    (String::from_utf8(out).unwrap(), decoder.truncated, result)
}

#[test]
fn every_type_has_a_form() {
    let id = [0xab; 12];
    let bytes = document(&[
        element(DOUBLE, "double", &1.5f64.to_le_bytes()),
        element(DOUBLE, "nan", &f64::NAN.to_le_bytes()),
        element(STRING, "string", &text("ä")),
        element(DOCUMENT, "document", &document(&[element(INT32, "a", &1i32.to_le_bytes())])),
        element(ARRAY, "array", &document(&[element(BOOLEAN, "0", &[1]), element(NULL, "1", &[])])),
        element(BINARY, "binary", &[1, 0, 0, 0, 0, 0xff]),
        element(BINARY, "old", &[5, 0, 0, 0, 2, 1, 0, 0, 0, 0xff]),
        element(BINARY, "uuid", &[&[16, 0, 0, 0, 4][..], &[0x11; 16]].concat()),
        element(UNDEFINED, "undefined", &[]),
        element(OBJECT_ID, "id", &id),
        element(DATE, "date", &0i64.to_le_bytes()),
        element(REGEX, "regex", b"^a\0i\0"),
        element(POINTER, "pointer", &[text("a.b"), id.to_vec()].concat()),
        element(CODE, "code", &text("f()")),
        element(SYMBOL, "symbol", &text("s")),
        element(SCOPED_CODE, "scoped", &[vec![18, 0, 0, 0], text("g()"), document(&[])].concat()),
        element(TIMESTAMP, "timestamp", &[2, 0, 0, 0, 1, 0, 0, 0]),
        element(INT64, "long", &(-1i64).to_le_bytes()),
        element(DECIMAL, "decimal", &(0x303e_u128 << 112 | 15).to_le_bytes()),
        element(MIN_KEY, "min", &[]),
        element(MAX_KEY, "max", &[]),
    ]);
    let (json, truncated, result) = decode(&bytes, &Limits::default());
    assert_eq!((truncated, result), (false, Ok(())));
    assert_eq!(
        json,
        concat!(
            r#"{"double":1.5,"nan":"NaN","string":"ä","document":{"a":1},"array":[true,null],"#,
            r#""binary":"/w==","old":"/w==","uuid":"11111111-1111-1111-1111-111111111111","undefined":null,"#,
            r#""id":"abababababababababababab","date":"1970-01-01T00:00:00.000Z","regex":"/^a/i","#,
            r#""pointer":{"$ref":"a.b","$id":"abababababababababababab"},"code":"f()","symbol":"s","#,
            r#""scoped":{"$code":"g()","$scope":{}},"timestamp":{"t":1,"i":2},"long":-1,"decimal":"1.5","#,
            r#""min":{"$minKey":1},"max":{"$maxKey":1}}"#
        )
    );
    for end in 0..bytes.len() {
        assert!(decode(&bytes[..end], &Limits::default()).2.is_err(), "{end}");
    }
}

#[test]
fn caps_are_kept_and_told() {
    let mut deep = document(&[]);
    for _ in 0..10_000 {
        deep = document(&[element(DOCUMENT, "d", &deep)]);
    }
    let (json, truncated, result) = decode(&deep, &Limits::default());
    assert_eq!((truncated, result), (true, Ok(())));
    assert_eq!(json.matches("\"d\"").count(), Limits::default().nesting);
    let limits = Limits { list_entries: 2, value_bytes: 3, ..Limits::default() };
    let wide = document(&[
        element(STRING, "a", &text("abcdef")),
        element(ARRAY, "b", &document(&vec![element(NULL, "0", &[]); 9])),
        element(NULL, "c", &[]),
    ]);
    assert_eq!(decode(&wide, &limits), (r#"{"a":"abc","b":[null,null]}"#.to_owned(), true, Ok(())));
}

#[test]
fn secrets_are_hidden_where_they_are_known_to_be() {
    let secret = element(STRING, "payload", &text("s3cret"));
    let bytes = document(&[
        element(INT32, "saslStart", &[1, 0, 0, 0]),
        secret.clone(),
        element(DOCUMENT, "speculativeAuthenticate", &document(std::slice::from_ref(&secret))),
        element(DOCUMENT, "document", &document(&[secret])),
        element(
            ARRAY,
            "users",
            &document(&[element(DOCUMENT, "0", &document(&[element(STRING, "SCRAM-SHA-1", &text("k"))]))]),
        ),
    ]);
    assert_eq!(
        decode(&bytes, &Limits::default()).0,
        concat!(
            r#"{"saslStart":1,"payload":"***","speculativeAuthenticate":{"payload":"***"},"#,
            r#""document":{"payload":"s3cret"},"users":[{"SCRAM-SHA-1":"***"}]}"#
        )
    );
}

#[test]
fn hostile_lengths_are_errors() {
    for bytes in
        [&[0xff; 40][..], &[0; 40], &[4, 0, 0, 0, 0], &[40, 0, 0, 0, STRING, b'a', 0, 0xff, 0xff, 0xff, 0xff]]
    {
        assert!(decode(bytes, &Limits::default()).2.is_err());
    }
}

#[test]
fn credentials_below_the_nesting_cap_are_hidden() {
    let shown = |user: &[u8]| {
        let bytes = document(&[element(DOCUMENT, "a", &document(&[element(DOCUMENT, "b", user)]))]);
        decode(&bytes, &Limits { nesting: 2, ..Limits::default() }).0
    };
    let user = document(&[element(STRING, "SCRAM-SHA-256", &text("k"))]);
    assert_eq!(shown(&user), r#"{"a":{"b":"***"}}"#);
    assert_eq!(shown(&document(&[])), r#"{"a":{"b":"BQAAAAA="}}"#);
}
