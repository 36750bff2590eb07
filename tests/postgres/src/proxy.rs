//! A proxy between a server under test and its database, which loses answers when told to.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// A proxy on 127.0.0.1. It forwards until the process ends.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    loses_answer: Arc<AtomicBool>,
}

impl Proxy {
    /// Forwards to a port on 127.0.0.1.
    pub fn start(to: u16) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let loses_answer = Arc::new(AtomicBool::new(false));
        let loses = loses_answer.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // Who cannot be connected is dropped, and sees it.
                if let Ok(server) = TcpStream::connect(("127.0.0.1", to)) {
                    let _ = forward(client, server, &loses);
                }
            }
        });
        Ok(Self {
            address,
            loses_answer,
        })
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Lets the next request through, but not its answer: the connection breaks instead.
    pub fn lose_next_answer(&self) {
        self.loses_answer.store(true, Ordering::Release);
    }

    /// Whether an answer is still to be lost.
    pub fn is_waiting(&self) -> bool {
        self.loses_answer.load(Ordering::Acquire)
    }
}

fn forward(client: TcpStream, server: TcpStream, loses: &Arc<AtomicBool>) -> io::Result<()> {
    let (from_client, to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || copy(from_client, to_server, || false));
    let loses = loses.clone();
    thread::spawn(move || copy(server, client, move || loses.swap(false, Ordering::AcqRel)));
    Ok(())
}

/// Copies until one end closes, or what was just read is not to be passed on; then closes both.
fn copy(mut from: TcpStream, mut to: TcpStream, is_lost: impl Fn() -> bool) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if is_lost() || to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    // An end that is closed already needs no closing.
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
