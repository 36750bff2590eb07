//! Reading the input of `std.ssh` and `std.ssh_proxied`: which command, where, as whom.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use expr::Value;
use russh::keys::{PrivateKey, decode_secret_key};

use super::error::Problem;
use crate::actions::address::Address;

/// Port of hosts.
const USUAL_PORT: u16 = 22;

/// Largest file of a key.
const KEY_BYTES_MAX: u64 = 64 << 10;

/// What the action asks for.
pub(super) struct Order {
    pub(super) cmd: String,
    /// Each as it was written, and what it means.
    pub(super) hosts: Vec<(String, Address)>,
    pub(super) user: String,
    pub(super) password: String,
    pub(super) key: Option<Key>,
    pub(super) gateway: Option<Gateway>,
    /// Whether a command that fails is a result like any other.
    pub(super) return_result: bool,
}

/// Where a key comes from.
pub(super) enum Key {
    Text(String),
    File(PathBuf),
}

/// The host through which the others are reached.
pub(super) struct Gateway {
    pub(super) address: Address,
    pub(super) user: String,
}

impl Order {
    pub(super) fn from_input(
        input: &Value,
        is_proxied: bool,
        key_folder: Option<&Path>,
    ) -> Result<Self, Problem> {
        let user = text(input, "username")?;
        let password = text(input, "password")?;
        if !text(input, "proxy_command")?.is_empty() {
            return Err(Problem::ProxyCommand);
        }
        let gateway = if is_proxied {
            let name = text(input, "gateway_username")?;
            Some(Gateway {
                address: address("gateway_host", &text(input, "gateway_host")?)?,
                user: if name.is_empty() { user.clone() } else { name },
            })
        } else {
            None
        };
        let cmd = text(input, "cmd")?;
        if cmd.is_empty() {
            return Err(Problem::Parameter {
                parameter: "cmd",
                expected: "a command",
            });
        }
        Ok(Self {
            cmd,
            hosts: hosts(input)?,
            user,
            password,
            key: key(input, key_folder)?,
            gateway,
            return_result: input
                .get("return_result_on_error")
                .is_some_and(|value| value.truthy()),
        })
    }
}

impl Key {
    /// Reads the key; a password of it costs time on purpose, so this may take a while.
    pub(super) fn read(&self, password: &str) -> Result<Arc<PrivateKey>, Problem> {
        let text = match self {
            Self::Text(text) => text.clone(),
            Self::File(path) => std::fs::read_to_string(path).map_err(|_| Problem::BadKey)?,
        };
        let plain = decode_secret_key(&text, None);
        let key = plain.or_else(|_| decode_secret_key(&text, Some(password)));
        key.map(Arc::new).map_err(|_| Problem::BadKey)
    }
}

fn key(input: &Value, folder: Option<&Path>) -> Result<Option<Key>, Problem> {
    let text_of_key = text(input, "private_key")?;
    if !text_of_key.is_empty() {
        return Ok(Some(Key::Text(text_of_key)));
    }
    let name = text(input, "private_key_filename")?;
    if name.is_empty() {
        return Ok(None);
    }
    let folder = folder.ok_or(Problem::NoKeyFolder)?;
    let path = file_in(folder, &name);
    path.map(|path| Some(Key::File(path)))
        .ok_or(Problem::NoKeyFile { name })
}

/// A file below the folder, whatever ways out of it the name tries, links included.
fn file_in(folder: &Path, name: &str) -> Option<PathBuf> {
    let name = Path::new(name);
    let is_below = |part: Component<'_>| matches!(part, Component::Normal(_));
    if !name.components().all(is_below) {
        return None;
    }
    let folder = folder.canonicalize().ok()?;
    let path = folder.join(name).canonicalize().ok()?;
    let about = path.metadata().ok()?;
    let is_key = path.starts_with(&folder) && about.is_file() && about.len() <= KEY_BYTES_MAX;
    is_key.then_some(path)
}

fn hosts(input: &Value) -> Result<Vec<(String, Address)>, Problem> {
    let wrong = || Problem::Parameter {
        parameter: "host",
        expected: "a host or a list of hosts",
    };
    let given = match input.get("host") {
        Some(Value::List(items)) if !items.is_empty() => items.to_vec(),
        Some(value @ Value::Str(_)) => vec![value],
        _ => return Err(wrong()),
    };
    let host = |value: &Value| {
        let text = value.as_str().ok_or_else(wrong)?;
        Ok((text.to_owned(), address("host", text)?))
    };
    given.iter().map(host).collect()
}

fn address(parameter: &'static str, text: &str) -> Result<Address, Problem> {
    Address::parse(text, USUAL_PORT).ok_or(Problem::Parameter {
        parameter,
        expected: "a host, with a port if it is not 22",
    })
}

/// A text, empty if it is not there.
fn text(input: &Value, parameter: &'static str) -> Result<String, Problem> {
    match input.get(parameter) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(value @ (Value::Str(_) | Value::Int(_))) => Ok(value.to_text()),
        Some(_) => Err(Problem::Parameter {
            parameter,
            expected: "a text",
        }),
    }
}
