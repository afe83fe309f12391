//! A small S3 server inside the test process: s3s-fs over a temporary directory, on a free port of loopback.

use std::net::SocketAddr;

use guard::store::{S3Credentials, S3Settings};
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::tls::Identity;

/// The one bucket there is.
pub const BUCKET: &str = "backups";

const ACCESS_KEY: &str = "TESTKEY";
const SECRET_KEY: &str = "testsecret";

/// A running server; it ends, and its files go, when this is dropped.
#[derive(Debug)]
pub struct S3s {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Its buckets, as directories.
    pub dir: TempDir,
    server: JoinHandle<()>,
}

impl S3s {
    /// Starts a server with an empty bucket.
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    /// Starts a server with an empty bucket that speaks TLS alone.
    pub async fn start_tls(identity: &Identity) -> Self {
        Self::start_with(Some(identity.acceptor())).await
    }

    async fn start_with(tls: Option<TlsAcceptor>) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        std::fs::create_dir(dir.path().join(BUCKET)).expect("the bucket");
        let mut service = S3ServiceBuilder::new(FileSystem::new(dir.path()).expect("a file system"));
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = service.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("a bound port");
        let server = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (service, tls) = (service.clone(), tls.clone());
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(async move {
                    // A client that breaks off is that client's affair.
                    let _ = match tls {
                        None => http.serve_connection(TokioIo::new(socket), service).await,
                        Some(tls) => match tls.accept(socket).await {
                            Ok(socket) => http.serve_connection(TokioIo::new(socket), service).await,
                            Err(_) => Ok(()),
                        },
                    };
                });
            }
        });
        Self { addr, dir, server }
    }

    /// What it keeps of unfinished uploads: it cannot be asked, but they are files beside the bucket.
    pub fn unfinished(&self) -> Vec<String> {
        let entries = self.dir.path().read_dir().expect("readable").map(|entry| entry.expect("readable").file_name());
        entries.filter_map(|name| name.into_string().ok()).filter(|name| name.starts_with(".upload")).collect()
    }

    /// Settings that reach the bucket through `addr`, which may be a proxy's.
    pub fn settings_at(addr: SocketAddr) -> S3Settings {
        let mut settings = S3Settings::new(BUCKET);
        settings.endpoint = Some(format!("http://{addr}"));
        settings.region = Some("us-east-1".to_owned());
        settings.credentials = Some(S3Credentials {
            access_key_id: ACCESS_KEY.to_owned(),
            secret_access_key: SECRET_KEY.to_owned(),
            session_token: None,
        });
        settings
    }

    /// Settings that reach the bucket directly.
    pub fn settings(&self) -> S3Settings {
        Self::settings_at(self.addr)
    }
}

impl Drop for S3s {
    fn drop(&mut self) {
        self.server.abort();
    }
}
