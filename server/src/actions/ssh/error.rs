//! Why a command did not run, or did not run well. The texts become error results, so authors of
//! workflows read them. As in Mistral none repeats what the command wrote.

use crate::actions::egress::{Refusal, Unreachable};

/// Why the action fails.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The input is not what it should be, so there is no host to speak of.
    #[error("Failed to execute ssh cmd: {0}")]
    Input(Problem),
    /// Everything else, in the words of Mistral and then the reason.
    #[error("Failed to execute ssh cmd '{cmd}' on {host}: {problem}")]
    On {
        cmd: String,
        host: String,
        problem: Problem,
    },
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    /// A parameter is not what it should be.
    #[error("'{parameter}' must be {expected}")]
    Parameter {
        parameter: &'static str,
        expected: &'static str,
    },
    /// It would run a program on this server.
    #[error(
        "'proxy_command' is not supported, since it would run a program on the workflow server; \
         the way through the gateway needs none"
    )]
    ProxyCommand,
    /// There are no keys here.
    #[error(
        "'private_key_filename' is not supported here: no actions.ssh.key_folder is configured"
    )]
    NoKeyFolder,
    /// The file is not in the folder of keys.
    #[error("'private_key_filename': no key '{name}' in the server's folder of keys")]
    NoKeyFile { name: String },
    /// The key is none, or its password is another one.
    #[error("the private key cannot be read; is it one, and is 'password' the one of the key?")]
    BadKey,
    /// The policy forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The host cannot be connected to.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    /// The connection took too long.
    #[error("no connection within {seconds} s")]
    NotConnected { seconds: u64 },
    /// The host is not the one that it should be.
    #[error("the key of the host is not the one in the server's known_hosts")]
    HostKey,
    /// The host does not let the user in.
    #[error("the host refuses the login of '{user}'")]
    Login { user: String },
    /// The host does not run commands.
    #[error("the host refuses to run a command")]
    NoCommand,
    /// The command failed.
    #[error("it ended with exit code {code}")]
    ExitCode { code: u32 },
    /// The command was killed.
    #[error("it was ended by signal {signal}")]
    Signal { signal: String },
    /// The connection was lost.
    #[error("the connection ended before the command did")]
    Lost,
    /// The command wrote too much.
    #[error("it wrote more than {max} bytes")]
    TooLarge { max: usize },
    /// It took too long.
    #[error("timed out after {seconds} s")]
    TimedOut { seconds: u64 },
    /// The protocol failed.
    #[error("{0}")]
    Protocol(russh::Error),
}

impl From<russh::Error> for Problem {
    fn from(error: russh::Error) -> Self {
        match error {
            russh::Error::UnknownKey => Self::HostKey,
            other => Self::Protocol(other),
        }
    }
}
