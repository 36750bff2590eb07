//! Sending: one hop after the other, each checked against the egress policy, until there is an
//! answer that is none of the redirects to follow. The time limit is left to the caller.

use bytes::{Bytes, BytesMut};
use http::header::{
    AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION,
};
use http::{Method, StatusCode};
use reqwest::{Response, Url};
use tokio::time::Instant;

use super::Http;
use super::answer::{Answer, Hop, reason_of};
use super::clients::Kind;
use super::cookies::Jar;
use super::error::Problem;
use super::request::{Auth, Request};

/// Most redirects that are followed, as in the library that Mistral uses.
const REDIRECTS_MAX: usize = 30;

/// Headers that describe a body and go with it.
const OF_BODY: [HeaderName; 3] = [
    CONTENT_TYPE,
    http::header::CONTENT_ENCODING,
    http::header::CONTENT_LANGUAGE,
];

/// Headers that are meant for one host only.
const OF_HOST: [HeaderName; 4] = [
    AUTHORIZATION,
    COOKIE,
    HOST,
    http::header::PROXY_AUTHORIZATION,
];

impl Http {
    /// Sends the request and what it is redirected to.
    pub(super) async fn exchange(&self, mut request: Request) -> Result<Answer, Problem> {
        let mut jar = Jar::new(std::mem::take(&mut request.cookies), &request.url);
        let mut history = Vec::new();
        loop {
            let started = Instant::now();
            let response = self.send(&request, &jar).await?;
            let elapsed = started.elapsed();
            jar.take(&request.url, response.headers());
            let Some(to) = redirect_of(&request, &response)? else {
                let (status, reason) = (response.status(), reason_of(&response));
                let headers = response.headers().clone();
                let body = self.read_body(response).await?;
                let url = request.url;
                return Ok(Answer {
                    url,
                    status,
                    reason,
                    headers,
                    body,
                    history,
                    elapsed,
                });
            };
            if history.len() >= REDIRECTS_MAX {
                return Err(Problem::TooManyRedirects { max: REDIRECTS_MAX });
            }
            history.push(Hop::of(&request.url, &response));
            turn_to(&mut request, to, response.status());
        }
    }

    /// One hop.
    async fn send(&self, request: &Request, jar: &Jar) -> Result<Response, Problem> {
        let url = &request.url;
        self.policy.check_url(url)?;
        if let Some(host) = request.headers.get(HOST) {
            // A front that serves many hosts goes by this header, so it must be allowed as well.
            self.policy.check_host(host_of_header(host))?;
        }
        let proxy = request.proxy_for(url);
        if let Some(proxy) = proxy {
            self.policy.check_url(proxy)?;
            self.policy
                .check_remote_name(url.host_str().unwrap_or_default())
                .await?;
        }
        let verify = request.verify && is_tls(url, proxy);
        let client = self.clients.get(&Kind {
            verify,
            proxy: proxy.cloned(),
        })?;
        let mut headers = request.headers.clone();
        if !headers.contains_key(COOKIE)
            && let Some(cookies) = jar
                .header(url)
                .and_then(|text| HeaderValue::try_from(text).ok())
        {
            headers.insert(COOKIE, cookies);
        }
        let mut outgoing = client
            .request(request.method.clone(), url.clone())
            .headers(headers);
        if let Some(Auth { user, password }) = &request.auth {
            outgoing = outgoing.basic_auth(user, password.as_ref());
        }
        if let Some(body) = &request.body {
            outgoing = outgoing.body(body.clone());
        }
        Ok(outgoing.send().await?)
    }

    async fn read_body(&self, mut response: Response) -> Result<Bytes, Problem> {
        let max = self.response_bytes_max;
        let too_large = |bytes: u64| bytes > u64::try_from(max).unwrap_or(u64::MAX);
        if response.content_length().is_some_and(too_large) {
            return Err(Problem::TooLarge { max });
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > max {
                return Err(Problem::TooLarge { max });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }
}

/// Whether certificates matter on the way to `url`.
fn is_tls(url: &Url, proxy: Option<&Url>) -> bool {
    url.scheme() == "https" || proxy.is_some_and(|proxy| proxy.scheme() == "https")
}

/// The host of a `Host` header, without the port.
fn host_of_header(value: &HeaderValue) -> &str {
    let text = value.to_str().unwrap_or_default();
    match text.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => host,
        _ => text,
    }
}

/// Where the answer sends the request to, if it is to be followed.
fn redirect_of(request: &Request, response: &Response) -> Result<Option<Url>, Problem> {
    let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let Some(location) = response.headers().get(LOCATION) else {
        return Ok(None);
    };
    if !is_redirect || !request.follow {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(location.as_bytes());
    let wrong = |reason: String| Problem::Url {
        url: text.clone().into_owned(),
        reason,
    };
    let mut url = request
        .url
        .join(&text)
        .map_err(|error| wrong(error.to_string()))?;
    if url.fragment().is_none() {
        url.set_fragment(request.url.fragment());
    }
    Ok(Some(url))
}

/// Makes the request the one of the next hop, as browsers do it.
fn turn_to(request: &mut Request, mut to: Url, status: StatusCode) {
    let keeps_body = matches!(status.as_u16(), 307 | 308);
    if becomes_get(status, &request.method) {
        request.method = Method::GET;
    }
    if !keeps_body {
        request.body = None;
        remove_all(&mut request.headers, &OF_BODY);
    }
    if leaves(&request.url, &to) {
        request.auth = None;
        remove_all(&mut request.headers, &OF_HOST);
    }
    // Who redirects does not get to say as whom.
    let _ = to.set_username("");
    let _ = to.set_password(None);
    request.url = to;
}

fn becomes_get(status: StatusCode, method: &Method) -> bool {
    match status.as_u16() {
        301 => method == Method::POST,
        302 | 303 => method != Method::HEAD,
        _ => false,
    }
}

/// Whether secrets for `from` are not meant for `to`: another host, port or scheme. Only the step
/// up to https at the usual ports keeps them.
fn leaves(from: &Url, to: &Url) -> bool {
    let place = |url: &Url| (url.scheme().to_owned(), url.port_or_known_default());
    let upgrade =
        (place(from), place(to)) == (("http".into(), Some(80)), ("https".into(), Some(443)));
    from.host_str() != to.host_str() || (place(from) != place(to) && !upgrade)
}

fn remove_all(headers: &mut HeaderMap, names: &[HeaderName]) {
    for name in names {
        headers.remove(name);
    }
}
