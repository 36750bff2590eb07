//! One stream to the server.
//!
//! Owns opening it and passing on what comes. Left to others: what is said over it and when it is
//! given up (`mod`).

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::stream;
use proto::v1::worker_service_client::WorkerServiceClient;
use proto::v1::{ConnectRequest, ConnectResponse, Hello};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tonic::transport::Channel;

use crate::error::RpcError;
use crate::transport::Transport;

/// What comes from a stream of this number.
pub(super) enum Arrival {
    Message(u64, Box<ConnectResponse>),
    /// It has ended, well if there is no error.
    Closed(u64, Option<Box<RpcError>>),
}

pub(super) struct Link {
    pub(super) id: u64,
    /// What is said; gone when the worker has nothing more to say.
    pub(super) sender: Option<mpsc::Sender<ConnectRequest>>,
    pub(super) opened: Instant,
    /// When the server has welcomed us.
    pub(super) welcomed: Option<Instant>,
    pub(super) heard: Instant,
    /// When all leases were last renewed.
    pub(super) renewed: Instant,
    /// Tasks that the server may send besides, of each queue.
    pub(super) credits: BTreeMap<String, usize>,
    /// Whether the server is to be told that no more tasks are wanted.
    pub(super) drain_due: bool,
    reader: JoinHandle<()>,
}

impl Link {
    /// Opens a stream in the background.
    pub(super) fn open(
        id: u64,
        channel: Channel,
        transport: &Arc<Transport>,
        hello: Hello,
        arrivals: mpsc::Sender<Arrival>,
    ) -> Self {
        // A message waits here at most until the one before it is on its way; the next ones gather.
        let (sender, receiver) = mpsc::channel(1);
        let first = ConnectRequest {
            hello: Some(hello),
            ..ConnectRequest::default()
        };
        sender
            .try_send(first)
            .expect("there is room for one message");
        let transport = transport.clone();
        let reader = tokio::spawn(async move {
            let end = read(id, channel, &transport, receiver, &arrivals).await;
            // A session that is gone needs no news.
            let _ = arrivals.send(Arrival::Closed(id, end)).await;
        });
        let now = Instant::now();
        Self {
            id,
            sender: Some(sender),
            opened: now,
            welcomed: None,
            heard: now,
            renewed: now,
            credits: BTreeMap::new(),
            drain_due: false,
            reader,
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

async fn read(
    id: u64,
    channel: Channel,
    transport: &Arc<Transport>,
    receiver: mpsc::Receiver<ConnectRequest>,
    arrivals: &mpsc::Sender<Arrival>,
) -> Option<Box<RpcError>> {
    let outbound = stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|message| (message, receiver))
    });
    // The server keeps to its own limits; many tasks may come in one message.
    let mut client = WorkerServiceClient::new(channel).max_decoding_message_size(usize::MAX);
    let mut inbound = match client.connect(transport.request(outbound)).await {
        Ok(response) => response.into_inner(),
        Err(status) => return Some(Box::new(RpcError::from_status(&status))),
    };
    loop {
        match inbound.message().await {
            Ok(Some(message)) => {
                let arrival = Arrival::Message(id, Box::new(message));
                if arrivals.send(arrival).await.is_err() {
                    return None;
                }
            }
            Ok(None) => return None,
            Err(status) => return Some(Box::new(RpcError::from_status(&status))),
        }
    }
}
