//! An S3 server that can be killed: s3s-fs in a process of its own, which is the test binary started once more.
//!
//! s3s-fs cannot list unfinished multipart uploads, which is what a janitor lives on, nor miss a bucket; that is added here.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::SystemTime;

use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput, CompleteMultipartUploadOutput,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteObjectInput, DeleteObjectOutput, GetObjectInput,
    GetObjectOutput, HeadObjectInput, HeadObjectOutput, ListMultipartUploadsInput, ListMultipartUploadsOutput,
    ListObjectsV2Input, ListObjectsV2Output, ListPartsInput, ListPartsOutput, MultipartUpload, PutObjectInput,
    PutObjectOutput, UploadPartInput, UploadPartOutput,
};
use s3s::service::S3ServiceBuilder;
use s3s::{S3, S3Request, S3Response, S3Result};
use s3s_fs::FileSystem;
use tempfile::TempDir;

use super::guard::Guard;
use super::port::free_port;
use super::process::{SOON, wait_for};

const BUCKET: &str = "backups";
const ACCESS_KEY: &str = "TESTKEY";
const SECRET_KEY: &str = "testsecret";
const DIR: &str = "TEST_S3_DIR";
const ADDR: &str = "TEST_S3_ADDR";

/// The server's process. Its files outlive it until this is dropped.
#[derive(Debug)]
pub struct S3Process {
    dir: TempDir,
    addr: SocketAddr,
    child: Child,
}

impl S3Process {
    /// Starts a server with an empty bucket. The test binary must have a test called `s3_server` that calls [`serve`].
    pub fn start() -> Self {
        let dir = tempfile::Builder::new().prefix("guard-test-s3-").tempdir().expect("a temporary directory");
        fs::create_dir(dir.path().join(BUCKET)).expect("the bucket");
        fs::create_dir(dir.path().join(UPLOADS)).expect("a directory");
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let child = spawn(dir.path(), addr);
        Self { dir, addr, child }
    }

    /// Kills it at once.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again where it was, if it does not run.
    pub fn restart(&mut self) {
        if self.child.try_wait().expect("a child of ours").is_some() {
            self.child = spawn(self.dir.path(), self.addr);
        }
    }

    /// Has this user keep backups here.
    pub fn keeps(&self, guard: Guard) -> Guard {
        guard
            .with("GUARD_STORE_URL", &format!("s3://{BUCKET}/prod"))
            .with("GUARD_STORE_ENDPOINT", &format!("http://{}", self.addr))
            .with("GUARD_STORE_REGION", "us-east-1")
            .with("GUARD_STORE_ACCESS_KEY", ACCESS_KEY)
            .with("GUARD_STORE_SECRET_KEY", SECRET_KEY)
            .with_secret(SECRET_KEY)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Keys of the uploads that neither ended nor were given up.
    pub fn unfinished(&self) -> Vec<String> {
        // Not by a second `FileSystem`: opening one sweeps away the parts that the server is writing.
        uploads(self.dir.path()).into_iter().filter_map(|upload| upload.key).collect()
    }
}

impl S3Process {
    /// Has the uploads that are under way be so old.
    pub fn age_unfinished(&self, age: std::time::Duration) {
        for entry in fs::read_dir(self.dir.path()).expect("readable").flatten() {
            if entry.file_name().to_string_lossy().starts_with(".upload-") {
                let file = fs::File::options().write(true).open(entry.path()).expect("writable");
                file.set_modified(SystemTime::now() - age).expect("a time");
            }
        }
    }
}

impl Drop for S3Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(dir: &Path, addr: SocketAddr) -> Child {
    let mut server = Command::new("setpriv");
    server.args(["--pdeathsig", "KILL"]).arg(std::env::current_exe().expect("this program"));
    server.args(["--exact", "s3_server", "--nocapture"]).env(DIR, dir).env(ADDR, addr.to_string());
    let child = server.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("the server's process");
    wait_for("the S3 server", SOON, || TcpStream::connect(addr).ok());
    child
}

/// Serves until it is killed, if this process was started to do so.
pub fn serve() {
    let (Some(dir), Some(addr)) = (std::env::var_os(DIR), std::env::var(ADDR).ok()) else { return };
    let mut service = S3ServiceBuilder::new(Listing::new(Path::new(&dir)));
    service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
    let service = service.build();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(&addr).await.expect("the port that was free before");
        while let Ok((socket, _)) = listener.accept().await {
            let connection = hyper::server::conn::http1::Builder::new();
            tokio::spawn(connection.serve_connection(TokioIo::new(socket), service.clone()));
        }
    });
}

/// A directory that keeps, under each upload's id, the key that it will have.
const UPLOADS: &str = ".uploads";

/// s3s-fs with a list of unfinished uploads.
struct Listing {
    inner: FileSystem,
    dir: PathBuf,
}

impl Listing {
    fn new(dir: &Path) -> Self {
        Self { inner: FileSystem::new(dir).expect("a file system"), dir: dir.to_owned() }
    }
}

/// What was begun under `dir` and neither ended nor was given up.
fn uploads(dir: &Path) -> Vec<MultipartUpload> {
    let entries = fs::read_dir(dir.join(UPLOADS)).expect("readable").flatten();
    let unfinished = entries.filter_map(|entry| {
        let id = entry.file_name().into_string().ok()?;
        // s3s-fs keeps this file as long as the upload has not ended.
        let begun = dir.join(format!(".upload-{id}.json")).metadata().ok()?;
        Some(MultipartUpload {
            key: fs::read_to_string(entry.path()).ok(),
            upload_id: Some(id),
            initiated: Some(begun.modified().unwrap_or_else(|_| SystemTime::now()).into()),
            ..MultipartUpload::default()
        })
    });
    unfinished.collect()
}

macro_rules! hand_on {
    ($($operation:ident($input:ty) -> $output:ty;)*) => {
        #[async_trait::async_trait]
        impl S3 for Listing {
            $(async fn $operation(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                self.inner.$operation(request).await
            })*

            async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
                // s3s-fs misses the object and not the bucket, as every real server does.
                if !self.dir.join(&request.input.bucket).is_dir() {
                    return Err(s3s::s3_error!(NoSuchBucket));
                }
                self.inner.get_object(request).await
            }

            async fn create_multipart_upload(
                &self,
                request: S3Request<CreateMultipartUploadInput>,
            ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
                let key = request.input.key.clone();
                let answer = self.inner.create_multipart_upload(request).await?;
                if let Some(id) = &answer.output.upload_id {
                    fs::write(self.dir.join(UPLOADS).join(id), key).expect("writable");
                }
                Ok(answer)
            }

            async fn list_multipart_uploads(
                &self,
                request: S3Request<ListMultipartUploadsInput>,
            ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
                let prefix = request.input.prefix.unwrap_or_default();
                let mut uploads = uploads(&self.dir);
                uploads.retain(|upload| upload.key.as_ref().is_some_and(|key| key.starts_with(&prefix)));
                let output = ListMultipartUploadsOutput { uploads: Some(uploads), ..Default::default() };
                Ok(S3Response::new(output))
            }
        }
    };
}

hand_on! {
    abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput;
    complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput;
    delete_object(DeleteObjectInput) -> DeleteObjectOutput;
    head_object(HeadObjectInput) -> HeadObjectOutput;
    list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output;
    list_parts(ListPartsInput) -> ListPartsOutput;
    put_object(PutObjectInput) -> PutObjectOutput;
    upload_part(UploadPartInput) -> UploadPartOutput;
}
