//! Tests of `https`: certificates are checked unless the action says otherwise.

use std::sync::Arc;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::{Bench, error_text, open_config, raw};

/// A server with a certificate that nobody knows: its URL, and the certificate as PEM.
async fn start() -> (String, String) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "https://localhost:{}/",
        listener.local_addr().unwrap().port()
    );
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(stream) = acceptor.accept(stream).await {
                raw::serve(stream, b"HTTP/1.1 204 No Content\r\n\r\n").await;
            }
        }
    });
    (url, made.cert.pem())
}

#[tokio::test]
async fn unknown_certificates_are_refused() {
    let (url, _) = start().await;
    let bench = Bench::open();
    let outcome = bench
        .run("std.http", &format!(r#"{{"url": "{url}"}}"#))
        .await;
    let text = error_text(&outcome);
    assert!(text.starts_with("Failed to send HTTP request: "), "{text}");
    assert!(text.contains("invalid peer certificate"), "{text}");
}

#[tokio::test]
async fn the_action_may_do_without_the_check() {
    let (url, _) = start().await;
    let bench = Bench::open();
    let input = format!(r#"{{"url": "{url}", "verify": false}}"#);
    let outcome = bench.run("std.http", &input).await;
    assert!(
        matches!(outcome, engine::Outcome::Success(_)),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn configured_certificates_are_trusted() {
    let (url, pem) = start().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pem).unwrap();
    let mut config = open_config();
    config.http.ca_file = Some(file.path().into());
    let bench = Bench::with(&config);
    let outcome = bench
        .run("std.http", &format!(r#"{{"url": "{url}"}}"#))
        .await;
    assert!(
        matches!(outcome, engine::Outcome::Success(_)),
        "{outcome:?}"
    );
}
