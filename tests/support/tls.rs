//! A private certificate authority and a server's certificate signed by it, made by `openssl`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

/// The certificates, for 127.0.0.1 alone.
#[derive(Debug)]
pub struct Identity {
    dir: TempDir,
}

impl Identity {
    /// Makes them; they are valid for two days.
    pub fn make() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        std::fs::write(dir.path().join("names"), "subjectAltName=IP:127.0.0.1\n").unwrap();
        openssl(dir.path(), &format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=authority -days 2"));
        openssl(dir.path(), &format!("req {key} -keyout server.key -out server.csr -subj /CN=server"));
        let sign = "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2";
        openssl(dir.path(), &format!("{sign} -extfile names -out server.pem"));
        Self { dir }
    }

    /// The authority's certificate.
    pub fn ca_file(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// What a server needs.
    pub fn acceptor(&self) -> TlsAcceptor {
        let certificate = CertificateDer::from_pem_file(self.dir.path().join("server.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(self.dir.path().join("server.key")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

fn openssl(dir: &Path, args: &str) {
    let output = Command::new("openssl").args(args.split(' ')).current_dir(dir).output();
    let output = output.expect("`openssl` is not installed: run scripts/setup");
    assert!(output.status.success(), "openssl {args}: {}", String::from_utf8_lossy(&output.stderr));
}
