//! Writes what `cargo build` must not need a compiler for: the Rust stubs and the descriptor set.
//!
//! Owns how Rust is generated from `proto/autan/v1`. Left to others: the meaning of the files (the
//! `.proto` files themselves) and the other languages (`generate.sh` calls their own scripts).

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use prost::Message;

/// Folder of the package inside the include path.
const PACKAGE_DIR: &str = "autan/v1";

fn main() -> Result<()> {
    let proto_dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("the generator lives in a folder of proto/")?;
    let descriptor = compile(proto_dir)?;
    fs::write(proto_dir.join("descriptor.binpb"), &descriptor).context("writing the descriptor")?;
    write_stubs(&descriptor, &proto_dir.join("src/gen"))
}

/// Compiles every file of the package, with the comments: reflection shows them to people.
fn compile(proto_dir: &Path) -> Result<Vec<u8>> {
    let mut files: Vec<_> = fs::read_dir(proto_dir.join(PACKAGE_DIR))
        .context("listing the .proto files")?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|ext| ext == "proto"));
    // The order of a directory listing is not defined; the output must be.
    files.sort();

    let mut compiler = protox::Compiler::new([proto_dir])?;
    compiler.include_imports(true).include_source_info(true);
    for file in &files {
        compiler.open_file(file)?;
    }
    Ok(compiler.encode_file_descriptor_set())
}

/// Writes messages, clients and servers.
fn write_stubs(descriptor: &[u8], out_dir: &Path) -> Result<()> {
    let descriptor = prost_types::FileDescriptorSet::decode(descriptor)?;
    fs::create_dir_all(out_dir)?;
    tonic_prost_build::configure()
        // Payload bytes are shared with the received buffer instead of copied.
        .bytes(".")
        // Maps are encoded and printed in one order.
        .btree_map(".")
        // Channels are made by the caller, who knows about TLS and timeouts.
        .build_transport(false)
        .emit_rerun_if_changed(false)
        .out_dir(out_dir)
        .compile_fds(descriptor)
        .context("generating the stubs")
}
