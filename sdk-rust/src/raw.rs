//! The way round this SDK: generated clients and their channel.
//!
//! Owns nothing; re-exports what the SDK itself uses. Its version is that of the contract and of
//! `tonic`, not that of this crate: code that uses it may need changes with any release.

pub use proto::v1;
pub use tonic;

use crate::client::Client;

/// The channel of unary calls, for a generated client such as
/// `raw::v1::execution_service_client::ExecutionServiceClient`. Calls made with it carry no token,
/// no deadline and no request id, and are not repeated.
pub fn channel(client: &Client) -> tonic::transport::Channel {
    client.transport().channel()
}
