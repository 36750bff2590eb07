//! The built-in actions: one table of all, those that touch nothing outside and those that the
//! server runs. It gives names, parameters and who runs them; what the engine's own ones do is in
//! `step/builtin.rs`, what the server's do is left to the server.

use std::fmt;
use std::sync::OnceLock;

use definition::KnownAction;
use expr::{Dict, Value};

use crate::event::Outcome;
use crate::record::Runner;
use crate::step::builtin::{self, seconds};

/// A built-in action.
#[derive(Debug)]
pub struct Builtin {
    /// Its name.
    pub name: &'static str,
    /// Name of the class that Mistral has for it; only errors show it.
    pub class: &'static str,
    /// Its parameters, in the order in which they are documented.
    pub parameters: &'static [Parameter],
    /// What it does, in one sentence.
    pub doc: &'static str,
    pub(crate) runs: Runs,
}

/// A parameter of a built-in action.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Which values it takes. Some actions are kinder, as Mistral is: this is what to write.
    pub kinds: &'static [Kind],
    /// What it is unless given, as JSON; `None` means that it must be given.
    pub default: Option<&'static str>,
    /// What it is for, in one sentence.
    pub doc: &'static str,
}

/// A kind of value that a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Whatever there is.
    Any,
    /// A text.
    Text,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A dict.
    Dict,
    /// A list.
    List,
}

/// Who runs it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Runs {
    Inline(fn(&Value) -> Outcome),
    /// Inline unless it has to wait.
    Delayed(fn(&Value) -> Outcome),
    Server,
    /// The server begins it, somebody outside ends it.
    ServerThenExternal,
    External,
}

/// All built-in actions, by name.
pub const BUILTINS: &[Builtin] = &[
    Builtin {
        name: "std.async_noop",
        class: "AsyncNoOpAction",
        parameters: &[],
        doc: "Waits until somebody completes it from outside.",
        runs: Runs::External,
    },
    Builtin {
        name: "std.echo",
        class: "EchoAction",
        parameters: &[
            required("output", ANY, "Becomes the result."),
            optional("delay", NUMBER, "0", "Seconds to wait before the result."),
        ],
        doc: "Gives a value back, at once or later.",
        runs: Runs::Delayed(builtin::echo),
    },
    Builtin {
        name: "std.email",
        class: "SendEmailAction",
        parameters: &[
            required("from_addr", TEXT, "The sender."),
            required("to_addrs", LIST, "The recipients."),
            required(
                "smtp_server",
                TEXT,
                "The mail server, with a port unless it is 25.",
            ),
            optional("reply_to", LIST, "null", "Where answers go."),
            optional("cc_addrs", LIST, "null", "Recipients of a copy."),
            optional(
                "bcc_addrs",
                LIST,
                "null",
                "Recipients that the others do not see.",
            ),
            optional(
                "smtp_password",
                TEXT,
                "null",
                "Password of the sender; sent over TLS only.",
            ),
            optional("subject", TEXT, "null", "The subject."),
            optional("body", TEXT, "null", "The text."),
            optional(
                "html_body",
                TEXT,
                "null",
                "The same as HTML, for those who can show it.",
            ),
        ],
        doc: "Sends a mail.",
        runs: Runs::Server,
    },
    Builtin {
        name: "std.fail",
        class: "FailAction",
        parameters: &[optional(
            "error_data",
            ANY,
            "null",
            "Becomes the error result.",
        )],
        doc: "Fails.",
        runs: Runs::Inline(builtin::fail),
    },
    Builtin {
        name: "std.http",
        class: "HTTPAction",
        parameters: HTTP,
        doc: "Sends an HTTP request and gives status, headers and content of the answer.",
        runs: Runs::Server,
    },
    Builtin {
        name: "std.javascript",
        class: "JavaScriptAction",
        parameters: SCRIPT,
        doc: "Runs a script and gives what it returns.",
        runs: Runs::Server,
    },
    Builtin {
        name: "std.js",
        class: "JavaScriptAction",
        parameters: SCRIPT,
        doc: "Another name of std.javascript.",
        runs: Runs::Server,
    },
    Builtin {
        name: "std.mistral_http",
        class: "MistralHTTPAction",
        parameters: HTTP,
        doc: "Sends an HTTP request with its own ids and waits until somebody completes it.",
        runs: Runs::ServerThenExternal,
    },
    Builtin {
        name: "std.noop",
        class: "NoOpAction",
        parameters: &[],
        doc: "Does nothing.",
        runs: Runs::Inline(builtin::noop),
    },
    Builtin {
        name: "std.sleep",
        class: "SleepAction",
        parameters: &[optional("seconds", NUMBER, "1", "How long it waits.")],
        doc: "Waits.",
        runs: Runs::Server,
    },
    Builtin {
        name: "std.ssh",
        class: "SSHAction",
        parameters: &[
            CMD,
            HOST,
            USERNAME,
            optional(
                "password",
                TEXT,
                "\"\"",
                "Password of the user, or of the private key.",
            ),
            optional("private_key_filename", TEXT, "null", KEY_FILE),
            PRIVATE_KEY,
            optional(
                "return_result_on_error",
                BOOLEAN,
                "false",
                "Whether a command that fails is a success with its output and exit code.",
            ),
        ],
        doc: "Runs a command on other machines.",
        runs: Runs::Server,
    },
    Builtin {
        name: "std.ssh_proxied",
        class: "SSHProxiedAction",
        parameters: &[
            CMD,
            HOST,
            USERNAME,
            required("private_key_filename", TEXT, KEY_FILE),
            required(
                "gateway_host",
                TEXT,
                "The machine that the way goes through.",
            ),
            optional(
                "gateway_username",
                TEXT,
                "null",
                "Whom to log in as there, if another.",
            ),
            optional(
                "password",
                TEXT,
                "null",
                "Password of the user, or of the private key.",
            ),
            optional("proxy_command", TEXT, "null", "Not supported."),
            PRIVATE_KEY,
        ],
        doc: "Runs a command on other machines, which are reached through a gateway.",
        runs: Runs::Server,
    },
    Builtin {
        name: "std.test_dict",
        class: "TestDictAction",
        parameters: &[
            optional("size", NUMBER, "0", "How many keys."),
            optional(
                "key_prefix",
                TEXT,
                "\"\"",
                "What each key begins with; its number follows.",
            ),
            optional("val", ANY, "\"\"", "The value of every key."),
        ],
        doc: "Makes a dict of a given size.",
        runs: Runs::Inline(builtin::test_dict),
    },
];

const ANY: &[Kind] = &[Kind::Any];
const TEXT: &[Kind] = &[Kind::Text];
const NUMBER: &[Kind] = &[Kind::Number];
const BOOLEAN: &[Kind] = &[Kind::Boolean];
const DICT: &[Kind] = &[Kind::Dict];
const LIST: &[Kind] = &[Kind::List];
const TEXT_LIST: &[Kind] = &[Kind::Text, Kind::List];
const TEXT_DICT_LIST: &[Kind] = &[Kind::Text, Kind::Dict, Kind::List];

/// The parameters of requests.
const HTTP: &[Parameter] = &[
    required("url", TEXT, "Where the request goes, http or https."),
    optional("method", TEXT, "\"GET\"", "The method."),
    optional(
        "params",
        TEXT_DICT_LIST,
        "null",
        "Added to the query of the URL.",
    ),
    optional(
        "body",
        TEXT_DICT_LIST,
        "null",
        "The body: a text, a dict as JSON, pairs as a form.",
    ),
    optional(
        "json",
        ANY,
        "null",
        "A value to send as JSON; not together with a body.",
    ),
    optional("headers", DICT, "null", "Headers to send."),
    optional("cookies", DICT, "null", "Cookies to send."),
    optional(
        "auth",
        TEXT,
        "null",
        "`user:password` of the basic authentication.",
    ),
    optional(
        "timeout",
        NUMBER,
        "null",
        "Seconds for everything; the server has a default.",
    ),
    optional(
        "allow_redirects",
        BOOLEAN,
        "false",
        "Whether redirects are followed.",
    ),
    optional("proxies", DICT, "null", "URLs of proxies by scheme."),
    optional(
        "verify",
        BOOLEAN,
        "true",
        "Whether the certificate of the other side is checked.",
    ),
];

/// The parameters of scripts.
const SCRIPT: &[Parameter] = &[
    required(
        "script",
        TEXT,
        "The body of a function; what it returns is the result.",
    ),
    optional("context", ANY, "null", "What the script sees as `$`."),
];

/// Where a private key is.
const KEY_FILE: &str = "Name of a private key in the server's folder of keys.";

const CMD: Parameter = required("cmd", TEXT, "The command, as a shell there takes it.");
const HOST: Parameter = required("host", TEXT_LIST, "The machine, or a list of several.");
const USERNAME: Parameter = required("username", TEXT, "Whom to log in as.");
const PRIVATE_KEY: Parameter = optional("private_key", TEXT, "null", "The text of a private key.");

const fn required(name: &'static str, kinds: &'static [Kind], doc: &'static str) -> Parameter {
    Parameter {
        name,
        kinds,
        default: None,
        doc,
    }
}

const fn optional(
    name: &'static str,
    kinds: &'static [Kind],
    default: &'static str,
    doc: &'static str,
) -> Parameter {
    Parameter {
        name,
        kinds,
        default: Some(default),
        doc,
    }
}

/// The same table for the checks of definitions.
pub fn known_actions() -> &'static [KnownAction] {
    static KNOWN: OnceLock<Vec<KnownAction>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let known = BUILTINS.iter().map(|builtin| {
            let (required, optional): (Vec<&Parameter>, Vec<_>) = builtin
                .parameters
                .iter()
                .partition(|parameter| parameter.is_required());
            KnownAction {
                name: builtin.name,
                required: required.into_iter().map(|one| one.name).collect(),
                optional: optional.into_iter().map(|one| one.name).collect(),
            }
        });
        known.collect()
    })
}

/// The built-in action of this name.
pub fn builtin(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|builtin| builtin.name == name)
}

impl Builtin {
    /// Who runs it with this input.
    pub(crate) fn runner(&self, input: &Value) -> Runner {
        match self.runs {
            Runs::Delayed(_) if seconds(input, "delay") > 0.0 => Runner::Server,
            Runs::Inline(_) | Runs::Delayed(_) => Runner::Inline,
            Runs::Server | Runs::ServerThenExternal => Runner::Server,
            Runs::External => Runner::External,
        }
    }

    /// Whether it may run any number of times, since it touches nothing outside.
    pub(crate) fn is_harmless(&self) -> bool {
        matches!(self.runs, Runs::Inline(_) | Runs::Delayed(_))
            || matches!(self.name, "std.sleep" | "std.javascript" | "std.js")
    }

    /// Whether it ends only when somebody completes it from outside.
    pub const fn is_asynchronous(&self) -> bool {
        matches!(self.runs, Runs::External | Runs::ServerThenExternal)
    }

    /// Required parameters that the input lacks, and what it has that is no parameter.
    pub(crate) fn mismatch(&self, input: &Dict) -> (Vec<String>, Vec<Value>) {
        let required = self.parameters.iter().filter(|p| p.is_required());
        let missing = required.filter(|p| !input.contains_key(p.name));
        let is_known = |key: &Value| self.parameters.iter().any(|p| key.as_str() == Some(p.name));
        let unexpected = input.keys().filter(|key| !is_known(key));
        let missing = missing.map(|parameter| parameter.name.to_owned());
        (missing.collect(), unexpected.collect())
    }

    /// Whether the input has all required parameters and no unknown one; else what is wrong, in the
    /// words of Mistral.
    pub fn check_input(&self, input: &Dict) -> Result<(), String> {
        let (missing, unexpected) = self.mismatch(input);
        if missing.is_empty() && unexpected.is_empty() {
            return Ok(());
        }
        let missing = missing.into_iter().map(Value::from).collect();
        let class = format!("mistral.actions.std_actions.{}", self.class);
        Err(invalid_input(self.name, &class, missing, unexpected))
    }
}

impl Parameter {
    /// Whether it must be given.
    pub const fn is_required(&self) -> bool {
        self.default.is_none()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "any",
            Self::Text => "text",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Dict => "dict",
            Self::List => "list",
        })
    }
}

/// The error of a call whose input does not fit, as Mistral words it: names as a list of Python,
/// only what is wrong.
pub(crate) fn invalid_input(
    name: &str,
    class: &str,
    missing: Vec<Value>,
    unexpected: Vec<Value>,
) -> String {
    let part = |what, names: Vec<Value>| {
        if names.is_empty() {
            return String::new();
        }
        format!(
            ", {what}={}",
            names.into_iter().collect::<Value>().to_text()
        )
    };
    let missing = part("missing", missing);
    let unexpected = part("unexpected", unexpected);
    format!("Invalid input [name={name}, class={class}{missing}{unexpected}]")
}
