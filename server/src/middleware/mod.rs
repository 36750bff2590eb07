//! Layers round the services: what happens to every call, whatever it asks for.
//!
//! One layer a file, each an async function from a request and the rest of the stack to a response.
//! They know HTTP and gRPC's headers, and nothing of what the services do.

mod catch_panic;
mod deadline;
mod explain;
mod forward;
mod methods;
mod request_id;
mod trace;

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use tonic::body::Body;
use tower::layer::util::{Identity, Stack};
use tower::{Layer, Service};

use catch_panic::CatchPanic;
use deadline::Deadline;
use explain::Explain;
use forward::Forward;
use request_id::RequestId;
use trace::Trace;

use crate::cluster::Cluster;

/// A call as it comes in.
pub(crate) type Request = http::Request<Body>;

/// Its answer.
pub(crate) type Response = http::Response<Body>;

/// All layers; the first is the outermost.
pub(crate) fn stack(cluster: Cluster) -> Layers {
    let stack = Identity::new();
    // Known before anything is logged.
    let stack = inside(stack, RequestId);
    // Sees every answer, also those of the layers inside it.
    let stack = inside(stack, Trace::new());
    // A panic ends its call with a status that is logged; the connection goes on.
    let stack = inside(stack, CatchPanic);
    // Errors that the transport makes up get a reason, as ours have.
    let stack = inside(stack, Explain);
    // The time that is left is for the service, wherever it is.
    let stack = inside(stack, Deadline::new());
    // Innermost: what happens to a call happens where it was made.
    inside(stack, Forward::new(cluster))
}

/// The type of [`stack`], from the inside out.
pub(crate) type Layers = Stack<Wrap<Forward>, Stack<Wrap<Deadline>, Outside>>;

/// Layers of every call, wherever it is answered.
type Outside = Stack<Wrap<Explain>, Stack<Wrap<CatchPanic>, Stack<Wrap<Trace>, Outermost>>>;

/// The outermost layer.
type Outermost = Stack<Wrap<RequestId>, Identity>;

/// Puts a layer inside those that stand already.
fn inside<M, L>(outside: L, middleware: M) -> Stack<Wrap<M>, L> {
    Stack::new(Wrap(middleware), outside)
}

/// What one layer does.
pub(crate) trait Middleware: Clone + Send + Sync + 'static {
    /// Answers a call, most often by asking the rest of the stack.
    fn handle<S: Inner>(
        self,
        request: Request,
        rest: Rest<S>,
    ) -> impl Future<Output = Response> + Send;
}

/// A service that always answers.
pub(crate) trait Inner:
    Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<S> Inner for S where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static
{
}

/// The layers and the service inside a layer.
#[derive(Clone)]
pub(crate) struct Rest<S>(S);

impl<S: Inner> Rest<S> {
    async fn answer(mut self, request: Request) -> Response {
        match self.0.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// A layer that does what a middleware says.
#[derive(Clone)]
pub(crate) struct Wrap<M>(M);

impl<M: Clone, S> Layer<S> for Wrap<M> {
    type Service = Wrapped<M, S>;

    fn layer(&self, inner: S) -> Wrapped<M, S> {
        Wrapped {
            middleware: self.0.clone(),
            inner,
        }
    }
}

/// A service inside a layer.
#[derive(Clone)]
pub(crate) struct Wrapped<M, S> {
    middleware: M,
    inner: S,
}

impl<M: Middleware, S: Inner> Service<Request> for Wrapped<M, S> {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The service that was found ready is the one to call; its clone waits for the next turn.
        let clone = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, clone);
        let middleware = self.middleware.clone();
        Box::pin(async move { Ok(middleware.handle(request, Rest(ready)).await) })
    }
}
