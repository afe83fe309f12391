//! A real S3 server, Ceph's object gateway, started by `scripts/ceph-s3` and gone with its owner.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use guard::store::{S3Credentials, S3Settings};
use tempfile::TempDir;

// What scripts/ceph-s3 sets up.
const ACCESS_KEY: &str = "GUARDTESTKEY";
const SECRET_KEY: &str = "guard-test-secret";

/// A running gateway. The script ends it when its standard input closes, so it does not outlive even a killed test.
#[derive(Debug)]
pub struct Ceph {
    script: Child,
    endpoint: String,
    _dir: TempDir,
}

impl Ceph {
    /// Starts a gateway, which takes 10 to 20 seconds. A machine without Ceph fails the test: it is never skipped.
    pub fn start() -> Self {
        for program in ["radosgw", "radosgw-admin", "ceph-mon", "ceph-osd", "ceph"] {
            let found = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
            assert!(found, "`{program}` is not installed: run scripts/setup");
        }
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut script = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/ceph-s3"))
            .arg(dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("scripts/ceph-s3 is there and executable");
        let output = script.stdout.take().expect("standard output is piped");
        let mut endpoint = String::new();
        BufReader::new(output).read_line(&mut endpoint).expect("the script's first line");
        let endpoint = endpoint.trim().to_owned();
        let ceph = Self { script, endpoint, _dir: dir };
        assert!(ceph.endpoint.starts_with("http://"), "scripts/ceph-s3 did not come up: see its messages above");
        ceph
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.endpoint.trim_start_matches("http://").parse().expect("an address")
    }

    /// Makes an empty bucket.
    pub async fn make_bucket(&self, bucket: &str) {
        let credentials = Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "tests");
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&self.endpoint)
            .force_path_style(true)
            .region(Region::from_static("us-east-1"))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .credentials_provider(credentials)
            .build();
        let created = aws_sdk_s3::Client::from_conf(config).create_bucket().bucket(bucket).send().await;
        created.expect("the bucket is created");
    }

    /// Settings that reach the bucket `bucket`.
    pub fn settings(&self, bucket: &str) -> S3Settings {
        let mut settings = S3Settings::new(bucket);
        settings.endpoint = Some(self.endpoint.clone());
        settings.credentials = Some(S3Credentials {
            access_key_id: ACCESS_KEY.to_owned(),
            secret_access_key: SECRET_KEY.to_owned(),
            session_token: None,
        });
        settings
    }
}

impl Drop for Ceph {
    fn drop(&mut self) {
        drop(self.script.stdin.take());
        let _ = self.script.wait();
    }
}
