//! Tests of `std.ssh` with passwords, which OpenSSH checks only for users of the machine: here the
//! server is one of `russh`, which knows one user.

use std::sync::Arc;
use std::time::Duration;

use engine::Outcome;
use russh::keys::PrivateKey;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Session, run_stream};
use russh::{Channel, ChannelId, Error};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Bench, error_text, open_config};

/// Lets in who knows the word, and answers each command with its text.
struct Door;

impl Handler for Door {
    type Error = Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Error> {
        let is_known = (user, password) == ("ada", "a word");
        Ok(if is_known {
            Auth::Accept
        } else {
            Auth::reject()
        })
    }

    async fn channel_open_session(
        &mut self,
        _: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Error> {
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), Error> {
        session.channel_success(channel)?;
        session.data(channel, command.to_vec())?;
        session.exit_status_request(channel, 0)?;
        session.eof(channel)?;
        session.close(channel)
    }
}

/// Starts the server; gives its address.
async fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let config = Arc::new(Config {
        auth_rejection_time: Duration::ZERO,
        keys: vec![PrivateKey::from(Ed25519Keypair::from_seed(&[7; 32]))],
        ..Config::default()
    });
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let session = run_stream(config.clone(), socket, Door);
            tokio::spawn(async move {
                // The client ends each session as it likes.
                if let Ok(session) = session.await {
                    drop(session.await);
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn a_password_opens_the_door() {
    let host = start().await;
    let bench = Bench::with(&open_config());
    let input = |password: &str| {
        let input = json!({
            "cmd": "sesame", "host": host, "username": "ada", "password": password,
        });
        input.to_string()
    };
    let outcome = bench.run("std.ssh", &input("a word")).await;
    let Outcome::Success(data) = outcome else {
        panic!("{outcome:?}");
    };
    let result: Value = serde_json::from_str(data.text()).unwrap();
    assert_eq!(result, json!("sesame"));
    let refused = error_text(&bench.run("std.ssh", &input("another word")).await);
    let expected = "the host refuses the login of 'ada'";
    assert!(refused.contains(expected), "{refused}");
}
