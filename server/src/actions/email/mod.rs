//! `std.email`: one message to one mail server.
//!
//! `letter` reads the input and writes the message, `error` says what went wrong. Here it is sent:
//! as it stands, or after STARTTLS and a login if there is a password, which never goes out in the
//! clear.

mod error;
mod letter;

use std::path::Path;
use std::time::Duration;

use engine::{ActionId, Data, Outcome};
use expr::Value;
use lettre::transport::smtp::authentication::Mechanism;
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;

use super::config::Email as Config;
use super::egress::Policy;
use super::{Error, error::read_file};
use error::Problem;
use letter::Letter;

/// How a server is logged in to: what every one of them knows.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// Sends mail.
pub(super) struct Email {
    policy: Policy,
    timeout_s: u64,
    ca: Option<Certificate>,
}

impl Email {
    /// Sets up, before the first message, what all of them share.
    pub(super) fn new(config: &Config, policy: &Policy) -> Result<Self, Error> {
        Ok(Self {
            policy: policy.clone(),
            timeout_s: config.timeout_s,
            ca: config.ca_file.as_deref().map(certificates).transpose()?,
        })
    }

    /// Runs the action. The same action writes the same message, should it be sent again.
    pub(super) async fn run(&self, action: ActionId, input: &Value) -> Outcome {
        let seconds = self.timeout_s;
        let sent = tokio::time::timeout(Duration::from_secs(seconds), self.send(action, input));
        let sent = sent.await.unwrap_or(Err(Problem::TimedOut { seconds }));
        match sent {
            Ok(()) => Outcome::Success(Data::null()),
            Err(problem) => {
                let text = format!("Failed to send an email message: {problem}");
                Outcome::Error(Data::string(&text))
            }
        }
    }

    async fn send(&self, action: ActionId, input: &Value) -> Result<(), Problem> {
        let letter = Letter::from_input(action, input)?;
        let server = &letter.server;
        let stream = self.policy.connect(&server.host, server.port).await?;
        let name = ClientId::default();
        let mut connection =
            AsyncSmtpConnection::connect_with_transport(Box::new(stream), &name).await?;
        if let Some(login) = &letter.login {
            if !connection.can_starttls() {
                return Err(Problem::NoTls);
            }
            connection.starttls(self.tls(&server.host)?, &name).await?;
            connection.auth(&MECHANISMS, login).await?;
        }
        let message = letter.message.formatted();
        connection.send(letter.message.envelope(), &message).await?;
        // It is sent; how the server takes the farewell changes nothing.
        let _ = connection.quit().await;
        Ok(())
    }

    fn tls(&self, host: &str) -> Result<TlsParameters, Problem> {
        let mut builder = TlsParameters::builder(host.into());
        if let Some(certificate) = &self.ca {
            builder = builder.add_root_certificate(certificate.clone());
        }
        Ok(builder.build()?)
    }
}

/// All certificates of a file; the library holds them as one.
fn certificates(path: &Path) -> Result<Certificate, Error> {
    const KEY: &str = "email.ca_file";
    let pem = read_file(KEY, path)?;
    let bad = || Error::Malformed {
        key: KEY,
        path: path.into(),
        expected: "PEM certificates",
    };
    let found = reqwest::Certificate::from_pem_bundle(&pem).map_err(|_| bad())?;
    if found.is_empty() {
        return Err(bad());
    }
    Certificate::from_pem(&pem).map_err(|_| bad())
}
