//! Trying an expression out over given data.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use proto::v1::EvaluateExpressionRequest;
use proto::v1::evaluate_expression_response::Result as Outcome;
use proto::v1::workflow_service_client::WorkflowServiceClient;
use serde::Serialize;

use crate::error::Error;
use crate::payload::Payload;
use crate::transport::Transport;

/// How the text of an expression is to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExpressionLanguage {
    /// As in a document: expressions in `<% %>` or `{{ }}`, with or without text around them.
    #[default]
    Template,
    /// One YAQL expression without `<% %>`.
    Yaql,
    /// One Jinja2 expression without `{{ }}`.
    Jinja,
}

/// An evaluation in preparation; await it to send it.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct EvaluateExpression {
    transport: Arc<Transport>,
    request: EvaluateExpressionRequest,
}

impl EvaluateExpression {
    pub(crate) fn new(transport: Arc<Transport>, expression: String) -> Self {
        let request = EvaluateExpressionRequest {
            project: transport.project(),
            expression,
            ..EvaluateExpressionRequest::default()
        };
        Self { transport, request }
    }

    /// How to read the text.
    pub fn language(mut self, language: ExpressionLanguage) -> Self {
        self.request.language = match language {
            ExpressionLanguage::Template => proto::v1::ExpressionLanguage::Unspecified,
            ExpressionLanguage::Yaql => proto::v1::ExpressionLanguage::Yaql,
            ExpressionLanguage::Jinja => proto::v1::ExpressionLanguage::Jinja,
        }
        .into();
        self
    }

    /// What `$` and `_` are: anything that serde writes as JSON.
    pub fn context(mut self, context: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        self.request.context = Some(Payload::encode(context, "the context")?.into_proto());
        Ok(self)
    }

    /// What `env()` gives: anything that serde writes as a JSON object.
    pub fn env(mut self, env: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        self.request.env = Some(Payload::encode(env, "the environment")?.into_proto());
        Ok(self)
    }
}

impl IntoFuture for EvaluateExpression {
    type Output = Result<Payload, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let answer = self
                .transport
                .unary(self.request, |channel, request| async move {
                    WorkflowServiceClient::new(channel)
                        .evaluate_expression(request)
                        .await
                })
                .await?;
            match answer.result {
                Some(Outcome::Value(value)) => Ok(value.into()),
                Some(Outcome::Error(error)) => {
                    Err(Error::Expression(Box::new(ExpressionError::from(error))))
                }
                None => Err(Error::Incomplete { field: "result" }),
            }
        })
    }
}

/// A fault of an expression, with its place in the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ExpressionError {
    /// For people.
    pub message: String,
    /// Whether the text does not parse; otherwise its evaluation failed.
    pub syntax: bool,
    /// Where it begins, in characters from 0.
    pub offset: i32,
    /// Length in characters; 0 if only the beginning is known.
    pub length: i32,
    /// Line from 1.
    pub line: i32,
    /// Column in characters from 1.
    pub column: i32,
    /// The line with carets below, several lines of text.
    pub excerpt: String,
}

impl From<proto::v1::ExpressionError> for ExpressionError {
    fn from(error: proto::v1::ExpressionError) -> Self {
        Self {
            message: error.message,
            syntax: error.syntax,
            offset: error.offset,
            length: error.length,
            line: error.line,
            column: error.column,
            excerpt: error.excerpt,
        }
    }
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for ExpressionError {}
