//! The contract of Autan: messages, clients and servers of `autan.v1`, and their descriptors.
//!
//! Owns the Rust face of the `.proto` files beside it. Left to others: what the calls do (`server`)
//! and how they are comfortable to make (`autan`, the SDK). The stubs are generated, checked in and
//! never edited: `proto/generate.sh` writes them again after a change of the contract, so that
//! building needs no protobuf compiler.

/// Package `autan.v1`.
#[expect(
    clippy::pedantic,
    clippy::use_self,
    clippy::allow_attributes,
    unused_qualifications,
    reason = "generated; the style of the generators is not ours"
)]
pub mod v1 {
    include!("gen/autan.v1.rs");
}

/// The serialised `FileDescriptorSet` of the package and its imports, with comments, for server
/// reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("../descriptor.binpb");
