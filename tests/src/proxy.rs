//! A network that a test can cut.
//!
//! Connections to the proxy are passed on byte by byte. While it is cut nothing passes and nothing
//! is closed: as if a cable were pulled. What was sent meanwhile comes when it is mended.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Bytes that are passed on at a time.
const PIECE: usize = 16 << 10;

/// A proxy; its connections end with it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    passes: watch::Sender<bool>,
    _accepting: JoinSet<()>,
}

impl Proxy {
    /// Passes connections on to `host:port`.
    pub async fn start(target: &str) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (passes, passing) = watch::channel(true);
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, target.to_owned(), passing));
        Ok(Self {
            address,
            passes,
            _accepting: accepting,
        })
    }

    /// Host and port.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// From now on nothing passes.
    pub fn cut(&self) {
        self.passes.send_replace(false);
    }

    /// Everything passes again, first what has waited.
    pub fn mend(&self) {
        self.passes.send_replace(true);
    }
}

async fn accept(listener: TcpListener, target: String, passing: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        let (target, passing) = (target.clone(), passing.clone());
        connections.spawn(async move {
            // One that fails is over for both sides, as a connection is.
            let _ = connect(near, &target, passing).await;
        });
    }
}

async fn connect(near: TcpStream, target: &str, passing: watch::Receiver<bool>) -> io::Result<()> {
    let far = TcpStream::connect(target).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = far.into_split();
    tokio::try_join!(
        pass(near_read, far_write, passing.clone()),
        pass(far_read, near_write, passing),
    )?;
    Ok(())
}

/// Passes one direction on until it ends.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut passing: watch::Receiver<bool>,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let count = from.read(&mut piece).await?;
        if passing.wait_for(|passes| *passes).await.is_err() {
            return Ok(());
        }
        if count == 0 {
            return to.shutdown().await;
        }
        to.write_all(&piece[..count]).await?;
    }
}
