//! Reading the input of `std.email` and writing the message.

use engine::ActionId;
use expr::Value;
use lettre::Message;
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;

use super::error::Problem;
use crate::actions::address::Address;

/// Port of mail servers.
const USUAL_PORT: u16 = 25;

/// A message and who takes it.
pub(super) struct Letter {
    pub(super) server: Address,
    pub(super) login: Option<Credentials>,
    pub(super) message: Message,
}

impl Letter {
    pub(super) fn from_input(action: ActionId, input: &Value) -> Result<Self, Problem> {
        let from = text(input, "from_addr")?.unwrap_or_default();
        let from = mailbox("from_addr", &from)?;
        let server = text(input, "smtp_server")?.unwrap_or_default();
        let server = Address::parse(&server, USUAL_PORT).ok_or(Problem::Parameter {
            parameter: "smtp_server",
            expected: "a host, with a port if it is not 25",
        })?;
        let password = text(input, "smtp_password")?;
        let login = password.map(|password| Credentials::new(from.email.to_string(), password));
        let message = message(action, input, from)?;
        Ok(Self {
            server,
            login,
            message,
        })
    }
}

fn message(action: ActionId, input: &Value, from: Mailbox) -> Result<Message, Problem> {
    // The same for each time that it is sent, so that a repetition can be told.
    let id = format!("<{action}@{}>", from.email.domain());
    let or = |name, default: &str| -> Result<String, Problem> {
        let given = text(input, name)?.filter(|text| !text.is_empty());
        Ok(given.unwrap_or_else(|| default.into()))
    };
    let mut builder = Message::builder()
        .from(from)
        .subject(or("subject", "<No subject>")?)
        .message_id(Some(id));
    for address in mailboxes(input, "reply_to")? {
        builder = builder.reply_to(address);
    }
    let (to, cc) = (mailboxes(input, "to_addrs")?, mailboxes(input, "cc_addrs")?);
    let bcc = mailboxes(input, "bcc_addrs")?;
    if to.is_empty() && cc.is_empty() && bcc.is_empty() {
        return Err(Problem::NoRecipients);
    }
    builder = to
        .into_iter()
        .fold(builder, lettre::message::MessageBuilder::to);
    builder = cc
        .into_iter()
        .fold(builder, lettre::message::MessageBuilder::cc);
    builder = bcc
        .into_iter()
        .fold(builder, lettre::message::MessageBuilder::bcc);
    let body = or("body", "<No body>")?;
    let html = or("html_body", "")?;
    Ok(if html.is_empty() {
        builder.singlepart(SinglePart::plain(body))?
    } else {
        builder.multipart(MultiPart::alternative_plain_html(body, html))?
    })
}

fn text(input: &Value, parameter: &'static str) -> Result<Option<String>, Problem> {
    match input.get(parameter) {
        None | Some(Value::Null) => Ok(None),
        Some(value @ (Value::Str(_) | Value::Int(_) | Value::Float(_))) => {
            Ok(Some(value.to_text()))
        }
        Some(_) => Err(Problem::Parameter {
            parameter,
            expected: "a text",
        }),
    }
}

/// The addresses of a list, or the one of a text.
fn mailboxes(input: &Value, parameter: &'static str) -> Result<Vec<Mailbox>, Problem> {
    let wrong = || Problem::Parameter {
        parameter,
        expected: "a list of addresses",
    };
    let given = match input.get(parameter) {
        Some(value @ Value::Str(_)) => vec![value],
        Some(Value::List(items)) => items.to_vec(),
        Some(value) if value.truthy() => return Err(wrong()),
        _ => Vec::new(),
    };
    let address = |value: &Value| mailbox(parameter, value.as_str().ok_or_else(wrong)?);
    given.iter().map(address).collect()
}

fn mailbox(parameter: &'static str, text: &str) -> Result<Mailbox, Problem> {
    text.trim()
        .parse()
        .map_err(|error: lettre::address::AddressError| Problem::Address {
            parameter,
            address: text.into(),
            reason: error.to_string(),
        })
}
