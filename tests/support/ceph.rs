//! A real S3 server, Ceph's object gateway, started by `scripts/ceph-s3` and gone with its owner.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::types::{
    DefaultRetention, ObjectLockConfiguration, ObjectLockEnabled, ObjectLockRetentionMode, ObjectLockRule,
};
use guard::store::{S3Credentials, S3Settings};
use tempfile::TempDir;

use super::guard::Guard;
use super::port::free_port;

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
        // What this is needed for is not to show that Ceph always comes up.
        let mut failures = Vec::new();
        while failures.len() < 3 {
            match Self::try_start() {
                Ok(ceph) => return ceph,
                Err(failure) => failures.push(failure),
            }
        }
        panic!("see the messages above: {failures:?}");
    }

    fn try_start() -> Result<Self, String> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut script = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/ceph-s3"))
            .arg(dir.path())
            .args([free_port(), free_port()].map(|port| port.to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("scripts/ceph-s3 is there and executable");
        let output = script.stdout.take().expect("standard output is piped");
        let mut endpoint = String::new();
        BufReader::new(output).read_line(&mut endpoint).expect("the script's first line");
        let endpoint = endpoint.trim().to_owned();
        if !endpoint.starts_with("http://") {
            return Err(format!("scripts/ceph-s3 ended with {:?} and said {endpoint:?}", script.wait()));
        }
        Ok(Self { script, endpoint, _dir: dir })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.endpoint.trim_start_matches("http://").parse().expect("an address")
    }

    /// Makes an empty bucket.
    pub async fn make_bucket(&self, bucket: &str) {
        self.client().create_bucket().bucket(bucket).send().await.expect("the bucket is created");
    }

    /// Makes an empty bucket whose objects cannot be deleted for a day, by nobody.
    pub async fn make_locked_bucket(&self, bucket: &str) {
        let client = self.client();
        let created = client.create_bucket().bucket(bucket).object_lock_enabled_for_bucket(true).send().await;
        created.expect("the bucket is created");
        let retention = DefaultRetention::builder().mode(ObjectLockRetentionMode::Compliance).days(1).build();
        let rule = ObjectLockRule::builder().default_retention(retention).build();
        let enabled = ObjectLockEnabled::Enabled;
        let lock = ObjectLockConfiguration::builder().object_lock_enabled(enabled).rule(rule).build();
        let set = client.put_object_lock_configuration().bucket(bucket).object_lock_configuration(lock).send().await;
        set.expect("the lock is set");
    }

    /// An object as text.
    pub async fn content(&self, bucket: &str, object: &str) -> String {
        let answer = self.client().get_object().bucket(bucket).key(object).send().await.expect("it is there");
        String::from_utf8(answer.body.collect().await.expect("it is read").to_vec()).expect("text")
    }

    /// How many versions there are that are not the current ones.
    pub async fn n_noncurrent(&self, bucket: &str) -> usize {
        let listed = self.client().list_object_versions().bucket(bucket).send().await.expect("versions are listed");
        listed.versions().iter().filter(|version| version.is_latest() != Some(true)).count()
    }

    /// How many objects there are.
    pub async fn n_objects(&self, bucket: &str) -> usize {
        let listed = self.client().list_objects_v2().bucket(bucket).send().await.expect("objects are listed");
        listed.contents().len()
    }

    /// Tries to delete a version for good, in vain.
    pub async fn cannot_delete_a_version(&self, bucket: &str) {
        let client = self.client();
        let listed = client.list_object_versions().bucket(bucket).send().await.expect("versions are listed");
        let version = listed.versions().first().expect("there is one");
        let (key, id) = (version.key().expect("a key"), version.version_id().expect("an id"));
        let refused = client.delete_object().bucket(bucket).key(key).version_id(id).send().await;
        let refused = refused.expect_err("it is locked").into_service_error();
        assert_eq!(refused.code(), Some("AccessDenied"), "{refused:?}");
    }

    /// Has this user keep backups here.
    pub fn keeps(&self, guard: Guard, bucket: &str) -> Guard {
        guard
            .with("GUARD_STORE_URL", &format!("s3://{bucket}/prod"))
            .with("GUARD_STORE_ENDPOINT", &self.endpoint)
            .with("GUARD_STORE_REGION", "us-east-1")
            .with("GUARD_STORE_ACCESS_KEY", ACCESS_KEY)
            .with("GUARD_STORE_SECRET_KEY", SECRET_KEY)
            .with_secret(SECRET_KEY)
    }

    fn client(&self) -> aws_sdk_s3::Client {
        let credentials = Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "tests");
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&self.endpoint)
            .force_path_style(true)
            .region(Region::from_static("us-east-1"))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .credentials_provider(credentials)
            .build();
        aws_sdk_s3::Client::from_conf(config)
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
