//! Pages of lists: sizes, opaque tokens, and the bound in bytes.
//!
//! A token holds the key of the last row, and a hash of the other arguments of its request: it is
//! good for the same list only, and gives no right that its bearer would not have.

use std::sync::Arc;

use engine::ExecutionUid;
use prost::Message;
use sha2::{Digest, Sha256};
use store::{DefinitionName, Page, Slice};
use uuid::Uuid;

use super::answer;
use super::convert::definition::hex;
use super::fault::Fault;

/// Rows of a page if the request does not say.
const SIZE_DEFAULT: u32 = 50;

/// Most rows of a page.
pub(crate) const SIZE_MAX: u32 = 1000;

/// Most bytes of a page: below what gRPC clients take without being asked to take more.
pub(crate) const BYTES_MAX: usize = 3 << 20;

/// Form of the tokens; another form gets another number.
const VERSION: u8 = 1;

/// Bytes of the hash of the other arguments.
const HASH_BYTES: usize = 8;

/// A request for a list.
pub(crate) trait ListRequest: Message + Clone + Default {
    /// Size and token, which may change from page to page.
    fn page(&mut self) -> (&mut i32, &mut String);
}

macro_rules! list_requests {
    ($($request:ident),*) => {$(
        impl ListRequest for proto::v1::$request {
            fn page(&mut self) -> (&mut i32, &mut String) {
                (&mut self.page_size, &mut self.page_token)
            }
        }
    )*};
}

list_requests!(
    ListExecutionsRequest,
    ListHistoryEventsRequest,
    ListTaskExecutionsRequest,
    ListActionExecutionsRequest,
    ListWorkflowsRequest,
    ListWorkflowRevisionsRequest,
    ListWorkbooksRequest,
    ListActionsRequest,
    ListActionRevisionsRequest,
    ListEnvironmentsRequest,
    ListBatchOperationsRequest,
    ListWorkersRequest,
    ListQueuesRequest
);

/// A place in a list.
pub(crate) trait Key: Sized {
    fn to_bytes(&self) -> Vec<u8>;
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

/// The page that a request asks for, and what its next token needs.
pub(crate) struct Paging<K> {
    hash: [u8; HASH_BYTES],
    /// What the store is asked for.
    pub(crate) page: Page<K>,
}

impl<K: Key> Paging<K> {
    /// Reads size and token of a request.
    pub(crate) fn of(request: &impl ListRequest) -> Result<Self, Fault> {
        let mut rest = request.clone();
        let (size, token) = rest.page();
        let (size, token) = (std::mem::take(size), std::mem::take(token));
        let hash = hash(&rest);
        let limit = match size {
            0 => SIZE_DEFAULT,
            1.. => size.unsigned_abs().min(SIZE_MAX),
            _ => return Err(Fault::field("page_size", "must not be negative")),
        };
        let after = if token.is_empty() {
            None
        } else {
            Some(decode(&token, hash)?)
        };
        Ok(Self {
            hash,
            page: Page {
                after,
                limit,
                max_bytes: BYTES_MAX,
            },
        })
    }

    /// The token of the page after one whose last row has this key.
    pub(crate) fn token(&self, last: &K) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(self.hash);
        bytes.extend(last.to_bytes());
        hex(&bytes)
    }

    /// Converts rows until the page is full; gives it with the token of the next one.
    pub(crate) fn fill<R, W: Message, E: From<Fault>>(
        &self,
        slice: Slice<R>,
        key: impl Fn(&R) -> K,
        mut convert: impl FnMut(R) -> Result<W, E>,
    ) -> Result<(Vec<W>, String), E> {
        let mut wires = Vec::with_capacity(slice.rows.len());
        let mut last = None;
        let mut bytes = 0;
        for row in slice.rows {
            let place = key(&row);
            let wire = match (answer::fitting(convert(row)?), &last) {
                (Ok(wire), _) => wire,
                // What comes before a row that no message holds is a page of its own.
                (Err(_), Some(last)) => return Ok((wires, self.token(last))),
                (Err(fault), None) => return Err(fault.into()),
            };
            bytes += wire.encoded_len();
            if let Some(last) = last.filter(|_| bytes > BYTES_MAX) {
                return Ok((wires, self.token(&last)));
            }
            wires.push(wire);
            last = Some(place);
        }
        let token = last.filter(|_| slice.more).map(|last| self.token(&last));
        Ok((wires, token.unwrap_or_default()))
    }
}

fn hash(request: &impl Message) -> [u8; HASH_BYTES] {
    let digest = Sha256::digest(request.encode_to_vec());
    std::array::from_fn(|place| digest[place])
}

fn decode<K: Key>(token: &str, hash: [u8; HASH_BYTES]) -> Result<K, Fault> {
    const MALFORMED: Fault = Fault::InvalidPageToken("is malformed");
    let bytes = unhex(token).ok_or(MALFORMED)?;
    let (head, key) = bytes.split_at_checked(1 + HASH_BYTES).ok_or(MALFORMED)?;
    if head[0] != VERSION {
        return Err(MALFORMED);
    }
    if head[1..] != hash {
        return Err(Fault::InvalidPageToken(
            "belongs to a request with other arguments",
        ));
    }
    K::from_bytes(key).ok_or(MALFORMED)
}

pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16));
    pairs.collect::<Result<_, _>>().ok()
}

impl Key for ExecutionUid {
    fn to_bytes(&self) -> Vec<u8> {
        self.0.as_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Uuid::from_slice(bytes).ok().map(Self)
    }
}

/// Number of a task, or of a revision.
impl Key for u32 {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_be_bytes)
    }
}

impl Key for i32 {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_be_bytes)
    }
}

/// Name of an environment.
impl Key for Arc<str> {
    fn to_bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        std::str::from_utf8(bytes).ok().map(Self::from)
    }
}

/// Sequence of an event.
impl Key for i64 {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_be_bytes)
    }
}

/// Numbers of a task and of its action.
impl Key for (u32, u32) {
    fn to_bytes(&self) -> Vec<u8> {
        [self.0.to_bytes(), self.1.to_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (task, action) = bytes.split_at_checked(4)?;
        Some((u32::from_bytes(task)?, u32::from_bytes(action)?))
    }
}

/// Neither part holds control characters, so NUL divides them.
impl Key for DefinitionName {
    fn to_bytes(&self) -> Vec<u8> {
        [self.name.as_bytes(), &[0], self.namespace.as_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (name, namespace) = std::str::from_utf8(bytes).ok()?.split_once('\0')?;
        Some(Self {
            name: Arc::from(name),
            namespace: Arc::from(namespace),
        })
    }
}

#[cfg(test)]
mod tests {
    use proto::v1::{Execution, ListExecutionsRequest};

    use super::*;

    fn request(filter: &str, page_size: i32, page_token: &str) -> ListExecutionsRequest {
        let (filter, page_token) = (filter.to_owned(), page_token.to_owned());
        ListExecutionsRequest {
            filter,
            page_size,
            page_token,
            ..Default::default()
        }
    }

    fn token_of(filter: &str, last: u32) -> String {
        Paging::<u32>::of(&request(filter, 1, ""))
            .unwrap()
            .token(&last)
    }

    #[test]
    fn sizes_have_a_default_and_a_maximum() {
        for (size, expected) in [(0, Some(50)), (7, Some(7)), (5000, Some(1000)), (-1, None)] {
            let paging = Paging::<u32>::of(&request("", size, ""));
            assert_eq!(
                paging.ok().map(|paging| paging.page.limit),
                expected,
                "{size}"
            );
        }
    }

    #[test]
    fn tokens_belong_to_their_request() {
        let token = token_of("state = ERROR", 7);
        let old = format!("00{}", &token[2..]);
        for (filter, size, token, expected) in [
            ("state = ERROR", 1, &*token, Ok(Some(7))),
            // The size may change from page to page.
            ("state = ERROR", 9, &token, Ok(Some(7))),
            ("state = IDLE", 1, &token, Err("other arguments")),
            ("state = ERROR", 1, &old, Err("malformed")),
            (
                "state = ERROR",
                1,
                &token[..token.len() - 2],
                Err("malformed"),
            ),
            ("state = ERROR", 1, "xyz", Err("malformed")),
            ("state = ERROR", 1, "ß", Err("malformed")),
        ] {
            let found = Paging::<u32>::of(&request(filter, size, token));
            match (found.map(|paging| paging.page.after), expected) {
                (Ok(after), Ok(expected)) => assert_eq!(after, expected),
                (Err(fault), Err(part)) => assert!(fault.to_string().contains(part), "{fault}"),
                (found, _) => panic!("{token}: {found:?}"),
            }
        }
    }

    #[test]
    fn keys_survive_a_token() {
        fn check<K: Key + PartialEq + std::fmt::Debug>(key: K) {
            assert_eq!(K::from_bytes(&key.to_bytes()), Some(key));
        }
        check(ExecutionUid(Uuid::from_u128(7)));
        check(7u32);
        check(-7i32);
        check(i64::MAX);
        check((1u32, u32::MAX));
        check(DefinitionName {
            name: "größe.x".into(),
            namespace: "".into(),
        });
    }

    #[test]
    fn pages_are_bounded_in_bytes() {
        let paging = Paging::<u32>::of(&request("", 10, "")).unwrap();
        let row = |bytes: usize| Execution {
            description: "x".repeat(bytes),
            ..Default::default()
        };
        for (sizes, more, expected) in [
            (vec![10, 10], false, (2, None)),
            (vec![10, 10], true, (2, Some(1))),
            (vec![2 << 20, 2 << 20, 10], false, (1, Some(0))),
            // The first row always comes, if a message can hold it.
            (vec![7 << 19, 10], false, (1, Some(0))),
            (vec![10, 5 << 20, 10], false, (1, Some(0))),
            (vec![], false, (0, None)),
        ] {
            let rows = (0u32..).zip(sizes).collect();
            let (page, token) = paging
                .fill(
                    Slice { rows, more },
                    |row| row.0,
                    |(_, size)| Ok::<_, Fault>(row(size)),
                )
                .unwrap();
            let last = (!token.is_empty()).then(|| {
                Paging::<u32>::of(&request("", 10, &token))
                    .unwrap()
                    .page
                    .after
                    .unwrap()
            });
            assert_eq!((page.len(), last), expected);
        }
        let rows = vec![(0u32, 5 << 20)];
        let page = paging.fill(
            Slice { rows, more: false },
            |row| row.0,
            |(_, size)| Ok::<_, Fault>(row(size)),
        );
        let fault = page.expect_err("no message holds it").to_string();
        assert!(fault.contains("BASIC view"), "{fault}");
    }
}
