//! A server that says what the tests tell it to, byte for byte.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

/// Answers each connection with `answer` and closes it; gives the URL without a slash at the end.
pub(super) async fn start(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            serve(stream, answer).await;
        }
    });
    base
}

/// Reads the head of a request, writes the answer.
pub(super) async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &[u8]) {
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n") {
        // A client that refuses the certificate has gone already.
        let Ok(byte) = stream.read_u8().await else {
            return;
        };
        seen.push(byte);
    }
    let _ = stream.write_all(answer).await;
    let _ = stream.shutdown().await;
}
