//! Answers with payloads: which of them were asked for, and what fits into one message.
//!
//! Each payload has its own limit, but a resource carries several, and the result of a task with
//! items is as large as all of them.

use prost::Message;
use prost_types::FieldMask;
use proto::v1::{self, Payload};

use super::fault::Fault;

/// Most bytes of a resource in an answer: what gRPC clients take unless told otherwise, less
/// something for what stands around it.
pub(crate) const RESOURCE_BYTES_MAX: usize = (4 << 20) - (64 << 10);

/// A resource that carries payloads.
pub(crate) trait Carrier: Message {
    /// The payloads by the names of their fields.
    fn payloads(&mut self) -> Vec<(&'static str, &mut Option<Payload>)>;
}

impl Carrier for v1::Execution {
    fn payloads(&mut self) -> Vec<(&'static str, &mut Option<Payload>)> {
        let mut found = vec![
            ("input", &mut self.input),
            ("output", &mut self.output),
            ("params", &mut self.params),
            ("published_global", &mut self.published_global),
        ];
        if let Some(error) = &mut self.error {
            found.push((ERROR_DETAILS, &mut error.details));
        }
        found
    }
}

impl Carrier for v1::TaskExecution {
    fn payloads(&mut self) -> Vec<(&'static str, &mut Option<Payload>)> {
        vec![
            ("result", &mut self.result),
            ("published", &mut self.published),
            ("published_global", &mut self.published_global),
        ]
    }
}

impl Carrier for v1::ActionExecution {
    fn payloads(&mut self) -> Vec<(&'static str, &mut Option<Payload>)> {
        vec![("input", &mut self.input), ("output", &mut self.output)]
    }
}

/// Only there if the execution has failed.
const ERROR_DETAILS: &str = "error.details";

/// Leaves out the payloads that a mask does not name; without a mask all stay.
pub(crate) fn masked<C: Carrier>(mut answer: C, mask: Option<&FieldMask>) -> Result<C, Fault> {
    let Some(mask) = mask.filter(|mask| !mask.paths.is_empty()) else {
        return fitting(answer);
    };
    let mut fields = answer.payloads();
    for path in &mask.paths {
        let known = fields.iter().any(|(name, _)| path == name) || path == ERROR_DETAILS;
        if !known {
            let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
            let description = format!("has no payload {path:?}; it takes {}", names.join(", "));
            return Err(Fault::field("read_mask", description));
        }
    }
    for (name, payload) in &mut fields {
        if !mask.paths.iter().any(|path| path == name) {
            **payload = None;
        }
    }
    drop(fields);
    fitting(answer)
}

/// Refuses what a client would refuse to read.
pub(crate) fn fitting<M: Message>(answer: M) -> Result<M, Fault> {
    match answer.encoded_len() {
        actual if actual > RESOURCE_BYTES_MAX => Err(Fault::AnswerTooLarge {
            limit: RESOURCE_BYTES_MAX,
            actual,
        }),
        _ => Ok(answer),
    }
}

#[cfg(test)]
mod tests {
    use proto::v1::payload::Encoding;

    use super::*;

    fn payload(size: usize) -> Payload {
        Payload {
            encoding: Some(Encoding::Json("1".repeat(size))),
            ..Payload::default()
        }
    }

    #[test]
    fn a_mask_chooses_payloads() {
        let whole = v1::ActionExecution {
            name: "a".to_owned(),
            input: Some(payload(1)),
            output: Some(payload(2)),
            ..v1::ActionExecution::default()
        };
        for (paths, input, output) in [
            (None, true, true),
            (Some(vec![]), true, true),
            (Some(vec!["input"]), true, false),
            (Some(vec!["output"]), false, true),
            (Some(vec!["output", "input"]), true, true),
        ] {
            let mask = paths.map(|paths| FieldMask {
                paths: paths.into_iter().map(str::to_owned).collect(),
            });
            let found = masked(whole.clone(), mask.as_ref()).unwrap();
            assert_eq!(
                (found.input.is_some(), found.output.is_some(), &*found.name),
                (input, output, "a"),
                "{mask:?}"
            );
        }
        let mask = FieldMask {
            paths: vec!["outptu".to_owned()],
        };
        let fault = masked(whole, Some(&mask)).unwrap_err();
        let text = "read_mask: has no payload \"outptu\"; it takes input, output";
        assert_eq!(fault.to_string(), text);
    }

    #[test]
    fn what_a_client_would_not_read_is_refused() {
        let large = v1::Execution {
            input: Some(payload(3 << 20)),
            output: Some(payload(1 << 20)),
            ..v1::Execution::default()
        };
        let mask = FieldMask {
            paths: vec!["input".to_owned()],
        };
        assert!(masked(large.clone(), Some(&mask)).is_ok());
        let fault = masked(large, None).unwrap_err();
        assert!(matches!(fault, Fault::AnswerTooLarge { .. }), "{fault}");
    }
}
