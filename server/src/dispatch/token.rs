//! Tokens: the names of leases, as workers have them. Each says of itself which lease it names, and
//! none can be made up.

use std::fmt::Write as _;

use engine::ActionId;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Bytes of the signature that a token carries.
const SIGNATURE_BYTES: usize = 12;

/// What signs tokens; the same for the life of a database.
#[derive(Clone)]
pub(super) struct Key(Hmac<Sha256>);

/// What a token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// Which action execution.
    pub(crate) action: ActionId,
    /// How many leases of it were lost before.
    pub(crate) lost: u32,
    /// Number of the lease.
    pub(crate) lease: u64,
}

impl Key {
    pub(super) fn new(secret: &[u8]) -> Self {
        Self(Hmac::new_from_slice(secret).expect("a key may have any length"))
    }

    pub(super) fn write(&self, token: Token) -> String {
        let mut text = format!("{}.{}.{:x}.", token.action, token.lost, token.lease);
        let signature = self.signature(&text);
        text.push_str(&signature);
        text
    }

    /// What a token says, if it is one of ours.
    pub(super) fn read(&self, text: &str) -> Option<Token> {
        let (signed, signature) = text.split_at_checked(text.rfind('.')? + 1)?;
        // Whoever can measure how long this takes learns nothing that opens anything: a token is
        // of use for one task only, and only while that runs.
        if self.signature(signed) != signature {
            return None;
        }
        let mut parts = signed.split('.');
        Some(Token {
            action: parts.next()?.parse().ok()?,
            lost: parts.next()?.parse().ok()?,
            lease: u64::from_str_radix(parts.next()?, 16).ok()?,
        })
    }

    fn signature(&self, text: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(text.as_bytes());
        let mut signature = String::with_capacity(SIGNATURE_BYTES * 2);
        for byte in &mac.finalize().into_bytes()[..SIGNATURE_BYTES] {
            write!(signature, "{byte:02x}").expect("a string takes all text");
        }
        signature
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_what_it_was_made_of_and_no_other_is_read() {
        let key = Key::new(b"secret");
        let token = Token {
            action: "0190f5a2-7a3c-7000-8000-000000000000-t3-a12"
                .parse()
                .unwrap(),
            lost: 2,
            lease: 0xfeed_beef,
        };
        let text = key.write(token);
        assert_eq!(key.read(&text), Some(token));
        assert!(text.len() <= 255, "{text}");
        assert_eq!(Key::new(b"other").read(&text), None);
        for wrong in [
            "",
            ".",
            "x",
            &text[1..],
            &text[..text.len() - 1],
            &text.replace("-a12.2.", "-a12.3."),
        ] {
            assert_eq!(key.read(wrong), None, "{wrong}");
        }
    }
}
