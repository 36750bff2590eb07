//! Connections to PostgreSQL: its URL, encryption, settings, and how its answers are waited for.

use std::cell::Cell;
use std::fmt;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::{AsyncConnectionWrapper, BlockOn};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::TlsStream;
use tokio_postgres::{Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::connection::{Conn, Link};
use crate::error::{Cause, Error};

/// A connection whose functions block until the database has answered.
pub(crate) type PgConn = AsyncConnectionWrapper<AsyncPgConnection, Blocking>;

/// How long a new connection may take, unless the URL says something else.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the other side may be silent before it counts as gone, unless the URL says something
/// else. What was sent and is not confirmed in this time breaks the connection.
const SILENCE_MAX: Duration = Duration::from_secs(15);

/// Where a database is, and how it is reached.
#[derive(Clone)]
pub(crate) struct Address {
    config: tokio_postgres::Config,
    verify: Verify,
    /// The URL without the password, for messages.
    shown: String,
}

/// What is asked of the certificate of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verify {
    /// Nothing: against those who listen, not against those who pretend.
    Nothing,
    /// That the system trusts it, and that it is of that host.
    System,
    /// That it is of that host and signed by one in this file.
    File(String),
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.config == other.config && self.verify == other.verify
    }
}

impl Eq for Address {}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Address {
    /// Reads a URL as PostgreSQL's own programs do. `sslmode` is `disable`, `prefer` (the default),
    /// `require` or `verify-full`; the last takes `sslrootcert`, a file of certificates to trust
    /// in place of the system's.
    pub(crate) fn parse(url: &str) -> Result<Self, Error> {
        let shown = without_password(url);
        let refuse = |reason| Error::Url {
            url: shown.clone(),
            reason,
        };
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut verify = Verify::Nothing;
        let mut root_file = None;
        let mut kept = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", "verify-full")) => {
                    verify = Verify::System;
                    kept.push("sslmode=require");
                }
                Some(("sslmode", "verify-ca" | "allow")) => {
                    return Err(refuse(
                        "its sslmode is not disable, prefer, require or verify-full",
                    ));
                }
                Some(("sslrootcert", file)) => root_file = Some(file.to_owned()),
                _ => kept.push(pair),
            }
        }
        verify = match (verify, root_file) {
            (Verify::System, Some(file)) => Verify::File(file),
            (Verify::Nothing, Some(_)) => {
                return Err(refuse("sslrootcert needs sslmode=verify-full"));
            }
            (verify, None) => verify,
            (Verify::File(_), Some(_)) => unreachable!("no file was read yet"),
        };
        let plain = format!("{base}?{}", kept.join("&"));
        let mut config: tokio_postgres::Config = plain
            .trim_end_matches('?')
            .parse()
            .map_err(|_| refuse("it is not a URL of PostgreSQL"))?;
        if config.get_hosts().is_empty() {
            return Err(refuse("it names no host"));
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE_MAX);
            config.keepalives_idle(SILENCE_MAX);
        }
        Ok(Self {
            config,
            verify,
            shown,
        })
    }

    /// Connects. `name` is what the database shows of this connection.
    pub(crate) fn connect(&self, name: &str) -> Result<Conn, Error> {
        let runtime = runtime().map_err(|error| Error::Unavailable(Box::new(error)))?;
        let mut config = self.config.clone();
        config.application_name(name);
        let link = Link::default();
        let connected = runtime.block_on(connect(&config, &self.verify, link.clone()));
        let inner = connected.map_err(Error::Unavailable)?;
        // The wrapper asks for a runtime without being told of this one, on which the connection
        // already lives.
        HANDED_OVER.set(Some(runtime));
        Ok(Conn::Postgres(Box::new(inner.into()), link))
    }
}

/// Leaves out what stands between `user:` and `@`.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.split(':').next().unwrap_or_default().to_owned();
    };
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let shown = match place.rsplit_once('@') {
        Some((who, at)) => {
            let user = who.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{at}")
        }
        None => format!("{scheme}://{place}"),
    };
    let secret = |pair: &&str| !pair.starts_with("password=");
    let query: Vec<&str> = query.split('&').filter(secret).collect();
    match query.join("&") {
        query if query.is_empty() => shown,
        query => format!("{shown}?{query}"),
    }
}

async fn connect(
    config: &tokio_postgres::Config,
    verify: &Verify,
    link: Link,
) -> Result<AsyncPgConnection, Cause> {
    let client = if config.get_ssl_mode() == SslMode::Disable {
        let (client, connection) = config.connect(tokio_postgres::NoTls).await?;
        tokio::spawn(carry(connection, link));
        client
    } else {
        let tls = MakeRustlsConnect::new(tls_config(verify)?);
        let (client, connection) = config.connect(tls).await?;
        tokio::spawn(carry(connection, link));
        client
    };
    Ok(AsyncPgConnection::try_from(client).await?)
}

/// Carries what goes to and fro, as long as somebody waits for an answer.
async fn carry<S>(connection: Connection<Socket, S>, link: Link)
where
    S: TlsStream + Unpin,
{
    if let Err(error) = connection.await {
        tracing::warn!("connection to PostgreSQL lost: {error}");
    }
    link.cut();
}

fn tls_config(verify: &Verify) -> Result<ClientConfig, Cause> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?;
    Ok(match verify {
        Verify::Nothing => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anyone(provider)))
            .with_no_client_auth(),
        Verify::System => {
            let verifier = rustls_platform_verifier::Verifier::new(provider)?;
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(verifier))
                .with_no_client_auth()
        }
        Verify::File(file) => {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(&fs::read(file)?) {
                roots.add(certificate?)?;
            }
            builder.with_root_certificates(roots).with_no_client_auth()
        }
    })
}

/// Takes every certificate, as PostgreSQL's own programs do unless they are told to verify it.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

thread_local! {
    /// The runtime for the wrapper that is made next on this thread.
    static HANDED_OVER: Cell<Option<Runtime>> = const { Cell::new(None) };
}

/// Waits on the thread that asks: it does the reading and writing of its connection itself, so no
/// answer has to wake another thread.
pub(crate) struct Blocking(Option<Runtime>);

impl BlockOn for Blocking {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        let runtime = self.0.as_ref();
        runtime
            .expect("it is there until the drop")
            .block_on(future)
    }

    fn get_runtime() -> Self {
        let handed_over = HANDED_OVER.take().map_or_else(runtime, Ok);
        let runtime = handed_over.expect("a runtime without threads needs little but memory");
        Self(Some(runtime))
    }
}

impl Drop for Blocking {
    fn drop(&mut self) {
        // Nothing is waited for, so it may end wherever its connection does.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_and_shown_without_their_password() {
        for (url, shown) in [
            (
                "postgres://me:secret@db:5433/autan",
                "postgres://me@db:5433/autan",
            ),
            ("postgresql://db", "postgresql://db"),
            (
                "postgres:///autan?host=/run/db&user=me&password=secret",
                "postgres:///autan?host=/run/db&user=me",
            ),
            (
                "postgres://a:p@ss@db/x?sslmode=verify-full",
                "postgres://a@db/x?sslmode=verify-full",
            ),
        ] {
            let address = Address::parse(url).unwrap();
            assert_eq!(address.to_string(), shown);
            assert_eq!(format!("{address:?}"), shown);
        }
        for url in [
            "postgres:",
            "postgres://",
            "postgres://db:port/x",
            "postgres://db/x?sslmode=verify-ca",
            "postgres://db/x?sslrootcert=/a",
            "postgres://me:secret@db/x?color=red",
        ] {
            let error = Address::parse(url).unwrap_err();
            let text = error.to_string();
            assert!(matches!(error, Error::Url { .. }), "{url}: {text}");
            assert!(!text.contains("secret"), "{text}");
        }
    }
}
