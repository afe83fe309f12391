//! Who may ask: the bearer token, compared in constant time, and the defence of a server that has none.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, HOST, HeaderMap, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq as _;

use super::board::Board;
use crate::secret::Secret;

/// What decides about a request before it is routed.
#[derive(Clone)]
pub(super) struct Access {
    pub(super) board: Arc<Board>,
    /// Whether the server listens on loopback.
    pub(super) loopback: bool,
}

impl Access {
    /// The answer to a request that is not let through.
    pub(super) fn refusal(&self, request: &Request) -> Option<Response> {
        // Probes of orchestrators send no token; they learn a word and no reasons.
        if matches!(request.uri().path(), "/healthz" | "/readyz") {
            return None;
        }
        let token = self.board.token();
        if !permits(token, request.headers()) {
            let challenge = [(WWW_AUTHENTICATE, "Basic realm=\"guard\", charset=\"UTF-8\"")];
            let text = "a token is needed: Authorization: Bearer TOKEN, or any user name with the token as password\n";
            return Some((StatusCode::UNAUTHORIZED, challenge, text).into_response());
        }
        // A web page of somebody else may point its own name at 127.0.0.1 and read what the browser fetches.
        if token.is_none() && self.loopback && !is_local(request.headers()) {
            let text =
                "this server listens on loopback without a token: ask it as localhost or by address, or set a token\n";
            return Some((StatusCode::MISDIRECTED_REQUEST, text).into_response());
        }
        None
    }
}

/// Whether a request may be answered in full: no token is set, or it has the token, as `Bearer` or as the password of
/// `Basic`, which is what a browser asks for.
pub(super) fn permits(token: Option<&Secret>, headers: &HeaderMap) -> bool {
    let Some(token) = token else { return true };
    let Some(said) = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()) else { return false };
    let Some((scheme, rest)) = said.split_once(' ') else { return false };
    let given = match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Secret::new(rest.trim()),
        "basic" => match password(rest.trim()) {
            Some(password) => password,
            None => return false,
        },
        _ => return false,
    };
    given.expose().as_bytes().ct_eq(token.expose().as_bytes()).into()
}

fn password(encoded: &str) -> Option<Secret> {
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    text.split_once(':').map(|(_, password)| Secret::new(password))
}

fn is_local(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else { return true };
    let name = match host.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use axum::http::header::{AUTHORIZATION, HOST, HeaderMap};

    use super::{is_local, permits};
    use crate::secret::Secret;

    fn headers(name: axum::http::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn the_token_is_taken_as_bearer_or_as_a_password_and_nothing_else_is() {
        let token = Secret::new("s3cret");
        let check = |value: &str, expected: bool| {
            assert_eq!(permits(Some(&token), &headers(AUTHORIZATION, value)), expected, "{value}");
        };
        check("Bearer s3cret", true);
        check("bearer s3cret", true);
        check("Basic YW55OnMzY3JldA==", true); // any:s3cret
        check("Basic czNjcmV0Og==", false); // s3cret:
        check("Basic !", false);
        check("Bearer s3cre", false);
        check("Bearer s3cret2", false);
        check("Bearer", false);
        check("s3cret", false);
        assert!(!permits(Some(&token), &HeaderMap::new()));
        assert!(permits(None, &HeaderMap::new()));
    }

    #[test]
    fn a_foreign_name_for_loopback_is_told_from_loopback() {
        let check = |host: &str, expected: bool| assert_eq!(is_local(&headers(HOST, host)), expected, "{host}");
        check("localhost:8080", true);
        check("127.0.0.1:8080", true);
        check("[::1]:8080", true);
        check("localhost", true);
        check("evil.example:8080", false);
        check("127.0.0.1.evil.example", false);
    }
}
