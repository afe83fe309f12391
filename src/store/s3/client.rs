//! From settings to a client of the SDK: credentials, region, TLS, checksums.

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation, SharedHttpClient,
    StalledStreamProtectionConfig,
};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::bucket::location;
use super::{ChecksumMode, S3Settings};
use crate::store::StoreError;

/// Idle connections are closed before servers and balancers, most of which wait a minute, close them under a request.
const IDLE_CONNECTION: std::time::Duration = std::time::Duration::from_secs(20);

/// Where a server that is not AWS is said to be when nobody says; most do not look.
const DEFAULT_REGION: &str = "us-east-1";

pub(super) async fn connect(settings: &S3Settings) -> Result<Client, StoreError> {
    let shared = shared_config(settings).await?;
    let endpoint = endpoint(settings, &shared);
    let is_aws = endpoint.as_deref().is_none_or(is_aws);
    if shared.region().is_none() {
        let reason = "no region is known; set `region`, or AWS_REGION, or a profile that has one".to_owned();
        return Err(StoreError::Unusable { location: location(settings), reason });
    }
    let (request, response) = match (settings.checksums, is_aws) {
        (ChecksumMode::WhenSupported, _) | (ChecksumMode::Auto, true) => {
            (RequestChecksumCalculation::WhenSupported, ResponseChecksumValidation::WhenSupported)
        }
        (ChecksumMode::WhenRequired, _) | (ChecksumMode::Auto, false) => {
            (RequestChecksumCalculation::WhenRequired, ResponseChecksumValidation::WhenRequired)
        }
    };
    let mut config = aws_sdk_s3::config::Builder::from(&shared)
        .force_path_style(settings.path_style.unwrap_or(!is_aws))
        .request_checksum_calculation(request)
        .response_checksum_validation(response)
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().connect_timeout(settings.timeouts.connect).build())
        // Every request here has a time limit of its own.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if endpoint.is_some_and(|url| url.starts_with("http://")) {
        // Without TLS nobody needs the system's certificates, which a small container may not have.
        config.set_http_client(Some(http_builder().build_http()));
    }
    Ok(Client::from_conf(config.build()))
}

async fn shared_config(settings: &S3Settings) -> Result<SdkConfig, StoreError> {
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http_client(settings)?);
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(endpoint) = &settings.endpoint {
        loader = loader.endpoint_url(endpoint).region(region_elsewhere(settings));
    }
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(given) = &settings.credentials {
        let (id, secret) = (&given.access_key_id, &given.secret_access_key);
        let credentials = Credentials::new(id, secret, given.session_token.clone(), None, "settings");
        loader = loader.credentials_provider(credentials);
    }
    Ok(loader.load().await)
}

/// As the default chain but without asking the machine's metadata service, which does not know another's server.
fn region_elsewhere(settings: &S3Settings) -> RegionProviderChain {
    let mut profile = ProfileFileRegionProvider::builder();
    if let Some(name) = &settings.profile {
        profile = profile.profile_name(name);
    }
    RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(profile.build())
        .or_else(Region::from_static(DEFAULT_REGION))
}

fn http_client(settings: &S3Settings) -> Result<SharedHttpClient, StoreError> {
    let unusable = |reason| StoreError::Unusable { location: location(settings), reason };
    let mut trust = TrustStore::default();
    if let Some(path) = &settings.ca_file {
        let pem = std::fs::read(path)
            .map_err(|error| unusable(format!("cannot read the certificates in {}: {error}", path.display())))?;
        check_certificates(&pem).map_err(|reason| unusable(format!("{}: {reason}", path.display())))?;
        trust = trust.with_pem_certificate(pem);
    }
    let tls = TlsContext::builder().with_trust_store(trust).build();
    let tls = tls.map_err(|error| unusable(format!("cannot prepare TLS: {error}")))?;
    Ok(http_builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls).build_https())
}

fn http_builder() -> aws_smithy_http_client::Builder {
    aws_smithy_http_client::Builder::new().pool_idle_timeout(IDLE_CONNECTION)
}

/// The SDK panics at the first request over a certificate that it cannot read (aws-smithy-http-client 1.5.2,
/// `rustls_provider.rs`), so all of them are read here first.
fn check_certificates(pem: &[u8]) -> Result<(), String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| format!("not a certificate in PEM form: {error}"))?;
        roots.add(certificate).map_err(|error| format!("a certificate in it cannot be used: {error}"))?;
    }
    if roots.is_empty() { Err("it holds no certificate in PEM form".to_owned()) } else { Ok(()) }
}

/// The endpoint in force, wherever it was set.
fn endpoint(settings: &S3Settings, shared: &SdkConfig) -> Option<String> {
    let of_service = || std::env::var("AWS_ENDPOINT_URL_S3").ok();
    settings.endpoint.clone().or_else(of_service).or_else(|| shared.endpoint_url().map(str::to_owned))
}

fn is_aws(endpoint: &str) -> bool {
    let host = url::Url::parse(endpoint).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn")
}

#[cfg(test)]
mod tests {
    use super::{check_certificates, is_aws};

    #[test]
    fn aws_is_told_from_those_that_only_speak_its_protocol() {
        assert!(is_aws("https://s3.eu-central-1.amazonaws.com"));
        assert!(is_aws("https://bucket.vpce-1.s3.us-east-1.vpce.amazonaws.com"));
        assert!(!is_aws("https://s3.amazonaws.com.example.org"));
        assert!(!is_aws("http://127.0.0.1:9000"));
    }

    #[test]
    fn a_file_without_a_usable_certificate_is_refused() {
        let check = |pem: &str| check_certificates(pem.as_bytes()).unwrap_err();
        assert!(check("").contains("no certificate"));
        assert!(check("-----BEGIN CERTIFICATE-----\n???\n-----END CERTIFICATE-----\n").contains("not a certificate"));
        assert!(check("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").contains("cannot be used"));
    }
}
