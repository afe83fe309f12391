//! Real Redis and Valkey servers for the tests: started in a temporary directory, stopped and removed whatever happens.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A running server that listens on a Unix socket, and on a TCP port if it was told one.
#[derive(Debug)]
pub struct TestRedis {
    version: RedisVersion,
    child: Child,
    dir: TempDir,
}

/// The user `nobody`.
const NOBODY: u32 = 65534;

/// A connection to a server.
#[derive(Debug)]
pub struct RedisConnection(BufReader<UnixStream>);

/// What a server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A status or an error's text.
    Status(String),
    /// An error's text.
    Error(String),
    /// A number.
    Integer(i64),
    /// A string; `None` for nil.
    Bulk(Option<Vec<u8>>),
    /// Several answers.
    Array(Vec<Reply>),
}

/// The servers that the tests run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedisVersion {
    /// Debian 12's, 7.0.
    V7,
    /// 8.2, from `.test-tools/redis8`.
    V8,
    /// Valkey 8.1, from `.test-tools/valkey8`: it writes the format of Redis 7.2.
    Valkey8,
    /// Valkey 9.1, from `.test-tools/valkey9`: it writes a format of its own.
    Valkey9,
}

impl RedisVersion {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::V7, Self::V8, Self::Valkey8, Self::Valkey9];
    /// One of each product: the oldest Redis and the newest Valkey.
    pub const EACH_PRODUCT: [Self; 2] = [Self::V7, Self::Valkey9];
    /// Those that came with a checker of files.
    pub const WITH_CHECKER: [Self; 3] = [Self::V7, Self::Valkey8, Self::Valkey9];

    /// The server's program. A missing server fails the test: it must never pass for want of one.
    pub fn program(self) -> PathBuf {
        let (variable, default) = match self {
            Self::V7 => ("GUARD_TEST_REDIS7", "/usr/bin/redis-server"),
            Self::V8 => ("GUARD_TEST_REDIS8", ".test-tools/redis8/redis-server"),
            Self::Valkey8 => ("GUARD_TEST_VALKEY8", ".test-tools/valkey8/valkey-server"),
            Self::Valkey9 => ("GUARD_TEST_VALKEY9", ".test-tools/valkey9/valkey-server"),
        };
        let default = Path::new(env!("CARGO_MANIFEST_DIR")).join(default);
        let program = std::env::var_os(variable).map_or(default, PathBuf::from);
        assert!(program.exists(), "this test needs {}: run scripts/setup, or set {variable}", program.display());
        program
    }

    /// Where its programs are.
    pub fn bin_dir(self) -> PathBuf {
        self.program().parent().unwrap().to_owned()
    }

    /// `redis` or `valkey`.
    pub fn product(self) -> &'static str {
        match self {
            Self::V7 | Self::V8 => "redis",
            Self::Valkey8 | Self::Valkey9 => "valkey",
        }
    }

    /// How its version begins, and the version of its snapshots.
    pub fn numbers(self) -> (&'static str, u32) {
        match self {
            Self::V7 => ("7.0.", 10),
            Self::V8 => ("8.2.", 12),
            Self::Valkey8 => ("8.1.", 11),
            Self::Valkey9 => ("9.1.", 80),
        }
    }

    /// Whether single fields of a hash can expire.
    pub fn expires_fields(self) -> bool {
        matches!(self, Self::V8 | Self::Valkey9)
    }

    /// What its own checker says of a file. It is one program with the server.
    pub fn check_file(self, file: &Path) -> String {
        let program = self.bin_dir().join(format!("{}-check-rdb", self.product()));
        let output = Command::new(&program).arg(file).output().unwrap_or_else(|error| panic!("{program:?}: {error}"));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Starts an empty server.
    pub fn start(self) -> TestRedis {
        self.start_with(&[])
    }

    /// Starts an empty server with further settings.
    pub fn start_with(self, settings: &[&str]) -> TestRedis {
        TestRedis::launch(self, new_dir(), settings)
    }

    /// Starts a server that loads an RDB, with further settings.
    pub fn start_from(self, rdb: &[u8], settings: &[&str]) -> TestRedis {
        let dir = new_dir();
        fs::write(dir.path().join("dump.rdb"), rdb).unwrap();
        TestRedis::launch(self, dir, settings)
    }
}

impl TestRedis {
    /// Starts an empty server of the distribution's version.
    pub fn start() -> Self {
        RedisVersion::V7.start()
    }

    /// Starts one with further settings, as in `--appendonly yes`.
    pub fn start_with(settings: &[&str]) -> Self {
        RedisVersion::V7.start_with(settings)
    }

    /// Starts one with a configuration file, which a sentinel keeps its state in.
    pub fn start_from_file(version: RedisVersion, file: &str, settings: &[&str]) -> Self {
        let settings: Vec<&str> = [file].iter().chain(settings).copied().collect();
        version.start_with(&settings)
    }

    /// Starts one that no more processes are allowed to: it cannot fork for a snapshot.
    pub fn start_unable_to_fork(version: RedisVersion) -> Self {
        let dir = new_dir();
        let (mut starter, mut limiter) = (Command::new("setpriv"), Command::new("setpriv"));
        if nix::unistd::geteuid().is_root() {
            // The limit does not hold for root, and only the same user may set it.
            std::os::unix::fs::chown(dir.path(), Some(NOBODY), Some(NOBODY)).unwrap();
            let nobody = NOBODY.to_string();
            starter.args(["--reuid", &nobody, "--regid", &nobody, "--clear-groups"]);
            limiter.args(["--reuid", &nobody, "--regid", &nobody, "--clear-groups"]);
        }
        starter.args(["--pdeathsig", "KILL"]);
        let server = Self::launch_by(starter, version, dir, &[]);
        limiter.args(["--pdeathsig", "clear", "prlimit", "--nproc=0:0", "--pid", &server.pid().to_string()]);
        let limited = limiter.status().unwrap();
        assert!(limited.success(), "prlimit failed");
        server
    }

    /// Starts one that loads an RDB.
    pub fn start_from(rdb: &[u8]) -> Self {
        RedisVersion::V7.start_from(rdb, &[])
    }

    fn launch(version: RedisVersion, dir: TempDir, settings: &[&str]) -> Self {
        let mut starter = Command::new("setpriv");
        starter.args(["--pdeathsig", "KILL"]);
        Self::launch_by(starter, version, dir, settings)
    }

    fn launch_by(mut server: Command, version: RedisVersion, dir: TempDir, settings: &[&str]) -> Self {
        server.arg(version.program()).process_group(0);
        // A configuration file is the first argument or none.
        let (file, settings) = settings.split_at(settings.first().is_some_and(|first| !first.starts_with("--")).into());
        server.args(file).args(["--port", "0", "--save", "", "--unixsocket"]).arg(dir.path().join("redis.sock"));
        // By default a server waits five seconds for further replicas before it begins a snapshot.
        server
            .args(["--repl-diskless-sync-delay", "0", "--logfile", "redis.log", "--dir"])
            .arg(dir.path())
            .args(settings);
        server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = server.spawn().unwrap_or_else(|error| panic!("{server:?}: {error}"));
        let mut started = Self { version, child, dir };
        started.wait_until_ready();
        started
    }

    /// What it is.
    pub fn version(&self) -> RedisVersion {
        self.version
    }

    /// The Unix socket.
    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("redis.sock")
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Its process.
    pub fn pid(&self) -> nix::unistd::Pid {
        nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }

    /// Connects.
    pub fn connect(&self) -> RedisConnection {
        RedisConnection::open(&self.socket()).unwrap()
    }

    /// The snapshot that the server writes now.
    pub fn save(&self) -> Vec<u8> {
        self.connect().run(&["SAVE"]);
        fs::read(self.dir.path().join("dump.rdb")).unwrap()
    }

    fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let answer = RedisConnection::open(&self.socket()).and_then(|mut connection| {
                connection.send(&[b"PING"])?;
                connection.receive()
            });
            match answer {
                Ok(Reply::Status(text)) if text == "PONG" => return,
                // It wants a password, which only the test knows.
                Ok(Reply::Error(text)) if text.starts_with("NOAUTH") => return,
                _ => {}
            }
            let is_running = self.child.try_wait().unwrap().is_none();
            if !is_running || Instant::now() > deadline {
                let log = fs::read_to_string(self.dir.path().join("redis.log")).unwrap_or_default();
                panic!("the test server does not start:\n{log}");
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for TestRedis {
    fn drop(&mut self) {
        // The data is thrown away.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn new_dir() -> TempDir {
    tempfile::Builder::new().prefix("guard-test-redis-").tempdir().expect("a temporary directory")
}

impl RedisConnection {
    /// Connects to the server at this socket.
    pub fn open(socket: &Path) -> std::io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self(BufReader::with_capacity(1 << 16, stream)))
    }

    /// Runs a command; an error fails the test.
    #[track_caller]
    pub fn run<A: AsRef<[u8]>>(&mut self, arguments: &[A]) -> Reply {
        let reply = self.try_run(arguments);
        let shown = || String::from_utf8_lossy(arguments[0].as_ref()).into_owned();
        assert!(!matches!(reply, Reply::Error(_)), "{}: {reply:?}", shown());
        reply
    }

    /// Runs a command, whatever it answers.
    pub fn try_run<A: AsRef<[u8]>>(&mut self, arguments: &[A]) -> Reply {
        let arguments: Vec<&[u8]> = arguments.iter().map(AsRef::as_ref).collect();
        self.send(&arguments).unwrap();
        self.receive().unwrap()
    }

    /// Runs words that are separated by spaces.
    #[track_caller]
    pub fn words(&mut self, command: &str) -> Reply {
        self.run(&command.split(' ').collect::<Vec<_>>())
    }

    /// Runs many commands in one go; an error fails the test.
    #[track_caller]
    pub fn pipeline(&mut self, commands: impl IntoIterator<Item = Vec<Vec<u8>>>) {
        let mut commands = commands.into_iter().peekable();
        while commands.peek().is_some() {
            let mut n_sent = 0;
            for command in commands.by_ref().take(1000) {
                self.send(&command.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
                n_sent += 1;
            }
            for _ in 0..n_sent {
                let reply = self.receive().unwrap();
                assert!(!matches!(reply, Reply::Error(_)), "{reply:?}");
            }
        }
    }

    fn send(&mut self, arguments: &[&[u8]]) -> std::io::Result<()> {
        let mut request = format!("*{}\r\n", arguments.len()).into_bytes();
        for argument in arguments {
            request.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
            request.extend_from_slice(argument);
            request.extend_from_slice(b"\r\n");
        }
        self.0.get_mut().write_all(&request)
    }

    fn receive(&mut self) -> std::io::Result<Reply> {
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        let line = line.trim_end();
        let Some((kind, rest)) = line.split_at_checked(1) else {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        };
        let number = || rest.parse::<i64>().map_err(std::io::Error::other);
        Ok(match kind {
            "+" => Reply::Status(rest.to_owned()),
            "-" => Reply::Error(rest.to_owned()),
            ":" => Reply::Integer(number()?),
            "$" => match usize::try_from(number()?) {
                Err(_) => Reply::Bulk(None),
                Ok(length) => {
                    let mut bytes = vec![0; length + 2];
                    self.0.read_exact(&mut bytes)?;
                    bytes.truncate(length);
                    Reply::Bulk(Some(bytes))
                }
            },
            "*" => Reply::Array((0..number()?).map(|_| self.receive()).collect::<Result<_, _>>()?),
            _ => return Err(std::io::Error::other(format!("an odd answer: {line}"))),
        })
    }
}
