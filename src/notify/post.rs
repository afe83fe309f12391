//! One HTTP client for all receivers: rustls with the system's roots, short patience, no redirects, no addresses in errors.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

use super::NotifyError;
use crate::secret::Secret;

/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Speaks HTTP.
#[derive(Debug, Clone)]
pub struct Poster {
    client: Client,
}

impl Poster {
    /// A client that trusts the system's certificate authorities.
    pub fn new() -> Result<Self, NotifyError> {
        let mut roots = RootCertStore::empty();
        // Without any root every https receiver is refused, which is told when it is tried.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let failed = |error: &dyn std::fmt::Display| NotifyError::Client(error.to_string());
        // The provider is named here: a process-wide default would be global state.
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(&error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(Policy::none())
            .timeout(PATIENCE)
            .user_agent(concat!("guard/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self { client: client.map_err(|error| failed(&error.without_url()))? })
    }

    /// Posts JSON.
    pub(super) async fn post(&self, url: &Secret, headers: &[(&str, String)], body: Bytes) -> Result<(), NotifyError> {
        let request = self.client.post(url.expose()).header("content-type", "application/json").body(body);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        check(request.send().await)
    }

    /// Asks for a page and forgets it.
    pub(super) async fn touch(&self, url: &str) -> Result<(), NotifyError> {
        check(self.client.get(url).send().await)
    }
}

fn check(answer: Result<Response, reqwest::Error>) -> Result<(), NotifyError> {
    let answer = answer.map_err(|error| NotifyError::Unreachable(reason(&error.without_url())))?;
    if answer.status().is_success() {
        return Ok(());
    }
    Err(NotifyError::Refused { status: answer.status().as_u16() })
}

/// The innermost reason; the outer ones say only that a request was sent.
fn reason(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
