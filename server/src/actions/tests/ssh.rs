//! Tests of `std.ssh` and `std.ssh_proxied` against a real OpenSSH server, run as whoever runs the
//! tests: logins, results, limits, the gateway, cancelling.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use engine::Outcome;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::{Bench, error_text, missing_tool, open_config};
use crate::actions::Config;

const SSHD: &str = "/usr/sbin/sshd";

/// What a test waits for at most; none comes near it.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server that lets in who has one of its keys.
struct Sshd {
    folder: TempDir,
    port: u16,
    user: String,
    /// It ends with this.
    _process: tokio::process::Child,
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

impl Sshd {
    async fn start() -> Option<Self> {
        if !Path::new(SSHD).exists() {
            return missing_tool("sshd");
        }
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::fs::create_dir(path("keys")).unwrap();
        let mut known = String::new();
        let kinds = [("ed25519", ""), ("rsa", ""), ("locked", "a phrase")];
        for (name, phrase) in kinds {
            let kind = if name == "rsa" { "rsa" } else { "ed25519" };
            let file = path(&format!("keys/{name}"));
            run(
                "ssh-keygen",
                &["-q", "-t", kind, "-a", "1", "-N", phrase, "-f", &file],
            );
            known += &std::fs::read_to_string(format!("{file}.pub")).unwrap();
        }
        std::fs::write(path("authorized_keys"), known).unwrap();
        for name in ["host", "stranger"] {
            run(
                "ssh-keygen",
                &["-q", "-t", "ed25519", "-N", "", "-f", &path(name)],
            );
        }
        let user = run("id", &["-un"]);
        if user == "root" {
            // Needed by servers that run as root, and made by the service that is not used here.
            std::fs::create_dir_all("/run/sshd").unwrap();
        }
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\n\
             PidFile none\nUsePAM no\nStrictModes no\nPermitRootLogin yes\n\
             PasswordAuthentication no\nAllowTcpForwarding yes\n",
            path("host"),
            path("authorized_keys")
        );
        std::fs::write(path("config"), config).unwrap();
        let mut process = tokio::process::Command::new(SSHD)
            .args(["-D", "-e", "-f", &path("config")])
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains("listening on") {
                // What it says from now on must not fill the pipe.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Some(Self {
                    folder,
                    port,
                    user,
                    _process: process,
                });
            }
        }
        panic!("sshd does not start");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn key(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn config(&self) -> Config {
        let mut config = open_config();
        config.ssh.key_folder = Some(self.path("keys"));
        config
    }

    /// An input with a good login, and what another one has over it.
    fn input(&self, over: &Value) -> String {
        let mut input = json!({
            "cmd": "echo hello",
            "host": self.host(),
            "username": self.user,
            "private_key_filename": "ed25519",
        });
        for (name, value) in over.as_object().unwrap() {
            input[name] = value.clone();
        }
        input.to_string()
    }
}

#[tokio::test]
async fn commands_give_what_they_write() {
    let Some(sshd) = Sshd::start().await else {
        return;
    };
    let bench = Bench::with(&sshd.config());
    let hello = json!("hello\n");
    let cases = [
        (json!({}), hello.clone()),
        (json!({"private_key_filename": "rsa"}), hello.clone()),
        (
            json!({"private_key_filename": "locked", "password": "a phrase"}),
            hello.clone(),
        ),
        (
            json!({"private_key": sshd.key("keys/ed25519"), "private_key_filename": null}),
            hello.clone(),
        ),
        (
            json!({"host": [sshd.host(), sshd.host()]}),
            json!(["hello\n", "hello\n"]),
        ),
        (json!({"host": [sshd.host()]}), hello),
        (
            json!({"cmd": "cat; echo out; echo err >&2"}),
            json!("out\n"),
        ),
        (
            json!({"cmd": "printf 'gr\\303\\274n\\377'"}),
            json!("grün\u{fffd}"),
        ),
        (
            json!({"cmd": "echo out; echo err >&2; exit 3", "return_result_on_error": true}),
            json!({"stdout": "out\n", "stderr": "err\n", "exit_code": 3}),
        ),
        (
            json!({"cmd": "true", "return_result_on_error": true}),
            json!({"stdout": "", "stderr": "", "exit_code": 0}),
        ),
    ];
    for (over, expected) in cases {
        let outcome = bench.run("std.ssh", &sshd.input(&over)).await;
        let Outcome::Success(data) = outcome else {
            panic!("{over}: {outcome:?}");
        };
        let result: Value = serde_json::from_str(data.text()).unwrap();
        assert_eq!(result, expected, "{over}");
    }
}

/// Runs what fails, within small limits: what is over the good input, and how the error begins
/// after the words that all have in common.
async fn check_failures(sshd: &Sshd, cases: &[(Value, &str)]) {
    let mut config = sshd.config();
    config.ssh.timeout_s = 5;
    config.ssh.output_bytes_max = 1000;
    let bench = Bench::with(&config);
    let mut wrong = Vec::new();
    for (over, expected) in cases {
        let text = error_text(&bench.run("std.ssh", &sshd.input(over)).await);
        let told = text.replace(&sshd.host(), "HOST");
        if !told.starts_with(&format!("Failed to execute ssh cmd{expected}")) {
            wrong.push(format!("{over}: {text}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn failures_say_why() {
    let Some(sshd) = Sshd::start().await else {
        return;
    };
    let no_login = " 'echo hello' on HOST: the host refuses the login of ";
    let cases = [
        (
            json!({"cmd": "echo a; exit 3"}),
            " 'echo a; exit 3' on HOST: it ended with exit code 3",
        ),
        (
            json!({"cmd": "kill $$"}),
            " 'kill $$' on HOST: it was ended by signal TERM",
        ),
        (
            json!({"cmd": "yes"}),
            " 'yes' on HOST: it wrote more than 1000 bytes",
        ),
        (
            json!({"cmd": "sleep 600"}),
            " 'sleep 600' on HOST: timed out after 5 s",
        ),
        (json!({"private_key": sshd.key("stranger")}), no_login),
        (json!({"private_key_filename": null}), no_login),
        (
            json!({"private_key_filename": null, "password": "guess"}),
            no_login,
        ),
        (
            json!({"host": []}),
            ": 'host' must be a host or a list of hosts",
        ),
        (
            json!({"host": "a/b"}),
            ": 'host' must be a host, with a port if it is not 22",
        ),
        (json!({"cmd": ""}), ": 'cmd' must be a command"),
    ];
    check_failures(&sshd, &cases).await;
}

#[tokio::test]
async fn only_keys_of_the_folder_are_used() {
    let Some(sshd) = Sshd::start().await else {
        return;
    };
    std::os::unix::fs::symlink(sshd.path("stranger"), sshd.path("keys/link")).unwrap();
    let outside = sshd.path("stranger").display().to_string();
    let no_key = ": 'private_key_filename': no key '";
    let bad_key = ": the private key cannot be read";
    let cases = [
        (json!({"private_key_filename": "../stranger"}), no_key),
        (json!({"private_key_filename": outside}), no_key),
        (json!({"private_key_filename": "link"}), no_key),
        (json!({"private_key_filename": "absent"}), no_key),
        (
            json!({"private_key_filename": "locked", "password": "wrong"}),
            bad_key,
        ),
        (json!({"private_key": "no key"}), bad_key),
    ];
    check_failures(&sshd, &cases).await;
}

#[tokio::test]
async fn the_server_decides_what_may_be_reached_and_believed() {
    let Some(sshd) = Sshd::start().await else {
        return;
    };
    let check = async |config: &Config, expected: &str| {
        let input = sshd.input(&json!({}));
        let outcome = Bench::with(config).run("std.ssh", &input).await;
        match outcome {
            Outcome::Success(data) => assert_eq!(&**data.text(), expected),
            other => {
                let text = error_text(&other);
                assert!(text.contains(expected), "{text}");
            }
        }
    };
    let mut closed = sshd.config();
    closed.egress = crate::actions::Egress::default();
    check(&closed, ": the egress policy denies the address 127.0.0.1 ").await;

    let known_hosts = sshd.path("known_hosts");
    let line = |key: &str| format!("[127.0.0.1]:{} {}", sshd.port, sshd.key(key));
    let mut strict = sshd.config();
    strict.ssh.known_hosts = Some(known_hosts.clone());
    std::fs::write(&known_hosts, line("host.pub")).unwrap();
    check(&strict, r#""hello\n""#).await;
    for known in [line("stranger.pub"), String::new()] {
        std::fs::write(&known_hosts, known).unwrap();
        check(
            &strict,
            ": the key of the host is not the one in the server's known_hosts",
        )
        .await;
    }
    let mut keyless = sshd.config();
    keyless.ssh.key_folder = None;
    check(&keyless, ": 'private_key_filename' is not supported here").await;
}

#[tokio::test]
async fn a_gateway_leads_to_other_hosts() {
    let Some(sshd) = Sshd::start().await else {
        return;
    };
    let bench = Bench::with(&sshd.config());
    let through = |over: Value| {
        let mut all = json!({"gateway_host": sshd.host()});
        all.as_object_mut()
            .unwrap()
            .extend(over.as_object().unwrap().clone());
        sshd.input(&all)
    };
    let outcome = bench.run("std.ssh_proxied", &through(json!({}))).await;
    assert_eq!(outcome, Outcome::Success(engine::Data::string("hello\n")));
    let cases = [
        (
            json!({"gateway_username": "nobody-here"}),
            "the host refuses the login of 'nobody-here'",
        ),
        (
            json!({"proxy_command": "nc a 22"}),
            "'proxy_command' is not supported",
        ),
        (
            json!({"gateway_host": null}),
            "'gateway_host' must be a host",
        ),
        (json!({"host": "127.0.0.1:1"}), "on 127.0.0.1:1: "),
    ];
    for (over, expected) in cases {
        let text = error_text(&bench.run("std.ssh_proxied", &through(over)).await);
        assert!(text.contains(expected), "{text}");
    }
    let mut denying = sshd.config();
    denying.egress.denied_networks = vec!["10.0.0.0/8".to_owned().try_into().unwrap()];
    let inside = through(json!({"host": "10.1.2.3"}));
    let text = error_text(&Bench::with(&denying).run("std.ssh_proxied", &inside).await);
    assert!(
        text.contains(": the egress policy denies the address 10.1.2.3 "),
        "{text}"
    );
}

/// The command holds one end of a pipe until its connection is gone.
#[tokio::test]
async fn cancelling_closes_the_connection() {
    let Some(sshd) = Sshd::start().await else {
        return;
    };
    let bench = Bench::with(&sshd.config());
    let pipe = sshd.path("pipe");
    run("mkfifo", &[&pipe.display().to_string()]);
    let cmd = format!(
        "exec 3>{}; echo begun >&3; exec tail -f --pid=$PPID /dev/null",
        pipe.display()
    );
    let dispatch = bench.dispatch("std.ssh", &sshd.input(&json!({"cmd": cmd})));
    bench.runner.run(dispatch.clone());
    let pipe = tokio::net::unix::pipe::OpenOptions::new();
    let pipe = pipe.open_receiver(sshd.path("pipe")).unwrap();
    let mut pipe = BufReader::new(pipe).lines();
    let begun = async {
        // Until the other end is opened, the pipe reads as ended.
        loop {
            match pipe.next_line().await.unwrap() {
                Some(line) => return line,
                None => tokio::task::yield_now().await,
            }
        }
    };
    let begun = tokio::time::timeout(PATIENCE, begun).await.unwrap();
    assert_eq!(begun, "begun");
    bench.runner.cancel(dispatch.action);
    let ended = tokio::time::timeout(PATIENCE, pipe.next_line())
        .await
        .unwrap();
    assert_eq!(ended.unwrap(), None);
    assert!(bench.ended.lock().is_empty());
}
