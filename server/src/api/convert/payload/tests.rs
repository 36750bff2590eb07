//! Payloads in and out, and what is refused.

use proto::v1::PayloadRef;

use super::*;

fn json(text: &str) -> Payload {
    Payload {
        encoding: Some(Encoding::Json(text.to_owned())),
        ..Payload::default()
    }
}

fn number(number: f64) -> Payload {
    let value = prost_types::Value {
        kind: Some(Kind::NumberValue(number)),
    };
    Payload {
        encoding: Some(Encoding::Value(value)),
        ..Payload::default()
    }
}

fn other(encoding: Encoding) -> Payload {
    Payload {
        encoding: Some(encoding),
        ..Payload::default()
    }
}

#[test]
fn payloads_come_in_checked_and_unchanged() {
    let deep = format!("{}1{}", "[".repeat(129), "]".repeat(129));
    let long = format!("\"{}\"", "x".repeat(999));
    for (payload, expected) in [
        (None, Ok("null")),
        (Some(Payload::default()), Ok("null")),
        (
            Some(json("{\"b\" : 1.50,\"a\":[ ] }")),
            Ok("{\"b\" : 1.50,\"a\":[ ] }"),
        ),
        (
            Some(json("18446744073709551615")),
            Ok("18446744073709551615"),
        ),
        (Some(json("{\"a\":1,\"a\":2}")), Err("occurs twice")),
        (Some(json("NaN")), Err("invalid JSON")),
        (Some(json("\"\\ud800\"")), Err("invalid JSON")),
        (Some(json(&deep)), Err("deeper than 128")),
        (Some(json(&long)), Err("has 1001 bytes, 1000 are allowed")),
        (Some(number(3.0)), Ok("3")),
        (Some(number(-2.5)), Ok("-2.5")),
        (
            Some(number(9_007_199_254_740_992.0)),
            Ok("9007199254740992"),
        ),
        (Some(number(9_007_199_254_740_994.0)), Err("beyond 2^53")),
        (Some(number(f64::NAN)), Err("no JSON form")),
    ] {
        check(payload.as_ref(), expected);
    }
}

#[test]
fn bytes_and_hints_come_in() {
    let hinted = |value: &str| Payload {
        metadata: [("key".to_owned(), value.to_owned())].into(),
        ..json("1")
    };
    let many = Payload {
        metadata: (0..33).map(|n| (n.to_string(), String::new())).collect(),
        ..Payload::default()
    };
    let bytes = |data: &[u8]| {
        other(Encoding::Binary(proto::v1::Binary {
            content_type: "image/png".to_owned(),
            data: data.to_vec().into(),
        }))
    };
    for (payload, expected) in [
        (
            Some(bytes(&[0, 1, 2])),
            Ok("{\"$binary\":{\"contentType\":\"image/png\",\"base64\":\"AAEC\"}}"),
        ),
        (
            Some(bytes(&[0; 750])),
            Err("has 1051 bytes, 1000 are allowed"),
        ),
        (
            Some(other(Encoding::Ref(PayloadRef::default()))),
            Err("Payload.ref is not supported"),
        ),
        (Some(hinted("k1")), Ok("1")),
        (
            Some(hinted(&"x".repeat(4094))),
            Err("metadata has 4097 bytes, 4096 are allowed"),
        ),
        (Some(many), Err("metadata has 33 entries, 32 are allowed")),
    ] {
        check(payload.as_ref(), expected);
    }
}

/// What a payload is taken for, of at most 1000 bytes, or a part of why it is refused.
fn check(payload: Option<&Payload>, expected: Result<&str, &str>) {
    match (any("input", payload.cloned(), 1000), expected) {
        (Ok(data), Ok(text)) => assert_eq!(&**data.text(), text),
        (Err(fault), Err(part)) => assert!(fault.to_string().contains(part), "{fault}"),
        (found, expected) => panic!("{payload:?}: {found:?}, not {expected:?}"),
    }
}

#[test]
fn bytes_and_hints_come_back_as_they_went() {
    let hints = [("key".to_owned(), "k1".to_owned())];
    for encoding in [
        Encoding::Json("{\"a\":1}".to_owned()),
        Encoding::Binary(proto::v1::Binary {
            content_type: "application/cbor".to_owned(),
            data: vec![0xff, 0].into(),
        }),
    ] {
        let sent = Payload {
            encoding: Some(encoding),
            metadata: hints.clone().into(),
        };
        let data = any("result", Some(sent.clone()), 1000).unwrap();
        let stored = Data::from_stored(data.stored().clone());
        for format in [PayloadFormat::Json, PayloadFormat::Value] {
            let got = wire(&stored, format);
            assert_eq!(got.metadata, sent.metadata);
            if matches!(sent.encoding, Some(Encoding::Binary(_))) {
                assert_eq!(got, sent);
            }
        }
        assert_eq!(wire(&stored, PayloadFormat::Json), sent);
    }
}

#[test]
fn objects_are_objects() {
    assert!(object("input", None, 100).unwrap().is_none());
    assert!(
        object("input", Some(Payload::default()), 100)
            .unwrap()
            .is_none()
    );
    assert!(object("input", Some(json("{}")), 100).unwrap().is_some());
    for text in ["null", "[]", "\"x\""] {
        let fault = object("input", Some(json(text)), 100).unwrap_err();
        assert!(
            fault
                .to_string()
                .starts_with("input: must be a JSON object"),
            "{fault}"
        );
    }
}

#[test]
fn values_go_out_if_nothing_is_lost() {
    let deep = format!("{}1{}", "[".repeat(31), "]".repeat(31));
    for (text, as_value) in [
        ("{\"a\": [1, 2.5, null, true, \"x\"]}", true),
        ("9007199254740992", true),
        ("[9007199254740993]", false),
        ("18446744073709551615", false),
        (&deep, false),
    ] {
        let data = Data::parse(text).unwrap();
        let shown = wire(&data, PayloadFormat::Value).encoding;
        assert_eq!(
            matches!(shown, Some(Encoding::Value(_))),
            as_value,
            "{text}"
        );
        let plain = wire(&data, PayloadFormat::Unspecified).encoding;
        assert_eq!(plain, Some(Encoding::Json(text.to_owned())));
    }
}
